//! TLS as client, where none is compiled in: a `wss` URI is refused, and told which feature it needs.

use std::{io, net::TcpStream};

use hybi::{Error, WsUri, opening};

use crate::{BlockingIo, Connector, Stream};

pub(crate) type Tls = ();

pub(crate) fn tls(_connector: &Connector, uri: &WsUri) -> Result<Tls, Error> {
    opening::without_tls(uri, "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-blocking`")
}

pub(crate) async fn secure(_tls: Tls, stream: BlockingIo<TcpStream>) -> io::Result<Stream> {
    Ok(stream.into())
}
