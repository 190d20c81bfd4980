//! A certificate for `localhost`, made anew for each test, and whoever trusts it.

use std::sync::Arc;

use hybi_tokio::{
    rustls::{
        ClientConfig, RootCertStore, ServerConfig, crypto::ring::default_provider,
        pki_types::PrivatePkcs8KeyDer,
    },
    tokio_rustls::TlsAcceptor,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// TLS for a server with a certificate of its own for `localhost`, and a client configuration that
/// trusts it.
pub(crate) fn configurations() -> (TlsAcceptor, Arc<ClientConfig>) {
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
    (TlsAcceptor::from(Arc::new(server)), Arc::new(client))
}
