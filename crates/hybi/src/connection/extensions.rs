//! Extensions at work on what is sent: payloads that pass through codecs first (RFC 6455 section 9).

use core::num::NonZero;

use bytes::Bytes;
use hybi_compression::{Agreed, Chain, Compress};
use hybi_frame::{Opcode, Payload, Rsv};

use super::{
    Connection, Prepared, buffers, filter::Filter, framing::Framing, outbound::COPY_LIMIT,
    slices::Waiting,
};

/// The codecs that were agreed on, if there are any, and the filter that one over the whole stream needs.
pub(super) fn extensions(
    agreed: &[Agreed],
    framing: &mut Framing,
) -> (Option<Box<Chain>>, Option<Box<Filter>>) {
    if agreed.iter().all(Agreed::is_mark) {
        return (None, None);
    }
    let chain = Chain::new(agreed);
    // Before hybi-07 extensions are about the stream alone, and no bit is lawful.
    if let Framing::Rfc6455(decoder) = framing {
        chain.allow_rsv(decoder);
    }
    let filter = chain.has_stream().then(Box::default);
    (Some(Box::new(chain)), filter)
}

impl Connection {
    /// Queues a message whose payload passes through extensions first, if there are any.
    pub(super) fn queue_encoded(
        &mut self,
        opcode: Opcode,
        payload: Payload<'_>,
        compress: Compress,
        prepared: Option<&Prepared>,
    ) {
        let whole = self.config.fragment_size.is_none_or(|size| payload.len() <= size);
        if payload.len() > self.slice_len() {
            let (payload, prepared) = (payload.into_owned(), prepared.cloned());
            return self.start_work(Waiting { opcode, payload, compress, prepared });
        }
        self.deadlines.coded();
        // What is shared is the payload of a single frame.
        if let Some(prepared) = prepared.filter(|_| whole)
            && let Some((rsv, encoded)) = self.shared_encoding(&payload, compress, prepared)
        {
            return self.queue_frame(true, rsv, opcode, Payload::Owned(encoded));
        }
        let Some(chain) = &mut self.extensions else {
            return self.queue_frames(Rsv::NONE, opcode, payload, compress);
        };
        let mut encoded = buffers::borrow_output();
        let rsv = chain.encode_message(&payload, compress, &mut encoded);
        let small = encoded.len() < COPY_LIMIT && whole && !chain.is_per_frame();
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
                self.queue_frames(rsv, opcode, Payload::Owned(encoded.into()), compress);
            }
            None => {
                buffers::return_output(encoded);
                self.queue_frames(Rsv::NONE, opcode, payload, compress);
            }
        }
    }

    /// The frames of a message; `rsv` is for the first of them.
    fn queue_frames(&mut self, rsv: Rsv, opcode: Opcode, payload: Payload<'_>, compress: Compress) {
        let mut first = rsv;
        self.cut(opcode, payload, |this, fin, opcode, payload| {
            this.queue_coded_frame(fin, core::mem::take(&mut first), opcode, payload, compress);
        });
    }

    /// Queues a frame of a message, whose payload passes through the codecs over frames first.
    pub(super) fn queue_coded_frame(
        &mut self,
        fin: bool,
        rsv: Rsv,
        opcode: Opcode,
        payload: Payload<'_>,
        compress: Compress,
    ) {
        let Some(chain) = self.extensions.as_mut().filter(|chain| chain.is_per_frame()) else {
            return self.queue_frame(fin, rsv, opcode, payload);
        };
        let mut encoded = buffers::borrow_output();
        match chain.encode_frame(&payload, compress, &mut encoded) {
            Some(own) => self.queue_copied(fin, rsv | own, opcode, &encoded),
            None => self.queue_frame(fin, rsv, opcode, payload),
        }
        buffers::return_output(encoded);
    }

    /// The encoding of a message for many, if there is one here and it pays.
    fn shared_encoding(
        &mut self,
        payload: &[u8],
        compress: Compress,
        prepared: &Prepared,
    ) -> Option<(Rsv, Bytes)> {
        let chain = self.extensions.as_mut()?;
        let key = chain.shared_encoding(payload, compress)?;
        let encoded = prepared.encoding(key, || {
            let mut encoded = Vec::new();
            chain.encode_shared(payload, &mut encoded).then(|| encoded.into())
        })?;
        Some((chain.sent_shared(payload), encoded))
    }

    /// Lets `encode` append frames to what is to be sent.
    pub(super) fn append(&mut self, encode: impl FnOnce(&mut Framing, &mut Vec<u8>)) {
        let framing = &mut self.inbound.framing;
        let outbox = &mut self.outbound.outbox;
        if self.filter.is_none() {
            return outbox.append(|out| encode(framing, out));
        }
        let mut plain = buffers::borrow_output();
        encode(framing, &mut plain);
        if let Some(codec) = self.extensions.as_mut().and_then(|chain| chain.stream()) {
            outbox.append(|out| codec.encode(&plain, out));
            self.deadlines.coded();
        }
        buffers::return_output(plain);
    }

    /// Lets go of the codecs, once neither direction has any more to code: the application may keep its
    /// handle for long.
    pub(super) fn release_extensions(&mut self) {
        if !self.inbound.state.takes_frames() && !self.takes_messages() && !self.is_encoding() {
            self.extensions = None;
            if let Some(filter) = self.filter.take() {
                self.inbound.encoded = NonZero::new(filter.offset());
            }
        }
    }

    /// Parks the codecs: the connection went quiet.
    pub(super) fn park(&mut self) {
        if let Some(chain) = &mut self.extensions {
            chain.park();
        }
    }

    /// Whether there is something to park.
    pub(crate) fn has_active_codec(&self) -> bool {
        self.extensions.as_ref().is_some_and(|chain| chain.is_active())
    }
}
