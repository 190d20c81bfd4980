//! What is sent, RFC 7692 §7.2.1, judged by an inflater of our own; and what is received of it.

use hybi_compression::{Compress, Deflate};
use hybi_frame::{CloseCode, Rsv};
use hybi_suite::rfc1951::Inflate;
use proptest::prelude::*;

use crate::support::endpoint::{Endpoint, pair};
use crate::support::text::{Random, noise, record};

/// The header of a server's frame is in front of its payload.
fn payload(frame: &[u8]) -> &[u8] {
    match frame[1] {
        126 => &frame[4..],
        127 => &frame[10..],
        _ => &frame[2..],
    }
}

/// Messages of several kinds: alike, unlike anything, short, longer than every window but one.
fn messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = (0..6).map(|seed| record(700, seed)).collect();
    messages.push(noise(300, 1));
    messages.push(record(9000, 7));
    messages.push(b"x".to_vec());
    messages.push(vec![b'a'; 3000]);
    messages.push(messages[0].clone());
    messages
}

#[test]
fn every_level_and_window_is_deflate_data() {
    let windows = if Deflate::HAS_WINDOW_BITS { 8..=15 } else { 15..=15 };
    for bits in windows {
        for level in 0..=9 {
            for takeover in [true, false] {
                let server = Deflate::default()
                    .level(level)
                    .own_window_bits(bits)
                    .own_context_takeover(takeover);
                let (mut client, mut server) = pair(Deflate::default(), server);
                let mut inflate = Inflate::default();
                for message in messages() {
                    let wire = server.send(&message, Compress::Always, usize::MAX);
                    let context = format!("{bits} bits, level {level}, takeover {takeover}");
                    let compressed = wire[0] & 0x40 != 0;
                    // Level 0 makes nothing smaller, and what is long is better sent as it is.
                    let stored = level == 0 && message.len() > 4096;
                    assert!(compressed || !takeover || stored, "{context}");
                    if compressed {
                        let inflated = inflate.message(payload(&wire), takeover);
                        assert!(inflated.as_ref() == Ok(&message), "{context}");
                    }
                    assert!(client.receive_one(&wire) == message, "{context}");
                }
                // With 8 bits a window of 9 is compressed with; this is why that is safe.
                let farthest = if bits == 8 { 250 } else { 1 << bits };
                assert!(
                    inflate.noted.farthest <= farthest,
                    "{bits} {level}: {}",
                    inflate.noted.farthest
                );
                assert!(!inflate.noted.final_block);
            }
        }
    }
}

#[test]
fn what_does_not_get_smaller_is_sent_as_it_is() {
    for takeover in [true, false] {
        let deflate = Deflate::default().own_context_takeover(takeover);
        let (mut client, mut server) = pair(Deflate::default(), deflate);
        let mut inflate = Inflate::default();
        // What went as it was is no part of what later messages refer to, on either side.
        for message in [record(2000, 1), noise(100_000, 2), record(2000, 3), noise(5000, 4)] {
            let wire = server.send(&message, Compress::Auto, usize::MAX);
            let compressed = wire[0] & 0x40 != 0;
            assert_eq!(compressed, message.len() == 2000, "{} bytes", message.len());
            assert!(wire.len() <= message.len() + 14);
            if compressed {
                assert!(inflate.message(payload(&wire), takeover).as_ref() == Ok(&message));
            }
            assert!(client.receive_one(&wire) == message);
        }
    }
}

/// The match finder of a window of 9 bits, on data that tempts it to look as far back as it can.
#[cfg(feature = "zlib-rs")]
#[test]
fn a_window_of_8_bits_is_never_exceeded() {
    let mut farthest = 0;
    for level in 1..=9 {
        let small = Deflate::default().own_window_bits(8).level(level);
        let (_, mut server) = pair(Deflate::default(), small);
        let mut inflate = Inflate::default();
        for period in 200..=600 {
            let unit = noise(period, 5);
            let message: Vec<u8> = unit.iter().copied().cycle().take(3 * period).collect();
            let wire = server.send(&message, Compress::Always, usize::MAX);
            assert!(inflate.message(payload(&wire), true).as_ref() == Ok(&message));
        }
        farthest = farthest.max(inflate.noted.farthest);
    }
    assert!((200..=250).contains(&farthest), "{farthest}");
}

#[test]
fn takeover_makes_like_messages_smaller() {
    let (_, mut with) = pair(Deflate::default(), Deflate::default());
    let (_, mut without) = pair(Deflate::default(), Deflate::default().own_context_takeover(false));
    let (mut sum_with, mut sum_without, mut plain) = (0, 0, 0);
    for seed in 0..20 {
        let message = record(1000, seed);
        sum_with += with.send(&message, Compress::Auto, usize::MAX).len();
        sum_without += without.send(&message, Compress::Auto, usize::MAX).len();
        plain += message.len();
    }
    assert!(sum_with < sum_without * 9 / 10 && sum_without < plain / 2, "{sum_with} {sum_without}");
}

#[test]
fn what_is_compressed_is_as_asked() {
    let deflate = Deflate::default().min_size(100);
    for (client, takeover) in [(deflate, true), (deflate.own_context_takeover(false), false)] {
        let (mut client, _) = pair(client, deflate);
        let (short, long) = (record(99, 1), record(100, 2));
        let mut encode = |payload: &[u8], compress| {
            let mut out = b"before".to_vec();
            let rsv = client.chain.encode_message(payload, compress, &mut out);
            assert!(out.starts_with(b"before"));
            assert_eq!(rsv.is_some(), out.len() > 6);
            assert!(rsv.is_none_or(|rsv| rsv == Rsv::RSV1));
            rsv.is_some()
        };
        assert!(!encode(&short, Compress::Auto));
        assert!(encode(&long, Compress::Auto));
        assert!(encode(&short, Compress::Always));
        assert!(!encode(&long, Compress::Never));
        assert!(!encode(b"", Compress::Always));
        // What does not get smaller is sent as it is, unless the next message builds on it.
        assert_eq!(encode(&noise(1000, 3), Compress::Always), takeover);
    }
}

/// A message that is not compressed is not part of what the next one refers to.
#[test]
fn messages_sent_as_they_are_leave_the_history_alone() {
    let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
    let mut inflate = Inflate::default();
    for seed in 0..10 {
        let message = record(500, seed);
        let wire = server.send(&message, Compress::Never, 100);
        assert_eq!(client.receive_one(&wire), message);
        let wire = server.send(&message, Compress::Auto, usize::MAX);
        assert!(inflate.message(payload(&wire), true).as_ref() == Ok(&message));
        assert_eq!(client.receive_one(&wire), message);
    }
}

#[test]
fn large_messages_pass_in_both_directions() {
    for deflate in [Deflate::default(), Deflate::default().own_context_takeover(false).level(1)] {
        let (mut client, mut server) = pair(deflate, deflate);
        for payload in [record(4 << 20, 1), noise(1 << 20, 2), vec![0; 4 << 20]] {
            let wire = client.send(&payload, Compress::Always, 10_000);
            assert!(server.receive_one(&wire) == payload);
            let wire = server.send(&payload, Compress::Always, usize::MAX);
            assert!(client.receive_one(&wire) == payload);
        }
    }
}

/// A message cut off inside a block is an error at once, not a shorter message.
#[test]
fn truncated_messages_fail_at_their_end() {
    let message = record(1500, 1);
    for takeover in [true, false] {
        let deflate = Deflate::default().own_context_takeover(takeover);
        let (_, mut server) = pair(Deflate::default(), deflate);
        let mut encoded = Vec::new();
        let rsv = server.chain.encode_message(&message, Compress::Always, &mut encoded);
        let mut passed = 0;
        for len in 1..encoded.len() {
            let (mut client, mut server) = pair(Deflate::default(), deflate);
            server.chain.park();
            let wire = server.frames(rsv, &encoded[..len], usize::MAX);
            match client.receive(&wire) {
                Ok(()) => passed += 1,
                Err(error) => {
                    assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD, "{len}: {error}");
                }
            }
            let given = client.events.len();
            assert!(given <= 1);
        }
        // With takeover, most libraries take the tables of a block that were cut off for any others.
        let exact = cfg!(feature = "zlib-rs") || !takeover;
        let most = if exact { 0 } else { encoded.len() / 50 };
        assert!(passed <= most, "takeover {takeover}: {passed} of {}", encoded.len());
    }
}

#[test]
fn empty_final_blocks_cost_no_more_than_other_bytes() {
    // Two bytes each: with everything made anew for each, this would take minutes.
    let (mut client, server) = pair(Deflate::default(), Deflate::default());
    let wire = server.frames(Some(Rsv::RSV1), &[0x03, 0x00].repeat(1 << 20), usize::MAX);
    client.receive(&wire).expect("lawful");
    assert_eq!(client.events.len(), 1);
}

#[test]
fn empty_blocks_are_bounded_by_the_limit_on_messages() {
    let (mut client, server) = pair(Deflate::default(), Deflate::default());
    let limit = hybi_frame::Limits::default().max_message();
    let wire = server.frames(Some(Rsv::RSV1), &[0; 5].repeat(limit / 5), 1 << 20);
    // Not blocks even, but the size is what is judged first.
    let error = client.receive(&wire).expect_err("too much");
    assert!([1009, 1007].contains(&error.close_code().as_u16()), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever bytes come as a compressed message: an error or a message, whole or in pieces.
    #[test]
    fn any_bytes_are_an_error_or_a_message(
        seed in any::<u64>(),
        len in 0_usize..400,
        cut in 1_usize..50,
        damaged in any::<bool>(),
    ) {
        let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
        let bytes = if damaged {
            let mut encoded = Vec::new();
            server.chain.encode_message(&record(len + 64, seed), Compress::Always, &mut encoded);
            let at = Random::new(seed).next() as usize % encoded.len();
            encoded[at] ^= 1 << (seed % 8);
            encoded
        } else {
            noise(len, seed)
        };
        let wire = server.frames(Some(Rsv::RSV1), &bytes, usize::MAX);
        let whole = client.receive(&wire).map_err(|error| error.close_code());
        let (mut other, _) = pair(Deflate::default(), Deflate::default());
        let pieces = wire.chunks(cut).try_for_each(|chunk| other.receive(chunk));
        prop_assert_eq!(whole, pieces.map_err(|error| error.close_code()));
        prop_assert_eq!(&client.events, &other.events);
    }

    /// Any messages, in any frames, however the stream is cut.
    #[test]
    fn round_trips(
        lens in prop::collection::vec((0_usize..3000, any::<u64>()), 1..8),
        frame in 1_usize..2000,
        cut in 1_usize..2000,
        (bits, level, takeover) in (8_u8..=15, 0_u8..=9, any::<bool>()),
    ) {
        let deflate = Deflate::default()
            .own_window_bits(bits)
            .peer_window_bits(bits)
            .level(level)
            .own_context_takeover(takeover);
        let deflate =
            if Deflate::HAS_WINDOW_BITS { deflate } else { deflate.peer_window_bits(15) };
        let (mut client, mut server) = pair(deflate, deflate);
        let pass = |from: &mut Endpoint, to: &mut Endpoint| {
            for &(len, seed) in &lens {
                let payload = if seed % 3 == 0 { noise(len, seed) } else { record(len, seed) };
                let compress = [Compress::Auto, Compress::Always, Compress::Never];
                let wire = from.send(&payload, compress[seed as usize % 3], frame);
                for chunk in wire.chunks(cut) {
                    to.receive(chunk).expect("lawful");
                }
                assert!(to.receive_one(&[]) == payload, "{len} {seed}");
            }
        };
        pass(&mut client, &mut server);
        pass(&mut server, &mut client);
    }
}

/// The tables of a dynamic block, begun and not ended: the next message must not be taken for more
/// of them.
#[test]
fn a_message_that_ends_in_its_tables_is_refused_and_swallows_no_other() {
    for payload in [&b"\x04\x20\0\0"[..], b"\x04", b"\x04\xc0\x01"] {
        let (mut client, server) = pair(Deflate::default(), Deflate::default());
        let error = client.receive(&server.frames(Some(Rsv::RSV1), payload, usize::MAX));
        let error = error.expect_err("inside a block");
        assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD, "{payload:?}: {error}");
        assert!(client.events.is_empty(), "{payload:?}");
    }
}
