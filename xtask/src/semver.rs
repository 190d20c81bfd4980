//! Whether a version number says what changed: held against the last release, or, before the first, against the
//! commit that last took the listing of the public API.
//!
//! The listing tells every change of what it shows; this one knows what breaks users, and sees what the listing
//! does not show, such as a `must_use`, a layout or a trait that is sealed.

use std::process::Command;

use crate::api::FOLDER;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, output, run};
use crate::tools::cargo_program;
use crate::workspace::Workspace;

/// Reads the formats that rustdoc 1.93 and newer write.
const VERSION: &str = "0.51.0";

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let program = cargo_program(workspace, "cargo-semver-checks", VERSION)?;
    let mut check = command(program);
    check.args(["semver-checks", "--all-features", "--baseline-rev"]).current_dir(&workspace.root);
    match released(workspace)? {
        Some(tag) => {
            println!("held against the release {tag}");
            check.arg(tag);
        }
        None => {
            let listed = listed(workspace)?;
            println!("nothing is released; held against {listed}, which last took xtask/{FOLDER}");
            // The version did not change since, and what breaks would have changed the listing.
            check.args([&listed, "--release-type", "patch"]);
        }
    }
    for member in workspace.libraries() {
        check.args(["-p", &member.name]);
    }
    run(check.env("CARGO_TARGET_DIR", workspace.cache("semver")?))?;
    Ok(Tally::command("cargo-semver-checks").into())
}

/// The tag of the newest release that is part of this.
fn released(workspace: &Workspace) -> Result<Option<String>, String> {
    let tags = ["tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-v:refname"];
    let tags = output(git(workspace).args(tags))?;
    Ok(tags.lines().next().map(str::to_owned))
}

/// The commit that last changed the listing.
fn listed(workspace: &Workspace) -> Result<String, String> {
    let folder = format!("xtask/{FOLDER}");
    let last = output(git(workspace).args(["log", "-1", "--format=%H", "--", &folder]))?;
    match last.trim() {
        "" => Err(format!("no commit has {folder}")),
        last => Ok(last.to_owned()),
    }
}

fn git(workspace: &Workspace) -> Command {
    let mut git = command("git");
    git.current_dir(&workspace.root);
    git
}
