//! The ceilings a receiver puts on frames and messages (RFC 6455 §10.4).

/// How much a peer may make this endpoint hold.
///
/// The protocol itself allows frames of 2^63 bytes and messages without end; each limit here names
/// the attack it stops. Every limit is on by default.
///
/// ```
/// use hybi_frame::Limits;
///
/// let limits = Limits::default().with_max_message(64 * 1024);
/// assert_eq!(limits.max_frame(), 64 * 1024, "a frame may be as large as a message");
/// ```
///
/// [RFC 6455 §10.4](https://www.rfc-editor.org/rfc/rfc6455#section-10.4)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    max_frame: Option<u64>,
    max_message: usize,
    max_fragments: u32,
}

impl Limits {
    /// Default of [`max_message`](Self::max_message): 16 MiB.
    pub const DEFAULT_MAX_MESSAGE: usize = 16 * 1024 * 1024;
    /// Default of [`max_fragments`](Self::max_fragments): 65,536.
    pub const DEFAULT_MAX_FRAGMENTS: u32 = 65_536;

    /// The largest payload of a data frame in bytes; as large as a message unless set.
    ///
    /// Checked against the length that a header declares, before any payload is there. It stops a
    /// peer that announces an enormous frame to make the receiver wait for it, and bounds what a
    /// reader of single frames must be ready for.
    #[inline]
    #[must_use]
    pub const fn max_frame(&self) -> u64 {
        match self.max_frame {
            Some(bytes) => bytes,
            None => self.max_message as u64,
        }
    }

    /// The largest message in bytes, all fragments together.
    ///
    /// It stops a peer that fills the receiver's memory with one message, in a single frame or in
    /// fragments that are each small. A frame whose declared length would carry the message past
    /// the limit fails at its header.
    #[inline]
    #[must_use]
    pub const fn max_message(&self) -> usize {
        self.max_message
    }

    /// How many frames a message may go on with after its first; empty ones count. A message in a
    /// single frame is always within it.
    ///
    /// It stops a peer that keeps the receiver busy with a message that never grows and never ends.
    #[inline]
    #[must_use]
    pub const fn max_fragments(&self) -> u32 {
        self.max_fragments
    }

    /// Sets the largest payload of a data frame, in bytes.
    #[inline]
    #[must_use]
    pub const fn with_max_frame(mut self, bytes: u64) -> Self {
        self.max_frame = Some(bytes);
        self
    }

    /// Sets the largest message, in bytes. This much memory a connection may hold while a message
    /// arrives.
    #[inline]
    #[must_use]
    pub const fn with_max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// Sets how many frames a message may go on with after its first.
    #[inline]
    #[must_use]
    pub const fn with_max_fragments(mut self, frames: u32) -> Self {
        self.max_fragments = frames;
        self
    }
}

impl Default for Limits {
    /// Messages of 16 MiB in a frame and at most 65,536 more, and frames as large as messages.
    #[inline]
    fn default() -> Self {
        Self {
            max_frame: None,
            max_message: Self::DEFAULT_MAX_MESSAGE,
            max_fragments: Self::DEFAULT_MAX_FRAGMENTS,
        }
    }
}
