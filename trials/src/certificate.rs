//! A certificate for the loopback address, made anew for each run, and whoever trusts it.

use std::sync::Arc;

use hybi_tokio::rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// TLS for a server that these addresses lead to, and the certificate that its clients have to trust.
///
/// # Panics
///
/// When no certificate can be made for them.
#[must_use]
pub fn server(addresses: &[&str]) -> (Arc<ServerConfig>, Vec<u8>) {
    let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("addresses");
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .expect("a key that fits");
    (Arc::new(config), cert.der().to_vec())
}

/// TLS for a client that trusts nothing else.
///
/// # Panics
///
/// When this is no certificate.
#[must_use]
pub fn client(certificate: Vec<u8>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate)).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Bytes as two digits each, to be handed to another process.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The way back.
///
/// # Panics
///
/// When it is no such text.
#[must_use]
pub fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair| u8::from_str_radix(core::str::from_utf8(pair).expect("ASCII"), 16);
    text.as_bytes().chunks(2).map(|pair| byte(pair).expect("a digit")).collect()
}
