//! What a byte of a hostile peer costs: processor time per byte of heads, frames, empty fragments and
//! empty blocks of DEFLATE, each at n bytes and at 2n.
//!
//! A peer that sends 2n bytes may cost twice as much as one that sends n, and no more: the last
//! column says how many times a byte's cost it is at 2n. The first row of each part is an honest peer's,
//! which the others are to be held against. What came of each is checked before anything is timed.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod blocks;
mod frames;
mod heads;

use hybi_benches::{Contender, compare};

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    println!("n bytes | ns a byte at n | at 2n | how many times the first that is");
    for (part, attacks) in [
        ("heads", heads::attacks()),
        ("frames", frames::attacks()),
        ("compressed messages", blocks::attacks()),
    ] {
        println!("{part}");
        for attack in attacks {
            attack.check();
            if !test {
                attack.measure();
            }
        }
    }
}

/// Bytes of a peer, and who takes them.
struct Attack {
    name: &'static str,
    /// About as many bytes as are asked for.
    bytes: Box<dyn Fn(usize) -> Vec<u8>>,
    n: usize,
    /// Takes all of them, and fails if anything else comes of them than was meant.
    victim: fn(&[u8]),
}

impl Attack {
    fn new(
        name: &'static str,
        n: usize,
        bytes: impl Fn(usize) -> Vec<u8> + 'static,
        victim: fn(&[u8]),
    ) -> Self {
        Self { name, bytes: Box::new(bytes), n, victim }
    }

    fn check(&self) {
        for n in [self.n, 2 * self.n] {
            (self.victim)(&(self.bytes)(n));
        }
    }

    fn measure(&self) {
        let both = [self.n, 2 * self.n].map(&self.bytes);
        let victim = self.victim;
        let mut contenders = both.each_ref().map(|bytes| {
            Contender::new(self.name, move |count| (0..count).for_each(|_| victim(bytes)))
        });
        let times = compare(&mut contenders);
        let [once, twice] = [0, 1].map(|at| times[at].1 / both[at].len() as f64);
        let (name, n, times) = (self.name, self.n, twice / once);
        println!("{name:>37} | {n:>6} | {once:>6.2} | {twice:>6.2} | x{times:.2}");
    }
}
