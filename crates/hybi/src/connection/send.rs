//! Sending: messages become frames in the outbox (RFC 6455 sections 5.4 and 6.1).

use bytes::Bytes;
use hybi_compression::Compress;
use hybi_frame::{
    CloseCode, CloseFrame, CloseFrameError, FrameHeader, MaskingKey, Opcode, Rsv, encode_frame,
};

use super::{
    Connection, Error, Message, Outgoing, Phase, Prepared, SendError, Unsupported, random,
};

/// From this length on, a server's payload is not copied next to its header but written from
/// where it lies.
pub(super) const COPY_LIMIT: usize = 8 * 1024;

/// The longest payload of a control frame (section 5.5).
const CONTROL_LIMIT: usize = 125;

impl Connection {
    /// Whether a message of `len` bytes may be queued now: nothing else waits, or all that waits
    /// stays within [`Config::outbox_limit`](crate::Config::outbox_limit), its own header aside.
    #[must_use]
    pub fn has_room_for(&self, len: usize) -> bool {
        let waiting = self.outbox.len();
        waiting == 0 || waiting.saturating_add(len) <= self.config.outbox_limit
    }

    /// Queues a message, whether there is [room](Self::has_room_for) or not. `Message::Close`
    /// begins the closing handshake.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once a Close frame was sent or received, or the error that ended the
    /// connection; [`Error::ControlTooLong`] for a Ping or Pong of more than 125 bytes;
    /// [`Error::Unsupported`] for what the version lacks. The message comes back.
    pub fn queue(&mut self, message: impl Into<Outgoing>) -> Result<(), SendError> {
        let outgoing = message.into();
        if self.phase != Phase::Open {
            let error = self.send_error().cloned().unwrap_or(Error::Closed);
            return Err(SendError::new(error, outgoing));
        }
        if let Some(what) = self.lacks(outgoing.message()) {
            let error = Error::Unsupported { what, version: self.negotiated().version };
            return Err(SendError::new(error, outgoing));
        }
        let Outgoing { message, compress, prepared } = outgoing;
        match message {
            Message::Text(text) => {
                self.queue_data(Opcode::Text, text.into(), compress, prepared.as_ref());
            }
            Message::Binary(payload) => {
                self.queue_data(Opcode::Binary, payload, compress, prepared.as_ref());
            }
            Message::Ping(ref payload) | Message::Pong(ref payload)
                if payload.len() > CONTROL_LIMIT =>
            {
                let len = payload.len();
                return Err(SendError::new(Error::ControlTooLong { len }, Outgoing::from(message)));
            }
            Message::Ping(payload) => self.queue_control(Opcode::Ping, &payload),
            Message::Pong(payload) => self.queue_control(Opcode::Pong, &payload),
            Message::Close(Some(ref frame)) if !self.may_close_with(frame) => {
                let error = CloseFrameError::Code(frame.code());
                return Err(SendError::new(error.into(), Outgoing::from(message)));
            }
            Message::Close(frame) => self.begin_closing_handshake(frame.as_ref()),
        }
        Ok(())
    }

    /// What the version lacks to send `message`.
    fn lacks(&self, message: &Message) -> Option<Unsupported> {
        let rules = self.rules();
        match message {
            Message::Text(_) | Message::Close(None) => None,
            Message::Binary(_) => rules.text_only().then_some(Unsupported::Binary),
            Message::Ping(_) | Message::Pong(_) => rules.text_only().then_some(Unsupported::Ping),
            Message::Close(Some(frame)) => {
                let says_more = frame.code() != CloseCode::NORMAL || !frame.reason().is_empty();
                (says_more && !rules.has_close_codes()).then_some(Unsupported::CloseCode)
            }
        }
    }

    /// Whether a Close frame may have this code. Where there are none, [`lacks`](Self::lacks) was asked.
    fn may_close_with(&self, frame: &CloseFrame) -> bool {
        let rules = self.rules();
        !rules.has_close_codes() || frame.code().may_be_sent(rules, self.role)
    }

    /// Cuts a payload into the frames of one message; `frame` queues each.
    pub(super) fn cut(
        &mut self,
        opcode: Opcode,
        payload: Bytes,
        mut frame: impl FnMut(&mut Self, bool, Opcode, Bytes),
    ) {
        let mut rest = payload;
        let mut opcode = opcode;
        let size = self.config.fragment_size.filter(|_| !self.rules().text_only());
        if let Some(size) = size {
            while rest.len() > size {
                let fragment = rest.split_to(size);
                frame(self, false, opcode, fragment);
                opcode = Opcode::Continuation;
            }
        }
        frame(self, true, opcode, rest);
    }

    fn queue_data(
        &mut self,
        opcode: Opcode,
        payload: Bytes,
        compress: Compress,
        prepared: Option<&Prepared>,
    ) {
        if self.extended.is_some() {
            return self.queue_encoded(opcode, payload, compress, prepared);
        }
        self.cut(opcode, payload, |this, fin, opcode, payload| {
            this.queue_frame(fin, Rsv::NONE, opcode, payload);
        });
    }

    /// Queues a frame with a payload that is shared with somebody.
    pub(super) fn queue_frame(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, payload: Bytes) {
        let masks = self.framing.masks(self.role);
        if masks || payload.len() < COPY_LIMIT || self.has_encoded_stream() {
            return self.queue_copied(fin, rsv, opcode, &payload);
        }
        let payload_len = payload.len() as u64;
        let header = FrameHeader { fin, rsv, opcode, masking_key: None, payload_len };
        let mut behind: &[u8] = &[];
        self.outbox.append(|out| behind = self.framing.encode_around(out, &header));
        self.outbox.append_payload(payload);
        if !behind.is_empty() {
            self.outbox.append(|out| out.extend_from_slice(behind));
        }
    }

    /// Queues a frame with a payload that is copied next to its header.
    pub(super) fn queue_copied(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, payload: &[u8]) {
        let masking_key = self.masking_key();
        #[cfg(feature = "legacy")]
        if let super::Framing::Legacy(_) = self.framing {
            let payload_len = payload.len() as u64;
            let header = FrameHeader { fin, rsv, opcode, masking_key, payload_len };
            return self.queue_legacy(&header, payload);
        }
        self.append(|_, out| encode_frame(out, fin, rsv, opcode, payload, masking_key));
    }

    // Apart, so that the frames of RFC 6455 are not appended through code that knows both.
    #[cfg(feature = "legacy")]
    #[inline(never)]
    fn queue_legacy(&mut self, header: &FrameHeader, payload: &[u8]) {
        self.append(|framing, out| {
            if let super::Framing::Legacy(codec) = framing {
                codec.encode(out, header, payload);
            }
        });
    }

    pub(super) fn queue_control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.queue_copied(true, Rsv::NONE, opcode, payload);
    }

    /// A fresh masking key for a client's frame; none for a server's (section 5.1).
    fn masking_key(&mut self) -> Option<MaskingKey> {
        if !self.framing.masks(self.role) {
            return None;
        }
        Some(match &mut self.keys {
            Some(keys) => keys(),
            None => random::<4>().into(),
        })
    }
}
