//! Fuzzing without libFuzzer: inputs made from saved ones, with no eye on what they reach. Any machine with a
//! stable compiler can do it, and a test does a little of it each time.

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::panic;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::Target;
use crate::allocator::Meter;

/// An input that a target did not stand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The input.
    pub input: Vec<u8>,
    /// What the target said.
    pub why: String,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "by count in tests, by time in jobs")]
pub enum Until {
    /// After so many executions.
    Executions(u64),
    /// After so long.
    Passed(Duration),
}

/// No input may take longer.
pub const TIME_OUT: Duration = Duration::from_secs(10);

/// No input may make the target hold more bytes, in a program that [counts](crate::allocator::Counting) them.
pub const MAX_MEMORY: usize = 64 << 20;

/// Runs `target` on each input of `corpus` and then on what becomes of them; returns how many times.
///
/// The same seed makes the same inputs.
///
/// # Errors
///
/// The first input on which the target panics, takes longer than [`TIME_OUT`] or holds more than [`MAX_MEMORY`].
pub fn run(target: Target, corpus: &[Vec<u8>], seed: u64, until: Until) -> Result<u64, Found> {
    let began = Instant::now();
    let state = Arc::new(State::default());
    let worker = {
        let (state, corpus) = (Arc::clone(&state), corpus.to_vec());
        thread::spawn(move || work(target, &corpus, seed, until, began, &state))
    };
    let mut seen = (0, Instant::now());
    while !worker.is_finished() {
        thread::park_timeout(Duration::from_millis(20));
        let executions = state.executions.load(Ordering::Relaxed);
        if executions != seen.0 {
            seen = (executions, Instant::now());
        } else if seen.1.elapsed() > TIME_OUT && !worker.is_finished() {
            // The thread cannot be ended; whoever called is about to report and end.
            return Err(Found { input: state.input(), why: format!("no end after {TIME_OUT:?}") });
        }
    }
    worker.join().unwrap_or_else(|_| Err(Found { input: state.input(), why: "panicked".into() }))
}

/// What the thread that works shows to the one that watches.
#[derive(Default)]
struct State {
    executions: AtomicU64,
    input: Mutex<Vec<u8>>,
}

impl State {
    fn input(&self) -> Vec<u8> {
        self.input.lock().map(|input| input.clone()).unwrap_or_default()
    }
}

fn work(
    target: Target,
    corpus: &[Vec<u8>],
    seed: u64,
    until: Until,
    began: Instant,
    state: &State,
) -> Result<u64, Found> {
    let mut random = Random(seed | 1);
    let mut executions = 0;
    loop {
        let goes_on = match until {
            Until::Executions(most) => executions < most,
            Until::Passed(time) => began.elapsed() < time,
        };
        // What is saved is run in any case.
        let saved = corpus.get(executions as usize);
        let input = match saved {
            Some(saved) => saved.clone(),
            None if goes_on => mutated(&mut random, corpus),
            None => return Ok(executions),
        };
        if let Ok(mut current) = state.input.lock() {
            current.clone_from(&input);
        }
        let meter = Meter::start();
        panic::catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let why = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked");
            Found { input: input.clone(), why: why.to_owned() }
        })?;
        if meter.peak() > MAX_MEMORY {
            return Err(Found { input, why: format!("{} bytes were held", meter.peak()) });
        }
        executions += 1;
        state.executions.store(executions, Ordering::Relaxed);
    }
}

/// The longest input that is made.
const MAX_LEN: usize = 4096;

/// A saved input, changed in a few places.
fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let pick = |random: &mut Random| match corpus.len() {
        0 => Vec::new(),
        len => corpus[random.below(len)].clone(),
    };
    let mut input = pick(random);
    for _ in 0..1 << random.below(5) {
        let at = random.below(input.len() + 1);
        let end = at + random.below(input.len() - at + 1).min(1 << random.below(8));
        match random.below(8) {
            0 => {
                input.splice(at..end, []);
            }
            1 => input.insert(at, random.byte()),
            2 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            3 => {
                let other = pick(random);
                let from = random.below(other.len() + 1);
                input.splice(at..end, other[from..].iter().take(64).copied());
            }
            4 => {
                let fresh: Vec<_> = (0..1 + random.below(8)).map(|_| random.byte()).collect();
                input.splice(at..at, fresh);
            }
            change => {
                let Some(byte) = input.get_mut(at) else { continue };
                *byte = match change {
                    5 => *byte ^ 1 << random.below(8),
                    6 => byte.wrapping_add(random.byte() % 9).wrapping_sub(4),
                    _ => random.byte(),
                };
            }
        }
    }
    input.truncate(MAX_LEN);
    input
}

/// Numbers that look random enough (xorshift, 64 bits); the state is never 0.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((self.next() >> 32) % bound as u64) as usize
    }

    /// Any byte, and often one that stands at an edge.
    fn byte(&mut self) -> u8 {
        const EDGES: [u8; 12] = [0, 1, 2, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x88, 0xfe, 0xff];
        let number = self.next();
        if number & 3 == 0 { EDGES[self.below(EDGES.len())] } else { (number >> 40) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_does_not_stand_is_found_and_kept() {
        let target = Target {
            name: "no-seven",
            run: |bytes| assert!(!bytes.contains(&7), "there is a seven"),
            differential: None,
        };
        let found = run(target, &[b"1234".to_vec()], 1, Until::Executions(100_000));
        let found = found.expect_err("a byte of 256");
        assert!(found.input.contains(&7) && found.why.contains("there is a seven"), "{found:?}");
        let ran = run(target, &[vec![7, 7]], 1, Until::Executions(0));
        assert_eq!(ran.expect_err("what is saved runs").input, [7, 7]);
    }

    #[test]
    fn a_target_that_holds_too_much_is_found() {
        let run_of = |run| run_target(run, b"\x01");
        let most = |bytes: &[u8]| drop(vec![bytes[0]; MAX_MEMORY]);
        assert_eq!(run_of(most), Ok(1));
        let more = |bytes: &[u8]| drop(vec![bytes[0]; MAX_MEMORY + 1]);
        assert!(run_of(more).is_err_and(|found| found.why.contains("were held")));
    }

    fn run_target(run: fn(&[u8]), input: &[u8]) -> Result<u64, Found> {
        let target = Target { name: "memory", run, differential: None };
        super::run(target, &[input.to_vec()], 1, Until::Executions(1))
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let inputs = |seed| {
            let mut random = Random(seed);
            (0..200).map(|_| mutated(&mut random, &[b"Hello".to_vec()])).collect::<Vec<_>>()
        };
        assert_eq!(inputs(5), inputs(5));
        assert_ne!(inputs(5), inputs(7));
    }
}
