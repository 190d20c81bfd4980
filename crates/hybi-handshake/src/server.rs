//! The server's end of the transport: bytes in, a request out (RFC 6455 §4.2, RFC 9112 §3).

use http::Request;

use crate::error::HandshakeError;
use crate::head::scan::{HeadKind, HeadScanner};
use crate::head::{HeadLimits, parse};
use crate::target;

/// Reads one request head.
///
/// Only what HTTP asks of every request is judged here, its target and `Host` included, so that a
/// server can answer a plain request with a page;
/// [`ServerPolicy::check`](crate::ServerPolicy::check) judges whether it opens a WebSocket connection.
/// Errors are sticky: after the first, every call returns it again.
///
/// The request's field values share one allocation of the size of its head, which lives as long as
/// any of them.
///
/// [RFC 6455 §4.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2)
///
/// ```
/// use hybi_handshake::{HeadLimits, ServerHandshake};
///
/// let mut server = ServerHandshake::new(HeadLimits::default());
/// let (consumed, request) = server.handle_input(b"GET /chat HTTP/1.1\r\nHost: exam")?;
/// assert!(request.is_none());
/// let (consumed, request) = server.handle_input(b"ple.org\r\n\r\nmore")?;
/// assert_eq!(consumed, 11);
/// assert_eq!(request.expect("complete").headers()["host"], "example.org");
/// # Ok::<(), hybi_handshake::HandshakeError>(())
/// ```
#[derive(Debug)]
pub struct ServerHandshake {
    scanner: HeadScanner,
    state: State,
}

#[derive(Debug)]
enum State {
    Head,
    Complete,
    Failed(HandshakeError),
}

impl ServerHandshake {
    /// A handshake of which nothing has arrived. `limits` bound the head of the request.
    #[must_use]
    pub const fn new(limits: HeadLimits) -> Self {
        Self { scanner: HeadScanner::new(HeadKind::Request, limits), state: State::Head }
    }

    /// Takes the next bytes from the client and says how many of them it took. When that is not all of
    /// them, the request is complete, and the rest are frames, or belong to another protocol.
    ///
    /// # Errors
    ///
    /// The rule of HTTP that the head breaks, or the limit that it exceeds. The server sends
    /// [`HandshakeError::response`] and ends the transport.
    pub fn handle_input(
        &mut self,
        chunk: &[u8],
    ) -> Result<(usize, Option<Request<()>>), HandshakeError> {
        match &self.state {
            State::Head => {}
            State::Complete => return Ok((0, None)),
            State::Failed(error) => return Err(error.clone()),
        }
        let result = self.scanner.feed(chunk).and_then(|(taken, head)| {
            let request = head.map(|head| parse::request(&head)).transpose()?;
            if let Some(request) = &request {
                target::check(request)?;
            }
            Ok((taken, request))
        });
        match &result {
            Ok((_, Some(_))) => self.state = State::Complete,
            Ok((_, None)) => {}
            Err(error) => self.state = State::Failed(error.clone()),
        }
        result
    }

    /// The client ended its half of the transport; says what the handshake failed of.
    pub fn handle_eof(&mut self) -> HandshakeError {
        let error = match &self.state {
            State::Failed(error) => error.clone(),
            _ => HandshakeError::UnexpectedEof { received: self.scanner.seen() },
        };
        self.state = State::Failed(error.clone());
        error
    }
}
