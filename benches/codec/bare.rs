//! The codec alone, without a connection: frames decoded in place in bytes that are there, and encoded
//! behind one another.

use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, print_row};
use hybi_frame::{
    FrameDecoder, FrameRules, Limits, MaskingKey, Opcode, Role, Rsv, apply_mask, encode_frame,
};

use crate::{chosen, client_stream, frames, payload};

/// From those that a header outweighs to those that no cache holds.
const SIZES: [(&str, usize); 6] = [
    ("16 B", 16),
    ("125 B", 125),
    ("1 KiB", 1 << 10),
    ("16 KiB", 16 << 10),
    ("64 KiB", 64 << 10),
    ("1 MiB", 1 << 20),
];

/// What the floor takes at once.
const CHUNK: usize = 64 << 10;

/// Output gathered before it begins again.
const BATCH: usize = 16 << 10;

const KEY: MaskingKey = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);

pub(crate) fn run(timed: bool) {
    println!("the bare decoder on one client frame in place");
    for (label, size) in chosen(SIZES) {
        let plain = payload(size);
        let wire = client_stream(&plain);
        let (mut in_place, mut seen) = (wire.to_vec(), 0);
        decode(&mut in_place, |bytes| {
            assert!(bytes == plain, "another payload");
            seen += 1;
        });
        assert_eq!(seen, frames(size));
        if timed {
            print_row(label, &compare(&mut [decoder(&wire, size), copy_and_xor(&wire, size)]));
        }
    }
    println!();
    println!("the bare encoder, key given");
    for (label, size) in chosen(SIZES).filter(|_| timed) {
        let plain = payload(size);
        let mut contenders = [
            Contender::new("as a server", encode(&plain, None)),
            Contender::new("as a client", encode(&plain, Some(KEY))),
        ];
        print_row(label, &compare(&mut contenders));
    }
    println!();
}

/// Takes all frames of a stream.
fn decode(wire: &mut [u8], mut take: impl FnMut(&[u8])) {
    let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
    let mut at = 0;
    while at < wire.len() {
        let (taken, part) = decoder.decode(&mut wire[at..]).expect("valid");
        let mut part = part.expect("whole frames");
        assert!(part.end);
        take(part.payload());
        at += taken;
    }
}

/// Over the same bytes again and again: what they say stops to matter, and how long they are does not.
fn decoder(wire: &[u8], size: usize) -> Contender<'static> {
    let mut in_place = wire.to_vec();
    let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
    let mut at = 0;
    Contender::new("decoder", move |count| {
        for _ in 0..count {
            let (taken, part) = decoder.decode(&mut in_place[at..]).expect("valid");
            let mut part = part.expect("whole frames");
            assert!(part.end && part.payload().len() == size);
            at += taken;
            if at == in_place.len() {
                at = 0;
            }
        }
    })
}

/// The floor of any receiver that reads: the bytes of as many frames copied, then masked in one go.
fn copy_and_xor(wire: &[u8], size: usize) -> Contender<'_> {
    let message = wire.len() / frames(size);
    let mut source = Memory::reading(wire);
    let mut copy = vec![0; CHUNK];
    Contender::new("copy and XOR", move |count| {
        let mut left = count * message;
        while left > 0 {
            let bytes = source.next_bytes(CHUNK.min(left));
            let chunk = &mut copy[..bytes.len()];
            chunk.copy_from_slice(bytes);
            apply_mask(chunk, KEY, 0);
            core::hint::black_box(chunk);
            left -= bytes.len();
        }
    })
}

fn encode(plain: &[u8], key: Option<MaskingKey>) -> impl FnMut(usize) {
    let mut out = Vec::with_capacity(BATCH);
    move |count| {
        for _ in 0..count {
            if out.len() >= BATCH {
                out.clear();
            }
            encode_frame(&mut out, true, Rsv::NONE, Opcode::Binary, plain, key);
        }
    }
}
