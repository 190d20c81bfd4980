//! deflate-stream: all bytes after the opening handshake as one stream of DEFLATE in each direction
//! (draft-ietf-hybi-thewebsocketprotocol-04 to -10).

use flate2::{
    Compress as Deflater, Compression, Decompress, FlushCompress, FlushDecompress, Status,
};
use hybi_frame::{CloseCode, ExtensionViolation};
use hybi_handshake::{ExtensionOffer, Version};

use crate::deflate::Deflate;
use crate::extension::{Agreed, AnswerError, Extension, StreamCodec};

/// deflate-stream, which versions 4 to 8 of the protocol had built in.
///
/// Frame headers, masking keys and control frames are compressed as well, so what a client sends,
/// which is masked before, hardly gets smaller, and a broken stream cannot be told from a broken
/// frame. There are no parameters: of a [`Deflate`], only the level counts here. A parked connection
/// forgets what it sent, which costs the next message some of its compression, but keeps the 48 KiB
/// in which the peer may refer to what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateStream {
    deflate: Deflate,
}

impl DeflateStream {
    /// The extension.
    #[must_use]
    pub const fn new(deflate: Deflate) -> Self {
        Self { deflate }
    }

    fn agreed(self, answer: ExtensionOffer) -> Agreed {
        let level = self.deflate.level;
        Agreed::stream(answer, move || Codec { level, deflater: None, inflater: None })
    }
}

impl Extension for DeflateStream {
    fn name(&self) -> &str {
        "deflate-stream"
    }

    fn is_for(&self, version: Version) -> bool {
        (4..=8).contains(&version.number())
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        ExtensionOffer::new(self.name()).into_iter().collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        offer.params().is_empty().then(|| self.agreed(offer.clone()))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        if !answer.params().is_empty() {
            return Err(AnswerError::new("the answer has a parameter", DOCUMENT));
        }
        Ok(self.agreed(answer.clone()))
    }
}

/// Both directions of one connection.
struct Codec {
    level: u8,
    deflater: Option<Deflater>,
    inflater: Option<Decompress>,
}

impl StreamCodec for Codec {
    fn encode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let level = self.level.into();
        let deflater =
            self.deflater.get_or_insert_with(|| Deflater::new(Compression::new(level), false));
        let before = deflater.total_in();
        loop {
            out.reserve(bytes.len() / 2 + 64);
            let taken = (deflater.total_in() - before) as usize;
            deflater
                .compress_vec(&bytes[taken..], out, FlushCompress::Sync)
                .expect("a stream that was not ended takes more");
            // The flush is complete when it leaves room.
            if out.len() < out.capacity() {
                return;
            }
        }
    }

    fn decode(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), ExtensionViolation> {
        let inflater = self.inflater.get_or_insert_with(|| Decompress::new(false));
        let (mut taken, mut given) = (0, 0);
        loop {
            let (total_in, total_out) = (inflater.total_in(), inflater.total_out());
            let (rest, room) = (&input[taken..], &mut out[given..]);
            let status = inflater.decompress(rest, room, FlushDecompress::None);
            taken += (inflater.total_in() - total_in) as usize;
            given += (inflater.total_out() - total_out) as usize;
            match status {
                Ok(Status::StreamEnd) => {}
                Ok(_) => return Ok((taken, given)),
                // What came before the error counts, however the stream was cut; a byte is left for
                // the call that finds the error alone.
                Err(_) if given > 0 => {
                    return Ok((taken.min(input.len().saturating_sub(1)), given));
                }
                Err(_) => return Err(NOT_DEFLATE),
            }
            // The peer ended its stream; another, with an empty history, begins at the next byte.
            inflater.reset(false);
            if taken == input.len() {
                return Ok((taken, given));
            }
        }
    }

    fn is_active(&self) -> bool {
        self.deflater.is_some()
    }

    /// Forgets what was sent: each write ends at a byte, where another compressor can go on, as long
    /// as it refers to nothing before. Where in its stream the peer stands cannot be known, so
    /// what was received stays.
    fn park(&mut self) {
        self.deflater = None;
    }
}

const DOCUMENT: &str = "draft-ietf-hybi-thewebsocketprotocol-10";

const NOT_DEFLATE: ExtensionViolation = ExtensionViolation {
    rule: "stream is not DEFLATE data",
    document: DOCUMENT,
    close_code: CloseCode::PROTOCOL_ERROR,
};
