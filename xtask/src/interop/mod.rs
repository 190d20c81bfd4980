//! The program `hybi` with peers that others wrote: each as client of `hybi serve` and, if it can
//! be one, as server to `hybi connect`, with and without TLS; then the old versions with peers of
//! their time.
//!
//! The peers' halves are the scripts in `xtask/interop`. Every check looks at both ends: at the
//! peer through its script, at `hybi` through its access log or its JSON output.

mod clients;
mod servers;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hybi::Hybi;
use crate::outcome::{JobResult, Options, Outcome};
use crate::process::{command, run_quietly};
use crate::tools::{need, node_packages, python_packages};
use crate::workspace::Workspace;

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let peers = Peer::wanted(workspace, options)?;
    let hybi = Hybi::build(workspace)?;
    let folder = workspace.empty_cache("interop/run")?;
    let certificates = Certificates::make(workspace, &folder)?;

    let mut checked = 0;
    let mut failures = Vec::new();
    for peer in &peers {
        for tls in [None, Some(&certificates)] {
            let scene = Scene { hybi: &hybi, peer, tls, folder: &folder };
            let mut results = vec![clients::check(&scene)];
            if peer.kind != Kind::Chromium {
                results.push(servers::check(&scene));
            }
            for result in results {
                match result {
                    Ok(count) => checked += count,
                    Err(why) => {
                        println!("FAILED {why}");
                        failures.push(why);
                    }
                }
            }
        }
    }
    let ends = versions::Ends { hybi: &hybi, folder: &folder, certificates: &certificates };
    let old = versions::check(workspace, options, ends)?;
    checked += old.checked;
    failures.extend(old.failures);
    if failures.is_empty() {
        println!("{checked} checks passed");
        return Ok(Outcome::Passed);
    }
    Err(failures.join("\n"))
}

/// What one group of checks works with.
struct Scene<'a> {
    hybi: &'a Hybi,
    peer: &'a Peer,
    tls: Option<&'a Certificates>,
    folder: &'a Path,
}

impl Scene<'_> {
    /// What a line of the report begins with.
    fn title(&self, from: &str, to: &str) -> String {
        format!("{from} -> {to}, {}", if self.tls.is_some() { "wss" } else { "ws" })
    }

    fn passed(title: &str, check: &str) {
        println!("ok     {title}: {check}");
    }
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
        let wanted = |peer: &Kind| options.peer.as_ref().is_none_or(|name| name == peer.name());
        let kinds = [Kind::Python, Kind::Node, Kind::Chromium].into_iter().filter(wanted);
        kinds.map(|kind| Self::install(workspace, kind)).collect()
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

    fn client(&self, url: &str, tls: Option<&Certificates>) -> Command {
        let script = match self.kind {
            Kind::Chromium => "browser.py",
            Kind::Node => "client.mjs",
            Kind::Python => "client.py",
        };
        let mut client = self.script(script);
        client.arg(url).args(tls.map(|tls| &tls.authority));
        client
    }

    fn server(&self, tls: Option<&Certificates>) -> Command {
        let mut server = self.script(match self.kind {
            Kind::Node => "server.mjs",
            Kind::Chromium | Kind::Python => "server.py",
        });
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
