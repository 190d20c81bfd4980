//! permessage-deflate through a connection beside the bare backend at the same level and window.
//!
//! Messages are JSON-like and varied. Sending is a message queued and taken as frames, receiving is
//! frames handed in and an owned message got back, as server; the bare backend compresses into a
//! vector that it keeps, and copies what it decompressed into a message. A ratio is the speed as a
//! multiple of the backend's. Every answer is checked before anything is timed.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod bare;
mod connection;
mod parked;

use hybi_benches::{bare::Deflater, compare_in_step, records::Records};
use hybi_tokio::Utf8Bytes;

/// The connection's default, and the backend's.
const LEVEL: u32 = 1;
const SIZES: [(&str, usize); 5] = [
    ("256 B", 256),
    ("1 KiB", 1 << 10),
    ("4 KiB", 4 << 10),
    ("16 KiB", 16 << 10),
    ("64 KiB", 64 << 10),
];

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    for takeover in [true, false] {
        let with = if takeover { "with" } else { "without" };
        println!(
            "permessage-deflate {with} context takeover; speed as a multiple of the bare backend's"
        );
        for (label, size) in SIZES {
            let load = Load::new(size, takeover);
            connection::check(&load);
            if !test {
                let send = compare_in_step(&mut [bare::sends(&load), connection::sends(&load)]);
                let receive =
                    compare_in_step(&mut [bare::receives(&load), connection::receives(&load)]);
                print_row(label, load.compressed(), &send, &receive);
            }
        }
    }
    parked::run(!test);
}

fn print_row(label: &str, ratio: f64, send: &[(&str, f64)], receive: &[(&str, f64)]) {
    print!("{label:>10}, {:>2.0}% of it sent", ratio * 100.0);
    let mut both = [0.0; 2];
    for (what, figures) in [("send", send), ("receive", receive)] {
        let [(_, bare), (_, ours)] = figures else { unreachable!("two are compared") };
        print!(" | {what}: bare {bare:>6.0} ns, hybi {ours:>6.0} ns, {:.2}", bare / ours);
        both = [both[0] + bare, both[1] + ours];
    }
    println!(" | both: {:.2}", both[0] / both[1]);
}

/// What is sent and received over and over: messages longer than any window taken together.
struct Load {
    takeover: bool,
    messages: Vec<Utf8Bytes>,
    /// The messages compressed, first from an empty history, then from that of themselves, after
    /// which it begins again.
    payloads: [Vec<Vec<u8>>; 2],
}

impl Load {
    fn new(size: usize, takeover: bool) -> Self {
        let mut records = Records::new(size as u64);
        let messages: Vec<_> =
            (0..(1 << 20) / size).map(|_| Utf8Bytes::from(records.message(size))).collect();
        let mut deflater = Deflater::new(LEVEL, takeover);
        let mut payload = Vec::new();
        let payloads = [(); 2].map(|()| {
            let deflated = messages.iter().map(|message| {
                deflater.deflate(message.as_bytes(), &mut payload);
                payload.clone()
            });
            deflated.collect()
        });
        Self { takeover, messages, payloads }
    }

    /// The compressed length as a part of the whole.
    fn compressed(&self) -> f64 {
        let whole: usize = self.messages.iter().map(|message| message.len()).sum();
        self.payloads[1].iter().map(Vec::len).sum::<usize>() as f64 / whole as f64
    }
}
