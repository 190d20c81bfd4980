//! The command line: one file for each subcommand, and what all of them share.

pub(crate) mod connect;
pub(crate) mod key;
#[cfg(test)]
mod limits;
pub(crate) mod serve;

use std::sync::LazyLock;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::log::Level;
use crate::values::version_name;

/// What `--version` prints: the program's version, then what it speaks.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let names = hybi::Version::ALL.map(version_name).join(", ");
    format!("{} ({names}; TLS 1.2, 1.3)", env!("CARGO_PKG_VERSION"))
});

/// The WebSocket protocol: a server and a client for people, scripts and tests.
#[derive(Debug, Parser)]
#[command(name = "hybi", version = VERSION.as_str(), max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the first two are is said where their options are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::ServeArgs>),
    Connect(Box<connect::ConnectArgs>),
    /// List the versions of the protocol, what they can do, and how a request selects them
    ///
    /// CLOSE is what ends a connection: a Close frame with or without a code, the bytes FF 00, or none.
    /// MASKED tells whether what a client sends is masked. SELECTED BY has all values of a field that a
    /// server takes.
    Versions,
    /// Make a key for an opening handshake, or compute what answers one
    ///
    /// Without an argument it makes a Sec-WebSocket-Key. With one it prints the Sec-WebSocket-Accept
    /// that answers it. With the three parts of a challenge of hixie-76 or hybi-01 to hybi-03 it prints
    /// the sixteen bytes that answer that, as hexadecimal, and as text if all of them are visible.
    Key(key::KeyArgs),
}

/// Options accepted before or after the subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global")]
pub(crate) struct Global {
    /// What to log to stderr
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        default_value = "warn",
        env = "HYBI_LOG_LEVEL"
    )]
    log_level: Level,
    /// Log more: -v is info, -vv debug, -vvv trace
    #[arg(short, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log errors only
    #[arg(short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Write results as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Global {
    /// The level that `-v`, `-q` and `--log-level` ask for together.
    pub(crate) fn level(&self) -> Level {
        match (self.quiet, self.verbose) {
            (true, _) => Level::Error,
            (false, 0) => self.log_level,
            (false, 1) => Level::Info,
            (false, 2) => Level::Debug,
            (false, _) => Level::Trace,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_declaration_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_fits_one_hundred_columns() {
        for name in ["serve", "connect", "versions", "key"] {
            let mut command = Cli::command();
            command.build();
            let help = command.find_subcommand_mut(name).unwrap().render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{name}: {line}");
            }
        }
    }
}
