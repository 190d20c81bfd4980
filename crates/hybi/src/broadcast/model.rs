//! A model of a room: threads that send, listen, join and leave, whose every step a scheduler chooses. It fails as
//! soon as all sleep, so whoever is forgotten is found.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use std::sync::Arc;

use shuttle::{
    Runner,
    future::block_on,
    scheduler::{PctScheduler, RandomScheduler},
    thread::{self, JoinHandle},
};

use super::{
    Bounds, Sent, Slow,
    queue::{Queue, Standing},
    room::{Room, To},
};
use crate::connection::Prepared;

/// How many orders each model is run in, of each of two ways to draw them.
const ORDERS: usize = 1_000;

/// How often one that could go on is pushed aside, where orders have few changes of the thread.
const PUSHES: usize = 3;

fn check(model: fn()) {
    let config = || {
        let mut config = shuttle::Config::new();
        // Frames of builds without optimisation are large.
        config.stack_size = 256 * 1024;
        config
    };
    Runner::new(RandomScheduler::new(ORDERS), config()).run(model);
    Runner::new(PctScheduler::new(PUSHES, ORDERS), config()).run(model);
}

/// A room for one message of each member.
fn room(slow: Slow) -> Arc<Room> {
    Arc::new(Room::new(Bounds { max_messages: 1, max_bytes: usize::MAX, slow }))
}

async fn send(room: &Room, text: &str) -> Sent {
    let mut sending = room.sending(To::All, Prepared::new(text), None);
    poll_fn(|cx| sending.put(Some(cx)).map_or(Poll::Pending, Poll::Ready)).await
}

fn spawn_sender(room: &Arc<Room>, texts: &'static [&'static str]) -> JoinHandle<Vec<Sent>> {
    let room = room.clone();
    thread::spawn(move || {
        block_on(async {
            let mut all = Vec::new();
            for text in texts {
                all.push(send(&room, text).await);
            }
            all
        })
    })
}

/// Takes what comes, one message at a time, until there are so many or the member is none any more.
fn spawn_listener(queue: &Arc<Queue>, count: usize) -> JoinHandle<Vec<String>> {
    let queue = queue.clone();
    thread::spawn(move || {
        block_on(async {
            let mut heard = Vec::new();
            while heard.len() < count {
                let mut batch = Vec::new();
                let standing = poll_fn(|cx| {
                    let taken = queue.take(cx, 1, &mut batch);
                    let waits = batch.is_empty() && taken.standing == Standing::In;
                    if waits { Poll::Pending } else { Poll::Ready(taken.standing) }
                })
                .await;
                let texts = batch.iter().filter_map(|entry| entry.message.message().as_text());
                heard.extend(texts.map(str::to_owned));
                if standing != Standing::In {
                    break;
                }
            }
            heard
        })
    })
}

#[test]
fn who_waits_for_room_is_told_of_it_and_all_hear_one_order() {
    check(|| {
        let room = room(Slow::Wait);
        let queues = [room.join().1, room.join().1];
        let listeners = queues.map(|queue| spawn_listener(&queue, 4));
        let senders = [&["a0", "a1"], &["b0", "b1"]].map(|texts| spawn_sender(&room, texts));
        for sender in senders {
            for sent in sender.join().expect("no panic") {
                assert_eq!((sent.members, sent.dropped, sent.closed), (2, 0, 0));
            }
        }
        let heard = listeners.map(|listener| listener.join().expect("no panic"));
        assert_eq!(heard[0], heard[1]);
        for from in ['a', 'b'] {
            let of_one: Vec<_> = heard[0].iter().filter(|text| text.starts_with(from)).collect();
            assert_eq!(of_one, [&format!("{from}0"), &format!("{from}1")]);
        }
    });
}

/// One listens to a single message and leaves; nobody waits for it after that.
#[test]
fn who_leaves_is_waited_for_no_longer() {
    check(|| {
        let room = room(Slow::Wait);
        let (id, queue) = room.join();
        let stays = spawn_listener(&room.join().1, 3);
        let leaves = spawn_listener(&queue, 1);
        let sender = spawn_sender(&room, &["0", "1", "2"]);
        let heard = leaves.join().expect("no panic");
        room.leave(id);
        assert_eq!(heard, ["0"]);
        let sent = sender.join().expect("no panic");
        assert_eq!(sent.len(), 3);
        assert_eq!(stays.join().expect("no panic"), ["0", "1", "2"]);
        // What waited for it then is told.
        let deliveries = queue.deliveries();
        let meant: usize = sent.iter().map(|sent| sent.members - 1).sum();
        assert_eq!((deliveries.delivered + deliveries.dropped) as usize, meant);
    });
}

/// One that waits for room is dropped; others that wait are woken all the same, and nobody heard it.
#[test]
fn who_is_dropped_while_it_waits_takes_nobody_with_it() {
    check(|| {
        let room = room(Slow::Wait);
        let queue = room.join().1;
        let first = room.clone();
        block_on(async move { send(&first, "0").await });
        let dropped = room.clone();
        let dropped = thread::spawn(move || {
            block_on(async {
                let mut once = pin!(send(&dropped, "dropped"));
                poll_fn(|cx| Poll::Ready(once.as_mut().poll(cx).is_ready())).await
            })
        });
        let sender = spawn_sender(&room, &["1", "2"]);
        let listener = spawn_listener(&queue, 3);
        let was_sent = dropped.join().expect("no panic");
        let heard = listener.join().expect("no panic");
        if was_sent {
            // It stands wherever it came, and whoever listens to three hears one of the others less.
            let rest = spawn_listener(&queue, 1);
            sender.join().expect("no panic");
            let all = [heard, rest.join().expect("no panic")].concat();
            assert_eq!(all.iter().filter(|text| *text == "dropped").count(), 1);
        } else {
            sender.join().expect("no panic");
            assert_eq!(heard, ["0", "1", "2"]);
        }
    });
}

/// Whatever happens to whom and when, nothing disappears in silence.
#[test]
fn what_is_dropped_is_counted_on_both_sides() {
    for model in [drop_oldest, drop_newest, close] {
        check(model);
    }
}

fn drop_oldest() {
    counted(Slow::DropOldest);
}

fn drop_newest() {
    counted(Slow::DropNewest);
}

fn close() {
    counted(Slow::Close);
}

fn counted(slow: Slow) {
    let room = room(slow);
    let (id, queue) = room.join();
    let senders = [&["a0", "a1"], &["b0", "b1"]].map(|texts| spawn_sender(&room, texts));
    let listener = spawn_listener(&queue, 1);
    let heard = listener.join().expect("no panic");
    let sent = senders.map(|sender| sender.join().expect("no panic")).concat();
    let deliveries = queue.deliveries();
    assert_eq!(deliveries.delivered as usize, heard.len());
    let taken: usize = sent.iter().map(|sent| sent.members).sum();
    let dropped: u64 = sent.iter().map(|sent| sent.dropped).sum();
    assert_eq!(deliveries.dropped, dropped);
    let told = deliveries.delivered + deliveries.waiting + deliveries.dropped;
    match slow {
        // What came after the end concerned nobody.
        Slow::Close => assert!(told as usize >= taken),
        _ => assert_eq!(told, 4),
    }
    room.leave(id);
    assert_eq!(queue.deliveries().dropped, dropped + deliveries.waiting);
}
