//! The header of hybi-01 to hybi-06: two to ten bytes with the old opcodes, unmasked.
//!
//! ```text
//! byte 0: FIN, or MORE in hybi-01 to 03 | RSV1 | RSV2 | RSV3 | opcode (4 bits)
//! byte 1: RSV4 | length (7 bits); 126: two bytes of length follow, 127: eight
//! ```
//!
//! RFC 6455 §5.2 has other opcodes, and a bit of its own in the place of RSV4.

use hybi_frame::{
    DraftViolation, FrameError, FrameHeader, FrameRules, MaskingKey, Opcode, Rsv, Violation,
};

/// The longest header in bytes.
pub(super) const MAX_LEN: usize = 10;

/// Room for a header, in whole words so that a mask goes over it in a few steps.
pub(super) type HeaderBytes = [u8; MAX_LEN.next_multiple_of(4)];

/// What the drafts differ in, and what a receiver bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderRules {
    /// The first bit as it is on the last frame of a message: clear where it is called MORE.
    pub(super) last: u8,
    /// The largest payload of a data frame.
    pub(super) max_frame: u64,
}

impl HeaderRules {
    /// Parses the header at the front of `input`, with its length; `None` when it is not all there.
    ///
    /// Each rule is checked in the order of the bytes, so that the outcome for a stream does not
    /// depend on where it was cut.
    #[inline(always)]
    pub(super) fn parse(
        &self,
        input: &[u8],
        masking_key: Option<MaskingKey>,
    ) -> Result<Option<(FrameHeader, usize)>, Broken> {
        let Some(&first) = input.first() else { return Ok(None) };
        let rsv = Rsv::from_bits(first);
        if !rsv.is_empty() {
            return Err(Broken(Violation::ReservedBits(rsv), 0));
        }
        let Some(opcode) = opcode(first & 0x0f) else {
            return Err(Broken(Violation::ReservedOpcode(first & 0x0f), 0));
        };
        let fin = first & FIRST_BIT == self.last;
        if opcode.is_control() && !fin {
            return Err(Broken(Violation::FragmentedControl(opcode), 0));
        }

        let Some(&second) = input.get(1) else { return Ok(None) };
        if second & FIRST_BIT != 0 {
            return Err(Broken(Violation::Draft(RSV4), 1));
        }
        if opcode.is_control() && second > 125 {
            return Err(Broken(Violation::ControlTooLong(opcode), 1));
        }
        let (payload_len, len) = match second {
            126 => {
                let Some(length) = input[2..].first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*length)), 4)
            }
            127 => {
                if input.get(2).is_some_and(|&byte| byte & 0x80 != 0) {
                    return Err(Broken(Violation::LengthTopBit, 2));
                }
                let Some(length) = input[2..].first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*length), 10)
            }
            length => (u64::from(length), 2),
        };
        let limit = self.max_frame;
        // Control frames are bounded by their own rule, however small the limit.
        if payload_len > limit && opcode.is_data() {
            return Err(Broken(Violation::FrameTooLarge { size: payload_len, limit }, 0));
        }
        Ok(Some((FrameHeader { fin, rsv, opcode, masking_key, payload_len }, len)))
    }

    /// The header as it is sent, and its length, which is in the shortest form.
    pub(super) fn encode(
        &self,
        fin: bool,
        opcode: Opcode,
        payload_len: u64,
    ) -> (HeaderBytes, usize) {
        let first = if fin { self.last } else { self.last ^ FIRST_BIT };
        let mut header = HeaderBytes::default();
        header[0] = first | bits(opcode);
        let [.., high, low] = payload_len.to_be_bytes();
        match payload_len {
            0..=125 => {
                header[1] = low;
                (header, 2)
            }
            126..=0xffff => {
                [header[1], header[2], header[3]] = [126, high, low];
                (header, 4)
            }
            _ => {
                header[1] = 127;
                header[2..MAX_LEN].copy_from_slice(&payload_len.to_be_bytes());
                (header, MAX_LEN)
            }
        }
    }
}

/// A broken rule, and the position of the offending byte in the header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken(Violation, u8);

impl Broken {
    /// The error for a header that begins at `offset` of the stream.
    #[cold]
    pub(super) fn at(self, offset: u64, rules: FrameRules) -> FrameError {
        FrameError::new(self.0, offset + u64::from(self.1), rules)
    }
}

/// What the four bits stand for; `None` when they are reserved.
pub(super) const fn opcode(bits: u8) -> Option<Opcode> {
    match bits {
        0 => Some(Opcode::Continuation),
        1 => Some(Opcode::Close),
        2 => Some(Opcode::Ping),
        3 => Some(Opcode::Pong),
        4 => Some(Opcode::Text),
        5 => Some(Opcode::Binary),
        _ => None,
    }
}

const fn bits(opcode: Opcode) -> u8 {
    match opcode {
        Opcode::Continuation => 0,
        Opcode::Close => 1,
        Opcode::Ping => 2,
        Opcode::Pong => 3,
        Opcode::Text => 4,
        Opcode::Binary => 5,
    }
}

/// FIN or MORE in the first byte, RSV4 in the second.
const FIRST_BIT: u8 = 0x80;

const RSV4: &DraftViolation =
    &DraftViolation { rule: "reserved bit RSV4 is set", document: "drafts hybi-01 to hybi-06" };
