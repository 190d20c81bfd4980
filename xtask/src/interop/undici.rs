//! undici as a client of `hybi serve` over HTTP/2, where it sends a key and wants it answered, as over HTTP/1.1
//! (RFC 8441 section 5 has none).

use std::path::Path;

use super::{Certificates, Http, clients, failed, item, title};
use crate::hybi::Hybi;
use crate::outcome::{Options, Tally};
use crate::process::command;
use crate::tools::node_packages;
use crate::workspace::Workspace;

/// As `--peer` has it.
pub(super) const PEER: &str = "undici";

/// The checks that its script makes. It takes a connection of HTTP/2 that is to end for lost, with all that is on it: what
/// a server that ends says to a WebSocket reaches it only if that comes before the end of the connection is told.
const CHECKS: [&str; 7] = [
    "text comes back",
    "binary comes back",
    "1 MiB comes back",
    "the server's preferred subprotocol is agreed",
    "the client closes with code and reason",
    "the server closes with code and reason",
    "a server that ends says 1001",
];

/// Adds its checks, if `--peer` leaves it.
pub(super) fn plan(options: &Options, tally: Tally) -> Tally {
    if !is_wanted(options) {
        return tally;
    }
    CHECKS.iter().fold(tally, |tally, check| tally.plan(item(&from(), check), 1))
}

/// Runs its script, if `--peer` leaves it.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    hybi: &Hybi,
    (folder, certificates): (&Path, &Certificates),
    tally: &mut Tally,
) {
    if !is_wanted(options) {
        return;
    }
    let packages = match node_packages(workspace, "interop") {
        Ok(packages) => packages.join("node_modules"),
        Err(why) => return failed(tally, &from(), &format!("cannot be had: {why}")),
    };
    let client = |url: &str| {
        let mut script = command("node");
        script.arg(workspace.xtask("interop/undici.mjs")).env("NODE_PATH", packages);
        script.arg(url).arg(&certificates.authority);
        script
    };
    let options = clients::options(Some(certificates), Http::Two);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let checks = clients::reports(hybi, folder, &options, client, ("rfc6455", Http::Two));
    clients::count(tally, &from(), checks);
}

fn is_wanted(options: &Options) -> bool {
    options.peer.as_deref().is_none_or(|name| name == PEER)
}

fn from() -> String {
    title("undici", "hybi serve", true, Http::Two)
}
