//! Ending: the closing handshake, failing the connection, timeouts, the transport's end
//! (RFC 6455 section 7).

use std::time::Instant;

use hybi_frame::{CloseCode, CloseFrame, Closing, FrameError, Opcode, Role};

use super::{
    CloseStatus, Connection, DRAIN_TIME, Deadline, End, Endpoint, Error, Phase, deadlines::Due,
    is_end_without_goodbye,
};

impl Connection {
    /// Whether the sending half of the transport is to be ended now: everything queued has been
    /// transmitted, and it is ours to end it (section 7.1.1: the server's first, so that the
    /// client is not left with the port; either's after a failure).
    ///
    /// Follow it with [`shutdown_done`](Self::shutdown_done).
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        let is_ours = match self.phase {
            Phase::Ending => self.role == Role::Server || self.peer_ended || self.error().is_some(),
            // In hixie-75 this is what a Close frame is elsewhere.
            Phase::CloseSent => self.closing() == Closing::Transport,
            _ => false,
        };
        is_ours && !self.shutdown_done && self.outbox.len() == 0
    }

    /// Notes that the sending half of the transport was ended. Keep reading (the bytes are
    /// discarded, within bounds) until the peer ends its half, so that unread bytes do not turn
    /// the end into a reset that overtakes our Close frame.
    pub fn shutdown_done(&mut self) {
        self.shutdown_done = true;
        if self.phase != Phase::CloseSent {
            self.deadlines.end_within(DRAIN_TIME.min(self.config.close_timeout));
        }
        if self.peer_ended {
            self.phase = Phase::Closed;
        }
    }

    /// Takes in that the time is `now`.
    ///
    /// Sends keep-alive pings, and ends the connection when a deadline of
    /// [`Config`](crate::Config) has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.phase != Phase::Closed
            && let Some(due) = self.deadlines.due(&self.config, now)
        {
            match due {
                Due::SendPing if !self.framing.is_settled() => self.deadlines.cannot_ping_yet(),
                Due::SendPing if self.rules().text_only() => self.deadlines.cannot_ping(),
                Due::SendPing => self.queue_control(Opcode::Ping, &[]),
                Due::NoPong => {
                    self.fail(Error::Timeout(Deadline::Pong), Some(CloseCode::INTERNAL_ERROR));
                }
                Due::Idle => self.fail(Error::Timeout(Deadline::Idle), Some(CloseCode::GOING_AWAY)),
                Due::WriteBlocked => {
                    self.give_up(Error::Timeout(Deadline::Write));
                }
                Due::Park => self.park(),
                Due::End if self.phase == Phase::CloseSent => self.no_answer(),
                Due::End if self.phase == Phase::SendFailed => self.transport_ended(),
                Due::End => self.let_go(Error::Timeout(Deadline::Write)),
            }
        }
    }

    /// Ends the connection before its time. What was queued will never leave, which is an error
    /// like any other: somebody was told that it would be sent.
    pub(super) fn let_go(&mut self, unsent: Error) {
        if self.outbox.len() > 0 {
            self.give_up(unsent);
        }
        self.phase = Phase::Closed;
    }

    /// Ends the connection at once, with an error and without another word to the peer.
    pub(super) fn give_up(&mut self, error: Error) {
        self.fail(error, None);
        self.outbox.clear();
        self.phase = Phase::Closed;
    }

    /// Takes in that writing to the transport failed: nothing more can be sent.
    ///
    /// Go on reading: a peer that gave up on us has often said why in a Close frame, which is
    /// then in front of the end of input. If none comes, this is the error.
    pub fn handle_write_error(&mut self, error: std::io::Error) {
        if self.phase == Phase::SendFailed || !self.is_receiving() {
            return self.handle_transport_error(error);
        }
        let unsent = self.outbox.len() > 0;
        let end = self.end();
        end.send_error = Some(error.into());
        if unsent {
            // Our Close frame, if there is one, is the last of what did not leave.
            end.status.sent = None;
            end.status.began = end.status.received.is_some().then_some(Endpoint::Peer);
        }
        self.outbox.clear();
        self.pong = None;
        self.phase = Phase::SendFailed;
        self.deadlines.end_within(DRAIN_TIME.min(self.config.close_timeout));
    }

    /// Takes in that the transport failed: nothing more can be sent or received.
    ///
    /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof), by which TLS tells that the peer left
    /// without a close_notify, is the [end of input](Self::handle_eof); only hixie-75, which has
    /// nothing but that end to close with, does not take it for an orderly one.
    pub fn handle_transport_error(&mut self, error: std::io::Error) {
        let is_end = is_end_without_goodbye(&error);
        if is_end && self.closing() != Closing::Transport {
            return self.transport_ended();
        }
        let error = if is_end { Error::Lost } else { error.into() };
        // Once the peer's Close frame is here, or we failed the connection, the outcome is
        // settled; a peer that resets the transport instead of waiting changes nothing. In hixie-75 our end of
        // the transport settles it, too, but the peer's says nothing about what we sent.
        let unsent = self.outbox.len() > 0;
        if self.shutdown_done && self.phase == Phase::CloseSent && self.may_end_here() {
            self.ends_in_order(Endpoint::Local);
        } else if self.is_receiving() || unsent && self.closing() == Closing::Transport {
            self.fail(error, None);
        } else if let Some(end) = &mut self.end {
            end.status.clean &= self.outbox.len() == 0;
        }
        self.outbox.clear();
        self.phase = Phase::Closed;
    }

    pub(super) fn transport_ended(&mut self) {
        match self.phase {
            // What is queued may still leave: the peer has only ended its own half.
            Phase::Open | Phase::CloseSent if self.may_end_here() => {
                self.ends_in_order(Endpoint::Peer);
                self.peer_ended = true;
                self.phase = if self.shutdown_done { Phase::Closed } else { Phase::Ending };
            }
            Phase::CloseSent if self.has_crossed() => {
                self.finish_closing_handshake();
                self.peer_ended = true;
            }
            Phase::Open | Phase::CloseSent | Phase::SendFailed => {
                self.give_up(Error::Lost);
            }
            // Our part of the end may still be to do: the peer has only ended its own half.
            Phase::Ending if !self.shutdown_done => self.peer_ended = true,
            Phase::Ending | Phase::Closed => self.phase = Phase::Closed,
        }
    }

    fn closing(&self) -> Closing {
        self.rules().closing()
    }

    /// Whether the end of the transport is how the peer ends the connection in order.
    fn may_end_here(&self) -> bool {
        self.closing() == Closing::Transport && self.framing.at_frame_boundary()
    }

    /// Whether the peer's Close frame crossed ours without answering it, so that both wait for an answer.
    pub(super) fn has_crossed(&self) -> bool {
        self.phase == Phase::CloseSent
            && self.end.as_ref().is_some_and(|end| end.status.received.is_some())
    }

    /// The peer took no notice of our end in time.
    fn no_answer(&mut self) {
        match self.closing() {
            // In hixie-75 our end of the transport needs no answer.
            Closing::Transport if self.shutdown_done => {
                self.ends_in_order(Endpoint::Local);
                self.phase = Phase::Closed;
            }
            Closing::Transport => self.give_up(Error::Timeout(Deadline::Write)),
            _ => self.give_up(Error::Timeout(Deadline::Close)),
        }
    }

    /// Notes that a connection of hixie-75 ends in order, without a closing handshake; `who` wanted it,
    /// unless it was the other endpoint before.
    fn ends_in_order(&mut self, who: Endpoint) {
        let status = &mut self.end().status;
        status.began.get_or_insert(who);
        status.received = Some(None);
        status.clean = true;
        self.deadlines.end_within(self.config.close_timeout);
    }

    /// Begins the closing handshake as another connection ended: with its code and reason, or what
    /// comes [nearest](CloseStatus::forwarded) here. Nothing happens if it has begun.
    pub fn forward_close(&mut self, status: &CloseStatus) {
        if self.phase == Phase::Open {
            let frame = status.forwarded(self.rules(), self.role);
            self.begin_closing_handshake(frame.as_ref());
        }
    }

    /// Section 7.1.2: our Close frame goes out first.
    pub(super) fn begin_closing_handshake(&mut self, frame: Option<&CloseFrame>) {
        if self.closing() != Closing::Transport {
            let mut payload = self.closing().opening(self.role).to_vec();
            let frame = frame.filter(|_| self.rules().has_close_codes());
            if let Some(frame) = frame {
                frame.encode(&mut payload);
            }
            self.queue_close(&payload, frame.map(CloseFrame::code));
        }
        self.end().status.began = Some(Endpoint::Local);
        self.phase = Phase::CloseSent;
        self.deadlines.end_within(self.config.close_timeout);
    }

    /// Takes in the peer's Close frame: it answers ours, or ours answers it (section 5.5.1). In hybi-03
    /// and 04 it may have crossed ours without being the answer to it: it is answered then, once, and
    /// ours goes on waiting.
    pub(super) fn close_received(&mut self, frame: Option<CloseFrame>) {
        self.queue_pending_pong();
        let (closing, received) = (self.closing(), self.assembler.close_payload());
        let crosses = self.phase == Phase::CloseSent
            && !self.has_crossed()
            && !closing.is_answer(closing.opening(self.role), received);
        if crosses || self.phase == Phase::Open {
            self.answer_close(frame.as_ref().map(CloseFrame::code));
        }
        let status = &mut self.end().status;
        status.began.get_or_insert(Endpoint::Peer);
        status.received.get_or_insert(frame);
        if !crosses {
            self.finish_closing_handshake();
        }
    }

    /// Answers the Close frame that came last (section 5.5.1).
    fn answer_close(&mut self, code: Option<CloseCode>) {
        let received = self.assembler.close_payload();
        let answer = self.closing().answer(self.role, received).to_vec();
        self.queue_close(&answer, code);
    }

    /// Both Close frames are exchanged, or ours never will be.
    fn finish_closing_handshake(&mut self) {
        // Neither direction has any more to code, and the application may keep its handle for long.
        self.extended = None;
        let answered = self.phase != Phase::SendFailed;
        self.end().status.clean = answered;
        if !answered {
            self.phase = Phase::Closed;
            return;
        }
        self.phase = Phase::Ending;
        // What is queued may still leave. Then a server ends the transport and gives the client a
        // moment to do the same; a client waits for its server to do so (section 7.1.1).
        self.deadlines.end_within(self.config.close_timeout);
    }

    pub(super) fn fail_protocol(&mut self, error: FrameError) {
        let code = error.close_code();
        self.fail(error.into(), Some(code));
    }

    /// Fails the connection (section 7.1.7): the first error is the one that stays; the peer is
    /// told with a Close frame if it was not told before.
    fn fail(&mut self, error: Error, code: Option<CloseCode>) {
        if self.error().is_some() {
            return;
        }
        if let (Phase::Open, Some(code)) = (self.phase, code) {
            self.queue_failure(code, error.close_reason());
            self.end().status.began = Some(Endpoint::Local);
        }
        let hixie_75 = self.closing() == Closing::Transport;
        let end = self.end();
        end.error = Some(match (&error, end.send_error.take()) {
            (Error::Protocol(_), _) | (_, None) => error,
            (_, Some(send_error)) => send_error,
        });
        end.status.clean = false;
        // There, no frame of the peer's stands behind it.
        end.status.received.take_if(|_| hixie_75);
        self.extended = None;
        self.phase = Phase::Ending;
        self.deadlines.end_within(self.config.close_timeout);
    }

    /// Tells the peer why the connection fails, as far as the version has words for it.
    fn queue_failure(&mut self, code: CloseCode, reason: Option<String>) {
        let rules = self.rules();
        match rules.closing() {
            Closing::Transport => {}
            Closing::Codes => {
                // The drafts knew fewer codes.
                let code = code.nearest(rules, self.role);
                let mut payload = code.as_u16().to_be_bytes().to_vec();
                payload.extend_from_slice(reason.unwrap_or_default().as_bytes());
                self.queue_close(&payload, Some(code));
            }
            closing => self.queue_close(closing.opening(self.role), None),
        }
    }

    fn queue_close(&mut self, payload: &[u8], code: Option<CloseCode>) {
        self.queue_control(Opcode::Close, payload);
        self.end().status.sent = Some(code.unwrap_or(CloseCode::NO_STATUS));
    }

    fn end(&mut self) -> &mut End {
        self.end.get_or_insert_with(|| {
            Box::new(End { status: CloseStatus::NONE, error: None, send_error: None })
        })
    }
}
