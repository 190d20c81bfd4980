//! Frames and messages of every version, in both roles: a stream means the same however it is cut and by
//! whichever way it is taken in, and what a [slow receiver](super::slow) makes of it.

use bytes::BufMut as _;
use hybi_frame::{
    Chunk, FrameDecoder, FrameError, FramePart, FrameRules, Limits, Located, MessageAssembler,
    Opcode, Role, Rsv,
};
use hybi_legacy::{FrameCodec, Terms, Version};

use super::input::{Cuts, Input};
use super::{slow, streams};
use crate::told::Told;

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let setting = Setting::choose(&mut input);
    let cuts = input.cuts();
    let stream = setting.stream(&mut input);
    let whole = setting.receive(&stream, &Cuts::none());
    assert_eq!(setting.receive(&stream, &cuts), whole, "cut as the input says");
    // A longer one says nothing more there, and takes its time.
    if stream.len() <= 1024 {
        assert_eq!(setting.receive(&stream, &Cuts::everywhere()), whole, "cut at every byte");
    }
    if let Err(error) = whole.1 {
        assert!(error.offset() <= stream.len() as u64, "{error} of {}", stream.len());
    }
    let reading = setting.slowly(&stream);
    let error = |(rule, at)| Err(FrameError::new(rule, at, reading.rules));
    let result = reading.broken.map_or(Ok(()), error);
    assert_eq!(whole, (reading.told, result), "as its document has it");
    if let Layout::Rfc { .. } = setting.layout {
        assert_eq!(setting.receive_in_place(&stream, &cuts), whole, "lent by a chunk");
    }
}

/// What a receiver told, and the rule that ended it.
type Outcome = (Vec<Told>, Result<(), FrameError>);

struct Setting {
    layout: Layout,
    role: Role,
    limits: Limits,
}

enum Layout {
    /// The layout from hybi-07 on, with what extensions use of the reserved bits (4, 2, 1).
    Rfc { rules: FrameRules, rsv_first: u8, rsv_next: u8 },
    /// An older one, or another of which the first byte of a client may tell.
    Legacy { terms: Terms, version: Version, other: Option<Version> },
}

/// What the ends of hybi-04 said in their fields, of which the masks are made.
const FIELDS: [&str; 2] = ["dGhlIHNhbXBsZSBub25jZQ==", "H+cNj5elaybfGIQv1esl2w=="];

impl Setting {
    fn choose(input: &mut Input<'_>) -> Self {
        const LAYOUTS: u8 = 14;
        let (layout, role) = (input.byte(), *input.choose(&[Role::Server, Role::Client]));
        let bits = input.byte();
        let rfc = |rules| {
            // RSV bits of every frame are lawful on the first as well.
            let rsv_next = bits >> 3 & 7;
            Layout::Rfc { rules, rsv_first: bits & 7 | rsv_next, rsv_next }
        };
        let legacy = |version| {
            let [key, nonce] = FIELDS;
            let terms = Terms::new(version).unwrap_or_else(|| Terms::hybi_04(key, nonce));
            Layout::Legacy { terms, version, other: None }
        };
        let or = |version, other| {
            let terms = Terms::new(version).expect("a version without a key").or(other);
            Layout::Legacy { terms, version, other: Some(other) }
        };
        let layout = match layout % LAYOUTS {
            0..3 => rfc(FrameRules::RFC6455),
            3 => rfc(FrameRules::HYBI_08),
            4 => rfc(FrameRules::HYBI_07),
            5 => legacy(Version::HIXIE_75),
            6 => legacy(Version::HIXIE_76),
            7 => legacy(Version::HYBI_01),
            8 => legacy(Version::HYBI_03),
            9 => legacy(Version::HYBI_04),
            10 => legacy(Version::HYBI_05),
            11 => legacy(Version::HYBI_06),
            12 => or(Version::HYBI_02, Version::HIXIE_76),
            _ => or(Version::HIXIE_76, Version::HYBI_03),
        };
        let limits = Limits::default();
        let limits = *input.choose(&[
            limits,
            limits.with_max_message(20).with_max_fragments(2),
            limits.with_max_message(40).with_max_frame(10).with_max_fragments(4),
            limits.with_max_frame(200),
        ]);
        Self { layout, role, limits }
    }

    fn stream(&self, input: &mut Input<'_>) -> Vec<u8> {
        match &self.layout {
            Layout::Rfc { .. } => streams::rfc(input, self.role.peer()),
            Layout::Legacy { terms, .. } => {
                streams::legacy(input, FrameCodec::new(terms, self.role.peer(), self.limits))
            }
        }
    }

    /// The stream as a slow receiver reads it.
    fn slowly(&self, stream: &[u8]) -> slow::Reading {
        let layout = match self.layout {
            Layout::Rfc { rules, rsv_first, rsv_next } => {
                slow::Layout::Rfc { rules, rsv_first, rsv_next }
            }
            Layout::Legacy { version, other, .. } => {
                // 00 and FF begin the frames of hixie-76, and nothing of hybi-01 to 03.
                let hixie = matches!(stream.first(), Some(0x00 | 0xff));
                let fits = |&version: &Version| (version == Version::HIXIE_76) == hixie;
                let may_tell = self.role == Role::Server && !stream.is_empty();
                let told = [Some(version), other].into_iter().flatten().find(fits);
                let version =
                    if other.is_some() && may_tell { told } else { None }.unwrap_or(version);
                slow::Layout::Draft { version, fields: FIELDS }
            }
        };
        slow::receive(
            &slow::Terms { sender: self.role.peer(), layout, limits: self.limits },
            stream,
        )
    }

    fn decoder(&self) -> (Decoder, MessageAssembler) {
        match &self.layout {
            Layout::Rfc { .. } => {
                let (decoder, assembler) = self.rfc_decoder();
                (Decoder::Rfc(decoder), assembler)
            }
            Layout::Legacy { terms, .. } => {
                let codec = FrameCodec::new(terms, self.role, self.limits);
                let assembler = MessageAssembler::new(codec.rules(), self.limits);
                (Decoder::Legacy(Box::new(codec)), assembler)
            }
        }
    }

    fn rfc_decoder(&self) -> (FrameDecoder, MessageAssembler) {
        let Layout::Rfc { rules, rsv_first, rsv_next } = self.layout else {
            panic!("an older layout")
        };
        let mut decoder = FrameDecoder::new(self.role, rules, self.limits);
        decoder.allow_rsv(Rsv::from_bits(rsv_first << 4));
        decoder.allow_rsv_on_every_frame(Rsv::from_bits(rsv_next << 4));
        (decoder, MessageAssembler::new(rules, self.limits))
    }

    /// Takes the stream in as the front page of `hybi-frame` does.
    fn receive(&self, stream: &[u8], cuts: &Cuts) -> Outcome {
        let (mut decoder, mut assembler) = self.decoder();
        let mut told = Vec::new();
        for chunk in cuts.of(stream) {
            let mut chunk = chunk.to_vec();
            let mut at = 0;
            while !told.last().is_some_and(Told::is_close) {
                let found = decoder.decode(&mut chunk[at..]);
                let (taken, part) = match found {
                    Ok(found) => found,
                    Err(error) => return (told, Err(error)),
                };
                at += taken;
                let Some(part) = part else {
                    assert_eq!(at, chunk.len(), "all bytes are taken");
                    break;
                };
                match assembler.push(part) {
                    Ok(Some(event)) => {
                        told.push(Told::from(event).with_payload_of(&assembler));
                    }
                    Ok(None) => {}
                    Err(error) => return (told, Err(error)),
                }
                let limit = self.limits.max_message();
                assert!(assembler.buffered() <= limit, "{} bytes held", assembler.buffered());
            }
        }
        (told, Ok(()))
    }

    /// Takes it in as a connection does: through a chunk, whole messages by the short way, and the rest of
    /// long frames past the chunk.
    fn receive_in_place(&self, stream: &[u8], cuts: &Cuts) -> Outcome {
        let (mut decoder, mut assembler) = self.rfc_decoder();
        let mut told = Vec::new();
        for bytes in cuts.of(stream) {
            let mut bytes = bytes;
            if let Some(mut room) = assembler.direct_buffer(&decoder) {
                let (front, rest) = bytes.split_at(room.remaining_mut().min(bytes.len()));
                room.put_slice(front);
                bytes = rest;
                match assembler.push_direct(&mut decoder) {
                    Ok(event) => told.extend(event.map(Told::from)),
                    Err(error) => return (told, Err(error)),
                }
            }
            let mut chunk = Chunk::holding(bytes);
            while !told.last().is_some_and(Told::is_close) {
                match chunk.decode_whole(&mut decoder, &assembler) {
                    Some(Opcode::Text) => told.push(Told::Text(chunk.lent_text().to_owned())),
                    Some(_) => told.push(Told::Binary(chunk.lent_bytes().to_vec())),
                    None => match step(&mut chunk, &mut decoder, &mut assembler) {
                        Ok(Some(event)) => told.push(event.with_payload_of(&assembler)),
                        Ok(None) if chunk.is_empty() => break,
                        Ok(None) => {}
                        Err(error) => return (told, Err(error)),
                    },
                }
            }
        }
        (told, Ok(()))
    }
}

/// The decoder of either layout.
enum Decoder {
    Rfc(FrameDecoder),
    Legacy(Box<FrameCodec>),
}

impl Decoder {
    fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        match self {
            Self::Rfc(decoder) => decoder.decode(chunk),
            Self::Legacy(codec) => codec.decode(chunk),
        }
    }
}

/// The next step on the long way: an event, `None` where more of the same chunk or of the next is to come.
fn step(
    chunk: &mut Chunk,
    decoder: &mut FrameDecoder,
    assembler: &mut MessageAssembler,
) -> Result<Option<Told>, FrameError> {
    let mut failed = None;
    let located = chunk.decode(usize::MAX, |bytes| {
        let found = decoder.decode(bytes).and_then(|(taken, part)| {
            let event = part.map(|part| assembler.push(part)).transpose()?;
            Ok((taken, event.flatten()))
        });
        found.unwrap_or_else(|error| {
            failed = Some(error);
            (0, None)
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(located.map(|located| match located {
        Located::Text => Told::Text(chunk.take_text().to_string()),
        Located::Binary => Told::Binary(chunk.take_bytes().to_vec()),
        Located::Ping => Told::Ping(chunk.take_bytes().to_vec()),
        Located::Pong => Told::Pong(chunk.take_bytes().to_vec()),
        Located::Owned(event) => Told::from(event),
    }))
}
