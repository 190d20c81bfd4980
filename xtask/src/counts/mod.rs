//! Instructions and allocations of each message, on the calls that users make, held against a
//! baseline that is checked in.
//!
//! Times differ from run to run and from machine to machine; counts do not, as long as compiler, C
//! library and vector instructions are the same. Those of processors from 2013 on (AVX2) are used;
//! newer ones are not, since valgrind knows none.

mod baseline;

use std::path::{Path, PathBuf};

use serde_json::Value;

use self::baseline::{Baseline, Row};
use crate::bench::CRATE;
use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, output, run_watched};
use crate::tools::{cargo_program, need};
use crate::workspace::{Workspace, list};

/// How much more may be done with the feature `tracing` while nobody listens, in percent.
const MOST_TRACED: f64 = 3.0;

/// Rows as [`Baseline`] writes them.
const FILE: &str = "counts.txt";

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped("the baseline is of x86-64 Linux".to_owned()));
    }
    need("valgrind", &["--version"], "valgrind")?;
    let runner = runner(workspace)?;
    let plain = instructions(workspace, &runner, "counts")?;
    let measured = Baseline {
        compiler: output(command("rustc").arg("--version"))?.trim().to_owned(),
        rows: rows(&allocations(workspace)?, &plain)?,
    };
    let traced = instructions(workspace, &runner, "counts,tracing")?;
    let file = workspace.xtask(FILE);
    if options.bless {
        measured.write(&file)?;
    }
    let expected = Baseline::read(&file)?;
    let mut tally = Tally::of("rows");
    for row in &expected.rows {
        tally = tally.plan(&row.name, 1);
    }
    for row in &measured.rows {
        println!("{row}");
        tally.add(&row.name, 1);
    }
    let (most, row) = grown_most(&measured.rows, &traced)?;
    println!("with the feature `tracing` and nobody who listens: {:+.1} % at most, {row}", most);
    if most > MOST_TRACED {
        tally.fail(format!("`tracing` costs {most:.1} % where nobody listens: {row}"));
    }
    let verdict = measured.held_against(&expected);
    for shrunk in verdict.shrunk {
        println!("{shrunk}; so that it stays: cargo xtask counts --bless");
    }
    if !verdict.grown.is_empty() {
        tally.fail(verdict.grown.join("\n"));
        tally.fail(
            "if that is the price of something, take it: cargo xtask counts --bless; and say in \
             the commit of what"
                .to_owned(),
        );
        if measured.compiler != expected.compiler {
            let (now, then) = (&measured.compiler, &expected.compiler);
            tally.fail(format!("this is {now}, the baseline was made with {then}"));
        }
    }
    Ok(tally.into())
}

/// The harness's own program, in the version of its library; installed if it is not there.
fn runner(workspace: &Workspace) -> Result<PathBuf, String> {
    let mut packages = list(&workspace.metadata["packages"]);
    let library = packages.find(|package| package["name"] == "gungraun");
    let version = library.and_then(|package| package["version"].as_str());
    let version = version.ok_or("gungraun is not in the dependency graph")?;
    cargo_program(workspace, "gungraun-runner", version)
}

/// What each row allocates, with its name and its number of messages.
fn allocations(workspace: &Workspace) -> Result<Vec<Row>, String> {
    let lines = run_watched(&mut bench(workspace, "counts", "allocations"))?;
    Ok(lines.iter().filter_map(|line| Row::allocations(line)).collect())
}

/// By how many percent the row grew that grew most, and its name.
fn grown_most<'a>(rows: &'a [Row], traced: &[u64]) -> Result<(f64, &'a str), String> {
    if rows.len() != traced.len() {
        return Err(format!("{} rows, and {} with `tracing`", rows.len(), traced.len()));
    }
    let grown = rows.iter().zip(traced).map(|(row, &traced)| {
        (100.0 * (traced as f64 / row.instructions as f64 - 1.0), row.name.as_str())
    });
    grown.max_by(|(one, _), (other, _)| one.total_cmp(other)).ok_or_else(|| "no rows".to_owned())
}

/// The instructions of each row, in the same order.
fn instructions(workspace: &Workspace, runner: &Path, features: &str) -> Result<Vec<u64>, String> {
    let mut bench = bench(workspace, features, "counts");
    bench.args(["--", "--output-format=json"]).env("GUNGRAUN_RUNNER", runner);
    let mut counts = Vec::new();
    for line in output(&mut bench)?.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        if row["id"] != format!("row_{}", counts.len()) {
            return Err(format!("row {} was not counted", counts.len()));
        }
        let count = &row["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"];
        counts.push(count.as_u64().ok_or_else(|| format!("no instructions in {line}"))?);
    }
    Ok(counts)
}

fn bench(workspace: &Workspace, features: &str, name: &str) -> std::process::Command {
    let mut bench = cargo(workspace);
    bench.args(["bench", "-p", CRATE, "--features", features, "--bench", name]);
    bench
}

fn rows(allocations: &[Row], instructions: &[u64]) -> Result<Vec<Row>, String> {
    if allocations.len() != instructions.len() {
        let (named, counted) = (allocations.len(), instructions.len());
        return Err(format!("{named} rows have names, {counted} were counted"));
    }
    let both = allocations.iter().zip(instructions);
    Ok(both.map(|(row, &instructions)| Row { instructions, ..row.clone() }).collect())
}
