//! A message of 4 GiB each way, plain, compressed and through TLS, within a mebibyte of memory at either end and with
//! pings answered: the program `streams` of `trials/`, which judges itself.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, run, run_watched};
use crate::workspace::Workspace;

/// Four ways to carry it, from either end.
const WAYS: usize = 8;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("the peak of memory is told by Linux".to_owned()));
    }
    run(cargo(workspace).args(["build", "--release", "-p", "hybi-trials", "--bin", "streams"]))?;
    let lines = run_watched(&mut command(workspace.target.join("release/streams")))?;
    let passed = lines.iter().filter(|line| line.starts_with("ok: ")).count();
    Ok(Tally::of("ways").plan("streams", WAYS).did("streams", passed).into())
}
