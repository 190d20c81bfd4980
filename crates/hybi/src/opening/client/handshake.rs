//! ClientHandshake: the opening handshake of a client, whatever the version (RFC 6455 section 4.1).

use core::fmt;

use hybi_compression::Extensions;
use hybi_handshake::HandshakeError;

use crate::{
    connection::{Error, Negotiated},
    legacy,
    opening::carrier::Carrier,
};

/// The opening handshake for one connection, without I/O.
///
/// ```
/// use hybi::Client;
///
/// let client = Client::default();
/// let mut handshake = client.handshake(&"ws://example.org/chat".parse()?);
/// // Send the request, then feed what arrives, cut as it may be.
/// assert!(handshake.request_bytes().starts_with(b"GET /chat HTTP/1.1\r\n"));
/// let refused = handshake.handle_input(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
/// assert!(refused.is_err_and(|error| error.handshake().is_some()));
/// # Ok::<(), hybi::handshake::UriError>(())
/// ```
pub struct ClientHandshake {
    exchange: Exchange,
    extensions: Extensions,
    carrier: Carrier,
}

/// The exchange of the version asked for.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "legacy"),
    expect(clippy::large_enum_variant, reason = "there is none of the other, which is empty")
)]
enum Exchange {
    Rfc6455(hybi_handshake::ClientHandshake),
    Legacy(legacy::ClientHandshake),
}

/// What a server accepted (section 4.1).
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientAccepted {
    /// What the handshake settled.
    pub negotiated: Negotiated,
    /// The head of the response.
    pub response: http::Response<()>,
}

impl ClientHandshake {
    pub(super) fn new(
        exchange: hybi_handshake::ClientHandshake,
        extensions: Extensions,
        carrier: Carrier,
    ) -> Self {
        Self { exchange: Exchange::Rfc6455(exchange), extensions, carrier }
    }

    pub(super) fn legacy(exchange: legacy::ClientHandshake, extensions: Extensions) -> Self {
        Self { exchange: Exchange::Legacy(exchange), extensions, carrier: Carrier::Network }
    }

    /// The request, to be sent before anything else. Nothing more may be sent before the answer.
    #[must_use]
    pub fn request_bytes(&self) -> &[u8] {
        match &self.exchange {
            Exchange::Rfc6455(exchange) => exchange.request_bytes(),
            Exchange::Legacy(exchange) => exchange.request_bytes(),
        }
    }

    /// Takes the next bytes from the server and says how many of them it took. With the whole answer it
    /// gives what came of it; the rest are frames.
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] with the rule that the response breaks, or with the whole response if the server
    /// refused. Drop the transport.
    pub fn handle_input(&mut self, chunk: &[u8]) -> Result<(usize, Option<ClientAccepted>), Error> {
        match &mut self.exchange {
            Exchange::Rfc6455(exchange) => {
                let (consumed, accepted) = exchange.handle_input(chunk)?;
                let Some(accepted) = accepted else { return Ok((consumed, None)) };
                let ClientAccepted { negotiated, response } = judge(&self.extensions, accepted)?;
                let negotiated = self.carrier.settle(negotiated);
                Ok((consumed, Some(ClientAccepted { negotiated, response })))
            }
            Exchange::Legacy(exchange) => {
                let (consumed, settled) = exchange.handle_input(chunk)?;
                let Some((accepted, terms)) = settled else { return Ok((consumed, None)) };
                let ClientAccepted { negotiated, response } = judge(&self.extensions, accepted)?;
                let negotiated = negotiated.under(terms);
                Ok((consumed, Some(ClientAccepted { negotiated, response })))
            }
        }
    }

    /// The server ended its half of the transport; says what the handshake failed of: a refusal whose body
    /// ends so, or [`HandshakeError::UnexpectedEof`].
    pub fn handle_eof(&mut self) -> Error {
        match &mut self.exchange {
            Exchange::Rfc6455(exchange) => exchange.handle_eof(),
            Exchange::Legacy(exchange) => exchange.handle_eof(),
        }
        .into()
    }

    /// Whether the server's answer is known to be a refusal, of which no more than the body is missing.
    /// That need not be waited for: [`give_up`](Self::give_up) ends it.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match &self.exchange {
            Exchange::Rfc6455(exchange) => exchange.is_rejection(),
            Exchange::Legacy(exchange) => exchange.is_rejection(),
        }
    }

    /// Ends the handshake because the transport failed or a deadline passed: a refusal whose head had come
    /// is known all the same.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        match &mut self.exchange {
            Exchange::Rfc6455(exchange) => exchange.give_up(),
            Exchange::Legacy(exchange) => exchange.give_up(),
        }
    }
}

/// Judges the server's choice of extensions (section 4.1).
pub(super) fn judge(
    extensions: &Extensions,
    accepted: hybi_handshake::ClientAccepted,
) -> Result<ClientAccepted, Error> {
    let agreed = extensions.confirm(&accepted.extensions, accepted.version)?;
    let negotiated = Negotiated::new(accepted.version, accepted.subprotocol, agreed);
    Ok(ClientAccepted { negotiated, response: accepted.response })
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}
