//! `within`: a deadline beside a future takes nothing from it.

use core::{pin::pin, task::Poll, time::Duration};

use hybi::{
    Client, Config, Deadline, Error, Message, Role, Server,
    io::Timer,
    opening::{connect_on, incoming_on, within},
};

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::Task,
    },
    world::{Drops, MANNERS, World, binary},
};

const SECOND: Duration = Duration::from_secs(1);

/// An application that receives with a deadline of its own, and is always too impatient.
#[test]
fn deadlines_that_keep_passing_lose_no_input() {
    let sent: Vec<_> = (0..8).map(|number| binary(number * 40)).collect();
    for role in [Role::Client, Role::Server] {
        for manners in MANNERS {
            let mut world = World::new(role, Config::default(), manners, Drops::Never);
            sent.iter().for_each(|message| world.peer.queue(message.clone()));
            let clock = Clock::new();
            let mut timer = clock.timer();
            let task = Task::new();
            let (mut received, mut passed) = (Vec::new(), 0);
            while received.len() < sent.len() {
                let deadline = timer.now() + SECOND;
                let mut future = pin!(within(&mut timer, deadline, world.socket.recv()));
                loop {
                    match task.poll(future.as_mut()) {
                        Poll::Ready(Some(message)) => {
                            received.extend(message.expect("open"));
                            break;
                        }
                        Poll::Ready(None) => {
                            passed += 1;
                            break;
                        }
                        Poll::Pending => {
                            assert!(passed < 100_000, "no progress");
                            clock.advance(SECOND);
                            assert!(task.wakes() > 0);
                            world.peer.step(16);
                        }
                    }
                }
            }
            assert!(received == sent, "{role:?} {manners:?}");
            let obliging = manners.read == usize::MAX;
            assert!(obliging || passed > 2, "{role:?} {manners:?}: {passed} were interrupted");
        }
    }
}

/// Input that is there when the deadline passes comes first.
#[test]
fn an_answer_at_the_last_moment_counts() {
    for answered in [true, false] {
        let (end, far) = link(Manners::PLAIN);
        let clock = Clock::new();
        let (client, uri) = (Client::default(), "ws://example.org/");
        let deadline = clock.now() + SECOND * 10;
        let mut future = pin!(connect_on(&client, uri, end, clock.timer(), deadline));
        let task = Task::new();
        assert!(task.poll(future.as_mut()).is_pending());
        assert!(far.take(usize::MAX).starts_with(b"GET / HTTP/1.1\r\n"));
        clock.advance(SECOND * 10);
        assert!(task.wakes() > 0, "woken at the deadline");
        if answered {
            far.put(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
        let Poll::Ready(Err(error)) = task.poll(future.as_mut()) else { panic!("an error") };
        match error {
            Error::Handshake(_) => assert!(answered, "{error}"),
            Error::Timeout(Deadline::Handshake) => assert!(!answered),
            other => panic!("{other}"),
        }
        assert!(far.sees_drop());
    }
}

/// A request that trickles in ends at the deadline, with an answer and in order.
#[test]
fn a_request_that_never_ends_is_answered_at_the_deadline() {
    let (end, far) = link(Manners::PLAIN);
    let clock = Clock::new();
    let config = Config::default().handshake_timeout(SECOND * 10);
    let server = Server::builder().config(config).build();
    let deadline = server.config().handshake_deadline(clock.now());
    let mut future = pin!(incoming_on(&server, end, clock.timer(), deadline));
    let task = Task::new();
    for byte in b"GET / HTT" {
        far.put(&[*byte]);
        assert!(task.poll(future.as_mut()).is_pending());
        clock.advance(SECOND);
        assert!(far.take(100).is_empty());
    }
    clock.advance(SECOND);
    assert!(task.wakes() > 0);
    assert!(task.poll(future.as_mut()).is_pending(), "the peer has a moment to read the answer");
    assert!(far.take(1_000).starts_with(b"HTTP/1.1 408 "));
    assert!(far.sees_end() && !far.sees_drop());
    far.end();
    let Poll::Ready(Err(error)) = task.poll(future.as_mut()) else { panic!("an error") };
    assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
    assert!(far.sees_drop());
}

/// Nothing that was sent is lost by deadlines either.
#[test]
fn deadlines_beside_a_flush_lose_no_output() {
    for manners in MANNERS {
        let mut world = World::new(Role::Server, Config::default(), manners, Drops::Never);
        let sent: Vec<_> = (0..8).map(|number| binary(number * 40)).collect();
        for message in &sent {
            world.socket.try_send(message.clone()).expect("room");
        }
        let clock = Clock::new();
        let mut timer = clock.timer();
        let task = Task::new();
        let mut done = false;
        for _ in 0..10_000 {
            let deadline = timer.now();
            let mut future = pin!(within(&mut timer, deadline, world.socket.flush()));
            let Poll::Ready(output) = task.poll(future.as_mut()) else {
                panic!("the time is over")
            };
            if let Some(result) = output {
                result.expect("open");
                done = true;
                break;
            }
            world.peer.step(16);
        }
        assert!(done, "{manners:?}: no progress");
        world.settle();
        assert_eq!(world.peer.events.len(), sent.len());
        assert!(world.peer.events == sent, "{manners:?}");
        assert!(world.peer.events.iter().all(Message::is_binary));
    }
}
