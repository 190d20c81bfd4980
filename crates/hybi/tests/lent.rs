//! Messages that are sent while they are lent cost no allocation, on a handle and on halves.

mod support;

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::time::Instant;

use hybi::{Config, Connection, Negotiated, Role, WebSocket, io::Timer};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use hybi_testkit::allocator::{Counting, Meter};
use support::source::{Output, Source};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many messages come with one read.
const IN_FLIGHT: usize = 16;

struct Still(Instant);

impl Timer for Still {
    fn now(&self) -> Instant {
        self.0
    }

    fn poll_until(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

/// An end of this role, to which messages of `len` bytes come without end.
fn open(role: Role, len: usize) -> WebSocket<Source, Still> {
    let key = (role == Role::Server).then(|| MaskingKey::from_bytes([1, 2, 3, 4]));
    let mut burst = Vec::new();
    for _ in 0..IN_FLIGHT {
        encode_frame(&mut burst, true, Rsv::NONE, Opcode::Binary, &vec![b'a'; len], key);
    }
    let connection = Connection::new(role, Negotiated::default(), Config::default().into());
    let bursts = Source::new(Output::Taken, move |chunk| {
        chunk[..burst.len()].copy_from_slice(&burst);
        burst.len()
    });
    WebSocket::new(connection, bursts, Still(Instant::now()))
}

/// What never waits for anybody, and once in a while lets other tasks run.
fn now<F: Future>(future: F) -> F::Output {
    let (mut future, mut cx) = (pin!(future), Context::from_waker(Waker::noop()));
    for _ in 0..2 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("it waits");
}

/// Takes 1,000 messages through an open connection, after 1,000 that let its buffers grow.
fn allocates_nothing(what: &str, mut echo: impl FnMut()) {
    (0..1000).for_each(|_| echo());
    let meter = Meter::start();
    (0..1000).for_each(|_| echo());
    assert_eq!(meter.allocations(), 0, "{what}");
}

fn each(test: impl Fn(&str, Role, usize)) {
    for role in [Role::Server, Role::Client] {
        for len in [20, 1024] {
            test(&format!("{role:?}, {len} bytes"), role, len);
        }
    }
}

#[test]
fn an_answer_with_what_is_lent_allocates_nothing() {
    each(|what, role, len| {
        let mut ws = open(role, len);
        allocates_nothing(what, || {
            let received = now(ws.recv_to_answer()).expect("valid");
            let (message, mut answering) = received.expect("more");
            assert_eq!(message.as_bytes().len(), len);
            now(answering.feed(message)).expect("open");
        });
    });
}

#[test]
fn one_half_sends_what_the_other_lends_and_allocates_nothing() {
    each(|what, role, len| {
        let (mut sender, mut receiver) = open(role, len).split();
        allocates_nothing(what, || {
            let message = now(receiver.recv_ref()).expect("valid").expect("more");
            assert_eq!(message.as_bytes().len(), len);
            now(sender.feed(message)).expect("open");
        });
    });
}
