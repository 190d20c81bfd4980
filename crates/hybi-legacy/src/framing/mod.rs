//! FrameCodec: the framings before hybi-07, behind one interface.

mod binary;
mod header;
mod hixie;
mod mask;

use hybi_frame::{Counts, FrameError, FrameHeader, FramePart, FrameRules, Limits, Role};
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
/// included, so that the same [`MessageAssembler`](hybi_frame::MessageAssembler) goes on from there. It is
/// decoded in place; the codec keeps at most the 14 bytes of a header, and allocates nothing.
///
/// ```
/// use hybi_frame::{Event, Limits, MessageAssembler, Role};
/// use hybi_legacy::{FrameCodec, Terms, Version};
///
/// let terms = Terms::new(Version::HIXIE_76).expect("no key needed");
/// let mut codec = FrameCodec::new(&terms, Role::Server, Limits::default());
/// let mut assembler = MessageAssembler::new(codec.rules(), Limits::default());
///
/// // A text, a frame to be skipped, and the close.
/// let mut chunk = *b"\x00Hello\xff\x80\x02..\xff\x00";
/// let mut at = 0;
/// let mut seen = Vec::new();
/// loop {
///     let (taken, part) = codec.decode(&mut chunk[at..])?;
///     at += taken;
///     let Some(part) = part else { break };
///     match assembler.push(part)? {
///         Some(Event::Text(text)) => seen.push(text.to_string()),
///         Some(Event::Close(_)) => seen.push("closed".to_owned()),
///         _ => {}
///     }
/// }
/// assert_eq!(seen, ["Hello", "closed"]);
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct FrameCodec {
    terms: Terms,
    role: Role,
    limits: Limits,
    rules: FrameRules,
    framing: Framing,
    counts: Counts,
}

#[derive(Debug)]
enum Framing {
    Hixie(HixieCodec),
    Binary(BinaryCodec),
}

impl FrameCodec {
    /// A codec for an endpoint in `role`, before the first byte.
    ///
    /// The limits of hixie-75 and 76 are kept here, where a text is as long as it turns out to be; for the
    /// others it is [`Limits::max_frame`], and the rest is for the assembler.
    #[must_use]
    pub fn new(terms: &Terms, role: Role, limits: Limits) -> Self {
        let mut terms = terms.clone();
        if role == Role::Client {
            // It knows which version it asked for.
            terms.alternative = None;
        }
        let (rules, framing) = Framing::new(&terms, role, limits);
        Self { terms, role, limits, rules, framing, counts: Counts::default() }
    }

    /// The version that is spoken. It may change once, with the first byte of the client, where the
    /// [terms](Terms::or) leave it open.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.terms.version
    }

    /// The rules of that version about messages and their end.
    #[must_use]
    pub const fn rules(&self) -> FrameRules {
        self.rules
    }

    /// Whether each frame of this endpoint takes a fresh masking key: a client's from hybi-04 on.
    #[must_use]
    pub const fn masks(&self) -> bool {
        match &self.framing {
            Framing::Hixie(_) => false,
            Framing::Binary(codec) => codec.masks(),
        }
    }

    /// Whether the version is known for certain: the client has spoken, or we have, or the request said it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.terms.alternative.is_none()
    }

    /// Takes bytes from the front of `chunk`; returns how many, and at most one part of a frame.
    ///
    /// The part's payload lies in `chunk`. A frame that is whole in `chunk` is one part; any other comes in
    /// parts as its bytes arrive. Call again with what was not taken until there is no part; all bytes are
    /// taken then. Frames that hixie-75 and 76 want skipped make no parts. What follows a Close frame is to
    /// be ignored by the caller.
    ///
    /// # Errors
    ///
    /// The first broken rule, at every call from then on; its offset does not depend on how the stream was
    /// cut. Nothing more of the stream can be understood.
    #[inline]
    pub fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        if let (Some(other), Some(&first)) = (self.terms.alternative, chunk.first()) {
            self.settle(other, first);
        }
        let (taken, part) = match &mut self.framing {
            Framing::Hixie(codec) => codec.decode(chunk),
            Framing::Binary(codec) => codec.decode(chunk),
        }?;
        self.counts.bytes += taken as u64;
        if let Some(part) = &part {
            self.counts.add(part);
        }
        Ok((taken, part))
    }

    /// How much was taken so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Sets the limits anew, for what comes from now on.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        match &mut self.framing {
            Framing::Hixie(codec) => codec.set_limits(limits),
            Framing::Binary(codec) => codec.set_limits(limits),
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

    /// Whether the next bytes belong to a control frame: one is in progress, or `chunk`, which comes
    /// next, begins with one. `None` as long as the bytes that tell are not there: in hybi-04 and later it
    /// is the fifth of a client's frame. To decode those before it takes in nothing of a message. A frame with
    /// a reserved opcode counts as one; it is an error to whoever decodes it.
    ///
    /// In hixie-76 the bytes FF 00 that close count as one; hixie-75 has none. Frames that those two want
    /// skipped are no control frames.
    ///
    /// ```
    /// use hybi_frame::{Limits, Role};
    /// use hybi_legacy::{FrameCodec, Terms, Version};
    ///
    /// let terms = Terms::new(Version::HIXIE_76).expect("no key needed");
    /// let codec = FrameCodec::new(&terms, Role::Client, Limits::default());
    /// assert_eq!(codec.next_is_control(b"\xff\x00"), Some(true));
    /// assert_eq!(codec.next_is_control(b"\x00Hello\xff\xff\x00"), Some(false));
    /// assert_eq!(codec.next_is_control(b"\xff"), None);
    /// ```
    #[must_use]
    pub fn next_is_control(&self, chunk: &[u8]) -> Option<bool> {
        match (self.terms.alternative, chunk.first()) {
            (Some(other), Some(&first)) if self.speaks_other(first) => {
                let terms = Terms { version: other, ..self.terms };
                Framing::new(&terms, self.role, self.limits).1.next_is_control(chunk)
            }
            _ => self.framing.next_is_control(chunk),
        }
    }

    /// Appends one frame to `out`: its FIN bit, opcode and masking key as in `header`, and the whole of
    /// `payload`, masked while it is copied where this endpoint [masks](Self::masks).
    ///
    /// A client must pass a fresh, unpredictable key for every frame; in hybi-04 it is what the frame's
    /// longer key is made from. Without one it is four zeros. Where nothing is masked it is ignored.
    ///
    /// hixie-75 and 76 have [texts](FrameRules::text_only) in one frame, which must be UTF-8, and hixie-76 a
    /// Close frame without a payload; of what they do not have, nothing is appended. What the payload of a
    /// Close frame is in the other versions, [`Closing`](hybi_frame::Closing) says.
    ///
    /// ```
    /// use hybi_frame::{FrameHeader, Limits, MaskingKey, Opcode, Role, Rsv};
    /// use hybi_legacy::{FrameCodec, Terms, Version};
    ///
    /// let terms = Terms::new(Version::HYBI_06).expect("no key needed");
    /// let mut client = FrameCodec::new(&terms, Role::Client, Limits::default());
    /// let header = FrameHeader {
    ///     fin: true,
    ///     rsv: Rsv::NONE,
    ///     opcode: Opcode::Text,
    ///     // Four fresh bytes from a cryptographic generator instead.
    ///     masking_key: Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d])),
    ///     payload_len: 5,
    /// };
    /// let mut out = Vec::new();
    /// client.encode(&mut out, &header, b"Hello");
    /// assert_eq!(out, b"\x37\xfa\x21\x3d\xb3\xff\x69\x58\x5b\x96\x4e");
    /// ```
    #[inline]
    pub fn encode(&mut self, out: &mut Vec<u8>, header: &FrameHeader, payload: &[u8]) {
        self.terms.alternative = None;
        match &self.framing {
            Framing::Hixie(codec) => codec.encode(out, header, payload),
            Framing::Binary(codec) => codec.encode(out, header, payload),
        }
    }

    /// Appends what stands before the payload of a frame that is not masked, and gives what stands behind
    /// it, for payloads that travel untouched, such as one part of a vectored write.
    ///
    /// For endpoints that do not [mask](Self::masks); `header` says how long the payload is.
    ///
    /// ```
    /// use hybi_frame::{FrameHeader, Limits, Opcode, Role, Rsv};
    /// use hybi_legacy::{FrameCodec, Terms, Version};
    ///
    /// let terms = Terms::new(Version::HIXIE_75).expect("no key needed");
    /// let mut codec = FrameCodec::new(&terms, Role::Server, Limits::default());
    /// let (fin, rsv, opcode) = (true, Rsv::NONE, Opcode::Text);
    /// let header = FrameHeader { fin, rsv, opcode, masking_key: None, payload_len: 5 };
    /// let mut out = Vec::new();
    /// let behind = codec.encode_around(&mut out, &header);
    /// assert_eq!((&out[..], behind), (&b"\x00"[..], &b"\xff"[..]));
    /// ```
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
        if self.speaks_other(first) {
            self.terms.version = other;
            (self.rules, self.framing) = Framing::new(&self.terms, self.role, self.limits);
        }
    }

    /// Whether a client that begins with this byte speaks the alternative and not the version.
    const fn speaks_other(&self, first: u8) -> bool {
        // Texts of hixie-76 begin with 00, its close with FF. Nothing of hybi-01 to 03 does when a connection
        // begins: 00 goes on with a message that never began, and FF has reserved bits.
        let hixie = matches!(first, 0x00 | 0xff);
        hixie != matches!(self.terms.version, Version::HIXIE_76)
    }
}

impl Framing {
    fn new(terms: &Terms, role: Role, limits: Limits) -> (FrameRules, Self) {
        // Each version that terms can have is of a draft.
        let draft = Draft::spoken_as(terms.version).unwrap_or(Draft::Hixie75);
        let rules = draft.rules();
        let binary =
            |more, masking| Self::Binary(BinaryCodec::new(more, masking, role, rules, limits));
        let framing = match draft.framing() {
            FramingFamily::Hixie75 => Self::Hixie(HixieCodec::new(false, rules, limits)),
            FramingFamily::Hixie76 => Self::Hixie(HixieCodec::new(true, rules, limits)),
            FramingFamily::Hybi01 => binary(true, None),
            FramingFamily::Hybi04 => binary(false, terms.key.map(Masking::Hash)),
            // There are no terms of hybi-07.
            FramingFamily::Hybi05 | FramingFamily::Hybi07 => binary(false, Some(Masking::Key)),
        };
        (rules, framing)
    }
    fn next_is_control(&self, chunk: &[u8]) -> Option<bool> {
        match self {
            Self::Hixie(codec) => codec.next_is_control(chunk),
            Self::Binary(codec) => codec.next_is_control(chunk),
        }
    }
}
