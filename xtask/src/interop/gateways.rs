//! Gateways that others wrote in front of `hybi serve`: they take WebSockets over HTTP/2 and TLS (RFC 8441), and pass
//! them on over either version of HTTP.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use super::servers::{Case, UNIT, UNIT_BASE64};
use super::{Certificates, Http, Kind, Peer, clients, failed, item, passed};
use crate::hybi::{Hybi, PEER_CLOSED};
use crate::outcome::{Options, Tally};
use crate::process::{Running, command, free_port};
use crate::tools::need;
use crate::workspace::{Workspace, read, write};

const START: Duration = Duration::from_secs(30);
/// A little more than 1 MiB.
const UNITS: usize = (1 << 20) / UNIT.len() + 1;

/// The gateways, as `--peer` has them.
pub(super) const PEERS: [&str; 2] = [Gateway::HaProxy.name(), Gateway::Nghttpx.name()];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gateway {
    HaProxy,
    Nghttpx,
}

impl Gateway {
    const fn name(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy",
            Self::Nghttpx => "nghttpx",
        }
    }

    fn wanted(options: &Options) -> impl Iterator<Item = Self> {
        let wanted =
            |gateway: &Self| options.peer.as_deref().is_none_or(|name| name == gateway.name());
        [Self::HaProxy, Self::Nghttpx].into_iter().filter(wanted)
    }

    fn install(self) -> Result<(), String> {
        match self {
            Self::HaProxy => need("/usr/sbin/haproxy", &["-v"], "haproxy"),
            Self::Nghttpx => need("/usr/sbin/nghttpx", &["--version"], "nghttp2-proxy"),
        }
    }

    /// Starts it in front of `server`; its own URL.
    fn start(
        self,
        folder: &Path,
        certificates: &Certificates,
        (server, http): (SocketAddr, Http),
    ) -> Result<(Running, String), String> {
        let address = free_port(Ipv4Addr::LOCALHOST.into())?;
        let mut gateway = match self {
            Self::HaProxy => {
                let both = folder.join("both.pem");
                let chain = read(&certificates.certificate)? + &read(&certificates.key)?;
                write(&both, &chain)?;
                let file = folder.join("haproxy.conf");
                write(&file, &haproxy(address, &both, server, http))?;
                let mut haproxy = command("/usr/sbin/haproxy");
                haproxy.arg("-db").arg("-f").arg(file);
                haproxy
            }
            Self::Nghttpx => {
                let protocol = if http == Http::Two { "h2" } else { "http/1.1" };
                let mut nghttpx = command("/usr/sbin/nghttpx");
                // It has a configuration of the distribution's.
                nghttpx.args(["--conf=/dev/null", "--workers=1", "--errorlog-file=/dev/stderr"]);
                nghttpx.arg(format!("-f{},{}", address.ip(), address.port()));
                nghttpx.arg(format!("-b{},{};/;proto={protocol}", server.ip(), server.port()));
                nghttpx.args([&certificates.key, &certificates.certificate]);
                nghttpx
            }
        };
        let running = Running::start(self.name(), folder, &mut gateway)?;
        running.listens(address, START)?;
        Ok((running, format!("wss://{address}")))
    }

    fn title(self, from: &str, http: Http) -> String {
        format!("{from} -> {} -> hybi serve, over HTTP/2 and HTTP/{}", self.name(), http.name())
    }
}

fn haproxy(address: SocketAddr, both: &Path, server: SocketAddr, http: Http) -> String {
    format!(
        "defaults\n mode http\n timeout connect 20s\n timeout client 60s\n timeout server 60s\n timeout tunnel 60s\n\
         frontend front\n bind {address} ssl crt {} alpn h2\n default_backend back\n\
         backend back\n server hybi {server}{}\n",
        both.display(),
        if http == Http::Two { " proto h2" } else { "" },
    )
}

/// What `hybi connect` does through each.
fn cases() -> [Case; 5] {
    let case = |name, path, options| Case { peer_close: None, ..Case::new(name, path, options) };
    [
        case("text comes back", "/echo", &["-m", "Grüße, 世界", "-n", "1"]).text("Grüße, 世界"),
        case("binary comes back", "/echo", &["--hex", "-m", "00017f80feff", "-n", "1"])
            .base64("AAF/gP7/"),
        case("1 MiB comes back", "/echo", &["-b", "-f", "mebibyte", "-n", "1"])
            .base64(&UNIT_BASE64.repeat(UNITS)),
        Case {
            close: Some((4003, "")),
            ..case(
                "the client closes with code",
                "/echo",
                &["--close", "4003:bye", "-m", "x", "-n", "1"],
            )
            .text("x")
        },
        Case {
            status: PEER_CLOSED,
            close: Some((4004, "enough")),
            ..case("the server closes with code", "/close?code=4004&reason=enough", &["--echo"])
        },
    ]
}

/// Adds the checks of each gateway that `--peer` leaves.
pub(super) fn plan(options: &Options, mut tally: Tally) -> Tally {
    for gateway in Gateway::wanted(options) {
        for http in [Http::One, Http::Two] {
            for check in clients::checks(Kind::Node) {
                tally = tally.plan(item(&gateway.title("Node ws", http), check), 1);
            }
            for case in cases() {
                tally = tally.plan(item(&gateway.title("hybi connect", http), case.name), 1);
            }
        }
    }
    tally
}

/// Checks each gateway that `--peer` leaves.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    hybi: &Hybi,
    certificates: &Certificates,
    tally: &mut Tally,
) {
    for gateway in Gateway::wanted(options) {
        let there = gateway
            .install()
            .and_then(|()| Peer::install(workspace, Kind::Node))
            .and_then(|node| {
                Ok((node, workspace.empty_cache(&format!("interop/{}", gateway.name()))?))
            })
            .map_err(|why| format!("cannot be had: {why}"));
        match there {
            Ok((node, folder)) => {
                for http in [Http::One, Http::Two] {
                    let scene =
                        Scene { gateway, http, hybi, node: &node, folder: &folder, certificates };
                    scene.by_node(tally);
                    scene.by_hybi(tally);
                }
            }
            Err(why) => failed(tally, gateway.name(), &why),
        }
    }
}

struct Scene<'a> {
    gateway: Gateway,
    http: Http,
    hybi: &'a Hybi,
    node: &'a Peer,
    folder: &'a PathBuf,
    certificates: &'a Certificates,
}

impl Scene<'_> {
    /// Node as client; the server's access log says how the gateway came.
    fn by_node(&self, tally: &mut Tally) {
        let checks = free_port(Ipv4Addr::LOCALHOST.into()).and_then(|server| {
            let (_gateway, url) =
                self.gateway.start(self.folder, self.certificates, (server, self.http))?;
            let listen = server.to_string();
            let options =
                ["--listen", &listen, "--http", "1.1,2", "-s", "chat.v2", "-s", "chat.v1"];
            let client = |_: &str| self.node.client(&url, Some(self.certificates), Http::Two);
            clients::reports(self.hybi, self.folder, &options, client, ("rfc6455", self.http))
        });
        clients::count(tally, &self.gateway.title("Node ws", self.http), checks);
    }

    fn by_hybi(&self, tally: &mut Tally) {
        let title = self.gateway.title("hybi connect", self.http);
        if let Err(why) = self.connected(&title, tally) {
            failed(tally, &title, &why);
        }
    }

    fn connected(&self, title: &str, tally: &mut Tally) -> Result<(), String> {
        let file = self.folder.join("mebibyte");
        fs::write(file, UNIT.repeat(UNITS)).map_err(|error| error.to_string())?;
        let server = free_port(Ipv4Addr::LOCALHOST.into())?;
        let serving =
            self.hybi.serve(self.folder, &["--listen", &server.to_string(), "--http", "1.1,2"])?;
        let (gateway, url) =
            self.gateway.start(self.folder, self.certificates, (server, self.http))?;
        for case in cases() {
            let mut connect = self.hybi.connect(&format!("{url}{}", case.path), case.options);
            connect.args(["--http", "2", "--tls-ca"]).arg(&self.certificates.authority);
            case.run(connect, self.folder, &gateway)
                .map_err(|why| format!("{}: {why}", case.name))?;
            passed(tally, title, case.name);
        }
        serving.terminate()?;
        serving.finish()
    }
}
