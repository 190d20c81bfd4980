//! A connection over TLS over a pipe of bounded capacity, without an opening handshake.

use std::sync::Arc;

use futures_util::future::try_join;
use hybi_tokio::{
    Config, Connection, Negotiated, Role, TokioIo, TokioTimer,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{PrivatePkcs8KeyDer, ServerName},
    },
    tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream},
};
use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::pipes::{End, link};

/// What a handshake needs at most.
const HANDSHAKE: usize = 64 * 1024;

pub(crate) type Socket = hybi_tokio::WebSocket<TlsStream<End>>;

/// TLS for a server with a certificate of its own for `localhost`, and a client that trusts it.
fn configurations() -> (TlsAcceptor, TlsConnector) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server).into(), Arc::new(client).into())
}

/// The client and the server of a connection on which `capacity` bytes may be on their way.
pub(crate) async fn ends(capacity: usize, config: &Config) -> [Socket; 2] {
    let (acceptor, connector) = configurations();
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
