//! A model of the halves: threads whose every step a scheduler chooses, again and again in other orders. It
//! fails as soon as all sleep, so whoever is forgotten is found.
//!
//! In the tests of this crate the lock of the halves is the scheduler's. It draws orders by chance, and
//! prints the one that failed, which [`shuttle::replay`] repeats.

mod world;

use core::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use std::{io::ErrorKind::BrokenPipe, sync::Arc};

use bytes::Bytes;
use hybi_frame::CloseCode;
use shuttle::{
    MaxSteps, Runner,
    future::block_on,
    scheduler::{PctScheduler, RandomScheduler},
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, JoinHandle},
};

use self::world::{CAPACITY, Clock, End, world};
use crate::{
    connection::{Config, Deadline, Error, Message},
    socket::{Receiver, Sender},
};

/// How many orders each model is run in, of each of two ways to draw them.
const ORDERS: usize = 1_000;

/// How often one that could go on is pushed aside, where orders have few changes of the thread.
const PUSHES: usize = 3;

/// More than any order needs: whoever goes round for ever is found as well.
const STEPS: usize = 100_000;

fn check(model: fn()) {
    let config = || {
        let mut config = shuttle::Config::new();
        // Frames of builds without optimisation are large.
        config.stack_size = 512 * 1024;
        config.max_steps = MaxSteps::FailAfter(STEPS);
        config
    };
    Runner::new(RandomScheduler::new(ORDERS), config()).run(model);
    Runner::new(PctScheduler::new(PUSHES, ORDERS), config()).run(model);
}

/// No deadline but those that a model sets, so that none hides that somebody was forgotten; and room for
/// one message at a time.
fn patient() -> Config {
    Config::default().ping_interval(None).write_timeout(None).outbox_limit(1)
}

/// A message longer than what may be on its way.
fn text(from: char, number: usize) -> String {
    format!("{from}{number}, which is longer than the pipe")
}

fn texts(from: char) -> [String; 2] {
    [0, 1].map(|number| text(from, number))
}

/// Sends one message to its end, and another by way of the queue.
async fn send_two(sender: &mut Sender<End, Clock>, from: char) -> Result<(), Error> {
    sender.send(text(from, 0)).await?;
    sender.feed(text(from, 1)).await?;
    sender.flush().await
}

/// Receives to the end.
async fn receive_all(receiver: &mut Receiver<End, Clock>) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    while let Some(message) = receiver.recv().await? {
        messages.push(message);
    }
    Ok(messages)
}

fn spawn_sender(sender: &Sender<End, Clock>, from: char) -> JoinHandle<Result<(), Error>> {
    let mut clone = sender.clone();
    thread::spawn(move || block_on(send_two(&mut clone, from)))
}

fn spawn_receiver(mut receiver: Receiver<End, Clock>) -> JoinHandle<Result<Vec<Message>, Error>> {
    thread::spawn(move || block_on(receive_all(&mut receiver)))
}

/// Messages are whole, and in the order of each sender, and Pings are answered meanwhile.
#[test]
fn all_arrives_both_ways() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let senders = ['a', 'b'].map(|from| spawn_sender(&sender, from));
        drop(sender);
        let receiver = spawn_receiver(receiver);
        peer.queue(text('p', 0));
        peer.queue(Message::Ping(Bytes::from_static(b"ping")));
        peer.queue(text('p', 1));
        // Two texts of each, and a Pong.
        peer.go_on_until(|peer| peer.events.len() == 5);
        assert_eq!(peer.texts('a'), texts('a'));
        assert_eq!(peer.texts('b'), texts('b'));
        assert!(peer.events.contains(&Message::Pong(Bytes::from_static(b"ping"))));
        for sender in senders {
            sender.join().expect("no panic").expect("open");
        }
        peer.queue(Message::Close(None));
        peer.finish();
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert_eq!(received, texts('p').map(Message::text));
    });
}

/// A sender that gives up in the middle, and is gone, takes no other along.
#[test]
fn who_gives_up_takes_nobody_along() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let stays = spawn_sender(&sender, 'a');
        let goes = thread::spawn(move || {
            let mut sender = sender;
            let mut sending = pin!(sender.send(text('b', 0)));
            block_on(poll_fn(|cx| {
                let _ = sending.as_mut().poll(cx);
                Poll::Ready(())
            }));
        });
        let receiver = spawn_receiver(receiver);
        peer.queue(text('p', 0));
        peer.go_on_until(|peer| peer.texts('a').len() == 2);
        assert_eq!(peer.texts('a'), texts('a'));
        goes.join().expect("no panic");
        // What the one that left had queued leaves before the flush of the other is over.
        peer.queue(Message::Close(None));
        peer.finish();
        match stays.join().expect("no panic") {
            Ok(()) => {}
            Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
        }
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert_eq!(received, [Message::text(text('p', 0))]);
    });
}

/// The peer closes and reads nothing more: senders that wait for it are told before it goes on.
#[test]
fn senders_that_wait_see_the_close_frame() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let senders = ['a', 'b'].map(|from| spawn_sender(&sender, from));
        let receiver = spawn_receiver(receiver);
        peer.queue(text('p', 0));
        peer.queue(Message::Close(None));
        peer.send_all();
        for sender in senders {
            let error = sender.join().expect("no panic").expect_err("nobody reads");
            assert!(matches!(error, Error::Closed), "{error}");
        }
        peer.finish();
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert_eq!(received, [Message::text(text('p', 0))]);
        drop(sender);
    });
}

/// The receiver may write what a sender waits for, and then the peer takes nothing more: the sender is told of
/// the room, and that all has left.
#[test]
fn who_waits_is_told_what_another_wrote() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (mut sender, receiver) = ws.split();
        let receiver = spawn_receiver(receiver);
        let feeding = thread::spawn(move || {
            let twice_what_the_pipe_takes = "a".repeat(2 * CAPACITY - 2);
            for message in [&twice_what_the_pipe_takes, "a, the last"] {
                block_on(sender.feed(message)).expect("open");
            }
            sender
        });
        peer.read_once();
        let mut sender = feeding.join().expect("no panic");
        let flushing = thread::spawn(move || block_on(sender.flush()));
        peer.go_on_until(|peer| peer.texts('a').len() == 2);
        flushing.join().expect("no panic").expect("open");
        peer.queue(Message::Close(None));
        peer.finish();
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert_eq!(received, []);
    });
}

/// The transport breaks, and may tell the receiver alone: the senders that wait for it are told as well.
#[test]
fn a_broken_transport_is_told_to_all() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let senders = ['a', 'b'].map(|from| spawn_sender(&sender, from));
        let receiver = spawn_receiver(receiver);
        peer.read_once();
        peer.break_off();
        let is_broken =
            |error: &Error| error.io_error().is_some_and(|error| error.kind() == BrokenPipe);
        for sender in senders {
            let error = sender.join().expect("no panic").expect_err("it broke");
            assert!(is_broken(&error), "{error}");
        }
        // Only now, since whoever receives goes on until the peer has had its say.
        peer.end_input();
        let error = receiver.join().expect("no panic").expect_err("it broke");
        assert!(is_broken(&error), "{error}");
        drop(sender);
    });
}

/// Nobody receives at present: whichever sender sees the Close frame tells the other.
#[test]
fn a_sender_tells_another_of_the_close_frame() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let senders = ['a', 'b'].map(|from| spawn_sender(&sender, from));
        peer.queue(Message::Close(None));
        peer.send_all();
        for sender in senders {
            let error = sender.join().expect("no panic").expect_err("nobody reads");
            assert!(matches!(error, Error::Closed), "{error}");
        }
        let receiver = spawn_receiver(receiver);
        peer.finish();
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert_eq!(received, []);
        drop(sender);
    });
}

/// The receiver leaves in the middle: whoever is left takes in what comes, and closes.
#[test]
fn senders_go_on_without_the_receiver() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (mut sender, mut receiver) = ws.split();
        let other = spawn_sender(&sender, 'a');
        let closing = thread::spawn(move || {
            block_on(async {
                send_two(&mut sender, 'b').await?;
                sender.close(CloseCode::NORMAL, "").await
            })
        });
        let leaving = thread::spawn(move || {
            let first = block_on(receiver.recv());
            drop(receiver);
            first
        });
        for number in 0..2 {
            peer.queue(text('p', number));
        }
        peer.finish();
        let status = closing.join().expect("no panic").expect("in order");
        assert!(status.is_clean(), "{status:?}");
        assert_eq!(peer.texts('b'), texts('b'));
        let first = leaving.join().expect("no panic").expect("open");
        assert_eq!(first, Some(Message::text(text('p', 0))));
        // What was queued before the Close frame arrives, nothing after it.
        match other.join().expect("no panic") {
            Ok(()) => assert_eq!(peer.texts('a'), texts('a')),
            Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
        }
    });
}

/// The receiver has a message in hand and does not go on: who closes takes over, and sees the Close frame.
#[test]
fn who_closes_takes_over_from_the_receiver() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (mut sender, mut receiver) = ws.split();
        let closing = thread::spawn(move || block_on(sender.close(CloseCode::NORMAL, "")));
        let stopping = thread::spawn(move || {
            let message = block_on(receiver.recv());
            (message, receiver)
        });
        peer.queue(text('p', 0));
        peer.send_all();
        let (message, receiver) = stopping.join().expect("no panic");
        assert_eq!(message.expect("open"), Some(Message::text(text('p', 0))));
        peer.finish();
        let status = closing.join().expect("no panic").expect("in order");
        assert!(status.is_clean(), "{status:?}");
        drop(receiver);
    });
}

/// The same where the Close frame was read together with the message, and is all that is waited for.
#[test]
fn who_closes_sees_what_stands_behind_a_message() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (mut sender, mut receiver) = ws.split();
        let closing = thread::spawn(move || block_on(sender.close(CloseCode::NORMAL, "")));
        peer.queue("");
        // Our Close frame, the answer to which leaves together with that.
        peer.read_once();
        peer.send_all();
        let stopping = thread::spawn(move || (block_on(receiver.recv()), receiver));
        let (message, receiver) = stopping.join().expect("no panic");
        assert_eq!(message.expect("open"), Some(Message::text("")));
        peer.finish();
        let status = closing.join().expect("no panic").expect("in order");
        assert!(status.is_clean(), "{status:?}");
        drop(receiver);
    });
}

/// Somebody else asks for the end, twice, while all wait or are about to: whoever sees it tells the others, and
/// what was queued before leaves first.
#[test]
fn who_is_asked_to_close_tells_all() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let closer = sender.closer();
        let asking = ["first", "second"].map(|reason| {
            let closer = closer.clone();
            thread::spawn(move || closer.close(CloseCode::GOING_AWAY, reason))
        });
        let senders = ['a', 'b'].map(|from| (from, spawn_sender(&sender, from)));
        drop(sender);
        let receiver = spawn_receiver(receiver);
        peer.queue(text('p', 0));
        peer.finish();
        for asking in asking {
            asking.join().expect("no panic").expect("a code for both roles");
        }
        for (from, sender) in senders {
            match sender.join().expect("no panic") {
                Ok(()) => assert_eq!(peer.texts(from), texts(from)),
                Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
            }
        }
        // Either it came before, or nobody waited for it any more.
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert!(received.is_empty() || received == [Message::text(text('p', 0))]);
        assert!(closer.is_over());
    });
}

/// The same where the closer is wanted while the receiver waits, which nobody else wakes.
#[test]
fn who_waited_before_is_asked_as_well() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (sender, receiver) = ws.split();
        let receiver = spawn_receiver(receiver);
        let asking =
            thread::spawn(move || sender.closer().close(CloseCode::GOING_AWAY, "restarting"));
        peer.finish();
        asking.join().expect("no panic").expect("a code for both roles");
        let received = receiver.join().expect("no panic").expect("closed in order");
        assert_eq!(received, []);
    });
}

/// Threads that time passes for until each has ended with this error.
struct Told {
    clock: Clock,
    deadline: Deadline,
    threads: usize,
    done: Arc<AtomicUsize>,
}

const TIMEOUT: Duration = Duration::from_secs(10);

impl Told {
    fn new(clock: Clock, deadline: Deadline) -> Self {
        Self { clock, deadline, threads: 0, done: Arc::default() }
    }

    fn spawn(&mut self, work: impl FnOnce() -> Result<(), Error> + Send + 'static) {
        let (deadline, done) = (self.deadline, self.done.clone());
        self.threads += 1;
        thread::spawn(move || {
            let error = work().expect_err("a deadline passes");
            assert!(matches!(error, Error::Timeout(passed) if passed == deadline), "{error}");
            done.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Somebody who is forgotten makes this go on for more steps than there may be.
    fn let_time_pass(self) {
        while self.done.load(Ordering::Relaxed) < self.threads {
            self.clock.advance(TIMEOUT);
            thread::yield_now();
        }
    }
}

/// A Close frame is queued, and no sender stays: who receives sends it, and ends when the peer's does not
/// come in time.
#[test]
fn who_waits_keeps_the_deadline_of_a_close_frame() {
    check(|| {
        let (ws, clock, peer) = world(patient().close_timeout(TIMEOUT));
        let (mut sender, mut receiver) = ws.split();
        let mut told = Told::new(clock, Deadline::Close);
        told.spawn(move || block_on(receive_all(&mut receiver)).map(drop));
        thread::spawn(move || sender.try_send(Message::Close(None)).expect("open"));
        told.let_time_pass();
        drop(peer);
    });
}

/// The peer takes nothing: when the time to write has passed, all are told, whoever kept the timer.
#[test]
fn a_deadline_is_for_all() {
    check(|| {
        let (ws, clock, peer) = world(patient().write_timeout(Some(TIMEOUT)));
        let (sender, mut receiver) = ws.split();
        let mut told = Told::new(clock, Deadline::Write);
        for from in ['a', 'b'] {
            let mut sender = sender.clone();
            told.spawn(move || block_on(send_two(&mut sender, from)));
        }
        told.spawn(move || block_on(receive_all(&mut receiver)).map(drop));
        told.let_time_pass();
        drop((sender, peer));
    });
}

/// Halves are put together when, and only when, no clone is left.
#[test]
fn two_handles_are_one_connection() {
    check(|| {
        let (ws, _, mut peer) = world(patient());
        let (mut sender, mut receiver) = ws.split();
        let left = Arc::new(AtomicUsize::new(2));
        for from in ['a', 'b'] {
            let (mut clone, left) = (sender.clone(), left.clone());
            thread::spawn(move || {
                block_on(clone.feed(text(from, 0))).expect("open");
                left.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let uniting = thread::spawn(move || {
            loop {
                match receiver.reunite(sender) {
                    Ok(mut ws) => {
                        assert_eq!(left.load(Ordering::Relaxed), 0, "a clone is left");
                        return block_on(ws.close(CloseCode::NORMAL, ""));
                    }
                    Err(error) => (sender, receiver) = (error.sender, error.receiver),
                }
                thread::yield_now();
            }
        });
        peer.finish();
        assert!(uniting.join().expect("no panic").expect("in order").is_clean());
        assert_eq!((peer.texts('a').len(), peer.texts('b').len()), (1, 1));
    });
}
