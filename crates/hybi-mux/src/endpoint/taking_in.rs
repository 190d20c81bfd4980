//! Taking in: what messages of the physical connection say, and what rules they break.

use hybi_frame::{Opcode, Role};
use hybi_handshake::write_response;

use super::channel::{Origin, Proof, Receiving, Sending};
use super::{ChannelKey, Ended, Endpoint, Event, Side, State, Supply, heads};
use crate::block::{ControlBlock, DropReason, HandshakeEncoding};
use crate::channel_id::ChannelId;
use crate::error::{DropCode, MuxError, MuxViolation};
use crate::message::{LogicalFrame, MuxMessage};
use crate::sequence::Piece;

impl Endpoint {
    /// Takes in a binary message.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke, which it is told: what that means for all channels, which [fail](Self::fail), or for
    /// the one that it was about, which is dropped, was done.
    pub fn handle_message(&mut self, message: &[u8]) -> Result<(), MuxError> {
        if self.state != State::Open {
            return Ok(());
        }
        let outcome = self.take_in(message);
        if let Err(error) = &outcome
            && error.drop_code().is_physical()
        {
            self.fail(error.drop_code(), &error.to_string());
        }
        outcome
    }

    /// Takes in that a text message came, which is against the rules.
    pub fn handle_text(&mut self) {
        self.fail(DropCode::INVALID_ENCAPSULATING_MESSAGE, "text message");
    }

    fn take_in(&mut self, message: &[u8]) -> Result<(), MuxError> {
        let revision = self.config.revision;
        match MuxMessage::parse(message, revision) {
            Ok(MuxMessage::Frame(frame)) => {
                self.take_frame(frame).map_err(|violation| MuxError::new(violation, 0))
            }
            Ok(MuxMessage::Control(mut blocks)) => {
                let (mut at, mut outcome) = (blocks.offset(), Ok(()));
                while let Some(block) = blocks.next()
                    && self.state == State::Open
                {
                    match self.take_block(block?).map_err(|violation| MuxError::new(violation, at))
                    {
                        // What concerns one channel ends with it.
                        Err(error) if !error.drop_code().is_physical() => outcome = Err(error),
                        taken => taken?,
                    }
                    at = blocks.offset();
                }
                outcome
            }
            Err(error) => match error.violation() {
                // It is for the channel's connection to judge, and no matter of the others.
                MuxViolation::ReservedOpcode(opcode) => {
                    let (channel, _) = ChannelId::decode(message)?;
                    self.take_reserved(channel, opcode);
                    Ok(())
                }
                _ => Err(error),
            },
        }
    }

    /// The channel of this id, if frames may come on it.
    fn receiving(&self, id: ChannelId) -> Option<ChannelKey> {
        let key = *self.by_id.get(&id)?;
        matches!(self.channels[key].receiving, Receiving::Open).then_some(key)
    }

    fn take_reserved(&mut self, id: ChannelId, opcode: u8) {
        let Some(key) = self.receiving(id) else { return };
        let channel = &mut self.channels[key];
        channel.inbound.push_reserved(opcode);
        channel.receiving = Receiving::Failed;
        self.tell(key);
    }

    fn take_frame(&mut self, frame: LogicalFrame<'_>) -> Result<(), MuxViolation> {
        let Some(key) = self.receiving(frame.channel) else { return Ok(()) };
        if let Err(violation) = self.keep(key, frame) {
            self.drop_channel(key, violation.drop_code(), &violation.to_string());
            return Err(violation);
        }
        let channel = &mut self.channels[key];
        if !channel.inbound.is_empty() && channel.reader.take() {
            self.announce(Event::Readable(key));
        }
        self.settle(key);
        Ok(())
    }

    /// Keeps a frame for whoever reads the channel.
    fn keep(&mut self, key: ChannelKey, frame: LogicalFrame<'_>) -> Result<(), MuxViolation> {
        let most = self.config.most_inbound();
        let channel = &mut self.channels[key];
        channel.receive_quota.take(frame.cost(self.config.revision))?;
        let opcode = frame.opcode;
        let piece = match channel.sequence.push(frame) {
            Ok(Some(piece)) => piece,
            Ok(None) => return Ok(()),
            // As an opcode that is reserved, it is for the connection to judge.
            Err(MuxViolation::ControlTooLong) => {
                channel.inbound.push_too_long(opcode);
                channel.receiving = Receiving::Failed;
                return Ok(());
            }
            Err(violation) => return Err(violation),
        };
        match piece {
            Piece::Data(LogicalFrame { fin, rsv, opcode, payload, .. }) => {
                // It says nothing and costs nothing, so it is not kept.
                if opcode == Opcode::Continuation && payload.is_empty() && !fin {
                    return Ok(());
                }
                channel.inbound.push(fin, rsv, opcode, payload);
            }
            Piece::Control { opcode, rsv, payload } => {
                channel.inbound.push(true, rsv, opcode, payload);
                if opcode == Opcode::Close {
                    channel.receiving = Receiving::Closed;
                }
            }
        }
        // Before ietf-07 empty messages cost nothing, however many come.
        if channel.inbound.len() > most { Err(MuxViolation::EmptyMessages) } else { Ok(()) }
    }

    fn take_block(&mut self, block: ControlBlock<'_>) -> Result<(), MuxViolation> {
        use ControlBlock as Block;
        match (block, self.role()) {
            (Block::AddChannelRequest { channel, encoding, handshake }, Role::Server) => {
                self.take_request(channel, encoding, handshake)
            }
            (
                Block::AddChannelResponse { channel, is_rejected, encoding, handshake },
                Role::Client,
            ) => self.take_response(channel, is_rejected, encoding, handshake),
            (Block::NewChannelSlot { slots, quota, is_fallback }, Role::Client) => {
                self.take_slots(slots, quota, is_fallback)
            }
            (Block::FlowControl { channel, quota }, _) => self.take_quota(channel, quota),
            (Block::DropChannel { channel, reason }, _) => {
                self.take_drop(channel, reason);
                Ok(())
            }
            (Block::AddChannelRequest { .. }, Role::Client) => Err(MuxViolation::WrongSender(0)),
            (Block::AddChannelResponse { .. }, Role::Server) => Err(MuxViolation::WrongSender(1)),
            (Block::NewChannelSlot { .. }, Role::Server) => Err(MuxViolation::WrongSender(4)),
        }
    }

    fn take_request(
        &mut self,
        id: ChannelId,
        encoding: HandshakeEncoding,
        handshake: &[u8],
    ) -> Result<(), MuxViolation> {
        if id == ChannelId::CONTROL || self.by_id.contains_key(&id) {
            return Err(MuxViolation::ChannelExists(id));
        }
        let Side::Server { granted, rate, base, .. } = &mut self.side else { return Ok(()) };
        *granted = granted.checked_sub(1).ok_or(MuxViolation::NoSlot)?;
        let (revision, limits) = (self.config.revision, self.config.head_limits);
        let request = match heads::request_in(handshake, revision, encoding, base, limits) {
            Ok(request) => request,
            // The two ends do not agree on what deltas are relative to.
            Err(_) if encoding == HandshakeEncoding::Delta => return Err(MuxViolation::BadRequest),
            Err(error) => {
                rate.owe(1);
                let refusal = error.response();
                let mut handshake = Vec::new();
                write_response(&refusal, refusal.body().as_bytes(), &mut handshake);
                self.respond(id, &handshake, true);
                return Ok(());
            }
        };
        let key = self.add(id, 0, Origin::Slot);
        if let Side::Server { requests, .. } = &mut self.side {
            requests.push_back((key, request.request));
        }
        self.by_id.insert(id, key);
        let channel = &mut self.channels[key];
        channel.sending = Sending::Head(Vec::new());
        channel.fields = (encoding == HandshakeEncoding::Identity).then_some(request.fields);
        self.announce(Event::Requested);
        Ok(())
    }

    fn take_response(
        &mut self,
        id: ChannelId,
        is_rejected: bool,
        encoding: HandshakeEncoding,
        handshake: &[u8],
    ) -> Result<(), MuxViolation> {
        if encoding == HandshakeEncoding::Delta {
            // No source says what it would be relative to.
            return Err(MuxViolation::ResponseEncoding(HandshakeEncoding::Delta.bits()));
        }
        // It was given up, or a refusal is said twice, as pywebsocket does.
        let Some(&key) = self.by_id.get(&id) else { return Ok(()) };
        let channel = &mut self.channels[key];
        let Receiving::Opening(Proof(proof)) = &channel.receiving else {
            // A refusal of what is open refuses nothing.
            return if is_rejected { Ok(()) } else { Err(MuxViolation::BadResponse) };
        };
        if is_rejected && heads::opens(handshake) {
            return Err(MuxViolation::BadResponse);
        }
        if is_rejected {
            channel.inbound.push_head(handshake);
            self.end_channel(key, &Ended::Refused);
        } else {
            let head = heads::response_in(handshake, self.config.revision, proof);
            channel.inbound.push_head(&head.ok_or(MuxViolation::BadResponse)?);
            channel.receiving = Receiving::Open;
            channel.sending = Sending::Open;
            self.tell(key);
        }
        Ok(())
    }

    fn take_slots(
        &mut self,
        slots: u64,
        quota: u64,
        is_fallback: bool,
    ) -> Result<(), MuxViolation> {
        let Side::Client { slots: ours, supply, .. } = &mut self.side else { return Ok(()) };
        ours.grant(slots, quota)?;
        if is_fallback {
            *supply = Supply::Stopped;
        }
        if slots > 0 || is_fallback {
            self.announce(Event::Slots);
        }
        Ok(())
    }

    fn take_quota(&mut self, id: ChannelId, quota: u64) -> Result<(), MuxViolation> {
        let Some(&key) = self.by_id.get(&id) else { return Ok(()) };
        if let Err(violation) = self.channels[key].send_quota.grant(quota) {
            self.drop_channel(key, violation.drop_code(), &violation.to_string());
            return Err(violation);
        }
        self.schedule(key);
        self.has_room(key);
        Ok(())
    }

    fn take_drop(&mut self, id: ChannelId, reason: DropReason<'_>) {
        let (code, reason) = match reason {
            DropReason::None => (None, ""),
            DropReason::Code(code, reason) => (Some(code), reason),
            DropReason::MuxError(reason) => (Some(DropCode::LOGICAL_CHANNEL_FAILED), reason),
        };
        let reason = shortened(reason).to_owned();
        if id == ChannelId::CONTROL {
            return self.end_all(&Ended::PhysicalFailedByPeer { code, reason });
        }
        let Some(&key) = self.by_id.get(&id) else { return };
        self.say_dropped(id, DropCode::DROP_CHANNEL_ACK, "");
        self.end_channel(key, &Ended::DroppedByPeer { code, reason });
    }
}

/// As much of a reason as is kept: each channel that ends of it has one, however long a peer made it. That of a Close
/// frame has no more.
fn shortened(reason: &str) -> &str {
    const MOST: usize = 123;
    let end = (0..=reason.len().min(MOST)).rev().find(|&at| reason.is_char_boundary(at));
    &reason[..end.unwrap_or_default()]
}
