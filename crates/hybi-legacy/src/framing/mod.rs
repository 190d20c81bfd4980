//! FrameCodec: the framings before hybi-07, behind one interface.

mod binary;
mod header;
mod hixie;
mod mask;

use hybi_frame::{FrameError, FrameHeader, FramePart, FrameRules, Limits, Role};
use hybi_handshake::Version;

use self::binary::BinaryCodec;
use self::hixie::HixieCodec;
use self::mask::Masking;
use crate::draft::{Draft, FramingFamily};
use crate::terms::Terms;

/// The frames of one connection before hybi-07, in both directions: chunks in, parts of frames out; and
/// frames in, bytes appended.
///
/// What comes out is what a [`FrameDecoder`](hybi_frame::FrameDecoder) gives for RFC 6455, opcodes
/// included, so that the same [`MessageAssembler`](hybi_frame::MessageAssembler) goes on from there.
#[derive(Debug)]
pub struct FrameCodec {
    terms: Terms,
    role: Role,
    limits: Limits,
    rules: FrameRules,
    framing: Framing,
}

#[derive(Debug)]
enum Framing {
    Hixie(HixieCodec),
    Binary(BinaryCodec),
}

impl FrameCodec {
    /// A codec for an endpoint in `role`, before the first byte.
    #[must_use]
    pub fn new(terms: &Terms, role: Role, limits: Limits) -> Self {
        let mut terms = terms.clone();
        if role == Role::Client {
            // It knows which version it asked for.
            terms.alternative = None;
        }
        let (rules, framing) = Framing::new(&terms, role, limits);
        Self { terms, role, limits, rules, framing }
    }

    /// The version that is spoken. It may change once, with the first byte of the client.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.terms.version
    }

    /// The rules of that version.
    #[must_use]
    pub const fn rules(&self) -> FrameRules {
        self.rules
    }

    /// Whether each frame of this endpoint takes a fresh masking key.
    #[must_use]
    pub const fn masks(&self) -> bool {
        match &self.framing {
            Framing::Hixie(_) => false,
            Framing::Binary(codec) => codec.masks(),
        }
    }

    /// Takes bytes from the front of `chunk`; returns how many, and at most one part of a frame.
    ///
    /// # Errors
    ///
    /// The first broken rule, at every call from then on.
    #[inline]
    pub fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        if let (Some(other), Some(&first)) = (self.terms.alternative, chunk.first()) {
            self.settle(other, first);
        }
        match &mut self.framing {
            Framing::Hixie(codec) => codec.decode(chunk),
            Framing::Binary(codec) => codec.decode(chunk),
        }
    }

    /// Whether the stream may end here: all bytes taken belong to complete frames.
    #[must_use]
    pub const fn at_frame_boundary(&self) -> bool {
        match &self.framing {
            Framing::Hixie(codec) => codec.at_frame_boundary(),
            Framing::Binary(codec) => codec.at_frame_boundary(),
        }
    }

    /// Appends one frame to `out`.
    #[inline]
    pub fn encode(&mut self, out: &mut Vec<u8>, header: &FrameHeader, payload: &[u8]) {
        self.terms.alternative = None;
        match &self.framing {
            Framing::Hixie(codec) => codec.encode(out, header, payload),
            Framing::Binary(codec) => codec.encode(out, header, payload),
        }
    }

    /// Appends what stands before the payload of a frame that is not masked, and gives what stands behind it.
    pub fn encode_around(&mut self, out: &mut Vec<u8>, header: &FrameHeader) -> &'static [u8] {
        self.terms.alternative = None;
        match &self.framing {
            Framing::Hixie(codec) => codec.encode_around(out, header),
            Framing::Binary(codec) => {
                codec.encode_around(out, header);
                &[]
            }
        }
    }

    /// Lets the first byte of a client decide between the version and `other`.
    #[cold]
    fn settle(&mut self, other: Version, first: u8) {
        self.terms.alternative = None;
        // A text or the close of hixie-76. In hybi-01 to 03 neither begins a connection: 00 goes on with a
        // message that never began, and FF has reserved bits.
        let hixie = matches!(first, 0x00 | 0xff);
        if hixie != (self.terms.version == Version::HIXIE_76) {
            self.terms.version = other;
            (self.rules, self.framing) = Framing::new(&self.terms, self.role, self.limits);
        }
    }
}

impl Framing {
    fn new(terms: &Terms, role: Role, limits: Limits) -> (FrameRules, Self) {
        let draft = Draft::spoken_as(terms.version).unwrap_or(Draft::Hixie75);
        let rules = draft.rules();
        let binary =
            |more, masking| Self::Binary(BinaryCodec::new(more, masking, role, rules, limits));
        let framing = match draft.framing() {
            FramingFamily::Hixie75 => Self::Hixie(HixieCodec::new(false, rules, limits)),
            FramingFamily::Hixie76 => Self::Hixie(HixieCodec::new(true, rules, limits)),
            FramingFamily::Hybi01 => binary(true, None),
            FramingFamily::Hybi04 => binary(false, terms.key.map(Masking::Hash)),
            FramingFamily::Hybi05 | FramingFamily::Hybi07 => binary(false, Some(Masking::Key)),
        };
        (rules, framing)
    }
}
