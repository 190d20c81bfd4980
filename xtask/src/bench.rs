//! Benchmarks: that they compile and answer rightly, and the full run.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::run_watched;
use crate::tested;
use crate::workspace::Workspace;

/// Where they are.
pub(crate) const CRATE: &str = "hybi-benches";

/// Each benchmark once, for its answer checks; the figures mean nothing.
pub(crate) fn check(workspace: &Workspace, _: &Options) -> JobResult {
    all(workspace, &["--", "--test"])
}

pub(crate) fn full(workspace: &Workspace, _: &Options) -> JobResult {
    all(workspace, &[])
}

fn all(workspace: &Workspace, options: &[&str]) -> JobResult {
    let targets = workspace.members.iter().filter(|member| member.name == CRATE);
    // What needs more than a compiler has a job of its own.
    let benches = targets
        .flat_map(|member| &member.targets)
        .filter(|target| target.kind == "bench" && target.required_features.is_empty());
    let tally = Tally::of("benchmarks").plan(CRATE, benches.count());
    let mut bench = cargo(workspace);
    bench.args(["bench", "-p", CRATE]).args(options);
    let lines = run_watched(bench.env("CARGO_TERM_COLOR", "never"))?;
    Ok(tally.did(CRATE, tested::started(&lines).len()).into())
}
