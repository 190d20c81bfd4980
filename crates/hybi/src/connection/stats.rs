//! Stats: what a connection has done so far.

use core::{num::NonZero, time::Duration};

use hybi_compression::Chain;
use hybi_frame::{Counts, FrameHeader, PayloadDecoder, Violation};

use super::Connection;

/// What a connection has done so far: [`Connection::stats`] tells, and [`WebSocket`](crate::WebSocket) and its halves do.
///
/// Counting costs a few instructions a message, so it is never off.
///
/// ```
/// use hybi::{Config, Connection, Negotiated, Role};
///
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
/// server.queue("hello")?;
/// let _ = server.transmit_to_vec();
/// let sent = server.stats().sent;
/// assert_eq!((sent.messages, sent.payload_bytes, sent.wire_bytes), (1, 5, 7));
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages count when they are queued, bytes on the wire when the transport took them.
    pub sent: Traffic,
    /// All of it counts when it was taken in. What stands behind the last frame that matters is not.
    pub received: Traffic,
    /// How long the peer took to answer the last keep-alive ping that it answered; `None` before, and in versions
    /// without pings. It is as exact as the application is prompt: the time that it takes over a message counts.
    pub round_trip: Option<Duration>,
    /// How many bytes wait to be sent now, frame headers included.
    pub queued_bytes: usize,
}

/// What went in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Text and binary messages that have ended.
    pub messages: u64,
    /// Frames, control frames among them.
    pub frames: u64,
    /// Bytes of messages, as applications have them.
    pub payload_bytes: u64,
    /// Bytes of messages, as frames carry them: what extensions over messages and frames made of them.
    pub framed_bytes: u64,
    /// Bytes of the transport, from the first behind the opening handshake.
    pub wire_bytes: u64,
}

/// What our direction has counted. Most messages are a frame each, which carries what the application gave: where it is
/// otherwise, the difference is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    messages: u64,
    payload_bytes: u64,
    /// How many frames there were beside one for each message, or how many are to come.
    more_frames: i64,
    /// How many bytes frames carried beyond those of messages; it may be fewer.
    more_bytes: i64,
    wire_bytes: u64,
}

impl Sent {
    fn traffic(&self) -> Traffic {
        let Self { messages, payload_bytes, more_frames, more_bytes, wire_bytes } = *self;
        Traffic {
            messages,
            frames: messages.saturating_add_signed(more_frames),
            payload_bytes,
            framed_bytes: payload_bytes.saturating_add_signed(more_bytes),
            wire_bytes,
        }
    }

    /// Counts a message that is queued in a frame of its own, as it is.
    #[inline]
    pub(super) fn count_plain(&mut self, len: usize) {
        self.messages += 1;
        self.payload_bytes += len as u64;
    }

    /// Counts a message that is queued, whose frames are counted for themselves.
    pub(super) fn count_message(&mut self, len: usize) {
        self.count_piece(len);
        self.count_end();
    }

    /// Counts a part of a message.
    pub(super) fn count_piece(&mut self, len: usize) {
        self.payload_bytes += len as u64;
        self.more_bytes -= len as i64;
    }

    /// Counts a message all of whose parts are counted.
    pub(super) fn count_end(&mut self) {
        self.messages += 1;
        self.more_frames -= 1;
    }

    /// Counts a frame that is queued.
    pub(super) fn count_frame(&mut self, is_data: bool, len: usize) {
        self.more_frames += 1;
        if is_data {
            self.more_bytes += len as i64;
        }
    }

    /// Counts what the transport took.
    pub(super) fn count_written(&mut self, len: usize) {
        self.wire_bytes += len as u64;
    }
}

/// Counts what extensions add to what is received, on its way.
pub(super) struct Counting<'a> {
    pub(super) chain: &'a mut Chain,
    /// How many bytes more came of the payloads of frames than they had; it may be fewer.
    pub(super) added: &'a mut i64,
}

impl PayloadDecoder for Counting<'_> {
    fn begin_frame(&mut self, header: &FrameHeader) -> bool {
        self.chain.begin_frame(header)
    }

    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        *self.added -= piece.len() as i64;
        let added = &mut *self.added;
        self.chain.decode(piece, end, &mut |bytes| {
            *added += bytes.len() as i64;
            out(bytes)
        })
    }
}

impl Connection {
    /// What the connection has done so far. It may be asked at any time, and costs nothing.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Counts { bytes, frames, messages, payload_bytes, .. } = self.inbound.framing.counts();
        let received = Traffic {
            messages,
            frames,
            payload_bytes: payload_bytes.saturating_add_signed(self.inbound.added),
            framed_bytes: payload_bytes,
            wire_bytes: match &self.filter {
                Some(filter) => filter.offset(),
                None => self.inbound.encoded.map_or(bytes, NonZero::get),
            },
        };
        Stats {
            sent: self.outbound.counted.traffic(),
            received,
            round_trip: self.deadlines.round_trip(),
            queued_bytes: self.queued_bytes(),
        }
    }
}
