//! Roots and certificates in PEM: who is trusted, what the server is shown, and what is wrong with a file.

mod produced;

use std::sync::Arc;

use hybi::{Error, WsUri};
use hybi_tls::{
    Chosen, Needs, Otherwise,
    rustls::{
        self, ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
        crypto::ring::default_provider,
        pki_types::PrivatePkcs8KeyDer,
        server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    },
};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

const REFUSE: Otherwise = Otherwise::Refuse { feature: "roots" };

fn pair(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

fn needs(chosen: &Chosen) -> Result<Needs, Error> {
    let uri: WsUri = "wss://localhost/".parse().expect("a URI");
    Needs::of(&uri, chosen, REFUSE).map(|needs| needs.expect("it is secure"))
}

/// A server that asks for a certificate of this one's.
fn server(own: &CertifiedKey<KeyPair>, client: &CertifiedKey<KeyPair>) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(client.cert.der().clone()).expect("a certificate");
    let provider = Arc::new(default_provider());
    let verifier: Arc<dyn ClientCertVerifier> =
        WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .expect("roots");
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .expect("a pair")
        .into()
}

/// How a handshake ends: whether the server was shown a certificate.
fn handshake(chosen: &Chosen, server: Arc<ServerConfig>) -> Result<bool, rustls::Error> {
    let needs = needs(chosen).expect("somebody is trusted");
    let mut client = ClientConnection::new(needs.config, needs.name)?;
    let mut server = ServerConnection::new(server)?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).expect("memory");
        }
        server.read_tls(&mut &*bytes).expect("memory");
        server.process_new_packets()?;
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("memory");
        }
        client.read_tls(&mut &*bytes).expect("memory");
        client.process_new_packets()?;
    }
    Ok(server.peer_certificates().is_some())
}

#[test]
fn who_is_in_the_file_is_trusted_and_nobody_else() {
    let [own, other, client] = ["localhost"; 3].map(pair);
    let chosen = Chosen::default().roots_pem(other.cert.pem().as_bytes()).expect("a file");
    assert!(handshake(&chosen, server(&own, &client)).is_err(), "a stranger");
    // Calls add up, and a file may hold several.
    let more = chosen.clone().roots_pem(own.cert.pem().as_bytes()).expect("a file");
    let both = own.cert.pem() + "\r\n" + &other.cert.pem();
    let at_once = Chosen::default().roots_pem(both.as_bytes()).expect("a file");
    for chosen in [more, at_once] {
        for server in [server(&own, &client), server(&other, &client)] {
            assert_eq!(handshake(&chosen, server), Ok(false));
        }
    }
    assert!(handshake(&chosen, server(&own, &client)).is_err(), "the first is as it was");
}

#[test]
fn the_server_is_shown_the_certificate() {
    let [own, client, stranger] = ["localhost"; 3].map(pair);
    let show = |pair: &CertifiedKey<KeyPair>, chosen: Chosen| {
        let (chain, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
        chosen.client_certificate_pem(chain.as_bytes(), key.as_bytes()).expect("a pair")
    };
    let roots = |chosen: Chosen| chosen.roots_pem(own.cert.pem().as_bytes()).expect("a file");
    // In either order.
    for chosen in [roots(show(&client, Chosen::default())), show(&client, roots(Chosen::default()))]
    {
        assert_eq!(handshake(&chosen, server(&own, &client)), Ok(true));
        // What is made of it is made once.
        let [first, second] =
            [&chosen, &chosen.clone()].map(|chosen| needs(chosen).expect("a name"));
        assert!(Arc::ptr_eq(&first.config, &second.config));
    }
    let chosen = roots(show(&stranger, Chosen::default()));
    assert!(handshake(&chosen, server(&own, &client)).is_err(), "a stranger is not let in");
}

/// A certificate of its own says nothing of whom to trust.
#[test]
fn without_roots_the_features_say_whom_to_trust() {
    let client = pair("client");
    let (chain, key) = (client.cert.pem(), client.signing_key.serialize_pem());
    let chosen = Chosen::default().client_certificate_pem(chain.as_bytes(), key.as_bytes());
    let error = needs(&chosen.expect("a pair")).expect_err("nobody is trusted");
    assert!(matches!(error, Error::TlsNotCompiledIn { feature: "roots" }), "{error}");
}

#[test]
fn the_last_choice_holds() {
    let [own, client] = ["localhost"; 2].map(pair);
    let given: Arc<ClientConfig> =
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth()
            .into();
    let chosen = Chosen::config(given.clone());
    assert!(Arc::ptr_eq(&needs(&chosen).expect("a name").config, &given));
    let chosen = chosen.roots_pem(own.cert.pem().as_bytes()).expect("a file");
    assert_eq!(handshake(&chosen, server(&own, &client)), Ok(false));
}
