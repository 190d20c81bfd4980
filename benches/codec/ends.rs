//! The ends of connections that are compared: over a transport in memory, as their users open them.

use std::sync::Arc;

use fastwebsockets::FragmentCollector;
use hybi_benches::memory::{Memory, Still};
use hybi_frame::Role;
use hybi_tokio::{Connection, Negotiated, TokioIo};

pub(crate) fn hybi(role: Role, memory: Memory<'_>) -> hybi::WebSocket<TokioIo<Memory<'_>>, Still> {
    let connection = Connection::new(role, Negotiated::default(), Arc::default());
    hybi::WebSocket::new(connection, TokioIo::new(memory), Still::default())
}

pub(crate) fn tungstenite(role: Role, memory: Memory<'_>) -> tungstenite::WebSocket<Memory<'_>> {
    let role = match role {
        Role::Server => tungstenite::protocol::Role::Server,
        Role::Client => tungstenite::protocol::Role::Client,
    };
    tungstenite::WebSocket::from_raw_socket(memory, role, None)
}

/// It reads whole messages.
pub(crate) fn fastwebsockets(role: Role, memory: Memory<'_>) -> FragmentCollector<Memory<'_>> {
    let role = match role {
        Role::Server => fastwebsockets::Role::Server,
        Role::Client => fastwebsockets::Role::Client,
    };
    FragmentCollector::new(fastwebsockets::WebSocket::after_handshake(memory, role))
}

pub(crate) fn tokio_websockets(
    role: Role,
    memory: Memory<'_>,
) -> tokio_websockets::WebSocketStream<Memory<'_>> {
    match role {
        Role::Server => tokio_websockets::ServerBuilder::new().serve(memory),
        Role::Client => tokio_websockets::ClientBuilder::new().take_over(memory),
    }
}

pub(crate) fn sockudo_ws(
    role: Role,
    memory: Memory<'_>,
) -> sockudo_ws::WebSocketStream<Memory<'_>> {
    let role = match role {
        Role::Server => sockudo_ws::Role::Server,
        Role::Client => sockudo_ws::Role::Client,
    };
    sockudo_ws::WebSocketStream::from_raw(memory, role, sockudo_ws::Config::default())
}
