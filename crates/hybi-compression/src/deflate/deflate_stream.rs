//! deflate-stream: all bytes after the opening handshake as one stream of DEFLATE in each direction
//! (draft-ietf-hybi-thewebsocketprotocol-04 to -10).

use hybi_frame::{CloseCode, ExtensionViolation};
use hybi_handshake::{ExtensionOffer, Version};

use crate::codec::StreamCodec;
use crate::deflate::Deflate;
use crate::deflate::codec::{Deflater, Inflater, Kind, Ticket, is_noise};
use crate::extension::{Agreed, AnswerError, Extension};

/// deflate-stream, which versions 4 to 8 of the protocol had built in.
///
/// Frame headers, masking keys and control frames are compressed as well, so what a client sends,
/// which is masked before, hardly gets smaller, and a broken stream cannot be told from a broken
/// frame. There are no parameters: of a [`Deflate`], only the level counts here. What looks like noise
/// cannot be left out of the stream; a long stretch of it is stored. A parked connection
/// forgets what it sent, which costs the next message some of its compression, but keeps the 48 KiB
/// in which the peer may refer to what was received; these are not in the
/// [budget](Deflate::set_budget).
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
        let kind = Kind { level: self.deflate.level, window_bits: 15 };
        Agreed::stream(answer, move || Codec {
            kind,
            deflater: Ticket::new(),
            noise: 0,
            inflater: None,
        })
    }
}

impl Extension for DeflateStream {
    fn name(&self) -> &str {
        "deflate-stream"
    }

    fn is_for(&self, version: Version) -> bool {
        (Version::HYBI_04..=Version::HYBI_08).contains(&version)
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
    kind: Kind,
    deflater: Ticket<Deflater>,
    /// The last bytes sent that look like noise.
    noise: usize,
    inflater: Option<Inflater>,
}

impl StreamCodec for Codec {
    fn encode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.noise = if is_noise(bytes) { self.noise.saturating_add(bytes.len()) } else { 0 };
        if self.noise >= WINDOW {
            // Nothing within reach of what comes next is worth referring to.
            self.deflater.give_back();
            return store(bytes, out);
        }
        let start = out.len();
        let mut deflater = self.deflater.take().unwrap_or_else(|| Deflater::take(self.kind));
        if deflater.flush(bytes, out, usize::MAX) {
            self.deflater.leave(deflater);
        } else {
            // A compressor that gives up is not known of; stored blocks need none.
            out.truncate(start);
            store(bytes, out);
        }
    }

    fn slice_len(&self) -> usize {
        self.kind.slice_len()
    }

    fn decode(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), &'static ExtensionViolation> {
        let inflater = self.inflater.get_or_insert_with(Inflater::take);
        let (mut taken, mut given) = (0, 0);
        loop {
            let inflated = match inflater.inflate(&input[taken..], &mut out[given..]) {
                Some(inflated) => inflated,
                // What streams before this one gave counts; the next call finds the error alone.
                None if taken > 0 || given > 0 => return Ok((taken, given)),
                None => return Err(NOT_DEFLATE),
            };
            taken += inflated.taken;
            given += inflated.made;
            if !inflated.end {
                return Ok((taken, given));
            }
            // The peer ended its stream; another, with an empty history, begins at the next byte.
            inflater.reset();
            if taken == input.len() {
                return Ok((taken, given));
            }
        }
    }

    fn is_active(&self) -> bool {
        self.deflater.is_valid()
    }

    /// Forgets what was sent: each write ends at a byte, where another compressor can go on, as long
    /// as it refers to nothing before. (So it does when its own had to make room.) Where in its stream the peer stands cannot be known, so
    /// what was received stays.
    fn park(&mut self) {
        self.deflater.give_back();
    }
}

/// How far back what is sent may refer.
const WINDOW: usize = 1 << 15;

const DOCUMENT: &str = "draft-ietf-hybi-thewebsocketprotocol-10";

const NOT_DEFLATE: &ExtensionViolation = &ExtensionViolation {
    rule: "stream is not DEFLATE data",
    document: DOCUMENT,
    close_code: CloseCode::PROTOCOL_ERROR,
};

/// Appends the bytes as stored blocks (RFC 1951 §3.2.4).
fn store(bytes: &[u8], out: &mut Vec<u8>) {
    for block in bytes.chunks(usize::from(u16::MAX)) {
        let len = block.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
}
