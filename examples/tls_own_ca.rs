//! TLS with an authority of your own: a server with a certificate that it signed, and a client that trusts nobody else.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::error::Error;
use std::sync::Arc;

use hybi_tokio::{
    Client, CloseCode, Connector, Server, rustls,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
    tokio_rustls::TlsAcceptor,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;

/// What an authority gives out: its own certificate for clients, and one with its key for the server.
struct Issued {
    authority: CertificateDer<'static>,
    server: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// Mostly these come from files: `CertificateDer::pem_file_iter` reads them.
fn issue(server: &str) -> Result<Issued, rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let server = CertificateParams::new([server.to_owned()])?.signed_by(&key, &issuer)?;
    Ok(Issued {
        authority: certificate.into(),
        server: server.into(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issued = issue("localhost")?;

    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![issued.server], issued.key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("wss://localhost:{}/", listener.local_addr()?.port());
    tokio::spawn(async move {
        while let Ok((stream, _address)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let server = Server::compressing();
                let mut ws = hybi_tokio::accept_tls(&server, &acceptor, stream).await?;
                while let Some(message) = ws.recv().await? {
                    ws.feed(message).await?;
                }
                Ok::<(), hybi_tokio::Error>(())
            });
        }
    });

    let mut roots = RootCertStore::empty();
    roots.add(issued.authority)?;
    let connector = Connector::new().rustls(trusting(roots)?);
    let client = Client::compressing();
    let (mut ws, _response) = connector.connect(&client, &uri).await?;
    ws.send("nobody else hears this").await?;
    println!("{:?}", ws.recv().await?);
    ws.close(CloseCode::NORMAL, "").await?;

    // Who trusts others does not get there.
    let others = Connector::new().rustls(trusting(RootCertStore::empty())?);
    println!("{}", others.connect(&client, &uri).await.map(drop).expect_err("not trusted"));
    Ok(())
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
