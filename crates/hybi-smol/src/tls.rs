//! TLS as client: whom to trust if the caller does not say.

use std::io;

use hybi::{Error, WsUri};
use hybi_tls::{Needs, Otherwise};

use crate::{Connector, Stream};

/// What TLS with a server needs.
pub(crate) type Tls = Needs;

const OTHERWISE: Otherwise =
    if cfg!(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")) {
        Otherwise::TrustRoots
    } else {
        Otherwise::Refuse {
            feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-smol`, or give \
                      `Connector::roots_pem` a file",
        }
    };

pub(crate) fn tls(connector: &Connector, uri: &WsUri) -> Result<Option<Tls>, Error> {
    Needs::of(uri, &connector.tls, OTHERWISE)
}

pub(crate) async fn secure(tls: Tls, stream: Stream) -> io::Result<Stream> {
    Stream::connect(tls, stream).await
}
