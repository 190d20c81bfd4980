//! The old versions with peers that others wrote when these were new: as servers to `hybi connect`
//! and, where they can be one, as clients of `hybi serve`.
//!
//! The peers' halves are the scripts in `xtask/interop/versions`. What each peer speaks is in the
//! tables here, with the slips of its own that no setting of it avoids: each row is a version, a
//! role and a peer that must be seen to speak it. A version that no peer speaks is in a table too.

mod peers;
mod servers;

use std::path::Path;

use super::{Certificates, Http, clients, failed, item};
use crate::hybi::Hybi;
use crate::outcome::{Options, Tally};
use crate::workspace::Workspace;
use peers::{Kind, Peer};

/// The peers, as `--peer` has them.
pub(super) const PEERS: [&str; 4] = {
    let [em, protocol, pywebsocket, driver] = Kind::ALL;
    [em.name(), protocol.name(), pywebsocket.name(), driver.name()]
};

/// How a version ends a connection. What else it can do goes with that here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As TCP does. There is text only.
    Tcp,
    /// With the bytes FF 00. There is text only.
    Bytes,
    /// With a close frame that has no code.
    Frame,
    /// With a close frame that may have a code and a reason.
    Code,
}

/// The versions, by the names that `hybi` gives them.
const VERSIONS: [(&str, End); 11] = [
    ("hixie-75", End::Tcp),
    ("hixie-76", End::Bytes),
    ("hybi-01", End::Frame),
    ("hybi-02", End::Frame),
    ("hybi-03", End::Frame),
    ("hybi-04", End::Frame),
    ("hybi-05", End::Frame),
    ("hybi-06", End::Code),
    ("hybi-07", End::Code),
    ("hybi-08", End::Code),
    ("rfc6455", End::Code),
];

fn end_of(version: &str) -> End {
    VERSIONS.iter().find(|row| row.0 == version).map_or(End::Code, |row| row.1)
}

/// A version that a peer speaks as a server.
#[derive(Clone, Copy, Debug)]
struct Server {
    peer: Kind,
    version: &'static str,
    /// What the peer calls it.
    there: &'static str,
    /// The value of the header that selects it, where `hybi` by itself sends another.
    header: Option<&'static str>,
    tls: bool,
    /// Whether it can agree to a subprotocol.
    subprotocol: bool,
    slip: Option<Slip>,
}

/// What a server does against the document of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slip {
    /// It begins the response of hixie-75 with the line of hixie-76. Clients compare the line byte
    /// by byte, and so do we: that the connection is refused is all there is to see.
    OtherStatusLine,
    /// It has one way to close hixie-75 and hixie-76, that of the former: it answers FF 00 but never
    /// sends it first, and reports the end of either as 1006.
    NoClose,
}

const fn speaks(peer: Kind, version: &'static str, there: &'static str) -> Server {
    Server { peer, version, there, header: None, tls: false, subprotocol: false, slip: None }
}

impl Server {
    const fn with_header(self, value: &'static str) -> Self {
        Self { header: Some(value), ..self }
    }

    /// Two of the versions repeat the URL in the response, `wss` and all.
    const fn over_tls(self) -> Self {
        Self { tls: true, ..self }
    }

    const fn with_subprotocol(self) -> Self {
        Self { subprotocol: true, ..self }
    }

    const fn with_slip(self, slip: Slip) -> Self {
        Self { slip: Some(slip), ..self }
    }
}

const SERVERS: [Server; 23] = [
    speaks(Kind::EmWebsocket, "hixie-75", "75").with_slip(Slip::NoClose),
    speaks(Kind::EmWebsocket, "hixie-75", "75").with_slip(Slip::NoClose).over_tls(),
    speaks(Kind::EmWebsocket, "hixie-76", "76").with_slip(Slip::NoClose).with_subprotocol(),
    speaks(Kind::EmWebsocket, "hixie-76", "76").with_slip(Slip::NoClose).over_tls(),
    speaks(Kind::EmWebsocket, "hybi-01", "1").with_subprotocol(),
    speaks(Kind::EmWebsocket, "hybi-02", "2").with_subprotocol(),
    // The draft itself says 2 as the one before; the peer has heard of 3 too.
    speaks(Kind::EmWebsocket, "hybi-03", "2").with_subprotocol(),
    speaks(Kind::EmWebsocket, "hybi-03", "3").with_subprotocol().with_header("3"),
    // It has the framing of hybi-04 but refuses the number.
    speaks(Kind::EmWebsocket, "hybi-05", "5"),
    speaks(Kind::EmWebsocket, "hybi-06", "6"),
    speaks(Kind::EmWebsocket, "hybi-07", "7"),
    speaks(Kind::EmWebsocket, "hybi-08", "8"),
    speaks(Kind::EmWebsocket, "rfc6455", "13"),
    speaks(Kind::ProtocolWebsocket, "hixie-75", "draft-hixie-75").with_slip(Slip::OtherStatusLine),
    speaks(Kind::ProtocolWebsocket, "hixie-76", "draft-ietf-hybi-00").with_subprotocol(),
    speaks(Kind::ProtocolWebsocket, "hybi-08", "draft-ietf-hybi-10").with_subprotocol(),
    speaks(Kind::ProtocolWebsocket, "rfc6455", "draft-ietf-hybi-17").with_subprotocol(),
    speaks(Kind::Pywebsocket, "hixie-76", "0").with_subprotocol(),
    speaks(Kind::Pywebsocket, "hybi-08", "8").with_subprotocol(),
    speaks(Kind::Pywebsocket, "rfc6455", "13").with_subprotocol(),
    speaks(Kind::WebsocketDriver, "hixie-75", "hixie-75"),
    speaks(Kind::WebsocketDriver, "hixie-76", "hixie-76"),
    speaks(Kind::WebsocketDriver, "rfc6455", "hybi-13").with_subprotocol(),
];

/// A version that a peer speaks as a client, and what the peer calls it.
#[derive(Clone, Copy, Debug)]
struct Client {
    peer: Kind,
    version: &'static str,
    there: &'static str,
}

const fn calls(peer: Kind, version: &'static str, there: &'static str) -> Client {
    Client { peer, version, there }
}

const CLIENTS: [Client; 5] = [
    calls(Kind::ProtocolWebsocket, "hixie-75", "draft-hixie-75"),
    calls(Kind::ProtocolWebsocket, "hixie-76", "draft-ietf-hybi-00"),
    calls(Kind::ProtocolWebsocket, "hybi-08", "draft-ietf-hybi-10"),
    calls(Kind::ProtocolWebsocket, "rfc6455", "draft-ietf-hybi-17"),
    calls(Kind::WebsocketDriver, "rfc6455", "hybi-13"),
];

/// The versions that no peer here speaks, as a server and as a client.
const SPOKEN_BY_NO_SERVER: [&str; 1] = ["hybi-04"];
const SPOKEN_BY_NO_CLIENT: [&str; 7] =
    ["hybi-01", "hybi-02", "hybi-03", "hybi-04", "hybi-05", "hybi-06", "hybi-07"];

/// What the checks work with.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) hybi: &'a Hybi,
    pub(super) folder: &'a Path,
    pub(super) certificates: &'a Certificates,
}

/// Adds the checks of every row of the tables that `--peer` leaves.
pub(super) fn plan(options: &Options, mut tally: Tally) -> Tally {
    for kind in wanted(options) {
        for server in SERVERS.iter().filter(|server| server.peer == kind) {
            for case in server.cases() {
                tally = tally.plan(item(&server.title(), case.name), 1);
            }
        }
        for client in CLIENTS.iter().filter(|client| client.peer == kind) {
            for check in client.checks() {
                tally = tally.plan(item(&client.title(), check), 1);
            }
        }
    }
    tally
}

/// Checks the versions of each peer that `--peer` leaves.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    ends: Ends<'_>,
    tally: &mut Tally,
) -> Result<(), String> {
    servers::write_payloads(ends.folder)?;
    for kind in wanted(options) {
        let peer = match Peer::install(workspace, kind) {
            Ok(peer) => peer,
            Err(why) => {
                failed(tally, kind.title(), &format!("cannot be had: {why}"));
                continue;
            }
        };
        for server in SERVERS.iter().filter(|server| server.peer == kind) {
            servers::check(server, &peer, ends, tally);
        }
        for client in CLIENTS.iter().filter(|client| client.peer == kind) {
            let command = |url: &str| peer.client(url, client.there);
            let options = &["--versions", "all", "-s", "chat"];
            let checks = clients::reports(
                ends.hybi,
                ends.folder,
                options,
                command,
                (client.version, Http::One),
            );
            clients::count(tally, &client.title(), checks);
        }
    }
    for (role, versions) in
        [("server", &SPOKEN_BY_NO_SERVER[..]), ("client", &SPOKEN_BY_NO_CLIENT[..])]
    {
        println!("none   no {role} that others wrote speaks {}", versions.join(", "));
    }
    Ok(())
}

fn wanted(options: &Options) -> impl Iterator<Item = Kind> {
    let wanted = move |kind: &Kind| options.peer.as_ref().is_none_or(|name| name == kind.name());
    Kind::ALL.into_iter().filter(wanted)
}

impl Client {
    fn title(self) -> String {
        format!("{} -> hybi serve, {}", self.peer.title(), self.version)
    }

    /// What the peer's script looks at.
    fn checks(self) -> Vec<&'static str> {
        let (more_than_text, close, end) = match (self.peer, end_of(self.version)) {
            (Kind::WebsocketDriver, _) => (
                &["binary comes back", "ping is answered"][..],
                [
                    "the client closes with code and reason",
                    "the server closes with code and reason",
                ],
                "a server that ends says 1001",
            ),
            (_, End::Tcp | End::Bytes) => {
                (&[][..], ["the client closes", "the server closes"], "a server that ends says so")
            }
            (_, End::Frame | End::Code) => (
                &["binary comes back", "ping is answered", "fragments come back as one message"][..],
                ["the client closes", "the server closes"],
                "a server that ends says so",
            ),
        };
        let always = ["text comes back", "the subprotocol is agreed"];
        let refused = ["an unknown path is refused with 404", end];
        [&always[..], more_than_text, &close, &refused].concat()
    }
}

impl Server {
    /// Whether the version comes to be spoken.
    #[cfg(test)]
    fn is_witness(self) -> bool {
        self.slip != Some(Slip::OtherStatusLine)
    }

    fn title(self) -> String {
        let tls = if self.tls { ", wss" } else { "" };
        let header = self.header.map(|value| format!(" sent as {value}")).unwrap_or_default();
        format!("hybi connect -> {}, {}{header}{tls}", self.peer.title(), self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The versions of a table, and those that it lacks.
    fn assert_complete(witnessed: impl Iterator<Item = &'static str>, lacking: &[&str]) {
        let witnessed: Vec<_> = witnessed.collect();
        for version in witnessed.iter().chain(lacking) {
            assert!(VERSIONS.iter().any(|row| row.0 == *version), "there is no {version}");
        }
        for (version, _) in VERSIONS {
            let (seen, lacks) = (witnessed.contains(&version), lacking.contains(&version));
            assert!(seen != lacks, "{version}: witnessed {seen}, named as lacking {lacks}");
        }
    }

    #[test]
    fn each_version_and_role_has_a_witness_or_is_named_as_lacking_one() {
        let servers = SERVERS.iter().filter(|server| server.is_witness());
        assert_complete(servers.map(|row| row.version), &SPOKEN_BY_NO_SERVER);
        assert_complete(CLIENTS.iter().map(|row| row.version), &SPOKEN_BY_NO_CLIENT);
    }

    #[test]
    fn a_row_that_was_not_witnessed_fails_by_name() {
        let options = Options { peer: Some("pywebsocket".into()), ..Options::default() };
        let mut tally = plan(&options, Tally::of("checks"));
        for server in SERVERS.iter().filter(|server| server.peer == Kind::Pywebsocket) {
            for case in server.cases().iter().filter(|_| server.version != "hixie-76") {
                tally.add(item(&server.title(), case.name), 1);
            }
        }
        let why = tally.verdict().unwrap_err();
        assert!(why.lines().all(|line| line.contains("pywebsocket 0.7.9, hixie-76: ")), "{why}");
        assert!(why.contains("text of every length comes back: 0 of 1 checks"), "{why}");
    }
}
