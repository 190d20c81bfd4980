//! The `hybi` program: `serve` and `connect` over every WebSocket version of this build.
//!
//! Built on the public API of the library crates alone. Results go to stdout, everything else to
//! stderr; the exit codes are in [`exit`].

#![forbid(unsafe_code)]

mod args;
mod clock;
mod connect;
mod escape;
mod exit;
mod extensions;
mod json;
mod key;
mod log;
mod serve;
mod signals;
mod tls;
mod values;
mod versions;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::args::{Cli, Command};
use crate::exit::{Failure, Status};

fn main() -> ExitCode {
    let status = run().unwrap_or_else(|failure| {
        if failure.status != Status::Done {
            failure.print();
        }
        failure.status
    });
    ExitCode::from(status as u8)
}

fn run() -> Result<Status, Failure> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Whoever asks nothing gets the help, and yet the status of a mistake: a script whose command
        // came out empty has not done what it was to do.
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            return Ok(Status::Usage);
        }
        Err(error) if error.use_stderr() => return Err(exit::usage_failure(&error)),
        // Help and version are results. A reader that went away does not want them.
        Err(error) => {
            let _ = error.print();
            return Ok(Status::Done);
        }
    };
    log::set(cli.global.level());
    match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Connect(args) => connect::run(*args, cli.global.json),
        Command::Key(args) => key::run(&args, cli.global.json),
        Command::Versions => versions::print(cli.global.json),
    }
}
