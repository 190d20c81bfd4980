//! The crate with unsafe code under tools that watch memory: AddressSanitizer and Miri.

use crate::outcome::{JobResult, Options, Outcome};
use crate::process::{run, works};
use crate::tools::nightly_cargo;
use crate::workspace::Workspace;

const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(crate) fn address(workspace: &Workspace, _: &Options) -> JobResult {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped(format!("runs on {TARGET} only")));
    }
    let mut cargo = match nightly_cargo() {
        Ok(cargo) => cargo,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    // A folder of its own: these flags would otherwise throw out every other build. The explicit
    // target keeps them away from build scripts and procedural macros.
    run(cargo
        .args([
            "test",
            "-p",
            "hybi-frame",
            "--all-features",
            "--lib",
            "--tests",
            "--target",
            TARGET,
        ])
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("CARGO_TARGET_DIR", workspace.cache("sanitize")?)
        .current_dir(&workspace.root))?;
    Ok(Outcome::Passed)
}

pub(crate) fn miri(workspace: &Workspace, _: &Options) -> JobResult {
    let mut cargo = match nightly_cargo() {
        Ok(cargo) => cargo,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    if !works(cargo.args(["miri", "--version"])) {
        let install = "rustup component add --toolchain nightly miri rust-src";
        return Ok(Outcome::Skipped(format!("needs Miri; install it: {install}")));
    }
    run(nightly_cargo()?
        .args(["miri", "test", "-p", "hybi-frame", "--lib", "--tests"])
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "8")
        .env("CARGO_TARGET_DIR", workspace.cache("miri")?)
        .current_dir(&workspace.root))?;
    Ok(Outcome::Passed)
}
