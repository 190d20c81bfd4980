//! The way to the server: plain, through TLS or over HTTP/2, and an end by reset.

use std::sync::Arc;

use hybi_tokio::{
    rustls::{ClientConfig, pki_types::ServerName},
    tokio_rustls::{TlsConnector, client::TlsStream},
};
use hybi_trials::certificate;
use tokio::{io, net::TcpStream};

/// Where the server is.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its port for plain TCP, that for TLS, and that for both versions of HTTP.
    pub(crate) plain: u16,
    pub(crate) tls: u16,
    pub(crate) http2: u16,
    pub(crate) trust: Arc<ClientConfig>,
}

impl Target {
    /// From what the server said.
    pub(crate) fn new([plain, tls, http2, certificate]: [&str; 4]) -> Self {
        let port = |text: &str| text.parse().expect("a port");
        let trust = certificate::client(certificate::unhex(certificate));
        Self { plain: port(plain), tls: port(tls), http2: port(http2), trust }
    }

    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.plain)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    pub(crate) async fn connect_http2(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.http2)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// To the port for TLS, of which nothing is spoken yet.
    pub(crate) async fn connect_tls_port(&self) -> io::Result<TcpStream> {
        TcpStream::connect(("127.0.0.1", self.tls)).await
    }

    pub(crate) async fn connect_tls(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = self.connect_tls_port().await?;
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        TlsConnector::from(Arc::clone(&self.trust)).connect(name, stream).await
    }
}
