//! A connection over TLS over a pipe of bounded capacity, without an opening handshake.

use futures_util::future::try_join;
use hybi_suite::certificate::configurations;
use hybi_tokio::{
    Config, Connection, Negotiated, Role, TlsAcceptor, TlsConnector, TokioIo, TokioTimer,
    rustls::pki_types::ServerName, tokio_rustls::TlsStream,
};

use crate::pipes::{End, link};

/// What a handshake needs at most.
const HANDSHAKE: usize = 64 * 1024;

pub(crate) type Socket = hybi_tokio::WebSocket<TlsStream<End>>;

/// The client and the server of a connection on which `capacity` bytes may be on their way.
pub(crate) async fn ends(capacity: usize, config: &Config) -> [Socket; 2] {
    let (server, client) = configurations(&["localhost"]);
    let (acceptor, connector) = (TlsAcceptor::from(server), TlsConnector::from(client));
    let [near, far] = link(HANDSHAKE);
    let name = ServerName::try_from("localhost").unwrap();
    let (near, far) = try_join(connector.connect(name, near), acceptor.accept(far)).await.unwrap();
    near.get_ref().0.narrow(capacity);
    far.get_ref().0.narrow(capacity);
    let make = |role, stream| {
        let own = Connection::new(role, Negotiated::default(), config.clone().into());
        Socket::new(own, TokioIo::new(stream), TokioTimer::default())
    };
    [make(Role::Client, TlsStream::from(near)), make(Role::Server, TlsStream::from(far))]
}
