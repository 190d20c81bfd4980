//! Slow receivers of frames, each written from its document and in its order: one byte after the other, all of the stream
//! at once, and every rule where the document states it.
//!
//! They share the names of the rules with `hybi-frame`, and nothing else: not a header, a mask or a table.

mod hixie;
mod hybi01;
mod messages;
mod mux;
mod section5;

use hybi_frame::{FrameRules, Limits, Role, Rsv, Violation};
use hybi_handshake::Version;

pub(super) use self::mux::read as mux;
use crate::told::Told;

/// What a receiver has agreed to.
pub(super) struct Terms {
    /// Who sends.
    pub(super) sender: Role,
    pub(super) layout: Layout,
    pub(super) limits: Limits,
}

/// What the versions differ in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    /// RFC 6455, and hybi-07 on.
    Rfc {
        rules: FrameRules,
        /// RSV1 to RSV3 (4, 2, 1) as an extension uses them on the first frame of a message.
        rsv_first: u8,
        /// On the others.
        rsv_next: u8,
    },
    /// hixie-75 to hybi-06.
    Draft {
        version: Version,
        /// hybi-04: the fields `Sec-WebSocket-Key` and `Sec-WebSocket-Nonce`.
        fields: [&'static str; 2],
    },
}

/// What was told of a stream.
pub(super) struct Reading {
    pub(super) told: Vec<Told>,
    /// The rule that the sender broke, and where in the stream.
    pub(super) broken: Option<(Violation, u64)>,
    /// Those that decide about close codes.
    pub(super) rules: FrameRules,
}

/// Reads a stream to its end, to a Close frame or to the first broken rule.
pub(super) fn receive(terms: &Terms, stream: &[u8]) -> Reading {
    let rules = terms.layout.rules();
    let mut messages = messages::Messages::new(rules, terms.limits);
    let mut source = Source { stream, at: 0, mask: Vec::new(), masked: 0 };
    let broken = loop {
        let frame = match terms.layout {
            Layout::Rfc { rsv_first, rsv_next, .. } => {
                let header = section5::Header { sender: terms.sender, rsv_first, rsv_next };
                header.frame(&mut source, &mut messages)
            }
            Layout::Draft { version: Version::HIXIE_75 | Version::HIXIE_76, .. } => {
                hixie::frame(&mut source, &mut messages)
            }
            Layout::Draft { version, fields } => {
                let masks = terms.sender == Role::Client;
                hybi01::Header { version, masks, fields }.frame(&mut source, &mut messages)
            }
        };
        match frame {
            Ok(()) if messages.told.last().is_some_and(Told::is_close) => break None,
            Ok(()) => {}
            Err(Stop::End) => break None,
            Err(Stop::Broken(violation, at)) => break Some((violation, at as u64)),
        }
    };
    Reading { told: messages.told, broken, rules }
}

impl Layout {
    fn rules(self) -> FrameRules {
        match self {
            Self::Rfc { rules, .. } => rules,
            Self::Draft { version, .. } => match version {
                Version::HIXIE_75 => FrameRules::HIXIE_75,
                Version::HIXIE_76 => FrameRules::HIXIE_76,
                Version::HYBI_01 | Version::HYBI_02 => FrameRules::HYBI_01,
                Version::HYBI_03 | Version::HYBI_04 => FrameRules::HYBI_03,
                Version::HYBI_05 => FrameRules::HYBI_05,
                Version::HYBI_06 => FrameRules::HYBI_06,
                version => panic!("{version:?} has the layout of RFC 6455"),
            },
        }
    }
}

/// Why a receiver reads no further.
enum Stop {
    /// The stream has no more bytes.
    End,
    Broken(Violation, usize),
}

/// The stream, and the mask over what comes next.
struct Source<'a> {
    stream: &'a [u8],
    at: usize,
    /// Empty where nothing is masked.
    mask: Vec<u8>,
    /// Bytes since the mask began.
    masked: usize,
}

impl Source<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.stream.get(self.at).ok_or(Stop::End)?;
        let mask = if self.mask.is_empty() { 0 } else { self.mask[self.masked % self.mask.len()] };
        self.at += 1;
        self.masked += 1;
        Ok(byte ^ mask)
    }

    /// Unmasks from here on; RFC 6455, section 5.3: octet i of the transformed data is octet i XOR octet i MOD 4 of
    /// the key. The key of hybi-04 is longer.
    fn mask_with(&mut self, mask: impl Into<Vec<u8>>) {
        self.mask = mask.into();
        self.masked = 0;
    }

    /// A length of so many bytes, the highest first.
    fn length(&mut self, bytes: usize) -> Result<u64, Stop> {
        let mut length = 0;
        for _ in 0..bytes {
            length = length << 8 | u64::from(self.byte()?);
        }
        Ok(length)
    }

    /// One of eight bytes: "the most significant bit MUST be 0".
    fn long_length(&mut self) -> Result<u64, Stop> {
        let begin = self.at;
        let high = self.byte()?;
        if high >= 128 {
            return Err(Stop::Broken(Violation::LengthTopBit, begin));
        }
        Ok(u64::from(high) << 56 | self.length(7)?)
    }
}

/// RSV1 to RSV3 as their bits (4, 2, 1).
fn reserved(rsv: u8) -> Rsv {
    let one = |bit, name| if rsv & bit != 0 { name } else { Rsv::NONE };
    one(4, Rsv::RSV1).union(one(2, Rsv::RSV2)).union(one(1, Rsv::RSV3))
}
