//! Trace: what a connection tells `tracing` of its life: a span for it, and an event where something begins, fails or
//! ends. Nothing is told of a message.

use core::{fmt::Display, net::SocketAddr};

use hybi_frame::Role;
use hybi_handshake::WsUri;
use tracing::{Level, Span, event, field};

use super::{CloseStatus, Connection, Endpoint, Error, Negotiated, Stats};

/// The span of a connection, if anybody wants to hear of it: a pointer where nobody does.
///
/// It is never entered here: whoever drives the connection may be within spans of its own. So a message costs nothing.
#[derive(Debug)]
pub(super) struct Trace(Option<Box<Told>>);

/// The span, and what was told in it.
#[derive(Debug)]
struct Told {
    span: Span,
    end: End,
}

/// The span of which nobody wants to hear.
static NONE: Span = Span::none();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Untold,
    Told,
}

impl Trace {
    pub(super) fn new(role: Role, negotiated: &Negotiated) -> Self {
        let span = tracing::span!(
            target: "hybi",
            Level::DEBUG,
            "websocket",
            role = match role {
                Role::Client => "client",
                Role::Server => "server",
            },
            version = field::display(negotiated.version.describe()),
            peer = field::Empty,
            path = field::Empty,
        );
        Self((!span.is_disabled()).then(|| Box::new(Told { span, end: End::Untold })))
    }

    fn span(&self) -> &Span {
        self.0.as_ref().map_or(&NONE, |told| &told.span)
    }

    pub(super) fn failed(&self, error: &Error) {
        event!(target: "hybi", parent: self.span(), Level::DEBUG, %error, "failed");
    }

    /// The transport takes nothing more for now.
    pub(super) fn blocked(&self, queued: usize) {
        event!(target: "hybi", parent: self.span(), Level::TRACE, queued, "the peer reads slowly");
    }

    fn ended(&mut self, status: Option<&CloseStatus>, stats: &Stats) {
        let Some(told) = &mut self.0 else { return };
        if core::mem::replace(&mut told.end, End::Told) == End::Told {
            return;
        }
        let (sent, received) = (&stats.sent, &stats.received);
        let began = status.and_then(CloseStatus::began_by).map(|began| match began {
            Endpoint::Local => "local",
            Endpoint::Peer => "peer",
        });
        event!(
            target: "hybi",
            parent: self.span(),
            Level::DEBUG,
            code = status.map(|status| status.code().as_u16()),
            clean = status.is_some_and(CloseStatus::is_clean),
            began,
            messages_sent = sent.messages,
            bytes_sent = sent.payload_bytes,
            messages_received = received.messages,
            bytes_received = received.payload_bytes,
            "closed"
        );
    }
}

impl Connection {
    /// The span in which the connection tells of itself, to be entered by what belongs to it, and to be told more:
    /// its field `peer` is empty on a server, whose transport may be anything; `serve` of the adapters fills it.
    #[must_use]
    pub fn span(&self) -> &Span {
        self.trace.span()
    }

    /// Tells which server a client asked, and for what.
    pub(crate) fn trace_server(&self, uri: &WsUri) {
        self.trace.span().record("peer", uri.host_header().as_str());
        self.trace_target(uri.resource());
    }

    /// Tells which client asked a server, if that is known, and for what.
    pub(crate) fn trace_client(&self, peer: Option<SocketAddr>, path: &str) {
        if let Some(peer) = peer {
            self.trace.span().record("peer", field::display(peer));
        }
        self.trace_target(path);
    }

    /// Of the target the path alone, since what stands behind it may be credentials.
    fn trace_target(&self, target: &str) {
        self.trace.span().record("path", target.split_once('?').map_or(target, |(path, _)| path));
    }

    pub(crate) fn trace_open(&self) {
        event!(target: "hybi", parent: self.trace.span(), Level::DEBUG, "open");
    }

    /// Tells how the connection ended, once.
    pub(crate) fn trace_end(&mut self) {
        let (status, stats) = (self.close_status(), self.stats());
        self.trace.ended(status.as_ref(), &stats);
    }
}

/// Whoever drops a connection ends it.
impl Drop for Connection {
    fn drop(&mut self) {
        self.trace_end();
    }
}

/// Tells that a server refused a request.
pub(crate) fn refused(error: &Error) {
    event!(target: "hybi", Level::DEBUG, %error, "refused");
}

/// Tells what a server met.
pub(crate) fn incident(what: &dyn Display) {
    event!(target: "hybi", Level::DEBUG, %what, "incident");
}
