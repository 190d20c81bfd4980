//! The frames of RFC 6455, section 5, as of hybi-07 on.

use hybi_frame::{Opcode, Role, Violation};

use super::messages::{Frame, Messages};
use super::{Source, Stop, reserved};

/// What a header may be like.
pub(super) struct Header {
    pub(super) sender: Role,
    pub(super) rsv_first: u8,
    pub(super) rsv_next: u8,
}

impl Header {
    /// 5.2, from the first bit to the last.
    pub(super) fn frame(
        &self,
        source: &mut Source<'_>,
        messages: &mut Messages,
    ) -> Result<(), Stop> {
        source.mask_with([]);
        let begin = source.at;
        let first = source.byte()?;
        let fin = first & 0b1000_0000 != 0;
        let rsv = (first & 0b0111_0000) >> 4;
        let opcode = first & 0b0000_1111;
        // "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
        let lawful = match opcode {
            0 => self.rsv_next,
            1..=7 => self.rsv_first,
            _ => 0,
        };
        if rsv & !lawful != 0 {
            return Err(Stop::Broken(Violation::ReservedBits(reserved(rsv & !lawful)), begin));
        }
        // 3 to 7 and 0xB to 0xF are reserved.
        let opcode = match opcode {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Stop::Broken(Violation::ReservedOpcode(opcode), begin)),
        };
        // 5.5: control frames "MUST have a payload length of 125 bytes or less and MUST NOT be fragmented".
        let control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        if control && !fin {
            return Err(Stop::Broken(Violation::FragmentedControl(opcode), begin));
        }

        let second_at = source.at;
        let second = source.byte()?;
        // 5.1: a client masks all frames, a server none.
        let masked = second & 0b1000_0000 != 0;
        match self.sender {
            Role::Client if !masked => return Err(Stop::Broken(Violation::NotMasked, second_at)),
            Role::Server if masked => return Err(Stop::Broken(Violation::Masked, second_at)),
            _ => {}
        }
        let short = second & 0b0111_1111;
        if control && short > 125 {
            return Err(Stop::Broken(Violation::ControlTooLong(opcode), second_at));
        }
        let length_at = source.at;
        let (length, fewest) = match short {
            126 => (source.length(2)?, 126),
            127 => (source.long_length()?, 65_536),
            length => (u64::from(length), 0),
        };
        // "the minimal number of bytes MUST be used to encode the length"
        if length < fewest && messages.rules.minimal_lengths() {
            return Err(Stop::Broken(Violation::LengthNotMinimal, length_at));
        }
        // 10.4: limits. What an extension makes smaller may be a little larger before.
        let limit = messages.limits.max_frame();
        let limit = if rsv == 0 { limit } else { limit + limit / 8 + 1024 };
        if !control && length > limit {
            return Err(Stop::Broken(Violation::FrameTooLarge { size: length, limit }, begin));
        }
        if masked {
            let mut key = [0; 4];
            for byte in &mut key {
                *byte = source.byte()?;
            }
            source.mask_with(key);
        }
        messages.frame(&Frame { begin, opcode, fin, length }, source)
    }
}
