//! `--tls-cert` and `--tls-key`: what a server or a proxy is shown that asks for a certificate.

use core::net::SocketAddr;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{hybi, scratch};
use crate::tls::certificate;

/// Plays a server that asks for a certificate, of which it knows this one, and then for no more than a line: how many it
/// was shown.
fn asking(
    cert: &Path,
    key: &Path,
    known: &Path,
    http: &str,
) -> (SocketAddr, thread::JoinHandle<usize>) {
    let read = |path| CertificateDer::from_pem_file(path).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(read(known)).expect("a root");
    let provider = Arc::new(default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = verifier.allow_unauthenticated().build().expect("a verifier");
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![read(cert)], PrivateKeyDer::from_pem_file(key).expect("a key"))
        .expect("a pair");
    config.alpn_protocols = vec![http.into()];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let played = thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("a client");
        let connection = ServerConnection::new(Arc::new(config)).expect("a connection");
        let mut stream = StreamOwned::new(connection, tcp);
        // The handshake, and then what is no answer.
        let _ = stream.write_all(b"no\r\n\r\n").and_then(|()| stream.flush());
        stream.conn.peer_certificates().map_or(0, <[_]>::len)
    });
    (address, played)
}

#[test]
fn a_certificate_is_shown_to_whoever_asks() {
    let (cert, key, _) = certificate("asking");
    let (own, own_key, _) = certificate("asked");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (ca, own_text, key_text) = (text(&cert), text(&own), text(&own_key));
    let shown = ["--tls-cert", &own_text, "--tls-key", &key_text];
    for (alpn, http) in [("http/1.1", "1.1"), ("h2", "2")] {
        for (options, count) in [(&shown[..], 1), (&[], 0)] {
            let (address, played) = asking(&cert, &key, &own, alpn);
            let url = format!("wss://{address}/");
            let args = ["connect", "--http", http, "--tls-ca", &ca, "--tls-name", "localhost"];
            let code = hybi(&[&args[..], options, &[&url]].concat()).code;
            assert_ne!(code, Some(0), "it was no answer");
            assert_eq!(played.join().expect("played"), count, "--http {http}");
        }
    }
    let (address, played) = asking(&cert, &key, &own, "http/1.1");
    let proxy = format!("https://localhost:{}", address.port());
    let args = ["connect", "-4", "--tls-ca", &ca, "--proxy", &proxy];
    hybi(&[&args[..], &shown, &["ws://chat.example/"]].concat()).expect(3, "did not connect");
    assert_eq!(played.join().expect("played"), 1);
}

#[test]
fn files_that_do_not_fit_are_told_before_anybody_is_connected_to() {
    let (cert, key, _) = certificate("fits");
    let (_, other, _) = certificate("fits-not");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let missing = text(&scratch("missing.pem"));
    let (cert, key, other) = (text(&cert), text(&key), text(&other));
    let url = "wss://127.0.0.1:1/";
    for (args, why) in [
        ([&*cert, &other, url], "the private key is not that of the certificate"),
        ([&missing, &key, url], "cannot read "),
        ([&cert, &missing, url], "cannot read "),
        ([&key, &key, url], "no PEM certificate in it"),
        ([&cert, &cert, url], "no PEM private key in it"),
        ([&cert, &key, "ws://127.0.0.1:1/"], "--tls-cert is for wss:// URLs"),
    ] {
        let [cert, key, url] = args;
        hybi(&["connect", "-k", "--tls-cert", cert, "--tls-key", key, url]).expect(2, why);
    }
    hybi(&["connect", "--tls-cert", &cert, url]).expect(2, "--tls-key");
    hybi(&["connect", "--tls-key", &key, url]).expect(2, "--tls-cert");
}
