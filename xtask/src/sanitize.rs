//! The crate with unsafe code under tools that watch memory: AddressSanitizer and Miri.

use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::works;
use crate::tested::{self, Choice};
use crate::tools::{nightly_cargo, unstable_cargo};
use crate::workspace::Workspace;

const CRATE: &str = "hybi-frame";
const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(crate) fn address(workspace: &Workspace, _: &Options) -> JobResult {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped(format!("runs on {TARGET} only")));
    }
    // A folder of its own: these flags would otherwise throw out every other build. The explicit
    // target keeps them away from build scripts and procedural macros.
    let programs = tested::run(
        unstable_cargo(workspace)
            .args(["test", "-p", CRATE, "--all-features", "--lib", "--tests", "--target", TARGET])
            .env("RUSTFLAGS", "-Zsanitizer=address")
            .env("CARGO_TARGET_DIR", workspace.cache("sanitize")?),
    )?;
    for program in &programs {
        // Flags from elsewhere can take the place of these, and the tests pass all the same.
        let path = workspace.root.join(program);
        let code = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !is_watched(&code) {
            return Err(format!("{program} was built without AddressSanitizer"));
        }
    }
    Ok(planned(workspace).did(CRATE, programs.len()).into())
}

pub(crate) fn miri(workspace: &Workspace, _: &Options) -> JobResult {
    let mut cargo = match nightly_cargo(workspace) {
        Ok(cargo) => cargo,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    if !works(cargo.args(["miri", "--version"])) {
        let install = "rustup component add --toolchain nightly miri rust-src";
        return Ok(Outcome::Skipped(format!("needs Miri; install it: {install}")));
    }
    let ran = tested::count(
        nightly_cargo(workspace)?
            .args(["miri", "test", "-p", CRATE, "--all-features", "--lib", "--tests"])
            .env("MIRIFLAGS", "-Zmiri-disable-isolation")
            .env("PROPTEST_CASES", "8")
            .env("CARGO_TARGET_DIR", workspace.cache("miri")?),
    )?;
    Ok(planned(workspace).did(CRATE, ran).into())
}

/// Whether a program calls the sanitizer as it starts.
fn is_watched(code: &[u8]) -> bool {
    const CALL: &[u8] = b"__asan_init";
    code.windows(CALL.len()).any(|window| window == CALL)
}

fn planned(workspace: &Workspace) -> Tally {
    let member = workspace.members.iter().filter(|member| member.name == CRATE);
    let programs = member.map(|member| tested::programs(member, Choice::All));
    Tally::of("test programs").plan(CRATE, programs.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_the_sanitizer_is_told() {
        assert!(is_watched(b"\x7fELF __asan_init\0"));
        assert!(!is_watched(b"\x7fELF __as an_init\0"));
    }
}
