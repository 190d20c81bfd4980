//! OpeningError: at which step the transport, or a proxy on the way, kept a connection from opening.

use core::fmt;
use core::net::SocketAddr;
use std::{io, sync::Arc};

use hybi_handshake::proxy::{Proxy, SocksReply, TunnelError};

/// At which step the transport kept a connection from opening, and why.
///
/// A step that was not done when [`Config::handshake_timeout`](crate::Config::handshake_timeout)
/// had passed failed with [`io::ErrorKind::TimedOut`]. The HTTP exchange is the exception: there a
/// deadline is [`Error::Timeout`](crate::Error::Timeout), as for every other wait on a peer.
///
/// ```
/// use hybi::{Error, OpeningError};
///
/// /// Which address to look at when a client cannot get through.
/// fn refused_by(error: &Error) -> Vec<std::net::SocketAddr> {
///     match error {
///         Error::Opening(step) => match &**step {
///             OpeningError::Connect { attempts, .. } => {
///                 attempts.iter().map(|(address, _)| *address).collect()
///             }
///             _ => Vec::new(),
///         },
///         _ => Vec::new(),
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum OpeningError {
    /// The host's name led to no address.
    Resolve {
        /// The host.
        host: String,
        /// What the lookup failed of.
        error: io::Error,
    },
    /// No address of the host took a connection.
    Connect {
        /// The host and port, as a URI has them.
        host: String,
        /// The addresses that were tried, in this order, and what each failed of.
        attempts: Vec<(SocketAddr, io::Error)>,
    },
    /// The Unix socket took no connection.
    Unix {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// TLS was not established.
    Tls {
        /// The name of the peer, which its certificate is checked for; `the client` for a server.
        peer: String,
        /// What it failed of.
        error: io::Error,
    },
    /// A proxy on the way did not hand bytes through.
    Proxy {
        /// Which.
        proxy: Proxy,
        /// Why.
        error: ProxyError,
    },
    /// The transport failed during the opening handshake.
    Handshake(io::Error),
}

/// Why a proxy did not hand bytes through.
///
/// ```
/// use hybi::{Error, OpeningError, ProxyError};
///
/// /// Whether to ask the user for a name and a password.
/// fn wants_credentials(error: &Error) -> bool {
///     let Error::Opening(step) = error else { return false };
///     match &**step {
///         OpeningError::Proxy { error: ProxyError::Refused(refusal), .. } => {
///             refusal.status().is_some_and(|status| status.as_u16() == 407)
///         }
///         _ => false,
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// It could not be reached: its name, its addresses, or TLS with it.
    Unreachable(Arc<OpeningError>),
    /// It said no, or what it said breaks a rule.
    Refused(TunnelError),
    /// It connected to none of the server's addresses, which were looked up here (`socks5`).
    Addresses {
        /// Those that it was given, in this order, and what it said of each.
        attempts: Vec<(SocketAddr, SocksReply)>,
    },
    /// The connection with it failed, or it took too long.
    Transport(io::Error),
}

impl OpeningError {
    /// What the step failed of; of several addresses, what the last one did.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Resolve { error, .. }
            | Self::Unix { error, .. }
            | Self::Tls { error, .. }
            | Self::Handshake(error) => Some(error),
            Self::Connect { attempts, .. } => attempts.last().map(|(_, error)| error),
            Self::Proxy { error, .. } => match error {
                ProxyError::Unreachable(error) => error.io_error(),
                ProxyError::Transport(error) => Some(error),
                ProxyError::Refused(_) | ProxyError::Addresses { .. } => None,
            },
        }
    }
}

impl fmt::Display for OpeningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { host, error } => write!(f, "resolving {host}: {error}"),
            Self::Connect { host, attempts } => {
                write!(f, "connecting to {host}")?;
                let mut before = ": ";
                for (address, error) in attempts {
                    f.write_str(before)?;
                    if *host != address.to_string() {
                        write!(f, "{address}: ")?;
                    }
                    write!(f, "{error}")?;
                    before = "; ";
                }
                Ok(())
            }
            Self::Unix { path, error } => write!(f, "connecting to {path}: {error}"),
            Self::Tls { peer, error } => write!(f, "TLS with {peer}: {error}"),
            Self::Proxy { proxy, error } => write!(f, "proxy {proxy}: {error}"),
            Self::Handshake(error) => {
                write!(f, "the transport failed during the opening handshake: {error}")
            }
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::Addresses { attempts } => {
                f.write_str("it answered")?;
                for (n, (address, reply)) in attempts.iter().enumerate() {
                    write!(f, "{} {address}: {reply}", if n == 0 { "" } else { ";" })?;
                }
                Ok(())
            }
            Self::Transport(error) => write!(f, "the connection with it failed: {error}"),
        }
    }
}

impl core::error::Error for OpeningError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        // The text has the error itself.
        self.io_error()?.source()
    }
}
