//! The answer to an opening handshake as its bytes arrive: a head, and a body unless it is 101
//! (RFC 6455 §4.1, RFC 9112 §6).

use core::mem;

use bytes::Bytes;
use http::{Response, StatusCode, Version};

use crate::body::BodyReader;
use crate::error::HandshakeError;
use crate::head::scan::{HeadKind, HeadScanner};
use crate::head::{HeadLimits, parse};

/// Reads the response to an opening handshake, whatever the draft.
///
/// ```
/// use hybi_handshake::{HandshakeError, HeadLimits, ResponseReader};
///
/// let mut reader = ResponseReader::new(HeadLimits::default());
/// let answer = b"HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\n\r\n\x00hi\xff";
/// let (consumed, head) = reader.handle_input(answer)?;
/// let head = head.expect("the head is complete");
/// assert!(head.bytes.starts_with(b"HTTP/1.1 101 Web Socket Protocol Handshake\r\n"));
/// assert_eq!(head.response.headers()["upgrade"], "WebSocket");
/// assert_eq!(&answer[consumed..], b"\x00hi\xff");
/// # Ok::<(), HandshakeError>(())
/// ```
#[derive(Debug)]
pub struct ResponseReader {
    scanner: HeadScanner,
    wanted: Wanted,
    /// The body of a rejection, once its head is complete.
    body: Option<Box<BodyReader>>,
}

/// The answer that has no body, and that something else follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    SwitchingProtocols,
    /// Of CONNECT: whatever its fields claim, it has no body (RFC 9110 §9.3.6).
    AnySuccess,
}

/// The head of a response with status 101.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponseHead {
    /// The head.
    pub response: Response<()>,
    /// The same as it came, blank line included.
    pub bytes: Bytes,
}

impl ResponseReader {
    /// A reader before the first byte. `limits` bound the head, interim responses included.
    #[must_use]
    pub const fn new(limits: HeadLimits) -> Self {
        Self::for_answer(limits, Wanted::SwitchingProtocols)
    }

    /// The same for the answer to CONNECT, which is done with a head of any status 2xx.
    pub(crate) const fn to_connect(limits: HeadLimits) -> Self {
        Self::for_answer(limits, Wanted::AnySuccess)
    }

    const fn for_answer(limits: HeadLimits, wanted: Wanted) -> Self {
        Self { scanner: HeadScanner::new(HeadKind::Response, limits), wanted, body: None }
    }

    /// Takes the next bytes from the server and says how many of them it took. With the head of status 101
    /// it is done, and the rest belongs to whatever follows that.
    ///
    /// # Errors
    ///
    /// The rule of HTTP that the response breaks; [`HandshakeError::Rejected`] with the whole response when
    /// the status is not 101.
    pub fn handle_input(
        &mut self,
        chunk: &[u8],
    ) -> Result<(usize, Option<ResponseHead>), HandshakeError> {
        let mut consumed = 0;
        while self.body.is_none() {
            let (taken, head) = self.scanner.feed(&chunk[consumed..])?;
            consumed += taken;
            let Some(head) = head else { return Ok((consumed, None)) };
            let response = parse::response(&head)?;
            let is_wanted = match self.wanted {
                Wanted::SwitchingProtocols => response.status() == StatusCode::SWITCHING_PROTOCOLS,
                Wanted::AnySuccess => response.status().is_success(),
            };
            match response.status() {
                StatusCode::SWITCHING_PROTOCOLS
                    if is_wanted && response.version() < Version::HTTP_11 =>
                {
                    return Err(HandshakeError::ResponseHttpVersion);
                }
                _ if is_wanted => {
                    return Ok((consumed, Some(ResponseHead { response, bytes: head.bytes })));
                }
                // 100 and 103 come before the answer (RFC 9110 §15.2).
                status
                    if status != StatusCode::SWITCHING_PROTOCOLS && status.is_informational() =>
                {
                    self.scanner.restart()
                }
                _ => self.body = Some(Box::new(BodyReader::new(response))),
            }
        }
        if let Some(body) = &mut self.body {
            consumed += body.feed(&chunk[consumed..]);
        }
        if self.body.as_ref().is_some_and(|body| body.is_complete())
            && let Some(error) = self.give_up()
        {
            return Err(error);
        }
        Ok((consumed, None))
    }

    /// The server ended its half of the transport; says what the handshake failed of.
    ///
    /// [`HandshakeError::Rejected`] with what there is of the body once the head of a rejection has
    /// come, else [`HandshakeError::UnexpectedEof`].
    pub fn handle_eof(&mut self) -> HandshakeError {
        match mem::take(&mut self.body) {
            Some(body) => HandshakeError::Rejected(Box::new(body.finish(true))),
            None => HandshakeError::UnexpectedEof { received: self.scanner.seen() },
        }
    }

    /// Whether the head of a rejection has come, so that no more than its body is missing.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        self.body.is_some()
    }

    /// The rejection whose head has come, with what there is of its body, if there is one.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        let body = mem::take(&mut self.body)?;
        Some(HandshakeError::Rejected(Box::new(body.finish(false))))
    }
}
