//! The codec beside its peers: parsing what a client sends, serialising as either role, and text.
//!
//! Every answer is checked before it is timed. All figures of a line come from one run with
//! interleaved rounds; `x` is the time as a multiple of the first column's. Name sizes to measure only
//! these: `cargo bench -p hybi-benches --bench codec -- 16B 64KiB`.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod parse;
mod serialise;
mod text;

/// Payload sizes in bytes.
const SIZES: [(&str, usize); 6] = [
    ("16 B", 16),
    ("125 B", 125),
    ("1 KiB", 1 << 10),
    ("16 KiB", 16 << 10),
    ("64 KiB", 64 << 10),
    ("1 MiB", 1 << 20),
];

fn main() {
    // `cargo test --benches` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    parse::run(!test);
    serialise::run(!test);
    text::run(!test);
}

/// The sizes named on the command line, such as `1KiB`, or all.
fn sizes() -> impl Iterator<Item = (&'static str, usize)> {
    let named: Vec<String> =
        std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let wanted = move |label: &str| named.iter().any(|name| *name == label.replace(' ', ""));
    let all = std::env::args().skip(1).all(|name| name.starts_with('-'));
    SIZES.into_iter().filter(move |(label, _)| all || wanted(label))
}

/// A payload without repetition on the scale of a key or a vector.
fn payload(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect()
}
