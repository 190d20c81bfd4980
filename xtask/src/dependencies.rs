//! What a program compiles for `hybi-tokio` with its default features: a list that is checked in, so that
//! nothing joins it unseen, and a ceiling.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::output;
use crate::workspace::{Workspace, read};

const CRATE: &str = "hybi-tokio";
/// Names, one a line, as [`tree`] gives them.
const LIST: &str = "dependencies.txt";
/// The most that it may be: crates of the workspace count, too, the one that is asked for included.
const CEILING: usize = 25;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let found = tree(workspace, CRATE)?;
    println!("{}", found.join("\n"));
    let listed = read(&workspace.xtask(LIST))?;
    let listed: Vec<&str> = listed.lines().collect();
    let mut tally = Tally::of("crates").plan(CRATE, listed.len()).did(CRATE, found.len());
    for new in found.iter().filter(|name| !listed.contains(&name.as_str())) {
        tally.fail(format!("{new} is compiled for {CRATE} and not in xtask/{LIST}"));
    }
    for gone in listed.iter().filter(|name| !found.iter().any(|found| found == *name)) {
        tally.fail(format!("{gone} of xtask/{LIST} is not compiled for {CRATE} any more"));
    }
    if found.len() > CEILING {
        tally.fail(format!("{} crates are more than {CEILING}", found.len()));
    }
    Ok(tally.into())
}

/// The names of the crates that are compiled for this one with its default features, itself included,
/// on Linux whatever this machine is.
pub(crate) fn tree(workspace: &Workspace, name: &str) -> Result<Vec<String>, String> {
    let lines = output(
        cargo(workspace)
            .args(["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"])
            .args(["--target", "x86_64-unknown-linux-gnu"]),
    )?;
    let mut names: Vec<String> =
        lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    Ok(names)
}
