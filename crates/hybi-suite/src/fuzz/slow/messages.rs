//! What comes of frames (RFC 6455, sections 5.4 to 5.6, 7.4 and 8.1): messages of fragments, control frames between them.
//! The drafts have the same, but for what closes and for text that is not UTF-8.

use hybi_frame::{CloseFrame, Closing, FrameRules, InvalidUtf8, Limits, Opcode, Violation};

use super::{Source, Stop};
use crate::told::Told;

/// What was told so far, and the message of which the last fragment has not come.
pub(super) struct Messages {
    pub(super) rules: FrameRules,
    pub(super) limits: Limits,
    message: Option<Message>,
    pub(super) told: Vec<Told>,
}

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

/// A frame whose header is known.
pub(super) struct Frame {
    /// Where its header begins.
    pub(super) begin: usize,
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    pub(super) length: u64,
}

impl Messages {
    pub(super) fn new(rules: FrameRules, limits: Limits) -> Self {
        Self { rules, limits, message: None, told: Vec::new() }
    }

    /// Takes the payload of a frame.
    pub(super) fn frame(&mut self, frame: &Frame, source: &mut Source<'_>) -> Result<(), Stop> {
        match frame.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => self.control(frame, source),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => self.data(frame, source),
        }
    }

    /// 5.4 and 5.6.
    fn data(&mut self, frame: &Frame, source: &mut Source<'_>) -> Result<(), Stop> {
        let begin = frame.begin;
        let mut message = match (frame.opcode, self.message.take()) {
            (Opcode::Continuation, None) => {
                return Err(Stop::Broken(Violation::UnexpectedContinuation, begin));
            }
            (Opcode::Continuation, Some(message)) => {
                Message { continuations: message.continuations + 1, ..message }
            }
            (opcode, None) => Message::new(opcode == Opcode::Text),
            (opcode, Some(_)) => {
                return Err(Stop::Broken(Violation::ExpectedContinuation(opcode), begin));
            }
        };
        message.size += frame.length;
        let limit = self.limits.max_message();
        if message.size > limit as u64 {
            let size = message.size;
            return Err(Stop::Broken(Violation::MessageTooLarge { size, limit }, begin));
        }
        let limit = self.limits.max_fragments();
        if message.continuations > limit {
            return Err(Stop::Broken(Violation::TooManyFragments { limit }, begin));
        }
        let fails = message.is_text && self.rules.invalid_utf8() == InvalidUtf8::Fail;
        for _ in 0..frame.length {
            let at = source.at;
            let byte = source.byte()?;
            message.payload.push(byte);
            // 8.1, and told at the first byte that no character has there.
            if fails && !message.text.takes(byte) {
                return Err(Stop::Broken(Violation::InvalidUtf8, at));
            }
        }
        if !frame.fin {
            self.message = Some(message);
        } else if !message.is_text {
            self.told.push(Told::Binary(message.payload));
        } else if fails && !message.text.is_whole() {
            return Err(Stop::Broken(Violation::InvalidUtf8, source.at));
        } else {
            self.told.push(Told::Text(String::from_utf8_lossy(&message.payload).into_owned()));
        }
        Ok(())
    }

    /// 5.5.
    fn control(&mut self, frame: &Frame, source: &mut Source<'_>) -> Result<(), Stop> {
        let begin = source.at;
        let mut payload = Vec::new();
        for _ in 0..frame.length {
            payload.push(source.byte()?);
        }
        self.told.push(match frame.opcode {
            Opcode::Ping => Told::Ping(payload),
            Opcode::Pong => Told::Pong(payload),
            _ => Told::Close(self.close(begin, &payload)?, payload),
        });
        Ok(())
    }

    /// 5.5.1 and 7.4. Before hybi-06 there are no codes, and the payload is any bytes.
    fn close(&self, begin: usize, payload: &[u8]) -> Result<Option<CloseFrame>, Stop> {
        let rules = &self.rules;
        if rules.closing() != Closing::Codes {
            return Ok(None);
        }
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
