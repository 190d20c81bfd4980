//! Jobs that are one or two cargo commands: fmt, lint, test, doc, properties.

use std::process::Command;

use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, run, run_watched, works};
use crate::tested::{self, Choice};
use crate::workspace::Workspace;

/// `cargo` in the root of the workspace.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut cargo = command("cargo");
    cargo.current_dir(&workspace.root);
    cargo
}

pub(crate) fn fmt(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace).args(["fmt", "--all", "--check"]))?;
    Ok(Tally::command("fmt").into())
}

pub(crate) fn lint(workspace: &Workspace, _: &Options) -> JobResult {
    run(cargo(workspace)
        .args(["clippy", "--workspace", "--all-targets", "--all-features"])
        .args(["--", "-D", "warnings"]))?;
    Ok(Tally::command("clippy").into())
}

pub(crate) fn test(workspace: &Workspace, _: &Options) -> JobResult {
    let scope = ["--workspace", "--all-features"];
    let programs = workspace.members.iter().map(|member| tested::programs(member, Choice::All));
    let tally = Tally::of("test programs").plan("of the workspace", programs.sum());
    let ran = if works(cargo(workspace).args(["nextest", "--version"])) {
        tested::ran_by_nextest(&run_watched(
            cargo(workspace)
                .args(["nextest", "run", "--no-fail-fast", "--config-file", "xtask/nextest.toml"])
                .args(scope)
                .env("CARGO_TERM_COLOR", "never"),
        )?)?
    } else {
        println!("faster with nextest: cargo install --locked cargo-nextest");
        tested::count(cargo(workspace).args(["test", "--tests"]).args(scope))?
    };
    // nextest runs no documentation examples.
    tested::count(cargo(workspace).args(["test", "--doc"]).args(scope))?;
    Ok(tally.did("of the workspace", ran).into())
}

pub(crate) fn doc(workspace: &Workspace, _: &Options) -> JobResult {
    // Libraries only: nobody reads the insides of programs as pages.
    run(cargo(workspace)
        .args(["doc", "--workspace", "--lib", "--no-deps", "--all-features"])
        .env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Tally::command("doc").into())
}

pub(crate) fn properties(workspace: &Workspace, _: &Options) -> JobResult {
    let programs = workspace.members.iter().map(|member| tested::programs(member, Choice::All));
    let tally = Tally::of("test programs").plan("of the workspace", programs.sum());
    // proptest runs 256 cases by default.
    let ran = tested::count(
        cargo(workspace)
            .args(["test", "--workspace", "--all-features", "--tests"])
            .env("PROPTEST_CASES", "51200")
            // The models of the closing handshake are small by default.
            .env("HYBI_MODELS_DEEP", "1"),
    )?;
    Ok(tally.did("of the workspace", ran).into())
}
