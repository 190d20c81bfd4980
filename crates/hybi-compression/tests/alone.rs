//! Payloads encoded and decoded alone, as the codec of another author does it: no frames of ours.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use hybi_compression::{Chain, Compress, Deflate, Rsv, Violation};
use hybi_frame::CloseCode;
use support::endpoint::every_payload_extension;
use support::text::{noise, record};

const MAX_LEN: usize = 1 << 20;

/// Two ends of every extension, with takeover and without.
fn pairs() -> Vec<(Chain, Chain)> {
    let deflate = Deflate::default();
    let without = deflate.own_context_takeover(false).peer_context_takeover(false);
    let agreed = [deflate, without].map(every_payload_extension);
    agreed.iter().flatten().map(|agreed| (Chain::new(agreed), Chain::new(agreed))).collect()
}

/// Encodes what is a message or, to an extension over frames, a frame.
fn encode(chain: &mut Chain, payload: &[u8], out: &mut Vec<u8>) -> Option<Rsv> {
    if chain.is_per_frame() {
        chain.encode_frame(payload, Compress::Auto, out)
    } else {
        chain.encode_message(payload, Compress::Auto, out)
    }
}

#[test]
fn what_one_end_encodes_the_other_decodes() {
    for (mut sender, mut receiver) in pairs() {
        for seed in 0..20 {
            let message = match seed % 4 {
                0 => noise(3000, seed),
                1 => record(40, seed),
                2 => Vec::new(),
                _ => record(20_000, seed),
            };
            let (mut encoded, mut decoded) = (Vec::new(), b"before".to_vec());
            let rsv = encode(&mut sender, &message, &mut encoded);
            assert!(rsv.is_none_or(|rsv| rsv == Rsv::RSV1));
            let payload = if rsv.is_some() { &encoded } else { &message };
            let rsv = rsv.unwrap_or(Rsv::NONE);
            receiver.decode_message(payload, rsv, MAX_LEN, &mut decoded).expect("lawful");
            assert!(decoded.strip_prefix(b"before") == Some(&message[..]), "{seed}");
            if seed % 5 == 0 {
                sender.park();
                receiver.park();
            }
        }
    }
}

#[test]
fn the_limit_holds_to_the_byte_and_leaves_nothing_behind() {
    let bomb = vec![0; MAX_LEN + 1];
    for (mut sender, mut receiver) in pairs() {
        for (len, fits) in [(MAX_LEN, true), (MAX_LEN + 1, false)] {
            for compressed in [true, false] {
                let (mut encoded, mut decoded) = (Vec::new(), b"before".to_vec());
                let rsv = encode(&mut sender, &bomb[..len], &mut encoded).expect("smaller");
                let result = if compressed {
                    receiver.decode_message(&encoded, rsv, MAX_LEN, &mut decoded)
                } else {
                    let mut other = Chain::new(&every_payload_extension(Deflate::default())[0]);
                    other.decode_message(&bomb[..len], Rsv::NONE, MAX_LEN, &mut decoded)
                };
                assert_eq!(result.is_ok(), fits, "{len}, {compressed}");
                if let Err(violation) = result {
                    let size = MAX_LEN as u64 + 1;
                    assert_eq!(violation, Violation::MessageTooLarge { size, limit: MAX_LEN });
                    assert_eq!(decoded, b"before");
                }
            }
        }
    }
}

#[test]
fn bits_that_nobody_owns_are_a_violation() {
    for (_, mut receiver) in pairs() {
        for rsv in [Rsv::RSV2, Rsv::RSV3, Rsv::RSV1 | Rsv::RSV2] {
            let mut decoded = Vec::new();
            let result = receiver.decode_message(b"payload", rsv, MAX_LEN, &mut decoded);
            let unowned = rsv.difference(Rsv::RSV1);
            assert_eq!(result, Err(Violation::ReservedBits(unowned)));
            assert_eq!(decoded, b"");
        }
    }
    let mut none = Chain::new(&[]);
    let result = none.decode_message(b"payload", Rsv::RSV1, MAX_LEN, &mut Vec::new());
    assert_eq!(result, Err(Violation::ReservedBits(Rsv::RSV1)));
}

#[test]
fn what_is_not_deflate_data_is_a_violation() {
    for (_, mut receiver) in pairs() {
        let mut decoded = b"before".to_vec();
        let result = receiver.decode_message(&[0xff; 20], Rsv::RSV1, MAX_LEN, &mut decoded);
        let Err(Violation::Extension(violation)) = result else { panic!("{result:?}") };
        assert_eq!(violation.close_code, CloseCode::INVALID_PAYLOAD);
        assert_eq!(decoded, b"before");
    }
}
