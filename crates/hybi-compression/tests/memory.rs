//! What connections hold, quiet and busy. All connections of a process leave their states in one
//! store, so these have a process of their own, and take turns.
#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use hybi_compression::{Chain, Compress, Deflate, Step};
use hybi_suite::allocator::{Counting, Meter};

use support::endpoint::{Endpoint, pair};
use support::text::{noise, record};

#[global_allocator]
static COUNTING: Counting = Counting;

/// While a test runs alone, with no state pushed out by the budget.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Deflate::set_budget(usize::MAX);
    alone
}

fn exchange(client: &mut Endpoint, server: &mut Endpoint, messages: u64, bytes: usize) {
    for seed in 0..messages {
        let message = record(bytes, seed);
        let wire = client.send(&message, Compress::Auto, usize::MAX);
        assert!(server.receive_one(&wire) == message);
        let wire = server.send(&message, Compress::Auto, usize::MAX);
        assert!(client.receive_one(&wire) == message);
    }
}

/// Ten messages of 1 KiB each way: what is kept of both ends of many such connections.
#[test]
fn a_parked_connection_costs_a_few_kilobytes() {
    let _alone = alone();
    // What a thread keeps for all of them is there before.
    let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
    exchange(&mut client, &mut server, 10, 1024);
    client.chain.park();
    server.chain.park();

    let meter = Meter::start();
    let mut pairs = Vec::new();
    for _ in 0..50 {
        let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
        exchange(&mut client, &mut server, 10, 1024);
        client.chain.park();
        server.chain.park();
        pairs.push((client, server));
    }
    let each = meter.held() / 100;
    assert!(each < 12 * 1024, "{each} bytes an endpoint");
    // They are still connections.
    for (client, server) in &mut pairs {
        exchange(client, server, 2, 1024);
        client.chain.park();
        server.chain.park();
    }
    let each = meter.held() / 100;
    assert!(each < 16 * 1024, "{each} bytes an endpoint, later");
}

/// Whatever was exchanged, parked there are no more than the last 32 KiB received and 4 KiB sent,
/// or the window that was agreed on for sending.
#[test]
fn a_parked_connection_keeps_no_more_than_its_windows() {
    let _alone = alone();
    let small = if Deflate::HAS_WINDOW_BITS { 9 } else { 15 };
    for (bits, sent) in [(15, 4 << 10), (small, (1 << small).min(4 << 10))] {
        let deflate = Deflate::default().level(6).own_window_bits(bits).peer_window_bits(bits);
        let talk = || {
            let (mut client, mut server) = pair(deflate, deflate);
            for seed in 0..20 {
                // It gets smaller by an eighth, which is not enough to be packed.
                let message: Vec<u8> = noise(10_000, seed).iter().map(|byte| byte & 0x7f).collect();
                let wire = client.send(&message, Compress::Always, usize::MAX);
                assert!(server.receive_one(&wire) == message);
                let wire = server.send(&message, Compress::Always, usize::MAX);
                assert!(client.receive_one(&wire) == message);
            }
            client.chain.park();
            server.chain.park();
            (client, server)
        };
        // What the thread keeps is there before.
        drop(talk());
        let meter = Meter::start();
        let both = talk();
        let each = meter.held() / 2;
        drop(both);
        let received = 32 << 10;
        assert!((received..received + sent + 2048).contains(&each), "{bits} bits: {each}");
    }
}

/// Many different messages sent to a connection leave 4 KiB, however they were sent.
#[test]
fn broadcasts_leave_little() {
    let _alone = alone();
    for shared in [false, true] {
        let mut servers: Vec<_> =
            (0..50).map(|_| pair(Deflate::default(), Deflate::default()).1).collect();
        let meter = Meter::start();
        for seed in 0..30 {
            let message = record(1024, seed);
            for server in &mut servers {
                if shared {
                    let key = server.chain.shared_encoding(&message, Compress::Auto);
                    assert!(key.is_some(), "compressed");
                    server.chain.sent_shared(&message);
                } else {
                    server.send(&message, Compress::Auto, usize::MAX);
                }
            }
        }
        for server in &mut servers {
            server.chain.park();
        }
        // What the thread keeps for all of them is in here, too.
        let each = (meter.held() - meter.held().min(3 << 20)) / servers.len();
        assert!(each < 5 << 10, "{shared}: {each} bytes an endpoint");
    }
}

/// States come back to the thread and serve the next connection: nothing is made for it.
#[test]
fn states_are_used_again() {
    let _alone = alone();
    let deflate = Deflate::default();
    let (mut client, mut server) = pair(deflate, deflate);
    exchange(&mut client, &mut server, 3, 1024);
    drop((client, server));
    let (mut client, mut server) = pair(deflate, deflate);
    let meter = Meter::start();
    exchange(&mut client, &mut server, 3, 1024);
    assert!(meter.peak() < 100 << 10, "{}", meter.peak());
    drop((client, server));

    let deflate = deflate.own_context_takeover(false).peer_context_takeover(false);
    let (mut client, mut server) = pair(deflate, deflate);
    exchange(&mut client, &mut server, 3, 1024);
    let meter = Meter::start();
    exchange(&mut client, &mut server, 3, 1024);
    assert!(meter.peak() < 100 << 10 && meter.held() < 1024, "{} {}", meter.peak(), meter.held());
}

/// A message in progress has what came of it beside it: an eighth and 1 KiB more than the message at
/// most, whatever the message is.
#[test]
fn a_message_in_progress_takes_little_more_than_its_length() {
    let _alone = alone();
    const LEN: usize = 2 << 20;
    let letters = noise(LEN, 1).iter().map(|byte| b'0' + byte % 64).collect();
    for (message, worst) in [(record(LEN, 1), false), (letters, true), (noise(LEN, 1), true)] {
        let (_, mut server) = pair(Deflate::default(), Deflate::default());
        let meter = Meter::start();
        let mut encoding = server.chain.start_message(message, Compress::Always);
        while let Step::More(more) = server.chain.advance(encoding, Chain::ENCODE_SLICE) {
            encoding = more;
        }
        // With the compressor, and a sample of the message.
        let most = if worst { LEN + LEN / 8 + 1024 } else { LEN / 2 };
        assert!(meter.peak() < most + (400 << 10), "{} of {most}", meter.peak());
    }
}

/// Where no compressor may be held between the slices of a piece, each goes on with another one, and the piece is the
/// same to whoever receives it.
#[test]
fn a_piece_in_progress_holds_no_more_than_the_budget() {
    let _alone = alone();
    let text = record(300 << 10, 1);
    for budget in [0, usize::MAX] {
        Deflate::set_budget(budget);
        for deflate in [Deflate::default(), Deflate::default().own_context_takeover(false)] {
            let (mut client, mut server) = pair(deflate, Deflate::default());
            let rsv = server.chain.begin_pieces(&text, Compress::Always).expect("agreed on");
            let mut message = Vec::new();
            for last in [false, true] {
                let mut encoding = server.chain.start_piece(&text, last);
                let encoded = loop {
                    match server.chain.advance(encoding, 10 << 10) {
                        Step::More(more) => encoding = more,
                        Step::Done(encoded) => break encoded,
                    }
                };
                assert!(encoded.as_ref().len() < text.len() / 2);
                message.extend_from_slice(encoded.as_ref());
            }
            let mut got = Vec::new();
            let result = client.chain.decode_message(&message, rsv, 1 << 20, &mut got);
            assert!(result == Ok(()) && got == text.repeat(2), "{budget}");
            exchange(&mut client, &mut server, 3, 1024);
        }
    }
}
