//! A server under mixed load and attack, for half an hour or as long as it is told: the program `soak` of
//! `trials/`, which judges itself, check by check.

use core::time::Duration;

use crate::cargo::cargo;
use crate::flags::duration;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, run, run_watched};
use crate::workspace::Workspace;

const TIME: Duration = Duration::from_secs(30 * 60);

const SHORTEST: Duration = Duration::from_secs(60);

/// So many things does it judge.
const CHECKS: usize = 8;

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let time = options.time.as_deref().map_or(Ok(TIME), duration)?;
    if time < SHORTEST {
        return Err("--time takes a minute at least: less says nothing about memory".to_owned());
    }
    run(cargo(workspace).args(["build", "--release", "-p", "hybi-trials", "--bin", "soak"]))?;
    let mut soak = command(workspace.target.join("release/soak"));
    let lines = run_watched(soak.arg(time.as_secs().to_string()))?;
    let passed = lines.iter().filter(|line| line.starts_with("ok: ")).count();
    Ok(Tally::of("checks").plan("soak", CHECKS).did("soak", passed).into())
}
