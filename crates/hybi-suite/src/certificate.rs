//! A certificate, made anew for each program or test, and whoever trusts it.

use std::sync::{Arc, LazyLock};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::ring::default_provider,
    pki_types::PrivatePkcs8KeyDer,
};

/// The [`configurations`] of `localhost` and its address that a whole program shares.
pub fn shared() -> &'static (Arc<ServerConfig>, Arc<ClientConfig>) {
    static SHARED: LazyLock<(Arc<ServerConfig>, Arc<ClientConfig>)> =
        LazyLock::new(|| configurations(&["localhost", "127.0.0.1"]));
    &SHARED
}

/// TLS for a server with a certificate of its own for these names or addresses, and for a client that trusts nobody
/// else.
///
/// # Panics
///
/// When rustls takes none of it.
#[must_use]
pub fn configurations(names: &[&str]) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .expect("a certificate with its key");
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a certificate");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}
