//! The old versions with peers that others wrote when these were new: as servers to `hybi connect`
//! and, where they can be one, as clients of `hybi serve`.
//!
//! The peers' halves are the scripts in `xtask/interop/versions`. What each peer speaks is in the
//! tables here, with the slips of its own that no setting of it avoids; a version that no peer
//! speaks is named at the end.

mod peers;
mod servers;

use std::path::Path;

use super::{Certificates, clients};
use crate::hybi::Hybi;
use crate::outcome::Options;
use crate::workspace::Workspace;
use peers::{Kind, Peer};

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

/// The versions that peers speak as clients, and what they call them.
const CLIENTS: [(Kind, &str, &str); 5] = [
    (Kind::ProtocolWebsocket, "hixie-75", "draft-hixie-75"),
    (Kind::ProtocolWebsocket, "hixie-76", "draft-ietf-hybi-00"),
    (Kind::ProtocolWebsocket, "hybi-08", "draft-ietf-hybi-10"),
    (Kind::ProtocolWebsocket, "rfc6455", "draft-ietf-hybi-17"),
    (Kind::WebsocketDriver, "rfc6455", "hybi-13"),
];

/// What the checks work with.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) hybi: &'a Hybi,
    pub(super) folder: &'a Path,
    pub(super) certificates: &'a Certificates,
}

/// What came of all checks.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) checked: usize,
    pub(super) failures: Vec<String>,
    /// Versions that an independent server or client witnessed.
    servers: Vec<&'static str>,
    clients: Vec<&'static str>,
}

/// Checks the versions of each peer that `--peer` leaves.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    ends: Ends<'_>,
) -> Result<Results, String> {
    let mut results = Results::default();
    servers::write_payloads(ends.folder)?;
    for kind in Kind::ALL {
        if options.peer.as_ref().is_some_and(|name| name != kind.name()) {
            continue;
        }
        match Peer::install(workspace, kind) {
            Ok(peer) => results.add(&peer, ends),
            Err(why) if options.peer.is_some() => return Err(why),
            Err(why) => println!("none   {} cannot be had: {why}", kind.title()),
        }
    }
    if options.peer.is_none() {
        results.name_the_rest();
    }
    Ok(results)
}

impl Results {
    fn add(&mut self, peer: &Peer<'_>, ends: Ends<'_>) {
        for server in SERVERS.iter().filter(|server| server.peer == peer.kind) {
            if let Some(()) = self.count(servers::check(server, peer, ends)) {
                self.servers.extend(server.is_witness().then_some(server.version));
            }
        }
        for (_, version, there) in CLIENTS.iter().filter(|client| client.0 == peer.kind) {
            let title = format!("{} -> hybi serve, {version}", peer.kind.title());
            let client = |url: &str| peer.client(url, there);
            let options = &["--versions", "all", "-s", "chat"];
            let reports = clients::reports(ends.hybi, ends.folder, options, client, version);
            let passed = reports.and_then(|checks| clients::passed(&title, checks));
            if let Some(()) = self.count(passed.map_err(|why| format!("{title}: {why}"))) {
                self.clients.push(version);
            }
        }
    }

    /// Takes a result in; something if it is a good one.
    fn count(&mut self, result: Result<usize, String>) -> Option<()> {
        match result {
            Ok(count) => self.checked += count,
            Err(why) => {
                println!("FAILED {why}");
                self.failures.push(why);
                return None;
            }
        }
        Some(())
    }

    /// Names the versions that nobody else was seen to speak.
    fn name_the_rest(&self) {
        for (role, seen) in [("server", &self.servers), ("client", &self.clients)] {
            let missing = VERSIONS.iter().map(|row| row.0).filter(|name| !seen.contains(name));
            let missing = missing.collect::<Vec<_>>().join(", ");
            if !missing.is_empty() {
                println!("none   no {role} that others wrote was seen to speak {missing}");
            }
        }
    }
}

impl Server {
    /// Whether the version comes to be spoken.
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

    #[test]
    fn the_tables_name_versions_that_there_are() {
        let named = SERVERS.iter().map(|row| row.version).chain(CLIENTS.iter().map(|row| row.1));
        for version in named {
            assert!(VERSIONS.iter().any(|row| row.0 == version), "{version}");
        }
    }
}
