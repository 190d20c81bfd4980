//! How often a message allocates, and how much: for each call that receives or sends, in each framing, with and
//! without compression. What is lent costs nothing, what is kept costs itself.

mod streams;
#[path = "../support/mod.rs"]
mod support;

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::io::{self, IoSlice};
use std::time::Instant;

use futures_util::{SinkExt, StreamExt as _};
use hybi::{
    Connection, Deflate, Message, Negotiated, Receiver, Role, Sender, Version, WebSocket,
    extension::{DeflateFrame, Extension, PerframeCompress},
    io::{Timer, Transport},
};
use hybi_suite::allocator::{Counting, Meter};
use support::versions::{BOTH, connection, quiet};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Socket = WebSocket<Wire, Still>;

/// A peer that said so much and takes everything.
struct Wire {
    bytes: Vec<u8>,
    at: usize,
}

impl Transport for Wire {
    fn poll_read(&mut self, _: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let rest = &self.bytes[self.at..];
        let len = rest.len().min(chunk.len());
        if len == 0 {
            return Poll::Pending;
        }
        chunk[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Still(Instant);

impl Timer for Still {
    fn now(&self) -> Instant {
        self.0
    }

    fn poll_until(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

/// Each call that takes a message or gives one away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Recv,
    Next,
    HalfRecv,
    HalfNext,
    RecvRef,
    HalfRecvRef,
    RecvToAnswer,
    HalfRecvRefAndFeed,
    Send,
    Feed,
    TrySend,
    Ready,
    HalfSend,
    HalfFeed,
    HalfTrySend,
    HalfReady,
    SendOwned,
    SinkSend,
    HalfSendOwned,
    HalfSinkSend,
}

use Call::*;

/// Calls that cost the same.
type Group = &'static [Call];

/// The message is the caller's.
const KEPT: Group = &[Recv, Next, HalfRecv, HalfNext];

/// It is lent.
const LENT: Group = &[RecvRef, HalfRecvRef];

/// It is lent, and goes back.
const ANSWERED: Group = &[RecvToAnswer, HalfRecvRefAndFeed];

/// It is the caller's, who lends it.
const SENT: Group = &[Send, Feed, TrySend, Ready, HalfSend, HalfFeed, HalfTrySend, HalfReady];

/// It is the caller's, who gives it away.
const GIVEN: Group = &[SendOwned, SinkSend, HalfSendOwned, HalfSinkSend];

/// One connection, in one piece or in two.
enum Handle {
    Whole(Box<Socket>),
    Halves(Sender<Wire, Still>, Receiver<Wire, Still>),
}

impl Call {
    /// Takes or sends one message.
    fn once(self, handle: &mut Handle, message: &Message) {
        let text = || match message {
            Message::Text(text) => text.as_str(),
            _ => unreachable!(),
        };
        match handle {
            Handle::Whole(ws) => {
                let ws = &mut **ws;
                match self {
                    Recv => drop(now(ws.recv()).expect("valid").expect("more")),
                    RecvRef => drop(now(ws.recv_ref()).expect("valid").expect("more")),
                    Next => drop(now(ws.next()).expect("more").expect("valid")),
                    RecvToAnswer => {
                        let received = now(ws.recv_to_answer()).expect("valid");
                        let (message, mut answering) = received.expect("more");
                        now(answering.feed(message)).expect("open");
                    }
                    Send => now(ws.send(text())).expect("open"),
                    SendOwned => now(ws.send(message.clone())).expect("open"),
                    Feed => now(ws.feed(text())).expect("open"),
                    TrySend => {
                        ws.try_send(text()).expect("room");
                        now(ws.flush()).expect("open");
                    }
                    Ready => {
                        now(ws.ready()).expect("open").send(text()).expect("room");
                        now(ws.flush()).expect("open");
                    }
                    SinkSend => now(SinkExt::send(ws, message.clone())).expect("open"),
                    _ => unreachable!("it is of halves"),
                }
            }
            Handle::Halves(sender, receiver) => match self {
                HalfRecv => drop(now(receiver.recv()).expect("valid").expect("more")),
                HalfRecvRef => drop(now(receiver.recv_ref()).expect("valid").expect("more")),
                HalfNext => drop(now(receiver.next()).expect("more").expect("valid")),
                HalfRecvRefAndFeed => {
                    let message = now(receiver.recv_ref()).expect("valid").expect("more");
                    now(sender.feed(message)).expect("open");
                }
                HalfSend => now(sender.send(text())).expect("open"),
                HalfFeed => now(sender.feed(text())).expect("open"),
                HalfTrySend => {
                    sender.try_send(text()).expect("room");
                    now(sender.flush()).expect("open");
                }
                HalfReady => {
                    now(sender.ready()).expect("open").send(text()).expect("room");
                    now(sender.flush()).expect("open");
                }
                HalfSendOwned => now(sender.send(message.clone())).expect("open"),
                HalfSinkSend => now(SinkExt::send(sender, message.clone())).expect("open"),
                _ => unreachable!("it is of the whole"),
            },
        }
    }
}

/// What never waits for anybody, and once in a while lets other tasks run.
fn now<F: Future>(future: F) -> F::Output {
    let (mut future, mut cx) = (pin!(future), Context::from_waker(Waker::noop()));
    for _ in 0..100 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("it waits");
}

/// As short as most, not longer than what is copied together, as long as what fills half a block, longer than one.
const LENGTHS: [usize; 4] = [20, 1_000, 60_000, 200_000];

/// What a message of each length costs: so many allocations, of so many bytes in all.
type Costs = [(usize, usize); 4];

/// Itself: a long one holds the block that it was read into, or is one.
const ITSELF: Costs = [(1, 20), (1, 1_000), (0, 0), (1, 200_000)];

/// What is longer than a block, and a note of where it is.
const GATHERED: Costs = [(0, 0), (0, 0), (0, 0), (2, 200_048)];

/// The same, and again on its way out.
const GATHERED_AND_COPIED: Costs = [(0, 0), (0, 0), (0, 0), (3, 400_048)];

/// A copy that is longer than the buffers that a thread keeps.
const COPIED: Costs = [(0, 0), (0, 0), (0, 0), (1, 200_000)];

/// A list of what is to be written from where it lies.
const IN_PLACE: Costs = [(0, 0), (0, 0), (1, 640), (1, 640)];

/// Beside these there may be a share of what several messages need together: less than one allocation, and so
/// many bytes.
const SHARE: usize = 256;

/// The same where it depends on what the message became.
const CODED_SHARE: usize = 16 * 1024;

/// How often `messages` messages allocate, and how many bytes.
fn measure(
    make: &dyn Fn(Role) -> Connection,
    role: Role,
    call: Call,
    len: usize,
    messages: usize,
) -> (usize, usize) {
    let text: String = (0..len).map(|at| char::from(b'a' + (at * at % 7) as u8)).collect();
    let message = Message::text(text);
    let mut bytes = Vec::new();
    if [KEPT, LENT, ANSWERED].iter().any(|group| group.contains(&call)) {
        let mut peer = make(role.peer());
        for _ in 0..2 * messages {
            peer.queue(message.clone()).expect("open");
            bytes.extend(peer.transmit_to_vec());
        }
    }
    let ws = WebSocket::new(make(role), Wire { bytes, at: 0 }, Still(Instant::now()));
    let mut handle = if format!("{call:?}").starts_with("Half") {
        let (sender, receiver) = ws.split();
        Handle::Halves(sender, receiver)
    } else {
        Handle::Whole(Box::new(ws))
    };
    // Buffers grow to what they need.
    (0..messages).for_each(|_| call.once(&mut handle, &message));
    let meter = Meter::start();
    (0..messages).for_each(|_| call.once(&mut handle, &message));
    (meter.allocations(), meter.allocated())
}

/// Calls of connections that `make` makes cost so much.
fn costs(
    what: &str,
    make: &dyn Fn(Role) -> Connection,
    role: Role,
    share: usize,
    table: &[(Group, Costs)],
) {
    for (group, costs) in table {
        for (len, (allocations, bytes)) in LENGTHS.into_iter().zip(*costs) {
            for &call in *group {
                let messages = if len > 10_000 { 50 } else { 500 };
                let (all, total) = measure(make, role, call, len, messages);
                let what = format!("{what}, {role:?}, {call:?}, {len} bytes: {all} of {total}");
                assert_eq!(all / messages, allocations, "{what}");
                let each = total / messages;
                assert!((bytes..bytes + share).contains(&each), "{what}: {each} bytes each");
            }
        }
    }
}

#[test]
fn what_a_message_of_rfc_6455_costs() {
    for (role, given) in [(Role::Client, COPIED), (Role::Server, IN_PLACE)] {
        costs(
            "RFC 6455",
            &|role| connection(role, Version::RFC6455, quiet()),
            role,
            SHARE,
            &[
                (KEPT, ITSELF),
                (LENT, GATHERED),
                (ANSWERED, GATHERED_AND_COPIED),
                (SENT, COPIED),
                (GIVEN, given),
            ],
        );
    }
}

/// Long frames of old layouts are not completed in the block that they begin in, but gathered: of two messages that
/// fit in one block, the second is.
#[test]
fn what_a_message_of_an_old_version_costs() {
    let kept = [(1, 20), (1, 1_000), (0, 27_600), (1, 200_000)];
    let lent = [(0, 0), (0, 0), (0, 27_600), (2, 200_048)];
    let answered = [(0, 0), (0, 0), (1, 27_600), (3, 400_048)];
    for version in [Version::HYBI_01, Version::HYBI_05] {
        for role in BOTH {
            let masks = version == Version::HYBI_05 && role == Role::Client;
            let given = if masks { COPIED } else { IN_PLACE };
            costs(
                &format!("{version:?}"),
                &|role| connection(role, version, quiet()),
                role,
                SHARE,
                &[(KEPT, kept), (LENT, lent), (ANSWERED, answered), (SENT, COPIED), (GIVEN, given)],
            );
        }
    }
}

/// How long a text of hixie-76 is, nobody knows before its end: what it is gathered in grows.
#[test]
fn what_a_message_of_hixie_76_costs() {
    let kept = [(1, 20), (1, 1_000), (0, 27_600), (2, 200_000)];
    let lent = [(0, 0), (0, 0), (1, 27_600), (3, 200_048)];
    let answered = [(0, 0), (0, 0), (1, 27_600), (4, 400_048)];
    for role in BOTH {
        costs(
            "hixie-76",
            &|role| connection(role, Version::HIXIE_76, quiet()),
            role,
            SHARE,
            &[(KEPT, kept), (LENT, lent), (ANSWERED, answered), (SENT, COPIED), (GIVEN, IN_PLACE)],
        );
    }
}

/// What is inflated is a message of its own, unless it is so short that it was not compressed.
#[test]
fn what_a_compressed_message_costs() {
    let deflate = Deflate::default();
    let extensions: [&dyn Extension; 3] =
        [&deflate, &PerframeCompress::new(deflate), &DeflateFrame::new(deflate)];
    for extension in extensions {
        for role in BOTH {
            costs(
                &format!("{extension:?}"),
                &|role| {
                    let agreed = extension.accept(&extension.offers()[0]).expect("acceptable");
                    let negotiated = Negotiated::new(Version::HYBI_08, None, vec![agreed]);
                    Connection::new(role, negotiated, quiet().into())
                },
                role,
                CODED_SHARE,
                &[
                    (&[Recv, HalfRecv], [(1, 20), (1, 1_000), (1, 60_000), (4, 256_000)]),
                    (LENT, [(0, 0), (2, 1_048), (2, 60_048), (5, 256_000)]),
                    (ANSWERED, [(0, 0), (2, 1_048), (2, 60_048), (9, 488_000)]),
                    (&[Send, HalfSend], [(0, 0), (0, 0), (0, 0), (5, 228_000)]),
                ],
            );
        }
    }
}
