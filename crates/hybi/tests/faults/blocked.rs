//! A task that waits to send, and a peer that ends the connection meanwhile: nobody waits for what
//! will not be taken any more (RFC 6455 section 5.5.1).

use core::{
    pin::{Pin, pin},
    task::Poll,
};

use futures_util::{
    SinkExt, Stream as _, StreamExt, future,
    stream::{SplitSink, SplitStream},
};
use hybi::{CloseCode, CloseFrame, Deadline, Endpoint, Error, Message, Role, Version, WebSocket};

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link_both},
        peer::Peer,
        tasks::Task,
        ways::Sends,
    },
    world::{SECOND, Socket, World, connection, everyone, poll_once, quiet, seconds_until, wire},
};

/// A megabyte that a peer does not read.
fn long() -> Message {
    Message::text("x".repeat(1_000_000))
}

/// What the peer says, where there are words for it.
fn close(version: Version) -> Message {
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "restarting").expect("a code");
    Message::Close((version >= Version::HYBI_06).then_some(frame))
}

fn expected(version: Version) -> (CloseCode, &'static str) {
    if version >= Version::HYBI_06 {
        (CloseCode::GOING_AWAY, "restarting")
    } else {
        (CloseCode::NO_STATUS, "")
    }
}

/// The versions in which a Close frame says that the peer ends.
fn who_closes() -> impl Iterator<Item = (Role, Version)> {
    everyone().filter(|(_, version)| *version != Version::HIXIE_75)
}

/// Who sends and does nothing else.
#[test]
fn who_waits_to_send_is_told_of_the_peers_close_at_once() {
    for (role, version) in who_closes() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, quiet(), 100);
            let World { socket, peer, clock } = &mut world;
            let sent = seconds_until(clock, 100, sends.send(socket, long()), |second| {
                if second == 3 {
                    peer.say([close(version)]);
                }
            });
            let (seconds, outcome) = sent.expect("an end");
            let error = outcome.expect_err("most of it never left");
            assert!(matches!(error, Error::Closed), "{what}: {error} after {seconds} s");
            assert_eq!(seconds, 4, "{what}");
            let status = world.socket.close_status().expect("it ends");
            assert_eq!((status.code(), status.reason()), expected(version), "{what}");
            assert_eq!(status.began_by(), Some(Endpoint::Peer), "{what}");
        }
    }
}

/// Halves on two tasks, both pending: the peer does not read.
struct Halves {
    clock: Clock,
    peer: Peer,
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    writer: Task,
    reader: Task,
}

impl Halves {
    fn new(role: Role, version: Version) -> Self {
        let World { socket, peer, clock } = World::new(role, version, quiet(), 100);
        let (sink, stream) = StreamExt::split(socket);
        let mut halves =
            Self { clock, peer, sink, stream, writer: Task::new(), reader: Task::new() };
        let fed = halves.writer.poll(pin!(halves.sink.feed(long())));
        assert!(matches!(fed, Poll::Ready(Ok(()))), "{fed:?}");
        // Each may wake the other once: whoever is woken is polled.
        for _ in 0..3 {
            assert!(halves.poll_flush().is_pending());
            assert!(halves.poll_next().is_pending());
        }
        assert!(halves.poll_flush().is_pending());
        let _ = (halves.writer.wakes(), halves.reader.wakes());
        halves
    }

    fn poll_flush(&mut self) -> Poll<Result<(), Error>> {
        self.writer.poll(pin!(self.sink.flush()))
    }

    fn poll_next(&mut self) -> Poll<Option<Result<Message, Error>>> {
        let stream = &mut self.stream;
        self.reader.poll(pin!(core::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx))))
    }
}

#[test]
fn a_half_that_waits_to_send_is_told_at_once_what_the_other_received() {
    for (role, version) in who_closes() {
        let what = format!("{role:?} {version:?}");
        let mut halves = Halves::new(role, version);
        halves.peer.say([close(version)]);
        assert!(halves.reader.wakes() > 0, "{what}");
        let _ = halves.poll_next();
        assert!(halves.writer.wakes() > 0, "{what}: the writer sleeps on");
        let told = halves.poll_flush();
        assert!(matches!(told, Poll::Ready(Err(Error::Closed))), "{what}: {told:?}");
    }
}

/// What the receiving half says in the end is the peer's Close frame, and no error of the sender's.
#[test]
fn a_half_that_receives_is_told_of_the_peers_close_and_not_of_a_deadline() {
    for (role, version) in who_closes() {
        // The peer reads what is on its way, slowly, or what is needed to end a frame.
        let what = format!("{role:?} {version:?}");
        let mut halves = Halves::new(role, version);
        halves.peer.say([close(version)]);
        let mut ended = None;
        for second in 0..20 {
            let _ = halves.poll_flush();
            if let Poll::Ready(end) = halves.poll_next() {
                ended = Some((second, end));
                break;
            }
            for _ in 0..1_000 {
                halves.peer.step(100);
                let _ = halves.poll_next();
            }
            halves.clock.advance(SECOND);
        }
        let (second, end) = ended.unwrap_or_else(|| panic!("{what}: never ended"));
        assert!(end.is_none(), "{what}: {end:?} after {second} s");
        let socket = halves.stream.reunite(halves.sink).expect("two halves of one");
        let status = socket.close_status().expect("it ended");
        assert_eq!((status.code(), status.reason()), expected(version), "{what}");
    }
}

/// A half whose receiving was cancelled does not watch for anybody else.
#[test]
fn a_cancelled_receive_does_not_keep_the_end_from_who_waits_to_send() {
    for (role, version) in who_closes() {
        for split in [false, true] {
            let what = format!("{role:?} {version:?}, split: {split}");
            let World { mut socket, mut peer, clock } = World::new(role, version, quiet(), 100);
            let told = |second| {
                if second == 3 {
                    peer.say([close(version)]);
                }
            };
            let (writer, reader) = (Task::new(), Task::new());
            let sent = if split {
                let (mut sender, mut receiver) = socket.split();
                assert!(poll_once(&writer, sender.send(long())).is_pending());
                assert!(poll_once(&reader, receiver.recv()).is_pending());
                seconds_until(&clock, 100, sender.flush(), told)
            } else {
                assert!(poll_once(&writer, socket.send(long())).is_pending());
                assert!(poll_once(&reader, socket.recv()).is_pending());
                seconds_until(&clock, 100, socket.flush(), told)
            };
            let (seconds, outcome) = sent.expect("an end");
            assert!(matches!(outcome, Err(Error::Closed)), "{what}: {outcome:?}");
            assert_eq!(seconds, 4, "{what}");
        }
    }
}

/// Whoever takes in what the other waits for tells it, in whichever order they were polled before.
#[test]
fn a_sender_is_woken_when_the_receiver_takes_in_the_close_frame() {
    for (role, version) in who_closes() {
        for behind in [false, true] {
            let what = format!("{role:?} {version:?}, behind a message: {behind}");
            let World { socket, mut peer, .. } = World::new(role, version, quiet(), 100);
            let (mut sender, mut receiver) = socket.split();
            let (writer, reader) = (Task::new(), Task::new());
            let mut sending = pin!(sender.send(long()));
            assert!(poll_once(&reader, receiver.recv()).is_pending());
            assert!(writer.poll(sending.as_mut()).is_pending());
            let before = behind.then(|| Message::text("before")).into_iter();
            peer.say(before.chain([close(version)]));
            if behind {
                assert!(poll_once(&reader, receiver.recv()).is_ready(), "{what}");
                assert!(writer.poll(sending.as_mut()).is_pending(), "{what}");
            }
            let _ = writer.wakes();
            assert!(poll_once(&reader, receiver.recv()).is_pending(), "{what}");
            if behind {
                assert!(writer.wakes() > 0, "{what}: the writer sleeps on");
            }
            let told = writer.poll(sending.as_mut());
            assert!(matches!(told, Poll::Ready(Err(_))), "{what}: {told:?}");
        }
    }
}

/// A sender that only queues keeps no deadline: whoever receives is told that it begins, although the
/// transport, full to the last byte, took nothing.
#[test]
fn what_was_only_queued_keeps_the_write_deadline_of_who_receives() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let fills = wire(role.peer(), version, [Message::text("fills it")]).len();
        let config = quiet().write_timeout(Some(SECOND * 10));
        let World { socket, clock, .. } = World::new(role, version, config, fills);
        let (mut sender, mut receiver) = socket.split();
        let reader = Task::new();
        let mut receiving = pin!(receiver.recv());
        assert!(reader.poll(receiving.as_mut()).is_pending(), "{what}");
        assert!(matches!(poll_once(&Task::new(), sender.send("fills it")), Poll::Ready(Ok(()))));
        // What it was woken for is over, and it waits again.
        assert!(reader.wakes() > 0 && reader.poll(receiving.as_mut()).is_pending(), "{what}");
        // So much is written without being asked for.
        let queued = Message::text("x".repeat(200_000));
        assert!(matches!(poll_once(&Task::new(), sender.feed(queued)), Poll::Ready(Ok(()))));
        let told = (0..3).find_map(|_| {
            clock.advance(SECOND * 6);
            let polled = (reader.wakes() > 0).then(|| reader.poll(receiving.as_mut()))?;
            polled.is_ready().then_some(polled)
        });
        let is_told = matches!(told, Some(Poll::Ready(Err(Error::Timeout(Deadline::Write)))));
        assert!(is_told, "{what}: {told:?}");
    }
}

/// Two ends that pour into their sinks, and of which neither has anybody who receives.
#[test]
fn sinks_without_receivers_do_not_wait_for_each_other() {
    for version in Version::ALL.into_iter().filter(|version| *version > Version::HIXIE_76) {
        let (clock, manners) = (Clock::new(), Manners { capacity: 100, ..Manners::PLAIN });
        let (one, other) = link_both(manners, manners);
        let open = |role, end| {
            let own = connection(role, version, quiet().outbox_limit(1_000));
            WebSocket::new(own, end, clock.timer()).split().0
        };
        let (mut client, mut server) = (open(Role::Client, one), open(Role::Server, other));
        let pour = async |sink: &mut hybi::Sender<_, _>| {
            for _ in 0..10 {
                SinkExt::feed(sink, Message::text("x".repeat(400))).await?;
            }
            SinkExt::<Message>::flush(sink).await?;
            sink.close(CloseCode::NORMAL, "").await
        };
        let both = future::join(pour(&mut client), pour(&mut server));
        let (seconds, outcome) = seconds_until(&clock, 100, both, |_| {}).expect("an end");
        assert_eq!(seconds, 0, "{version:?}: {outcome:?}");
        assert!(matches!(outcome, (Ok(_), Ok(_))), "{version:?}: {outcome:?}");
    }
}
