//! Messages that are encoded as they come, a piece at a time: what the peer makes of each piece, and of the
//! messages before and behind (RFC 7692 §7.2.1, §7.2.3.6).

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use hybi_compression::{Agreed, Chain, Compress, Deflate, Encoded, Rsv, Step};
use hybi_frame::{FrameHeader, Opcode, PayloadDecoder};
use support::endpoint::every_payload_extension;
use support::text::{Random, noise, record};

/// What both ends agreed on with each extension over messages, with takeover and without, and with a small
/// window where there is one.
fn every_agreement() -> Vec<Vec<Agreed>> {
    let deflate = Deflate::default();
    let without = deflate.own_context_takeover(false).peer_context_takeover(false);
    let small = if Deflate::HAS_WINDOW_BITS { deflate.own_window_bits(9) } else { deflate };
    let of_messages = |agreed: &Vec<Agreed>| !Chain::new(agreed).is_per_frame();
    let all = [deflate, without, small, small.level(9)].map(every_payload_extension).concat();
    all.into_iter().filter(of_messages).collect()
}

/// The next piece encoded in slices of so many bytes, and in how many steps; at once if it is that short.
fn encode_piece(sender: &mut Chain, piece: &[u8], last: bool, slice: usize) -> (Vec<u8>, usize) {
    let mut frame = Vec::new();
    if piece.len() <= slice {
        sender.encode_piece(piece, last, &mut frame);
        return (frame, 1);
    }
    let mut encoding = sender.start_piece(piece, last);
    for steps in 1..1_000_000 {
        match sender.advance(encoding, slice) {
            Step::More(more) => encoding = more,
            Step::Done(Encoded::Coded { payload, .. }) => return (payload, steps),
            Step::Done(Encoded::AsIs(_)) => panic!("it has begun to be encoded"),
        }
    }
    panic!("there is no end to it")
}

/// Sends a message in pieces and takes each in as a frame; says how many bytes travelled.
fn in_pieces(
    sender: &mut Chain,
    receiver: &mut Chain,
    pieces: &[&[u8]],
    compress: Compress,
    slice: usize,
) -> (Option<Rsv>, usize) {
    let (first, mut len) = (pieces.first().copied().unwrap_or_default(), 0);
    let rsv = sender.begin_pieces(first, compress);
    for (at, &piece) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let mut frame = Vec::new();
        if rsv.is_some() {
            frame = encode_piece(sender, piece, last, slice).0;
        } else {
            frame.extend_from_slice(piece);
        }
        len += frame.len();
        let (bits, opcode) = match at {
            0 => (rsv.unwrap_or(Rsv::NONE), Opcode::Binary),
            _ => (Rsv::NONE, Opcode::Continuation),
        };
        let payload_len = frame.len() as u64;
        let header = FrameHeader { fin: last, rsv: bits, opcode, masking_key: None, payload_len };
        let mut got = Vec::new();
        if receiver.begin_frame(&header) {
            let result = receiver.decode(&frame, true, &mut |bytes| {
                got.extend_from_slice(bytes);
                Ok(())
            });
            assert_eq!(result, Ok(()));
        } else {
            got = frame;
        }
        assert!(got == piece, "all of a piece is there with its frame");
    }
    (rsv, len)
}

/// A message of any kind, and where it is cut; some pieces are empty.
fn message(seed: u64) -> (Vec<u8>, Vec<usize>) {
    let mut random = Random::new(seed);
    let mut next = |below: usize| random.next() as usize % below;
    let len = [1, 300, 20_000, 150_000][next(4)];
    let bytes = match next(4) {
        0 => noise(len, seed),
        1 => vec![7; len],
        _ => record(len, seed),
    };
    let count = next(6);
    let mut cuts: Vec<_> = (0..count).map(|_| next(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    if next(3) > 0 {
        cuts.push(bytes.len());
    }
    (bytes, cuts)
}

fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    for &cut in cuts {
        pieces.push(&bytes[at..cut]);
        at = cut;
    }
    // With a cut at the end, an empty piece is the last.
    pieces.push(&bytes[at..]);
    pieces
}

#[test]
fn each_piece_is_understood_when_it_comes_and_whole_messages_around() {
    for agreed in every_agreement() {
        let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
        for seed in 0..60 {
            let (bytes, cuts) = message(seed);
            let compress = [Compress::Auto, Compress::Always, Compress::Never][seed as usize % 3];
            if seed % 4 == 0 {
                let mut out = Vec::new();
                let rsv = sender.encode_message(&bytes, compress, &mut out);
                let payload = if rsv.is_some() { &out } else { &bytes };
                let (rsv, mut got) = (rsv.unwrap_or(Rsv::NONE), Vec::new());
                let result = receiver.decode_message(payload, rsv, bytes.len(), &mut got);
                assert!(result == Ok(()) && got == bytes, "{agreed:?} {seed}");
                continue;
            }
            let pieces = cut(&bytes, &cuts);
            let slice = [usize::MAX, 5000, 64 << 10][seed as usize / 3 % 3];
            let (rsv, _) = in_pieces(&mut sender, &mut receiver, &pieces, compress, slice);
            match compress {
                Compress::Always => assert_eq!(rsv, Some(Rsv::RSV1)),
                Compress::Never => assert_eq!(rsv, None),
                Compress::Auto => {}
            }
            if seed % 7 == 0 {
                sender.park();
                receiver.park();
            }
        }
    }
}

/// What a piece costs beside the whole at once: the end of a block, and its tail. In slices it costs no more.
#[test]
fn pieces_get_nearly_as_small_as_the_whole() {
    for agreed in every_agreement() {
        let bytes = record(300_000, 1);
        let mut whole = Vec::new();
        Chain::new(&agreed).encode_message(&bytes, Compress::Auto, &mut whole);
        let pieces: Vec<_> = bytes.chunks(Chain::ENCODE_SLICE).collect();
        let mut at_once = None;
        for slice in [usize::MAX, 4 << 10] {
            let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
            let (rsv, len) = in_pieces(&mut sender, &mut receiver, &pieces, Compress::Auto, slice);
            assert_eq!(rsv, Some(Rsv::RSV1));
            assert!(len < whole.len() + whole.len() / 20, "{len}, {}", whole.len());
            let at_once = *at_once.get_or_insert(len);
            assert!(len <= at_once + at_once / 500 + 2, "{slice}: {len}, {at_once}");
        }
    }
}

/// A step takes in no more of a piece than it was given leave for, nor than is best at the level; what is done in one
/// step is what is done at once.
#[test]
fn a_step_takes_in_a_slice() {
    let text = record(150_000, 1);
    for (level, best) in [(1, 64 << 10), (6, 16 << 10), (7, 16 << 10), (8, 4 << 10), (9, 4 << 10)] {
        for agreed in every_payload_extension(Deflate::default().level(level)) {
            let mut sender = Chain::new(&agreed);
            assert_eq!(sender.slice_len(), best, "{agreed:?}");
            if sender.is_per_frame() {
                continue;
            }
            assert_eq!(sender.begin_pieces(&text, Compress::Always), Some(Rsv::RSV1));
            for (last, slice) in [(false, usize::MAX), (false, 3000), (true, 64 << 10)] {
                let steps = text.len().div_ceil(slice.min(best));
                let mut encoding = sender.start_piece(&text, last);
                let mut taken = 1;
                while let Step::More(more) = sender.advance(encoding, slice) {
                    encoding = more;
                    taken += 1;
                }
                // At low levels the codec has no best, and takes as many as it may.
                let steps = if level == 1 { text.len().div_ceil(slice) } else { steps };
                assert_eq!(taken, steps, "{agreed:?} {slice}");
            }
            let short = &text[..4000];
            let mut expected = Vec::new();
            let mut other = Chain::new(&agreed);
            other.begin_pieces(short, Compress::Always);
            other.encode_piece(short, true, &mut expected);
            let mut one = Chain::new(&agreed);
            one.begin_pieces(short, Compress::Always);
            let encoding = one.start_piece(short, true);
            let Step::Done(encoded) = one.advance(encoding, 4000) else { panic!("one step") };
            assert!(encoded.as_ref() == expected && encoded.rsv() == Rsv::RSV1, "{agreed:?}");
        }
    }
}

#[test]
fn the_look_of_the_first_bytes_decides() {
    for agreed in every_agreement() {
        let mut chain = Chain::new(&agreed);
        let (text, noise) = (record(10_000, 1), noise(10_000, 1));
        assert_eq!(chain.begin_pieces(&text, Compress::Auto), Some(Rsv::RSV1));
        let mut chain = Chain::new(&agreed);
        // One of many that look like noise is tried.
        chain.begin_pieces(&noise, Compress::Auto);
        assert_eq!(chain.begin_pieces(&noise, Compress::Auto), None);
        assert_eq!(chain.begin_pieces(&noise, Compress::Always), Some(Rsv::RSV1));
    }
}

/// RFC 7692 §7.2.3.6: a message that ends without another byte.
#[test]
fn an_empty_last_piece_is_an_empty_block() {
    for agreed in every_agreement() {
        let mut chain = Chain::new(&agreed);
        assert_eq!(chain.begin_pieces(b"Hello", Compress::Always), Some(Rsv::RSV1));
        let (mut first, mut empty, mut last) = (Vec::new(), Vec::new(), Vec::new());
        chain.encode_piece(b"Hello", false, &mut first);
        chain.encode_piece(b"", false, &mut empty);
        chain.encode_piece(b"", true, &mut last);
        // RFC 7692 §7.2.3.1: the example, with its tail still on.
        assert_eq!(first, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff]);
        assert_eq!((&empty[..], &last[..]), (&b""[..], &b"\0"[..]));
    }
}
