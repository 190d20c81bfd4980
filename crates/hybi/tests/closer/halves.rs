//! The same for owned halves, whichever of them waits and whichever gave the closer.

use core::pin::pin;

use hybi::{Error, Role, State, Version};

use crate::{
    NARROW, assert_told, restart,
    support::tasks::{Task, run},
    world::{World, everyone, quiet},
};

/// A closer from before the split, from either half, and from after both were put together again.
#[test]
fn every_handle_gives_one() {
    for (role, version) in everyone() {
        for from in 0..4 {
            let what = format!("{role:?} {version:?} {from}");
            let World { mut socket, mut peer, .. } = World::new(role, version, quiet(), usize::MAX);
            let before = socket.closer();
            let (sender, receiver) = socket.split();
            let closer = match from {
                0 => before,
                1 => sender.closer(),
                _ => receiver.closer(),
            };
            let ended = if from == 3 {
                let mut socket = receiver.reunite(sender).expect("both halves");
                restart(&closer);
                run(socket.recv(), || peer.step(usize::MAX))
            } else {
                let mut receiver = receiver;
                restart(&closer);
                run(receiver.recv(), || peer.step(usize::MAX))
            };
            assert!(matches!(ended, Ok(None)), "{what}: {ended:?}");
            peer.step(usize::MAX);
            assert_told(peer.connection.close_status(), version, &what);
            assert!(closer.is_over(), "{what}");
        }
    }
}

/// The receiver waits already when the sender is asked for a closer.
#[test]
fn who_waited_before_there_was_a_closer_is_woken() {
    let World { socket, mut peer, .. } =
        World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let (sender, mut receiver) = socket.split();
    let task = Task::new();
    let mut receiving = pin!(receiver.recv());
    assert!(task.poll(receiving.as_mut()).is_pending());
    let closer = sender.closer();
    while task.wakes() > 0 {
        assert!(task.poll(receiving.as_mut()).is_pending());
    }
    restart(&closer);
    assert_eq!(task.wakes(), 1);
    assert!(matches!(run(receiving, || peer.step(usize::MAX)), Ok(None)));
}

/// Both wait, in tasks of their own: both are told, whoever waited last.
#[test]
fn both_halves_are_told() {
    for last in ["sender", "receiver"] {
        let config = quiet().outbox_limit(NARROW);
        let World { socket, mut peer, .. } =
            World::new(Role::Server, Version::RFC6455, config, NARROW);
        let (mut sender, mut receiver) = socket.split();
        let closer = sender.closer();
        let (writer, reader) = (Task::new(), Task::new());
        let long = "a".repeat(4 * NARROW);
        let mut sending = pin!(async {
            sender.feed(long.as_str()).await?;
            sender.feed("no room for this").await
        });
        let mut receiving = pin!(receiver.recv());
        for _ in 0..2 {
            if last == "sender" {
                assert!(reader.poll(receiving.as_mut()).is_pending());
                assert!(writer.poll(sending.as_mut()).is_pending());
            } else {
                assert!(writer.poll(sending.as_mut()).is_pending());
                assert!(reader.poll(receiving.as_mut()).is_pending());
            }
        }
        let _ = (writer.wakes(), reader.wakes());
        restart(&closer);
        assert!(reader.wakes() > 0, "last was the {last}");
        assert!(reader.poll(receiving.as_mut()).is_pending());
        assert!(writer.wakes() > 0, "last was the {last}");
        let error = run(sending, || {}).expect_err("the end has begun");
        assert!(matches!(error.error(), Error::Closed), "{error}");
        assert!(matches!(run(receiving, || peer.step(NARROW)), Ok(None)), "last was the {last}");
        peer.step(usize::MAX);
        assert_told(peer.connection.close_status(), Version::RFC6455, last);
    }
}

/// Nobody receives any more: who sends closes, and drops what comes.
#[test]
fn a_sender_alone_is_told() {
    let World { socket, mut peer, .. } =
        World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    let (mut sender, receiver) = socket.split();
    let closer = receiver.closer();
    drop(receiver);
    restart(&closer);
    assert!(run(sender.send("the last"), || {}).is_ok());
    let error = run(sender.send("too late"), || {}).expect_err("the end has begun");
    assert!(matches!(error.error(), Error::Closed), "{error}");
    let status = run(sender.close(hybi::CloseCode::NORMAL, ""), || peer.step(usize::MAX));
    assert!(status.expect("in order").is_clean());
    assert_eq!(sender.state(), State::Closed);
    assert_told(peer.connection.close_status(), Version::RFC6455, "alone");
}
