//! Instructions of each row, counted by callgrind; `cargo xtask counts` runs this and compares.
//!
//! A row is one process under valgrind, which counts in [`row`] alone: the warm-up and the end of
//! the connection are outside. Numbers stand for names, in the order of the table.
#![expect(missing_docs, reason = "the macros make public items")]

#[expect(dead_code, reason = "`allocations` tells the names, in the same order")]
mod rows;

use gungraun::{Callgrind, LibraryBenchmarkConfig};
use gungraun::{library_benchmark, library_benchmark_group, main};
use rows::{ROWS, Work};

fn warmed_up(at: usize) -> (usize, Work) {
    (ROWS[at].messages, ROWS[at].warmed_up())
}

#[library_benchmark]
#[benches::row(iter = 0..ROWS.len(), setup = warmed_up)]
fn row((messages, mut work): (usize, Work)) -> Work {
    work(messages);
    work
}

/// Copies by `rep movsb` are one instruction each, however long: without the two features by which
/// the C library chooses it, a copy counts about as it costs.
fn config() -> LibraryBenchmarkConfig {
    LibraryBenchmarkConfig::default()
        .tool(Callgrind::with_args(["--cache-sim=no"]))
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS,-FSRM")
        .clone()
}

library_benchmark_group!(name = rows_in_memory, benchmarks = row);
main!(config = config(), library_benchmark_groups = rows_in_memory);
