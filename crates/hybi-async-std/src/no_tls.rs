//! TLS as client, where none is compiled in: a `wss` URI is refused, and told which feature it needs.

use core::convert::Infallible;
use std::io;

use hybi::{Error, WsUri, opening};

use crate::{Connector, Stream};

pub(crate) type Tls = Infallible;

pub(crate) fn tls(_connector: &Connector, uri: &WsUri) -> Result<Option<Tls>, Error> {
    opening::without_tls(
        uri,
        "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-async-std`",
    )?;
    Ok(None)
}

pub(crate) async fn secure(tls: Tls, _: Stream) -> io::Result<Stream> {
    match tls {}
}
