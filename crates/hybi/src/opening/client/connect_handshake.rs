//! ConnectHandshake: the opening handshake of a client over HTTP/2 (RFC 8441 section 5).

use core::fmt;

use hybi_compression::Extensions;
use hybi_handshake::HandshakeError;

use super::handshake::{ClientAccepted, judge};
use crate::connection::Error;

/// The opening handshake for one connection over HTTP/2, on `http` types: an extended CONNECT and its answer.
///
/// Ask nobody who has not said that it understands `:protocol`
/// (`SETTINGS_ENABLE_CONNECT_PROTOCOL`, RFC 8441 section 3).
///
/// ```
/// use hybi::{Client, http::Response};
///
/// let client = Client::builder().subprotocol("chat.v2").build()?;
/// let mut handshake = client.connect_handshake(&"wss://example.org/chat".parse()?);
/// assert_eq!(handshake.request().method(), "CONNECT");
/// // Send it with its `Protocol`; then, of what the server answers:
/// let accepted = handshake.handle_response(Response::new(()))?.expect("2xx");
/// assert_eq!(accepted.negotiated.subprotocol, None);
/// # Ok::<(), hybi::Error>(())
/// ```
pub struct ConnectHandshake {
    exchange: hybi_handshake::ConnectHandshake,
    extensions: Extensions,
}

impl ConnectHandshake {
    pub(super) const fn new(
        exchange: hybi_handshake::ConnectHandshake,
        extensions: Extensions,
    ) -> Self {
        Self { exchange, extensions }
    }

    /// The request; see [`hybi_handshake::ConnectHandshake::request`].
    #[must_use]
    pub const fn request(&self) -> &http::Request<()> {
        self.exchange.request()
    }

    /// Takes the head of the response. 2xx opens the connection, and what follows in the stream are frames; `None` is a
    /// refusal, whose body is to be given to [`handle_data`](Self::handle_data), or [given up](Self::give_up).
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] with the rule that an answer of 2xx breaks. Abort the stream.
    pub fn handle_response(
        &mut self,
        response: http::Response<()>,
    ) -> Result<Option<ClientAccepted>, Error> {
        let accepted = self.exchange.handle_response(response)?;
        accepted.map(|accepted| judge(&self.extensions, accepted)).transpose()
    }

    /// Takes more of the body of a refusal; gives the whole once as much of it came as is kept (64 KiB).
    pub fn handle_data(&mut self, data: &[u8]) -> Option<HandshakeError> {
        self.exchange.handle_data(data)
    }

    /// The server ended the stream; says what the handshake failed of: a refusal whose body ends so, or
    /// [`HandshakeError::UnexpectedEof`].
    pub fn handle_eof(&mut self) -> Error {
        self.exchange.handle_eof().into()
    }

    /// The refusal whose head has come, with what there is of its body, if there is one.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        self.exchange.give_up()
    }
}

impl fmt::Debug for ConnectHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectHandshake").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}
