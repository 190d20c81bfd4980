//! Closing a connection that somebody else has (RFC 6455 section 7.1.2): whatever its task does at that moment,
//! in every version and both roles.

#[path = "../support/mod.rs"]
mod support;
#[path = "../faults/world.rs"]
mod world;

mod halves;

use core::{iter, pin::pin, task::Poll, time::Duration};
use std::sync::Arc;

use hybi::{
    CloseCode, CloseStatus, Closer, Deadline, Endpoint, Error, Message, Role, State, Version,
};

use support::{
    tasks::{Task, run},
    ways::Receives,
};
use world::{SECOND, World, everyone, poll_once, quiet, seconds_until};

/// How many bytes of ours may be on their way where sending is to block.
const NARROW: usize = 64;

fn restart(closer: &Closer) {
    closer.close(CloseCode::SERVICE_RESTART, "new version").expect("a code for both roles");
}

/// What the peer has to see of it: the code, or none in versions that have none.
fn assert_told(status: Option<CloseStatus>, version: Version, what: &str) {
    let status = status.unwrap_or_else(|| panic!("{what}: the peer was not told"));
    let expected = match version {
        // The Close frames of those before hybi-06 say nothing.
        version if version < Version::HYBI_06 => (CloseCode::NO_STATUS, ""),
        version if version < Version::RFC6455 => (CloseCode::GOING_AWAY, "new version"),
        _ => (CloseCode::SERVICE_RESTART, "new version"),
    };
    assert_eq!((status.code(), status.reason()), expected, "{what}");
    assert_eq!(status.began_by(), Some(Endpoint::Peer), "{what}");
}

fn assert_in_order(world: &mut World, version: Version, what: &str) {
    world.peer.step(usize::MAX);
    assert_told(world.peer.connection.close_status(), version, what);
    let own = world.socket.close_status().expect("it is over");
    assert!(own.is_clean() && own.began_by() == Some(Endpoint::Local), "{what}: {own:?}");
}

#[test]
fn a_task_that_waits_for_a_message_is_woken_and_closes() {
    for (role, version) in everyone() {
        for receives in Receives::ALL {
            let what = format!("{role:?} {version:?} {receives:?}");
            let mut world = World::new(role, version, quiet(), usize::MAX);
            let closer = world.socket.closer();
            let task = Task::new();
            {
                let mut receiving = pin!(receives.next(&mut world.socket));
                assert!(task.poll(receiving.as_mut()).is_pending(), "{what}");
                assert_eq!(task.wakes(), 0, "{what}");
                restart(&closer);
                assert_eq!(task.wakes(), 1, "{what}");
                assert!(task.poll(receiving.as_mut()).is_pending(), "{what}");
                assert!(!closer.is_over(), "{what}");
                let ended = run(receiving, || world.peer.step(usize::MAX));
                assert!(matches!(ended, Ok(None)), "{what}: {ended:?}");
            }
            assert_in_order(&mut world, version, &what);
            assert!(closer.is_over(), "{what}");
        }
    }
}

/// The future in which it was waited is gone, as after a `select`. The task is woken all the same, and what
/// it does next with the connection closes it.
#[test]
fn a_future_that_was_dropped_takes_nothing_along() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let closer = world.socket.closer();
    let task = Task::new();
    assert!(poll_once(&task, world.socket.recv()).is_pending());
    restart(&closer);
    assert_eq!(task.wakes(), 1);
    for _ in 0..3 {
        assert!(poll_once(&task, world.socket.recv()).is_pending());
    }
    assert!(matches!(run(world.socket.recv(), || world.peer.step(usize::MAX)), Ok(None)));
    assert_in_order(&mut world, Version::RFC6455, "after three futures");
}

/// Nobody polls: nothing leaves until somebody does.
#[test]
fn who_uses_the_connection_later_closes_then() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let mut world = World::new(role, version, quiet(), usize::MAX);
        restart(&world.socket.closer());
        world.peer.step(usize::MAX);
        assert_eq!(world.peer.connection.state(), State::Open, "{what}");
        let ended = run(world.socket.recv(), || world.peer.step(usize::MAX));
        assert!(matches!(ended, Ok(None)), "{what}: {ended:?}");
        assert_in_order(&mut world, version, &what);
    }
}

/// A peer that sends without a pause, of which each read brings several messages: what was taken is answered
/// to the last, and then comes the end.
#[test]
fn an_echo_at_work_finishes_what_it_has_in_hand() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let mut world = World::new(role, version, quiet(), usize::MAX);
        let closer = world.socket.closer();
        let (socket, peer) = (&mut world.socket, &mut world.peer);
        let mut sent = 0;
        let mut burst = |peer: &mut support::peer::Peer| {
            if peer.connection.state() == State::Open {
                peer.say((sent..sent + 5).map(|n| Message::text(n.to_string())));
                sent += 5;
            }
            peer.step(usize::MAX);
        };
        burst(peer);
        let mut taken = 0;
        let echo = async {
            while let Some(message) = socket.recv().await? {
                taken += 1;
                if taken == 12 {
                    restart(&closer);
                }
                // Whatever was handed out can be answered.
                socket.send(message).await?;
            }
            Ok::<_, Error>(())
        };
        let ended = run(echo, || burst(peer));
        assert!(ended.is_ok(), "{what}: {ended:?}");
        let echoed = peer.events.iter().filter(|message| message.is_data()).count();
        assert_eq!((echoed, taken), (taken, taken), "{what}");
        assert!(taken >= 12, "{what}: {taken}");
        assert_in_order(&mut world, version, &what);
    }
}

/// The same where the peer reads slowly, so that sending is blocked when the end is asked for.
#[test]
fn an_echo_that_is_blocked_sends_all_of_it_first() {
    let config = quiet().outbox_limit(NARROW).write_timeout(None);
    let mut world = World::new(Role::Server, Version::RFC6455, config, NARROW);
    let closer = world.socket.closer();
    world.peer.say((0..20).map(|n| Message::text(format!("{n:04}").repeat(10))));
    let (socket, peer) = (&mut world.socket, &mut world.peer);
    let echo = async {
        while let Some(message) = socket.recv().await? {
            socket.feed(message).await?;
        }
        Ok::<_, Error>(())
    };
    let ended = seconds_until(&world.clock, 120, echo, |second| {
        if second == 0 {
            restart(&closer);
        }
        // Slower than what a sender is given before it counts as one that only sends.
        if second % 3 == 2 {
            peer.step(NARROW);
        }
    });
    let (_, ended) = ended.expect("an end");
    assert!(ended.is_ok(), "{ended:?}");
    assert_eq!(peer.events.iter().filter(|message| message.is_data()).count(), 20);
    assert_in_order(&mut world, Version::RFC6455, "slow");
}

/// Somebody who never receives, and waits for room: the message comes back, and what was queued before leaves in
/// front of the Close frame.
#[test]
fn a_send_that_is_blocked_gives_its_message_back() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let config = quiet().outbox_limit(NARROW);
        let mut world = World::new(role, version, config, NARROW);
        let closer = world.socket.closer();
        let (first, second) = ("a".repeat(4 * NARROW), Message::text("b"));
        let task = Task::new();
        assert!(poll_once(&task, world.socket.send(first.as_str())).is_pending(), "{what}");
        {
            let mut sending = pin!(world.socket.send(second.clone()));
            assert!(task.poll(sending.as_mut()).is_pending(), "{what}");
            let _ = task.wakes();
            restart(&closer);
            assert_eq!(task.wakes(), 1, "{what}");
            let Poll::Ready(Err(error)) = task.poll(sending.as_mut()) else {
                panic!("{what}: it waits for room that is of no use");
            };
            assert!(matches!(error.error(), Error::Closed), "{what}: {error}");
            assert_eq!(error.into_message(), Some(second), "{what}");
        }
        let ended = run(world.socket.recv(), || world.peer.step(NARROW));
        assert!(matches!(ended, Ok(None)), "{what}: {ended:?}");
        assert_eq!(world.peer.events[0], Message::text(first), "{what}");
        assert_in_order(&mut world, version, &what);
    }
}

/// A subscription: one message received, and then only sent. It learns of the end when it can no longer be
/// answering that message.
#[test]
fn a_task_that_only_sends_learns_of_it() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let mut world = World::new(role, version, quiet(), usize::MAX);
        let closer = world.socket.closer();
        world.peer.say([Message::text("subscribe")]);
        assert!(run(world.socket.recv(), || {}).is_ok(), "{what}");
        restart(&closer);
        let mut ticks = 0;
        let error = loop {
            match run(world.socket.send("tick"), || {}) {
                Ok(()) => ticks += 1,
                Err(error) => break error,
            }
            assert!(ticks < 10, "{what}: it never learns");
            world.clock.advance(SECOND / 4);
        };
        assert!(matches!(error.error(), Error::Closed), "{what}: {error}");
        assert!(ticks >= 5, "{what}: only {ticks} messages in the first second");
        let ended = run(world.socket.recv(), || world.peer.step(usize::MAX));
        assert!(matches!(ended, Ok(None)), "{what}: {ended:?}");
        let heard = world.peer.events.iter().filter(|message| message.is_data()).count();
        assert_eq!(heard, ticks, "{what}");
        assert_in_order(&mut world, version, &what);
    }
}

/// Two answers to one message: both leave.
#[test]
fn a_message_in_hand_may_be_answered_twice() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let closer = world.socket.closer();
    world.peer.say([Message::text("twice")]);
    let (socket, peer) = (&mut world.socket, &mut world.peer);
    let twice = async {
        while let Some(message) = socket.recv().await? {
            restart(&closer);
            socket.send(message.clone()).await?;
            socket.send(message).await?;
        }
        Ok::<_, Error>(())
    };
    let ended = run(twice, || peer.step(usize::MAX));
    assert!(ended.is_ok(), "{ended:?}");
    let expected: Vec<_> = iter::repeat_n(Message::text("twice"), 2).collect();
    let heard: Vec<_> = peer.events.drain(..).filter(Message::is_data).collect();
    assert_eq!(heard, expected);
    assert_in_order(&mut world, Version::RFC6455, "twice");
}

/// A message that is read in pieces is read to its end.
#[test]
fn a_message_in_pieces_is_read_on() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let closer = world.socket.closer();
    let wire = world::wire(Role::Server, Version::RFC6455, [Message::text("x".repeat(3000))]);
    let (first, rest) = wire.split_at(1000);
    world.peer.far.put(first);
    let (socket, peer) = (&mut world.socket, &mut world.peer);
    let reading = async {
        let mut reader = socket.recv_reader().await?.expect("a message has begun");
        restart(&closer);
        let mut len = 0;
        while let Some(piece) = reader.next_piece().await? {
            len += piece.len();
        }
        Ok::<_, Error>(len)
    };
    let mut rest = Some(rest);
    let read = run(reading, || {
        // The peer's answer stands behind the message.
        match rest.take() {
            Some(rest) => peer.far.put(rest),
            None => peer.step(usize::MAX),
        }
    });
    assert_eq!(read.expect("whole"), 3000);
    let ended = run(world.socket.recv(), || world.peer.step(usize::MAX));
    assert!(matches!(ended, Ok(None)), "{ended:?}");
    assert_in_order(&mut world, Version::RFC6455, "in pieces");
}

/// The first word counts, and none does after the end.
#[test]
fn only_the_first_call_counts() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let closer = world.socket.closer();
    restart(&closer);
    closer.clone().close(CloseCode::GOING_AWAY, "the second").expect("a code for servers");
    assert!(poll_once(&Task::new(), world.socket.recv()).is_pending());
    world.socket.closer().close(CloseCode::GOING_AWAY, "the third").expect("a code for servers");
    assert!(matches!(run(world.socket.recv(), || world.peer.step(usize::MAX)), Ok(None)));
    assert_in_order(&mut world, Version::RFC6455, "thrice");
    for closer in [closer, world.socket.closer()] {
        assert!(closer.is_over());
        restart(&closer);
    }
    assert!(matches!(run(world.socket.recv(), || {}), Ok(None)));
}

/// The peer's own Close frame is answered as it says, whoever asks for another.
#[test]
fn a_close_frame_of_the_peer_comes_first() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let closer = world.socket.closer();
    world.peer.say([Message::Close(None)]);
    assert!(poll_once(&Task::new(), world.socket.recv()).is_pending());
    restart(&closer);
    assert!(matches!(run(world.socket.recv(), || world.peer.step(usize::MAX)), Ok(None)));
    let status = world.socket.close_status().expect("it is over");
    assert_eq!((status.began_by(), status.is_clean()), (Some(Endpoint::Peer), true));
}

#[test]
fn what_cannot_be_sent_is_not_asked_for() {
    for role in world::BOTH {
        let mut world = World::new(role, Version::RFC6455, quiet(), usize::MAX);
        let closer = world.socket.closer();
        let long = "x".repeat(124);
        let refused = [(CloseCode::ABNORMAL, ""), (CloseCode::NORMAL, long.as_str())];
        for (code, reason) in refused {
            let error = closer.close(code, reason).expect_err("it may not be sent");
            assert!(matches!(error, Error::CloseFrame(_)), "{role:?}: {error}");
        }
        assert!(poll_once(&Task::new(), world.socket.recv()).is_pending());
        assert_eq!(world.socket.state(), State::Open, "{role:?}");
        restart(&closer);
        assert!(matches!(run(world.socket.recv(), || world.peer.step(usize::MAX)), Ok(None)));
    }
}

/// A peer that does not answer is waited for no longer than if `close` had been called.
#[test]
fn a_silent_peer_is_a_deadline() {
    let config = quiet().close_timeout(5 * SECOND);
    let mut world = World::new(Role::Server, Version::RFC6455, config, usize::MAX);
    let closer = world.socket.closer();
    let (seconds, ended) = seconds_until(&world.clock, 60, world.socket.recv(), |second| {
        if second == 2 {
            restart(&closer);
        }
    })
    .expect("an end");
    assert!(matches!(ended, Err(Error::Timeout(Deadline::Close))), "{ended:?}");
    assert_eq!(Duration::from_secs(seconds.into()), Duration::from_secs(3 + 5));
    assert!(closer.is_over());
}

/// A closer keeps neither the connection nor its task.
#[test]
fn a_connection_that_was_dropped_is_over() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let closer = world.socket.closer();
    let held = Arc::new(());
    let waker = Arc::new(Holding(held.clone())).into();
    let mut cx = core::task::Context::from_waker(&waker);
    assert!(pin!(world.socket.recv()).poll(&mut cx).is_pending());
    drop(waker);
    assert!(!closer.is_over());
    drop(world);
    assert!(closer.is_over());
    assert_eq!(Arc::strong_count(&held), 1, "the task of a connection that is gone");
    restart(&closer);
}

/// A waker that holds something, as those of tasks do.
struct Holding(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl std::task::Wake for Holding {
    fn wake(self: Arc<Self>) {}
}
