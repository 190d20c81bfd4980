//! Features only add: every crate is clean with none, with each alone and with all, and its tests
//! pass with none and with each alone.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process;
use crate::tested::{self, Choice};
use crate::workspace::{Member, Workspace};

/// Features of a dependency that users turn on beside ours: the DEFLATE library in C, the system's
/// or built from the sources that come with its crate. In a build of the whole workspace it would
/// replace the others.
const OF_A_DEPENDENCY: [(&str, &str); 1] = [("hybi-compression", "miniz_oxide,flate2/zlib")];

pub(crate) fn run(workspace: &Workspace, _: &Options) -> JobResult {
    let mut tally = Tally::of("test programs");
    for member in workspace.crates() {
        lint(workspace, member, Choice::All)?;
        for choice in choices(member) {
            let item = format!("{} {}", member.name, choice.arguments().join(" "));
            tally = tally.plan(&item, tested::programs(member, choice));
            lint(workspace, member, choice)?;
            let mut test = cargo(workspace);
            test.args(["test", "-p", &member.name, "--no-fail-fast"]).args(choice.arguments());
            tally.take(&item, tested::count(&mut test).map_err(|why| format!("{item}: {why}")));
        }
    }
    Ok(tally.into())
}

fn choices(member: &Member) -> Vec<Choice<'_>> {
    let named = member.features.keys().map(String::as_str).filter(|name| *name != "default");
    let foreign = OF_A_DEPENDENCY.into_iter().filter(|row| row.0 == member.name);
    let alone = named.chain(foreign.map(|row| row.1)).map(Choice::Only);
    core::iter::once(Choice::None).chain(alone).collect()
}

fn lint(workspace: &Workspace, member: &Member, choice: Choice<'_>) -> Result<(), String> {
    // Clippy, not check: `-D warnings` then reaches our crates alone and rebuilds no other.
    process::run(
        cargo(workspace)
            .args(["clippy", "-q", "-p", &member.name])
            .args(choice.arguments())
            .args(["--", "-D", "warnings"]),
    )
}
