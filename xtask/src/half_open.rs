//! Connections whose packets are dropped, in network namespaces: the program `half_open` of `trials/`, where it has
//! the right to make them.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, run, run_watched, works};
use crate::tools::need;
use crate::workspace::Workspace;

/// Two runtimes, two roles, plain and TLS, three situations.
const CONNECTIONS: usize = 24;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    for (program, package) in
        [("ip", "iproute2"), ("unshare", "util-linux"), ("nsenter", "util-linux")]
    {
        if let Err(why) = need(program, &["-V"], package) {
            return Ok(Outcome::Skipped(why));
        }
    }
    if !works(command("unshare").args(["--net", "true"])) {
        return Ok(Outcome::Skipped(
            "no right to make network namespaces: sudo cargo xtask half-open, or --privileged in a container"
                .to_owned(),
        ));
    }
    run(cargo(workspace).args(["build", "-p", "hybi-trials", "--bin", "half_open"]))?;
    let lines = run_watched(&mut command(workspace.target.join("debug/half_open")))?;
    let told = lines.iter().filter(|line| line.ends_with("the peer did not answer a ping in time"));
    Ok(Tally::of("connections").plan("cut", CONNECTIONS).did("cut", told.count()).into())
}
