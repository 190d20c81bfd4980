//! Sender: outgoing payloads compressed (RFC 7692 §7.2.1).

use super::Direction;
use super::pays::Pays;
use super::pool::{Deflater, Kind};
use super::ring::Ring;
use super::store::Ticket;

/// The outgoing direction of one connection.
#[derive(Debug)]
pub(super) struct Sender {
    kind: Kind,
    takeover: bool,
    /// Of a compressor that has all before in it.
    deflater: Ticket<Deflater>,
    /// What another would be made with.
    history: Ring,
    pays: Pays,
}

impl Sender {
    pub(super) fn new(level: u8, direction: Direction) -> Self {
        let Direction { takeover, window_bits } = direction;
        let kind = Kind { level, window_bits };
        let history = Ring::new(HISTORY.min(1 << window_bits));
        Self { kind, takeover, deflater: Ticket::new(), history, pays: Pays::default() }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Compresses if that is expected to pay.
    pub(super) fn encode_if_pays(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.pays.expects(payload, self.kind) {
            return false;
        }
        let start = out.len();
        let done = self.encode(payload, out);
        self.pays.learns(payload.len(), if done { out.len() - start } else { payload.len() });
        done
    }

    pub(super) fn encode(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        if self.takeover { self.encode_next(payload, out) } else { self.encode_alone(payload, out) }
    }

    /// Compresses behind the history, and becomes part of it.
    fn encode_next(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(mut deflater) = self.deflater.take().or_else(|| self.make()) else {
            return false;
        };
        let start = out.len();
        let done = deflater.message(payload, out);
        // What was compressed is part of what the next message builds on, so it is sent, or the
        // state made again without it, which takes longer than a small message gains by it.
        let pays = done && (out.len() - start < payload.len() || payload.len() < UNDO_MIN);
        if pays {
            self.deflater.leave(deflater);
            self.history.push(payload);
        } else {
            out.truncate(start);
        }
        pays
    }

    fn make(&mut self) -> Option<Deflater> {
        let mut deflater = Deflater::take(self.kind);
        let history = self.history.bytes();
        (history.is_empty() || deflater.remember(history)).then_some(deflater)
    }

    /// Compresses without the history, and without becoming part of it.
    pub(super) fn encode_alone(&self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let done = Deflater::take(self.kind).message(payload, out);
        let smaller = done && out.len() - start < payload.len();
        if !smaller {
            out.truncate(start);
        }
        smaller
    }

    /// The same if that is expected to pay. What this connection sent before says nothing of what is
    /// for many.
    pub(super) fn encode_alone_if_pays(&self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        Pays::default().expects(payload, self.kind) && self.encode_alone(payload, out)
    }

    /// A payload is sent as [`encode_alone`](Self::encode_alone) had it: the peer remembers it, the
    /// compressor does not.
    pub(super) fn sent_alone(&mut self, payload: &[u8]) {
        if self.takeover {
            self.deflater.give_back();
            self.history.push(payload);
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.deflater.is_valid()
    }

    pub(super) fn park(&mut self) {
        self.deflater.give_back();
        self.history.shrink_to_fit();
    }
}

/// How much of what was sent is kept to make a compressor again. The peer has 32 KiB, but to make
/// one takes the longer the more it begins with, and the last few messages are those that the next
/// is most like.
const HISTORY: usize = 4 << 10;

/// From this length on, a payload that does not get smaller is sent as it is.
const UNDO_MIN: usize = 4096;
