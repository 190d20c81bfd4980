//! What a proxy can answer instead of handing bytes through.

use core::{error, fmt};

use http::{Response, StatusCode, header};

use crate::error::HandshakeError;

/// Why a proxy hands no bytes through.
///
/// ```
/// use hybi_handshake::{HeadLimits, proxy::{TunnelError, TunnelHandshake}};
///
/// let proxy = "http://proxy:3128".parse()?;
/// let mut tunnel = TunnelHandshake::new(&proxy, "example.org", 443, HeadLimits::default());
/// let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
///     Proxy-Authenticate: Basic realm=\"lab\"\r\nContent-Length: 0\r\n\r\n";
/// let Err(error) = tunnel.handle_input(answer) else { panic!("it wants to know who asks") };
/// assert_eq!(error.status().map(|status| status.as_u16()), Some(407));
/// assert_eq!(
///     error.to_string(),
///     "it answered 407 Proxy Authentication Required: Basic realm=\"lab\""
/// );
/// # Ok::<(), hybi_handshake::UriError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TunnelError {
    /// It answered CONNECT with another status than 2xx (RFC 9110 §9.3.6). This is the whole answer.
    Refused(Box<Response<Vec<u8>>>),
    /// Its answer to CONNECT breaks a rule of HTTP.
    Http(HandshakeError),
    /// Its first byte is not that of SOCKS version 5 (RFC 1928 §3).
    NotSocks {
        /// The byte.
        byte: u8,
    },
    /// It takes none of the methods that were offered (RFC 1928 §3): without credentials to give, that is no
    /// authentication alone.
    NoMethod {
        /// Whether there were credentials.
        with_credentials: bool,
    },
    /// It chose a method that was not offered (RFC 1928 §3).
    MethodNotOffered {
        /// The method.
        method: u8,
    },
    /// User name or password are wrong (RFC 1929 §2).
    WrongCredentials,
    /// It could not or would not connect (RFC 1928 §6).
    Failed(SocksReply),
    /// Its reply is malformed at this byte of the exchange (RFC 1928 §6).
    Malformed {
        /// How many bytes came before.
        offset: usize,
    },
    /// The name of the host is too long for SOCKS, which has 255 bytes for it (RFC 1928 §4).
    NameTooLong,
    /// It ended the connection within the exchange.
    UnexpectedEof {
        /// How many bytes it sent before.
        received: usize,
    },
}

/// Why a SOCKS proxy did not connect (RFC 1928 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocksReply(u8);

impl SocksReply {
    pub(super) const fn new(code: u8) -> Self {
        Self(code)
    }

    /// Its number: 5 is a connection that the server refused.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl TunnelError {
    /// The status of HTTP that it refused with, if it did so.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(response) => Some(response.status()),
            _ => None,
        }
    }
}

impl fmt::Display for TunnelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(response) => {
                write!(f, "it answered {}", response.status())?;
                let challenges = response.headers().get_all(header::PROXY_AUTHENTICATE);
                let mut before = ": ";
                for challenge in challenges {
                    let challenge = String::from_utf8_lossy(challenge.as_bytes());
                    write!(
                        f,
                        "{before}{}",
                        challenge.escape_debug().to_string().replace("\\\"", "\"")
                    )?;
                    before = ", ";
                }
                Ok(())
            }
            Self::Http(error) => write!(f, "its answer: {error}"),
            Self::NotSocks { byte } => {
                write!(f, "it is no SOCKS5 proxy: it began with {byte:#04x}")
            }
            Self::NoMethod { with_credentials: false } => {
                f.write_str("it wants to know who asks, and there are no credentials for it")
            }
            Self::NoMethod { with_credentials: true } => {
                f.write_str("it takes neither user name and password nor nobody")
            }
            Self::MethodNotOffered { method } => {
                write!(f, "it chose method {method} of authentication, which was not offered")
            }
            Self::WrongCredentials => f.write_str("it does not take this user name and password"),
            Self::Failed(reply) => write!(f, "it answered: {reply}"),
            Self::Malformed { offset } => write!(f, "its reply is malformed at byte {offset}"),
            Self::NameTooLong => f.write_str("it takes names of up to 255 bytes"),
            Self::UnexpectedEof { received: 0 } => f.write_str("it said nothing and left"),
            Self::UnexpectedEof { received } => {
                write!(f, "it left after {received} bytes of its answer")
            }
        }
    }
}

impl error::Error for TunnelError {}

impl fmt::Display for SocksReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "general failure",
            2 => "not allowed by its rules",
            3 => "network unreachable",
            4 => "host unreachable",
            5 => "connection refused",
            6 => "time to live expired",
            7 => "command not supported",
            8 => "type of address not supported",
            other => return write!(f, "failure {other}"),
        })
    }
}
