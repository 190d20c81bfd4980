//! Proxies that others wrote, between `hybi connect`, or a client of each adapter, and `hybi serve`.
//!
//! Each check looks at three ends: what the client says, what the
//! server's access log has of the same connection, and, for all of a proxy's together, what its log says that it was
//! asked for: a client that went another way would be seen there.

mod cases;
mod clients;
mod peers;

use core::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

use hybi_suite::events;
use serde_json::Value;

use self::cases::{Case, Credentials, Server, Through, cases};
use self::clients::{Clients, MESSAGES};
use self::peers::{FORBIDDEN, HERE, Kind, Known, Proxy, THERE, USER, authority};
use super::{Certificates, failed, item, passed};
use crate::hybi;
use crate::outcome::{Options, Tally};
use crate::process::free_port;
use crate::workspace::{Workspace, read};

/// The proxies, as `--peer` has them.
pub(super) const PEERS: [&str; 4] = {
    let [tinyproxy, squid, microsocks, dante] = Kind::ALL;
    [tinyproxy.name(), squid.name(), microsocks.name(), dante.name()]
};

/// The check of a proxy's log.
const LOG: &str = "its log names what was asked for, and no more";

/// Adds the checks of every proxy that `--peer` leaves.
pub(super) fn plan(options: &Options, mut tally: Tally) -> Tally {
    for kind in wanted(options) {
        for case in cases(kind) {
            tally = tally.plan(item(&case.title(kind), case.name), 1);
        }
        for through in [Through::Open, Through::Guarded] {
            tally = tally.plan(item(&through.title(kind), LOG), 1);
        }
    }
    tally
}

/// Checks each proxy that `--peer` leaves.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    hybi: &hybi::Hybi,
    certificates: &Certificates,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut kinds = wanted(options).peekable();
    if kinds.peek().is_none() {
        return Ok(());
    }
    let clients = Clients::build(workspace, hybi, certificates)?;
    for kind in kinds {
        let folder = workspace.empty_cache(&format!("interop/{}", kind.name()))?;
        let scene = kind
            .install()
            .and_then(|()| Known::make(&folder))
            .map_err(|why| format!("cannot be had: {why}"))
            .and_then(|known| Scene::start(kind, hybi, &clients, folder, known, certificates));
        match scene {
            Ok(scene) => scene.check(tally),
            Err(why) => failed(tally, kind.name(), &why),
        }
    }
    Ok(())
}

fn wanted(options: &Options) -> impl Iterator<Item = Kind> {
    let wanted = move |kind: &Kind| options.peer.as_ref().is_none_or(|name| name == kind.name());
    Kind::ALL.into_iter().filter(wanted)
}

impl Case {
    fn title(&self, kind: Kind) -> String {
        let (from, tls) = (self.client.title(), if self.tls { "wss" } else { "ws" });
        format!("{from} -> {} -> hybi serve, {tls}", kind.name())
    }
}

impl Through {
    fn title(self, kind: Kind) -> String {
        let which = match self {
            Self::Open => "open",
            Self::Guarded => "guarded",
        };
        format!("{}, {which}", kind.name())
    }
}

/// The two proxies of a kind, and the servers behind them.
struct Scene<'a> {
    kind: Kind,
    clients: &'a Clients<'a>,
    folder: PathBuf,
    known: Known,
    open: Proxy,
    guarded: Proxy,
    plain: Listening,
    secure: Listening,
    /// A port where nobody listens.
    nobody: u16,
}

/// A server on both loopback addresses, with its ports there.
struct Listening {
    server: hybi::Server,
    v4: u16,
    v6: u16,
    access_log: PathBuf,
}

impl<'a> Scene<'a> {
    fn start(
        kind: Kind,
        hybi: &hybi::Hybi,
        clients: &'a Clients<'a>,
        folder: PathBuf,
        known: Known,
        certificates: &Certificates,
    ) -> Result<Self, String> {
        let proxy = |host, guarded| Proxy::start(kind, host, guarded, &known, certificates);
        let open = proxy(Ipv4Addr::LOCALHOST.into(), false)?;
        let guarded = proxy(Ipv6Addr::LOCALHOST.into(), true)?;
        let plain = Listening::start(hybi, &folder.join("ws"), None)?;
        let secure = Listening::start(hybi, &folder.join("wss"), Some(certificates))?;
        let nobody = free_port(Ipv4Addr::LOCALHOST.into())?.port();
        Ok(Self { kind, clients, folder, known, open, guarded, plain, secure, nobody })
    }

    fn check(self, tally: &mut Tally) {
        let cases = cases(self.kind);
        let said: Vec<_> =
            cases.iter().enumerate().map(|(number, case)| self.run(number, case)).collect();
        let asked = [Through::Open, Through::Guarded].map(|through| self.asked(through, &cases));
        let Self { kind, open, guarded, plain, secure, .. } = self;
        let [plain, secure] = [plain.finish(), secure.finish()];
        for (number, (case, said)) in cases.iter().zip(said).enumerate() {
            let seen = if case.tls { &secure } else { &plain };
            let judged = said.and_then(|()| case.judge(seen.as_ref()?, &target(number)));
            match judged {
                Ok(()) => passed(tally, &case.title(kind), case.name),
                Err(why) => failed(tally, &item(&case.title(kind), case.name), &why),
            }
        }
        for (through, proxy, asked) in
            [(Through::Open, open, &asked[0]), (Through::Guarded, guarded, &asked[1])]
        {
            match proxy.finish() {
                Ok(named) if named == *asked => passed(tally, &through.title(kind), LOG),
                Ok(named) => {
                    let why = format!("it names {named:?}, not {asked:?}");
                    failed(tally, &item(&through.title(kind), LOG), &why);
                }
                Err(why) => failed(tally, &item(&through.title(kind), LOG), &why),
            }
        }
    }

    /// Runs the client of a case, and looks at what it says.
    fn run(&self, number: usize, case: &Case) -> Result<(), String> {
        let proxy = self.through(case.through);
        let address = if case.scheme == "https" { proxy.secure } else { Some(proxy.address) };
        let address = address.ok_or("it has no TLS")?;
        let credentials = match case.credentials {
            Credentials::None => String::new(),
            Credentials::Right => format!("{USER}:{}@", self.kind.password_in_url()),
            Credentials::Wrong => format!("{USER}:{}x@", self.kind.password_in_url()),
        };
        let (host, port) = self.server(case);
        let scheme = if case.tls { "wss" } else { "ws" };
        let uri = format!("{scheme}://{}{}", authority(host, port), target(number));
        let prepare = |client: &mut Command| {
            if case.server == Server::NamedHere {
                self.known.here(client);
            }
        };
        let proxy = format!("{}://{address}", case.scheme);
        let environment = (&*self.folder, prepare);
        self.clients.run(case.client, (&proxy, &credentials), &uri, case.refusal, environment)
    }

    fn through(&self, through: Through) -> &Proxy {
        match through {
            Through::Open => &self.open,
            Through::Guarded => &self.guarded,
        }
    }

    /// Host and port of the URI.
    fn server(&self, case: &Case) -> (&'static str, u16) {
        let listening = if case.tls { &self.secure } else { &self.plain };
        match case.server {
            Server::V4 => ("127.0.0.1", listening.v4),
            Server::V6 => ("::1", listening.v6),
            Server::NamedThere => (THERE, listening.v4),
            Server::NamedHere => (HERE, listening.v4),
            Server::Nobody => ("127.0.0.1", self.nobody),
            Server::Forbidden => (FORBIDDEN, listening.v4),
        }
    }

    /// What the log of a proxy has to name, in the order of [`Proxy::finish`].
    fn asked(&self, through: Through, cases: &[Case]) -> Vec<String> {
        // Those that speak SOCKS tell of connections, the others of requests.
        let is_told = |case: &&Case| {
            case.through == through && (!self.kind.is_socks() || case.refusal.is_none())
        };
        let mut asked: Vec<_> = cases
            .iter()
            .filter(is_told)
            .map(|case| match (self.server(case), self.kind, case.server) {
                // It was given an address, or tells of the one that it found.
                ((_, port), _, Server::NamedHere)
                | ((_, port), Kind::Dante, Server::NamedThere) => authority("127.0.0.1", port),
                ((host, port), ..) => authority(host, port),
            })
            .collect();
        asked.sort();
        asked
    }
}

impl Listening {
    fn start(hybi: &hybi::Hybi, folder: &Path, tls: Option<&Certificates>) -> Result<Self, String> {
        std::fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let access_log = folder.join("access.jsonl");
        let mut options = ["--listen", "[::1]:0", "--host", "*", "--access-log-format", "json"]
            .map(str::to_owned)
            .to_vec();
        options.extend(["--access-log".to_owned(), path(&access_log)]);
        if let Some(tls) = tls {
            options.extend(["--tls-cert".to_owned(), path(&tls.certificate)]);
            options.extend(["--tls-key".to_owned(), path(&tls.key)]);
        }
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let server = hybi.serve(folder, &options)?;
        let (v4, v6) = (port(&server.url)?, port(&server.next_url()?)?);
        Ok(Self { server, v4, v6, access_log })
    }

    /// Ends it; what its access log has.
    fn finish(self) -> Result<Vec<Value>, String> {
        self.server.terminate()?;
        self.server.finish()?;
        match self.access_log.exists() {
            true => events::parse(read(&self.access_log)?.lines(), &["access"]),
            false => Ok(Vec::new()),
        }
    }
}

fn port(url: &str) -> Result<u16, String> {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    port.ok_or_else(|| format!("{url} has no port"))
}

/// What the request of a case is for; no other has it.
fn target(number: usize) -> String {
    format!("/echo?case={number}")
}

impl Case {
    /// Whether the server saw the same.
    fn judge(&self, seen: &[Value], target: &str) -> Result<(), String> {
        let mut entries = seen.iter().filter(|entry| entry["target"] == target);
        let entry = match (entries.next(), entries.next(), self.refusal) {
            (None, _, Some(_)) => return Ok(()),
            (Some(entry), None, None) => entry,
            _ => return Err("the server saw it another number of times".to_owned()),
        };
        let is_v6 = entry["peer"].as_str().is_some_and(|peer| peer.starts_with("[::1]"));
        let extension = entry["extensions"][0].as_str().unwrap_or_default();
        let is_same = is_v6 == (self.server == Server::V6)
            && extension.starts_with("permessage-deflate")
            && entry["code"] == 1000
            && entry["clean"] == true
            && entry["messages_in"] == MESSAGES.0
            && entry["bytes_in"] == MESSAGES.1;
        if is_same { Ok(()) } else { Err(format!("the server saw {entry}")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_server_must_tell_the_same_story() {
        let of = |kind: Kind, name: &str| {
            cases(kind).into_iter().find(|case| case.name == name).expect("a case")
        };
        let entry = json!({
            "target": "/echo?case=3", "peer": "127.0.0.1:5", "code": 1000, "clean": true, "messages_in": 2,
            "bytes_in": MESSAGES.1, "extensions": ["permessage-deflate; client_max_window_bits"],
        });
        let open = of(Kind::Squid, "a server on 127.0.0.1");
        let target = target(3);
        assert_eq!(open.judge(core::slice::from_ref(&entry), &target), Ok(()));
        assert!(open.judge(&[], &target).is_err());
        assert!(open.judge(&[entry.clone(), entry.clone()], &target).is_err());
        for (key, value) in [
            ("target", json!("/echo?case=4")),
            ("peer", json!("[::1]:5")),
            ("code", json!(1006)),
            ("clean", json!(false)),
            ("messages_in", json!(1)),
            ("bytes_in", json!(1)),
            ("extensions", json!([])),
        ] {
            let mut other = entry.clone();
            other[key] = value;
            assert!(open.judge(&[other], &target).is_err(), "{key}");
        }
        let refused = of(Kind::Dante, "wrong credentials");
        assert_eq!(refused.judge(&[], &target), Ok(()));
        assert!(refused.judge(&[entry], &target).is_err());
    }

    #[test]
    fn no_two_checks_of_a_proxy_have_one_name() {
        for kind in Kind::ALL {
            let mut items: Vec<_> =
                cases(kind).iter().map(|case| item(&case.title(kind), case.name)).collect();
            let count = items.len();
            items.sort();
            items.dedup();
            assert_eq!(items.len(), count, "{}", kind.name());
        }
    }
}
