//! Messages that are encoded as they come, a piece at a time: what the peer makes of each piece, and of the
//! messages before and behind (RFC 7692 §7.2.1, §7.2.3.6).

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use hybi_compression::{Agreed, Chain, Compress, Deflate, Rsv};
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

/// Sends a message in pieces and takes each in as a frame; says how many bytes travelled.
fn in_pieces(
    sender: &mut Chain,
    receiver: &mut Chain,
    pieces: &[&[u8]],
    compress: Compress,
) -> (Option<Rsv>, usize) {
    let (first, mut len) = (pieces.first().copied().unwrap_or_default(), 0);
    let rsv = sender.begin_pieces(first, compress);
    for (at, &piece) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let mut frame = Vec::new();
        if rsv.is_some() {
            sender.encode_piece(piece, last, &mut frame);
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
            let (rsv, _) = in_pieces(&mut sender, &mut receiver, &pieces, compress);
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

/// What a piece costs beside the whole at once: the end of a block, and its tail.
#[test]
fn pieces_get_nearly_as_small_as_the_whole() {
    for agreed in every_agreement() {
        let bytes = record(300_000, 1);
        let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
        let mut whole = Vec::new();
        Chain::new(&agreed).encode_message(&bytes, Compress::Auto, &mut whole);
        let pieces: Vec<_> = bytes.chunks(Chain::ENCODE_SLICE).collect();
        let (rsv, len) = in_pieces(&mut sender, &mut receiver, &pieces, Compress::Auto);
        assert_eq!(rsv, Some(Rsv::RSV1));
        assert!(len < whole.len() + whole.len() / 20, "{len}, {}", whole.len());
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
