//! The baseline: a text with a line for each row, and what a run comes to beside it.

use core::fmt;
use std::path::Path;

use crate::workspace::{read, write};

/// By how much instructions may grow before that is a complaint, and shrink before it is told: what
/// changes elsewhere moves code about, and a few instructions with it.
const TOLERANCE: f64 = 0.03;

/// What some messages cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) messages: u64,
    /// Of all of them.
    pub(super) instructions: u64,
    /// Of all of them.
    pub(super) allocations: u64,
}

/// The rows of one run, and the compiler that they are true of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    pub(super) compiler: String,
    pub(super) rows: Vec<Row>,
}

/// What to say of a run.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Rows that cost more than they did, or were not known.
    pub(super) grown: Vec<String>,
    /// Rows that cost less.
    pub(super) shrunk: Vec<String>,
}

impl Row {
    /// Reads what the benchmark says of allocations: `recv 20 B | 6 allocations in 10000 messages`.
    pub(super) fn allocations(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once(" | ")?;
        let (allocations, rest) = rest.split_once(" allocations in ")?;
        Some(Self {
            name: name.to_owned(),
            messages: rest.strip_suffix(" messages")?.parse().ok().filter(|count| *count > 0)?,
            instructions: 0,
            allocations: allocations.parse().ok()?,
        })
    }

    /// Instructions a message.
    fn each(&self) -> f64 {
        self.instructions as f64 / self.messages as f64
    }

    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('|').map(str::trim);
        let name = columns.next()?.to_owned();
        let mut number = || columns.next()?.split(' ').next()?.parse().ok();
        let (messages, instructions, allocations) = (number()?, number()?, number()?);
        (messages > 0).then_some(Self { name, messages, instructions, allocations })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, messages, instructions, allocations } = self;
        let each = self.each();
        write!(
            f,
            "{name:<31} | {messages:>6} messages | {instructions:>8} instructions, {each:>7.1} \
             each | {allocations:>6} allocations"
        )
    }
}

impl Baseline {
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let text = read(file)?;
        Self::parse(&text).map_err(|line| format!("{}: not a row: {line}", file.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let compiler = lines.next().unwrap_or_default().to_owned();
        let rows = lines.map(|line| Row::parse(line).ok_or_else(|| line.to_owned()));
        Ok(Self { compiler, rows: rows.collect::<Result<_, _>>()? })
    }

    pub(super) fn write(&self, file: &Path) -> Result<(), String> {
        write(file, &self.to_string())
    }

    /// What this run comes to beside an older one.
    pub(super) fn held_against(&self, older: &Self) -> Verdict {
        let mut verdict = Verdict::default();
        for row in &self.rows {
            let name = &row.name;
            let Some(old) = older.rows.iter().find(|old| old.name == *name) else {
                verdict.grown.push(format!("{name}: not in the baseline"));
                continue;
            };
            let (then, now) = (old.each(), row.each());
            let growth = now / then - 1.0;
            let told = || {
                let percent = growth * 100.0;
                format!("{name}: {then:.1} -> {now:.1} instructions a message, {percent:+.1} %")
            };
            if growth > TOLERANCE {
                verdict.grown.push(told());
            } else if growth < -TOLERANCE {
                verdict.shrunk.push(told());
            }
            // Allocations are exact.
            let (then, now) = (old.allocations * row.messages, row.allocations * old.messages);
            let told = || {
                format!(
                    "{name}: {} allocations in {} messages -> {} in {}",
                    old.allocations, old.messages, row.allocations, row.messages
                )
            };
            match now.cmp(&then) {
                core::cmp::Ordering::Greater => verdict.grown.push(told()),
                core::cmp::Ordering::Less => verdict.shrunk.push(told()),
                core::cmp::Ordering::Equal => {}
            }
        }
        verdict
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.compiler)?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(instructions: u64, allocations: u64) -> Baseline {
        let name = String::from("recv 20 B");
        let row = Row { name, messages: 100, instructions, allocations };
        Baseline { compiler: "rustc 1.2.3".into(), rows: vec![row] }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let baseline = run(75_912, 3);
        assert_eq!(Baseline::parse(&baseline.to_string()), Ok(baseline));
        assert_eq!(Baseline::parse("rustc\nrecv | many"), Err("recv | many".into()));
    }

    #[test]
    fn growth_beyond_the_tolerance_is_a_complaint_and_what_shrank_is_told() {
        let verdict = |now| run(now, 3).held_against(&run(100_000, 3));
        for within in [97_001, 100_000, 102_999] {
            let Verdict { grown, shrunk } = verdict(within);
            assert_eq!((grown.len(), shrunk.len()), (0, 0), "{within}");
        }
        let grown = verdict(104_000).grown;
        assert_eq!(grown, ["recv 20 B: 1000.0 -> 1040.0 instructions a message, +4.0 %"]);
        let shrunk = verdict(50_000).shrunk;
        assert_eq!(shrunk, ["recv 20 B: 1000.0 -> 500.0 instructions a message, -50.0 %"]);
    }

    #[test]
    fn allocations_are_exact() {
        let verdict = |now| run(100, now).held_against(&run(100, 100));
        let told = "recv 20 B: 100 allocations in 100 messages -> 101 in 100";
        assert_eq!(verdict(101).grown, [told]);
        assert_eq!(verdict(99).shrunk.len(), 1);
        let longer = Row { messages: 200, instructions: 200, ..run(100, 200).rows[0].clone() };
        let verdict = Baseline { rows: vec![longer], ..run(0, 0) }.held_against(&run(100, 100));
        assert_eq!((verdict.grown.len(), verdict.shrunk.len()), (0, 0));
    }

    #[test]
    fn a_row_without_a_baseline_is_a_complaint() {
        let empty = Baseline { compiler: String::new(), rows: Vec::new() };
        assert_eq!(run(100, 100).held_against(&empty).grown, ["recv 20 B: not in the baseline"]);
    }

    #[test]
    fn the_lines_of_the_benchmark_are_understood() {
        let row = Row::allocations("recv 20 B | 3 allocations in 100 messages");
        assert_eq!(row, Some(Row { instructions: 0, ..run(0, 3).rows[0].clone() }));
        assert_eq!(Row::allocations("     Running allocations/main.rs"), None);
        assert_eq!(Row::allocations("recv 20 B | 3 allocations in 0 messages"), None);
    }
}
