//! TLS as client: what a `wss` URI needs, and who is trusted by default.

use std::{io, sync::Arc};

use hybi::{Error, OpeningError, WsUri};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{Connector, Stream};

/// What TLS with a server needs: whom to trust, and what the server has to be called. `None` without TLS.
pub(crate) type Tls = Option<(TlsConnector, ServerName<'static>)>;

pub(crate) fn tls(connector: &Connector, uri: &WsUri) -> Result<Tls, Error> {
    if !uri.is_secure() {
        return Ok(None);
    }
    let config = connector.tls.clone().map_or_else(default_config, Ok)?;
    Ok(Some((config.into(), server_name(uri)?)))
}

pub(crate) async fn secure(tls: Tls, stream: TcpStream) -> io::Result<Stream> {
    match tls {
        None => Ok(stream.into()),
        Some((connector, name)) => Ok(connector.connect(name, stream).await?.into()),
    }
}

/// The configuration of a `wss` connection if the caller brought none.
#[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
fn default_config() -> Result<Arc<ClientConfig>, Error> {
    use std::sync::OnceLock;
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots())
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
fn default_config() -> Result<Arc<ClientConfig>, Error> {
    Err(Error::TlsNotCompiledIn {
        feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-tokio`, or give \
                  `Connector::rustls` a configuration",
    })
}

/// All the roots that the features name.
#[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
fn roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    #[cfg(feature = "rustls-native-roots")]
    // A root that cannot be read or parsed is as good as absent; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    #[cfg(feature = "rustls-webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

fn server_name(uri: &WsUri) -> Result<ServerName<'static>, Error> {
    let name = ServerName::try_from(uri.host().to_owned());
    name.map_err(|error| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, error);
        OpeningError::Tls { peer: uri.host().to_owned(), error }.into()
    })
}
