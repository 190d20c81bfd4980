//! Ending: the closing handshake, failing the connection, timeouts, the transport's end
//! (RFC 6455 section 7). The table of the states is in `state.rs`.

use std::time::Instant;

use hybi_frame::{CloseCode, CloseFrame, Closing, FrameError, Opcode, Role};

use super::{
    CloseStatus, Connection, Deadline, Endpoint, Error, State,
    deadlines::{Due, Judge, Situation, Stage},
    is_end_without_goodbye,
    slices::Behind,
    state::{LastHeard, LastWord, Receiving, Sending},
};

impl Connection {
    /// Whether the sending half of the transport is to be ended now: everything queued has been
    /// transmitted or never will be, and it is ours to end it (section 7.1.1: the server's first, so
    /// that the client is not left with the port; either's after a failure).
    ///
    /// Follow it with [`shutdown_done`](Self::shutdown_done).
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        if self.has_unsent() {
            return false;
        }
        match (&self.inbound.state, &self.outbound.state) {
            // In hixie-75 this is what a Close frame is elsewhere.
            (Receiving::Open, Sending::Closing(_)) => self.closing() == Closing::Transport,
            // Clients of hixie-76 did not wait for servers, some of which wait for them.
            (Receiving::Draining(_), Sending::Closing(_)) => {
                self.role == Role::Server
                    || self.error.is_some()
                    || self.closing() == Closing::Marker
            }
            (Receiving::Ended(_), Sending::Closing(_))
            | (Receiving::Draining(_) | Receiving::Ended(_), Sending::Failed(..)) => true,
            _ => false,
        }
    }

    /// Notes that the sending half of the transport was ended, or cannot be. Keep reading (the bytes
    /// are discarded, within bounds) until the peer ends its half, so that unread bytes do not turn
    /// the end into a reset that overtakes our Close frame.
    pub fn shutdown_done(&mut self) {
        let word = self.outbound.state.last_word();
        if let Sending::Failed(..) = self.outbound.state {
            // Nothing of ours could be overtaken.
            self.inbound.state = Receiving::Ended(self.inbound.state.last_heard());
        }
        self.outbound.state = self.outbound.state.shut(word);
    }

    /// Takes in that the sending half of the transport cannot be ended. Whatever that is called, it is not
    /// the end of the input; and it is not tried again.
    pub(crate) fn shutdown_failed(&mut self, error: std::io::Error) {
        self.transport_failed(error.into());
        if self.wants_shutdown() {
            self.shutdown_done();
        }
    }

    /// Takes in that the time is `now`.
    ///
    /// Sends keep-alive pings, and ends the connection when a deadline of
    /// [`Config`](crate::Config) has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.judge_timeout(Judge::Reader, now);
    }

    /// The same for somebody who may not have taken in all that came.
    pub(crate) fn judge_timeout(&mut self, judge: Judge, now: Instant) {
        while let Some(due) = self.deadlines.due(&self.config, judge, self.situation(), now) {
            match due {
                Due::SendPing if !self.inbound.framing.is_settled() => {
                    self.deadlines.cannot_ping_yet();
                }
                Due::SendPing if self.rules().text_only() => self.deadlines.cannot_ping(),
                Due::SendPing => self.queue_control(Opcode::Ping, &[]),
                Due::NoPong => {
                    self.fail(Error::Timeout(Deadline::Pong), CloseCode::INTERNAL_ERROR);
                }
                Due::Idle => self.fail(Error::Timeout(Deadline::Idle), CloseCode::GOING_AWAY),
                // Of a connection that is over only the transport's end was left.
                Due::WriteBlocked if self.state() == State::Closed => {
                    self.let_go(Error::Timeout(Deadline::Write));
                }
                Due::WriteBlocked => self.give_up(Error::Timeout(Deadline::Write)),
                Due::Park => self.park(),
                Due::End(stage) => self.end_is_due(stage),
            }
        }
    }

    /// What the end waits for, and what else deadlines depend on.
    pub(super) fn situation(&self) -> Situation {
        let stage = match (&self.inbound.state, &self.outbound.state) {
            (Receiving::Open, Sending::Open) => None,
            (_, Sending::Closing(_)) if self.has_unsent() => Some(Stage::Leaving),
            (_, Sending::Open) => Some(Stage::Answering),
            (Receiving::Open | Receiving::Crossed(_), Sending::Closing(_) | Sending::Shut(..))
            | (Receiving::Draining(_), Sending::Closing(_)) => Some(Stage::Answer),
            (Receiving::Open | Receiving::Crossed(_), Sending::Failed(..)) => {
                Some(Stage::LastWords)
            }
            _ => Some(Stage::LastBytes),
        };
        Situation { stage, has_active_codec: self.has_active_codec() }
    }

    /// The time for a stage of the end has passed.
    fn end_is_due(&mut self, stage: Stage) {
        match (&self.inbound.state, &self.outbound.state, stage) {
            (_, _, Stage::Answering) => self.answer_close(),
            (_, Sending::Closing(_), Stage::Leaving) => {
                self.give_up(Error::Timeout(Deadline::Write));
            }
            // In hixie-75 our end of the transport needs no answer.
            (Receiving::Open, Sending::Shut(..), _) if self.closing() == Closing::Transport => {
                self.inbound.state = Receiving::Ended(LastHeard::EndOfInput);
            }
            (_, _, Stage::LastWords) => self.input_ended(),
            (Receiving::Open | Receiving::Crossed(_), ..) => {
                self.give_up(Error::Timeout(Deadline::Close));
            }
            _ => self.let_go(Error::Timeout(Deadline::Write)),
        }
    }

    /// Waits for nothing any more. What was queued will never leave, which is an error like any other:
    /// somebody was told that it would be sent.
    pub(super) fn let_go(&mut self, unsent: Error) {
        if self.has_unsent() {
            return self.give_up(unsent);
        }
        match (&self.inbound.state, &self.outbound.state) {
            // The peer does not end its half, so we do.
            (Receiving::Draining(last), Sending::Closing(_)) => {
                self.inbound.state = Receiving::Ended(last.clone());
            }
            (receiving, sending) => {
                let (last, word) = (receiving.last_heard(), sending.last_word());
                self.inbound.state = Receiving::Ended(last);
                self.outbound.state = sending.shut(word);
            }
        }
        self.release_extensions();
    }

    /// Ends the connection at once, with an error and without another word to the peer.
    pub(super) fn give_up(&mut self, error: Error) {
        let word = self.word_that_left();
        self.fails_of(error.clone());
        self.outbound.discard();
        self.outbound.state = match &self.outbound.state {
            // It is not to be ended twice.
            Sending::Shut(..) => self.outbound.state.shut(word),
            _ => Sending::Failed(word, Box::new(error)),
        };
        self.inbound.state = Receiving::Ended(self.inbound.state.last_heard());
        self.release_extensions();
    }

    /// Our last word, unless it is among what did not leave. Behind it there may be answers.
    fn word_that_left(&self) -> LastWord {
        let word = self.outbound.state.last_word();
        if self.outbound.len() <= self.outbound.behind_close as usize {
            return word;
        }
        let was_first = matches!(self.inbound.state.last_heard(), LastHeard::Close(_));
        LastWord { code: None, began: was_first.then_some(Endpoint::Peer) }
    }

    /// Takes in that writing to the transport failed: nothing more can be sent.
    ///
    /// Go on reading: a peer that gave up on us has often said why in a Close frame, which is
    /// then in front of the end of input. If none comes, this is the error.
    pub fn handle_write_error(&mut self, error: std::io::Error) {
        match (&self.inbound.state, &self.outbound.state) {
            (Receiving::Open | Receiving::Crossed(_), Sending::Open | Sending::Closing(_)) => {
                let word = self.word_that_left();
                self.outbound.discard();
                self.outbound.state = Sending::Failed(word, Box::new(error.into()));
            }
            // Whatever it is called, it is not the end of the input.
            _ => self.transport_failed(error.into()),
        }
    }

    /// Takes in that the transport failed: nothing more can be sent or received.
    ///
    /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof), by which TLS tells that the peer left
    /// without a close_notify, is the [end of input](Self::handle_eof); only hixie-75, which has
    /// nothing but that end to close with, does not take it for an orderly one.
    pub fn handle_transport_error(&mut self, error: std::io::Error) {
        let is_end = is_end_without_goodbye(&error);
        let hixie_75 = self.closing() == Closing::Transport;
        if is_end && !hixie_75 {
            return self.input_ended();
        }
        self.transport_failed(if is_end { Error::Lost } else { error.into() });
    }

    /// Nothing more can be sent or received, for this reason.
    fn transport_failed(&mut self, error: Error) {
        let hixie_75 = self.closing() == Closing::Transport;
        let unsent = self.has_unsent();
        match (&self.inbound.state, &self.outbound.state) {
            // In hixie-75 our end of the transport settles the outcome.
            (Receiving::Open, Sending::Shut(..)) if self.may_end_here() => {
                self.inbound.state = Receiving::Ended(LastHeard::EndOfInput);
            }
            (Receiving::Open | Receiving::Crossed(_), _) => self.give_up(error),
            // There, the peer's says nothing about what we sent.
            _ if hixie_75 && unsent => self.give_up(error),
            // Once the peer's Close frame is here, or we failed the connection, the outcome is
            // settled; a peer that resets the transport instead of waiting changes nothing but
            // whether our own has left.
            (receiving, _) => {
                self.inbound.state = Receiving::Ended(receiving.last_heard());
                let word = self.word_that_left();
                self.outbound.discard();
                self.outbound.state = self.outbound.state.shut(word);
                self.release_extensions();
            }
        }
    }

    /// The peer ended its half of the transport; what is queued may still leave.
    pub(super) fn input_ended(&mut self) {
        match (&self.inbound.state, &self.outbound.state) {
            (Receiving::Open, Sending::Open | Sending::Closing(_) | Sending::Shut(..))
                if self.may_end_here() =>
            {
                self.inbound.state = Receiving::Ended(LastHeard::EndOfInput);
            }
            // Nothing explains why we could not send.
            (Receiving::Open | Receiving::Crossed(_), Sending::Failed(_, error)) => {
                let error = Error::clone(error);
                self.give_up(error);
            }
            (Receiving::Open, _) => self.give_up(Error::Lost),
            (receiving, _) => self.inbound.state = Receiving::Ended(receiving.last_heard()),
        }
    }

    pub(super) fn closing(&self) -> Closing {
        self.rules().closing()
    }

    /// Whether the end of the transport is how the peer ends the connection in order.
    fn may_end_here(&self) -> bool {
        self.closing() == Closing::Transport && self.inbound.framing.at_frame_boundary()
    }

    /// Begins the closing handshake as another connection ended: with its code and reason, or what
    /// comes [nearest](CloseStatus::forwarded) here. Nothing happens if it has begun.
    pub fn forward_close(&mut self, status: &CloseStatus) {
        if self.is_open() {
            let frame = status.forwarded(self.rules(), self.role);
            self.begin_closing_handshake(frame.as_ref());
        }
    }

    /// The same with a frame, or what comes nearest to it here.
    pub(crate) fn close_nearest(&mut self, frame: &CloseFrame) {
        if self.is_open() {
            let frame = frame.nearest(self.rules(), self.role);
            self.begin_closing_handshake(Some(&frame));
        }
    }

    /// Section 7.1.2: our Close frame goes out first, or instead of an answer to the peer's that nobody has
    /// sent yet.
    pub(super) fn begin_closing_handshake(&mut self, frame: Option<&CloseFrame>) {
        let began = if self.owes_close() { Endpoint::Peer } else { Endpoint::Local };
        let frame = frame.filter(|_| self.rules().has_close_codes());
        let mut payload = self.closing().opening(self.role).to_vec();
        if let Some(frame) = frame {
            frame.encode(&mut payload);
        }
        self.queue_close(&payload, frame.map(CloseFrame::code), began);
    }

    /// Takes in the peer's Close frame: it answers ours, or ours [will answer](Self::answer_close) it. In hybi-03
    /// and 04 it may have crossed ours without being the answer to it: it is answered then, once, and
    /// ours goes on waiting.
    pub(super) fn close_received(&mut self, frame: Option<CloseFrame>) {
        self.queue_pending_pong();
        let code = frame.as_ref().map(CloseFrame::code);
        let close = frame.map(Box::new);
        match (&self.inbound.state, &self.outbound.state) {
            (Receiving::Open, Sending::Closing(_)) if !self.is_answer_to_ours() => {
                self.queue_answer(code);
                self.inbound.state = Receiving::Crossed(close);
                return;
            }
            (Receiving::Open, _) => {
                self.inbound.state = Receiving::Draining(LastHeard::Close(close));
            }
            // What the first of two said is what counts.
            (receiving, _) => self.inbound.state = Receiving::Draining(receiving.last_heard()),
        }
        self.outbound.owes_answers = true;
        self.release_extensions();
    }

    /// Whether the peer's Close frame, or its end of a transport of hixie-75, waits for our answer.
    pub(crate) fn owes_close(&self) -> bool {
        matches!(
            (&self.inbound.state, &self.outbound.state),
            (Receiving::Draining(_) | Receiving::Ended(_), Sending::Open)
        )
    }

    /// Queues the answer to the peer's Close frame, if it is to be answered (section 5.5.1): nothing
    /// follows it.
    pub(crate) fn answer_close(&mut self) {
        if self.owes_close() {
            let code = match self.inbound.state.last_heard() {
                LastHeard::Close(close) => close.map(|frame| frame.code()),
                LastHeard::EndOfInput | LastHeard::Nothing => None,
            };
            self.queue_answer(code);
        }
    }

    /// Queues a frame that answers the Close frame that came last.
    fn queue_answer(&mut self, code: Option<CloseCode>) {
        let received = self.inbound.assembler.close_payload();
        let answer = match self.config.answer_to_empty_close {
            Some(code) if received.is_empty() => code.as_u16().to_be_bytes().to_vec(),
            _ => self.closing().answer(self.role, received).to_vec(),
        };
        self.queue_close(&answer, code, Endpoint::Peer);
    }

    /// Whether the Close frame that came last answers ours, as far as that can be told.
    fn is_answer_to_ours(&self) -> bool {
        let (closing, received) = (self.closing(), self.inbound.assembler.close_payload());
        closing.is_answer(closing.opening(self.role), received)
    }

    /// Text is not what the caller takes.
    pub(crate) fn refuse_text(&mut self) {
        self.fail(Error::NotBytes, CloseCode::UNSUPPORTED_DATA);
    }

    pub(super) fn fail_protocol(&mut self, error: FrameError) {
        let code = error.close_code();
        self.fail(error.into(), code);
    }

    /// Fails the connection (section 7.1.7): the peer is told with a Close frame if it was not told
    /// before, and nothing more of it counts.
    pub(super) fn fail(&mut self, error: Error, code: CloseCode) {
        if self.error.is_some() {
            return;
        }
        if self.is_open() {
            self.queue_failure(code, error.close_reason());
        }
        self.fails_of(error);
        if self.inbound.state.takes_frames() {
            self.inbound.state = Receiving::Draining(self.inbound.state.last_heard());
        }
        self.release_extensions();
    }

    /// Notes the error of the connection: the first is the one that stays. One that explains less than a
    /// write that failed before it gives way to that.
    fn fails_of(&mut self, error: Error) {
        if self.error.is_none() {
            let error = match (error, &self.outbound.state) {
                (error @ Error::Protocol(_), _) => error,
                (_, Sending::Failed(_, write)) => Error::clone(write),
                (error, _) => error,
            };
            self.trace.failed(&error);
            self.error = Some(Box::new(error));
        }
        // In hixie-75 no frame of the peer's stands behind the end of its input.
        if let Receiving::Ended(last @ LastHeard::EndOfInput) = &mut self.inbound.state {
            *last = LastHeard::Nothing;
        }
    }

    /// Tells the peer why the connection fails, as far as the version has words for it.
    fn queue_failure(&mut self, code: CloseCode, reason: Option<String>) {
        let rules = self.rules();
        match rules.closing() {
            Closing::Codes => {
                // The drafts knew fewer codes.
                let code = code.nearest(rules, self.role);
                let mut payload = code.as_u16().to_be_bytes().to_vec();
                payload.extend_from_slice(reason.unwrap_or_default().as_bytes());
                self.queue_close(&payload, Some(code), Endpoint::Local);
            }
            closing => self.queue_close(closing.opening(self.role), None, Endpoint::Local),
        }
    }

    /// Queues our last word, because `who` wanted the end. hixie-75 has none: there it is the end of the
    /// transport.
    fn queue_close(&mut self, payload: &[u8], code: Option<CloseCode>, who: Endpoint) {
        let began = self.outbound.state.last_word().began.or(Some(who));
        let mut word = LastWord { code: None, began };
        // A message that is being written may never end, and the peer knows then that it did not.
        self.outbound.cut_off();
        if self.closing() != Closing::Transport {
            match &mut self.outbound.coding {
                Some(coding) => coding.push(Behind::Close(payload.into())),
                None => self.queue_control(Opcode::Close, payload),
            }
            word.code = Some(code.unwrap_or(CloseCode::NO_STATUS));
        }
        self.outbound.state = Sending::Closing(word);
        self.release_extensions();
    }

    pub(super) fn is_open(&self) -> bool {
        self.state() == State::Open
    }

    /// Whether something waits to leave.
    fn has_unsent(&self) -> bool {
        self.outbound.len() > 0
    }
}
