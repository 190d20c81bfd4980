//! The adapters compile for Windows, with every feature but those of TLS, whose cryptography needs a C compiler for it.
//! Nothing is run there.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, output, run};
use crate::workspace::Workspace;

const TARGET: &str = "x86_64-pc-windows-gnu";

/// What knows sockets.
const ADAPTERS: [&str; 4] = ["hybi-tokio", "hybi-smol", "hybi-async-std", "hybi-blocking"];

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let installed = output(command("rustup").args(["target", "list", "--installed"]));
    if !installed.is_ok_and(|installed| installed.lines().any(|target| target == TARGET))
        && let Err(why) = run(command("rustup").args(["target", "add", TARGET]))
    {
        let told = format!("the standard library of {TARGET} could not be installed: {why}");
        return Ok(Outcome::Skipped(told));
    }
    let mut tally = Tally::of("adapters");
    for name in ADAPTERS {
        tally = tally.plan(name, 1);
        let mut check = cargo(workspace);
        check.args(["check", "-q", "--lib", "--target", TARGET, "-p", name]);
        check.args(["--features", "compression,legacy,mux,tracing"]);
        check.env("RUSTFLAGS", "-D warnings").env("CARGO_TARGET_DIR", workspace.cache("windows")?);
        tally.take(name, run(&mut check).map(|()| 1));
    }
    Ok(tally.into())
}
