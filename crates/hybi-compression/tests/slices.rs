//! Long messages and frames encoded and decoded slice by slice: what comes of them, and how much is
//! done at once.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use std::thread;

use hybi_compression::{Agreed, Chain, Compress, Deflate, Encoded, Encoding, Rsv, Step};
use hybi_frame::{FrameHeader, Opcode, PayloadDecoder};
use support::endpoint::every_payload_extension;
use support::text::{Random, noise, record};

const KIB: usize = 1 << 10;

/// What both ends agreed on with each extension, with takeover and without.
fn every_agreement(deflate: Deflate) -> Vec<Vec<Agreed>> {
    let without = deflate.own_context_takeover(false).peer_context_takeover(false);
    [deflate, without].map(every_payload_extension).concat()
}

fn begin<P: AsRef<[u8]>>(chain: &mut Chain, payload: P, compress: Compress) -> Encoding<P> {
    if chain.is_per_frame() {
        chain.start_frame(payload, compress)
    } else {
        chain.start_message(payload, compress)
    }
}

/// Goes on to the end; returns the number of steps as well.
fn finish<P: AsRef<[u8]>>(
    chain: &mut Chain,
    mut encoding: Encoding<P>,
    slice: usize,
) -> (Encoded<P>, usize) {
    for steps in 1..1_000_000 {
        match chain.advance(encoding, slice) {
            Step::More(more) => encoding = more,
            Step::Done(encoded) => return (encoded, steps),
        }
    }
    panic!("there is no end to it")
}

fn in_slices<'a>(
    chain: &mut Chain,
    payload: &'a [u8],
    compress: Compress,
    slice: usize,
) -> (Encoded<&'a [u8]>, usize) {
    let encoding = begin(chain, payload, compress);
    finish(chain, encoding, slice)
}

fn at_once<'a>(chain: &mut Chain, payload: &'a [u8], compress: Compress) -> Encoded<&'a [u8]> {
    let mut out = Vec::new();
    let rsv = if chain.is_per_frame() {
        chain.encode_frame(payload, compress, &mut out)
    } else {
        chain.encode_message(payload, compress, &mut out)
    };
    rsv.map_or(Encoded::AsIs(payload), |rsv| Encoded::Coded { rsv, payload: out })
}

#[track_caller]
fn receive(receiver: &mut Chain, encoded: &Encoded<impl AsRef<[u8]>>, message: &[u8]) {
    let mut decoded = Vec::new();
    let result =
        receiver.decode_message(encoded.as_ref(), encoded.rsv(), message.len(), &mut decoded);
    assert_eq!(result, Ok(()));
    assert!(decoded == message);
}

/// Of every kind, long and short.
fn message(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let len = [100, 3000, 20 * KIB, 150 * KIB][random.next() as usize % 4];
    let len = len + random.next() as usize % len;
    match random.next() % 4 {
        0 => noise(len, seed),
        1 => vec![0; len],
        2 => [record(len / 2, seed), noise(len / 2, seed)].concat(),
        _ => record(len, seed),
    }
}

#[test]
fn up_to_a_slice_it_is_the_same_to_the_byte() {
    for agreed in every_agreement(Deflate::default()) {
        for compress in [Compress::Auto, Compress::Always, Compress::Never] {
            let (mut one, mut other) = (Chain::new(&agreed), Chain::new(&agreed));
            for seed in 0..16 {
                let message = message(seed);
                let expected = at_once(&mut one, &message, compress);
                let (encoded, steps) = in_slices(&mut other, &message, compress, message.len());
                assert!(encoded == expected && steps == 1, "{agreed:?} {compress:?} {seed}");
            }
        }
    }
}

#[test]
fn in_several_slices_it_is_understood_and_as_small() {
    for level in [0, 1, 2, 6, 9] {
        for agreed in every_agreement(Deflate::default().level(level)).into_iter().step_by(4) {
            for (slice, least) in [(999, 2000), (10 * KIB, 0), (Chain::ENCODE_SLICE, 0)] {
                let (mut one, mut other) = (Chain::new(&agreed), Chain::new(&agreed));
                let mut receiver = Chain::new(&agreed);
                for seed in 0..10 {
                    let message = message(seed);
                    let whole = at_once(&mut one, &message, Compress::Auto);
                    let (encoded, _) = in_slices(&mut other, &message, Compress::Auto, slice);
                    receive(&mut receiver, &encoded, &message);
                    if message.len() > least {
                        let (len, whole) = (encoded.as_ref().len(), whole.as_ref().len());
                        assert!(len <= whole + whole / 500 + 2, "{level} {seed}: {len}, {whole}");
                    }
                    if seed % 6 == 0 {
                        other.park();
                        receiver.park();
                    }
                }
            }
        }
    }
}

/// A step takes in no more of the payload than it was given leave for: it takes as many as there are
/// slices, if the whole is compressed, and fewer if that turns out to be in vain.
#[test]
fn a_step_takes_in_one_slice() {
    for agreed in every_agreement(Deflate::default()) {
        for slice in [1, 1000, Chain::ENCODE_SLICE] {
            let mut chain = Chain::new(&agreed);
            let text = record(if slice == 1 { 2000 } else { 150 * KIB }, 1);
            let (encoded, steps) = in_slices(&mut chain, &text, Compress::Auto, slice);
            assert_eq!(encoded.rsv(), Rsv::RSV1);
            assert_eq!(steps, text.len().div_ceil(slice), "{agreed:?}");
            let noise = noise(300 * KIB, 1);
            let (encoded, steps) = in_slices(&mut chain, &noise, Compress::Auto, slice);
            assert!(encoded == Encoded::AsIs(&noise) && steps == 1, "it is told by its look");
        }
        let text = record(150 * KIB, 1);
        let (_, steps) = in_slices(&mut Chain::new(&agreed), &text, Compress::Auto, usize::MAX);
        assert_eq!(steps, 1);
        let (_, steps) = in_slices(&mut Chain::new(&agreed), &text[..2000], Compress::Auto, 0);
        assert_eq!(steps, 2000, "no leave is taken for a byte, and comes to an end");
    }
}

/// Where a byte may cost a microsecond, a step takes in fewer.
#[test]
fn a_step_takes_in_less_where_that_takes_as_long() {
    let text = record(150 * KIB, 1);
    for (level, slice) in [(5, 64 * KIB), (6, 16 * KIB), (7, 16 * KIB), (8, 4 * KIB), (9, 4 * KIB)]
    {
        let agreed = every_payload_extension(Deflate::default().level(level)).swap_remove(0);
        let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
        let (encoded, steps) = in_slices(&mut sender, &text, Compress::Auto, Chain::ENCODE_SLICE);
        assert_eq!(steps, text.len().div_ceil(slice), "level {level}");
        receive(&mut receiver, &encoded, &text);
    }
}

/// What does not get smaller after all travels as it is, and the next message knows nothing of it.
#[test]
fn what_was_in_vain_leaves_no_trace() {
    for agreed in every_agreement(Deflate::default()) {
        let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
        for seed in 0..4 {
            let noise = noise(200 * KIB, seed);
            let (encoded, _) = in_slices(&mut sender, &noise, Compress::Always, 10 * KIB);
            assert!(encoded == Encoded::AsIs(&noise));
            receive(&mut receiver, &encoded, &noise);
            let text = [&noise[190 * KIB..], &record(20 * KIB, seed)].concat();
            let (encoded, _) = in_slices(&mut sender, &text, Compress::Always, 10 * KIB);
            assert!(encoded.rsv() == Rsv::RSV1 && encoded.as_ref().len() > 10 * KIB);
            receive(&mut receiver, &encoded, &text);
        }
    }
}

/// One that is dropped was never sent, and one that another came before is sent as it is.
#[test]
fn one_that_was_given_up_leaves_no_trace() {
    for agreed in every_agreement(Deflate::default()) {
        let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
        for seed in 0..12 {
            let text = record(100 * KIB, seed);
            let mut given_up = begin(&mut sender, &text, Compress::Always);
            for _ in 0..seed % 5 {
                let step = sender.advance(given_up, 10 * KIB);
                let Step::More(more) = step else { panic!("there is more") };
                given_up = more;
            }
            // Of what follows, most is like it, so that it would refer to it.
            let next = &text[5 * KIB..40 * KIB];
            let encoded = match seed % 3 {
                0 => at_once(&mut sender, next, Compress::Always),
                1 => in_slices(&mut sender, next, Compress::Always, 10 * KIB).0,
                _ => Encoded::AsIs(next),
            };
            receive(&mut receiver, &encoded, next);
            if seed % 3 < 2 && seed % 2 == 0 {
                let (encoded, steps) = finish(&mut sender, given_up, 10 * KIB);
                assert!(encoded == Encoded::AsIs(&text) && steps == 1);
                receive(&mut receiver, &encoded, &text);
            }
        }
    }
}

/// A compressor that was given up in the middle serves nobody else.
#[test]
fn the_next_connection_is_not_troubled() {
    let agreed = every_payload_extension(Deflate::default()).swap_remove(0);
    for level in [1, 6] {
        let noise = noise(300 * KIB, level);
        for slice in [1000, 64 * KIB, 128 * KIB] {
            for steps in 1..4 {
                let mut chain = Chain::new(&agreed);
                let mut encoding = chain.start_message(&noise, Compress::Always);
                for _ in 0..steps {
                    match chain.advance(encoding, slice) {
                        Step::More(more) => encoding = more,
                        Step::Done(_) => break,
                    }
                }
            }
        }
    }
}

/// Both the connection and what is on its way may go to another thread at any time.
#[test]
fn it_moves_between_threads() {
    let agreed = every_payload_extension(Deflate::default()).swap_remove(0);
    let (mut chain, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
    let text = record(300 * KIB, 1);
    let mut encoding = chain.start_message(text.clone(), Compress::Auto);
    let encoded = loop {
        let (moved, step) = thread::spawn(move || {
            let step = chain.advance(encoding, 50 * KIB);
            (chain, step)
        })
        .join()
        .expect("no panic");
        chain = moved;
        match step {
            Step::More(more) => encoding = more,
            Step::Done(encoded) => break encoded,
        }
    };
    receive(&mut receiver, &encoded, &text);
}

/// What is made once for many is made in slices as well, and is what it always was.
#[test]
fn shared_encodings_are_made_in_slices() {
    for agreed in every_agreement(Deflate::default()) {
        let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
        for seed in 0..3 {
            let before = record(3000, seed);
            let encoded = at_once(&mut sender, &before, Compress::Auto);
            receive(&mut receiver, &encoded, &before);

            let text = record(200 * KIB, seed);
            let key = sender.shared_encoding(&text, Compress::Auto);
            assert!(key.is_some_and(|key| key.codec == "deflate"));
            let mut shared = sender.shared_chain().expect("a codec for it");
            let encoding = shared.start_message(&text, Compress::Auto);
            let (encoded, steps) = finish(&mut shared, encoding, Chain::ENCODE_SLICE);
            assert_eq!(steps, text.len().div_ceil(Chain::ENCODE_SLICE));
            let mut whole = Vec::new();
            assert!(sender.encode_shared(&text, &mut whole));
            assert!(whole.len().abs_diff(encoded.as_ref().len()) < 20);
            assert_eq!(sender.sent_shared(&text), encoded.rsv());
            receive(&mut receiver, &encoded, &text);
        }
        let mut shared = sender.shared_chain().expect("a codec for it");
        let noise = noise(200 * KIB, 1);
        let encoding = shared.start_message(&noise, Compress::Auto);
        assert!(finish(&mut shared, encoding, 1000).0 == Encoded::AsIs(&noise));
    }
}

/// Decodes a payload in pieces; returns the message, and the most that came of one piece.
fn in_pieces(chain: &mut Chain, rsv: Rsv, payload: &[u8], piece: usize) -> (Vec<u8>, usize) {
    let (mut message, mut most) = (Vec::new(), 0);
    let payload_len = payload.len() as u64;
    let opcode = Opcode::Binary;
    let header = FrameHeader { fin: true, rsv, opcode, masking_key: None, payload_len };
    assert!(PayloadDecoder::begin_frame(chain, &header));
    let pieces = payload.len().div_ceil(piece);
    for (at, bytes) in payload.chunks(piece).enumerate() {
        let before = message.len();
        let mut gather = |bytes: &[u8]| {
            message.extend_from_slice(bytes);
            Ok(())
        };
        chain.decode(bytes, at + 1 == pieces, &mut gather).expect("lawful");
        most = most.max(message.len() - before);
    }
    (message, most)
}

/// However a payload is cut, it is the same message, and a piece makes no more than a bomb of its length.
#[test]
fn decoded_in_pieces_it_is_the_same_message() {
    for (at, agreed) in every_agreement(Deflate::default().level(6)).iter().enumerate() {
        for piece in [1, 100, Chain::DECODE_SLICE] {
            let (mut sender, mut receiver) = (Chain::new(agreed), Chain::new(agreed));
            let long = if at % 7 == 0 && piece > 1 { 8 << 20 } else { 20 * KIB };
            for seed in 0..6 {
                let message = match seed % 3 {
                    0 => vec![0; long],
                    1 => record(50 * KIB, seed),
                    _ => [record(15 * KIB, seed), noise(10 * KIB, seed)].concat(),
                };
                let encoded = at_once(&mut sender, &message, Compress::Always);
                let (decoded, most) =
                    in_pieces(&mut receiver, encoded.rsv(), encoded.as_ref(), piece);
                assert!(decoded == message, "{agreed:?} {piece} {seed}");
                // What was begun before may end in it: 258 bytes for a few bits.
                assert!(most <= 1032 * piece + 258, "{most} of {piece}");
                if seed % 4 == 0 {
                    receiver.park();
                }
            }
        }
    }
}

/// A message that must not be compressed is not shown, whole or in part.
#[test]
fn nothing_is_shown_of_what_is_sent() {
    let agreed = every_payload_extension(Deflate::default()).swap_remove(0);
    let mut chain = Chain::new(&agreed);
    let encoding = chain.start_message("secret".repeat(50_000), Compress::Always);
    let shown = format!("{encoding:?}");
    let step = chain.advance(encoding, 1000);
    let shown = format!("{shown} {step:?} {:?}", Encoded::AsIs("secret"));
    assert!(!shown.contains("ecre") && shown.contains("at: 1000"), "{shown}");
}
