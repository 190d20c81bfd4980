//! The jobs of this workspace: `cargo xtask <job>`.
//!
//! `cargo xtask` alone lists them, `cargo xtask ci` runs everything that a change must pass.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "jobs report to whoever runs them")]

mod adapters;
mod api;
mod autobahn;
mod bench;
mod breaks;
mod cargo;
mod compression;
mod counts;
mod coverage;
mod deny;
mod dependencies;
mod drain;
mod features;
mod flags;
mod fuzz;
mod half_open;
mod hybi;
mod interop;
mod jobs;
mod minimal;
mod msrv;
mod multiplexing;
mod mutants;
mod no_std;
mod outcome;
mod package;
mod portable;
mod process;
mod pywebsocket;
mod sanitize;
mod semver;
mod simulate;
mod soak;
mod spelling;
mod streams;
mod tested;
mod tidy;
mod tools;
mod unused;
mod windows;
mod workspace;

use std::process::ExitCode;

use flags::Command;
use workspace::Workspace;

fn main() -> ExitCode {
    match flags::parse(std::env::args().skip(1)) {
        Ok(Command::List) => {
            print!("{}", flags::page());
            ExitCode::SUCCESS
        }
        Ok(Command::Run { jobs, options }) => match Workspace::load() {
            Ok(workspace) => jobs::run(&jobs, &workspace, &options),
            Err(why) => usage_or_setup_error(&why),
        },
        Err(why) => usage_or_setup_error(&why),
    }
}

/// Status 2: nothing was checked, so nothing passed or failed.
fn usage_or_setup_error(why: &str) -> ExitCode {
    eprintln!("xtask: error: {why}");
    ExitCode::from(2)
}
