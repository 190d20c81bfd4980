//! Frames beside another receiver: what each tells of a stream, and the frame where they part.

use hybi_frame::{FrameDecoder, FrameRules, Limits, MessageAssembler, Role, Violation};

use super::{Difference, explained};
use crate::fuzz::input::{Cuts, Input};
use crate::fuzz::streams;
use crate::told::Told;

/// Another receiver.
pub(super) type Receive = fn(Role, Limits, Wire<'_>) -> Outcome;

/// Holds another receiver beside ours, whole and cut; the names of the differences that were met.
pub(super) fn seen(
    data: &[u8],
    receive: Receive,
    listed: &[Difference<Case>],
) -> Vec<&'static str> {
    let mut input = Input::new(data);
    let role = *input.choose(&[Role::Server, Role::Client]);
    // Never so small that a control frame could be too large: that is a matter of taste.
    let limits = |frame, message| Limits::default().with_max_frame(frame).with_max_message(message);
    let limits = *input.choose(&[limits(20_000, 30_000), limits(200, 300), limits(300, 200)]);
    let cuts = input.cuts();
    let stream = streams::rfc(&mut input, role.peer());
    let mut seen = Vec::new();
    let mut compare = |cuts: &Cuts| {
        let ours = ours(role, limits, &stream, cuts);
        let theirs = receive(role, limits, Wire::new(&stream, cuts));
        if (&ours.said, ours.failed) != (&theirs.said, theirs.failed) {
            let case = Case::new(role, limits, &stream, ours, theirs);
            seen.push(explained(&case, listed));
        }
    };
    compare(&Cuts::none());
    compare(&cuts);
    if stream.len() <= 1024 {
        compare(&Cuts::everywhere());
    }
    seen
}

/// What a receiver told of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) said: Vec<Said>,
    /// The close code with which the connection failed; `None` at the end of the stream and after a Close frame.
    pub(super) failed: Option<u16>,
}

/// A message or a control frame: the opcode of its first frame, and the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) opcode: u8,
    pub(super) payload: Vec<u8>,
}

impl Said {
    pub(super) const TEXT: u8 = 1;
    pub(super) const BINARY: u8 = 2;
    pub(super) const CLOSE: u8 = 8;
    pub(super) const PING: u8 = 9;
    pub(super) const PONG: u8 = 10;

    pub(super) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { opcode, payload: payload.into() }
    }

    /// A Close frame of this code and reason.
    pub(super) fn close(code: u16, reason: &str) -> Self {
        Self::new(Self::CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
    }

    pub(super) const fn is_close(&self) -> bool {
        self.opcode == Self::CLOSE
    }

    /// The code of a Close frame that has one.
    pub(super) fn code(&self) -> Option<u16> {
        self.is_close().then(|| code(&self.payload)).flatten()
    }
}

/// The first two bytes of the payload of a Close frame.
fn code(payload: &[u8]) -> Option<u16> {
    payload.first_chunk().copied().map(u16::from_be_bytes)
}

/// Of ours, more is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Ours {
    pub(super) said: Vec<Said>,
    pub(super) failed: Option<u16>,
    /// The broken rule, and where.
    pub(super) broken: Option<(Violation, usize)>,
    /// Where what was said ended.
    ends: Vec<usize>,
}

fn ours(role: Role, limits: Limits, stream: &[u8], cuts: &Cuts) -> Ours {
    let rules = FrameRules::RFC6455;
    let mut decoder = FrameDecoder::new(role, rules, limits);
    let mut assembler = MessageAssembler::new(rules, limits);
    let mut ours = Ours::default();
    let mut taken_before = 0;
    for chunk in cuts.of(stream) {
        let mut chunk = chunk.to_vec();
        let mut at = 0;
        loop {
            let step = decoder.decode(&mut chunk[at..]).and_then(|(taken, part)| {
                at += taken;
                let Some(part) = part else { return Ok(None) };
                let event = assembler.push(part)?.map(Told::from);
                Ok(Some(event.map(|told| told.with_payload_of(&assembler))))
            });
            match step {
                Ok(None) => break,
                Ok(Some(None)) => {}
                Ok(Some(Some(told))) => {
                    ours.ends.push(taken_before + at);
                    ours.said.push(match told {
                        Told::Text(text) => Said::new(Said::TEXT, text),
                        Told::Binary(payload) => Said::new(Said::BINARY, payload),
                        Told::Ping(payload) => Said::new(Said::PING, payload),
                        Told::Pong(payload) => Said::new(Said::PONG, payload),
                        Told::Close(_, payload) => {
                            ours.said.push(Said::new(Said::CLOSE, payload));
                            return ours;
                        }
                    });
                }
                Err(error) => {
                    ours.failed = Some(error.close_code().as_u16());
                    ours.broken = Some((error.violation(), error.offset() as usize));
                    return ours;
                }
            }
        }
        taken_before += chunk.len();
    }
    ours
}

/// Two readings of one stream that are not the same.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) role: Role,
    pub(super) limits: Limits,
    pub(super) ours: Ours,
    pub(super) theirs: Outcome,
    /// The frame that we refused, or that ended what they did not say so; none where we wait for more.
    pub(super) frame: Option<Frame>,
}

impl Case {
    fn new(role: Role, limits: Limits, stream: &[u8], ours: Ours, theirs: Outcome) -> Self {
        let mut frames = Frame::all(stream).into_iter();
        let same = ours.said.iter().zip(&theirs.said).take_while(|(ours, theirs)| ours == theirs);
        let frame = match (ours.ends.get(same.count()), ours.broken) {
            (Some(&end), _) => frames.find(|frame| frame.end == end),
            // What is wrong with a text may be that it ends.
            (None, Some((Violation::InvalidUtf8 | Violation::InvalidCloseReason, at))) => {
                frames.find(|frame| frame.begin < at && at <= frame.end)
            }
            (None, Some((_, at))) => frames.find(|frame| frame.begin <= at && at < frame.end),
            (None, None) => None,
        };
        Self { role, limits, ours, theirs, frame }
    }

    /// The rule by which we refuse the frame, having said what they did up to there, and perhaps less after it.
    pub(super) fn refused(&self) -> Option<(Violation, &Frame)> {
        let (violation, _) = self.ours.broken?;
        let frame = self.frame.as_ref()?;
        self.theirs.said.starts_with(&self.ours.said).then_some((violation, frame))
    }

    /// The same where they said no more than we did.
    pub(super) fn refused_there(&self) -> Option<(Violation, &Frame)> {
        self.refused().filter(|_| self.theirs.said.len() == self.ours.said.len())
    }

    /// What either said first that the other did not.
    pub(super) fn next_said(&self) -> (Option<&Said>, Option<&Said>) {
        let same = self.ours.said.iter().zip(&self.theirs.said);
        let same = same.take_while(|(ours, theirs)| ours == theirs).count();
        (self.ours.said.get(same), self.theirs.said.get(same))
    }
}

/// A frame as it lies in a stream (RFC 6455, section 5.2), as far as it is there.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    begin: usize,
    /// Behind it, or behind what is there of it.
    end: usize,
    pub(super) fin: bool,
    /// The MASK bit.
    pub(super) masked: bool,
    /// As declared, once that is there.
    pub(super) length: u64,
    /// Its first two bytes are there.
    pub(super) is_begun: bool,
    /// The key is there as well.
    pub(super) has_header: bool,
    pub(super) is_whole: bool,
    /// Unmasked.
    pub(super) payload: Vec<u8>,
}

impl Frame {
    fn all(stream: &[u8]) -> Vec<Self> {
        let mut frames: Vec<Self> = Vec::new();
        loop {
            let begin = frames.last().map_or(0, |frame| frame.end);
            if begin == stream.len() || frames.last().is_some_and(|frame| !frame.is_whole) {
                return frames;
            }
            frames.push(Self::first(&stream[begin..], begin));
        }
    }

    fn first(stream: &[u8], begin: usize) -> Self {
        let byte = |at: usize| stream.get(at).copied().unwrap_or(0);
        let masked = byte(1) & 0x80 != 0;
        let bytes_of_length = match byte(1) & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let number = |sum, at| sum << 8 | u64::from(byte(at));
        let long = (2..2 + bytes_of_length).fold(0, number);
        let length = if bytes_of_length == 0 { u64::from(byte(1) & 0x7f) } else { long };
        let key_at = 2 + bytes_of_length;
        let header = key_at + if masked { 4 } else { 0 };
        let rest = stream.get(header..).unwrap_or_default();
        let there = rest.len().min(length.try_into().unwrap_or(usize::MAX));
        let unmask =
            |(at, byte_of): (usize, &u8)| byte_of ^ if masked { byte(key_at + at % 4) } else { 0 };
        Self {
            begin,
            end: begin + stream.len().min(header + there),
            fin: byte(0) & 0x80 != 0,
            masked,
            length,
            is_begun: stream.len() >= 2,
            has_header: stream.len() >= header,
            is_whole: stream.len() >= header && there as u64 == length,
            payload: rest[..there].iter().enumerate().map(unmask).collect(),
        }
    }

    /// The reason of a Close frame is not UTF-8.
    pub(super) fn has_bad_reason(&self) -> bool {
        self.is_whole && core::str::from_utf8(self.payload.get(2..).unwrap_or_default()).is_err()
    }
}

/// A transport that brings a stream in chunks and takes whatever is written.
pub(super) struct Wire<'a> {
    chunks: Vec<&'a [u8]>,
    at: usize,
}

impl<'a> Wire<'a> {
    fn new(stream: &'a [u8], cuts: &Cuts) -> Self {
        // One of no bytes would be the end.
        Self { chunks: cuts.of(stream).filter(|chunk| !chunk.is_empty()).collect(), at: 0 }
    }

    /// The next bytes, at most so many; none at the end.
    pub(super) fn next(&mut self, most: usize) -> &'a [u8] {
        let Some(chunk) = self.chunks.get_mut(self.at) else { return &[] };
        let (front, rest) = chunk.split_at(most.min(chunk.len()));
        *chunk = rest;
        self.at += usize::from(rest.is_empty());
        front
    }
}
