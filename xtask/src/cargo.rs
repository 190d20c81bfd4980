//! Jobs that are one or two cargo commands: fmt, lint, test, doc, properties.

use std::process::Command;

use crate::outcome::{JobResult, Options, Outcome};
use crate::process::{command, run, works};
use crate::workspace::Workspace;

/// `cargo` in the root of the workspace.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut cargo = command("cargo");
    cargo.current_dir(&workspace.root);
    cargo
}

pub(crate) fn fmt(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace).args(["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

pub(crate) fn lint(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace)
        .args(["clippy", "--workspace", "--all-targets", "--all-features"])
        .args(["--", "-D", "warnings"]))?;
    Ok(Outcome::Passed)
}

pub(crate) fn test(workspace: &Workspace, _: &Options) -> JobResult {
    let scope = ["--workspace", "--all-features"];
    if works(cargo(workspace).args(["nextest", "--version"])) {
        run(cargo(workspace)
            .args(["nextest", "run", "--no-fail-fast", "--config-file", "xtask/nextest.toml"])
            .args(scope))?;
    } else {
        println!("faster with nextest: cargo install --locked cargo-nextest");
        run(cargo(workspace).args(["test", "--lib", "--bins", "--tests"]).args(scope))?;
    }
    // nextest runs no documentation examples.
    run(cargo(workspace).args(["test", "--doc"]).args(scope))?;
    Ok(Outcome::Passed)
}

pub(crate) fn doc(workspace: &Workspace, _: &Options) -> JobResult {
    // Libraries only: nobody reads the insides of programs as pages.
    run(cargo(workspace)
        .args(["doc", "--workspace", "--lib", "--no-deps", "--all-features"])
        .env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
}

pub(crate) fn properties(workspace: &Workspace, _: &Options) -> JobResult {
    // proptest runs 256 cases by default.
    run(cargo(workspace)
        .args(["test", "--workspace", "--all-features", "--tests"])
        .env("PROPTEST_CASES", "51200"))?;
    Ok(Outcome::Passed)
}
