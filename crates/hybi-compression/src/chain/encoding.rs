//! Encoding: an outgoing message or frame on its way through the codecs of a chain, slice by slice.
//!
//! ```text
//!  payload --slices--> first codec --> what it made --slices--> next codec --> what it made
//! ```
//!
//! A codec has all of a payload before the next gets any: most look at the whole of what they get,
//! and what one of them makes of it is worth sending or not when it is whole.

use core::{fmt, mem};

use hybi_frame::Rsv;

use super::{Chain, Link};
use crate::codec::{Compress, Progress};

/// An outgoing message or frame that codecs have not done with, from [`Chain::start_message`] or
/// [`Chain::start_frame`].
///
/// It owns the payload and what came of it so far, which is at most an eighth and 1 KiB more than the
/// payload with the codecs of this crate. A payload is anything that has bytes, such as a `Vec<u8>` or
/// a `&[u8]`.
///
/// It is for the chain that started it, and until it is done no other message may go through that: one
/// that does puts an end to it, and it is sent as far as it came. So it may also be dropped in the
/// middle and never be sent, if the chain has one codec; behind several, the first ones may have told
/// their histories of it.
///
/// ```
/// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
/// use hybi_compression::{Chain, Compress, Deflate, Encoded, Extensions, Step, Version};
///
/// let extensions = Extensions::from(Deflate::default());
/// let agreed = extensions.accept(&extensions.offers(Version::RFC6455), Version::RFC6455);
/// let mut chain = Chain::new(&agreed);
///
/// let message = "All work and no play makes Jack a dull boy. ".repeat(100_000);
/// let mut encoding = chain.start_message(message, Compress::Auto);
/// let encoded = loop {
///     match chain.advance(encoding, Chain::ENCODE_SLICE) {
///         Step::More(more) => encoding = more,
///         Step::Done(encoded) => break encoded,
///     }
///     // Here others have their turn.
/// };
/// let Encoded::Coded { payload, .. } = encoded else { panic!("it gets smaller") };
/// assert!(payload.len() < 100_000);
/// # }
/// ```
#[must_use]
pub struct Encoding<P> {
    /// What the codec whose turn it is takes in.
    payload: Encoded<P>,
    compress: Compress,
    unit: Unit,
    /// Which of the codecs over these units.
    link: usize,
    /// How much of the payload it took in.
    at: usize,
    /// What it made of that.
    out: Vec<u8>,
    turn: u64,
}

/// What codecs made of a message or frame.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: encoded or not")]
pub enum Encoded<P> {
    /// It travels as it is.
    AsIs(P),
    /// It travels in this form.
    Coded {
        /// The reserved bits for the frame, or the first one of the message.
        rsv: Rsv,
        /// What the frames carry.
        payload: Vec<u8>,
    },
}

/// What [`Chain::advance`] came to.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete: done or not")]
pub enum Step<P> {
    /// There is more to do.
    More(Encoding<P>),
    /// The payload may be sent, before any that is encoded later.
    Done(Encoded<P>),
}

/// What a codec works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Message,
    /// A piece of a message that is sent as it comes, which may be the last.
    Piece {
        last: bool,
    },
    Frame,
}

impl Chain {
    /// How many bytes of a payload [`advance`](Self::advance) is best given leave for: 64 KiB. With the
    /// codecs of this crate they take about 0.1 ms if they are JSON, and 0.5 ms if they do not get
    /// smaller. A longer slice saves nothing that can be measured.
    pub const ENCODE_SLICE: usize = 64 << 10;

    /// How many bytes are best encoded at once: [`ENCODE_SLICE`](Self::ENCODE_SLICE), or fewer if one of the codecs
    /// [says](crate::PayloadCodec::slice_len) so. Deflate does at levels above 5, and stays below 1 ms for what is
    /// usual.
    ///
    /// What is not longer may as well be encoded [at](Self::encode_message) [once](Self::encode_piece).
    pub fn slice_len(&mut self) -> usize {
        let stream = self.stream.as_ref().map_or(usize::MAX, |codec| codec.slice_len());
        let payloads = self.links.iter_mut().map(|link| link.codec().slice_len());
        payloads.fold(Self::ENCODE_SLICE.min(stream), usize::min).max(1)
    }

    /// Encodes an outgoing message. `Some` with the bits for its first frame: `out` has its payload
    /// now, behind what it had. `None`: it travels as it is.
    ///
    /// It takes as long as it takes; [`start_message`](Self::start_message) is for messages longer
    /// than a [slice](Self::slice_len).
    pub fn encode_message(
        &mut self,
        payload: &[u8],
        compress: Compress,
        out: &mut Vec<u8>,
    ) -> Option<Rsv> {
        self.encode(Unit::Message, payload, compress, out)
    }

    /// Encodes the payload of an outgoing data frame, after
    /// [`encode_message`](Self::encode_message) had its message.
    pub fn encode_frame(
        &mut self,
        payload: &[u8],
        compress: Compress,
        out: &mut Vec<u8>,
    ) -> Option<Rsv> {
        self.encode(Unit::Frame, payload, compress, out)
    }

    /// Starts to encode an outgoing message, which [`advance`](Self::advance) goes on with. What comes
    /// of it is what [`encode_message`](Self::encode_message) makes of it, byte for byte if that is done
    /// in one step, and as small if it takes several.
    pub fn start_message<P: AsRef<[u8]>>(&mut self, payload: P, compress: Compress) -> Encoding<P> {
        self.start(Unit::Message, payload, compress)
    }

    /// Starts to encode the payload of an outgoing data frame, as
    /// [`encode_frame`](Self::encode_frame) does.
    pub fn start_frame<P: AsRef<[u8]>>(&mut self, payload: P, compress: Compress) -> Encoding<P> {
        self.start(Unit::Frame, payload, compress)
    }

    /// Goes on with what was started, for the next `slice` bytes of it, fewer, or until it is done. Of more
    /// than a codec has [best at once](crate::PayloadCodec::slice_len), it takes in so many. Codecs take in
    /// the whole one after the other. One by others that has no
    /// [slices](crate::PayloadCodec::encode_slice) takes in all at once.
    pub fn advance<P: AsRef<[u8]>>(&mut self, encoding: Encoding<P>, slice: usize) -> Step<P> {
        let Encoding { mut payload, compress, unit, mut link, mut at, mut out, turn } = encoding;
        // Whatever the codecs had of it is gone.
        if turn != self.turn {
            return Step::Done(payload);
        }
        let mut left = slice.max(1);
        while let Some(current) = unit.links(&mut self.links).get_mut(link) {
            if left == 0 {
                return Step::More(Encoding { payload, compress, unit, link, at, out, turn });
            }
            if unit.is_piece() && !current.encoding {
                link += 1;
                continue;
            }
            let bytes = payload.as_ref();
            let codec = current.codec();
            let end = bytes.len().min(at.saturating_add(left.min(codec.slice_len().max(1))));
            let progress = match unit {
                Unit::Message | Unit::Frame => {
                    codec.encode_slice(bytes, at..end, compress, &mut out)
                }
                Unit::Piece { last } => {
                    let next = codec.encode_piece(bytes, at..end, last, &mut out);
                    if next < bytes.len() { Progress::More(next) } else { Progress::Encoded }
                }
            };
            match progress {
                Progress::More(next) if at < next && next <= end && next < bytes.len() => {
                    at = next;
                    left = 0;
                    continue;
                }
                Progress::Encoded => {
                    let rsv = payload.rsv() | current.rsv;
                    payload = Encoded::Coded { rsv, payload: mem::take(&mut out) };
                }
                // Of a codec that goes on to nowhere, nothing comes.
                Progress::AsIs | Progress::More(_) => out.clear(),
            }
            left -= end - at;
            (link, at) = (link + 1, 0);
        }
        Step::Done(payload)
    }

    /// Begins an outgoing message that is sent as it comes, told from the first bytes of it. `Some` with
    /// the bits for its first frame: [`encode_piece`](Self::encode_piece) is to get all of it, these bytes
    /// first, before any other message. `None`: it travels as it is.
    ///
    /// ```
    /// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
    /// use hybi_compression::{Chain, Compress, Deflate, Extensions, Version};
    ///
    /// let extensions = Extensions::from(Deflate::default());
    /// let agreed = extensions.accept(&extensions.offers(Version::RFC6455), Version::RFC6455);
    /// let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
    ///
    /// let pieces = ["All work and no play ", "makes Jack ", "a dull boy."];
    /// let rsv = sender.begin_pieces(pieces[0].as_bytes(), Compress::Always).expect("it is agreed on");
    /// let mut frames = Vec::new();
    /// for (at, piece) in pieces.iter().enumerate() {
    ///     // Each could leave now, in a frame of its own.
    ///     sender.encode_piece(piece.as_bytes(), at == 2, &mut frames);
    /// }
    /// let mut message = Vec::new();
    /// receiver.decode_message(&frames, rsv, 1 << 20, &mut message).expect("it is whole");
    /// assert_eq!(message, pieces.concat().as_bytes());
    /// # }
    /// ```
    pub fn begin_pieces(&mut self, first: &[u8], compress: Compress) -> Option<Rsv> {
        self.turn = self.turn.wrapping_add(1);
        let mut bits = None;
        for link in Unit::Message.links(&mut self.links) {
            link.encoding = link.codec().begin_pieces(first, compress);
            if link.encoding {
                bits = Some(bits.unwrap_or(Rsv::NONE) | link.rsv);
            }
        }
        bits
    }

    /// Appends what becomes of the next piece of a message that [began](Self::begin_pieces) so: the peer
    /// can decode all of it up to here. `last` ends the message; that piece may be empty.
    ///
    /// It takes as long as it takes; [`start_piece`](Self::start_piece) is for pieces longer than a
    /// [slice](Self::slice_len).
    pub fn encode_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let (start, mut coded) = (out.len(), false);
        for link in Unit::Message.links(&mut self.links) {
            if !link.encoding {
                continue;
            }
            if start == 0 && !coded {
                link.codec().encode_piece(piece, 0..piece.len(), last, out);
            } else {
                let piece = if coded { &out[start..] } else { piece };
                self.scratch.clear();
                link.codec().encode_piece(piece, 0..piece.len(), last, &mut self.scratch);
                out.truncate(start);
                out.extend_from_slice(&self.scratch);
            }
            coded = true;
        }
    }

    /// Starts to encode the next piece of a message that [began](Self::begin_pieces) so, which
    /// [`advance`](Self::advance) goes on with. What comes of it is what [`encode_piece`](Self::encode_piece) makes
    /// of it, byte for byte if that is done in one step, and as small if it takes several. No other piece
    /// may be started until it is done.
    pub fn start_piece<P: AsRef<[u8]>>(&mut self, piece: P, last: bool) -> Encoding<P> {
        let payload = Encoded::AsIs(piece);
        let (unit, compress, turn) = (Unit::Piece { last }, Compress::Auto, self.turn);
        Encoding { payload, compress, unit, link: 0, at: 0, out: Vec::new(), turn }
    }

    fn start<P>(&mut self, unit: Unit, payload: P, compress: Compress) -> Encoding<P> {
        self.turn = self.turn.wrapping_add(1);
        let (payload, turn) = (Encoded::AsIs(payload), self.turn);
        Encoding { payload, compress, unit, link: 0, at: 0, out: Vec::new(), turn }
    }

    /// Passes a whole payload through the codecs over these units, in order.
    fn encode(
        &mut self,
        unit: Unit,
        payload: &[u8],
        compress: Compress,
        out: &mut Vec<u8>,
    ) -> Option<Rsv> {
        self.turn = self.turn.wrapping_add(1);
        let (mut bits, start) = (None, out.len());
        for link in unit.links(&mut self.links) {
            let encoded = match bits {
                None => link.codec().encode(payload, compress, out),
                Some(_) => {
                    self.scratch.clear();
                    let encoded = link.codec().encode(&out[start..], compress, &mut self.scratch);
                    if encoded {
                        out.truncate(start);
                        out.extend_from_slice(&self.scratch);
                    }
                    encoded
                }
            };
            if encoded {
                bits = Some(bits.unwrap_or(Rsv::NONE) | link.rsv);
            }
        }
        bits
    }
}

impl Unit {
    fn links(self, links: &mut [Link]) -> &mut [Link] {
        let (messages, frames) = links.split_at_mut(links.partition_point(|link| !link.per_frame));
        match self {
            Self::Message | Self::Piece { .. } => messages,
            Self::Frame => frames,
        }
    }

    fn is_piece(self) -> bool {
        matches!(self, Self::Piece { .. })
    }
}

impl<P> Encoded<P> {
    /// The reserved bits for the frame, or the first one of the message.
    #[must_use]
    pub fn rsv(&self) -> Rsv {
        match self {
            Self::AsIs(_) => Rsv::NONE,
            Self::Coded { rsv, .. } => *rsv,
        }
    }
}

/// What travels.
impl<P: AsRef<[u8]>> AsRef<[u8]> for Encoded<P> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::AsIs(payload) => payload.as_ref(),
            Self::Coded { payload, .. } => payload,
        }
    }
}

/// Shows nothing of the message, which may be a secret.
impl<P> fmt::Debug for Encoded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded").field("rsv", &self.rsv()).finish_non_exhaustive()
    }
}

/// The same.
impl<P> fmt::Debug for Encoding<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoding")
            .field("payload", &self.payload)
            .field("link", &self.link)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
