//! Filter: what deflate-stream does between the transport and the frames, both ways (RFC 6455 section 9).
//!
//! The rest of a connection sees frames only. What a few bytes decode to may be a lot, so it is decoded a
//! little at a time, into a buffer that the thread lends while anything is left in it.

use hybi_compression::Chain;
use hybi_frame::{Assembled as Event, FrameError, Violation};

use super::{Connection, Error, buffers};

/// How much of an encoded stream is decoded at a time.
const PLAIN_LEN: usize = 16 * 1024;

/// Frames out of an encoded stream that were not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Filter {
    plain: Vec<u8>,
    /// Bytes at the front of `plain` that were taken in.
    at: usize,
    /// How many bytes at the front of the next input were decoded before.
    taken: usize,
    /// Bytes of the encoded stream that were decoded.
    offset: u64,
}

impl Filter {
    /// Decodes more of `chunk` if nothing is left of what was decoded before; false when all of it is
    /// used up.
    fn fill(&mut self, chain: &mut Chain, chunk: &[u8]) -> Result<bool, (Violation, u64)> {
        let Some(codec) = chain.stream() else { return Ok(false) };
        if self.at < self.plain.len() {
            return Ok(true);
        }
        if self.plain.capacity() == 0 {
            self.plain = buffers::borrow_output();
        }
        self.plain.resize(PLAIN_LEN, 0);
        self.at = 0;
        let rest = chunk.get(self.taken..).unwrap_or_default();
        let decoded = codec.decode(rest, &mut self.plain);
        let (taken, given) = decoded.map_err(|rule| (Violation::Extension(rule), self.offset))?;
        self.taken += taken;
        self.offset += taken as u64;
        self.plain.truncate(given);
        Ok(taken > 0 || given > 0)
    }

    /// Moves a small rest to a buffer of its size: the application may take its time over an event.
    fn settle(&mut self) {
        let rest = self.plain.len() - self.at;
        if 2 * rest <= self.plain.len() && self.plain.capacity() >= PLAIN_LEN {
            let rest = self.plain[self.at..].to_vec();
            self.release();
            self.plain = rest;
        }
    }

    fn release(&mut self) {
        buffers::return_output(core::mem::take(&mut self.plain));
        self.at = 0;
    }
}

impl Connection {
    /// Takes in bytes of an encoded stream. As many as there are get decoded, but the last of them is
    /// not counted as consumed before all that came of them is.
    pub(super) fn handle_encoded<'a>(&mut self, chunk: &[u8]) -> (usize, Option<Event<'a>>) {
        self.deadlines.coded();
        let mut event = None;
        while event.is_none() && self.is_receiving() && self.fill_plain(chunk) {
            event = self.handle_plain();
        }
        let Some(filter) = &mut self.filter else { return (chunk.len(), event) };
        // Only by giving nothing does a codec say that it has nothing more.
        if event.is_none() {
            filter.release();
            filter.taken = 0;
            return (chunk.len(), event);
        }
        let consumed = filter.taken.min(chunk.len().saturating_sub(1));
        filter.taken -= consumed;
        (consumed, event)
    }

    /// Whether the next frame of an encoded stream is a control frame.
    pub(super) fn next_plain_is_control(&mut self, chunk: &[u8]) -> bool {
        if !self.fill_plain(chunk) {
            // Nothing comes of it, so it may be taken in.
            return !chunk.is_empty();
        }
        let framing = &self.inbound.framing;
        self.filter
            .as_ref()
            .is_some_and(|filter| framing.next_is_control(&filter.plain[filter.at..]))
    }

    fn fill_plain(&mut self, chunk: &[u8]) -> bool {
        let (Some(filter), Some(chain)) = (&mut self.filter, &mut self.extensions) else {
            return false;
        };
        match filter.fill(chain, chunk) {
            Ok(filled) => filled,
            // Nothing can be told to the peer in a stream that makes no sense any more.
            Err((violation, offset)) => {
                let rules = self.inbound.framing.rules();
                self.give_up(Error::Protocol(FrameError::new(violation, offset, rules)));
                false
            }
        }
    }

    /// Takes in the next frame, or part of one, of what was decoded.
    fn handle_plain(&mut self) -> Option<Event<'static>> {
        let filter = self.filter.as_mut()?;
        let (mut plain, at) = (core::mem::take(&mut filter.plain), filter.at);
        let (consumed, event) = self.handle_frames(&mut plain[at..]);
        let event = event.map(Event::into_owned);
        // The last event of all takes the filter with it.
        match &mut self.filter {
            Some(filter) => {
                filter.plain = plain;
                filter.at += consumed;
                if event.is_some() {
                    filter.settle();
                }
            }
            None => buffers::return_output(plain),
        }
        event
    }
}
