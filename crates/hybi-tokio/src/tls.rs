//! TLS as client: whom to trust if the caller does not say.

use std::io;

use hybi::{Error, WsUri};
use hybi_tls::{Needs, Otherwise};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{Connector, Stream};

/// What TLS with a server needs; `None` without TLS.
pub(crate) type Tls = Option<Needs>;

const OTHERWISE: Otherwise =
    if cfg!(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")) {
        Otherwise::TrustRoots
    } else {
        Otherwise::Refuse {
            feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-tokio`, or give \
                      `Connector::rustls` a configuration",
        }
    };

pub(crate) fn tls(connector: &Connector, uri: &WsUri) -> Result<Tls, Error> {
    Needs::of(uri, connector.tls.as_ref(), OTHERWISE)
}

pub(crate) async fn secure(tls: Tls, stream: TcpStream) -> io::Result<Stream> {
    match tls {
        None => Ok(stream.into()),
        Some(Needs { config, name, .. }) => {
            Ok(TlsConnector::from(config).connect(name, stream).await?.into())
        }
    }
}
