//! Written: a message that is sent as it comes, a frame for each piece, and is held by nobody
//! (RFC 6455 section 5.4).
//!
//! Until its last piece no other message may leave, since the frames of two must not mix; control frames pass.
//! Messages that are queued meanwhile wait behind it. A Close frame does not: a message may never end.

use bytes::Bytes;
use hybi_compression::Compress;
use hybi_frame::{CloseCode, Opcode, Payload, Rsv, Utf8Validator};

use super::{
    Connection, Error, MessageKind, Unsupported, buffers,
    slices::{Behind, Coding, Head, Piece},
    state::Sending,
};

/// A message in the middle of being written.
#[derive(Debug)]
pub(super) struct Written {
    /// Of its next frame.
    opcode: Opcode,
    compress: Compress,
    codecs: Codecs,
    /// Of text, how far it is right.
    text: Option<Utf8Validator>,
    /// How many bytes of payload were queued.
    len: u64,
}

/// What codecs over messages do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codecs {
    /// The first piece will tell.
    Undecided,
    Encode,
    Nothing,
}

impl Connection {
    /// Begins a message that is sent as it comes: [`queue_piece`](Self::queue_piece) queues a frame of it with
    /// each call, until the last. It may be longer than memory.
    ///
    /// Meanwhile pings are answered and control frames may be queued, but other messages wait behind it, and
    /// there is no [room](Self::has_room_for) for them. It is compressed as its first piece suggests. Closing or
    /// failing the connection cuts it off: the peer sees that its end is missing.
    ///
    /// ```
    /// use hybi::{Compress, Config, Connection, MessageKind, Negotiated, Role};
    ///
    /// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
    /// server.begin_message(MessageKind::Text, Compress::Auto)?;
    /// server.queue_piece(b"as long ", false)?;
    /// server.queue_piece(b"as it takes", true)?;
    /// assert_eq!(server.transmit_to_vec(), b"\x01\x08as long \x80\x0bas it takes");
    /// # Ok::<(), hybi::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Full`] while another message is being written or compressed, [`Error::Unsupported`] in a version
    /// without [fragments](crate::Capabilities::fragments), [`Error::Closed`] once a Close frame was sent or
    /// received, or the error that ended the connection.
    pub fn begin_message(&mut self, kind: MessageKind, compress: Compress) -> Result<(), Error> {
        self.may_begin_message()?;
        if self.outbound.coding.is_some() {
            return Err(Error::Full);
        }
        let (opcode, text) = match kind {
            MessageKind::Text => (Opcode::Text, Some(Utf8Validator::new())),
            MessageKind::Binary => (Opcode::Binary, None),
        };
        let written = Written { opcode, compress, codecs: Codecs::Undecided, text, len: 0 };
        self.outbound.begin_written(Coding::of(written));
        Ok(())
    }

    /// Whether messages can be sent as they come here, and still can.
    pub(crate) fn may_begin_message(&self) -> Result<(), Error> {
        if !matches!(self.outbound.state, Sending::Open) {
            return Err(self.send_error().cloned().unwrap_or(Error::Closed));
        }
        if self.rules().text_only() {
            let version = self.negotiated().version;
            return Err(Error::Unsupported { what: Unsupported::Fragments, version });
        }
        Ok(())
    }

    /// Whether a message that [began](Self::begin_message) lacks its end.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.outbound.coding.as_ref().is_some_and(|coding| coding.is_written())
    }

    /// Queues a frame of the message that [began](Self::begin_message), whether there is room or not; `last` ends
    /// the message. Characters of text may be cut. A long piece is compressed as
    /// [`poll_transmit`](Self::poll_transmit) is called.
    ///
    /// # Errors
    ///
    /// [`Error::NotUtf8`] if the text goes wrong here: nothing of the piece is queued then. [`Error::Closed`] if
    /// no message has begun, or a Close frame cut it off, or the error that ended the connection.
    pub fn queue_piece(&mut self, piece: &[u8], last: bool) -> Result<(), Error> {
        let open = matches!(self.outbound.state, Sending::Open);
        let coding = self.outbound.coding.as_mut().filter(|_| open);
        let Some(written) = coding.and_then(|coding| coding.written()) else {
            return Err(self.send_error().cloned().unwrap_or(Error::Closed));
        };
        written.check(piece, last)?;
        let (opcode, compress) = (written.opcode, written.compress);
        written.opcode = Opcode::Continuation;
        let mut head = Head { opcode, rsv: Rsv::NONE, last, compress };
        if written.codecs == Codecs::Undecided {
            let chain = self.extensions.as_mut();
            let bits = chain.and_then(|chain| chain.begin_pieces(piece, compress));
            head.rsv = bits.unwrap_or(Rsv::NONE);
            written.codecs = if bits.is_some() { Codecs::Encode } else { Codecs::Nothing };
        }
        let encodes = written.codecs == Codecs::Encode;
        if self.is_encoding() || piece.len() > self.slice_len() {
            let payload = Bytes::copy_from_slice(piece);
            if let Some(coding) = &mut self.outbound.coding {
                coding.push(Behind::Piece(Piece { head, payload, encodes }));
            }
        } else {
            let payload = Payload::Borrowed(piece);
            self.queue_piece_at_once(Piece { head, payload, encodes });
        }
        self.outbound.counted.count_piece(piece.len());
        if last {
            self.outbound.counted.count_end();
            self.end_written();
        }
        Ok(())
    }

    /// Queues the frame of a piece that is not long.
    pub(super) fn queue_piece_at_once(&mut self, piece: Piece<Payload<'_>>) {
        let Piece { head: Head { opcode, rsv, last, compress }, payload, encodes } = piece;
        match self.extensions.as_mut().filter(|_| encodes) {
            Some(chain) => {
                let mut encoded = buffers::borrow_output();
                chain.encode_piece(&payload, last, &mut encoded);
                self.deadlines.coded();
                let payload = Payload::Borrowed(&encoded);
                self.queue_coded_frame(last, rsv, opcode, payload, compress);
                buffers::return_output(encoded);
            }
            None => self.queue_coded_frame(last, rsv, opcode, payload, compress),
        }
    }

    /// Gives up the message that [began](Self::begin_message), if it lacks its end. Of one that nothing was queued of
    /// nobody will know. Any other fails the connection with [`Error::Unfinished`], lest the peer takes what it has
    /// for the whole.
    pub fn abandon_message(&mut self) {
        let coding = self.outbound.coding.as_mut();
        match coding.and_then(|coding| coding.written()) {
            Some(written) if written.opcode == Opcode::Continuation => {
                self.fail(Error::Unfinished, CloseCode::INTERNAL_ERROR);
            }
            Some(_) => self.end_written(),
            None => {}
        }
    }

    /// What waited behind the message may leave.
    fn end_written(&mut self) {
        if let Some(coding) = &mut self.outbound.coding {
            coding.end_written();
        }
        self.drop_idle_coding();
    }
}

impl Written {
    /// Checks that the text is right up to here, and ends with a character.
    fn check(&mut self, piece: &[u8], last: bool) -> Result<(), Error> {
        let len = self.len + piece.len() as u64;
        if let Some(text) = &self.text {
            let mut checked = *text;
            if let Err(error) = checked.feed(piece) {
                return Err(Error::NotUtf8 { offset: self.len + error.offset() as u64 });
            }
            if last && !checked.is_complete() {
                return Err(Error::NotUtf8 { offset: len });
            }
            self.text = Some(checked);
        }
        self.len = len;
        Ok(())
    }
}
