//! Through TLS, ALPN says which version of HTTP is spoken (RFC 7301).

use std::sync::Arc;

use hybi::{Client, Server};
use hybi_h2::Connector;
use hybi_suite::certificate;
use hybi_tokio::TlsAcceptor;

use crate::peer::{echo, listen};

#[tokio::test]
async fn the_server_chooses_and_both_versions_open() {
    let (server, trusting) = certificate::shared();
    let cases: [(&[&[u8]], _); 3] = [
        (&[b"h2", b"http/1.1"], http::Version::HTTP_2),
        (&[b"http/1.1"], http::Version::HTTP_11),
        (&[], http::Version::HTTP_11),
    ];
    for (protocols, version) in cases {
        let mut tls = (**server).clone();
        tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let (listener, address) = listen().await;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(hybi_h2::serve_tls(listener, acceptor, Server::default(), echo));
        let tokio = hybi_tokio::Connector::new().rustls(trusting.clone());
        let connector = Connector::new().reached_by(tokio);
        // Its own origin is that of https.
        let port = address.port();
        let origin = format!("https://localhost:{port}");
        let client = Client::builder().origin(&origin).build().unwrap();
        let uri = format!("wss://localhost:{port}/");
        let (mut ws, response) = connector.connect(&client, &uri).await.unwrap();
        assert_eq!(response.version(), version);
        ws.send("hello").await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some("hello".into()));
        let session = connector.session(&client, &uri).await.unwrap();
        assert_eq!(session.is_some(), version == http::Version::HTTP_2);
    }
}
