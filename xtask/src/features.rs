//! Features only add: every crate is clean with none, with each alone, and with all.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome};
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, _: &Options) -> JobResult {
    for member in workspace.crates() {
        // Clippy, not check: `-D warnings` then reaches our crates alone and rebuilds no other.
        let lint = |features: &[&str]| {
            process::run(
                cargo(workspace)
                    .args(["clippy", "-q", "-p", &member.name])
                    .args(features)
                    .args(["--", "-D", "warnings"]),
            )
        };
        lint(&["--no-default-features"])?;
        let named: Vec<_> = member.features.iter().filter(|name| *name != "default").collect();
        for feature in &named {
            lint(&["--no-default-features", "--features", feature])?;
        }
        if named.len() > 1 {
            lint(&["--all-features"])?;
        }
    }
    Ok(Outcome::Passed)
}
