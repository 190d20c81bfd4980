//! Inbound: input becomes events; what they ask of the other direction is handed to it
//! (RFC 6455 sections 5.4 to 5.5 and 6.2).

use core::num::NonZero;

use bytes::{BufMut, Bytes};
use hybi_compression::Chain;
use hybi_frame::{
    Chunk, Event, FrameError, FramePart, Gathering, Limits, MessageAssembler, Opcode,
};

use super::{
    Connection, DRAIN_BYTES, MessageKind, framing::Framing, state::Receiving, stats::Counting,
};

/// What the peer's direction needs: how it stands, what frames are read with, and the message in
/// progress.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) state: Receiving,
    pub(super) framing: Framing,
    pub(super) assembler: MessageAssembler,
    wanted: Wanted,
    /// How many bytes more than frames carried came of them.
    pub(super) added: i64,
    /// How many bytes went through a filter that is gone.
    pub(super) encoded: Option<NonZero<u64>>,
    /// Bytes that came after the last frame that counts.
    discarded: u32,
}

/// How messages are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Pieces,
    /// The one in progress is not, and the next is wanted whole.
    NotThisOne,
}

impl Inbound {
    pub(super) fn new(framing: Framing, limits: Limits) -> Self {
        let assembler = MessageAssembler::new(framing.rules(), limits);
        Self {
            state: Receiving::Open,
            framing,
            assembler,
            wanted: Wanted::Whole,
            added: 0,
            encoded: None,
            discarded: 0,
        }
    }
}

impl Connection {
    /// Takes in bytes from the transport, decoding in place.
    ///
    /// Consumes bytes from the front of `chunk` and returns how many, with the event that they
    /// completed, if any; call again with the rest until all are consumed. A call that returns no
    /// event consumes at least one byte, and after an event the next call may well find another in
    /// the bytes that are left. The payload is lent from `chunk` where it lay there whole.
    ///
    /// A violation of the protocol fails the connection (RFC 6455 section 7.1.7): a Close frame
    /// is queued, [`error`](Self::error) tells which rule was broken at which byte, and all
    /// further input is discarded.
    pub fn handle_input<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        if !self.is_receiving() {
            self.discard(chunk.len());
            return (chunk.len(), None);
        }
        self.deadlines.heard();
        if self.filter.is_some() {
            return self.handle_encoded(chunk);
        }
        self.handle_frames(chunk)
    }

    /// Takes in the whole message that begins `chunk`, if there is one and nothing else is to be done
    /// with it: most messages come this way.
    #[inline]
    pub(crate) fn decode_whole(&mut self, chunk: &mut Chunk) -> Option<Opcode> {
        let Framing::Rfc6455(decoder) = &mut self.inbound.framing else { return None };
        if !matches!(self.inbound.state, Receiving::Open)
            || self.filter.is_some()
            || self.extensions.is_some()
        {
            return None;
        }
        let kind = chunk.decode_whole(decoder, &self.inbound.assembler)?;
        self.deadlines.heard();
        self.deadlines.heard_piece();
        Some(kind)
    }

    /// Takes in bytes that are frames.
    pub(super) fn handle_frames<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        let len = chunk.len();
        let decoded = match &mut self.inbound.framing {
            Framing::Rfc6455(decoder) => decoder.decode(chunk),
            Framing::Legacy(_) => return self.handle_legacy(chunk),
        };
        self.handle_part(decoded, len)
    }

    /// Takes in bytes that are frames of an old layout.
    #[inline(never)]
    fn handle_legacy<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        let len = chunk.len();
        let Framing::Legacy(codec) = &mut self.inbound.framing else { return (len, None) };
        let decoded = codec.decode(chunk);
        // It may have been left open until the client speaks.
        if let Some(negotiated) = &mut self.negotiated {
            negotiated.version = codec.version();
        }
        self.handle_part(decoded, len)
    }

    /// Takes in what was decoded at the front of `len` bytes.
    #[inline(always)]
    fn handle_part<'a>(
        &mut self,
        decoded: Result<(usize, Option<FramePart<'a>>), FrameError>,
        len: usize,
    ) -> (usize, Option<Event<'a>>) {
        match decoded {
            Ok((consumed, None)) => (consumed, None),
            Ok((consumed, Some(part))) => {
                // A piece of a message is as good as a message: a long one takes its time.
                if part.header.opcode.is_data() {
                    self.deadlines.heard_piece();
                }
                let assembled = match &mut self.extensions {
                    None => self.inbound.assembler.push(part),
                    Some(chain) => {
                        if part.header.opcode.is_data() {
                            self.deadlines.coded();
                        }
                        let added = &mut self.inbound.added;
                        let mut counting = Counting { chain, added };
                        self.inbound.assembler.push_decoded(part, &mut counting)
                    }
                };
                match self.deliver(assembled) {
                    Some(event) => (consumed, Some(event)),
                    None if self.is_receiving() => (consumed, None),
                    None => (len, None),
                }
            }
            Err(error) => {
                self.fail_protocol(error);
                (len, None)
            }
        }
    }

    /// Room to read the rest of a large message into directly, if one is being received.
    ///
    /// What the transport appends to it, never beyond its limit, is taken in by
    /// [`handle_direct`](Self::handle_direct). It spares a copy; not using it is always correct.
    pub fn direct_buffer(&mut self) -> Option<impl BufMut> {
        if !self.is_receiving() || self.filter.is_some() {
            return None;
        }
        match &self.inbound.framing {
            Framing::Rfc6455(decoder) => self.inbound.assembler.direct_buffer(decoder),
            Framing::Legacy(_) => None,
        }
    }

    /// Takes in what was appended to the [`direct_buffer`](Self::direct_buffer).
    pub fn handle_direct(&mut self) -> Option<Event<'static>> {
        self.deadlines.heard();
        self.deadlines.heard_piece();
        let assembled = match &mut self.inbound.framing {
            Framing::Rfc6455(decoder) => self.inbound.assembler.push_direct(decoder),
            Framing::Legacy(_) => Ok(None),
        };
        self.deliver(assembled)
    }

    /// Hands on what an event asks of the other direction, and then the event.
    fn deliver<'a>(
        &mut self,
        assembled: Result<Option<Event<'a>>, FrameError>,
    ) -> Option<Event<'a>> {
        // After the peer's Close frame only another one counts, and nobody is told of it.
        if let Receiving::Crossed(_) = self.inbound.state {
            match assembled {
                Ok(Some(Event::Close(frame))) => self.close_received(frame),
                Ok(_) => {}
                Err(error) => self.fail_protocol(error),
            }
            return None;
        }
        if self.inbound.wanted == Wanted::NotThisOne {
            let _ = self.inbound.assembler.take_piece();
            if matches!(&assembled, Ok(Some(Event::Text(_) | Event::Binary(_)))) {
                self.want(Wanted::Whole);
                return None;
            }
        }
        match &assembled {
            Ok(Some(Event::Text(_) | Event::Binary(_)) | None) => {}
            Ok(Some(Event::Pong(_))) => self.deadlines.answered(),
            Ok(Some(Event::Ping(payload))) => self.answer_ping(payload),
            Ok(Some(Event::Close(frame))) => self.close_received(frame.clone()),
            Err(error) => self.fail_protocol(*error),
        }
        assembled.ok().flatten()
    }

    /// Says how messages are wanted that do not come whole, from now on: put together within the limits, or in pieces,
    /// which are [taken](Self::take_piece) as they come. Pieces are never held for long, so that the limits on messages
    /// and frames are not for them. A message that began beyond a limit fails the connection if it is wanted whole
    /// in the end.
    ///
    /// ```
    /// use hybi::{Config, Connection, Event, Negotiated, Role, frame::Gathering};
    ///
    /// let config = Config::default().max_message(5);
    /// let mut client = Connection::new(Role::Client, Negotiated::default(), config.into());
    /// client.set_gathering(Gathering::Pieces);
    /// let mut front = *b"\x82\x0babcdef";
    /// assert!(client.handle_input(&mut front).1.is_none());
    /// assert_eq!(client.take_piece().as_deref(), Some(&b"abcdef"[..]));
    /// // What is left of it is an event, which ends it.
    /// let mut rest = *b"ghijk";
    /// let (_, event) = client.handle_input(&mut rest);
    /// let Some(Event::Binary(rest)) = event else { panic!("the message ended") };
    /// assert_eq!(&rest[..], b"ghijk");
    /// ```
    pub fn set_gathering(&mut self, gathering: Gathering) {
        self.want(match gathering {
            Gathering::Whole => Wanted::Whole,
            Gathering::Pieces => Wanted::Pieces,
        });
    }

    /// Takes what has come of the message in progress; `None` between messages. Pieces of text are text each, and one
    /// may be empty.
    pub fn take_piece(&mut self) -> Option<Bytes> {
        self.inbound.assembler.take_piece().map(|(_, piece)| piece)
    }

    /// Whether [`take_piece`](Self::take_piece) would give more than an empty piece.
    #[must_use]
    pub fn has_piece(&self) -> bool {
        self.inbound.assembler.has_piece()
    }

    /// What the message in progress is; `None` between messages.
    #[must_use]
    pub fn kind_in_progress(&self) -> Option<MessageKind> {
        let kind = |opcode| match opcode {
            Opcode::Text => MessageKind::Text,
            _ => MessageKind::Binary,
        };
        self.inbound.assembler.kind().map(kind)
    }

    /// Skips the message in progress: what has come of it and what will come. The next is wanted whole.
    pub fn skip_message(&mut self) {
        if self.inbound.assembler.in_message() {
            let _ = self.inbound.assembler.take_piece();
            self.want(Wanted::NotThisOne);
        } else {
            self.want(Wanted::Whole);
        }
    }

    fn want(&mut self, wanted: Wanted) {
        if self.inbound.wanted == wanted {
            return;
        }
        self.inbound.wanted = wanted;
        let limits = self.config.limits;
        let (gathering, limits) = match wanted {
            Wanted::Whole => (Gathering::Whole, limits),
            Wanted::Pieces | Wanted::NotThisOne => {
                (Gathering::Pieces, limits.with_max_frame(u64::MAX).with_max_message(usize::MAX))
            }
        };
        self.inbound.framing.set_limits(limits);
        if let Err(error) = self.inbound.assembler.set_gathering(gathering)
            && self.is_receiving()
        {
            self.fail_protocol(error);
        }
    }

    /// Takes in the end of the transport.
    pub fn handle_eof(&mut self) {
        self.input_ended();
    }

    /// Whether frames are still looked at; otherwise input is discarded.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.inbound.state.takes_frames()
    }

    /// Whether what comes next is a control frame, which can be taken in without anybody who waits for
    /// messages; so can everything once no frame counts any more.
    pub(crate) fn next_is_control(&mut self, chunk: &[u8]) -> bool {
        if !self.is_receiving() {
            return !chunk.is_empty();
        }
        match &mut self.filter {
            // What does not tell belongs to no message as yet.
            None => self.inbound.framing.next_is_control(chunk).unwrap_or(!chunk.is_empty()),
            Some(_) => self.next_plain_is_control(chunk),
        }
    }

    /// Whether a message has begun and not ended, so that more of it comes next. In the middle of a control
    /// frame it has not, unless that stands in the middle of a message.
    pub(crate) fn is_within_message(&self) -> bool {
        self.is_receiving() && self.inbound.assembler.in_message()
    }

    /// Whether somebody takes the pieces of a message that has not ended.
    pub(crate) fn is_within_pieces(&self) -> bool {
        self.inbound.wanted == Wanted::Pieces && self.is_within_message()
    }

    /// Whether answers to control frames wait to leave.
    pub(crate) fn owes_answers(&self) -> bool {
        self.outbound.owes_answers
    }

    /// Whether the peer ended its direction, so that nobody waits for what we still send. In hixie-75 it
    /// may have ended its half of the transport alone.
    pub(crate) fn peer_reads_no_more(&self) -> bool {
        !self.is_receiving() && self.closing() != hybi_frame::Closing::Transport
    }

    /// Whether messages may be queued.
    pub(crate) fn takes_messages(&self) -> bool {
        matches!(self.outbound.state, super::state::Sending::Open)
    }

    /// How many bytes of input to pass at once: what a codec makes of a few may be a lot.
    pub(crate) fn input_limit(&self) -> usize {
        if self.extensions.is_some() { Chain::DECODE_SLICE } else { usize::MAX }
    }

    /// How many bytes of the message in progress are gathered.
    pub(crate) fn gathered(&self) -> usize {
        self.inbound.assembler.buffered()
    }

    /// How many bytes `chunk` lacks of the frame that begins it, where it pays to read them behind it
    /// before they are taken in. Payloads for a codec are gathered in any case.
    pub(crate) fn missing(&self, chunk: &[u8]) -> Option<u64> {
        match &self.inbound.framing {
            Framing::Rfc6455(decoder) if self.extensions.is_none() => decoder.missing(chunk),
            _ => None,
        }
    }

    /// Discards input, which is bounded: reading for ever would let the peer decide when we end. If its Close
    /// frame was not answered before, it is now, and while the answer leaves as much again may come.
    fn discard(&mut self, len: usize) {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.inbound.discarded = self.inbound.discarded.saturating_add(len);
        if self.inbound.discarded as usize <= DRAIN_BYTES {
            return;
        }
        if self.owes_close() {
            self.inbound.discarded = 0;
            self.answer_close();
        } else {
            self.let_go(super::Error::Lost);
        }
    }
}
