//! The framing of hybi-01 to hybi-06: a binary header, and from hybi-04 on masks over all of it.
//!
//! The decoder works in place and keeps no more than the 14 bytes of one mask and header, as the one of
//! RFC 6455 §5 does.

use hybi_frame::{
    FrameError, FrameHeader, FramePart, FrameRules, Limits, MaskingKey, Opcode, Role,
    apply_long_mask,
};

use super::header::{self, Broken, HeaderBytes, HeaderRules};
use super::mask::{FrameMask, Masking, extend_plain};

/// Frames with binary headers, in both directions.
#[derive(Clone, Debug)]
pub(super) struct BinaryCodec {
    state: State,
    /// Stream bytes consumed.
    offset: u64,
    header_rules: HeaderRules,
    rules: FrameRules,
    incoming: Option<Masking>,
    outgoing: Option<Masking>,
}

/// The four bytes before a masked header, and the header.
const MAX_LEN: usize = Masking::PREFIX_LEN + header::MAX_LEN;
/// Room for them as they are put together.
const ROOM: usize = Masking::PREFIX_LEN + size_of::<HeaderBytes>();

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between two frames.
    Boundary,
    /// Before a payload, when the first `len` bytes of mask and header are in `bytes`, as they came.
    Header { bytes: [u8; MAX_LEN], len: usize },
    /// Inside a payload, of which `remaining` bytes (not 0) are still to come.
    Payload { frame: Frame, remaining: u64, offset: u64 },
    /// A rule was broken; every call says so again.
    Failed(FrameError),
}

/// A frame whose header is known.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header: FrameHeader,
    header_len: usize,
    mask: Option<FrameMask>,
}

impl BinaryCodec {
    /// The codec of hybi-01 to 03 with the MORE bit, of later drafts without. `masking` is how clients mask.
    pub(super) const fn new(
        more: bool,
        masking: Option<Masking>,
        role: Role,
        rules: FrameRules,
        limits: Limits,
    ) -> Self {
        let header_rules =
            HeaderRules { last: if more { 0 } else { 0x80 }, max_frame: limits.max_frame() };
        let (incoming, outgoing) = match role {
            Role::Client => (None, masking),
            Role::Server => (masking, None),
        };
        Self { state: State::Boundary, offset: 0, header_rules, rules, incoming, outgoing }
    }

    pub(super) const fn set_limits(&mut self, limits: Limits) {
        self.header_rules.max_frame = limits.max_frame();
    }

    pub(super) const fn masks(&self) -> bool {
        self.outgoing.is_some()
    }

    pub(super) const fn at_frame_boundary(&self) -> bool {
        matches!(self.state, State::Boundary)
    }

    pub(super) fn next_is_control(&self, chunk: &[u8]) -> Option<bool> {
        let (mut front, before) = match self.state {
            State::Boundary => ([0; MAX_LEN], 0),
            State::Header { bytes, len } => (bytes, len),
            State::Payload { frame, .. } => return Some(frame.header.opcode.is_control()),
            State::Failed(_) => return Some(false),
        };
        let known = MAX_LEN.min(before + chunk.len());
        front[before..known].copy_from_slice(&chunk[..known - before]);
        let bits = self.opcode_bits(&front[..known])?;
        Some(header::opcode(bits).is_none_or(Opcode::is_control))
    }

    /// The bits of the opcode of a frame of which `wire` is the front, once they are there.
    fn opcode_bits(&self, wire: &[u8]) -> Option<u8> {
        let first = match &self.incoming {
            None => *wire.first()?,
            Some(masking) => {
                let (prefix, header) = wire.split_first_chunk()?;
                let mut bytes = HeaderBytes::default();
                bytes[0] = *header.first()?;
                masking.of(MaskingKey::from_bytes(*prefix)).apply_to_header(&mut bytes);
                bytes[0]
            }
        };
        Some(first & 0x0f)
    }

    #[inline]
    pub(super) fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        match self.state {
            State::Failed(error) => Err(error),
            _ if chunk.is_empty() => Ok((0, None)),
            State::Boundary => match self.parse(chunk) {
                Ok(Some((frame, len))) => Ok(self.begin(chunk, frame, len, 0)),
                _ => self.resume_header(chunk, [0; MAX_LEN], 0),
            },
            State::Header { bytes, len } => self.resume_header(chunk, bytes, len),
            State::Payload { frame, remaining, offset } => {
                let mut part = self.lend(chunk, frame, remaining, offset);
                part.start = false;
                Ok((part.len(), Some(part)))
            }
        }
    }

    /// Parses what is before the payload at the front of a frame, with its length; `None` when it is not
    /// all there.
    #[inline]
    fn parse(&self, wire: &[u8]) -> Result<Option<(Frame, usize)>, Broken> {
        let Some(masking) = &self.incoming else {
            let parsed = self.header_rules.parse(wire, None)?;
            return Ok(
                parsed.map(|(header, len)| (Frame { header, header_len: len, mask: None }, len))
            );
        };
        let Some((prefix, wire)) = wire.split_first_chunk() else { return Ok(None) };
        let (mut header, len) = match wire.first_chunk() {
            Some(header) => (*header, header.len()),
            None => {
                let mut header = HeaderBytes::default();
                header[..wire.len()].copy_from_slice(wire);
                (header, wire.len())
            }
        };
        let key = MaskingKey::from_bytes(*prefix);
        let mask = masking.of(key);
        mask.apply_to_header(&mut header);
        let parsed = self.header_rules.parse(&header[..len], Some(key))?;
        Ok(parsed.map(|(header, len)| {
            let frame = Frame { header, header_len: len, mask: Some(mask) };
            (frame, Masking::PREFIX_LEN + len)
        }))
    }

    /// Goes on with mask and header, of which `bytes[..len]` came before, and begins their frame.
    fn resume_header<'a>(
        &mut self,
        chunk: &'a mut [u8],
        mut bytes: [u8; MAX_LEN],
        len: usize,
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        let known = bytes.len().min(len + chunk.len());
        bytes[len..known].copy_from_slice(&chunk[..known - len]);
        match self.parse(&bytes[..known]) {
            Ok(Some((frame, parsed))) => Ok(self.begin(chunk, frame, parsed, len)),
            Ok(None) => {
                self.state = State::Header { bytes, len: known };
                self.offset += (known - len) as u64;
                Ok((known - len, None))
            }
            Err(broken) => {
                let prefix = if self.incoming.is_some() { Masking::PREFIX_LEN } else { 0 };
                let header_offset = self.offset - len as u64 + prefix as u64;
                let error = broken.at(header_offset, self.rules);
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    /// Begins a frame with `len` bytes before its payload, of which `earlier` came before this chunk.
    #[inline]
    fn begin<'a>(
        &mut self,
        chunk: &'a mut [u8],
        frame: Frame,
        len: usize,
        earlier: usize,
    ) -> (usize, Option<FramePart<'a>>) {
        let taken = len - earlier;
        self.offset += taken as u64;
        let header_offset = self.offset - frame.header_len as u64;
        let part = self.lend(&mut chunk[taken..], frame, frame.header.payload_len, header_offset);
        (taken + part.len(), Some(part))
    }

    /// Lends what `chunk` has of the `remaining` payload bytes of a frame whose header is at `header_offset`.
    #[inline]
    fn lend<'a>(
        &mut self,
        chunk: &'a mut [u8],
        frame: Frame,
        remaining: u64,
        header_offset: u64,
    ) -> FramePart<'a> {
        let len = usize::try_from(remaining).map_or(chunk.len(), |len| len.min(chunk.len()));
        let payload = &mut chunk[..len];
        let remaining = remaining - len as u64;
        let end = remaining == 0;
        let offset = self.offset;
        let position = offset - header_offset;
        let mask = match &frame.mask {
            Some(FrameMask::Key(key)) => Some((*key, position)),
            Some(FrameMask::Hash(hash)) => {
                apply_long_mask(payload, hash, position);
                None
            }
            None => None,
        };
        self.offset += len as u64;
        self.state = if end {
            State::Boundary
        } else {
            State::Payload { frame, remaining, offset: header_offset }
        };
        let mut part = FramePart::new(frame.header, payload, offset, header_offset, mask);
        part.end = end;
        part
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>, header: &FrameHeader, payload: &[u8]) {
        let payload_len = payload.len() as u64;
        let (mut bytes, len) = self.header_rules.encode(header.fin, header.opcode, payload_len);
        out.reserve(ROOM + payload.len());
        let Some(masking) = &self.outgoing else {
            append_front(out, &bytes, len);
            extend_plain(out, payload);
            return;
        };
        let key = header.masking_key.unwrap_or(MaskingKey::from_bytes([0; 4]));
        let mask = masking.of(key);
        mask.apply_to_header(&mut bytes);
        out.extend_from_slice(&key.to_bytes());
        append_front(out, &bytes, len);
        mask.extend(out, payload, len);
    }

    pub(super) fn encode_around(&self, out: &mut Vec<u8>, header: &FrameHeader) {
        let FrameHeader { fin, opcode, payload_len, .. } = *header;
        let (bytes, len) = self.header_rules.encode(fin, opcode, payload_len);
        append_front(out, &bytes, len);
    }
}

/// Appends the first `len` bytes of a header. All are copied and the surplus is cut off again, which costs
/// less than a copy of some bytes that nobody can foresee.
#[inline]
fn append_front(out: &mut Vec<u8>, header: &HeaderBytes, len: usize) {
    let end = out.len() + len;
    out.extend_from_slice(header);
    out.truncate(end);
}
