//! What the benchmarks share: interleaved measuring, transports in memory, messages, and the
//! process beside the measured one.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

pub mod allocated;
pub mod bare;
pub mod by_hand;
pub mod memory;
pub mod records;
pub mod sans_io;
pub mod second_process;

use core::fmt;
use core::future::Future;
use core::hint::black_box;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::path::PathBuf;
use std::time::Instant;

/// One implementation doing the work of a comparison.
pub struct Contender<'a> {
    name: &'static str,
    /// Does the given number of operations.
    work: Box<dyn FnMut(usize) + 'a>,
}

impl fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Contender<'a> {
    /// `work` is told how many operations to do.
    pub fn new(name: &'static str, work: impl FnMut(usize) + 'a) -> Self {
        Self { name, work: Box::new(work) }
    }

    /// Does so many operations, which nobody measures.
    pub fn work(&mut self, operations: usize) {
        (self.work)(operations);
    }
}

/// Measures contenders beside each other and returns for each its name and the median of the
/// nanoseconds per operation.
///
/// Rounds are short and interleaved, so that what disturbs the machine disturbs all alike.
pub fn compare(contenders: &mut [Contender<'_>]) -> Vec<(&'static str, f64)> {
    let operations: Vec<usize> = contenders.iter_mut().map(calibrate).collect();
    run(contenders, &operations)
}

/// As [`compare`], with as many operations a round for all as the first needs: for contenders of
/// about the same speed whose operations are not all the same.
pub fn compare_in_step(contenders: &mut [Contender<'_>]) -> Vec<(&'static str, f64)> {
    let operations = contenders.first_mut().map_or(0, calibrate);
    run(contenders, &vec![operations; contenders.len()])
}

fn run(contenders: &mut [Contender<'_>], operations: &[usize]) -> Vec<(&'static str, f64)> {
    let mut times = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, (times, &operations)) in
            contenders.iter_mut().zip(times.iter_mut().zip(operations))
        {
            times.push(time(contender, operations).as_nanos() as f64 / operations as f64);
        }
    }
    contenders.iter().map(|contender| contender.name).zip(times.into_iter().map(median)).collect()
}

/// Prints one line: each contender's time, and how many times that of the first it is.
pub fn print_row(label: &str, figures: &[(&'static str, f64)]) {
    print!("{label:>10}");
    let base = figures[0].1;
    for (name, nanoseconds) in figures {
        print!(" | {name} {nanoseconds:.1} ns x{:.2}", nanoseconds / base);
    }
    println!();
}

/// Drives a future that needs nothing from outside.
///
/// # Panics
///
/// When it would have to wait. Once it may give way to other tasks, since a connection does so
/// after many reads.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..2 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
    panic!("a transport in memory is always ready")
}

/// How many operations fill a round.
fn calibrate(contender: &mut Contender<'_>) -> usize {
    let mut operations = 1;
    loop {
        let taken = time(contender, operations);
        if taken >= ROUND / 2 {
            let scale = ROUND.as_secs_f64() / taken.as_secs_f64();
            return ((operations as f64 * scale) as usize).max(1);
        }
        operations *= 2;
    }
}

fn time(contender: &mut Contender<'_>, operations: usize) -> Duration {
    let start = Instant::now();
    (contender.work)(black_box(operations));
    start.elapsed()
}

/// The processor time of one thread, where the system tells it.
#[derive(Clone, Debug)]
pub struct ThreadClock(PathBuf);

impl ThreadClock {
    /// The clock of the thread that asks.
    #[must_use]
    pub fn of_this_thread() -> Self {
        let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        Self(PathBuf::from("/proc").join(thread).join("schedstat"))
    }

    /// Nanoseconds of processor time so far; not a number where the system does not tell.
    #[must_use]
    pub fn nanoseconds(&self) -> f64 {
        let stat = std::fs::read_to_string(&self.0).unwrap_or_default();
        stat.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(f64::NAN)
    }
}

/// The median of some values.
///
/// # Panics
///
/// When there are none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const ROUNDS: usize = 201;
const ROUND: Duration = Duration::from_micros(250);
