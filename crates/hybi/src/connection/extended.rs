//! Extensions at work on a connection: payloads encoded on their way out, and the stream that
//! deflate-stream makes of all frames (RFC 6455 section 9).

use bytes::Bytes;
use hybi_compression::{Agreed, Chain, Compress};
use hybi_frame::{Assembled as Event, FrameError, Opcode, Rsv, Violation};

use super::{Connection, Error, Prepared, buffers, framing::Framing, send::COPY_LIMIT};

/// How much of an encoded stream is decoded at a time: what a few bytes decode to may be a lot.
const PLAIN_LEN: usize = 16 * 1024;

/// What only connections with extensions have.
#[derive(Debug)]
pub(super) struct Extended {
    pub(super) chain: Chain,
    plain: Plain,
}

/// Frames out of an encoded stream that were not looked at yet.
#[derive(Debug, Default)]
struct Plain {
    bytes: Vec<u8>,
    at: usize,
    /// How many bytes at the front of the next input were decoded before.
    taken: usize,
    /// Bytes of the encoded stream that were decoded.
    offset: u64,
}

impl Extended {
    pub(super) fn new(agreed: &[Agreed], framing: &mut Framing) -> Option<Box<Self>> {
        if agreed.is_empty() {
            return None;
        }
        let chain = Chain::new(agreed);
        // Before hybi-07 extensions are about the stream alone, and no bit is lawful.
        #[cfg_attr(
            not(feature = "legacy"),
            expect(irrefutable_let_patterns, reason = "one framing")
        )]
        if let Framing::Rfc6455(decoder) = framing {
            chain.allow_rsv(decoder);
        }
        Some(Box::new(Self { chain, plain: Plain::default() }))
    }
}

impl Connection {
    pub(super) fn has_encoded_stream(&self) -> bool {
        self.extended.as_ref().is_some_and(|extended| extended.chain.has_stream())
    }

    /// Queues a message whose payload passes through extensions first.
    pub(super) fn queue_encoded(
        &mut self,
        opcode: Opcode,
        payload: Bytes,
        compress: Compress,
        prepared: Option<&Prepared>,
    ) {
        self.deadlines.coded();
        let whole = self.config.fragment_size.is_none_or(|size| payload.len() <= size);
        if let Some(prepared) = prepared
            && whole
            && let Some((rsv, encoded)) = self.shared_encoding(&payload, compress, prepared)
        {
            return self.queue_frame(true, rsv, opcode, encoded);
        }
        let Some(extended) = &mut self.extended else { return };
        let mut encoded = buffers::borrow_output();
        let rsv = extended.chain.encode_message(&payload, compress, &mut encoded);
        let small = encoded.len() < COPY_LIMIT && whole && !extended.chain.is_per_frame();
        match rsv {
            Some(rsv) if small => {
                self.queue_copied(true, rsv, opcode, &encoded);
                buffers::return_output(encoded);
            }
            Some(rsv) => {
                // What waits is counted by its length, so it should not be much larger.
                if encoded.capacity() > 2 * encoded.len() {
                    encoded.shrink_to_fit();
                }
                self.queue_frames(rsv, opcode, encoded.into(), compress);
            }
            None => {
                buffers::return_output(encoded);
                self.queue_frames(Rsv::NONE, opcode, payload, compress);
            }
        }
    }

    /// The frames of a message; `rsv` is for the first of them.
    fn queue_frames(&mut self, rsv: Rsv, opcode: Opcode, payload: Bytes, compress: Compress) {
        let mut first = rsv;
        self.cut(opcode, payload, |this, fin, opcode, payload| {
            let rsv = core::mem::take(&mut first);
            let Some(extended) = this.extended.as_mut().filter(|one| one.chain.is_per_frame())
            else {
                return this.queue_frame(fin, rsv, opcode, payload);
            };
            let mut encoded = buffers::borrow_output();
            match extended.chain.encode_frame(&payload, compress, &mut encoded) {
                Some(own) => this.queue_copied(fin, rsv | own, opcode, &encoded),
                None => this.queue_frame(fin, rsv, opcode, payload),
            }
            buffers::return_output(encoded);
        });
    }

    /// The encoding of a message for many, if there is one here and it pays.
    fn shared_encoding(
        &mut self,
        payload: &Bytes,
        compress: Compress,
        prepared: &Prepared,
    ) -> Option<(Rsv, Bytes)> {
        let chain = &mut self.extended.as_mut()?.chain;
        let key = chain.shared_encoding(payload, compress)?;
        let encoded = prepared.encoding(key, || {
            let mut encoded = Vec::new();
            chain.encode_shared(payload, &mut encoded).then(|| encoded.into())
        })?;
        Some((chain.sent_shared(payload), encoded))
    }

    /// Lets `encode` append frames to what is to be sent.
    pub(super) fn append(&mut self, encode: impl FnOnce(&mut Framing, &mut Vec<u8>)) {
        let stream = self.extended.as_mut().and_then(|extended| extended.chain.stream());
        let framing = &mut self.framing;
        let Some(codec) = stream else { return self.outbox.append(|out| encode(framing, out)) };
        let mut plain = buffers::borrow_output();
        encode(framing, &mut plain);
        self.outbox.append(|out| codec.encode(&plain, out));
        self.deadlines.coded();
        buffers::return_output(plain);
    }

    /// Takes in bytes of an encoded stream. As many as there are get decoded, but the last of them is
    /// not counted as consumed before all that came of them is.
    pub(super) fn handle_encoded<'a>(&mut self, chunk: &[u8]) -> (usize, Option<Event<'a>>) {
        self.deadlines.coded();
        let mut event = None;
        while event.is_none() && self.is_receiving() {
            match self.decode_stream(chunk) {
                Ok(true) => event = self.handle_plain(),
                Ok(false) => break,
                Err(error) => self.give_up(Error::Protocol(error)),
            }
        }
        let Some(extended) = &mut self.extended else { return (chunk.len(), event) };
        let plain = &mut extended.plain;
        // Only by giving nothing does a codec say that it has nothing more.
        if event.is_none() {
            *plain = Plain { offset: plain.offset, ..Plain::default() };
            return (chunk.len(), event);
        }
        let consumed = plain.taken.min(chunk.len().saturating_sub(1));
        plain.taken -= consumed;
        (consumed, event)
    }

    /// Decodes more of the stream if nothing is left of what was decoded before; false when all of
    /// `chunk` is used up.
    fn decode_stream(&mut self, chunk: &[u8]) -> Result<bool, FrameError> {
        let rules = self.framing.rules();
        let Some(Extended { chain, plain }) = self.extended.as_deref_mut() else {
            return Ok(false);
        };
        let Some(codec) = chain.stream() else { return Ok(false) };
        if plain.at < plain.bytes.len() {
            return Ok(true);
        }
        plain.bytes.resize(PLAIN_LEN, 0);
        plain.at = 0;
        let decoded = codec.decode(chunk.get(plain.taken..).unwrap_or_default(), &mut plain.bytes);
        // Nothing can be told to the peer in a stream that makes no sense any more.
        let (taken, given) = decoded
            .map_err(|rule| FrameError::new(Violation::Extension(rule), plain.offset, rules))?;
        plain.taken += taken;
        plain.offset += taken as u64;
        plain.bytes.truncate(given);
        Ok(taken > 0 || given > 0)
    }

    /// Takes in the next frame, or part of one, of what was decoded.
    fn handle_plain(&mut self) -> Option<Event<'static>> {
        let plain = &mut self.extended.as_mut()?.plain;
        let (mut bytes, at) = (core::mem::take(&mut plain.bytes), plain.at);
        let (consumed, event) = self.handle_frames(&mut bytes[at..]);
        let event = event.map(Event::into_owned);
        // The last event of all takes the extensions with it.
        if let Some(Extended { plain, .. }) = self.extended.as_deref_mut() {
            plain.bytes = bytes;
            plain.at += consumed;
        }
        event
    }

    /// Parks the codecs: the connection went quiet.
    pub(super) fn park(&mut self) {
        if let Some(extended) = &mut self.extended {
            extended.chain.park();
        }
    }

    /// Whether there is something to park.
    pub(crate) fn has_active_codec(&self) -> bool {
        self.extended.as_ref().is_some_and(|extended| extended.chain.is_active())
    }
}
