//! Sender: outgoing payloads compressed (RFC 7692 §7.2.1).

use super::Direction;
use super::history::History;
use super::pool::{Deflater, Held, Kind};

/// The outgoing direction of one connection.
#[derive(Debug)]
pub(super) struct Sender {
    kind: Kind,
    takeover: bool,
    /// Has the history in it; made from it when there is none.
    deflater: Option<(Deflater, Held)>,
    history: History,
}

impl Sender {
    pub(super) fn new(level: u8, direction: Direction) -> Self {
        let Direction { takeover, window_bits } = direction;
        let kind = Kind { level, window_bits };
        Self { kind, takeover, deflater: None, history: History::new(window_bits) }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn encode(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.takeover {
            return self.encode_alone(payload, out);
        }
        if self.deflater.is_none() {
            let mut deflater = Deflater::take(self.kind);
            if !self.history.is_empty() && !deflater.remember(&self.history.bytes()) {
                return false;
            }
            self.deflater = Some((deflater, Held::new()));
        }
        let start = out.len();
        let done =
            self.deflater.as_mut().is_some_and(|(deflater, _)| deflater.message(payload, out));
        // What was compressed is part of what the next message builds on, so it is sent, or the
        // state made again without it, which takes longer than a small message gains by it.
        let pays = out.len() - start < payload.len() || payload.len() < UNDO_MIN;
        if done && pays {
            self.history.push(payload);
        } else {
            out.truncate(start);
            self.deflater = None;
        }
        done && pays
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

    /// A payload is sent as [`encode_alone`](Self::encode_alone) had it: the peer remembers it, the
    /// compressor does not.
    pub(super) fn sent_alone(&mut self, payload: &[u8]) {
        if self.takeover {
            self.deflater = None;
            self.history.push(payload);
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.deflater.is_some() || self.history.is_packable()
    }

    pub(super) fn park(&mut self) {
        self.deflater = None;
        self.history.pack();
    }
}

/// From this length on, a payload that does not get smaller is sent as it is.
const UNDO_MIN: usize = 4096;
