//! Capabilities: what a version can do, and the error for asking for more.

use core::fmt;

use hybi_frame::{Closing, FrameRules};
use hybi_handshake::Version;

/// What the version of a connection can do. All of it is true of RFC 6455.
///
/// Asking for what a version lacks is [`Error::Unsupported`](crate::Error::Unsupported), and nothing is sent.
///
/// ```
/// use hybi::{Error, Message, WebSocket, io::{Timer, Transport}};
///
/// /// Sends a picture in a form that the peer can take.
/// async fn show<T: Transport, C: Timer>(
///     ws: &mut WebSocket<T, C>,
///     picture: &[u8],
/// ) -> Result<(), Error> {
///     if ws.capabilities().binary {
///         ws.send(picture).await?;
///     } else {
///         ws.send("a picture that you cannot see").await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Capabilities {
    /// Binary messages: from hybi-01 on.
    pub binary: bool,
    /// [`Message::Ping`](crate::Message::Ping) and [`Message::Pong`](crate::Message::Pong): from hybi-01
    /// on. Without them there is no keep-alive, and only
    /// [`Config::idle_timeout`](crate::Config::idle_timeout) finds a peer that vanished.
    pub ping: bool,
    /// Messages in several frames, and so [`Config::fragment_size`](crate::Config::fragment_size): from
    /// hybi-01 on.
    pub fragments: bool,
    /// A closing handshake: from hixie-76 on. Without it the end of the transport is the end of the
    /// connection, in order between two messages.
    pub closing_handshake: bool,
    /// Close codes and reasons: from hybi-06 on. Without them only code 1000 without a reason can be asked
    /// for, which says no more than a Close frame does.
    pub close_codes: bool,
    /// Extensions: from hybi-04 on.
    pub extensions: bool,
}

impl Capabilities {
    pub(crate) fn new(version: Version, rules: FrameRules) -> Self {
        let more_than_text = !rules.text_only();
        Self {
            binary: more_than_text,
            ping: more_than_text,
            fragments: more_than_text,
            closing_handshake: rules.closing() != Closing::Transport,
            close_codes: rules.has_close_codes(),
            extensions: version >= Version::HYBI_04,
        }
    }
}

/// What was asked for and the version lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsupported {
    /// A binary message.
    Binary,
    /// A Ping or Pong.
    Ping,
    /// A message that is sent as it comes, in several frames.
    Fragments,
    /// A close code other than 1000, or a close reason.
    CloseCode,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary messages",
            Self::Ping => "pings and pongs",
            Self::Fragments => "messages in several frames",
            Self::CloseCode => "close codes and reasons",
        })
    }
}
