//! Codec: what an extension does to the bytes of one connection once it was agreed on
//! (RFC 6455 §9).

use core::ops::Range;

use hybi_frame::{ExtensionViolation, Violation};

/// What the sender of a message wants of the extensions that compress; others ignore it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: as configured, yes, no")]
pub enum Compress {
    /// As the extension was configured: most leave messages as they are that are small, or that do
    /// not look as if they would get smaller.
    #[default]
    Auto,
    /// However small the message is, and whatever it looks like.
    Always,
    /// Not this one. Its length tells then nothing about its content, and its content nothing about
    /// that of others.
    Never,
}

/// Names an encoding of a payload that depends on the payload alone: two codecs with equal keys give
/// bytes that either could have given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "codecs of other crates make these")]
pub struct EncodingKey {
    /// The kind of codec, by a name that no other kind has.
    pub codec: &'static str,
    /// All of its parameters that matter.
    pub parameters: u64,
}

/// How far a codec has come with an outgoing payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is more to do, or one of two ends")]
pub enum Progress {
    /// It goes on with the byte at this place in the payload, as soon as others had their turn.
    More(usize),
    /// The payload is encoded.
    Encoded,
    /// The payload travels as it is, without the extension's reserved bits.
    AsIs,
}

/// Both directions of an extension on one connection, over the payloads of messages or frames.
pub trait PayloadCodec: Send {
    /// Appends the encoded form of an outgoing message or frame to `out`, and says that it did.
    /// `false`: nothing was appended, and the payload travels as it is, without the extension's
    /// reserved bits.
    fn encode(&mut self, payload: &[u8], compress: Compress, out: &mut Vec<u8>) -> bool;

    /// Encodes a long payload slice by slice, so that others have their turn in between: each call
    /// takes in bytes of `payload` from the front of `slice`, all of them or fewer. The next begins
    /// where it says, until it is done, which it may be before it had all of the payload. In `out` is
    /// what came of the slices before and nothing else.
    ///
    /// A slice that begins at 0 is of another payload. If that comes before the last was done, that
    /// one was not sent, and the peer knows nothing of it.
    ///
    /// A slice is no longer than [`slice_len`](Self::slice_len). Unless the codec has this, it
    /// [encodes](Self::encode) the whole with the first slice, for however long that takes.
    fn encode_slice(
        &mut self,
        payload: &[u8],
        slice: Range<usize>,
        compress: Compress,
        out: &mut Vec<u8>,
    ) -> Progress {
        let _ = slice;
        if self.encode(payload, compress, out) { Progress::Encoded } else { Progress::AsIs }
    }

    /// How many bytes of an outgoing payload, or of a piece of a message, are best taken in at once, since
    /// others wait meanwhile. As many as there are, unless the codec has this.
    fn slice_len(&self) -> usize {
        usize::MAX
    }

    /// Whether a message that is sent as it comes is to be encoded, told from the first bytes of it: its
    /// length and its end are not known yet. If so, [`encode_piece`](Self::encode_piece) gets all of it,
    /// these bytes first, and no other payload comes before its last piece.
    ///
    /// Unless the codec has this, such messages travel as they are.
    fn begin_pieces(&mut self, first: &[u8], compress: Compress) -> bool {
        let _ = (first, compress);
        false
    }

    /// Encodes the next piece of that message slice by slice, as
    /// [`encode_slice`](Self::encode_slice) does a whole payload: takes in bytes from the front of
    /// `slice` and says where the next begins, which is the end of the piece when it is done. The peer can
    /// decode all of the piece then. `last` ends the message; that piece may be empty.
    fn encode_piece(
        &mut self,
        piece: &[u8],
        slice: Range<usize>,
        last: bool,
        out: &mut Vec<u8>,
    ) -> usize {
        let _ = last;
        out.extend_from_slice(&piece[slice.clone()]);
        slice.end
    }

    /// Decodes the next piece of an incoming payload; `end` says that it is the last of the message
    /// or frame. What comes of it goes to `out`, in as many pieces as there are.
    ///
    /// # Errors
    ///
    /// A [`Violation::Extension`], or what `out` said: that a limit was reached. Then nothing more
    /// is to be decoded.
    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation>;

    /// The encoding of this payload that may be made once and sent to many, if there is one and it is
    /// to be encoded at all.
    fn shared_encoding(&self, payload: &[u8], compress: Compress) -> Option<EncodingKey> {
        let _ = (payload, compress);
        None
    }

    /// Another codec, which makes that encoding of any payload and knows nothing of this connection.
    fn shared_codec(&self) -> Option<Box<dyn PayloadCodec>> {
        None
    }

    /// Notes that the shared encoding of this payload is sent.
    fn sent_shared(&mut self, payload: &[u8]) {
        let _ = payload;
    }

    /// Whether there is memory that [`park`](Self::park) would release.
    fn is_active(&self) -> bool {
        false
    }

    /// The connection went quiet: releases what can be made again when the next message comes.
    fn park(&mut self) {}
}

/// Both directions of an extension on one connection, over the whole stream of bytes.
pub trait StreamCodec: Send {
    /// Appends the encoded form of outgoing bytes to `out`, such that the peer can decode all of them.
    ///
    /// It takes as long as it takes. Where others are to have their turn, a long write is given in
    /// [slices](Self::slice_len), each of which makes it a few bytes longer.
    fn encode(&mut self, bytes: &[u8], out: &mut Vec<u8>);

    /// As [`PayloadCodec::slice_len`].
    fn slice_len(&self) -> usize {
        usize::MAX
    }

    /// Decodes bytes from the front of `input` into `out`; returns how many were taken and how many
    /// came of them. Called again until it takes and gives nothing.
    ///
    /// # Errors
    ///
    /// The rule that the stream breaks. Nothing after it can be understood, so the transport is
    /// dropped without a Close frame.
    fn decode(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), &'static ExtensionViolation>;

    /// As [`PayloadCodec::is_active`].
    fn is_active(&self) -> bool {
        false
    }

    /// As [`PayloadCodec::park`].
    fn park(&mut self) {}
}
