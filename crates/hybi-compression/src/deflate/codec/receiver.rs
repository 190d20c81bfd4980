//! Receiver: incoming payloads decompressed (RFC 7692 §7.2.2).

use hybi_frame::{CloseCode, ExtensionViolation, Violation};

use super::history::History;
use super::library::{End, Payload};
use super::pool::{Inflated, Inflater, Scratch};
use super::store::Ticket;

/// The incoming direction of one connection.
#[derive(Debug)]
pub(super) struct Receiver {
    takeover: bool,
    /// In the middle of a message there is more to a decompressor than its history.
    inflater: Option<Inflater>,
    /// Of one that has the history in it, between messages.
    left: Ticket<Inflater>,
    history: History,
    at: At,
}

/// Where in the payload of a message or frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before its first byte.
    Start,
    /// Behind a final block, and nothing came since.
    AfterFinal,
    /// Behind this byte; something came of the payload, or not yet.
    Inside { last: u8, made: bool },
}

impl Receiver {
    pub(super) fn new(takeover: bool) -> Self {
        let (left, history) = (Ticket::new(), History::new());
        Self { takeover, inflater: None, left, history, at: At::Start }
    }

    pub(super) fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let inflater = match &mut self.inflater {
            Some(inflater) => inflater,
            // Without a single byte, the tail alone would leave the decompressor out of step.
            None if piece.is_empty() => return Ok(()),
            None => {
                let made = self.left.take().or_else(|| self.history.inflater());
                self.inflater.insert(made.ok_or(NOT_DEFLATE)?)
            }
        };
        let mut scratch = Scratch::take();
        let room = scratch.room();
        if let Some(&last) = piece.last() {
            let mut any = matches!(self.at, At::Inside { made: true, .. });
            let mut rest = piece;
            loop {
                let Inflated { taken, made, end } =
                    inflater.inflate(rest, room).ok_or(NOT_DEFLATE)?;
                if self.takeover {
                    self.history.push(&rest[..taken], &room[..made]);
                }
                rest = &rest[taken..];
                any |= made > 0;
                self.at = At::Inside { last, made: any };
                if made > 0 {
                    out(&room[..made])?;
                }
                if end {
                    // What comes next is a new stream, with nothing to refer back to.
                    inflater.reset();
                    self.history.clear();
                    if rest.is_empty() {
                        self.at = At::AfterFinal;
                        break;
                    }
                } else if rest.is_empty() && (made == 0 || GIVES_ALL && made < room.len()) {
                    break;
                } else if taken == 0 && made == 0 {
                    return Err(NOT_DEFLATE);
                }
            }
        }
        if !end {
            return Ok(());
        }
        // Behind a final block there is nothing that the tail could end.
        if let At::Inside { last, made } = self.at {
            let payload = Payload { last, made, takeover: self.takeover };
            match inflater.end(payload) {
                End::Flushed if self.takeover => self.history.end_payload(payload),
                End::Flushed => {}
                End::Final => {
                    inflater.reset();
                    self.history.clear();
                }
                End::Inside => return Err(INSIDE_A_BLOCK),
            }
        }
        self.at = At::Start;
        let inflater = self.inflater.take().filter(|_| self.takeover);
        if let Some(inflater) = inflater {
            self.left.leave(inflater);
        }
        Ok(())
    }

    pub(super) fn is_active(&self) -> bool {
        self.left.is_valid() || self.at == At::Start && self.history.is_packable()
    }

    pub(super) fn park(&mut self) {
        if self.at == At::Start {
            self.left.give_back();
            self.history.pack();
        }
    }
}

/// What a decompressor has room for, it gives. miniz_oxide does not where its window begins anew:
/// it has more, and says so when it is asked again.
const GIVES_ALL: bool = cfg!(feature = "zlib-rs");

const NOT_DEFLATE: Violation = Violation::Extension(&ExtensionViolation {
    rule: "payload is not DEFLATE data",
    document: "RFC 7692 section 7.2.2",
    close_code: CloseCode::INVALID_PAYLOAD,
});

const INSIDE_A_BLOCK: Violation = Violation::Extension(&ExtensionViolation {
    rule: "payload ends inside a block of DEFLATE data",
    document: "RFC 7692 section 7.2.1",
    close_code: CloseCode::INVALID_PAYLOAD,
});
