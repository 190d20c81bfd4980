//! Owned halves: each has the whole of its direction, and neither waits for the other (RFC 6455
//! sections 5 to 7).

use core::{pin::pin, task::Poll};

use futures_util::{SinkExt as _, StreamExt as _, future::join};
use hybi::{CloseCode, Config, Endpoint, Error, Message, Outgoing, Role, State, Version};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        link::End,
        peer::Peer,
        tasks::{Task, poll_at_most, run},
        versions::who_pings,
    },
    world::{BOTH, SECOND, World, everyone, poll_once, quiet, seconds_until, wire},
};

type Sender = hybi::Sender<End, ClockTimer>;
type Receiver = hybi::Receiver<End, ClockTimer>;

fn text(number: usize) -> Message {
    Message::text(number.to_string().repeat(20))
}

fn data(peer: &Peer) -> Vec<Message> {
    peer.events.iter().filter(|event| event.is_data()).cloned().collect()
}

/// A split connection and its peer.
fn halves(
    role: Role,
    version: Version,
    config: Config,
    capacity: usize,
) -> (Sender, Receiver, Outside) {
    let World { socket, peer, clock } = World::new(role, version, config, capacity);
    let (sender, receiver) = socket.split();
    (sender, receiver, Outside { peer, clock })
}

/// What is left of the world.
struct Outside {
    peer: Peer,
    clock: Clock,
}

/// The matrix of versions: an echo over halves, with each way to receive.
#[test]
fn halves_speak_every_version() {
    for (role, version) in everyone() {
        for lends in [false, true] {
            let what = format!("{role:?} {version:?}, lends: {lends}");
            let (mut sender, mut receiver, mut world) = halves(role, version, quiet(), 100);
            let sent: Vec<_> = (0..50).map(text).collect();
            world.peer.say(sent.iter().cloned().chain([Message::Close(None)]));
            if version == Version::HIXIE_75 {
                world.peer.far.end();
            }
            let echo = async {
                loop {
                    let message = match lends {
                        true => receiver.recv_ref().await?.map(|message| message.to_owned()),
                        false => receiver.recv().await?,
                    };
                    let Some(message) = message else { return Ok::<_, Error>(()) };
                    sender.feed(message).await?;
                }
            };
            run(echo, || world.peer.step(100)).unwrap_or_else(|error| panic!("{what}: {error}"));
            (0..3).for_each(|_| world.peer.step(usize::MAX));
            assert!(data(&world.peer) == sent, "{what}: {:?}", world.peer.events);
            assert_eq!((sender.version(), receiver.version()), (version, version));
            for status in [sender.close_status(), receiver.close_status()] {
                let status = status.expect("it ended");
                assert!(status.is_clean() && status.began_by() == Some(Endpoint::Peer), "{what}");
            }
            assert_eq!((sender.state(), receiver.state()), (State::Closed, State::Closed));
        }
    }
}

/// The combinators, with a Close frame that came in the same read.
#[test]
fn halves_forward_all_that_came_with_the_close_frame() {
    for (role, version) in everyone() {
        for (all, capacity) in [(false, usize::MAX), (true, usize::MAX), (false, 10), (true, 10)] {
            // There the end is the transport's: whoever waits to send may be told of it.
            if version == Version::HIXIE_75 && capacity == 10 {
                continue;
            }
            let what = format!("{role:?} {version:?}, send_all: {all}, room for {capacity}");
            let (mut sender, mut receiver, mut world) = halves(role, version, quiet(), capacity);
            let sent: Vec<_> = (0..3).map(text).collect();
            world.peer.say(sent.iter().cloned().chain([Message::Close(None)]));
            if version == Version::HIXIE_75 {
                world.peer.far.end();
            }
            // A sink of ours takes all that can be sent.
            let mut receiver = receiver.by_ref().map(|message| message.map(Outgoing::from));
            let forwarded = async {
                if all {
                    sender.send_all(&mut receiver).await
                } else {
                    receiver.forward(sender).await
                }
            };
            run(forwarded, || world.peer.step(100))
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            (0..3).for_each(|_| world.peer.step(usize::MAX));
            assert!(data(&world.peer) == sent, "{what}: {:?}", world.peer.events);
        }
    }
}

/// Neither half waits for the other.
#[test]
fn a_blocked_half_blocks_nobody_else() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let (mut sender, mut receiver, world) = halves(role, version, quiet(), 10);
        let (writer, reader) = (Task::new(), Task::new());
        let mut sending = pin!(sender.send("more than ten bytes"));
        assert!(writer.poll(sending.as_mut()).is_pending(), "{what}");
        world.peer.far.put(&wire(role, version, [text(1)]));
        let received = poll_once(&reader, receiver.recv());
        assert!(matches!(received, Poll::Ready(Ok(Some(_)))), "{what}: {received:?}");
        assert!(poll_once(&reader, receiver.recv()).is_pending(), "{what}");
        assert!(writer.poll(sending.as_mut()).is_pending(), "{what}");
        let _ = writer.wakes();
        assert_eq!(world.peer.far.take(100).len(), 10);
        assert!(writer.wakes() > 0, "{what}: the writer sleeps on");
    }
}

/// Pings are answered and the end is seen by whichever half is polled.
#[test]
fn either_half_answers_pings_and_sees_the_end() {
    for (role, version) in who_pings() {
        for receives in [false, true] {
            let what = format!("{role:?} {version:?}, receives: {receives}");
            let (mut sender, mut receiver, mut world) = halves(role, version, quiet(), usize::MAX);
            let task = Task::new();
            let mut poll = || match receives {
                true => drop(poll_once(&task, receiver.recv())),
                false => (0..3).for_each(|_| drop(poll_once(&task, sender.send("out")))),
            };
            poll();
            world.peer.say([Message::Ping("?".into())]);
            poll();
            world.peer.step(usize::MAX);
            assert!(world.peer.events.contains(&Message::Pong("?".into())), "{what}: no answer");
            world.peer.say([Message::Close(None)]);
            poll();
            world.peer.step(usize::MAX);
            assert!(
                matches!(world.peer.events.last(), Some(Message::Close(_))),
                "{what}: no answer"
            );
            assert!(receiver.close_status().is_some() && sender.close_status().is_some(), "{what}");
        }
    }
}

/// A Close frame that came with a message is the receiver's, who has the message in hand. Once our last
/// word is queued, whoever waits for the end takes it.
#[test]
fn who_closes_sees_a_close_frame_behind_a_message_in_hand() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        let what = format!("{role:?} {version:?}");
        let (mut sender, mut receiver, mut world) = halves(role, version, quiet(), usize::MAX);
        world.peer.say([text(0), Message::Close(None)]);
        assert_eq!(run(receiver.recv(), || {}).expect("open"), Some(text(0)), "{what}");
        let closing = sender.close(CloseCode::NORMAL, "");
        let status = run(closing, || world.peer.step(usize::MAX)).expect("an end in order");
        assert!(status.is_clean(), "{what}: {status:?}");
        assert!(run(receiver.recv(), || {}).expect("an end in order").is_none(), "{what}");
    }
}

/// A sender without a receiver is a handle that only sends.
#[test]
fn a_dropped_receiver_leaves_the_sender_alive() {
    for (role, version) in who_pings() {
        let what = format!("{role:?} {version:?}");
        let (mut sender, receiver, mut world) = halves(role, version, quiet(), usize::MAX);
        assert!(poll_once(&Task::new(), sender.send("with it")).is_ready());
        drop(receiver);
        for round in 0..5_usize {
            world.peer.say([Message::Ping(round.to_string().into())]);
            for _ in 0..3 {
                let sent = poll_once(&Task::new(), sender.send(text(round)));
                assert!(matches!(sent, Poll::Ready(Ok(()))), "{what}: {sent:?}");
            }
            world.peer.step(usize::MAX);
            let pong = Message::Pong(round.to_string().into());
            assert!(world.peer.events.contains(&pong), "{what}: no answer to {round}");
        }
        assert!(!world.peer.far.sees_drop(), "{what}");
        drop(sender);
        assert!(world.peer.far.sees_drop(), "{what}: both are gone");
    }
}

#[test]
fn dropped_senders_leave_the_receiver_alive() {
    for role in BOTH {
        let (sender, mut receiver, mut world) = halves(role, Version::RFC6455, quiet(), usize::MAX);
        let another = sender.clone();
        drop((sender, another));
        world.peer.say([text(1), Message::Ping("?".into())]);
        assert_eq!(run(receiver.recv(), || {}).expect("open"), Some(text(1)));
        assert!(poll_once(&Task::new(), receiver.recv()).is_pending());
        world.peer.step(usize::MAX);
        assert_eq!(world.peer.events, [Message::Pong("?".into())], "{role:?}");
        assert!(!world.peer.far.sees_drop());
    }
}

/// Several senders share what room there is, and none is forgotten.
#[test]
fn clones_send_in_turns_and_each_in_order() {
    for role in BOTH {
        let config = quiet().outbox_limit(100);
        let (sender, _receiver, mut world) = halves(role, Version::RFC6455, config, 10);
        let send = |mut sender: Sender, from: usize| async move {
            for number in from..from + 100 {
                sender.send(Message::text(number.to_string())).await?;
            }
            Ok::<_, Error>(())
        };
        let all = join(
            send(sender.clone(), 1_000),
            join(send(sender.clone(), 2_000), send(sender, 3_000)),
        );
        let (one, (two, three)) = run(all, || world.peer.step(10));
        let _ = [one, two, three].map(|sent| sent.expect("open"));
        world.peer.step(usize::MAX);
        let numbers: Vec<usize> = data(&world.peer)
            .iter()
            .map(|message| message.as_text().and_then(|text| text.parse().ok()).expect("a number"))
            .collect();
        assert_eq!(numbers.len(), 300, "{role:?}");
        for from in [1_000, 2_000, 3_000] {
            let of_one: Vec<_> =
                numbers.iter().copied().filter(|n| n / 1_000 == from / 1_000).collect();
            assert_eq!(of_one, (from..from + 100).collect::<Vec<_>>(), "{role:?}");
        }
    }
}

/// The half that does not read never judges silence, and the one that does judges after reading.
#[test]
fn a_sender_does_not_judge_silence() {
    for (role, version) in who_pings() {
        let (mut sender, mut receiver, mut world) =
            halves(role, version, Config::default(), 50_000);
        let task = Task::new();
        assert!(poll_once(&task, receiver.recv()).is_pending());
        world.clock.advance(SECOND * 20);
        assert!(poll_once(&task, receiver.recv()).is_pending());
        world.peer.step(usize::MAX);
        world.clock.advance(SECOND * 25);
        let sending = sender.send("x".repeat(1_000_000));
        let sent = seconds_until(&world.clock, 100, sending, |_| world.peer.step(50_000));
        let (_, outcome) = sent.expect("a peer that reads");
        outcome.unwrap_or_else(|error| panic!("{role:?} {version:?}: {error}"));
        assert!(poll_once(&task, receiver.recv()).is_pending());
    }
}

/// Both are told at once what either learns.
#[test]
fn a_blocked_sender_is_told_of_the_peers_close_at_once() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        let what = format!("{role:?} {version:?}");
        let (mut sender, mut receiver, mut world) = halves(role, version, quiet(), 10);
        let (writer, reader) = (Task::new(), Task::new());
        let mut sending = pin!(sender.send("x".repeat(1_000)));
        assert!(poll_once(&reader, receiver.recv()).is_pending());
        assert!(writer.poll(sending.as_mut()).is_pending());
        let _ = writer.wakes();
        world.peer.say([Message::Close(None)]);
        let _ = poll_once(&reader, receiver.recv());
        assert!(writer.wakes() > 0, "{what}: the writer sleeps on");
        let Poll::Ready(Err(told)) = writer.poll(sending.as_mut()) else { panic!("{what}") };
        assert!(matches!(told.error(), Error::Closed), "{what}: {told}");
    }
}

/// Futures of either half may be dropped after any poll: what was accepted arrives once and in
/// order, and nothing that came is lost.
#[test]
fn futures_of_halves_may_be_dropped_anywhere() {
    for (role, version) in everyone() {
        for polls in 1..5 {
            let what = format!("{role:?} {version:?}, {polls} polls");
            let config = quiet().outbox_limit(50);
            let (mut sender, mut receiver, mut world) = halves(role, version, config, 10);
            let sent: Vec<_> = (0..20).map(text).collect();
            let mut accepted = Vec::new();
            for message in &sent {
                world.peer.queue(message.clone());
                let sending = pin!(sender.send(message.clone()));
                if let Some(done) = poll_at_most(polls, sending, || world.peer.step(3)) {
                    done.unwrap_or_else(|error| panic!("{what}: {error}"));
                    accepted.push(message.clone());
                }
                let received = (0..1_000).find_map(|_| {
                    poll_at_most(polls, pin!(receiver.recv()), || world.peer.step(3))
                });
                let received = received.expect("a peer that sends").expect("open");
                assert_eq!(received.as_ref(), Some(message), "{what}");
            }
            run(sender.flush(), || world.peer.step(10)).expect("open");
            world.peer.step(usize::MAX);
            let arrived = data(&world.peer);
            let mut all = sent.iter();
            assert!(
                arrived.iter().all(|message| all.any(|one| one == message)),
                "{what}: {arrived:?}"
            );
            let mut arrived = arrived.iter();
            assert!(
                accepted.iter().all(|message| arrived.any(|one| one == message)),
                "{what}: lost"
            );
        }
    }
}

#[test]
fn halves_of_one_connection_are_one_again() {
    for role in BOTH {
        let (sender, receiver, mut world) = halves(role, Version::RFC6455, quiet(), usize::MAX);
        world.peer.say([text(1), text(2)]);
        let mut receiver = receiver;
        assert_eq!(run(receiver.recv(), || {}).expect("open"), Some(text(1)));
        let mut socket = receiver.reunite(sender).expect("two halves of one");
        assert_eq!(run(socket.recv(), || {}).expect("open"), Some(text(2)), "what was read stays");
        run(socket.send("out"), || {}).expect("open");
        world.peer.step(usize::MAX);
        assert_eq!(world.peer.events, [Message::text("out")]);

        let (_, foreign, _world) = halves(role, Version::RFC6455, quiet(), usize::MAX);
        let (sender, _own) = socket.split();
        assert!(foreign.reunite(sender).is_err(), "{role:?}: of two connections");
    }
}

/// Both halves in one task: while they wait for the peer, neither calls the other again and again.
#[test]
fn halves_of_one_task_wait_for_the_end_in_peace() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let (mut sender, mut receiver, mut world) = halves(role, version, quiet(), usize::MAX);
        let mut ending = pin!(join(sender.close(CloseCode::NORMAL, ""), receiver.recv()));
        let (task, mut waits) = (Task::new(), 0);
        for polls in 0.. {
            if task.poll(ending.as_mut()).is_ready() {
                break;
            }
            assert!(polls < 100, "{what}: polled again and again");
            // The peer takes its time.
            if task.wakes() == 0 {
                waits += 1;
                assert!(waits < 10, "{what}: it waits for nothing");
                world.peer.step(usize::MAX);
            }
        }
    }
}

/// Putting halves together ends nothing: what the application has in hand leaves in front of our Close frame,
/// as it does from a handle that was never split.
#[test]
fn halves_are_put_together_without_an_answer_to_the_peers_close() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        for splits in [false, true] {
            let what = format!("{role:?} {version:?}, split: {splits}");
            let World { mut socket, mut peer, .. } = World::new(role, version, quiet(), usize::MAX);
            peer.say([text(1), Message::Close(None)]);
            let task = Task::new();
            if splits {
                let (sender, mut receiver) = socket.split();
                assert_eq!(run(receiver.recv(), || {}).expect("open"), Some(text(1)), "{what}");
                // The end is seen, and whoever has an answer has a turn first.
                assert!(poll_once(&task, receiver.recv()).is_pending(), "{what}");
                socket = receiver.reunite(sender).expect("two halves of one");
            } else {
                assert_eq!(run(socket.recv(), || {}).expect("open"), Some(text(1)), "{what}");
                assert!(poll_once(&task, socket.recv()).is_pending(), "{what}");
            }
            socket.try_send(text(2)).unwrap_or_else(|error| panic!("{what}: {error}"));
            let ended = run(socket.recv(), || peer.step(usize::MAX));
            assert!(matches!(ended, Ok(None)), "{what}: {ended:?}");
            (0..3).for_each(|_| peer.step(usize::MAX));
            let [answer, Message::Close(_)] = &peer.events[..] else {
                panic!("{what}: {:?}", peer.events);
            };
            assert_eq!(*answer, text(2), "{what}");
        }
    }
}
