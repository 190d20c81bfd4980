//! Receiving: input becomes events, pings are answered, violations fail the connection.

use bytes::BufMut;
use hybi_frame::{Assembled as Event, FrameError, FramePart, Opcode};

use super::{Connection, DRAIN_BYTES, Error, Phase, framing::Framing};

/// While so much waits to be sent, Pings are not answered one by one.
const ANSWERS_LEN: usize = 64 * 1024;

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
        let len = chunk.len();
        if !self.is_receiving() {
            self.discard(len);
            return (len, None);
        }
        self.deadlines.heard();
        if self.has_encoded_stream() {
            return self.handle_encoded(chunk);
        }
        self.handle_frames(chunk)
    }

    /// Takes in bytes that are frames.
    pub(super) fn handle_frames<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        let len = chunk.len();
        let decoded = match &mut self.framing {
            Framing::Rfc6455(decoder) => decoder.decode(chunk),
            #[cfg(feature = "legacy")]
            Framing::Legacy(_) => return self.handle_legacy(chunk),
        };
        self.handle_part(decoded, len)
    }

    /// Takes in bytes that are frames of an old layout.
    #[cfg(feature = "legacy")]
    #[inline(never)]
    fn handle_legacy<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<Event<'a>>) {
        let len = chunk.len();
        let Framing::Legacy(codec) = &mut self.framing else { return (len, None) };
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
                let assembled = match &mut self.extended {
                    None => self.assembler.push(part),
                    Some(extended) => {
                        if part.header.opcode.is_data() {
                            self.deadlines.coded();
                        }
                        self.assembler.push_decoded(part, &mut extended.chain)
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
        if !self.is_receiving() || self.has_encoded_stream() {
            return None;
        }
        match &self.framing {
            Framing::Rfc6455(decoder) => self.assembler.direct_buffer(decoder),
            #[cfg(feature = "legacy")]
            Framing::Legacy(_) => None,
        }
    }

    /// Takes in what was appended to the [`direct_buffer`](Self::direct_buffer).
    pub fn handle_direct(&mut self) -> Option<Event<'static>> {
        self.deadlines.heard();
        let assembled = match &mut self.framing {
            Framing::Rfc6455(decoder) => self.assembler.push_direct(decoder),
            #[cfg(feature = "legacy")]
            Framing::Legacy(_) => Ok(None),
        };
        self.deliver(assembled)
    }

    fn deliver<'a>(
        &mut self,
        assembled: Result<Option<Event<'a>>, FrameError>,
    ) -> Option<Event<'a>> {
        // After the peer's Close frame only another one counts, and nobody is told of it.
        if self.end.is_some() && self.has_crossed() {
            match assembled {
                Ok(Some(Event::Close(frame))) => self.close_received(frame),
                Ok(_) => {}
                Err(error) => self.fail_protocol(error),
            }
            return None;
        }
        match &assembled {
            Ok(Some(Event::Text(_) | Event::Binary(_))) => self.deadlines.heard_message(),
            Ok(Some(Event::Ping(payload))) => self.answer_ping(payload),
            Ok(Some(Event::Close(frame))) => self.close_received(frame.clone()),
            Ok(Some(Event::Pong(_)) | None) => {}
            Err(error) => self.fail_protocol(*error),
        }
        assembled.ok().flatten()
    }

    /// Takes in the end of the transport.
    pub fn handle_eof(&mut self) {
        self.transport_ended();
    }

    /// Whether frames are still looked at; otherwise input is discarded.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::CloseSent | Phase::SendFailed)
    }

    /// Answers a Ping (section 5.5.2): at once if the transport takes bytes and not much waits for
    /// it, else with the newest answer only, so that a peer that asks and never reads cannot grow
    /// the outbox, nor one whose input an extension makes a thousand times as long.
    fn answer_ping(&mut self, payload: &[u8]) {
        if self.phase == Phase::SendFailed {
            return;
        }
        if self.blocked || self.outbox.len() >= ANSWERS_LEN {
            self.pong = Some(payload.into());
        } else {
            self.queue_control(Opcode::Pong, payload);
        }
    }

    pub(super) fn queue_pending_pong(&mut self) {
        if let Some(payload) = self.pong.take().filter(|_| self.is_receiving()) {
            self.queue_control(Opcode::Pong, &payload);
        }
    }

    fn discard(&mut self, len: usize) {
        self.discarded = self.discarded.saturating_add(len);
        if self.discarded > DRAIN_BYTES {
            self.let_go(Error::Lost);
        }
    }
}
