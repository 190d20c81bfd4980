//! A room of a thousand of which ten never read: what they hold, and what the others get.

use core::{
    cell::Cell,
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::{
    io::{self, IoSlice},
    rc::Rc,
};

use hybi::{
    Broadcast, Config, Connection, Member, Negotiated, Role, Slow, WebSocket, io::Transport,
};
use hybi_suite::allocator::Meter;
use hybi_testkit::clock::{Clock, ClockTimer};

use crate::{KIB, support::source::Output};

/// A peer that says nothing, and takes everything or nothing.
struct Listener {
    output: Output,
    /// How many bytes it took, and in how many writes.
    taken: Rc<Cell<(usize, usize)>>,
}

impl Transport for Listener {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.output == Output::Blocked {
            return Poll::Pending;
        }
        let (bytes, writes) = self.taken.get();
        let len: usize = slices.iter().map(|slice| slice.len()).sum();
        self.taken.set((bytes + len, writes + 1));
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const MEMBERS: usize = 1000;
const STUCK: usize = 10;
const MESSAGES: usize = 300;

/// Members that were polled once, and what their peers took.
type Crowd = Vec<(Member<Listener, ClockTimer>, Rc<Cell<(usize, usize)>>)>;

fn crowd(room: &Broadcast, clock: &Clock) -> Crowd {
    let member = |n| {
        let taken = Rc::default();
        let output = if n < STUCK { Output::Blocked } else { Output::Taken };
        let transport = Listener { output, taken: Rc::clone(&taken) };
        let connection =
            Connection::new(Role::Server, Negotiated::default(), Config::default().into());
        (room.join(WebSocket::new(connection, transport, clock.timer())), taken)
    };
    let mut crowd = (0..MEMBERS).map(member).collect();
    deliver(&mut crowd);
    crowd
}

/// Lets each member deliver; none has anything to receive.
fn deliver(crowd: &mut Crowd) {
    let mut cx = Context::from_waker(Waker::noop());
    for (member, _) in crowd {
        assert!(pin!(member.recv()).as_mut().poll(&mut cx).is_pending());
    }
}

/// Sends a message of so many bytes; what nobody has to wait for.
fn send(room: &Broadcast, len: usize) -> hybi::Sent {
    let mut sending = pin!(room.send(vec![b'x'; len]));
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(poll_fn(|cx| sending.as_mut().poll(cx))).as_mut().poll(&mut cx) {
        Poll::Ready(sent) => sent,
        Poll::Pending => panic!("nobody waits"),
    }
}

#[test]
fn ten_of_a_thousand_never_read_and_hold_their_queues_alone() {
    // Of short messages a member holds copies on their way, 64 KiB and what a buffer grows by; of long ones the
    // first alone. What waits in the queues is there once for all, and a place of 32 bytes for each.
    for (len, on_the_way) in [(1000, 130 * KIB), (20 * KIB, 4 * KIB)] {
        let clock = Clock::new();
        let room = Broadcast::builder().max_messages(64).slow(Slow::DropOldest).build();
        let mut crowd = crowd(&room, &clock);
        let meter = Meter::start();
        let mut dropped = 0;
        for _ in 0..MESSAGES {
            let sent = send(&room, len);
            assert_eq!((sent.members, sent.closed), (MEMBERS, 0));
            dropped += sent.dropped;
            deliver(&mut crowd);
        }
        // Those on their way are shared as well, if they are long: they are the oldest.
        let shared = (64 + 64 * KIB / len + 2) * (len + 200);
        let most = shared + STUCK * (on_the_way + 128 * 32);
        // What tells the tasks of a thousand members takes space that the room keeps.
        let most = most + MEMBERS * 32;
        assert!(meter.held() < most, "{len}: {} bytes of {most}", meter.held());
        let header = 4;
        for (member, taken) in &crowd[STUCK..] {
            assert_eq!(taken.get(), (MESSAGES * (len + header), MESSAGES));
            assert_eq!(member.deliveries().dropped, 0);
        }
        let lost: u64 = crowd[..STUCK].iter().map(|(member, _)| member.deliveries().dropped).sum();
        assert_eq!(lost, dropped);
        for (member, taken) in &crowd[..STUCK] {
            let deliveries = member.deliveries();
            let waiting = 64.min(1024 * KIB / len);
            assert_eq!((taken.get(), deliveries.waiting), ((0, 0), waiting as u64));
            let all = deliveries.delivered + deliveries.waiting + deliveries.dropped;
            assert_eq!(all, MESSAGES as u64);
        }
    }
}

#[test]
fn a_message_allocates_as_often_for_a_thousand_members_as_for_one() {
    let clock = Clock::new();
    let room = Broadcast::new();
    let mut crowd = crowd(&room, &clock);
    // Those that never read would have to be closed in the end.
    crowd.drain(..STUCK);
    // The first makes space that is kept.
    send(&room, 100);
    deliver(&mut crowd);
    let meter = Meter::start();
    for n in 1..=100 {
        send(&room, 100);
        deliver(&mut crowd);
        // The message, and that it is shared.
        assert_eq!(meter.allocations(), 2 * n);
    }
    assert_eq!(meter.held(), 0);
}
