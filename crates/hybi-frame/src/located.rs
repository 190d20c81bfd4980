//! Located: an event that says where it lies, in the chunk or elsewhere (RFC 6455 §5.5, §5.6).

use crate::payload::Event;

/// What [`Chunk::decode`](crate::Chunk::decode) found, and where it lies.
///
/// ```
/// use bytes::Bytes;
/// use hybi_frame::{Event, Chunk, Located};
///
/// /// The payload of a message, to keep; `None` for control frames.
/// fn keep(chunk: &mut Chunk, located: Located) -> Option<Bytes> {
///     match located {
///         Located::Text => Some(chunk.take_text().into()),
///         Located::Binary => Some(chunk.take_bytes()),
///         Located::Owned(Event::Text(text)) => Some(text.into_owned().into()),
///         Located::Owned(Event::Binary(payload)) => Some(payload.into_owned()),
///         _ => None,
///     }
/// }
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "one for each kind of event that has a payload")]
pub enum Located {
    /// A text message that lies in the chunk.
    Text,
    /// A binary message that lies in the chunk.
    Binary,
    /// A Ping whose payload lies in the chunk.
    Ping,
    /// A Pong whose payload lies in the chunk.
    Pong,
    /// An event that does not lie in the chunk.
    Owned(Event<'static>),
}
