//! Outgoing: a message and how it is to be sent; secrets, and messages for many peers.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hybi_compression::{Chain, Compress, Encoded, Encoding, EncodingKey, Step};
use hybi_frame::Utf8Bytes;

use super::{Message, MessageRef, outbound::COPY_LIMIT};

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
pub struct Outgoing<'a> {
    pub(crate) body: Body<'a>,
    pub(crate) compress: Compress,
    pub(crate) prepared: Option<Prepared>,
}

/// What is sent: given away, or lent until it is queued.
#[derive(Clone, Debug)]
pub(crate) enum Body<'a> {
    Owned(Message),
    Lent(MessageRef<'a>),
}

impl Body<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Owned(message) => message.len(),
            Self::Lent(message) => message.as_bytes().len(),
        }
    }
}

impl<'a> Outgoing<'a> {
    fn new(body: Body<'a>) -> Self {
        Self { body, compress: Compress::Auto, prepared: None }
    }

    /// Sets whether the message is compressed, where that was agreed on with the peer;
    /// [`Compress::Auto`] by default.
    #[must_use]
    pub fn compress(mut self, compress: Compress) -> Self {
        self.compress = compress;
        self
    }

    /// How many bytes of payload it has.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "how much room it needs is all that is asked")]
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// The message, to keep; a copy if it was lent.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self.body {
            Body::Owned(message) => message,
            Body::Lent(message) => message.to_owned(),
        }
    }

    /// The same to keep; a copy if it was lent.
    #[must_use]
    pub fn into_owned(self) -> Outgoing<'static> {
        let Self { body, compress, prepared } = self;
        let body = match body {
            Body::Owned(message) => Body::Owned(message),
            Body::Lent(message) => Body::Owned(message.to_owned()),
        };
        Outgoing { body, compress, prepared }
    }

    /// Whether it is a frame of its own that may stand between those of a message.
    pub(crate) fn is_control(&self) -> bool {
        match &self.body {
            Body::Owned(message) => !message.is_data(),
            Body::Lent(message) => matches!(message, MessageRef::Ping(_) | MessageRef::Pong(_)),
        }
    }

    pub(crate) fn is_close(&self) -> bool {
        matches!(self.body, Body::Owned(Message::Close(_)))
    }
}

/// Shows nothing of a message that must not be compressed, which may be a [`Secret`].
impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Outgoing");
        shown.field("compress", &self.compress);
        if self.compress == Compress::Never {
            return shown.finish_non_exhaustive();
        }
        match &self.body {
            Body::Owned(message) => shown.field("message", message),
            Body::Lent(message) => shown.field("message", message),
        };
        shown.finish()
    }
}

/// What is given away: a long payload is written from where it lies.
macro_rules! from_owned {
    ($($owned:ty),*) => {$(
        impl From<$owned> for Outgoing<'_> {
            fn from(message: $owned) -> Self {
                Self::new(Body::Owned(message.into()))
            }
        }
    )*};
}

from_owned!(Message, Utf8Bytes, String, Bytes, Vec<u8>);

/// What is lent until it is queued: it is copied once, to where it waits to leave.
macro_rules! from_lent {
    ($($lent:ty => $variant:ident),*) => {$(
        impl<'a> From<&'a $lent> for Outgoing<'a> {
            fn from(payload: &'a $lent) -> Self {
                Self::new(Body::Lent(MessageRef::$variant(payload)))
            }
        }
    )*};
}

from_lent!(str => Text, String => Text, Utf8Bytes => Text, [u8] => Binary, Vec<u8> => Binary, Bytes => Binary);

impl<'a> From<MessageRef<'a>> for Outgoing<'a> {
    fn from(message: MessageRef<'a>) -> Self {
        Self::new(Body::Lent(message))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Outgoing<'a> {
    fn from(payload: &'a [u8; N]) -> Self {
        Self::from(&payload[..])
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

impl From<Secret> for Outgoing<'_> {
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
    /// Each encoding that some connection asked for.
    encodings: Mutex<Vec<(EncodingKey, SharedEncoding)>>,
}

enum SharedEncoding {
    /// A long message on its way: whoever comes encodes the next slice.
    Begun(Box<(Chain, Encoding<Bytes>)>),
    /// `None` where it would not pay.
    Done(Option<Bytes>),
}

/// What a connection got of the encoding of a long message.
pub(super) enum SharedStep {
    More,
    Encoded(Bytes),
    /// There is none here, or it would not pay.
    AsIs,
}

impl Prepared {
    /// Prepares a message. It is compressed when the first connection sends it.
    #[must_use]
    pub fn new<'a>(message: impl Into<Outgoing<'a>>) -> Self {
        let outgoing = message.into();
        if let Some(prepared) = &outgoing.prepared
            && prepared.0.compress == outgoing.compress
        {
            return prepared.clone();
        }
        let (compress, message) = (outgoing.compress, outgoing.into_message());
        Self(Arc::new(Shared { message, compress, encodings: Mutex::default() }))
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// The same to be sent, lent where it will be copied anyway: that spares counting who shares it.
    pub(crate) fn to_be_sent(&self) -> Outgoing<'_> {
        let message = &self.0.message;
        let lent = MessageRef::of(message).filter(|_| message.len() < COPY_LIMIT);
        let body = lent.map_or_else(|| Body::Owned(message.clone()), Body::Lent);
        Outgoing { body, compress: self.0.compress, prepared: Some(self.clone()) }
    }

    /// The encoding of this name; `encode` makes it if it is asked for for the first time.
    pub(crate) fn encoding(
        &self,
        key: EncodingKey,
        encode: impl FnOnce() -> Option<Bytes>,
    ) -> Option<Bytes> {
        // Whoever comes second waits for the first to be done, rather than doing the same.
        let mut encodings = self.0.encodings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, SharedEncoding::Done(encoding))) =
            encodings.iter().find(|(known, _)| *known == key)
        {
            return encoding.clone();
        }
        let encoding = encode();
        encodings.push((key, SharedEncoding::Done(encoding.clone())));
        encoding
    }

    /// Encodes the next slice of a long message, for all connections that send it.
    pub(super) fn advance(
        &self,
        chain: &mut Chain,
        payload: &Bytes,
        compress: Compress,
    ) -> SharedStep {
        let Some(key) = chain.shared_encoding(payload, compress) else { return SharedStep::AsIs };
        let mut encodings = self.0.encodings.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = match encodings.iter().position(|(known, _)| *known == key) {
            Some(at) => encodings.swap_remove(at).1,
            None => {
                let Some(mut chain) = chain.shared_chain() else { return SharedStep::AsIs };
                let encoding = chain.start_message(payload.clone(), Compress::Auto);
                SharedEncoding::Begun(Box::new((chain, encoding)))
            }
        };
        let (step, left) = match begun {
            SharedEncoding::Begun(begun) => {
                let (mut chain, encoding) = *begun;
                match chain.advance(encoding, Chain::ENCODE_SLICE) {
                    Step::More(encoding) => {
                        (SharedStep::More, SharedEncoding::Begun(Box::new((chain, encoding))))
                    }
                    Step::Done(Encoded::Coded { payload, .. }) => {
                        let encoded = Bytes::from(payload);
                        (SharedStep::Encoded(encoded.clone()), SharedEncoding::Done(Some(encoded)))
                    }
                    Step::Done(Encoded::AsIs(_)) => (SharedStep::AsIs, SharedEncoding::Done(None)),
                }
            }
            SharedEncoding::Done(Some(encoded)) => {
                (SharedStep::Encoded(encoded.clone()), SharedEncoding::Done(Some(encoded)))
            }
            SharedEncoding::Done(None) => (SharedStep::AsIs, SharedEncoding::Done(None)),
        };
        encodings.push((key, left));
        step
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(&Outgoing::from(self)).finish()
    }
}

impl From<&Prepared> for Outgoing<'_> {
    fn from(prepared: &Prepared) -> Self {
        prepared.clone().into()
    }
}

impl From<Prepared> for Outgoing<'_> {
    fn from(prepared: Prepared) -> Self {
        let (message, compress) = (prepared.0.message.clone(), prepared.0.compress);
        Self { body: Body::Owned(message), compress, prepared: Some(prepared) }
    }
}
