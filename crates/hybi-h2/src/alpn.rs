//! What is offered in TLS to be spoken (RFC 7301).

use hybi_tls::Needs;

use crate::connector::Offer;

/// Has TLS with a server offer this. The server is to know what may be spoken: with nothing offered, some settle on HTTP/2.
pub(crate) fn offer(what: Offer, tls: &mut Needs) {
    let protocols: &[&[u8]] = match what {
        Offer::Both => &[b"h2", b"http/1.1"],
        Offer::Http1 => &[b"http/1.1"],
    };
    let mut config = (*tls.config).clone();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    tls.config = config.into();
}
