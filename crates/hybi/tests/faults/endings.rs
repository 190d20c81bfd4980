//! The end takes as long as what was queued takes to leave, within one bound; and nothing that was
//! discarded is kept silent about (RFC 6455 section 7.1).

use futures_util::{SinkExt, StreamExt as _};
use hybi::{CloseCode, Error, Message, Role, Version};

use crate::{
    support::{peer::Peer, tasks::run},
    world::{BOTH, SECOND, Socket, World, connection, everyone, quiet, seconds_until, wire},
};

/// The longest that an end may take by default, and a moment for what happens around it.
const END: u32 = 30 + 2;

/// Who ends the connection, and how.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Close,
    Sink,
    Message,
    Peer,
}

const ENDINGS: [Ending; 4] = [Ending::Close, Ending::Sink, Ending::Message, Ending::Peer];

fn megabyte() -> Message {
    Message::text("x".repeat(1_000_000))
}

async fn end(socket: &mut Socket, ending: Ending) -> Result<(), Error> {
    match ending {
        Ending::Close => socket.close(CloseCode::NORMAL, "").await.map(drop)?,
        Ending::Sink => SinkExt::<Message>::close(&mut *socket).await?,
        Ending::Message => socket.send(Message::Close(None)).await?,
        Ending::Peer => {}
    }
    while socket.next().await.transpose()?.is_some() {}
    Ok(())
}

/// A megabyte is queued and the end begins; the peer reads some bytes a second. Gives the seconds
/// until the end and its outcome.
fn ends(world: &mut World, ending: Ending, a_second: usize) -> (u32, Result<(), Error>) {
    world.socket.try_send(megabyte()).expect("room");
    if matches!(ending, Ending::Peer) {
        world.peer.say([Message::Close(None)]);
    }
    let World { socket, peer, clock } = world;
    let ended = seconds_until(clock, 600, end(socket, ending), |_| peer.step(a_second));
    (0..3).for_each(|_| peer.step(usize::MAX));
    ended.expect("an end")
}

fn has_closed(peer: &Peer) -> bool {
    matches!(peer.events.last(), Some(Message::Close(_)))
}

#[test]
fn all_that_was_queued_arrives_at_a_slow_reader_and_then_the_close_frame() {
    for (role, version) in everyone() {
        for ending in ENDINGS {
            // There, the peer's end of the transport would be its Close frame, and it ends when
            // it has seen ours.
            if version == Version::HIXIE_75 && matches!(ending, Ending::Peer) {
                continue;
            }
            let what = format!("{role:?} {version:?} {ending:?}");
            let mut world = World::new(role, version, quiet(), 100_000);
            let (seconds, outcome) = ends(&mut world, ending, 100_000);
            outcome.unwrap_or_else(|error| panic!("{what}: {error} after {seconds} s"));
            assert!((9..15).contains(&seconds), "{what}: {seconds} s");
            assert!(world.peer.events.first() == Some(&megabyte()), "{what}: cut off");
            assert!(
                version == Version::HIXIE_75 || has_closed(&world.peer),
                "{what}: no Close frame"
            );
            let status = world.socket.close_status().expect("it ended");
            assert!(status.is_clean(), "{what}: {status:?}");
        }
    }
}

/// A failure is told as an end in order is.
#[test]
fn the_reason_of_a_failure_arrives_at_a_slow_reader() {
    for role in BOTH {
        let mut world = World::new(role, Version::RFC6455, quiet(), 100_000);
        world.socket.try_send(megabyte()).expect("room");
        let reserved = if role == Role::Server { &b"\x83\x80\0\0\0\0"[..] } else { b"\x83\0" };
        world.peer.far.put(reserved);
        let World { socket, peer, clock } = &mut world;
        let ended = seconds_until(clock, 600, socket.recv(), |_| peer.step(100_000));
        let (seconds, outcome) = ended.expect("an end");
        assert!(matches!(outcome, Err(Error::Protocol(_))), "{role:?}: {outcome:?}");
        (0..3).for_each(|_| peer.step(usize::MAX));
        let Some(Message::Close(Some(frame))) = peer.events.last() else {
            panic!("{role:?}: no Close frame after {seconds} s: {} events", peer.events.len())
        };
        assert_eq!(frame.code(), CloseCode::PROTOCOL_ERROR, "{role:?}");
    }
}

/// The time for the peer's Close frame begins when ours has left, and not before.
#[test]
fn the_time_to_answer_begins_when_our_close_frame_has_left() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        for ending in [Ending::Close, Ending::Sink, Ending::Message] {
            let what = format!("{role:?} {version:?} {ending:?}");
            let mut world = World::new(role, version, quiet().close_timeout(SECOND * 5), 100_000);
            world.socket.try_send(megabyte()).expect("room");
            let World { socket, peer, clock } = &mut world;
            let (mut left, mut second_of_close) = (1_000_000, 0);
            // It reads all there is, and answers nothing.
            let ended = seconds_until(clock, 600, end(socket, ending), |second| {
                let taken = peer.far.take(100_000).len();
                if taken > 0 {
                    left -= taken.min(left);
                    second_of_close = second;
                }
            });
            let (seconds, outcome) = ended.expect("an end");
            let error = outcome.expect_err("no answer came");
            assert!(error.is_timeout(), "{what}: {error}");
            assert_eq!(left, 0, "{what}: cut off after {seconds} s");
            let waited = seconds - second_of_close;
            assert!((4..=6).contains(&waited), "{what}: waited for {waited} s");
        }
    }
}

/// What cannot leave in time is discarded, and whoever ends the connection learns of it.
#[test]
fn what_was_discarded_is_told() {
    for (role, version) in everyone() {
        // Nothing is read at all, or a tenth of what would have to be.
        for a_second in [0, 3_000] {
            let what = format!("{role:?} {version:?} {a_second} B/s");
            let mut world = World::new(role, version, quiet(), 3_000);
            world.socket.try_send(megabyte()).expect("room");
            let World { socket, peer, clock } = &mut world;
            let close = socket.close(CloseCode::NORMAL, "");
            let ended = seconds_until(clock, 600, close, |_| drop(peer.far.take(a_second)));
            let (seconds, outcome) = ended.expect("an end");
            assert!(seconds <= END, "{what}: {seconds} s");
            match outcome {
                Err(error) => assert!(error.is_timeout(), "{what}: {error}"),
                Ok(status) => {
                    assert!(!status.is_clean(), "{what}: {status:?}");
                    assert_eq!(status.sent(), None, "{what}: the Close frame never left");
                }
            }
        }
    }
}

/// A peer that reads slowly is not cut off while it makes progress, up to the bound of the end.
#[test]
fn progress_puts_the_end_off_up_to_its_bound() {
    for role in BOTH {
        for ending in ENDINGS {
            let mut world = World::new(role, Version::RFC6455, quiet(), 10_000);
            let (seconds, outcome) = ends(&mut world, ending, 10_000);
            let what = format!("{role:?} {ending:?}: {outcome:?} after {seconds} s");
            assert!((25..=END).contains(&seconds), "{what}");
        }
    }
}

/// How a connection comes to an error.
#[derive(Clone, Copy, Debug)]
enum Failing {
    Violation,
    Lost,
    Silence,
    Unread,
}

/// After an error, every call says the same: `close` as well.
#[test]
fn closing_after_an_error_says_the_error() {
    for (role, version) in everyone() {
        for failing in [Failing::Violation, Failing::Lost, Failing::Silence, Failing::Unread] {
            let what = format!("{role:?} {version:?} {failing:?}");
            let config = quiet().idle_timeout(Some(SECOND * 60));
            let mut world = World::new(role, version, config, 1_000);
            match failing {
                Failing::Violation => world.peer.far.put(&[0xff; 20]),
                // In hixie-75 the end is an orderly one unless it is in the middle of a message.
                Failing::Lost => {
                    let message = wire(role, version, [Message::text("cut off")]);
                    world.peer.far.put(&message[..message.len() - 1]);
                    world.peer.far.end();
                }
                Failing::Silence => {}
                Failing::Unread => world.socket.try_send(megabyte()).expect("room"),
            }
            let World { socket, clock, .. } = &mut world;
            let (_, failed) = seconds_until(clock, 600, socket.recv(), |_| {}).expect("an end");
            let error = failed.expect_err("an error").to_string();
            for code in [CloseCode::NORMAL, CloseCode::GOING_AWAY] {
                if version < Version::HYBI_06 && code != CloseCode::NORMAL {
                    continue;
                }
                let closed = run(world.socket.close(code, ""), || {});
                let closed = closed.map_err(|error| error.to_string());
                assert_eq!(closed, Err(error.clone()), "{what}");
            }
            let again = run(world.socket.recv(), || {}).expect_err("it stays");
            assert_eq!(again.to_string(), error, "{what}");
        }
    }
}

/// What comes behind the peer's Close frame is discarded, up to a bound. Our answer leaves in any case, also if
/// the bound comes before anybody asked for it.
#[test]
fn a_flood_behind_the_peers_close_does_not_keep_the_answer() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        for len in [1_000_000, 1_100_000, 2_000_000] {
            let mut flood = wire(role, version, [Message::Close(None)]);
            flood.resize(flood.len() + len, 0);
            let mut own = connection(role, version, quiet());
            let mut at = 0;
            while at < flood.len() {
                let end = flood.len().min(at + 50_000);
                at += own.handle_input(&mut flood[at..end]).0;
            }
            let what = format!("{role:?} {version:?}, {len} bytes: {own:?}");
            let mut answer = own.transmit_to_vec();
            assert!(!answer.is_empty(), "{what}: no answer");
            let mut peer = connection(role.peer(), version, quiet());
            peer.queue(Message::Close(None)).expect("open");
            let _ = peer.transmit_to_vec();
            let (_, event) = peer.handle_input(&mut answer);
            assert!(matches!(event, Some(hybi::Event::Close(_))), "{what}: {event:?}");
            let status = own.close_status().expect("it ends");
            assert!(status.is_clean() && own.error().is_none(), "{what}: {status:?}");
        }
    }
}
