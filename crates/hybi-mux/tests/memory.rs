//! What a peer can make an endpoint hold, and for how long.

mod support;

use core::time::Duration;

use hybi_mux::{
    Config, ControlBlock, DropReason, Ended, Endpoint, HandshakeEncoding, MuxViolation, Read,
    Revision,
};
use hybi_suite::allocator::{Counting, Meter};

use crate::support::{FIELDS, Pair, REQUEST, blocks, channel, frame};

#[global_allocator]
static COUNTING: Counting = Counting;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The window of these tests, which is the default.
const WINDOW: usize = 64 * KIB;

/// What a channel has beside what it holds for its application: blocks that are not full, and its state.
const AROUND: usize = 36 * KIB;

/// What the second of two channels holds, and how it ended, when nobody reads what comes in these messages, over and over
/// again.
fn held(revision: Revision, messages: &[Vec<u8>]) -> (usize, Option<Ended>) {
    let (mut server, first) = Endpoint::server(Config::default().revision(revision), FIELDS, 0);
    let meter = Meter::start();
    let error = (0..140_000)
        .find_map(|_| messages.iter().find_map(|message| server.handle_message(message).err()));
    assert!(error.is_some(), "it may send as much as it likes");
    let held = meter.peak();
    assert_eq!(server.ended(), None, "it is no matter of other channels");
    let mut octets = vec![0; 64 * KIB];
    let end = loop {
        match server.read(first, &mut octets) {
            Read::Octets(_) => {}
            Read::Wait => break None,
            Read::End(ended) => break Some(ended),
        }
    };
    (held, end)
}

#[test]
fn a_channel_that_nobody_reads_holds_four_windows_at_most() {
    let all = [Revision::Ietf03, Revision::Ietf05, Revision::Ietf07];
    let byte = |first| frame(1, first, b"x");
    let empty = |first| frame(1, first, b"");
    // What comes, in which revisions the channel ends of it, and of which rule.
    type Row = (&'static str, Vec<Vec<u8>>, [Option<MuxViolation>; 3]);
    let quota = Some(MuxViolation::QuotaViolation);
    let many = Some(MuxViolation::EmptyMessages);
    let table: [Row; 11] = [
        ("messages of 1000 octets", vec![frame(1, 0x82, &[b'x'; 1000])], [quota; 3]),
        ("messages of one octet", vec![byte(0x82)], [quota; 3]),
        ("fragments of one octet", vec![byte(0x02), byte(0x00), byte(0x80)], [quota; 3]),
        ("empty messages", vec![empty(0x81)], [many, many, quota]),
        ("empty messages in two fragments", vec![empty(0x01), empty(0x80)], [many, many, quota]),
        ("empty pings", vec![empty(0x89)], [many, many, quota]),
        ("pings of one octet", vec![byte(0x89)], [quota; 3]),
        ("pings in fragments", vec![byte(0x09), byte(0x80)], [quota; 3]),
        (
            "pings in empty fragments",
            vec![empty(0x09), empty(0x00), empty(0x80)],
            [many, many, quota],
        ),
        ("pings of 125 octets", vec![frame(1, 0x89, &[b'x'; 125])], [quota; 3]),
        (
            "a ping that never ends, among messages",
            vec![byte(0x82), byte(0x01), byte(0x80)],
            [quota; 3],
        ),
    ];
    let mut most = 0;
    for (attack, messages, ends) in table {
        for (revision, rule) in all.into_iter().zip(ends) {
            // On a thread that has lent nothing before: what lies in blocks is counted then.
            let messages = messages.clone();
            let held = std::thread::spawn(move || held(revision, &messages));
            let (held, end) = held.join().expect("it holds what it may");
            most = most.max(held);
            assert!(held <= 4 * WINDOW + AROUND, "{attack}, {revision:?}: {held} octets");
            let rule = rule.expect("each ends");
            let Some(Ended::Dropped { code, reason }) = end else { panic!("{attack}: {end:?}") };
            assert_eq!(
                (code, reason),
                (rule.drop_code(), rule.to_string()),
                "{attack}, {revision:?}"
            );
        }
    }
    assert!(most > 4 * WINDOW, "{most} octets: there is worse than that");
}

#[test]
fn fragments_that_have_nothing_are_not_kept() {
    for revision in [Revision::Ietf03, Revision::Ietf05, Revision::Ietf07] {
        for begin in [0x01, 0x09] {
            let (mut server, first) =
                Endpoint::server(Config::default().revision(revision), FIELDS, 0);
            server.handle_message(&frame(1, begin, b"x")).expect("lawful");
            let meter = Meter::start();
            for _ in 0..100_000 {
                server.handle_message(&frame(1, 0x00, b"")).expect("lawful");
            }
            assert!(meter.held() < 64, "{} octets", meter.held());
            // Nothing of it is wrong.
            server.handle_message(&frame(1, 0x80, b"y")).expect("lawful");
            let mut octets = [0; 16];
            let Read::Octets(len) = server.read(first, &mut octets) else { panic!("it is there") };
            assert!(octets[..len].ends_with(b"y"));
        }
    }
}

#[test]
fn a_million_blocks_are_not_kept() {
    let flow = |id, quota| ControlBlock::FlowControl { channel: channel(id), quota };
    let slots = |slots, quota| ControlBlock::NewChannelSlot { slots, quota, is_fallback: false };
    let drop = ControlBlock::DropChannel { channel: channel(77), reason: DropReason::None };
    let fallback = ControlBlock::NewChannelSlot { slots: 0, quota: 0, is_fallback: true };
    let refusal = ControlBlock::AddChannelResponse {
        channel: channel(77),
        is_rejected: true,
        encoding: HandshakeEncoding::Identity,
        handshake: b"",
    };
    let config = Config::default();
    for block in
        [flow(1, 0), flow(1, 1), flow(77, 1), slots(0, 0), slots(1, 1), drop, fallback, refusal]
    {
        let is_for_client = matches!(
            block,
            ControlBlock::NewChannelSlot { .. } | ControlBlock::AddChannelResponse { .. }
        );
        let (mut ours, _) = match is_for_client {
            true => Endpoint::client(config.clone(), FIELDS),
            false => Endpoint::server(config.clone(), FIELDS, 0),
        };
        // As many as a message of the physical connection may have.
        let one = blocks(Revision::Ietf07, &[block]).len() - 1;
        let message = blocks(Revision::Ietf07, &vec![block; config.max_physical_message() / one]);
        let blocks_in_one = config.max_physical_message() / one;
        let meter = Meter::start();
        for _ in 0..1_000_000 / blocks_in_one + 1 {
            ours.handle_message(&message).expect("lawful");
        }
        assert!(meter.peak() < KIB, "{block:?}: {} octets", meter.peak());
        let events = core::iter::from_fn(|| ours.poll_event()).count();
        assert!(events <= 1, "{block:?}: {events} events");
    }
}

#[test]
fn slots_of_ever_other_quotas_are_too_many_at_1025() {
    let (mut client, _) = Endpoint::client(Config::default(), FIELDS);
    let meter = Meter::start();
    let grant = |quota| {
        let slot = ControlBlock::NewChannelSlot { slots: 1, quota, is_fallback: false };
        blocks(Revision::Ietf07, &[slot])
    };
    for quota in 0..1024 {
        client.handle_message(&grant(quota)).expect("so many are kept");
    }
    let error = client.handle_message(&grant(1024)).expect_err("and no more");
    assert_eq!(error.violation(), MuxViolation::SlotOverflow);
    assert!(meter.peak() < 64 * KIB, "{} octets", meter.peak());
}

#[test]
fn opening_and_dropping_without_end_leaves_nothing_and_waits_for_slots() {
    let mut pair = Pair::new(Config::default().max_channels(4).openings_per_second(100));
    let mut held = Vec::with_capacity(3);
    let begin = pair.now;
    for id in 2..3002 {
        let (ours, theirs) = loop {
            match pair.client.open(Some(channel(id))) {
                Ok(key) => break (key, pair.ask_and_accept(key)),
                Err(_) => {
                    pair.now = pair.server.next_slots_at(pair.now).expect("one is owed");
                    pair.move_messages();
                }
            }
        };
        pair.client.release(ours);
        pair.move_messages();
        pair.server.release(theirs);
        pair.move_messages();
        if id % 1000 == 1 {
            held.push(Meter::start());
        }
    }
    // The first four came at once, and the others a hundred a second.
    assert_eq!(pair.now - begin, Duration::from_millis(10) * (3000 - 4));
    assert_eq!((pair.client.channels(), pair.server.channels()), (1, 1));
    assert_eq!(held.iter().map(Meter::held).max(), Some(0), "nothing is held of what is over");
}

/// As many requests as there are slots, as large as a head may be, which nobody looks at; and a peer that does not read.
#[test]
fn requests_that_nobody_takes_hold_their_heads() {
    let (mut server, _) = Endpoint::server(Config::default(), FIELDS, 0);
    let mut message = Vec::new();
    let now = std::time::Instant::now();
    while server.poll_message(now, &mut message) {}
    let fields: String = (0..60).map(|at| format!("X-{at}: {}\r\n", "x".repeat(250))).collect();
    let head = String::from_utf8_lossy(REQUEST).replacen("\r\n", &format!("\r\n{fields}"), 1);
    assert!(head.len() > 15 * KIB && head.len() < 16 * KIB);
    let meter = Meter::start();
    let ask = |id| {
        let (encoding, handshake) = (HandshakeEncoding::Identity, head.as_bytes());
        let request = ControlBlock::AddChannelRequest { channel: channel(id), encoding, handshake };
        blocks(Revision::Ietf07, &[request])
    };
    for id in 2..66 {
        server.handle_message(&ask(id)).expect("there is a slot");
    }
    let each = meter.peak() / 64;
    assert!(each < 52 * KIB, "{each} octets for each");
    let error = server.handle_message(&ask(66)).expect_err("there is none");
    assert_eq!(error.violation(), MuxViolation::NoSlot);
    assert_eq!(server.channels(), 1 + 64);
}

#[test]
fn reasons_that_fail_everything_are_short_on_each_channel() {
    let mut pair = Pair::new(Config::default().max_channels(1000));
    let keys: Vec<_> = (2..1002).map(|id| pair.open(id).1).collect();
    let reason = "x".repeat(60 * KIB);
    let reason = DropReason::Code(hybi_mux::DropCode::BUSY, &reason);
    let drop = ControlBlock::DropChannel { channel: channel(0), reason };
    let message = blocks(Revision::Ietf07, &[drop]);
    let meter = Meter::start();
    pair.server.handle_message(&message).expect("lawful");
    assert!(meter.peak() < MIB, "{} octets for {} channels", meter.peak(), keys.len());
}

/// A peer that opens and drops channels and never reads: what is to be said to it stays as much as there were slots.
#[test]
fn what_a_peer_does_not_read_stays_little() {
    let (mut server, first) = Endpoint::server(Config::default(), FIELDS, u64::from(u32::MAX));
    let mut message = Vec::new();
    let now = std::time::Instant::now();
    while server.poll_message(now, &mut message) {}
    let meter = Meter::start();
    let mut octets = vec![0; 64 * KIB];
    let mut id = 2;
    for _ in 0..10_000 {
        // Grants, answers to drops, refusals.
        server.handle_message(&frame(1, 0x82, &[b'x'; 1000])).expect("lawful");
        while let Read::Octets(_) = server.read(first, &mut octets) {}
        let asks = ControlBlock::AddChannelRequest {
            channel: channel(id),
            encoding: HandshakeEncoding::Identity,
            handshake: if id % 2 == 0 { REQUEST } else { b"none" },
        };
        let drops = ControlBlock::DropChannel { channel: channel(id), reason: DropReason::None };
        if id < 66 {
            server.handle_message(&blocks(Revision::Ietf07, &[asks, drops])).expect("lawful");
            if let Some((key, _request)) = server.next_request() {
                server.release(key);
            }
            id += 1;
        }
        // The application's answers, as many as are taken.
        while server.write(first, &[0x81, 1, b'x']) == Ok(3) {}
    }
    assert!(meter.peak() < 256 * KIB, "{} octets", meter.peak());
}
