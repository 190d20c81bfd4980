//! Sender: outgoing payloads compressed (RFC 7692 §7.2.1), in slices where they are long.

use core::mem;
use core::ops::Range;

use super::lease::Lease;
use super::pays::Pays;
use super::pool::{Deflater, Kind, Unflushed};
use super::ring::Ring;
use super::store::Ticket;
use super::{Direction, TAIL};
use crate::codec::Progress;

/// The outgoing direction of one connection.
#[derive(Debug)]
pub(super) struct Sender {
    kind: Kind,
    takeover: bool,
    /// Of a compressor that has all before in it, between payloads.
    deflater: Ticket<Deflater>,
    middle: Middle,
    /// What another would be made with.
    history: Ring,
    pays: Pays,
}

/// What a payload goes on with behind its last slice.
///
/// Until its last slice came, a payload has left no trace in the ticket or in the history, so one that
/// is given up there was never sent.
#[derive(Debug)]
enum Middle {
    /// There is none.
    None,
    /// The compressor, with whatever it has not given yet.
    Held(Unflushed, Lease),
    /// Any compressor, since all was flushed.
    Flushed,
}

impl Sender {
    pub(super) fn new(level: u8, direction: Direction) -> Self {
        let Direction { takeover, window_bits } = direction;
        let kind = Kind { level, window_bits };
        let history = Ring::new(HISTORY.min(1 << window_bits));
        Self {
            kind,
            takeover,
            deflater: Ticket::new(),
            middle: Middle::None,
            history,
            pays: Pays::default(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Compresses a slice of a payload, behind the history if there is takeover; the last makes the
    /// payload part of that. If it is `asked` first, it is only done if it is expected to pay. What
    /// came of the payload so far is in `out` from `start` on.
    pub(super) fn encode(
        &mut self,
        payload: &[u8],
        slice: Range<usize>,
        asked: bool,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Progress {
        let (deflater, lease) = match mem::replace(&mut self.middle, Middle::None) {
            _ if slice.start == 0 => {
                if asked && !self.expects(payload) {
                    return Progress::AsIs;
                }
                (self.first(), None)
            }
            Middle::Held(held, lease) => (Some(Deflater::resume(self.kind, held)), Some(lease)),
            Middle::Flushed => (self.next(&payload[..slice.start]), None),
            Middle::None => (None, None),
        };
        let Some(mut deflater) = deflater else { return Progress::AsIs };
        let most = start + payload.len() + payload.len() / 8 + 1024;
        let piece = &payload[slice.clone()];
        if slice.end < payload.len() {
            let middle = go_on(deflater, lease, piece, out, most);
            if let Some(middle) = middle.filter(|_| self.pays(payload, out.len() - start)) {
                self.middle = middle;
                return Progress::More(slice.end);
            }
        } else if deflater.message(piece, out, most) && self.pays(payload, out.len() - start) {
            if self.takeover {
                self.deflater.leave(deflater);
                self.history.push(payload);
            }
            if asked {
                self.pays.learns(payload.len(), out.len() - start);
            }
            return Progress::Encoded;
        }
        if asked {
            self.pays.learns(payload.len(), payload.len());
        }
        out.truncate(start);
        Progress::AsIs
    }

    /// Whether it is expected to pay to compress what this is, or begins.
    pub(super) fn expects(&mut self, payload: &[u8]) -> bool {
        self.pays.expects(payload, self.kind)
    }

    /// Compresses a slice of a piece of a payload that nobody holds whole. With its last slice all of the piece
    /// comes out, since the next may be long in coming. What came of the piece so far is in `out`.
    ///
    /// Within the payload the history is kept without takeover as well: what the next piece goes on with may
    /// have to make room for others meanwhile.
    pub(super) fn encode_piece(
        &mut self,
        piece: &[u8],
        slice: Range<usize>,
        last: bool,
        out: &mut Vec<u8>,
    ) {
        let (mut deflater, lease) = match mem::replace(&mut self.middle, Middle::None) {
            Middle::Held(held, lease) if slice.start > 0 => {
                (Deflater::resume(self.kind, held), Some(lease))
            }
            _ => (self.first_of_piece(), None),
        };
        let bytes = &piece[slice.clone()];
        let so_far = &piece[..slice.end];
        if so_far.len() < piece.len() {
            match go_on(deflater, lease, bytes, out, usize::MAX) {
                Some(middle) => self.middle = middle,
                None => store(so_far, false, out),
            }
            return self.history.push(bytes);
        }
        let done = match (bytes, last) {
            // There is nothing to flush (RFC 7692 section 7.2.3.6).
            ([], _) => true,
            (bytes, true) => deflater.message(bytes, out, usize::MAX),
            (bytes, false) => deflater.flush(bytes, out, usize::MAX),
        };
        if !done {
            store(piece, last, out);
        } else if bytes.is_empty() && last {
            out.extend_from_slice(&EMPTY_BLOCK);
        }
        if last && !self.takeover {
            return self.history.clear();
        }
        self.history.push(bytes);
        if done {
            self.deflater.leave(deflater);
        }
    }

    /// What does not get smaller is sent as it is, as soon as that is known. But what was compressed
    /// is part of what the next message builds on, and to make the state again without it takes
    /// longer than a small message gains by it.
    fn pays(&self, payload: &[u8], made: usize) -> bool {
        made < payload.len() || self.takeover && payload.len() < UNDO_MIN
    }

    /// What a payload begins with.
    fn first(&mut self) -> Option<Deflater> {
        if !self.takeover {
            return Some(Deflater::take(self.kind));
        }
        self.deflater.take().or_else(|| behind(self.history.bytes(), self.kind))
    }

    /// What a piece begins with. One that knows nothing of what was before refers to none of it, which is
    /// always right.
    fn first_of_piece(&mut self) -> Deflater {
        let kept = self.deflater.take().or_else(|| behind(self.history.bytes(), self.kind));
        kept.unwrap_or_else(|| Deflater::take(self.kind))
    }

    /// What a payload goes on with behind these bytes of it.
    fn next(&self, before: &[u8]) -> Option<Deflater> {
        let len = before.len().min(self.history.most());
        behind(&before[before.len() - len..], self.kind)
    }

    /// A payload is sent as a sender without takeover had it: the peer remembers it, the compressor
    /// does not.
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

/// Compresses a slice behind which there is more, and says what it goes on with; `None` if it does not.
fn go_on(
    mut deflater: Deflater,
    lease: Option<Lease>,
    piece: &[u8],
    out: &mut Vec<u8>,
    most: usize,
) -> Option<Middle> {
    match lease.or_else(|| Lease::take(&deflater)) {
        Some(lease) => {
            let held = deflater.feed(piece, out, most)?;
            Some(Middle::Held(held, lease))
        }
        None => deflater.flush(piece, out, most).then_some(Middle::Flushed),
    }
}

/// A compressor that has these bytes in it.
fn behind(bytes: &[u8], kind: Kind) -> Option<Deflater> {
    let mut deflater = Deflater::take(kind);
    (bytes.is_empty() || deflater.remember(bytes)).then_some(deflater)
}

/// What becomes of a piece with a library that gave up: blocks that are not compressed.
fn store(piece: &[u8], last: bool, out: &mut Vec<u8>) {
    out.clear();
    for block in piece.chunks(u16::MAX.into()) {
        let len = block.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&EMPTY_BLOCK);
    if !last {
        out.extend_from_slice(&TAIL);
    }
}

/// What stands before the tail of an empty block.
const EMPTY_BLOCK: [u8; 1] = [0];

/// How much of what was sent is kept to make a compressor again. The peer has 32 KiB, but to make
/// one takes the longer the more it begins with, and the last few messages are those that the next
/// is most like.
const HISTORY: usize = 4 << 10;

/// From this length on, a payload that does not get smaller is sent as it is.
const UNDO_MIN: usize = 4096;
