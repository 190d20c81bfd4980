//! The program `hybi` with peers that others wrote: each as client of `hybi serve` and, if it can
//! be one, as server to `hybi connect`, with and without TLS, and over HTTP/2; then the old versions with peers of
//! their time; then proxies on the way.
//!
//! The peers' halves are the scripts in `xtask/interop`. Every check looks at both ends: at the
//! peer through its script, at `hybi` through its access log or its JSON output.

mod clients;
mod firefox;
mod gateways;
mod http2;
mod proxies;
mod servers;
mod undici;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hybi::Hybi;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, run_quietly};
use crate::tools::{need, node_packages, python_packages};
use crate::workspace::Workspace;

/// The peers that `--peer` names: those of today, those of the old versions, and proxies.
pub(crate) const PEERS_OF_TODAY: [&str; 3] =
    [Kind::Python.name(), Kind::Node.name(), Kind::Chromium.name()];
pub(crate) const PEERS: [&str; 17] = {
    let [python, node, chromium] = PEERS_OF_TODAY;
    let [em, protocol, pywebsocket, driver] = versions::PEERS;
    let [haproxy, nghttpx] = gateways::PEERS;
    let [hypercorn, h2] = http2::PEERS;
    let [tinyproxy, squid, microsocks, dante] = proxies::PEERS;
    [
        python,
        node,
        chromium,
        firefox::PEER,
        undici::PEER,
        hypercorn,
        h2,
        haproxy,
        nghttpx,
        em,
        protocol,
        pywebsocket,
        driver,
        tinyproxy,
        squid,
        microsocks,
        dante,
    ]
};

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let mut tally = plan(options);
    let hybi = Hybi::build(workspace)?;
    let folder = workspace.empty_cache("interop/run")?;
    let certificates = Certificates::make(workspace, &folder)?;

    for peer in Peer::wanted(workspace, options)? {
        for &(tls, http) in ways(peer.kind) {
            let tls = tls.then_some(&certificates);
            let scene = Scene { hybi: &hybi, peer: &peer, tls, http, folder: &folder };
            clients::check(&scene, &mut tally);
            if peer.kind.serves() {
                servers::check(&scene, &mut tally);
            }
        }
    }
    gateways::check(workspace, options, &hybi, &certificates, &mut tally);
    firefox::check(workspace, options, &hybi, (&folder, &certificates), &mut tally);
    undici::check(workspace, options, &hybi, (&folder, &certificates), &mut tally);
    http2::check(workspace, options, &hybi, (&folder, &certificates), &mut tally);
    let ends = versions::Ends { hybi: &hybi, folder: &folder, certificates: &certificates };
    versions::check(workspace, options, ends, &mut tally)?;
    proxies::check(workspace, options, &hybi, &certificates, &mut tally)?;
    Ok(tally.into())
}

/// Every check with every peer that the options leave, whether it can be had or not.
fn plan(options: &Options) -> Tally {
    let mut tally = Tally::of("checks");
    for kind in Kind::wanted(options) {
        for &(tls, http) in ways(kind) {
            let from = title(kind.title(), "hybi serve", tls, http);
            for check in clients::checks(kind) {
                tally = tally.plan(item(&from, check), 1);
            }
            let to = title("hybi connect", kind.title(), tls, http);
            for case in servers::cases(tls).iter().filter(|_| kind.serves()) {
                tally = tally.plan(item(&to, case.name), 1);
            }
        }
    }
    let plans =
        [gateways::plan, firefox::plan, undici::plan, http2::plan, versions::plan, proxies::plan];
    plans.into_iter().fold(tally, |tally, plan| plan(options, tally))
}

/// What a line of the report begins with.
fn title(from: &str, to: &str, tls: bool, http: Http) -> String {
    let over = if http == Http::Two { " over HTTP/2" } else { "" };
    format!("{from} -> {to}, {}{over}", if tls { "wss" } else { "ws" })
}

/// The version of HTTP that a connection begins in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Http {
    One,
    Two,
}

impl Http {
    /// As the access log has it.
    const fn name(self) -> &'static str {
        match self {
            Self::One => "1.1",
            Self::Two => "2",
        }
    }
}

/// How a peer is connected with: whether through TLS, and in which version of HTTP.
const fn ways(kind: Kind) -> &'static [(bool, Http)] {
    match kind {
        Kind::Python => &[(false, Http::One), (true, Http::One)],
        Kind::Node => {
            &[(false, Http::One), (true, Http::One), (false, Http::Two), (true, Http::Two)]
        }
        // There is no HTTP/2 without TLS in a browser.
        Kind::Chromium => &[(false, Http::One), (true, Http::One), (true, Http::Two)],
    }
}

/// One check of a group, as the tally counts it.
fn item(title: &str, check: &str) -> String {
    format!("{title}: {check}")
}

/// Tells of a check that passed, and counts it.
fn passed(tally: &mut Tally, title: &str, check: &str) {
    println!("ok     {title}: {check}");
    tally.add(item(title, check), 1);
}

/// Tells of what ended a group of checks, and counts it.
fn failed(tally: &mut Tally, title: &str, why: &str) {
    println!("FAILED {title}: {why}");
    tally.fail(format!("{title}: {why}"));
}

/// What one group of checks works with.
struct Scene<'a> {
    hybi: &'a Hybi,
    peer: &'a Peer,
    tls: Option<&'a Certificates>,
    http: Http,
    folder: &'a Path,
}

/// Who is on the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Chromium,
    Node,
    Python,
}

impl Kind {
    /// As `--peer` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Node => "node",
            Self::Python => "python",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Node => "Node ws",
            Self::Python => "Python websockets",
        }
    }

    /// Whether it has a script as server.
    const fn serves(self) -> bool {
        matches!(self, Self::Node | Self::Python)
    }
}

impl Kind {
    /// The peers that `--peer` leaves.
    pub(crate) fn wanted(options: &Options) -> impl Iterator<Item = Self> {
        let wanted =
            move |kind: &Self| options.peer.as_ref().is_none_or(|name| name == kind.name());
        [Self::Python, Self::Node, Self::Chromium].into_iter().filter(wanted)
    }
}

/// An installed peer.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    scripts: PathBuf,
    /// Where its packages are.
    packages: PathBuf,
}

impl Peer {
    /// The peers that `--peer` leaves, installed.
    pub(crate) fn wanted(workspace: &Workspace, options: &Options) -> Result<Vec<Self>, String> {
        Kind::wanted(options).map(|kind| Self::install(workspace, kind)).collect()
    }

    fn install(workspace: &Workspace, kind: Kind) -> Result<Self, String> {
        let packages = match kind {
            Kind::Node => node_packages(workspace, "interop")?.join("node_modules"),
            Kind::Python => python_packages(workspace, "interop", &[])?,
            Kind::Chromium => {
                need("chromium", &["--version"], "chromium")?;
                python_packages(workspace, "interop", &[])?
            }
        };
        Ok(Self { kind, scripts: workspace.xtask("interop"), packages })
    }

    fn client(&self, url: &str, tls: Option<&Certificates>, http: Http) -> Command {
        let script = match self.kind {
            Kind::Chromium => "browser.py",
            Kind::Node => "client.mjs",
            Kind::Python => "client.py",
        };
        let mut client = self.script(script);
        match (self.kind, http) {
            (Kind::Chromium, _) => client.arg(self.kind.name()),
            (Kind::Node, Http::Two) => client.arg("--http2"),
            _ => &mut client,
        };
        client.arg(url).args(tls.map(|tls| &tls.authority));
        client
    }

    fn server(&self, tls: Option<&Certificates>, http: Http) -> Command {
        let mut server = self.script(match self.kind {
            Kind::Node => "server.mjs",
            Kind::Chromium | Kind::Python => "server.py",
        });
        if http == Http::Two {
            server.arg("--http2");
        }
        if let Some(tls) = tls {
            server.args([&tls.certificate, &tls.key]);
        }
        server
    }

    /// One of the scripts in `xtask/interop`.
    pub(crate) fn script(&self, name: &str) -> Command {
        let (program, variable) =
            if self.kind == Kind::Node { ("node", "NODE_PATH") } else { ("python3", "PYTHONPATH") };
        let mut script = command(program);
        script.arg(self.scripts.join(name)).env(variable, &self.packages);
        script.env("PYTHONDONTWRITEBYTECODE", "1");
        script
    }
}

/// An authority of our own and a certificate it signed for the loopback address.
#[derive(Debug)]
struct Certificates {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificates {
    fn make(workspace: &Workspace, folder: &Path) -> Result<Self, String> {
        need("openssl", &["version"], "openssl")?;
        let make = |section: &str, name: &str, signer: &[&str]| {
            run_quietly(
                command("openssl")
                    .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
                    .args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-config"])
                    .arg(workspace.xtask("interop/tls.cnf"))
                    .args(["-extensions", section, "-subj", &format!("/CN=hybi interop {section}")])
                    .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
                    .args(signer)
                    .current_dir(folder),
            )
        };
        make("authority", "ca", &[])?;
        make("server", "server", &["-CA", "ca.pem", "-CAkey", "ca.key"])?;
        Ok(Self {
            authority: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(peer: &str) -> Options {
        Options { peer: Some(peer.to_owned()), ..Options::default() }
    }

    #[test]
    fn every_peer_has_checks_to_pass_before_it_is_asked_for() {
        for peer in PEERS {
            let why = plan(&only(peer)).verdict().unwrap_err();
            assert!(why.contains("0 of 1 checks"), "{peer}: {why}");
        }
    }

    #[test]
    fn a_peer_that_cannot_be_had_fails_the_job() {
        let mut tally = plan(&only("em-websocket"));
        failed(&mut tally, "Ruby em-websocket", "cannot be had");
        let why = tally.verdict().unwrap_err();
        assert!(why.starts_with("Ruby em-websocket: cannot be had\n"), "{why}");
        assert!(why.contains("hybi-03: text of every length comes back: 0 of 1 checks"), "{why}");
    }

    #[test]
    fn one_check_too_few_or_too_many_fails() {
        let full = || {
            let mut tally = plan(&only("chromium"));
            for (tls, http) in ways(Kind::Chromium) {
                let title = title("Chromium", "hybi serve", *tls, *http);
                for check in clients::checks(Kind::Chromium) {
                    passed(&mut tally, &title, check);
                }
            }
            tally
        };
        assert_eq!(full().verdict(), Ok("27 checks".into()));
        let mut more = full();
        passed(&mut more, "Chromium -> hybi serve, ws", "something new");
        assert!(more.verdict().unwrap_err().contains("something new: 1 of 0 checks"));
    }
}
