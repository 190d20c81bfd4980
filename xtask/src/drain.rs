//! The end of a server with a thousand connections, in real time: the program `drain` of `trials/`, which judges
//! itself.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, run, run_watched};
use crate::workspace::Workspace;

/// The adapters that serve.
const ADAPTERS: [&str; 4] = ["tokio", "async-std", "smol", "blocking"];

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace).args(["build", "-p", "hybi-trials", "--bin", "drain"]))?;
    let lines = run_watched(&mut command(workspace.target.join("debug/drain")))?;
    let is_of = |adapter: &&&str| {
        lines.iter().any(|line| {
            line.starts_with(&format!("{adapter:<9} | 1000 closed in order, 0 lost, 20 cut, "))
        })
    };
    let ended = ADAPTERS.iter().filter(is_of).count();
    Ok(Tally::of("servers")
        .plan("ended in order", ADAPTERS.len())
        .did("ended in order", ended)
        .into())
}
