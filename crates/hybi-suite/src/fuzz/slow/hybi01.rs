//! The frames of hybi-01 to hybi-06: the old opcodes, MORE or FIN, RSV4, and from hybi-04 on a mask over header and
//! payload of what a client sends.
//!
//! ```text
//! hybi-01 to 03   byte 0: MORE RSV1 RSV2 RSV3 opcode; byte 1: RSV4 length
//! hybi-04 to 06   the same with FIN for MORE; a client's frame behind four bytes that its mask is made of
//! ```

use hybi_frame::{DraftViolation, Opcode, Violation};
use hybi_handshake::Version;
use sha1::{Digest as _, Sha1};

use super::messages::{Frame, Messages};
use super::{Source, Stop, reserved};

/// What a header may be like.
pub(super) struct Header {
    pub(super) version: Version,
    /// The sender is a client.
    pub(super) masks: bool,
    /// hybi-04: the key of the client and the nonce of the server, as their fields have them.
    pub(super) fields: [&'static str; 2],
}

impl Header {
    pub(super) fn frame(
        &self,
        source: &mut Source<'_>,
        messages: &mut Messages,
    ) -> Result<(), Stop> {
        source.mask_with([]);
        if self.masks && self.version >= Version::HYBI_04 {
            let mut prefix = [0; 4];
            for byte in &mut prefix {
                *byte = source.byte()?;
            }
            source.mask_with(self.mask(prefix));
        }
        let begin = source.at;
        let first = source.byte()?;
        let rsv = first >> 4 & 7;
        if rsv != 0 {
            return Err(Stop::Broken(Violation::ReservedBits(reserved(rsv)), begin));
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Close,
            2 => Opcode::Ping,
            3 => Opcode::Pong,
            4 => Opcode::Text,
            5 => Opcode::Binary,
            reserved => return Err(Stop::Broken(Violation::ReservedOpcode(reserved), begin)),
        };
        let high = first & 0x80 != 0;
        let more = if self.version <= Version::HYBI_03 { high } else { !high };
        let control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        if control && more {
            return Err(Stop::Broken(Violation::FragmentedControl(opcode), begin));
        }
        let second_at = source.at;
        let second = source.byte()?;
        if second & 0x80 != 0 {
            return Err(Stop::Broken(Violation::Draft(RSV4), second_at));
        }
        if control && second > 125 {
            return Err(Stop::Broken(Violation::ControlTooLong(opcode), second_at));
        }
        // Receivers of the time did not ask for the shortest form.
        let length = match second {
            126 => source.length(2)?,
            127 => source.long_length()?,
            length => u64::from(length),
        };
        let limit = messages.limits.max_frame();
        if !control && length > limit {
            return Err(Stop::Broken(Violation::FrameTooLarge { size: length, limit }, begin));
        }
        messages.frame(&Frame { begin, opcode, fin: !more, length }, source)
    }

    /// hybi-05 and 06: the four bytes. hybi-04: the SHA-1 of them and of the key of the connection, which is the SHA-1 of
    /// both fields and a constant.
    fn mask(&self, prefix: [u8; 4]) -> Vec<u8> {
        if self.version > Version::HYBI_04 {
            return prefix.to_vec();
        }
        let [key, nonce] = self.fields;
        let connection =
            Sha1::digest([key, nonce, "61AC5F19-FBBA-4540-B96F-6561F1AB40A8"].concat());
        Sha1::digest([&prefix[..], &connection[..]].concat()).to_vec()
    }
}

const RSV4: &DraftViolation =
    &DraftViolation { rule: "reserved bit RSV4 is set", document: "drafts hybi-01 to hybi-06" };
