//! Other machines: what lies below I/O is tested with words of 32 bits and with the big end first, and all of
//! it compiles for WebAssembly.
//!
//! Their standard library is compiled on the spot, from its sources. The programs of 32 bits run as they are,
//! the others under qemu; all are linked whole, so that none needs another machine's system.

mod sources;

use std::process::Command;

use self::sources::Sources;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::run;
use crate::tested::{self, Choice};
use crate::tools::need;
use crate::workspace::{Member, Workspace};

/// A machine whose programs run here.
#[derive(Debug)]
struct Machine {
    target: &'static str,
    compiler: &'static str,
    /// Debian's names of the compiler, the C library, and what runs the programs.
    packages: &'static str,
    runner: Option<&'static str>,
}

const MACHINES: [Machine; 2] = [
    Machine {
        target: "i686-unknown-linux-gnu",
        compiler: "i686-linux-gnu-gcc",
        packages: "gcc-i686-linux-gnu libc6-dev-i386-cross",
        runner: None,
    },
    Machine {
        target: "s390x-unknown-linux-gnu",
        compiler: "s390x-linux-gnu-gcc",
        packages: "gcc-s390x-linux-gnu libc6-dev-s390x-cross",
        runner: Some("qemu-s390x"),
    },
];

/// Whose tests run there: all that reads or writes bytes.
const TESTED: [&str; 5] =
    ["hybi-frame", "hybi-handshake", "hybi-compression", "hybi-legacy", "hybi-mux"];

const WASM: &str = "wasm32-unknown-unknown";
/// What compiles there: all that knows neither a runtime nor a socket.
const COMPILED: [&str; 6] =
    ["hybi-frame", "hybi-handshake", "hybi-compression", "hybi-legacy", "hybi-mux", "hybi"];
/// The machine has no random bytes of its own, so a program for it says where they come from.
const WASM_FLAGS: &str = "--cfg getrandom_backend=\"custom\"";

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped("programs of i686 run on x86-64 Linux only".to_owned()));
    }
    let sources = match Sources::find(workspace) {
        Ok(sources) => sources,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    let mut tally = Tally::of("test programs and builds");
    for name in COMPILED {
        tally = tally.plan(format!("{WASM} {name}"), 1);
    }
    for machine in &MACHINES {
        need(machine.compiler, &["--version"], machine.packages)?;
        if let Some(runner) = machine.runner {
            need(runner, &["--version"], "qemu-user")?;
        }
        for member in members(workspace) {
            let item = format!("{} {}", machine.target, member.name);
            tally = tally.plan(item, tested::programs(member, Choice::All));
        }
    }

    for name in COMPILED {
        let mut check = cargo(workspace, &sources, "check", "core,alloc,std,panic_abort", WASM)?;
        check.args(["-p", name, "--all-features", "--lib"]);
        check.env(variable(WASM, "RUSTFLAGS"), WASM_FLAGS);
        tally.take(format!("{WASM} {name}"), run(&mut check).map(|()| 1));
    }
    for machine in &MACHINES {
        for member in members(workspace) {
            let item = format!("{} {}", machine.target, member.name);
            tally.take(item, tested::count(&mut test(workspace, &sources, machine, member)?));
        }
    }
    Ok(tally.into())
}

fn members(workspace: &Workspace) -> impl Iterator<Item = &Member> {
    workspace.members.iter().filter(|member| TESTED.contains(&member.name.as_str()))
}

fn test(
    workspace: &Workspace,
    sources: &Sources,
    machine: &Machine,
    member: &Member,
) -> Result<Command, String> {
    let target = machine.target;
    let mut test = cargo(workspace, sources, "test", "std,panic_unwind,test", target)?;
    test.args(["-p", &member.name, "--all-features", "--lib", "--tests", "--no-fail-fast"]);
    test.env(variable(target, "LINKER"), machine.compiler);
    test.env(variable(target, "RUSTFLAGS"), "-C target-feature=+crt-static");
    if let Some(runner) = machine.runner {
        test.env(variable(target, "RUNNER"), runner);
    }
    // Optimised a little, since each instruction is another program's work.
    test.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "false");
    Ok(test)
}

fn cargo(
    workspace: &Workspace,
    sources: &Sources,
    does: &str,
    library: &str,
    target: &str,
) -> Result<Command, String> {
    let mut cargo = sources.cargo(workspace);
    cargo.args([does, &format!("-Zbuild-std={library}"), "--target", target]);
    cargo.env("CARGO_TARGET_DIR", workspace.cache("portable")?);
    Ok(cargo)
}

/// The name of the variable that configures a target: `CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER`.
fn variable(target: &str, what: &str) -> String {
    format!("CARGO_TARGET_{}_{what}", target.to_uppercase().replace('-', "_"))
}
