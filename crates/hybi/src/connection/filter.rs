//! Filter: what deflate-stream does between the transport and the frames, both ways (RFC 6455 section 9).
//!
//! The rest of a connection sees frames only. What a few bytes decode to may be a lot, so it is decoded a
//! little at a time, into a buffer that the thread lends while anything is left in it.

use hybi_compression::Chain;
use hybi_frame::{Event, FrameError, Violation};

use super::{Connection, Error, buffers};

/// How much of an encoded stream is decoded at a time.
const PLAIN_LEN: usize = 16 * 1024;

/// How many parts of frames one call takes in where none of them makes an event: a few bytes may stand for
/// a message of megabytes, and others have their turn between two calls.
const PARTS: usize = 8;

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
    /// How many bytes of the encoded stream were decoded.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

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
        let mut parts = 0;
        let is_used_up = loop {
            // Only by giving nothing does a codec say that it has nothing more.
            if !self.is_receiving() || !self.fill_plain(chunk) {
                break true;
            }
            event = self.handle_plain();
            parts += 1;
            // Without an event, something has to be consumed.
            if event.is_some() || parts >= PARTS && self.consumes_of(chunk) > 0 {
                break false;
            }
        };
        let consumed = self.consumes_of(chunk);
        let Some(filter) = &mut self.filter else { return (chunk.len(), event) };
        if is_used_up {
            filter.release();
            // Whoever looked at what comes next may have decoded more than this chunk.
            filter.taken = filter.taken.saturating_sub(chunk.len());
            return (chunk.len(), None);
        }
        filter.taken -= consumed;
        (consumed, event)
    }

    /// How many bytes of `chunk` count as consumed while more may come of them.
    fn consumes_of(&self, chunk: &[u8]) -> usize {
        let decoded = self.filter.as_ref().map_or(0, |filter| filter.taken);
        decoded.min(chunk.len().saturating_sub(1))
    }

    /// Whether the next frame of an encoded stream is a control frame.
    pub(super) fn next_plain_is_control(&mut self, chunk: &[u8]) -> bool {
        while self.is_receiving() && self.fill_plain(chunk) {
            let Some(filter) = &self.filter else { break };
            match self.inbound.framing.next_is_control(&filter.plain[filter.at..]) {
                Some(is_control) => return is_control,
                // What was decoded may end before the byte that tells. It belongs to no message as yet, so it is taken
                // in here: whoever takes in the chunk takes in what stands behind it as well, up to an event.
                None => self.handle_plain(),
            };
        }
        // Nothing comes of it, so it may be taken in.
        !chunk.is_empty()
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
