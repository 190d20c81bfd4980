//! The adapters side by side, each beside a bare echo of its runtime: the program `adapters` of `trials/`, which prints
//! figures and judges that answers are right, and nothing else.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, run, run_watched};
use crate::workspace::Workspace;

/// Rows: a bare echo and an adapter of four kinds, in four shapes and idle.
const ROWS: usize = 40;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("processor time of threads is told by Linux".to_owned()));
    }
    run(cargo(workspace).args(["build", "--release", "-p", "hybi-trials", "--bin", "adapters"]))?;
    let lines = run_watched(&mut command(workspace.target.join("release/adapters")))?;
    let rows = lines.iter().filter(|line| line.starts_with("  ")).count();
    Ok(Tally::of("rows").plan("adapters", ROWS).did("adapters", rows).into())
}
