//! What parked connections send and understand.

use hybi_compression::{Compress, Deflate};
use hybi_suite::rfc1951::Inflate;
use proptest::prelude::*;

use crate::support::endpoint::{Endpoint, pair};
use crate::support::text::{Random, noise, record};

/// Parked after every message, in every window and at every level.
#[test]
fn parking_after_every_message_is_invisible() {
    let windows = if Deflate::HAS_WINDOW_BITS { 8..=15 } else { 15..=15 };
    for bits in windows {
        for level in 0..=9 {
            let deflate = Deflate::default().level(level).own_window_bits(bits);
            let (mut client, mut server) = pair(deflate, deflate);
            let mut inflate = Inflate::default();
            for seed in 0..12 {
                let len = [40, 300, 2500][seed as usize % 3];
                let message = if seed == 5 { noise(len, seed) } else { record(len, seed % 4) };
                let wire = client.send(&message, Compress::Always, usize::MAX);
                assert!(server.receive_one(&wire) == message, "{bits} {level} {seed}");
                let mut encoded = Vec::new();
                server.chain.encode_message(&message, Compress::Always, &mut encoded);
                assert!(
                    inflate.message(&encoded, true).as_ref() == Ok(&message),
                    "{bits} {level} {seed}"
                );
                let wire = server.frames(Some(hybi_frame::Rsv::RSV1), &encoded, usize::MAX);
                assert!(client.receive_one(&wire) == message, "{bits} {level} {seed}");
                for end in [&mut client, &mut server] {
                    end.chain.park();
                    assert!(!end.chain.is_active());
                }
            }
            let farthest = if bits == 8 { 250 } else { 1 << bits };
            assert!(
                inflate.noted.farthest <= farthest,
                "{bits} {level}: {}",
                inflate.noted.farthest
            );
        }
    }
}

/// Parking costs memory and time, not bytes on the wire: what was there to refer to still is.
#[cfg(feature = "zlib-rs")]
#[test]
fn nothing_is_forgotten() {
    let sent = |park: bool| -> usize {
        let (_, mut server) = pair(Deflate::default(), Deflate::default());
        let mut sum = 0;
        for seed in 0..60 {
            sum += server.send(&record(1000, seed), Compress::Always, usize::MAX).len();
            if park {
                server.chain.park();
            }
        }
        sum
    };
    let (parked, live) = (sent(true), sent(false));
    assert!(parked <= live + live / 20, "{parked} {live}");
}

#[test]
fn only_what_is_quiet_is_parked() {
    let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
    assert!(!server.chain.is_active());
    let (first, second) = (record(3000, 1), record(3000, 2));
    let wire = client.send(&first, Compress::Always, usize::MAX);
    assert_eq!(server.receive_one(&wire), first);
    assert!(server.chain.is_active() && client.chain.is_active());

    // In the middle of a message there is nothing that could be released yet.
    let wire = client.send(&second, Compress::Always, 50);
    for (at, chunk) in wire.chunks(30).enumerate() {
        server.receive(chunk).expect("lawful");
        if at + 1 < wire.len().div_ceil(30) {
            assert!(!server.chain.is_active(), "{at}");
            server.chain.park();
        }
    }
    assert_eq!(server.receive_one(&[]), second);
    assert!(server.chain.is_active());
    server.chain.park();
    assert!(!server.chain.is_active());
}

/// Without takeover no state outlives its message.
#[test]
fn without_takeover_there_is_nothing_to_park() {
    let deflate = Deflate::default().own_context_takeover(false).peer_context_takeover(false);
    let (mut client, mut server) = pair(deflate, deflate);
    let message = record(3000, 1);
    let wire = client.send(&message, Compress::Always, usize::MAX);
    assert_eq!(server.receive_one(&wire), message);
    assert!(!server.chain.is_active() && !client.chain.is_active());
}

/// A final block empties the history: what is rebuilt after it has nothing of what was before.
#[test]
fn final_blocks_are_remembered() {
    let final_hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for park in [false, true] {
        let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
        let mut pass = |payload: &[u8]| {
            let wire = server.frames(Some(hybi_frame::Rsv::RSV1), payload, usize::MAX);
            let result = client.receive(&wire);
            if park {
                client.chain.park();
            }
            result.map(|()| client.events.pop())
        };
        let event = pass(&hello).expect("lawful");
        assert_eq!(pass(&again).expect("lawful"), event);
        assert_eq!(pass(&final_hello).expect("lawful"), event);
        // With zlib-rs it is an error; to miniz_oxide, what was before the first byte is zeros.
        assert!(pass(&again).ok() != Some(event));
        server.chain.park();
    }
}

#[derive(Clone, Debug)]
enum Step {
    ToServer(usize, u64),
    ToClient(usize, u64),
    ParkClient,
    ParkServer,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_usize..5000, any::<u64>()).prop_map(|(len, seed)| Step::ToServer(len, seed)),
        3 => (0_usize..5000, any::<u64>()).prop_map(|(len, seed)| Step::ToClient(len, seed)),
        2 => Just(Step::ParkClient),
        2 => Just(Step::ParkServer),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parking_at_any_time_is_invisible(
        steps in prop::collection::vec(step(), 1..40),
        (bits, level) in (8_u8..=15, 0_u8..=9),
    ) {
        let deflate = Deflate::default().own_window_bits(bits).level(level);
        let (mut client, mut server) = pair(deflate, deflate);
        let pass = |from: &mut Endpoint, to: &mut Endpoint, len, seed: u64| {
            let message = match seed % 4 {
                0 => noise(len, seed),
                _ => record(len, seed % 7),
            };
            let frame = 1 + Random::new(seed).next() as usize % 3000;
            let wire = from.send(&message, Compress::Always, frame);
            assert!(to.receive_one(&wire) == message, "{len} {seed}");
        };
        for step in steps {
            match step {
                Step::ToServer(len, seed) => pass(&mut client, &mut server, len, seed),
                Step::ToClient(len, seed) => pass(&mut server, &mut client, len, seed),
                Step::ParkClient => client.chain.park(),
                Step::ParkServer => server.chain.park(),
            }
        }
    }
}

/// Histories and messages of every texture, from nearly empty to nearly noise: what a library has
/// buffered when its output fills up must not come out in front of the next message.
#[test]
fn whatever_the_history_is_made_of_the_next_message_is_whole() {
    let mut random = Random::new(11);
    let mut below = |limit: usize| random.next() as usize % limit;
    for round in 0..200 {
        let deflate = Deflate::default().level(1 + round % 9).min_size(0);
        let (mut client, mut server) = pair(deflate, deflate);
        for turn in 0..3 {
            let len = if turn == 0 { 1000 + below(32_000) } else { 1 + below(300) };
            let symbols = 2 + below(160);
            let message: Vec<u8> = (0..len).map(|_| below(symbols) as u8).collect();
            server.chain.park();
            let wire = server.send(&message, Compress::Always, usize::MAX);
            assert!(client.receive_one(&wire) == message, "{round} {turn}: {len} of {symbols}");
            client.chain.park();
        }
    }
}
