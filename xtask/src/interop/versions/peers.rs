//! The peers that speak old versions: who they are, where they come from, how their scripts start.

use std::path::PathBuf;
use std::process::Command;

use crate::interop::Certificates;
use crate::process::command;
use crate::pywebsocket::Pywebsocket;
use crate::tools::{need, node_packages};
use crate::workspace::Workspace;

/// Who is on the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    EmWebsocket,
    ProtocolWebsocket,
    Pywebsocket,
    WebsocketDriver,
}

impl Kind {
    pub(super) const ALL: [Self; 4] =
        [Self::EmWebsocket, Self::ProtocolWebsocket, Self::Pywebsocket, Self::WebsocketDriver];

    /// As `--peer` has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::EmWebsocket => "em-websocket",
            Self::ProtocolWebsocket => "protocol-websocket",
            Self::Pywebsocket => "pywebsocket",
            Self::WebsocketDriver => "websocket-driver",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::EmWebsocket => "Ruby em-websocket",
            Self::ProtocolWebsocket => "Perl Protocol::WebSocket",
            Self::Pywebsocket => "pywebsocket 0.7.9",
            Self::WebsocketDriver => "Node websocket-driver 0.7.5",
        }
    }
}

/// An installed peer.
pub(super) struct Peer<'a> {
    pub(super) kind: Kind,
    scripts: PathBuf,
    from: From<'a>,
}

/// What its scripts need.
enum From<'a> {
    /// Nothing but the distribution's package.
    Distribution,
    /// Packages in a folder.
    Folder(PathBuf),
    Pywebsocket(Pywebsocket<'a>),
}

/// Whether a package is there. Distributions differ in its release, and any since the one that the
/// tables were made with will do: what a peer does otherwise then fails its row.
const RUBY: [&str; 2] = ["-e", "gem 'em-websocket', '>= 0.5.1'; require 'em-websocket'"];
const PERL: [&str; 3] =
    ["-MProtocol::WebSocket", "-e", "exit($Protocol::WebSocket::VERSION < 0.26)"];

impl<'a> Peer<'a> {
    pub(super) fn install(workspace: &'a Workspace, kind: Kind) -> Result<Self, String> {
        let from = match kind {
            Kind::EmWebsocket => {
                need("ruby", &RUBY, "ruby-em-websocket")?;
                From::Distribution
            }
            Kind::ProtocolWebsocket => {
                need("perl", &PERL, "libprotocol-websocket-perl")?;
                From::Distribution
            }
            Kind::Pywebsocket => From::Pywebsocket(Pywebsocket::install(workspace)?),
            Kind::WebsocketDriver => {
                From::Folder(node_packages(workspace, "interop/versions")?.join("node_modules"))
            }
        };
        Ok(Self { kind, scripts: workspace.xtask("interop/versions"), from })
    }

    /// A server that prints its URL.
    pub(super) fn server(&self, tls: Option<&Certificates>) -> Command {
        let mut server = self.script("server");
        server.args(tls.iter().flat_map(|tls| [&tls.certificate, &tls.key]));
        server
    }

    /// A client that checks the server at `url`, with the version that it calls `version`.
    pub(super) fn client(&self, url: &str, version: &str) -> Command {
        let mut client = self.script("client");
        client.args([url, version]);
        client
    }

    fn script(&self, name: &str) -> Command {
        let (program, extension) = match self.kind {
            Kind::EmWebsocket => ("ruby", "rb"),
            Kind::ProtocolWebsocket => ("perl", "pl"),
            Kind::Pywebsocket => ("python2.7", "py"),
            Kind::WebsocketDriver => ("node", "mjs"),
        };
        let path = self.scripts.join(format!("{name}.{extension}"));
        match &self.from {
            From::Distribution => {
                let mut script = command(program);
                script.arg(path);
                script
            }
            From::Folder(packages) => {
                let mut script = command(program);
                script.arg(path).env("NODE_PATH", packages);
                script
            }
            From::Pywebsocket(pywebsocket) => pywebsocket.script(&path),
        }
    }
}
