//! Outgoing: a message and how it is to be sent; secrets, and messages for many peers.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hybi_compression::{Compress, EncodingKey};

use super::Message;

/// A message on its way out, with what its sender wants of extensions that compress.
///
/// Everything that can be sent turns into one: a [`Message`] and all that turns into that, a
/// [`Secret`], a [`Prepared`].
///
/// ```
/// use hybi::{Compress, Error, Outgoing, WebSocket, io::{Timer, Transport}};
///
/// /// A picture is compressed already.
/// async fn show<T: Transport, C: Timer>(
///     ws: &mut WebSocket<T, C>,
///     picture: Vec<u8>,
/// ) -> Result<(), Error> {
///     Ok(ws.send(Outgoing::from(picture).compress(Compress::Never)).await?)
/// }
/// ```
#[derive(Clone)]
pub struct Outgoing {
    pub(crate) message: Message,
    pub(crate) compress: Compress,
    pub(crate) prepared: Option<Prepared>,
}

impl Outgoing {
    /// Sets whether the message is compressed, where that was agreed on with the peer;
    /// [`Compress::Auto`] by default.
    #[must_use]
    pub fn compress(mut self, compress: Compress) -> Self {
        self.compress = compress;
        self
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message, to keep.
    #[must_use]
    pub fn into_message(self) -> Message {
        self.message
    }
}

/// Shows nothing of a message that must not be compressed, which may be a [`Secret`].
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Outgoing");
        shown.field("compress", &self.compress);
        if self.compress == Compress::Never {
            return shown.finish_non_exhaustive();
        }
        shown.field("message", &self.message).finish()
    }
}

impl<M: Into<Message>> From<M> for Outgoing {
    fn from(message: M) -> Self {
        Self { message: message.into(), compress: Compress::Auto, prepared: None }
    }
}

/// A message that is never compressed, and that `Debug` does not show.
///
/// Compressed together with text that an attacker chose, a secret betrays itself by its length, TLS
/// or not: the more the two have in common, the shorter the result (the attacks CRIME and BREACH).
/// Sent as it is, it does not enter the history that later messages are compressed with either.
///
/// ```
/// use hybi::{Error, Secret, WebSocket, io::{Timer, Transport}};
///
/// async fn log_in<T: Transport, C: Timer>(
///     ws: &mut WebSocket<T, C>,
///     token: &str,
/// ) -> Result<(), Error> {
///     Ok(ws.send(Secret::new(token)).await?)
/// }
/// let (secret, outgoing) = (Secret::new("token"), hybi::Outgoing::from(Secret::new("token")));
/// assert!(!format!("{secret:?} {outgoing:?}").contains("token"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Message);

impl Secret {
    /// Marks a message as one.
    #[must_use]
    pub fn new(message: impl Into<Message>) -> Self {
        Self(message.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<Secret> for Outgoing {
    fn from(Secret(message): Secret) -> Self {
        Self::from(message).compress(Compress::Never)
    }
}

/// A message for many peers, compressed once for all of them that agreed on the same parameters.
///
/// Cloning it is cheap. A peer with other parameters, or with extensions that know no such thing, gets
/// the same message in its own form. Where messages may refer to earlier ones, this one refers to
/// none, and the state for the next ordinary message has to be made again: a connection that takes turns
/// with both kinds gains nothing.
///
/// ```
/// use hybi::{Error, Prepared, WebSocket, io::{Timer, Transport}};
///
/// async fn broadcast<T: Transport, C: Timer>(
///     peers: &mut [WebSocket<T, C>],
///     news: &str,
/// ) -> Result<(), Error> {
///     let news = Prepared::new(news);
///     for ws in peers {
///         ws.send(&news).await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Prepared(Arc<Shared>);

struct Shared {
    message: Message,
    compress: Compress,
    /// Each encoding that some connection asked for; `None` where it would not pay.
    encodings: Mutex<Vec<(EncodingKey, Option<Bytes>)>>,
}

impl Prepared {
    /// Prepares a message. It is compressed when the first connection sends it.
    #[must_use]
    pub fn new(message: impl Into<Outgoing>) -> Self {
        let Outgoing { message, compress, .. } = message.into();
        Self(Arc::new(Shared { message, compress, encodings: Mutex::default() }))
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// The encoding of this name; `encode` makes it if it is asked for for the first time.
    pub(crate) fn encoding(
        &self,
        key: EncodingKey,
        encode: impl FnOnce() -> Option<Bytes>,
    ) -> Option<Bytes> {
        // Whoever comes second waits for the first to be done, rather than doing the same.
        let mut encodings = self.0.encodings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, encoding)) = encodings.iter().find(|(known, _)| *known == key) {
            return encoding.clone();
        }
        let encoding = encode();
        encodings.push((key, encoding.clone()));
        encoding
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(&Outgoing::from(self)).finish()
    }
}

impl From<&Prepared> for Outgoing {
    fn from(prepared: &Prepared) -> Self {
        prepared.clone().into()
    }
}

impl From<Prepared> for Outgoing {
    fn from(prepared: Prepared) -> Self {
        let (message, compress) = (prepared.0.message.clone(), prepared.0.compress);
        Self { message, compress, prepared: Some(prepared) }
    }
}
