//! What is to leave behind a long message that is being compressed waits for it, and so keeps nobody from
//! their turn: another message, our Close frame (RFC 7692 section 7, RFC 6455 sections 5.5.1 and 7.1).

use core::{pin::pin, slice, task::Poll};
use std::{io::IoSlice, time::Instant};

use futures_util::{SinkExt, StreamExt as _, future::join};
use hybi::{
    CloseCode, CloseStatus, Config, Connection, Deadline, Deflate, Error, Message, Negotiated,
    Prepared, Role, State, Version,
    extension::{DeflateFrame, DeflateStream, Extension},
};

use crate::{
    slices::{DISTINCT, LEN, TURNS, compressed, json, turns_beside, with},
    support::{noise::noise, tasks::Task},
    world::{BOTH, Socket, World, poll_once, quiet, seconds_until},
};

/// How much of a message is compressed at a time.
const SLICE: usize = 64 * 1024;

/// How a message comes behind another.
#[derive(Clone, Copy, Debug)]
enum Sends {
    Send,
    Feed,
    TrySend,
    Permit,
    Sink,
    Prepared,
}

const SENDS: [Sends; 6] =
    [Sends::Send, Sends::Feed, Sends::TrySend, Sends::Permit, Sends::Sink, Sends::Prepared];

async fn send(socket: &mut Socket, sends: Sends, message: Message) -> Result<(), Error> {
    match sends {
        Sends::Send => return Ok(socket.send(message).await?),
        Sends::Feed => socket.feed(message).await?,
        Sends::TrySend => socket.try_send(message)?,
        Sends::Permit => socket.ready().await?.send(message)?,
        Sends::Sink => return SinkExt::send(socket, message).await,
        Sends::Prepared => socket.feed(&Prepared::new(message)).await?,
    }
    socket.flush().await
}

/// A short message, a long one, and again a short one.
fn next_ones() -> [Message; 3] {
    [Message::text("short"), json(7), Message::binary(vec![7; 100])]
}

#[test]
fn a_second_message_waits_for_a_long_one_and_keeps_nobody_from_their_turn() {
    let first = json(DISTINCT);
    for (sends, role) in SENDS.into_iter().zip(BOTH.into_iter().cycle()) {
        let what = format!("{role:?} {sends:?}");
        let mut world = compressed(role, None);
        world.socket.try_send(first.clone()).expect("room");
        let sending = async {
            for message in next_ones() {
                send(&mut world.socket, sends, message).await?;
            }
            Ok::<_, Error>(())
        };
        let (turns, outcome) = turns_beside(sending, || {});
        outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
        // Two are long, and neither is compressed in fewer.
        let least = 3 * LEN / SLICE / 2;
        assert!(turns >= least, "{what}: another task had {turns} turns of {least}");
        world.peer.step(usize::MAX);
        let expected = [slice::from_ref(&first), &next_ones()[..]].concat();
        assert!(world.peer.events == expected, "{what}: {} messages", world.peer.events.len());
    }
}

/// A long message leaves without being asked for, as others do from 64 KiB on, while more is fed behind it.
#[test]
fn feeding_goes_on_with_a_long_message() {
    let first = json(7);
    for (role, sink) in [(Role::Client, false), (Role::Server, true)] {
        let mut world = compressed(role, None);
        let task = Task::new();
        world.socket.try_send(first.clone()).expect("room");
        for _ in 0..2 * LEN / SLICE {
            let fed = if sink {
                poll_once(&task, SinkExt::feed(&mut world.socket, Message::text("behind it")))
            } else {
                poll_once(&task, world.socket.feed("behind it")).map_err(Error::from)
            };
            assert!(matches!(fed, Poll::Ready(Ok(()))), "{role:?}: {fed:?}");
        }
        world.peer.step(usize::MAX);
        assert!(world.peer.events.first() == Some(&first), "{role:?}: it waits for a flush");
    }
}

/// How the end begins while a long message is on its way.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Message,
    Close,
    Forward,
    Sink,
    /// Of an owned half, while the other receives.
    Sender,
    /// The peer's Close frame is answered.
    Answer,
    /// The peer broke a rule, and is told.
    Failure,
}

const ENDS: [Ends; 7] = [
    Ends::Message,
    Ends::Close,
    Ends::Forward,
    Ends::Sink,
    Ends::Sender,
    Ends::Answer,
    Ends::Failure,
];

fn status() -> CloseStatus {
    let (plain, config) = (Negotiated::default(), Config::default());
    let mut connection = Connection::new(Role::Client, plain, config.into());
    connection.queue(Message::Close(None)).expect("open");
    connection.close_status().expect("it ends")
}

/// Ends the connection, up to the end of the transport.
async fn end(mut socket: Socket, ends: Ends) -> Result<(), Error> {
    match ends {
        Ends::Message => socket.send(Message::Close(None)).await?,
        Ends::Close => return socket.close(CloseCode::NORMAL, "").await.map(drop),
        Ends::Forward => return socket.forward_close(&status()).await.map(drop),
        Ends::Sink => SinkExt::<Message>::close(&mut socket).await?,
        Ends::Sender => {
            let (mut sender, mut receiver) = socket.split();
            let (closed, received) =
                join(sender.close(CloseCode::NORMAL, ""), receiver.recv()).await;
            return closed.and(received).map(drop);
        }
        Ends::Answer | Ends::Failure => {}
    }
    while socket.next().await.transpose()?.is_some() {}
    Ok(())
}

/// What compresses whole messages, frames, and all that is sent.
fn extensions() -> [(Version, Box<dyn Extension>); 3] {
    let deflate = Deflate::default();
    [
        (Version::RFC6455, Box::new(deflate)),
        (Version::RFC6455, Box::new(DeflateFrame::new(deflate))),
        (Version::HYBI_08, Box::new(DeflateStream::new(deflate))),
    ]
}

#[test]
fn a_close_frame_waits_for_a_long_message_and_keeps_nobody_from_their_turn() {
    let (first, second) = (json(DISTINCT), Message::text("behind it"));
    let extensions = extensions();
    let all = extensions.iter().flat_map(|extension| ENDS.map(|ends| (extension, ends)));
    for (((version, extension), ends), role) in all.zip(BOTH.into_iter().cycle()) {
        // Of a stream that makes no sense, nothing can be told.
        if extension.offers()[0].name() == "deflate-stream" && matches!(ends, Ends::Failure) {
            continue;
        }
        let what = format!("{role:?} {ends:?} {}", extension.offers()[0]);
        let World { mut socket, mut peer, .. } = with(&**extension, *version, role, None);
        socket.try_send(first.clone()).expect("room");
        socket.try_send(second.clone()).expect("room");
        match ends {
            Ends::Answer => peer.say([Message::Close(None)]),
            Ends::Failure if role == Role::Server => peer.far.put(b"\x83\x80\0\0\0\0"),
            Ends::Failure => peer.far.put(b"\x83\0"),
            _ => {}
        }
        let (task, mut ending) = (Task::new(), pin!(end(socket, ends)));
        let (mut turns, mut waits) = (0, 0);
        let outcome = loop {
            if let Poll::Ready(outcome) = task.poll(ending.as_mut()) {
                break outcome;
            }
            // It waits for the peer, which reads what is there then.
            if task.wakes() == 0 {
                waits += 1;
                assert!(waits < 10, "{what}: it waits for nothing");
                peer.step(usize::MAX);
            } else {
                turns += 1;
                assert!(turns < 10_000, "{what}: it never waits");
            }
        };
        assert!(turns >= TURNS, "{what}: another task had {turns} turns");
        match ends {
            Ends::Failure => assert!(matches!(outcome, Err(Error::Protocol(_))), "{what}"),
            _ => outcome.unwrap_or_else(|error| panic!("{what}: {error}")),
        }
        peer.step(usize::MAX);
        let [one, other, Message::Close(_)] = &peer.events[..] else {
            panic!("{what}: {} events", peer.events.len());
        };
        assert!((one, other) == (&first, &second), "{what}");
    }
}

/// Without I/O: queueing encodes nothing of a long message, and each call to transmit little of it.
#[test]
fn no_call_of_a_connection_without_io_encodes_a_long_message_to_its_end() {
    let first = json(DISTINCT);
    for (version, extension) in extensions() {
        for role in BOTH {
            let what = format!("{role:?} {}", extension.offers()[0]);
            let [mut own, mut peer] = both(version, &*extension, role);
            let mut waits = 0;
            for message in [first.clone()].into_iter().chain(next_ones()) {
                waits += message.len();
                own.queue(message).expect("open");
                assert!(own.queued_bytes() >= waits, "{what}: {} bytes", own.queued_bytes());
            }
            own.queue(Message::Close(None)).expect("open");
            assert!(own.queued_bytes() > waits, "{what}: the Close frame");
            assert!(
                matches!(own.queue("late"), Err(error) if matches!(error.error(), Error::Closed))
            );
            let (calls, events) = transmit(&mut own, &mut peer);
            assert!(calls >= 2 * TURNS, "{what}: in {calls} calls");
            let [messages @ .., Message::Close(None)] = &events[..] else {
                panic!("{what}: {} events", events.len());
            };
            assert!(*messages == [slice::from_ref(&first), &next_ones()[..]].concat(), "{what}");
            assert_eq!((own.state(), own.queued_bytes()), (State::Closing, 0), "{what}");
        }
    }
}

fn both(version: Version, extension: &dyn Extension, role: Role) -> [Connection; 2] {
    let make = |role| {
        let agreed = extension.accept(&extension.offers()[0]).expect("acceptable");
        let negotiated = Negotiated::new(version, None, vec![agreed]);
        Connection::new(role, negotiated, quiet().into())
    };
    [make(role), make(role.peer())]
}

/// What a loop does that waits for the deadline, and for nothing if that has come; gives the calls and
/// what the peer got.
fn transmit(own: &mut Connection, peer: &mut Connection) -> (usize, Vec<Message>) {
    let (now, mut calls, mut events) = (Instant::now(), 0, Vec::new());
    loop {
        let mut slices = [IoSlice::new(&[]); 4];
        let count = own.poll_transmit(&mut slices);
        calls += 1;
        let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        own.transmitted(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let (consumed, event) = peer.handle_input(&mut bytes[at..]);
            at += consumed;
            events.extend(event.map(Message::from));
        }
        if count == 0 {
            if own.poll_timeout(|| now).is_none_or(|deadline| deadline > now) {
                return (calls, events);
            }
            own.handle_timeout(now);
        }
    }
}

/// What is one stream is passed by nothing: a ping waits for the frame, and no call is long for it.
#[test]
fn a_ping_behind_a_frame_of_a_stream_keeps_nobody_from_their_turn() {
    let (first, stream) = (json(DISTINCT), DeflateStream::new(Deflate::default()));
    for role in BOTH {
        let mut world = with(&stream, Version::HYBI_08, role, None);
        world.socket.try_send(first.clone()).expect("room");
        let task = Task::new();
        // In the middle of it.
        (0..5).for_each(|_| assert!(poll_once(&task, world.socket.flush()).is_pending()));
        let pings = ["one", "two"].map(|text| Message::Ping(text.into()));
        pings.iter().for_each(|ping| world.socket.try_send(ping.clone()).expect("room"));
        let (turns, outcome) = turns_beside(world.socket.flush(), || {});
        outcome.expect("open");
        assert!(turns >= TURNS, "{role:?}: another task had {turns} turns");
        world.peer.step(usize::MAX);
        assert!(world.peer.events == [slice::from_ref(&first), &pings[..]].concat(), "{role:?}");
    }
}

/// What waits is bounded as all that is queued, the shortest as well.
#[test]
fn what_waits_behind_a_long_message_counts_as_queued() {
    for role in BOTH {
        let [mut own, _] = both(Version::RFC6455, &Deflate::default(), role);
        own.queue(Message::binary(noise(200_000, 1))).expect("open");
        let full = (0..1_000_000).find(|_| {
            own.queue("").expect("open");
            !own.has_room_for(0)
        });
        assert!(full.is_some(), "{role:?}: no end of empty messages");
    }
}

/// The end has its bound, whatever waits behind what; and all of it counts as discarded.
#[test]
fn the_deadlines_hold_for_what_waits_behind_a_long_message() {
    for role in BOTH {
        let [own, peer] = both(Version::RFC6455, &Deflate::default(), role);
        let World { mut socket, clock, peer: _peer } = World::between(own, peer, 1_000);
        for _ in 0..2 {
            socket.try_send(Message::binary(noise(200_000, 1))).expect("room");
        }
        let closing = socket.close(CloseCode::NORMAL, "");
        let (seconds, outcome) = seconds_until(&clock, 100, closing, |_| {}).expect("an end");
        assert!(matches!(outcome, Err(Error::Timeout(Deadline::Write))), "{role:?}: {outcome:?}");
        assert!((29..=32).contains(&seconds), "{role:?}: {seconds} s");
        let status = socket.close_status().expect("it ended");
        assert_eq!(status.sent(), None, "{role:?}: the Close frame never left");
    }
}
