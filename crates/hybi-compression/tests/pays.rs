//! What does not get smaller is not compressed first: which payloads of whole conversations are, as
//! RSV1 tells the peer, with every extension that has payloads.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use hybi_compression::{Chain, Compress, Deflate};
use support::endpoint::every_payload_extension;
use support::text::{noise, record};

/// Senders with every extension, with takeover and without.
fn senders(deflate: Deflate) -> impl Iterator<Item = Chain> {
    let agreed = [true, false].map(|takeover| {
        every_payload_extension(
            deflate.own_context_takeover(takeover).peer_context_takeover(takeover),
        )
    });
    agreed.into_iter().flatten().map(|agreed| Chain::new(&agreed))
}

/// How long the payload is when it is sent, if it is compressed.
fn compressed(chain: &mut Chain, payload: &[u8]) -> Option<usize> {
    let (mut of_message, mut of_frame) = (Vec::new(), Vec::new());
    if chain.encode_message(payload, Compress::Auto, &mut of_message).is_some() {
        return Some(of_message.len());
    }
    chain.encode_frame(payload, Compress::Auto, &mut of_frame).map(|_| of_frame.len())
}

/// Lengths from the shortest that is compressed to a long one, and how many of each there are.
const LENS: [(usize, u64); 6] =
    [(256, 300), (1 << 10, 300), (4 << 10, 50), (10_000, 20), (64 << 10, 5), (300_000, 2)];

#[test]
fn noise_is_left_as_it_is() {
    for (len, count) in LENS {
        let messages: Vec<_> = (0..count).map(|seed| noise(len, seed)).collect();
        for mut sender in senders(Deflate::default()) {
            let tried =
                messages.iter().filter(|message| compressed(&mut sender, message).is_some());
            let tried = tried.count();
            // A short one that was tried is sent so: the 1st, 5th, 21st and so on.
            let most = if len < 4096 { 6 } else { 0 };
            assert!(tried <= most, "{tried} of {count} of {len} bytes");
        }
    }
}

#[test]
fn what_gets_smaller_is_compressed_between_any_noise() {
    for (len, count) in LENS {
        let (noises, records): (Vec<_>, Vec<_>) =
            (0..count.min(30)).map(|seed| (noise(len, seed), record(len, seed))).unzip();
        for (mut between, mut alone) in senders(Deflate::default()).zip(senders(Deflate::default()))
        {
            let (mut mixed, mut pure) = (0, 0);
            for (noise, record) in noises.iter().zip(&records) {
                compressed(&mut between, noise);
                mixed += compressed(&mut between, record).expect("smaller");
                pure += compressed(&mut alone, record).expect("smaller");
            }
            assert!(mixed <= pure + pure / 100, "{len}: {mixed} {pure}");
        }
    }
}

/// Half of it, at any place, is worth it; so is a part that is a little more than what can be gained.
#[test]
fn a_part_that_gets_smaller_is_found_wherever_it_is() {
    for len in [8 << 10, 40_000, 300_000] {
        for (part, parts) in [(0, 2), (1, 2), (0, 4), (1, 4), (3, 4), (37, 100), (98, 100)] {
            if parts == 100 && len < 300_000 {
                continue;
            }
            let mut payload = noise(len, 1);
            let (start, end) = (len * part / parts, len * (part + 1) / parts);
            payload[start..end].copy_from_slice(&record(end - start, 2));
            for mut sender in senders(Deflate::default().level(6)).step_by(5) {
                // Noise before has made it wary.
                for seed in 0..8 {
                    compressed(&mut sender, &noise(5000, seed));
                }
                let sent = compressed(&mut sender, &payload);
                assert!(sent.is_some(), "{part} of {parts} of {len}");
            }
        }
    }
}

/// What looks like noise and is not: a message that is sent again and again.
#[test]
fn a_repeated_message_is_found_out() {
    for before in [0, 100] {
        let agreed = every_payload_extension(Deflate::default());
        for mut sender in agreed.iter().map(|agreed| Chain::new(agreed)) {
            for seed in 0..before {
                compressed(&mut sender, &noise(1000, seed));
            }
            let message = noise(1000, 1 << 40);
            let small =
                (0..600).filter(|_| compressed(&mut sender, &message).is_some_and(|len| len < 100));
            assert!(small.count() >= 200, "after {before}");
        }
    }
}

/// Records of a binary format have bytes of all kinds, and get smaller by their likeness.
#[test]
fn messages_of_a_binary_format_are_compressed() {
    for len in [200, 1000, 10_000] {
        for mut sender in senders(Deflate::default()) {
            let sent =
                (0..50).filter(|&seed| compressed(&mut sender, &binary(len, seed)).is_some());
            let sent = sent.count();
            assert!(sent >= 48, "{sent} of 50 of {len} bytes");
        }
    }
}

/// Text whose letters are all alike gets smaller by a quarter, but not at level 1, which does not
/// count letters. It is not noise, and not compressed in vain again and again.
#[test]
fn coded_noise_is_compressed_where_that_helps() {
    // With other libraries, every level counts.
    let counts = |level| level > 1 || !cfg!(feature = "zlib-rs");
    for level in [1, 2, 6] {
        for mut sender in senders(Deflate::default().level(level)).step_by(3) {
            for seed in 0..4 {
                let letters = noise(50_000, seed).into_iter().map(|byte| b'0' + byte % 64);
                let sent = compressed(&mut sender, &letters.collect::<Vec<_>>());
                // The first is compressed in vain.
                assert!(seed == 0 || sent.is_some() == counts(level), "level {level}");
                let sent = compressed(&mut sender, &record(50_000, seed));
                assert!(sent.is_some(), "level {level}");
            }
        }
    }
}

/// `Compress::Always` is not asked twice.
#[test]
fn always_is_always() {
    let agreed = every_payload_extension(Deflate::default());
    let mut sender = Chain::new(&agreed[0]);
    for seed in 0..20 {
        let mut out = Vec::new();
        assert!(sender.encode_message(&noise(1000, seed), Compress::Always, &mut out).is_some());
    }
}

/// Tags, lengths and small numbers in front of names, times and eight bytes of noise.
fn binary(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut id = 48_213 + 13 * seed;
    while bytes.len() < len {
        let random = noise(12, id);
        let name =
            [&b"Marta Kowalska"[..], b"Joao Pereira", b"Aiko Tanaka"][usize::from(random[0]) % 3];
        let symbol = [&b"AXB"[..], b"BRNT", b"EURUSD"][usize::from(random[1]) % 3];
        id += 1 + u64::from(random[2]) % 5;
        let time = 1_760_000_000_000 + 350 * id;
        bytes.extend([0x0a, 60, 0x08, id as u8 | 0x80, (id >> 7) as u8 | 0x80, (id >> 14) as u8]);
        bytes.push(0x10);
        bytes.extend((0..5).map(|at| (time >> (7 * at)) as u8 | 0x80));
        bytes.extend([0x31, 0x1a, name.len() as u8]);
        bytes.extend(name);
        bytes.extend([0x22, symbol.len() as u8]);
        bytes.extend(symbol);
        bytes.extend([
            0x29,
            0,
            0,
            0,
            0,
            random[3],
            random[4],
            0xb2,
            0x40,
            0x30,
            random[5] & 0x7f,
            0x39,
        ]);
        bytes.extend(&random[4..]);
    }
    bytes.truncate(len);
    bytes
}
