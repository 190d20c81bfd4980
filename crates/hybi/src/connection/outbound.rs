//! Outbound: messages become frames in the outbox; answers to the peer join them
//! (RFC 6455 sections 5.4, 5.5.2 and 6.1).

use bytes::Bytes;
use hybi_frame::{
    CloseCode, CloseFrame, CloseFrameError, FrameHeader, MaskingKey, Opcode, Payload, Rsv,
    apply_mask, encode_frame,
};

use super::{
    Connection, Error, Message, MessageRef, Outgoing, SendError, Unsupported,
    framing::KeySource,
    outbox::Outbox,
    outgoing::Body,
    random,
    slices::{Behind, Coding, Waiting},
    state::Sending,
    stats::Sent,
};

/// From this length on, a payload that is ours to keep is not copied next to its header but written from
/// where it lies.
pub(super) const COPY_LIMIT: usize = 8 * 1024;

/// The longest payload of a control frame (section 5.5).
const CONTROL_LIMIT: usize = 125;

/// While so much waits to be sent, Pings are not answered one by one.
const ANSWERS_LEN: usize = 64 * 1024;

/// What our direction needs: how it stands, and what waits to leave.
pub(super) struct Outbound {
    pub(super) state: Sending,
    pub(super) outbox: Outbox,
    pub(super) lane: Lane,
    /// Each of our frames takes a masking key. No version that the client's first byte may still choose has
    /// any.
    masks: bool,
    /// A message that is being encoded or written, and what waits behind it.
    pub(super) coding: Option<Box<Coding>>,
    /// The newest Pong that could not be queued because the transport is blocked
    /// (section 5.5.3 allows to answer only the latest Ping).
    pub(super) pong: Option<Box<Pong>>,
    /// Answers to control frames wait to leave.
    pub(super) owes_answers: bool,
    /// How many bytes were queued behind our Close frame, all of them answers to control frames.
    pub(super) behind_close: u32,
    /// `None`: the random generator of the operating system.
    pub(super) keys: Option<Box<KeySource>>,
    /// Bytes that were queued and will never leave.
    pub(super) discarded: usize,
    pub(super) counted: Sent,
}

/// The payload of a Pong that waits, in a block that every connection has room to point to and few need.
pub(super) struct Pong {
    bytes: [u8; CONTROL_LIMIT],
    len: usize,
}

impl Pong {
    fn of(payload: &[u8]) -> Self {
        let mut bytes = [0; CONTROL_LIMIT];
        let len = payload.len().min(CONTROL_LIMIT);
        bytes[..len].copy_from_slice(&payload[..len]);
        Self { bytes, len }
    }

    fn payload(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What messages of this connection need on their way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// A header of RFC 6455 in front of each, and nothing else.
    Plain,
    Other,
}

impl Outbound {
    pub(super) fn new(lane: Lane, masks: bool) -> Self {
        Self {
            state: Sending::Open,
            lane,
            masks,
            outbox: Outbox::default(),
            coding: None,
            pong: None,
            owes_answers: false,
            behind_close: 0,
            keys: None,
            discarded: 0,
            counted: Sent::default(),
        }
    }

    /// A message is written from now on, which others are not to pass.
    pub(super) fn begin_written(&mut self, coding: Coding) {
        self.coding = Some(Box::new(coding));
        self.lane = Lane::Other;
    }

    /// How many bytes wait to leave; of a message that is being encoded, those that it has.
    pub(super) fn len(&self) -> usize {
        self.outbox.len() + self.coding.as_ref().map_or(0, |coding| coding.len())
    }

    /// Lets go of the rest of a message that is being written, and of what waits behind it. What was queued of it
    /// leaves.
    pub(super) fn cut_off(&mut self) {
        if let Some(coding) = self.coding.as_mut().filter(|coding| coding.is_written()) {
            self.discarded += coding.cut_off();
            self.coding.take_if(|coding| !coding.is_busy());
        }
    }

    /// Lets go of what waits: it will never leave.
    pub(super) fn discard(&mut self) {
        self.discarded += self.len();
        self.coding = None;
        self.outbox.clear();
        self.pong = None;
    }
}

impl Connection {
    /// Whether a message of `len` bytes may be queued now: nothing else waits, or all that waits
    /// stays within [`Config::outbox_limit`](crate::Config::outbox_limit), its own header aside; and
    /// no message is being [written](Self::begin_message).
    #[must_use]
    pub fn has_room_for(&self, len: usize) -> bool {
        !self.is_writing() && self.has_room_behind(self.outbound.len(), len)
    }

    /// The same for this: control frames pass a message that is being written.
    pub(crate) fn has_room_to_send(&self, outgoing: &Outgoing<'_>) -> bool {
        let passes = outgoing.is_control() || !self.is_writing();
        passes && self.has_room_behind(self.outbound.len(), outgoing.len())
    }

    /// The same for a frame of a message that is being written: no piece before it is still being encoded.
    pub(crate) fn has_room_for_piece(&self, len: usize) -> bool {
        !self.is_encoding() && self.has_room_behind(self.outbound.outbox.len(), len)
    }

    #[inline]
    fn has_room_behind(&self, waiting: usize, len: usize) -> bool {
        waiting == 0 || waiting.saturating_add(len) <= self.config.outbox_limit
    }

    /// Queues a message, whether there is [room](Self::has_room_for) or not. `Message::Close`
    /// begins the closing handshake. Borrowed bytes are copied once.
    ///
    /// ```
    /// use hybi::{Config, Connection, Negotiated, Role};
    ///
    /// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
    /// server.queue("a text message")?;
    /// server.queue(&b"a binary one"[..])?;
    /// assert_eq!(server.queued_bytes(), 2 + 14 + 2 + 12);
    /// # Ok::<(), hybi::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once a Close frame was sent or received, or the error that ended the
    /// connection; [`Error::ControlTooLong`] for a Ping or Pong of more than 125 bytes;
    /// [`Error::Unsupported`] for what the version lacks. The message comes back.
    pub fn queue<'a>(&mut self, message: impl Into<Outgoing<'a>>) -> Result<(), SendError> {
        self.queue_outgoing(message.into())
    }

    /// Takes and queues a message that needs no more than a header in front of it, if there is room for
    /// it. Most messages are such. Any other stays where it is, for [`queue`](Self::queue).
    #[inline]
    pub(crate) fn queue_plain(&mut self, message: &mut Option<Outgoing<'_>>) {
        let Some(outgoing) = message else { return };
        let (opcode, payload) = match &outgoing.body {
            Body::Lent(MessageRef::Text(text)) => (Opcode::Text, text.as_bytes()),
            Body::Lent(MessageRef::Binary(bytes)) => (Opcode::Binary, *bytes),
            Body::Owned(Message::Text(text)) => (Opcode::Text, text.as_bytes()),
            Body::Owned(Message::Binary(bytes)) => (Opcode::Binary, &bytes[..]),
            _ => return,
        };
        // No message is being encoded here.
        let has_room = self.has_room_behind(self.outbound.outbox.len(), payload.len());
        let is_plain = self.outbound.lane == Lane::Plain;
        if !(is_plain && has_room && matches!(self.outbound.state, Sending::Open)) {
            return;
        }
        if payload.len() >= COPY_LIMIT {
            return self.queue_long(opcode, message);
        }
        self.outbound.counted.count_plain(payload.len());
        let key = self.outbound.masks.then(|| self.next_key());
        let outbox = &mut self.outbound.outbox;
        outbox.append(|out| encode_frame(out, true, Rsv::NONE, opcode, payload, key));
        *message = None;
    }

    /// The same for a long payload, if it was given away: it leaves from where it lies.
    fn queue_long(&mut self, opcode: Opcode, message: &mut Option<Outgoing<'_>>) {
        let payload: Bytes = match message.take() {
            Some(Outgoing { body: Body::Owned(Message::Text(text)), .. }) => text.into(),
            Some(Outgoing { body: Body::Owned(Message::Binary(bytes)), .. }) => bytes,
            lent => {
                *message = lent;
                return;
            }
        };
        self.outbound.counted.count_message(payload.len());
        self.queue_in_place(true, Rsv::NONE, opcode, payload);
    }

    fn queue_outgoing(&mut self, outgoing: Outgoing<'_>) -> Result<(), SendError> {
        if let Err(error) = self.may_queue(&outgoing.body) {
            return Err(SendError::new(error, outgoing.into_owned()));
        }
        let Outgoing { body, compress, prepared } = outgoing;
        let (opcode, payload) = match body {
            Body::Lent(MessageRef::Text(text)) => {
                (Opcode::Text, Payload::Borrowed(text.as_bytes()))
            }
            Body::Lent(MessageRef::Binary(bytes)) => (Opcode::Binary, Payload::Borrowed(bytes)),
            Body::Owned(Message::Text(text)) => (Opcode::Text, Payload::Owned(text.into())),
            Body::Owned(Message::Binary(bytes)) => (Opcode::Binary, Payload::Owned(bytes)),
            Body::Lent(MessageRef::Ping(bytes)) => {
                self.queue_control(Opcode::Ping, bytes);
                return Ok(());
            }
            Body::Lent(MessageRef::Pong(bytes)) => {
                self.queue_control(Opcode::Pong, bytes);
                return Ok(());
            }
            Body::Owned(Message::Ping(bytes)) => {
                self.queue_control(Opcode::Ping, &bytes);
                return Ok(());
            }
            Body::Owned(Message::Pong(bytes)) => {
                self.queue_control(Opcode::Pong, &bytes);
                return Ok(());
            }
            Body::Owned(Message::Close(frame)) => {
                self.begin_closing_handshake(frame.as_ref());
                return Ok(());
            }
        };
        self.outbound.counted.count_message(payload.len());
        if let Some(coding) = &mut self.outbound.coding {
            // The histories of codecs are of the order in which messages leave.
            let payload = payload.into_owned();
            coding.push(Behind::Message(Waiting { opcode, payload, compress, prepared }));
        } else if self.extensions.is_some() {
            self.queue_encoded(opcode, payload, compress, prepared.as_ref());
        } else {
            self.queue_message(opcode, payload);
        }
        Ok(())
    }

    /// Whether a message may be sent at all, and here.
    fn may_queue(&self, body: &Body<'_>) -> Result<(), Error> {
        // The end comes first: what the version lacks matters no more then.
        if !matches!(self.outbound.state, Sending::Open) {
            return Err(self.send_error().cloned().unwrap_or(Error::Closed));
        }
        if let Some(what) = self.lacks(body) {
            return Err(Error::Unsupported { what, version: self.negotiated().version });
        }
        match body {
            Body::Owned(Message::Ping(_) | Message::Pong(_))
            | Body::Lent(MessageRef::Ping(_) | MessageRef::Pong(_))
                if body.len() > CONTROL_LIMIT =>
            {
                Err(Error::ControlTooLong { len: body.len() })
            }
            Body::Owned(Message::Close(Some(frame))) if !self.may_close_with(frame) => {
                Err(CloseFrameError::Code(frame.code()).into())
            }
            _ => Ok(()),
        }
    }

    /// What the version lacks to send this.
    fn lacks(&self, body: &Body<'_>) -> Option<Unsupported> {
        let rules = self.rules();
        match body {
            Body::Owned(Message::Text(_) | Message::Close(None))
            | Body::Lent(MessageRef::Text(_)) => None,
            Body::Owned(Message::Binary(_)) | Body::Lent(MessageRef::Binary(_)) => {
                rules.text_only().then_some(Unsupported::Binary)
            }
            Body::Owned(Message::Ping(_) | Message::Pong(_))
            | Body::Lent(MessageRef::Ping(_) | MessageRef::Pong(_)) => {
                rules.text_only().then_some(Unsupported::Ping)
            }
            Body::Owned(Message::Close(Some(frame))) => {
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

    /// Queues a message that no extension touches.
    fn queue_message(&mut self, opcode: Opcode, payload: Payload<'_>) {
        self.cut(opcode, payload, |this, fin, opcode, payload| {
            this.queue_frame(fin, Rsv::NONE, opcode, payload);
        });
    }

    /// Cuts a payload into the frames of one message; `frame` queues each.
    pub(super) fn cut<'a>(
        &mut self,
        opcode: Opcode,
        payload: Payload<'a>,
        mut frame: impl FnMut(&mut Self, bool, Opcode, Payload<'a>),
    ) {
        let mut rest = payload;
        let mut opcode = opcode;
        if let Some(size) = self.config.fragment_size
            && !self.rules().text_only()
        {
            while rest.len() > size {
                let fragment = split_front(&mut rest, size);
                frame(self, false, opcode, fragment);
                opcode = Opcode::Continuation;
            }
        }
        frame(self, true, opcode, rest);
    }

    /// Queues a frame. A long payload that was given away is written from where it lies; others are
    /// copied next to their headers.
    pub(super) fn queue_frame(
        &mut self,
        fin: bool,
        rsv: Rsv,
        opcode: Opcode,
        payload: Payload<'_>,
    ) {
        let lies_well = payload.len() >= COPY_LIMIT && self.filter.is_none();
        match payload {
            Payload::Owned(bytes) if lies_well => self.queue_in_place(fin, rsv, opcode, bytes),
            payload => self.queue_copied(fin, rsv, opcode, &payload),
        }
    }

    /// Queues a frame with its payload where it is. A client's is masked there, if nobody else holds it.
    fn queue_in_place(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, mut payload: Bytes) {
        let mut masking_key = None;
        if self.outbound.masks {
            if !self.inbound.framing.masks_payloads_alone() {
                return self.queue_copied(fin, rsv, opcode, &payload);
            }
            // Masking what somebody else can see would change it under their eyes.
            let mut ours = match payload.try_into_mut() {
                Ok(ours) => ours,
                Err(shared) => return self.queue_copied(fin, rsv, opcode, &shared),
            };
            let key = self.next_key();
            apply_mask(&mut ours, key, 0);
            masking_key = Some(key);
            payload = ours.freeze();
        }
        let payload_len = payload.len() as u64;
        let header = FrameHeader { fin, rsv, opcode, masking_key, payload_len };
        self.outbound.counted.count_frame(opcode.is_data(), payload.len());
        let mut behind: &[u8] = &[];
        let framing = &mut self.inbound.framing;
        self.outbound.outbox.append(|out| behind = framing.encode_around(out, &header));
        self.outbound.outbox.append_payload(payload);
        if !behind.is_empty() {
            self.outbound.outbox.append(|out| out.extend_from_slice(behind));
        }
    }

    /// Queues a frame with a payload that is copied next to its header.
    pub(super) fn queue_copied(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, payload: &[u8]) {
        let header = self.header_of(fin, rsv, opcode, payload);
        self.append(|framing, out| framing.encode(out, &header, payload));
    }

    /// The header of a frame with this payload, and a fresh key for a client's.
    fn header_of(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, payload: &[u8]) -> FrameHeader {
        self.outbound.counted.count_frame(opcode.is_data(), payload.len());
        let (masking_key, payload_len) = (self.masking_key(), payload.len() as u64);
        FrameHeader { fin, rsv, opcode, masking_key, payload_len }
    }

    pub(super) fn queue_control(&mut self, opcode: Opcode, payload: &[u8]) {
        let header = self.header_of(true, Rsv::NONE, opcode, payload);
        let before = self.outbound.len();
        match self.outbound.coding.as_mut().filter(|coding| coding.is_in_frame()) {
            Some(coding) => {
                let framing = &mut self.inbound.framing;
                coding.follow_frame(|out| framing.encode(out, &header, payload));
            }
            None => self.append(|framing, out| framing.encode(out, &header, payload)),
        }
        // While a message is being encoded, our Close frame waits for it, and others pass.
        if !self.takes_messages() && !self.is_encoding() {
            let more = (self.outbound.len() - before) as u32;
            self.outbound.behind_close = self.outbound.behind_close.saturating_add(more);
        }
    }

    /// Answers a Ping (section 5.5.2): at once if the transport takes bytes and not much waits for
    /// it, else with the newest answer only, so that a peer that asks and never reads cannot grow
    /// the outbox, nor one whose input an extension makes a thousand times as long. An answer that
    /// waits already is replaced, lest they leave out of order.
    pub(super) fn answer_ping(&mut self, payload: &[u8]) {
        match self.outbound.state {
            // Nobody would read it.
            Sending::Failed(..) | Sending::Shut(..) => {}
            // Behind our Close frame a Pong is lawful: that ends data, not control frames (section 5.5.1).
            Sending::Open | Sending::Closing(_) => {
                self.outbound.owes_answers = true;
                let waits = self.outbound.pong.is_some()
                    || self.outbound.outbox.len() >= ANSWERS_LEN
                    || self.deadlines.is_blocked()
                    || self.outbound.coding.as_ref().is_some_and(|coding| coding.is_in_frame());
                if waits {
                    self.outbound.pong = Some(Box::new(Pong::of(payload)));
                } else {
                    self.queue_control(Opcode::Pong, payload);
                }
            }
        }
    }

    /// Queues a Pong that waited, once the transport takes bytes again.
    #[inline]
    pub(super) fn queue_pong_if_writable(&mut self) {
        if self.outbound.pong.is_some() && !self.deadlines.is_blocked() {
            self.queue_pending_pong();
        }
    }

    pub(super) fn queue_pending_pong(&mut self) {
        if let Some(pong) = self.outbound.pong.take().filter(|_| self.is_receiving()) {
            self.queue_control(Opcode::Pong, pong.payload());
        }
    }

    /// A fresh masking key for a client's frame; none for a server's (section 5.1), nor where nobody masks.
    pub(super) fn masking_key(&mut self) -> Option<MaskingKey> {
        self.outbound.masks.then(|| self.next_key())
    }

    fn next_key(&mut self) -> MaskingKey {
        match &mut self.outbound.keys {
            Some(keys) => (keys.0)(),
            None => random::<4>().into(),
        }
    }
}

/// The first `len` bytes of a payload, which keeps the rest.
fn split_front<'a>(payload: &mut Payload<'a>, len: usize) -> Payload<'a> {
    match payload {
        Payload::Borrowed(bytes) => {
            let (front, rest) = bytes.split_at(len);
            *bytes = rest;
            Payload::Borrowed(front)
        }
        Payload::Owned(bytes) => Payload::Owned(bytes.split_to(len)),
    }
}
