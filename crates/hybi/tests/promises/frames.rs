//! Frames: what a peer sends, what the application does with it, and what is held meanwhile.

use hybi::{Config, Connection, Error, Message, Role, Version, frame::Violation};
use hybi_suite::allocator::Meter;

use crate::{
    KIB, MIB,
    support::versions::{connection, everyone, quiet},
};

/// What an application does that is attacked. Nothing that it sends is ever read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Application {
    Receives,
    /// Until there is no room for an answer; then it receives no more.
    Answers,
}

/// A line of the table.
struct Row {
    attack: &'static str,
    /// The bytes of a peer of this endpoint, about so many; `None` where its version has no such thing.
    bytes: fn(Role, Version, usize) -> Option<Vec<u8>>,
    /// How many there are the first time. Then there are twice as many.
    len: usize,
    application: Application,
    /// What may be held, at most, of the longer one.
    held: usize,
    /// How the connection ends.
    ends: fn(&Error) -> bool,
}

/// What the bytes that come first may cost less than those behind them.
const FIRST: usize = 1024;

const GOES_ON: fn(&Error) -> bool = |_| false;

const TABLE: [Row; 8] = [
    Row {
        attack: "pings whose pongs are never read",
        bytes: |role, version, len| {
            let ping = Message::Ping(vec![b'p'; 125].into());
            (version > Version::HIXIE_76).then(|| repeated(role, version, &ping, len))
        },
        len: MIB,
        application: Application::Receives,
        held: KIB,
        ends: GOES_ON,
    },
    Row {
        attack: "pongs that answer nothing",
        bytes: |role, version, len| {
            let pong = Message::Pong(vec![b'p'; 125].into());
            (version > Version::HIXIE_76).then(|| repeated(role, version, &pong, len))
        },
        len: MIB,
        application: Application::Receives,
        held: KIB,
        ends: GOES_ON,
    },
    Row {
        attack: "empty messages",
        bytes: |role, version, len| Some(repeated(role, version, &Message::text(""), len)),
        len: 100 * KIB,
        application: Application::Receives,
        held: KIB,
        ends: GOES_ON,
    },
    Row {
        attack: "fragments of a byte, without end",
        bytes: |role, version, len| {
            // One byte more than there may be fragments in a message.
            let long = Message::text("x".repeat(65_538));
            let pieces = fragments(role, version, &long, 1);
            let bytes = pieces.repeat(len / pieces.len());
            (version > Version::HIXIE_76).then_some(bytes)
        },
        len: MIB,
        application: Application::Receives,
        // What came, and the buffer that it moved from.
        held: 4 * 64 * KIB,
        ends: |error| {
            matches!(error, Error::Protocol(broken)
                if matches!(broken.violation(), Violation::TooManyFragments { limit: 65_536 }))
        },
    },
    Row {
        attack: "a declared length of 16 MiB, and no more than the header",
        bytes: |role, version, _| {
            let mut peer = connection(role.peer(), version, quiet());
            peer.queue(Message::text("x".repeat(16 * MIB))).expect("open");
            let mut bytes = peer.transmit_to_vec();
            bytes.truncate(20);
            Some(bytes)
        },
        len: 0,
        application: Application::Receives,
        held: 4 * KIB,
        ends: GOES_ON,
    },
    Row {
        attack: "a message that never ends",
        bytes: |role, version, len| {
            let mut peer = connection(role.peer(), version, quiet());
            peer.queue(Message::text("x".repeat(len + len / 2))).expect("open");
            let mut bytes = peer.transmit_to_vec();
            bytes.truncate(len);
            Some(bytes)
        },
        len: 512 * KIB,
        application: Application::Receives,
        // In proportion to what came.
        held: 3 * MIB,
        ends: GOES_ON,
    },
    Row {
        attack: "answers of a few bytes that are never read",
        bytes: |role, version, len| Some(repeated(role, version, &Message::text("few"), len)),
        len: 2 * MIB,
        application: Application::Answers,
        held: 2 * MIB,
        ends: GOES_ON,
    },
    Row {
        attack: "answers of 64 KiB that are never read",
        bytes: |role, version, len| {
            let long = Message::text("x".repeat(64 * KIB));
            Some(repeated(role, version, &long, len))
        },
        len: 4 * MIB,
        application: Application::Answers,
        held: 2 * MIB,
        ends: GOES_ON,
    },
];

/// The same message over and over, as the peer of an endpoint in `role` sends it.
fn repeated(role: Role, version: Version, message: &Message, len: usize) -> Vec<u8> {
    let mut peer = connection(role.peer(), version, quiet());
    peer.queue(message.clone()).expect("open");
    let one = peer.transmit_to_vec();
    one.repeat(len.div_ceil(one.len()))
}

fn fragments(role: Role, version: Version, message: &Message, size: usize) -> Vec<u8> {
    let mut peer = connection(role.peer(), version, quiet().fragment_size(Some(size)));
    peer.queue(message.clone()).expect("open");
    peer.transmit_to_vec()
}

/// What came of an attack.
struct Seen {
    /// The most bytes that were held.
    held: usize,
    allocations: usize,
    /// How often bytes were handed over.
    steps: usize,
}

/// Hands the bytes over as reads bring them, and does with the messages what the application does.
fn attacked(own: &mut Connection, row: &Row, mut bytes: Vec<u8>) -> Seen {
    let meter = Meter::start();
    let (mut steps, mut at) = (0, 0);
    // What is behind a failure is discarded, up to a bound.
    while at < bytes.len() && own.error().is_none() {
        let end = bytes.len().min(at + 64 * KIB);
        let (consumed, event) = own.handle_input(&mut bytes[at..end]);
        assert!(consumed > 0 || event.is_some(), "{}: nothing goes on", row.attack);
        at += consumed;
        steps += 1;
        if let Some(event) = event
            && row.application == Application::Answers
        {
            let message = Message::from(event);
            if !own.has_room_for(message.len()) {
                break;
            }
            own.queue(message).expect("open");
        }
    }
    let ended = own.error().is_some_and(row.ends);
    assert_eq!(own.error().is_some(), ended, "{}: {:?}", row.attack, own.error());
    Seen { held: meter.peak(), allocations: meter.allocations(), steps }
}

#[test]
fn what_is_held_is_bounded_and_twice_the_bytes_are_twice_the_work() {
    for row in &TABLE {
        for (role, version) in everyone() {
            let [Some(once), Some(twice)] =
                [row.len, 2 * row.len].map(|len| (row.bytes)(role, version, len))
            else {
                continue;
            };
            let what = format!("{}, {role:?} {version:?}", row.attack);
            // The blocks that a thread lends to all its connections are there after the first.
            let [_, once, twice] = [once.clone(), once, twice].map(|bytes| {
                let mut own = connection(role, version, Config::default().ping_interval(None));
                attacked(&mut own, row, bytes)
            });
            assert!(twice.held <= row.held, "{what}: {} bytes", twice.held);
            assert!(
                twice.allocations <= 2 * once.allocations + FIRST,
                "{what}: {} allocations, then {}",
                once.allocations,
                twice.allocations
            );
            assert!(
                twice.steps <= 2 * once.steps + FIRST,
                "{what}: {} steps, then {}",
                once.steps,
                twice.steps
            );
        }
    }
}
