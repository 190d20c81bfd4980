//! Error: whose fault it was, which rule was broken, and what the peer was told.

mod opening;
mod redirect;

use core::fmt;
use std::{io, sync::Arc};

use hybi_frame::{CloseCode, CloseFrameError, FrameError};
use hybi_handshake::{FieldError, HandshakeError, UriError, Version, proxy::EnvironmentError};

pub use opening::{OpeningError, ProxyError};
pub use redirect::RedirectError;

use super::{Message, Outgoing, Unsupported};

/// Why a connection could not be made, used or kept.
///
/// A normal end is not an error: receiving then answers `None`, and
/// [`close_status`](crate::WebSocket::close_status) tells how it ended. After an error a
/// connection is over, and every further call answers the same error.
///
/// The text of an error is whole, in one line; `source()` goes on where the text ends.
///
/// ```
/// use hybi::{Deadline, Error};
///
/// fn whose_fault(error: &Error) -> &'static str {
///     match error {
///         Error::Protocol(_) => "the peer's: it broke a rule of framing or a limit",
///         Error::Handshake(_) => "the peer's: it broke a rule of the handshake, or said no",
///         Error::Timeout(_) => "the peer's: it was too slow",
///         Error::Opening(_) => "the network's, or nobody is there",
///         Error::Transport(_) | Error::Lost => "the network's, or the peer went away",
///         _ => "the caller's",
///     }
/// }
/// assert_eq!(whose_fault(&Error::Timeout(Deadline::Pong)), "the peer's: it was too slow");
/// assert_eq!(whose_fault(&Error::Full), "the caller's");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke a rule of framing (RFC 6455 sections 5, 7 and 8) or a limit.
    ///
    /// It is told with a Close frame that carries [`close_code`](Self::close_code), unless ours
    /// was on its way already: [`CloseStatus::sent`](crate::CloseStatus::sent) tells what was sent.
    Protocol(FrameError),
    /// The opening handshake failed (section 4): the peer broke a rule or refused.
    Handshake(Arc<HandshakeError>),
    /// No transport could be had, or it failed during the opening handshake.
    Opening(Arc<OpeningError>),
    /// The transport failed: nothing more can be sent or received.
    Transport(Arc<io::Error>),
    /// The transport ended without a closing handshake (close code 1006, section 7.1.5).
    Lost,
    /// A deadline passed.
    Timeout(Deadline),
    /// The caller tried to send after the closing handshake began.
    Closed,
    /// The caller's Close frame cannot be sent: its code is reserved or its reason too long.
    CloseFrame(CloseFrameError),
    /// The caller's Ping or Pong has more than 125 bytes of payload (section 5.5).
    ControlTooLong {
        /// The length of the payload in bytes.
        len: usize,
    },
    /// The version of the connection lacks what the caller asked for; see
    /// [`Capabilities`](crate::Capabilities).
    Unsupported {
        /// What was asked for.
        what: Unsupported,
        /// The version that is spoken.
        version: Version,
    },
    /// `try_send` only: the bytes that wait to be sent leave no room, or a message is being written.
    Full,
    /// What the caller writes of a text message is no text (section 8.1). Nothing of that piece was sent.
    NotUtf8 {
        /// Of which byte of the message: the first that cannot stand where it does, or its length if it ends
        /// within a character.
        offset: u64,
    },
    /// The peer sent text where the caller takes bytes alone. It is told with code 1003.
    NotBytes,
    /// The caller gave up a message of which a part was sent. The peer is told with code 1011, lest it takes that
    /// for the whole.
    Unfinished,
    /// The URI is not one of a WebSocket, or that of a proxy is none.
    Uri(UriError),
    /// A variable of the environment names no proxy.
    Environment(Arc<EnvironmentError>),
    /// The server redirects to where this client does not go.
    Redirect(Arc<RedirectError>),
    /// A header field, origin or subprotocol of the caller's cannot be sent.
    Field(FieldError),
    /// A `wss` URI was given, but TLS is not compiled in. No byte was sent.
    TlsNotCompiledIn {
        /// The feature to turn on, and the crate that has it.
        feature: &'static str,
    },
}

/// Which deadline passed.
///
/// ```
/// use hybi::{Deadline, Error};
///
/// fn is_worth_another_attempt(error: &Error) -> bool {
///     matches!(error, Error::Timeout(Deadline::Handshake | Deadline::Pong) | Error::Lost)
/// }
/// assert!(is_worth_another_attempt(&Error::Lost));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// [`Config::handshake_timeout`](crate::Config::handshake_timeout), in the HTTP exchange; in
    /// the steps before it, it is an [`OpeningError`].
    Handshake,
    /// [`Config::ping_timeout`](crate::Config::ping_timeout).
    Pong,
    /// [`Config::idle_timeout`](crate::Config::idle_timeout).
    Idle,
    /// [`Config::write_timeout`](crate::Config::write_timeout).
    Write,
    /// [`Config::close_timeout`](crate::Config::close_timeout).
    Close,
}

impl Error {
    /// Whether a deadline passed, be it ours or, on the way to a connection, the system's.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Opening(step) => {
                step.io_error().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
            }
            _ => false,
        }
    }

    /// Whether the connection went away rather than anybody breaking a rule: the transport
    /// failed, ended without a closing handshake, or was closed before the call.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Opening(_) => !self.is_timeout(),
            Self::Transport(_) | Self::Lost | Self::Closed => true,
            _ => false,
        }
    }

    /// The reason that goes with the code: the limit or deadline that was passed. One of
    /// [`FrameError::close_reason`], `ping timeout`, `idle timeout`, `text` or `message abandoned`.
    #[must_use]
    pub fn close_reason(&self) -> Option<String> {
        match self {
            Self::Protocol(error) => error.close_reason(),
            Self::Timeout(Deadline::Pong) => Some("ping timeout".into()),
            Self::Timeout(Deadline::Idle) => Some("idle timeout".into()),
            Self::NotBytes => Some("text".into()),
            Self::Unfinished => Some("message abandoned".into()),
            _ => None,
        }
    }

    /// What the transport reported, if that is the error.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Opening(step) => step.io_error(),
            Self::Transport(error) => Some(error),
            _ => None,
        }
    }

    /// The close code that belongs to this error, if any (RFC 6455 section 7.4.1).
    ///
    /// It is not sent if a Close frame of ours was on its way already;
    /// [`CloseStatus::sent`](crate::CloseStatus::sent) tells what was.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Protocol(error) => Some(error.close_code()),
            Self::Timeout(Deadline::Pong) | Self::Unfinished => Some(CloseCode::INTERNAL_ERROR),
            Self::Timeout(Deadline::Idle) => Some(CloseCode::GOING_AWAY),
            Self::NotBytes => Some(CloseCode::UNSUPPORTED_DATA),
            _ => None,
        }
    }

    /// The server's response, if it refused: its status, its header fields, and its body, of
    /// which [`HandshakeError::body_truncated`] says whether it is whole.
    ///
    /// ```
    /// use hybi::Client;
    ///
    /// let mut handshake = Client::default().handshake(&"ws://example.org/chat".parse()?);
    /// let refusal = b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n";
    /// let error = handshake.handle_input(refusal).unwrap_err();
    /// let response = error.response().expect("the server answered");
    /// assert_eq!((response.status().as_u16(), &response.headers()["location"]), (302, &"/new".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn response(&self) -> Option<&http::Response<Vec<u8>>> {
        match self.handshake()? {
            HandshakeError::Rejected(response) => Some(response),
            _ => None,
        }
    }

    /// The rule that the opening handshake failed of, or the server's refusal.
    #[must_use]
    pub fn handshake(&self) -> Option<&HandshakeError> {
        match self {
            Self::Handshake(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => error.fmt(f),
            Self::Handshake(error) => error.fmt(f),
            Self::Opening(error) => error.fmt(f),
            Self::Transport(error) => write!(f, "the transport failed: {error}"),
            Self::Lost => f.write_str("the transport ended without a closing handshake"),
            Self::Timeout(deadline) => deadline.fmt(f),
            Self::Closed => f.write_str("the connection is closing or closed"),
            Self::CloseFrame(error) => error.fmt(f),
            Self::ControlTooLong { len } => write!(
                f,
                "a control frame carries at most 125 bytes, not {len} (RFC 6455 section 5.5)"
            ),
            Self::Unsupported { what, version } => {
                write!(f, "{} has no {what}", version.describe())
            }
            Self::Full => {
                f.write_str("too many bytes wait to be sent, or a message is being written")
            }
            Self::NotUtf8 { offset } => write!(
                f,
                "byte {offset} of a text message is not UTF-8 in its place (RFC 6455 section 8.1)"
            ),
            Self::NotBytes => f.write_str("the peer sent text where bytes alone are taken"),
            Self::Unfinished => f.write_str("a message was given up before its end"),
            Self::Uri(error) => error.fmt(f),
            Self::Environment(error) => error.fmt(f),
            Self::Redirect(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::TlsNotCompiledIn { feature } => {
                write!(f, "a wss URI needs TLS, which is not compiled in: turn on {feature}")
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        // The text has what is inside, so that this is what stands behind it.
        match self {
            Self::Protocol(error) => error.source(),
            Self::Handshake(error) => error.source(),
            Self::Opening(error) => error.source(),
            Self::Transport(error) => error.source(),
            Self::CloseFrame(error) => error.source(),
            Self::Uri(error) => error.source(),
            Self::Field(error) => error.source(),
            _ => None,
        }
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "the opening handshake took too long",
            Self::Pong => "the peer did not answer a ping in time",
            Self::Idle => "the peer sent no message for too long",
            Self::Write => "the peer did not read for too long",
            Self::Close => "the peer did not answer the Close frame in time",
        })
    }
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::Protocol(error)
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(Arc::new(error))
    }
}

impl From<RedirectError> for Error {
    fn from(error: RedirectError) -> Self {
        Self::Redirect(Arc::new(error))
    }
}

impl From<EnvironmentError> for Error {
    fn from(error: EnvironmentError) -> Self {
        Self::Environment(Arc::new(error))
    }
}

impl From<OpeningError> for Error {
    fn from(error: OpeningError) -> Self {
        Self::Opening(Arc::new(error))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Transport(Arc::new(error))
    }
}

/// For streams of bytes, with the kind that fits; it has the error within.
///
/// ```
/// use hybi::Error;
/// use std::io::{self, ErrorKind};
///
/// let error = io::Error::from(Error::Closed);
/// assert_eq!(error.kind(), ErrorKind::BrokenPipe);
/// let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
/// assert!(matches!(inner, Some(Error::Closed)));
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            error if error.is_timeout() => io::ErrorKind::TimedOut,
            Error::Opening(_) | Error::Transport(_) => {
                error.io_error().map_or(io::ErrorKind::Other, Self::kind)
            }
            Error::Lost => io::ErrorKind::UnexpectedEof,
            Error::Closed => io::ErrorKind::BrokenPipe,
            Error::Protocol(_) | Error::NotUtf8 { .. } | Error::NotBytes => {
                io::ErrorKind::InvalidData
            }
            Error::Full => io::ErrorKind::WouldBlock,
            Error::Unsupported { .. } | Error::TlsNotCompiledIn { .. } => {
                io::ErrorKind::Unsupported
            }
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<CloseFrameError> for Error {
    fn from(error: CloseFrameError) -> Self {
        Self::CloseFrame(error)
    }
}

impl From<UriError> for Error {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        error.error
    }
}

/// A message that was not sent, and why.
///
/// With `?` in a function that returns [`Error`] it turns into that, and the message is dropped;
/// [`into_message`](Self::into_message) gives it back, and
/// [`into_outgoing`](Self::into_outgoing) as what it was, a [`Secret`](crate::Secret) for example, to
/// be sent elsewhere or later.
///
/// ```
/// use hybi::{Config, Connection, Error, Message, Negotiated, Role};
///
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
/// server.queue(Message::Close(None))?;
/// let refused = server.queue(Message::from("too late")).unwrap_err();
/// assert!(matches!(refused.error(), Error::Closed));
/// assert_eq!(refused.into_message(), Some(Message::from("too late")));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SendError {
    error: Error,
    /// Boxed, lest every call that may fail has to have room for it.
    unsent: Option<Box<Outgoing<'static>>>,
}

impl SendError {
    pub(crate) fn new(error: Error, unsent: impl Into<Option<Outgoing<'static>>>) -> Self {
        Self { error, unsent: unsent.into().map(Box::new) }
    }

    /// Why it was not sent.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The message, if nothing of it was queued. `None`: it was queued, and the connection
    /// failed before all of it had left.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        self.into_outgoing().map(Outgoing::into_message)
    }

    /// The same with how it was to be sent, which another attempt should know.
    #[must_use]
    pub fn into_outgoing(self) -> Option<Outgoing<'static>> {
        self.unsent.map(|unsent| *unsent)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not sent: {}", self.error)
    }
}

impl core::error::Error for SendError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.error.source()
    }
}

/// Whether reading failed because TLS ended without its goodbye (close_notify), which many peers
/// leave out. That is the end of input: the Close frame, not TLS, tells whether something is missing.
pub(crate) fn is_end_without_goodbye(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}
