//! The codec beside its peers, in memory: calls that users make, then what they are made of.
//!
//! Every answer is checked before it is timed. All figures of a line come from one run with
//! interleaved rounds; `x` is the time as a multiple of the first column's. Name sizes to measure only
//! these: `cargo bench -p hybi-benches --bench codec -- 20B 64KiB`.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod bare;
mod echo;
mod ends;
mod receive;
mod send;
mod text;

use core::ops::Deref;

use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};

/// Payload sizes in bytes, of messages that users send.
const SIZES: [(&str, usize); 4] =
    [("20 B", 20), ("1 KiB", 1 << 10), ("16 KiB", 16 << 10), ("64 KiB", 64 << 10)];

fn main() {
    // `cargo test --benches` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    receive::run(!test);
    send::run(!test);
    echo::run(!test);
    bare::run(!test);
    text::run(!test);
}

/// Those of `sizes` that are named on the command line, such as `1KiB`, or all.
fn chosen<const N: usize>(
    sizes: [(&'static str, usize); N],
) -> impl Iterator<Item = (&'static str, usize)> {
    let named: Vec<String> =
        std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let wanted = move |label: &str| named.iter().any(|name| *name == label.replace(' ', ""));
    let all = std::env::args().skip(1).all(|name| name.starts_with('-'));
    sizes.into_iter().filter(move |(label, _)| all || wanted(label))
}

/// A payload without repetition on the scale of a key or a vector.
fn payload(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect()
}

/// How many frames of this size a stream has: one for the largest.
fn frames(size: usize) -> usize {
    ((256 << 10) / (size + 8)).max(1)
}

/// A stream of bytes that begins in the middle of a page.
///
/// Allocators put every large buffer at the same place of a page. Copying between two such is a third
/// slower on some processors than between any others, and would be what is compared then.
struct Stream {
    bytes: Vec<u8>,
    start: usize,
}

impl Stream {
    fn of(wire: &[u8]) -> Self {
        const PAGE: usize = 4096;
        let mut bytes = vec![0; wire.len() + 2 * PAGE];
        let start = bytes.as_ptr().align_offset(PAGE) + PAGE / 2;
        bytes[start..start + wire.len()].copy_from_slice(wire);
        bytes.truncate(start + wire.len());
        Self { bytes, start }
    }
}

impl Deref for Stream {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// What a client sends: binary messages, one frame each, under different keys.
fn client_stream(plain: &[u8]) -> Stream {
    let mut wire = Vec::new();
    for n in 0..frames(plain.len()) as u32 {
        let key = MaskingKey::from_bytes((n.wrapping_mul(0x9e37_79b1) | 1).to_le_bytes());
        encode_frame(&mut wire, true, Rsv::NONE, Opcode::Binary, plain, Some(key));
    }
    Stream::of(&wire)
}
