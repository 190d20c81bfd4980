//! A slow receiver of frames, written from RFC 6455 section 5 and in its order: one byte after the other, all
//! of the stream at once, and every rule where the RFC states it.
//!
//! It shares the names of the rules with `hybi-frame`, and nothing else: not a header, a mask or a table.

use hybi_frame::{CloseFrame, Closing, FrameRules, InvalidUtf8, Limits, Role, Rsv, Violation};

use super::told::Told;

/// What the receiver has agreed to.
pub(super) struct Terms {
    /// Who sends.
    pub(super) sender: Role,
    pub(super) rules: FrameRules,
    pub(super) limits: Limits,
    /// RSV1 to RSV3 (4, 2, 1) as an extension uses them on the first frame of a message.
    pub(super) rsv_first: u8,
    /// On the others.
    pub(super) rsv_next: u8,
}

/// A rule that the sender broke, and where in the stream.
pub(super) type Broken = (Violation, u64);

/// Reads a stream to its end, to a Close frame or to the first broken rule.
pub(super) fn receive(terms: &Terms, stream: &[u8]) -> (Vec<Told>, Option<Broken>) {
    let mut receiver = Receiver { terms, stream, at: 0, message: None, told: Vec::new() };
    loop {
        match receiver.frame() {
            Ok(()) if receiver.told.last().is_some_and(Told::is_close) => break,
            Ok(()) => {}
            Err(Stop::End) => break,
            Err(Stop::Broken(violation, at)) => {
                return (receiver.told, Some((violation, at as u64)));
            }
        }
    }
    (receiver.told, None)
}

enum Stop {
    /// The stream has no more bytes.
    End,
    Broken(Violation, usize),
}

struct Receiver<'a> {
    terms: &'a Terms,
    stream: &'a [u8],
    at: usize,
    message: Option<Message>,
    told: Vec<Told>,
}

/// A message of which the last fragment has not come (5.4).
struct Message {
    is_text: bool,
    payload: Vec<u8>,
    text: Text,
    /// As the headers of its frames declared.
    size: u64,
    /// Frames after the first.
    continuations: u32,
}

impl Message {
    fn new(is_text: bool) -> Self {
        let (payload, text) = (Vec::new(), Text::default());
        Self { is_text, payload, text, size: 0, continuations: 0 }
    }
}

impl Receiver<'_> {
    /// 5.2, from the first bit to the last.
    fn frame(&mut self) -> Result<(), Stop> {
        let begin = self.at;
        let first = self.byte()?;
        let fin = first & 0b1000_0000 != 0;
        let rsv = (first & 0b0111_0000) >> 4;
        let opcode = first & 0b0000_1111;
        // "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
        let lawful = match opcode {
            0 => self.terms.rsv_next,
            1..=7 => self.terms.rsv_first,
            _ => 0,
        };
        if rsv & !lawful != 0 {
            return Err(Stop::Broken(Violation::ReservedBits(bits(rsv & !lawful)), begin));
        }
        // 3 to 7 and 0xB to 0xF are reserved.
        let kind = match opcode {
            0 => hybi_frame::Opcode::Continuation,
            1 => hybi_frame::Opcode::Text,
            2 => hybi_frame::Opcode::Binary,
            8 => hybi_frame::Opcode::Close,
            9 => hybi_frame::Opcode::Ping,
            10 => hybi_frame::Opcode::Pong,
            _ => return Err(Stop::Broken(Violation::ReservedOpcode(opcode), begin)),
        };
        // 5.5: control frames "MUST have a payload length of 125 bytes or less and MUST NOT be fragmented".
        let control = opcode >= 8;
        if control && !fin {
            return Err(Stop::Broken(Violation::FragmentedControl(kind), begin));
        }

        let second_at = self.at;
        let second = self.byte()?;
        // 5.1: a client masks all frames, a server none.
        let masked = second & 0b1000_0000 != 0;
        match self.terms.sender {
            Role::Client if !masked => return Err(Stop::Broken(Violation::NotMasked, second_at)),
            Role::Server if masked => return Err(Stop::Broken(Violation::Masked, second_at)),
            _ => {}
        }
        let short = second & 0b0111_1111;
        if control && short > 125 {
            return Err(Stop::Broken(Violation::ControlTooLong(kind), second_at));
        }
        let length_at = self.at;
        let (length, fewest) = match short {
            126 => (u64::from(self.byte()?) << 8 | u64::from(self.byte()?), 126),
            127 => {
                // "the most significant bit MUST be 0"
                let mut length = u64::from(self.byte()?);
                if length >= 128 {
                    return Err(Stop::Broken(Violation::LengthTopBit, length_at));
                }
                for _ in 0..7 {
                    length = length << 8 | u64::from(self.byte()?);
                }
                (length, 65_536)
            }
            length => (u64::from(length), 0),
        };
        // "the minimal number of bytes MUST be used to encode the length"
        if length < fewest && self.terms.rules.minimal_lengths() {
            return Err(Stop::Broken(Violation::LengthNotMinimal, length_at));
        }
        // 10.4: limits. What an extension makes smaller may be a little larger before.
        let limit = self.terms.limits.max_frame();
        let limit = if rsv == 0 { limit } else { limit + limit / 8 + 1024 };
        if !control && length > limit {
            return Err(Stop::Broken(Violation::FrameTooLarge { size: length, limit }, begin));
        }
        let mut key = [0; 4];
        if masked {
            for byte in &mut key {
                *byte = self.byte()?;
            }
        }
        if control {
            self.control(opcode, length, key)
        } else {
            self.data(begin, opcode, fin, length, key)
        }
    }

    /// 5.4 and 5.6.
    fn data(
        &mut self,
        begin: usize,
        opcode: u8,
        fin: bool,
        length: u64,
        key: [u8; 4],
    ) -> Result<(), Stop> {
        let mut message = match (opcode, self.message.take()) {
            (0, None) => return Err(Stop::Broken(Violation::UnexpectedContinuation, begin)),
            (0, Some(message)) => Message { continuations: message.continuations + 1, ..message },
            (_, None) => Message::new(opcode == 1),
            (_, Some(_)) => {
                let kind =
                    if opcode == 1 { hybi_frame::Opcode::Text } else { hybi_frame::Opcode::Binary };
                return Err(Stop::Broken(Violation::ExpectedContinuation(kind), begin));
            }
        };
        message.size += length;
        let limit = self.terms.limits.max_message();
        if message.size > limit as u64 {
            let size = message.size;
            return Err(Stop::Broken(Violation::MessageTooLarge { size, limit }, begin));
        }
        let limit = self.terms.limits.max_fragments();
        if message.continuations > limit {
            return Err(Stop::Broken(Violation::TooManyFragments { limit }, begin));
        }
        let fails = message.is_text && self.terms.rules.invalid_utf8() == InvalidUtf8::Fail;
        for index in 0..length {
            let at = self.at;
            let byte = self.unmasked(index, key)?;
            message.payload.push(byte);
            // 8.1, and told at the first byte that no character has there.
            if fails && !message.text.takes(byte) {
                return Err(Stop::Broken(Violation::InvalidUtf8, at));
            }
        }
        if !fin {
            self.message = Some(message);
        } else if !message.is_text {
            self.told.push(Told::Binary(message.payload));
        } else if fails && !message.text.is_whole() {
            return Err(Stop::Broken(Violation::InvalidUtf8, self.at));
        } else {
            self.told.push(Told::Text(String::from_utf8_lossy(&message.payload).into_owned()));
        }
        Ok(())
    }

    /// 5.5.
    fn control(&mut self, opcode: u8, length: u64, key: [u8; 4]) -> Result<(), Stop> {
        let begin = self.at;
        let mut payload = Vec::new();
        for index in 0..length {
            payload.push(self.unmasked(index, key)?);
        }
        self.told.push(match opcode {
            9 => Told::Ping(payload),
            10 => Told::Pong(payload),
            _ => Told::Close(self.close(begin, &payload)?, payload),
        });
        Ok(())
    }

    /// 5.5.1 and 7.4.
    fn close(&self, begin: usize, payload: &[u8]) -> Result<Option<CloseFrame>, Stop> {
        let rules = &self.terms.rules;
        assert_eq!(rules.closing(), Closing::Codes, "this is the layout from hybi-07 on");
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(Stop::Broken(Violation::ClosePayloadTooShort, begin)),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        let lawful = match code {
            // 7.4.1 has these three for use in programs alone.
            1005 | 1006 | 1015 => false,
            1000..=1003 | 1007..=1014 | 3000..=4999 => true,
            // Drafts had others, and their peers make them up.
            1000..=4999 => *rules != FrameRules::RFC6455,
            _ => false,
        };
        if !lawful {
            return Err(Stop::Broken(Violation::InvalidCloseCode(code), begin));
        }
        if rules.invalid_utf8() == InvalidUtf8::Fail {
            let mut text = Text::default();
            let bad = reason.iter().position(|&byte| !text.takes(byte));
            let cut = (!text.is_whole()).then_some(reason.len());
            if let Some(at) = bad.or(cut) {
                return Err(Stop::Broken(Violation::InvalidCloseReason, begin + 2 + at));
            }
        }
        let mut text = String::from_utf8_lossy(reason).into_owned();
        while text.len() > 123 {
            text.pop();
        }
        // Made as any that are received: no other way lets a code of old drafts in.
        let bytes = [&code.to_be_bytes(), text.as_bytes()].concat();
        let Ok(Some(close)) = CloseFrame::parse(&bytes, *rules) else {
            panic!("close code {code} is lawful and `{text}` is UTF-8")
        };
        assert_eq!((close.code().as_u16(), &**close.reason()), (code, &*text));
        Ok(Some(close))
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.stream.get(self.at).ok_or(Stop::End)?;
        self.at += 1;
        Ok(byte)
    }

    /// 5.3: octet i of the transformed data is octet i XOR octet i MOD 4 of the key.
    fn unmasked(&mut self, index: u64, key: [u8; 4]) -> Result<u8, Stop> {
        Ok(self.byte()? ^ key[(index % 4) as usize])
    }
}

/// Text as it comes in, judged at each byte (8.1).
#[derive(Default)]
struct Text {
    /// Bytes of a character that is not whole yet: at most three.
    begun: Vec<u8>,
}

impl Text {
    /// Whether this byte may come next.
    fn takes(&mut self, byte: u8) -> bool {
        self.begun.push(byte);
        match core::str::from_utf8(&self.begun) {
            Ok(_) => self.begun.clear(),
            Err(error) => return error.error_len().is_none(),
        }
        true
    }

    fn is_whole(&self) -> bool {
        self.begun.is_empty()
    }
}

fn bits(rsv: u8) -> Rsv {
    let one = |bit, name| if rsv & bit != 0 { name } else { Rsv::NONE };
    one(4, Rsv::RSV1).union(one(2, Rsv::RSV2)).union(one(1, Rsv::RSV3))
}
