//! The exchange with a proxy, without I/O: what to send it, and when its bytes are those of the server.

use core::fmt::{self, Write as _};
use core::mem;

use super::error::TunnelError;
use super::socks::Socks;
use super::{Proxy, Target};
use crate::error::HandshakeError;
use crate::head::HeadLimits;
use crate::response::ResponseReader;

/// One exchange with a proxy that is to hand bytes through to a server: CONNECT of HTTP (RFC 9110 §9.3.6), or of
/// SOCKS version 5 (RFC 1928) with a user name and password if there are any (RFC 1929).
///
/// ```text
///  take_output ──▶ proxy        proxy ── up to `wants` bytes ──▶ handle_input / handle_eof
/// ```
///
/// Bytes behind the exchange are those of the server. Whoever reads no more than [`wants`](Self::wants) says at a time
/// leaves them where they are, for TLS or whatever comes next.
///
/// ```
/// use hybi_handshake::{HeadLimits, proxy::TunnelHandshake};
///
/// let proxy = "socks5h://proxy".parse()?;
/// let mut tunnel = TunnelHandshake::new(&proxy, "example.org", 443, HeadLimits::default());
/// assert_eq!(tunnel.take_output(), [5, 1, 0]);
/// assert_eq!((tunnel.wants(), tunnel.handle_input(&[5, 0])?), (2, 2));
/// assert_eq!(tunnel.take_output(), *b"\x05\x01\x00\x03\x0bexample.org\x01\xbb");
/// assert_eq!(tunnel.handle_input(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0, b'x'])?, 10);
/// assert!(tunnel.is_open());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TunnelHandshake {
    output: Vec<u8>,
    state: State,
}

enum State {
    Http(ResponseReader),
    Socks(Socks),
    Open,
    Failed(TunnelError),
}

impl TunnelHandshake {
    /// Prepares an exchange about a host, a name or an address without brackets. `limits` bound the head of an
    /// answer to CONNECT.
    #[must_use]
    pub fn new(proxy: &Proxy, host: &str, port: u16, limits: HeadLimits) -> Self {
        if !proxy.kind().is_socks() {
            let output = connect(proxy, Target { host, port }).into_bytes();
            return Self { output, state: State::Http(ResponseReader::to_connect(limits)) };
        }
        match Socks::new(proxy, host, port) {
            Ok((socks, output)) => Self { output, state: State::Socks(socks) },
            Err(error) => Self { output: Vec::new(), state: State::Failed(error) },
        }
    }

    /// What is to be sent now; empty if there is nothing.
    #[must_use]
    pub fn take_output(&mut self) -> Vec<u8> {
        mem::take(&mut self.output)
    }

    /// How many bytes may be read at a time, so that none of the server's are among them; 0 once it is open.
    #[must_use]
    pub fn wants(&self) -> usize {
        match &self.state {
            // Where the head ends, nobody knows before.
            State::Http(reader) if !reader.is_rejection() => 1,
            // Nothing comes behind the body of a refusal.
            State::Http(_) => 4096,
            State::Socks(socks) => socks.wants(),
            State::Open | State::Failed(_) => 0,
        }
    }

    /// Whether the bytes that follow are the server's.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Whether its answer is known to be a refusal, of which no more than the body is missing. That need not be waited
    /// for: [`give_up`](Self::give_up) ends it.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        match &self.state {
            State::Http(reader) => reader.is_rejection(),
            State::Socks(_) | State::Open | State::Failed(_) => false,
        }
    }

    /// Takes the next bytes of the proxy and says how many of them it took: not all when it is open, and the rest is
    /// the server's.
    ///
    /// # Errors
    ///
    /// Why it will not be open. Errors are sticky, and one may be there before the first byte: a name that is too long
    /// for SOCKS.
    pub fn handle_input(&mut self, chunk: &[u8]) -> Result<usize, TunnelError> {
        let result = match &mut self.state {
            State::Http(reader) => match reader.handle_input(chunk) {
                Ok((taken, head)) => Ok((taken, head.is_some())),
                Err(error) => Err(refused_or(error)),
            },
            State::Socks(socks) => exchange(socks, chunk, &mut self.output),
            State::Open => return Ok(0),
            State::Failed(error) => return Err(error.clone()),
        };
        match result {
            Ok((taken, is_over)) => {
                if is_over {
                    self.state = State::Open;
                }
                Ok(taken)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The proxy ended the connection; says what the exchange failed of.
    pub fn handle_eof(&mut self) -> TunnelError {
        let error = match &mut self.state {
            State::Http(reader) => refused_or(reader.handle_eof()),
            State::Socks(socks) => TunnelError::UnexpectedEof { received: socks.received() },
            State::Open => TunnelError::UnexpectedEof { received: 0 },
            State::Failed(error) => error.clone(),
        };
        self.fail(error)
    }

    /// Ends the exchange because a deadline passed or the transport failed: what is known of a refusal whose body is not
    /// complete, and nothing before its head came.
    pub fn give_up(&mut self) -> Option<TunnelError> {
        let State::Http(reader) = &mut self.state else { return None };
        let error = refused_or(reader.give_up()?);
        Some(self.fail(error))
    }

    fn fail(&mut self, error: TunnelError) -> TunnelError {
        self.state = State::Failed(error.clone());
        error
    }
}

/// A CONNECT request.
fn connect(proxy: &Proxy, target: Target<'_>) -> String {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = proxy.basic_authorization() {
        // A string takes everything.
        let _ = write!(request, "Proxy-Authorization: {authorization}\r\n");
    }
    request + "\r\n"
}

fn refused_or(error: HandshakeError) -> TunnelError {
    match error {
        HandshakeError::Rejected(response) => TunnelError::Refused(response),
        HandshakeError::UnexpectedEof { received } => TunnelError::UnexpectedEof { received },
        error => TunnelError::Http(error),
    }
}

fn exchange(
    socks: &mut Socks,
    chunk: &[u8],
    output: &mut Vec<u8>,
) -> Result<(usize, bool), TunnelError> {
    for (taken, byte) in chunk.iter().enumerate() {
        if socks.take(*byte, output)? {
            return Ok((taken + 1, true));
        }
    }
    Ok((chunk.len(), false))
}

impl fmt::Debug for TunnelHandshake {
    /// Leaves out what is sent, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Http(_) => "waiting for the answer to CONNECT",
            State::Socks(_) => "waiting for SOCKS",
            State::Open => "open",
            State::Failed(_) => "failed",
        };
        f.debug_struct("TunnelHandshake").field("state", &state).finish_non_exhaustive()
    }
}
