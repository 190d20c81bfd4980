//! Chain: the extensions of one connection in the order in which they apply (RFC 6455 §9.1).

mod encoding;

use core::fmt;

use hybi_frame::{FrameDecoder, FrameHeader, Opcode, PayloadDecoder, Rsv, Violation};

use crate::codec::{Compress, EncodingKey, PayloadCodec, StreamCodec};
use crate::extension::{Agreed, MakePayloadCodec, Start};

pub use encoding::{Encoded, Encoding, Step};

/// The extensions of one connection.
///
/// Outgoing payloads pass through those over messages in the order of the server's answer, then,
/// cut into frames, through those over frames; incoming ones the other way round. One over the whole
/// stream comes last, wherever it was listed, since by then there is nothing else left.
///
/// Codecs are made when the first message needs them.
pub struct Chain {
    /// Over messages first, then over frames.
    links: Vec<Link>,
    /// One more for each message or frame that is encoded, so that one which another came before is
    /// known.
    turn: u64,
    stream: Option<Box<dyn StreamCodec>>,
    /// The current incoming frame is the last of its message.
    fin: bool,
    /// What lies between two links.
    scratch: Vec<u8>,
}

struct Link {
    rsv: Rsv,
    per_frame: bool,
    /// The incoming message or frame is encoded.
    decoding: bool,
    /// The outgoing message that is sent in pieces is.
    encoding: bool,
    make: MakePayloadCodec,
    /// Made when the first message needs it.
    codec: Option<Box<dyn PayloadCodec>>,
}

impl Chain {
    /// The chain of a connection for which this was agreed on.
    ///
    /// Extensions that exclude each other never come out of
    /// [`Extensions::accept`](crate::Extensions::accept) or
    /// [`confirm`](crate::Extensions::confirm); of two that do, only the first is used. Of
    /// [marks](Agreed::mark) there is nothing to be done.
    #[must_use]
    pub fn new(agreed: &[Agreed]) -> Self {
        let mut chain = Self::empty();
        for (at, one) in agreed.iter().enumerate() {
            if agreed[..at].iter().any(|other| other.excludes(one)) {
                continue;
            }
            match &one.start {
                Start::Stream(start) => chain.stream = Some(start()),
                Start::Payload { per_frame, make } => chain.links.push(Link {
                    rsv: one.rsv,
                    per_frame: *per_frame,
                    decoding: false,
                    encoding: false,
                    make: make.clone(),
                    codec: None,
                }),
                Start::Mark => {}
            }
        }
        chain.links.sort_by_key(|link| link.per_frame);
        chain
    }

    fn empty() -> Self {
        Self { links: Vec::new(), turn: 0, stream: None, fin: false, scratch: Vec::new() }
    }

    /// Tells the decoder which reserved bits are lawful now.
    pub fn allow_rsv(&self, decoder: &mut FrameDecoder) {
        for link in &self.links {
            if link.per_frame {
                decoder.allow_rsv_on_every_frame(link.rsv);
            } else {
                decoder.allow_rsv(link.rsv);
            }
        }
    }

    /// The extension over the whole stream, if there is one.
    pub fn stream(&mut self) -> Option<&mut (dyn StreamCodec + 'static)> {
        self.stream.as_deref_mut()
    }

    /// Whether there is one.
    #[must_use]
    pub fn has_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether each frame is encoded for itself.
    #[must_use]
    pub fn is_per_frame(&self) -> bool {
        self.links.last().is_some_and(|link| link.per_frame)
    }

    /// How many bytes of a payload [`decode`](PayloadDecoder::decode) is best given at once: 4 KiB.
    ///
    /// A byte of DEFLATE data makes 1032 at most, so 4 MiB come of these. That takes 2 ms if they are a
    /// run of one byte, and less than 0.1 ms in any other case; a chunk of 64 KiB at once takes 16 times
    /// as long. Shorter pieces cost time instead: JSON is decompressed more slowly in pieces of 4 KiB
    /// than in one, by a tenth or so, and by a fifth in pieces of 2 KiB.
    pub const DECODE_SLICE: usize = 4 << 10;

    /// Decodes a whole message whose first frame had these reserved bits, and appends it to `out`: no
    /// more than `max_len` bytes. It is for codecs with frames of their own; with an extension
    /// [over frames](Self::is_per_frame), the payload is that of one frame.
    ///
    /// With this and [`encode_message`](Self::encode_message) any codec can compress, if it knows
    /// whether RSV1 is set:
    ///
    /// ```
    /// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
    /// use hybi_compression::{Chain, Compress, Deflate, Extensions, Rsv, Version, Violation};
    ///
    /// /// What the other codec takes and gives.
    /// struct Frame {
    ///     rsv1: bool,
    ///     payload: Vec<u8>,
    /// }
    ///
    /// fn deflated(chain: &mut Chain, message: &[u8]) -> Frame {
    ///     let mut payload = Vec::new();
    ///     match chain.encode_message(message, Compress::Auto, &mut payload) {
    ///         Some(_) => Frame { rsv1: true, payload },
    ///         None => Frame { rsv1: false, payload: message.to_vec() },
    ///     }
    /// }
    ///
    /// fn inflated(chain: &mut Chain, frame: &Frame) -> Result<Vec<u8>, Violation> {
    ///     let rsv = if frame.rsv1 { Rsv::RSV1 } else { Rsv::NONE };
    ///     let mut message = Vec::new();
    ///     chain.decode_message(&frame.payload, rsv, 1 << 20, &mut message)?;
    ///     Ok(message)
    /// }
    ///
    /// let extensions = Extensions::from(Deflate::default());
    /// let agreed = extensions.accept(&extensions.offers(Version::RFC6455), Version::RFC6455);
    /// let (mut sender, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
    ///
    /// let message = "All work and no play makes Jack a dull boy. ".repeat(20);
    /// let frame = deflated(&mut sender, message.as_bytes());
    /// assert!(frame.rsv1 && frame.payload.len() < 100);
    /// assert_eq!(inflated(&mut receiver, &frame)?, message.as_bytes());
    /// # }
    /// # Ok::<(), hybi_compression::Violation>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Violation::ReservedBits`] if a bit is set that no extension owns,
    /// [`Violation::MessageTooLarge`] if it would be longer than `max_len`, or what an extension finds
    /// wrong. The connection fails then, with [`Violation::close_code`]; `out` is as it was.
    pub fn decode_message(
        &mut self,
        payload: &[u8],
        rsv: Rsv,
        max_len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let owned = self.links.iter().fold(Rsv::NONE, |owned, link| owned | link.rsv);
        let unlawful = rsv.difference(owned);
        if !unlawful.is_empty() {
            return Err(Violation::ReservedBits(unlawful));
        }
        self.fin = true;
        for link in &mut self.links {
            link.decoding = rsv.contains(link.rsv);
        }
        let start = out.len();
        let mut append = |bytes: &[u8]| {
            if bytes.len() > max_len - (out.len() - start) {
                return Err(Violation::MessageTooLarge {
                    size: max_len as u64 + 1,
                    limit: max_len,
                });
            }
            out.extend_from_slice(bytes);
            Ok(())
        };
        let result = decode(&mut self.links, payload, true, true, &mut append);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// The encoding of this message that may be made once and sent to many, if a single codec makes
    /// it.
    pub fn shared_encoding(&mut self, payload: &[u8], compress: Compress) -> Option<EncodingKey> {
        match &mut self.links[..] {
            [link] => link.codec().shared_encoding(payload, compress),
            _ => None,
        }
    }

    /// A chain that makes the [`shared_encoding`](Self::shared_encoding) of any payload, with
    /// [`Compress::Auto`]. It belongs to no connection, so that it may lie beside the message.
    pub fn shared_chain(&mut self) -> Option<Self> {
        let [link] = &mut self.links[..] else { return None };
        let codec = Some(link.codec().shared_codec()?);
        let (rsv, make) = (link.rsv, link.make.clone());
        let (decoding, encoding) = (false, false);
        let link = Link { rsv, per_frame: false, decoding, encoding, make, codec };
        Some(Self { links: vec![link], ..Self::empty() })
    }

    /// Makes the [`shared_encoding`](Self::shared_encoding) of a payload; `false` if it is better
    /// sent as it is.
    pub fn encode_shared(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let chain = self.shared_chain();
        chain.is_some_and(|mut chain| chain.encode_message(payload, Compress::Auto, out).is_some())
    }

    /// Notes that the shared encoding of this payload is sent; returns the bits for its frame.
    pub fn sent_shared(&mut self, payload: &[u8]) -> Rsv {
        match &mut self.links[..] {
            [link] => {
                self.turn = self.turn.wrapping_add(1);
                link.codec().sent_shared(payload);
                link.rsv
            }
            _ => Rsv::NONE,
        }
    }

    /// Whether [`park`](Self::park) would release memory.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let mut made = self.links.iter().filter_map(|link| link.codec.as_ref());
        made.any(|codec| codec.is_active())
            || self.stream.as_ref().is_some_and(|codec| codec.is_active())
    }

    /// The connection went quiet: releases what can be made again when the next message comes.
    pub fn park(&mut self) {
        self.scratch = Vec::new();
        for link in &mut self.links {
            if let Some(codec) = &mut link.codec {
                codec.park();
            }
        }
        if let Some(codec) = &mut self.stream {
            codec.park();
        }
    }
}

impl PayloadDecoder for Chain {
    fn begin_frame(&mut self, header: &FrameHeader) -> bool {
        self.fin = header.fin;
        let first = header.opcode != Opcode::Continuation;
        let mut any = false;
        for link in &mut self.links {
            if first || link.per_frame {
                link.decoding = header.rsv.contains(link.rsv);
            }
            any |= link.decoding;
        }
        any
    }

    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        decode(&mut self.links, piece, end, self.fin, out)
    }
}

/// Passes a piece of the current frame through links, from the last to the first.
fn decode(
    links: &mut [Link],
    piece: &[u8],
    end: bool,
    fin: bool,
    out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
) -> Result<(), Violation> {
    let Some((link, rest)) = links.split_last_mut() else {
        return if piece.is_empty() { Ok(()) } else { out(piece) };
    };
    if !link.decoding {
        return decode(rest, piece, end, fin, out);
    }
    let end_of_unit = end && (link.per_frame || fin);
    if rest.is_empty() {
        return link.codec().decode(piece, end_of_unit, out);
    }
    link.codec().decode(piece, end_of_unit, &mut |bytes| decode(rest, bytes, false, fin, out))?;
    if end { decode(rest, &[], true, fin, out) } else { Ok(()) }
}

impl Link {
    fn codec(&mut self) -> &mut dyn PayloadCodec {
        &mut **self.codec.get_or_insert_with(|| (self.make)())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("links", &self.links.len())
            .field("stream", &self.stream.is_some())
            .finish_non_exhaustive()
    }
}
