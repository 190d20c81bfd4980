//! What inflates beside a reader written from RFC 1951: where zlib-rs, and what we make of it, differ, and why.

use flate2::{Compress, Compression};
use hybi_frame::{Rsv, Violation};

use super::{Difference, difference, explained};
use crate::fuzz::inflate::{MOST_MESSAGES, Parking, Setting, decode, deflated, plain};
use crate::fuzz::input::{Cuts, Input};
use crate::rfc1951::{Broken, Inflate, Noted};

pub(super) const LISTED: &[Difference<Case>] = &[
    // Some peers send an empty message so: without even the block that the tail belongs to.
    difference("an empty payload is an empty message", |case| {
        case.payload.is_empty() && case.ours.as_deref() == Ok(&[])
    }),
    // Some peers do not take it off, as RFC 7692 section 7.2.1 wants; what they mean is plain.
    difference("the tail may be left on", |case| {
        case.payload.ends_with(&[0xff]) && case.ours.is_ok() && case.ours == case.with_tail
    }),
    // RFC 1951 says nothing of bits that no symbol has; zlib takes a code that leaves some for damage.
    difference("a code that is not complete", |case| {
        case.noted.incomplete_code && case.ours == Err(Refused::Broken)
    }),
    // Nothing can be read in a code without symbols; zlib reads zeros, up to where it has as many as it wants.
    difference("a code without symbols is noticed late", |case| {
        case.noted.no_code_of_lengths && case.ours.is_ok() && case.theirs == Err(Refused::Broken)
    }),
    // RFC 1951, section 3.2.7 has room for 32 distance codes, of which 30 have a meaning; zlib refuses the room.
    difference("room for the distance codes that never occur", |case| {
        case.noted.distances_beyond_30 && case.ours == Err(Refused::Broken)
    }),
    // A piece is decompressed before it is counted, so that what is wrong soon behind the limit may come first.
    difference("what is broken behind the limit is told first", |case| {
        case.ours == Err(Refused::Broken)
            && case.theirs == Err(Refused::TooLong)
            && case.beyond == Err(Refused::Broken)
    }),
];

/// Why a payload was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// It is not DEFLATE, or ends inside a block.
    Broken,
    TooLong,
}

impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        if broken == Broken::TooLong { Self::TooLong } else { Self::Broken }
    }
}

impl From<Violation> for Refused {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::MessageTooLarge { .. } => Self::TooLong,
            Violation::Extension(_) => Self::Broken,
            violation => panic!("nothing that a payload breaks: {violation}"),
        }
    }
}

type Read = Result<Vec<u8>, Refused>;

/// Two readings of one payload that are not the same.
#[derive(Debug)]
pub(super) struct Case {
    payload: Vec<u8>,
    ours: Read,
    /// By RFC 1951 and RFC 7692, section 7.2.2.
    theirs: Read,
    /// As if the payload had its tail.
    with_tail: Read,
    /// As if the limit were a piece later.
    beyond: Read,
    /// What the reader met in it.
    noted: Noted,
}

/// At least as much as is decompressed before it is counted.
const PIECE: usize = 64 << 10;

pub(super) fn seen(data: &[u8]) -> Vec<&'static str> {
    let mut input = Input::new(data);
    let setting = Setting::choose(&mut input);
    let limit = *input.choose(&[4_000, 100, 64 << 10]);
    let (cuts, parking) = (input.cuts(), input.byte());
    let mut payloads = Payloads { input, deflater: None };
    if setting.is_stream() {
        return stream(&setting, &payloads.by_ref().flatten().collect::<Vec<_>>(), &cuts, parking);
    }
    let mut seen = Vec::new();
    let (mut one, mut other) = (setting.receiver(), setting.receiver());
    let (mut never, mut parking) = (Parking(0), Parking(parking));
    let mut reader = Inflate::within(limit);
    for payload in payloads.take(MOST_MESSAGES) {
        let whole = decode(&mut one, &payload, Rsv::RSV1, limit, &Cuts::none(), &mut never);
        let pieces = decode(&mut other, &payload, Rsv::RSV1, limit, &cuts, &mut parking);
        assert_eq!(pieces, whole, "cut and parked");
        let ours: Read = whole.map_err(Refused::from);
        let mut strict = reader.clone();
        strict.noted = Noted::default();
        let theirs = strict.message(&payload, setting.takeover).map_err(Refused::from);
        if ours == theirs {
            reader = strict;
        } else {
            let mut lenient = reader.clone();
            let with_tail = lenient.message_with_tail(&payload, setting.takeover);
            let beyond = reader.longer(PIECE).message(&payload, setting.takeover);
            let case = Case {
                payload,
                ours: ours.clone(),
                theirs,
                with_tail: with_tail.map_err(Refused::from),
                beyond: beyond.map_err(Refused::from),
                noted: strict.noted,
            };
            seen.push(explained(&case, LISTED));
            // What is taken here has to be in the history there.
            if !case.payload.is_empty() {
                reader = lenient;
            }
        }
        if ours.is_err() {
            break;
        }
    }
    seen
}

/// The stream of deflate-stream, where an end is no matter.
fn stream(setting: &Setting, bytes: &[u8], cuts: &Cuts, parking: u8) -> Vec<&'static str> {
    let whole = setting.read_stream(bytes, &Cuts::none(), Parking(0));
    assert!(setting.read_stream(bytes, cuts, Parking(parking)) == whole, "cut and parked");
    let (made, ours) = whole;
    let mut reader = Inflate::default();
    let (expected, broken) = reader.stream(bytes);
    match (ours, broken) {
        (Ok(()), None) => assert!(made == expected, "{} bytes, not {}", made.len(), expected.len()),
        (Err(_), Some(_)) => assert!(expected.starts_with(&made), "up to what is broken"),
        (ours, broken) => {
            assert!(expected.starts_with(&made), "up to where they part");
            let case = Case {
                payload: bytes.to_vec(),
                ours: ours.map(|()| made).map_err(|_| Refused::Broken),
                theirs: broken.map_or(Ok(expected), |broken| Err(Refused::from(broken))),
                with_tail: Err(Refused::Broken),
                beyond: Err(Refused::TooLong),
                noted: reader.noted,
            };
            return vec![explained(&case, LISTED)];
        }
    }
    Vec::new()
}

/// What an input has for payloads: bytes as they stand there, or deflated, with the tail or without, and perhaps with a
/// byte changed.
struct Payloads<'a> {
    input: Input<'a>,
    deflater: Option<Compress>,
}

impl Iterator for Payloads<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.input.is_empty() {
            return None;
        }
        let how = self.input.byte();
        let mut payload = if how & 1 == 0 {
            let len = usize::from(self.input.byte());
            self.input.bytes(len).to_vec()
        } else {
            let deflater =
                self.deflater.get_or_insert_with(|| Compress::new(Compression::fast(), false));
            deflated(deflater, &plain(&mut self.input))
        };
        if how & 2 == 2 {
            payload.extend([0x00, 0x00, 0xff, 0xff]);
        }
        if how & 4 == 4 {
            let at = usize::from(self.input.byte()) << 8 | usize::from(self.input.byte());
            if let Some(byte) = payload.get_mut(at) {
                *byte ^= self.input.byte();
            }
        }
        Some(payload)
    }
}
