//! The program `hybi`, built once for every job that judges it from outside.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::cargo;
use crate::process::{Running, command, run};
use crate::workspace::Workspace;

/// Exit statuses of `hybi` that jobs look for; [`PANIC`] is what Rust makes of a panic.
pub(crate) const USAGE: i32 = 2;
pub(crate) const NO_CONNECTION: i32 = 3;
pub(crate) const TLS_FAILED: i32 = 4;
pub(crate) const REFUSED: i32 = 5;
pub(crate) const BROKEN_REPLY: i32 = 6;
pub(crate) const PEER_CLOSED: i32 = 8;
pub(crate) const PANIC: i32 = 101;

const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(60);

/// The built program.
#[derive(Debug)]
pub(crate) struct Hybi {
    program: PathBuf,
}

impl Hybi {
    pub(crate) fn build(workspace: &Workspace) -> Result<Self, String> {
        run(cargo(workspace).args(["build", "--release", "-p", "hybi-cli"]))?;
        Ok(Self { program: workspace.target.join("release/hybi") })
    }

    /// A server on a free port of the loopback address, with its log in `folder`.
    pub(crate) fn serve(&self, folder: &Path, options: &[&str]) -> Result<Server, String> {
        let mut serve = command(&self.program);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(options);
        let running = Running::start("hybi-serve", folder, &mut serve)?;
        let url = running.line_after("listening ", START)?;
        Ok(Server { running, url })
    }

    /// A client of `url`, which waits for all that it counts however slow the peer is; it finds an end of
    /// input when it reads any.
    pub(crate) fn connect(&self, url: &str, options: &[&str]) -> Command {
        let mut connect = command(&self.program);
        connect.args(["connect", "--wait", "end"]).args(options).arg(url);
        connect
    }
}

/// A running `hybi serve`.
#[derive(Debug)]
pub(crate) struct Server {
    running: Running,
    /// As the server printed it, without a path.
    pub(crate) url: String,
}

impl Server {
    /// Where else it listens, as its options say: the next URL that it printed.
    pub(crate) fn next_url(&self) -> Result<String, String> {
        self.running.line_after("listening ", START)
    }

    /// Begins the orderly end: every open connection gets a Close frame with 1001.
    pub(crate) fn terminate(&self) -> Result<(), String> {
        self.running.terminate()
    }

    /// Waits for that end, which must leave nothing cut.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        let (status, _) = self.running.finish(END)?;
        if status.success() { Ok(()) } else { Err(self.running.complaint(&status.to_string())) }
    }
}
