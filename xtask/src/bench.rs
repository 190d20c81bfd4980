//! Benchmarks: that they compile and answer rightly, and the full run.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::run_watched;
use crate::tested;
use crate::workspace::Workspace;

/// Each benchmark once, for its answer checks; the figures mean nothing.
pub(crate) fn check(workspace: &Workspace, _: &Options) -> JobResult {
    all(workspace, &["--", "--test"])
}

pub(crate) fn full(workspace: &Workspace, _: &Options) -> JobResult {
    all(workspace, &[])
}

fn all(workspace: &Workspace, options: &[&str]) -> JobResult {
    const CRATE: &str = "hybi-benches";
    let targets = workspace.members.iter().filter(|member| member.name == CRATE);
    let benches =
        targets.flat_map(|member| &member.targets).filter(|target| target.kind == "bench");
    let tally = Tally::of("benchmarks").plan(CRATE, benches.count());
    let mut bench = cargo(workspace);
    bench.args(["bench", "-p", CRATE, "--bench", "*"]).args(options);
    let lines = run_watched(bench.env("CARGO_TERM_COLOR", "never"))?;
    Ok(tally.did(CRATE, tested::started(&lines).len()).into())
}
