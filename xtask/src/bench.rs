//! Benchmarks: that they compile and answer rightly, and the full run.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome};
use crate::process::run;
use crate::workspace::Workspace;

/// Each benchmark once, for its answer checks; the figures mean nothing.
pub(crate) fn check(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace).args(["bench", "-p", "hybi-benches", "--benches", "--", "--test"]))?;
    Ok(Outcome::Passed)
}

pub(crate) fn full(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace).args(["bench", "-p", "hybi-benches", "--benches"]))?;
    Ok(Outcome::Passed)
}
