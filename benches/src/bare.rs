//! DEFLATE as permessage-deflate wants it (RFC 7692 section 7.2), straight from the backend: what
//! the connections are held against, and how the benchmarks' clients speak it.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// What a sync flush ends with; it does not travel (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// One direction's sender.
#[derive(Debug)]
pub struct Deflater {
    state: Compress,
    takeover: bool,
}

impl Deflater {
    /// With the largest window, and the history kept from message to message if `takeover`.
    #[must_use]
    pub fn new(level: u32, takeover: bool) -> Self {
        let state = Compress::new_with_window_bits(Compression::new(level), false, 15);
        Self { state, takeover }
    }

    /// Puts `message`, compressed, in the place of what was in `into`.
    ///
    /// # Panics
    ///
    /// When the backend fails.
    pub fn deflate(&mut self, message: &[u8], into: &mut Vec<u8>) {
        into.clear();
        into.reserve(message.len() / 2 + 64);
        let mut rest = message;
        loop {
            let before = self.state.total_in();
            self.state.compress_vec(rest, into, FlushCompress::Sync).expect("a backend that works");
            rest = &rest[(self.state.total_in() - before) as usize..];
            // A flush that filled all there was may have more to say.
            if into.len() < into.capacity() {
                break;
            }
            into.reserve(into.len());
        }
        assert!(rest.is_empty() && into.ends_with(&TAIL));
        into.truncate(into.len() - TAIL.len());
        if !self.takeover {
            self.state.reset();
        }
    }
}

/// One direction's receiver.
#[derive(Debug)]
pub struct Inflater {
    state: Decompress,
    takeover: bool,
    /// A payload with its tail, so that one call does.
    input: Vec<u8>,
}

impl Inflater {
    /// The counterpart of a [`Deflater`].
    #[must_use]
    pub fn new(takeover: bool) -> Self {
        let state = Decompress::new_with_window_bits(false, 15);
        Self { state, takeover, input: Vec::new() }
    }

    /// Puts the message that `payload` was made of in the place of what was in `into`.
    ///
    /// # Panics
    ///
    /// When it was made of none.
    pub fn inflate(&mut self, payload: &[u8], into: &mut Vec<u8>) {
        self.input.clear();
        self.input.extend_from_slice(payload);
        self.input.extend_from_slice(&TAIL);
        into.clear();
        into.reserve(1024);
        let mut rest = &self.input[..];
        loop {
            let before = self.state.total_in();
            let flush = FlushDecompress::Sync;
            self.state.decompress_vec(rest, into, flush).expect("a valid stream");
            rest = &rest[(self.state.total_in() - before) as usize..];
            if into.len() < into.capacity() {
                break;
            }
            into.reserve(into.len());
        }
        assert!(rest.is_empty());
        if !self.takeover {
            self.state.reset(false);
        }
    }
}
