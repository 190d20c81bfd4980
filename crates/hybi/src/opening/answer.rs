//! Answering a request with plain HTTP, and ending the transport so that the peer can read the answer.

use core::time::Duration;

use super::{server::Server, wire::Wire};
use crate::socket::io::{Timer, Transport};

/// How long an answer may take to be read by the peer if the handshake's deadline is nearer.
pub(super) const ANSWER_GRACE: Duration = Duration::from_secs(2);

/// Writes a response other than 101 and ends the transport.
pub(super) async fn answer<T: Transport, C: Timer>(mut wire: Wire<T, C>, bytes: Vec<u8>) {
    wire.grant(ANSWER_GRACE);
    wire.send(bytes);
    wire.finish().await;
}

/// Adds the fields that every response of the server has, unless the response has its own.
pub(super) fn add_headers<B>(server: &Server, response: &mut http::Response<B>) {
    let own: Vec<_> = response.headers().keys().cloned().collect();
    for (name, value) in server.policy().headers() {
        if !own.contains(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
}
