//! The thread is not one connection's: a peer that always has more to be read does not keep it.

use core::{cell::Cell, pin::pin};
use std::rc::Rc;

use futures_util::{SinkExt as _, StreamExt, TryStreamExt as _};
use hybi::{
    Config, Connection, Deflate, Error, Message, Negotiated, Role, Version, WebSocket,
    extension::Extension as _,
};
use hybi_suite::hostile::{Block, bomb, empty_blocks};
use hybi_testkit::wire::{self, BINARY, RSV1, Side};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        source::{Output, Source},
        tasks::Task,
        ways::{Receives, Sends},
    },
    world::{BOTH, connection, quiet, wire as wire_of},
};

/// More reads than one turn of a task may make, whatever its budget is.
const READS: usize = 100;

type Socket = WebSocket<Source, ClockTimer>;

/// What a peer never stops to send, and how much of it one read gives.
fn floods() -> impl Iterator<Item = (Message, usize)> {
    let messages = [
        Message::binary(vec![7; 16]),
        Message::binary(vec![7; 100_000]),
        Message::text("x".repeat(5_000)),
        Message::Ping("?".into()),
    ];
    messages.into_iter().flat_map(|message| [22, 500, 4_000].map(|len| (message.clone(), len)))
}

/// Polls an application that never ends; each time, it gives its thread back and wants it again.
fn shares_its_thread(
    role: Role,
    config: &Config,
    what: &str,
    application: impl AsyncFn(Socket) -> Result<(), Error>,
) {
    for (message, read) in floods() {
        let reads = Rc::new(Cell::new(0));
        let frames = wire_of(role, Version::RFC6455, [message.clone()]).repeat(20);
        let (counted, mut at) = (reads.clone(), 0);
        let flood = Source::new(Output::Taken, move |chunk| {
            counted.set(counted.get() + 1);
            assert!(counted.get() <= READS, "{READS} reads, and no other task had a turn");
            let len = chunk.len().min(read);
            let endless = frames.iter().cycle().skip(at);
            chunk[..len].iter_mut().zip(endless).for_each(|(place, byte)| *place = *byte);
            at = (at + len) % frames.len();
            len
        });
        let own = connection(role, Version::RFC6455, config.clone());
        let socket = WebSocket::new(own, flood, Clock::new().timer());
        let (task, mut running) = (Task::new(), pin!(application(socket)));
        let what = format!("{role:?}, {what}, {} bytes in reads of {read}", message.len());
        let mut total = 0;
        for _ in 0..5 {
            let ended = task.poll(running.as_mut());
            assert!(ended.is_pending(), "{what}: {ended:?}");
            assert!(task.wakes() > 0, "{what}: there is more to be read");
            total += reads.replace(0);
        }
        assert!(total > 5, "{what}: {total} reads in five turns");
    }
}

#[test]
fn receiving_message_after_message_leaves_other_tasks_their_turn() {
    for role in BOTH {
        for receives in Receives::ALL {
            for shown in [false, true] {
                let config = quiet().show_control_frames(shown);
                shares_its_thread(role, &config, &format!("{receives:?}"), async |mut socket| {
                    while receives.next(&mut socket).await?.is_some() {}
                    Ok(())
                });
            }
        }
    }
}

#[test]
fn answering_message_after_message_leaves_other_tasks_their_turn() {
    for role in BOTH {
        shares_its_thread(role, &quiet(), "recv and feed", async |mut socket| {
            while let Some(message) = socket.recv().await? {
                socket.feed(message).await?;
            }
            Ok(())
        });
        for sends in Sends::ALL {
            shares_its_thread(
                role,
                &quiet(),
                &format!("recv and {sends:?}"),
                async |mut socket| {
                    while let Some(message) = socket.recv().await? {
                        sends.send(&mut socket, message).await?;
                    }
                    Ok(())
                },
            );
        }
    }
}

#[test]
fn combinators_leave_other_tasks_their_turn() {
    for role in BOTH {
        shares_its_thread(role, &quiet(), "forward", async |socket| {
            let (sink, stream) = StreamExt::split(socket);
            stream.forward(sink).await
        });
        shares_its_thread(role, &quiet(), "send_all", async |socket| {
            let (mut sink, mut stream) = StreamExt::split(socket);
            sink.send_all(&mut stream).await
        });
        shares_its_thread(role, &quiet(), "try_for_each", async |socket| {
            socket.try_for_each(async |_| Ok(())).await
        });
    }
}

/// Nobody waits for the end of a peer that talks on, but the thread is shared until then.
#[test]
fn messages_received_while_closing_leave_other_tasks_their_turn() {
    for role in BOTH {
        let application = async |mut socket: Socket| {
            socket.send(Message::Close(None)).await?;
            while socket.recv().await?.is_some() {}
            Ok(())
        };
        shares_its_thread(role, &quiet(), "closing", application);
    }
}

/// Few bytes that are much work: zeros, a thousand for each byte, and blocks of DEFLATE that stand for nothing. They
/// count as the work that they are, however many messages of them one read brings.
#[test]
fn what_a_codec_makes_of_a_read_is_shared_out_as_well() {
    const MIB: usize = 1024 * 1024;
    let empty = |block| (frame(&empty_blocks(block, MIB)), 0);
    let floods = [
        (frame(&bomb(MIB)), 4 * MIB),
        (frame(&bomb(1000)), 4 * MIB),
        empty(Block::Stored),
        empty(Block::Fixed),
        empty(Block::Dynamic),
    ];
    for (message, most_received) in floods {
        let what = format!("messages of {} bytes on the wire", message.len());
        let (taken, received) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (read, mut at) = (Rc::clone(&taken), 0);
        let flood = Source::new(Output::Taken, move |chunk| {
            let endless = message.iter().cycle().skip(at);
            chunk.iter_mut().zip(endless).for_each(|(place, byte)| *place = *byte);
            at = (at + chunk.len()) % message.len();
            read.set(read.get() + chunk.len());
            chunk.len()
        });
        let deflate = Deflate::default();
        let agreed = deflate.accept(&deflate.offers()[0]).expect("acceptable");
        let negotiated = Negotiated::new(Version::RFC6455, None, vec![agreed]);
        let own = Connection::new(Role::Server, negotiated, quiet().into());
        let mut socket = WebSocket::new(own, flood, Clock::new().timer());
        let counted = Rc::clone(&received);
        let mut receiving = pin!(async move {
            while let Some(message) = socket.recv().await? {
                counted.set(counted.get() + message.len());
            }
            Ok::<_, Error>(())
        });
        let task = Task::new();
        for _ in 0..20 {
            assert!(task.poll(receiving.as_mut()).is_pending(), "{what}");
            assert!(task.wakes() > 0, "{what}: there is more to be read");
            let (taken, received) = (taken.replace(0), received.replace(0));
            assert!(taken < MIB / 4, "{what}: {taken} bytes were taken in one turn");
            assert!(received <= most_received, "{what}: {received} bytes in one turn");
        }
    }
}

/// A compressed message of a client.
fn frame(payload: &[u8]) -> Vec<u8> {
    wire::frame(Side::Client, BINARY | RSV1, payload)
}

/// A head that comes a byte at a time, and always has another: no read waits.
#[test]
fn a_head_byte_by_byte_leaves_other_tasks_their_turn() {
    let reads = Rc::new(Cell::new(0));
    let counted = Rc::clone(&reads);
    let mut request = b"GET / HTTP/1.1\r\nCookie: ".iter().chain(core::iter::repeat(&b'x'));
    let flood = Source::new(Output::Taken, move |chunk| {
        counted.set(counted.get() + 1);
        chunk[0] = *request.next().expect("it has no end");
        1
    });
    let server = hybi::Server::default();
    let (clock, task) = (Clock::new(), Task::new());
    let deadline = server.config().handshake_deadline(clock.now());
    let mut accepting = pin!(hybi::opening::accept_on(&server, flood, clock.timer(), deadline));
    for _ in 0..20 {
        assert!(task.poll(accepting.as_mut()).is_pending());
        assert!(task.wakes() > 0, "there is more to be read");
        let reads = reads.replace(0);
        assert!((1..=READS).contains(&reads), "{reads} reads in one turn");
    }
}
