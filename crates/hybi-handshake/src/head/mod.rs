//! An HTTP/1.1 message head: bounded, incremental, each byte read once (RFC 9112 §2, §5).

pub(crate) mod fields;
pub(crate) mod parse;
pub(crate) mod scan;
mod write;

pub use write::{write_fields, write_response, write_response_head};

/// The ceilings of a request or response head.
///
/// One is fixed: [`MAX_NAMES`](Self::MAX_NAMES).
///
/// ```
/// use hybi_handshake::HeadLimits;
///
/// let limits = HeadLimits::default().with_max_bytes(8 * 1024).with_max_fields(50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    max_bytes: usize,
    max_fields: usize,
}

impl HeadLimits {
    /// The most names that `Sec-WebSocket-Protocol` or `Sec-WebSocket-Extensions` may list, the names
    /// of parameters included: 100.
    ///
    /// Stops a peer that packs thousands of names into the bytes allowed, each of which costs far more
    /// to keep than to send. They are counted by what separates them, all fields of one name together.
    pub const MAX_NAMES: usize = 100;

    /// Sets the most bytes of a head, from its first byte to the blank line inclusive; 16,384 by default.
    ///
    /// Stops a peer that never sends the blank line from filling memory: a handshake holds at most
    /// this many bytes, and only as many as have arrived.
    #[must_use]
    pub const fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets the most header fields of a head; 100 by default.
    ///
    /// Stops a peer that packs thousands of tiny fields into the bytes allowed, each of which costs
    /// far more to store than to send.
    #[must_use]
    pub const fn with_max_fields(mut self, max_fields: usize) -> Self {
        self.max_fields = max_fields;
        self
    }

    /// The most bytes of a head.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// The most header fields of a head.
    #[must_use]
    pub const fn max_fields(&self) -> usize {
        self.max_fields
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { max_bytes: 16 * 1024, max_fields: 100 }
    }
}
