//! The client's part: the request, and the check of the response.

use hybi_handshake::{ClientAccepted, ClientRequest, HandshakeError, HeadLimits};

use crate::terms::Terms;

/// One opening handshake of a client that asks for a version before hybi-07.
///
/// It is used as [`hybi_handshake::ClientHandshake`] is, and says on which terms to go on.
#[derive(Debug)]
pub struct ClientHandshake {
    request: Vec<u8>,
}

impl ClientHandshake {
    /// Prepares one attempt. `random` fills bytes from a cryptographic generator; `draft_header` replaces
    /// the value of `Sec-WebSocket-Draft`.
    ///
    /// hixie-75 and 76 must name an origin: without one in `request` it is that of the URI.
    #[must_use]
    pub fn new(
        request: &ClientRequest,
        draft_header: Option<u8>,
        random: &mut dyn FnMut(&mut [u8]),
        limits: HeadLimits,
    ) -> Self {
        let _ = (request, draft_header, random, limits);
        Self { request: Vec::new() }
    }

    /// The request, challenge included, to be sent before anything else.
    #[must_use]
    pub fn request_bytes(&self) -> &[u8] {
        &self.request
    }

    /// Takes the next bytes from the server and says how many of them it took. When that is not all of
    /// them, the handshake is over and the rest are frames.
    ///
    /// # Errors
    ///
    /// The rule that the response breaks; [`HandshakeError::Rejected`] when its status is not 101.
    pub fn handle_input(
        &mut self,
        chunk: &[u8],
    ) -> Result<(usize, Option<(ClientAccepted, Terms)>), HandshakeError> {
        Ok((chunk.len(), None))
    }

    /// The server ended its half of the transport; says what the handshake failed of.
    pub fn handle_eof(&mut self) -> HandshakeError {
        HandshakeError::UnexpectedEof { received: 0 }
    }

    /// Ends the handshake because the transport failed or a deadline passed: the rejection whose head has
    /// come, if there is one.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        None
    }
}
