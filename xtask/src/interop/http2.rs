//! Peers that speak HTTP/2 by Python `h2`: hypercorn, which is built on it, as server; and a script over it in both
//! roles, which puts every frame where it wants it.

use std::path::Path;

use super::servers::{self, Case, Group};
use super::{Certificates, Http, clients, failed, item, title};
use crate::hybi::Hybi;
use crate::outcome::{Options, Tally};
use crate::process::command;
use crate::tools::python_packages;
use crate::workspace::Workspace;

/// As `--peer` has them.
pub(super) const PEERS: [&str; 2] = [Peer::Hypercorn.name(), Peer::H2.name()];

/// What the script checks as client, all over one connection.
const CHECKS: [&str; 15] = [
    "text comes back",
    "empty text comes back",
    "binary comes back",
    "1 MiB comes back",
    "1 MiB comes back uncompressed",
    "fragments come back as one message",
    "ping is answered",
    "the server's preferred subprotocol is agreed",
    "the client closes with code and reason",
    "the server closes with code and reason",
    "an unknown path is refused with 404",
    "a foreign origin is refused with 403",
    "another protocol is refused with 501",
    "sixteen at a time come back to each",
    "a server that ends says 1001",
];

/// What hypercorn tells its application of an end that a client began, whatever code its Close frame had.
const BEGUN_BY_CLIENT: u16 = 1006;
/// It answers a Close frame and leaves its half of the stream open, so that a client waits until it has waited enough.
const PATIENCE: [&str; 2] = ["--close-timeout", "300ms"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Hypercorn,
    H2,
}

impl Peer {
    const fn name(self) -> &'static str {
        match self {
            Self::Hypercorn => "hypercorn",
            Self::H2 => "python-h2",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Hypercorn => "hypercorn",
            Self::H2 => "Python h2",
        }
    }

    fn wanted(options: &Options) -> impl Iterator<Item = Self> {
        let wanted = |peer: &Self| options.peer.as_deref().is_none_or(|name| name == peer.name());
        [Self::Hypercorn, Self::H2].into_iter().filter(wanted)
    }

    const fn server(self) -> &'static str {
        match self {
            Self::Hypercorn => "hypercorn_server.py",
            Self::H2 => "server.py",
        }
    }

    /// What is tried with it as server. An application of hypercorn's sends neither pings nor fragments; and where it
    /// closes, hypercorn may have forgotten the stream by the time that the client's answer comes, and fails of that.
    fn cases(self, tls: bool) -> Vec<Case> {
        let mut cases = servers::cases(tls);
        if self == Self::Hypercorn {
            cases.retain(|case| !["/ping", "/fragments", "/close"].contains(&case.path));
            for case in &mut cases {
                case.peer_close = case.peer_close.map(|_| (BEGUN_BY_CLIENT, ""));
            }
        }
        cases
    }

    fn titles(self, tls: bool) -> [String; 2] {
        [
            title("hybi connect", self.title(), tls, Http::Two),
            title(self.title(), "hybi serve", tls, Http::Two),
        ]
    }
}

/// Adds the checks of each peer that `--peer` leaves.
pub(super) fn plan(options: &Options, mut tally: Tally) -> Tally {
    for peer in Peer::wanted(options) {
        for tls in [false, true] {
            let [to, from] = peer.titles(tls);
            for case in peer.cases(tls) {
                tally = tally.plan(item(&to, case.name), 1);
            }
            for check in CHECKS.iter().filter(|_| peer == Peer::H2) {
                tally = tally.plan(item(&from, check), 1);
            }
        }
    }
    tally
}

/// Checks each peer that `--peer` leaves.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    hybi: &Hybi,
    (folder, certificates): (&Path, &Certificates),
    tally: &mut Tally,
) {
    for peer in Peer::wanted(options) {
        let flags = ["--no-deps", "--require-hashes"];
        let packages = match python_packages(workspace, "interop/http2", &flags) {
            Ok(packages) => packages,
            Err(why) => return failed(tally, peer.title(), &format!("cannot be had: {why}")),
        };
        let script = |name: &str| {
            let mut script = command("python3");
            script.arg(workspace.xtask("interop/http2").join(name));
            script.env("PYTHONPATH", &packages).env("PYTHONDONTWRITEBYTECODE", "1");
            script
        };
        for tls in [None, Some(certificates)] {
            let [to, from] = peer.titles(tls.is_some());
            let mut server = script(peer.server());
            server.args(tls.iter().flat_map(|tls| [&tls.certificate, &tls.key]));
            let options = if peer == Peer::Hypercorn { &PATIENCE[..] } else { &[] };
            let group = Group { hybi, folder, tls, http: Http::Two, options, title: to };
            group.check(server, &peer.cases(tls.is_some()), tally);
            if peer == Peer::H2 {
                let client = |url: &str| {
                    let mut client = script("client.py");
                    client.arg(url).args(tls.map(|tls| &tls.authority));
                    client
                };
                let options = clients::options(tls, Http::Two);
                let options: Vec<_> = options.iter().map(String::as_str).collect();
                let versions = ("rfc6455", Http::Two);
                let checks = clients::reports(hybi, folder, &options, client, versions);
                clients::count(tally, &from, checks);
            }
        }
    }
}
