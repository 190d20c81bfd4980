//! Firefox as a client of `hybi serve`: through TLS it opens WebSockets over HTTP/2 by itself.

use std::path::Path;

use super::{Certificates, Http, Kind, clients, failed, item, title};
use crate::hybi::Hybi;
use crate::outcome::{Options, Tally};
use crate::process::command;
use crate::tools::{need, python_packages};
use crate::workspace::Workspace;

/// As `--peer` has it.
pub(super) const PEER: &str = "firefox";

const TITLE: &str = "Firefox";

/// There is no HTTP/2 without TLS in a browser.
const WAYS: [(bool, Http); 3] = [(false, Http::One), (true, Http::One), (true, Http::Two)];

/// Adds its checks, which are those of the other browser, if `--peer` leaves it.
pub(super) fn plan(options: &Options, mut tally: Tally) -> Tally {
    for (tls, http) in WAYS.into_iter().filter(|_| is_wanted(options)) {
        let title = title(TITLE, "hybi serve", tls, http);
        for check in clients::checks(Kind::Chromium) {
            tally = tally.plan(item(&title, check), 1);
        }
    }
    tally
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
    let had = need("firefox-esr", &["--version"], "firefox-esr");
    let packages = match had.and_then(|()| python_packages(workspace, "interop", &[])) {
        Ok(packages) => packages,
        Err(why) => return failed(tally, TITLE, &format!("cannot be had: {why}")),
    };
    for (tls, http) in WAYS {
        let tls = tls.then_some(certificates);
        let client = |url: &str| {
            let mut script = command("python3");
            script.arg(workspace.xtask("interop/browser.py")).env("PYTHONPATH", &packages);
            script.env("PYTHONDONTWRITEBYTECODE", "1");
            script.args([PEER, url]).args(tls.map(|tls| &tls.authority));
            script
        };
        let options = clients::options(tls, http);
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let checks = clients::reports(hybi, folder, &options, client, ("rfc6455", http));
        clients::count(tally, &title(TITLE, "hybi serve", tls.is_some(), http), checks);
    }
}

fn is_wanted(options: &Options) -> bool {
    options.peer.as_deref().is_none_or(|name| name == PEER)
}
