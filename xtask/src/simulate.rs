//! Conversations by seed over every version and every extension; what holds of them stands in hybi-suite.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, output, run};
use crate::workspace::Workspace;

/// Of each row, unless `--seeds` says otherwise.
const SEEDS: &str = "0..100000";

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let program = build(&mut cargo(workspace), &workspace.target)?;
    let listed = output(&mut command(&program))?;
    let rows: Vec<_> = listed.lines().map(str::to_owned).collect();
    let rows = options.chosen("row", &rows)?;
    let (arguments, count) = match (&options.choices, &options.seeds) {
        (Some(_), _) if rows.len() > 1 => return Err("--choices is for one row".into()),
        (Some(choices), _) => (vec![choices.clone()], 1),
        (None, seeds) => {
            let (first, end) = range(seeds.as_deref().unwrap_or(SEEDS))?;
            (vec![first.to_string(), end.to_string()], end - first)
        }
    };
    let tally = rows.iter().fold(Tally::of("conversations"), |tally, row| tally.plan(row, count));
    let (tally, left) = (Mutex::new(tally), Mutex::new(VecDeque::from(rows)));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while let Some(row) = next() {
                    let began = Instant::now();
                    let mut one = command(&program);
                    one.arg(&row).args(&arguments).stdout(Stdio::null()).stderr(Stdio::piped());
                    let outcome = match one.output() {
                        Ok(output) if output.status.success() => Ok(count),
                        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
                        Err(error) => Err(format!("{}: {error}", program.display())),
                    };
                    let took = began.elapsed().as_secs_f64();
                    let verdict = if outcome.is_ok() { "hold" } else { "FAILED" };
                    println!("{row:<32} {count:>8} conversations {verdict} in {took:.1} s");
                    tally.lock().unwrap_or_else(PoisonError::into_inner).take(row, outcome);
                }
            });
        }
    });
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner).into())
}

/// Builds the program with this `cargo`, which leaves what it makes in `target`.
pub(crate) fn build(cargo: &mut Command, target: &Path) -> Result<PathBuf, String> {
    cargo.args(["build", "-q", "--profile", "simulation", "-p", "hybi-suite"]);
    run(cargo.args(["--features", "simulation", "--example", "simulate"]))?;
    Ok(target.join("simulation/examples/simulate"))
}

/// `100` are the first hundred, `7..9` are two others.
fn range(text: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| text.parse::<usize>().ok();
    let range = match text.split_once("..") {
        None => number(text).map(|end| (0, end)),
        Some((first, end)) => number(first).zip(number(end)),
    };
    range
        .filter(|(first, end)| first < end)
        .ok_or_else(|| format!("--seeds takes a number or a range such as 7..9, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_range() {
        assert_eq!(range("100"), Ok((0, 100)));
        assert_eq!(range("7..9"), Ok((7, 9)));
        for wrong in ["", "0", "9..7", "7..", "a"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
