//! Receiver: incoming payloads decompressed (RFC 7692 §7.2.2).

use hybi_frame::{CloseCode, ExtensionViolation, Violation};

use super::Direction;
use super::history::History;
use super::library::{End, Payload};
use super::pool::{Held, Inflated, Inflater, Scratch};

/// The incoming direction of one connection.
#[derive(Debug)]
pub(super) struct Receiver {
    takeover: bool,
    /// Has the history in it; made from it when there is none.
    inflater: Option<(Inflater, Option<Held>)>,
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
    pub(super) fn new(direction: Direction) -> Self {
        let Direction { takeover, window_bits } = direction;
        Self { takeover, inflater: None, history: History::new(window_bits), at: At::Start }
    }

    pub(super) fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let inflater = match &mut self.inflater {
            Some((inflater, _)) => inflater,
            // Without a single byte, the tail alone would leave the decompressor out of step.
            None if piece.is_empty() => return Ok(()),
            None => {
                let made = (made(&self.history)?, self.takeover.then(Held::new));
                &mut self.inflater.insert(made).0
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
                rest = &rest[taken..];
                any |= made > 0;
                self.at = At::Inside { last, made: any };
                if self.takeover {
                    self.history.push(&room[..made]);
                }
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
            // Until the message ends, it cannot be parked, so it should not make others do so.
            if let Some((_, held)) = &mut self.inflater {
                *held = None;
            }
            return Ok(());
        }
        // Behind a final block there is nothing that the tail could end.
        if let At::Inside { last, made } = self.at {
            match inflater.end(Payload { last, made, takeover: self.takeover }) {
                End::Flushed => {}
                End::Final => {
                    inflater.reset();
                    self.history.clear();
                }
                End::Inside => return Err(INSIDE_A_BLOCK),
            }
        }
        self.at = At::Start;
        if !self.takeover {
            self.inflater = None;
        } else if let Some((_, held @ None)) = &mut self.inflater {
            *held = Some(Held::new());
        }
        Ok(())
    }

    /// In the middle of a message there is more to a decompressor than its history.
    pub(super) fn is_active(&self) -> bool {
        self.at == At::Start && (self.inflater.is_some() || self.history.is_packable())
    }

    pub(super) fn park(&mut self) {
        if self.at == At::Start {
            self.inflater = None;
            self.history.pack();
        }
    }
}

/// A decompressor that has this history in it.
fn made(history: &History) -> Result<Inflater, Violation> {
    let mut inflater = Inflater::take();
    if !history.is_empty() && !inflater.remember(&history.bytes()) {
        return Err(NOT_DEFLATE);
    }
    Ok(inflater)
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
