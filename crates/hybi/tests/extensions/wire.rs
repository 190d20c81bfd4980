//! Frames and DEFLATE data made and read by hand, apart from the code under test (RFC 6455
//! section 5.2, RFC 1951).

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use hybi::Role;

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CONTINUATION: u8 = 0x80;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;

/// What ends a flushed piece of DEFLATE data, and is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// Or the first of a message that is.
    pub(crate) fn is_compressed(&self) -> bool {
        self.first & RSV1 != 0
    }
}

/// The frames that `sender` sent, to the last byte.
pub(crate) fn frames(sender: Role, mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(second & 0x80 != 0, sender == Role::Client, "masked by clients alone");
        let (len, rest) = match second & 0x7f {
            126 => {
                let (len, rest) = rest.split_first_chunk().expect("a length");
                (usize::from(u16::from_be_bytes(*len)), rest)
            }
            127 => {
                let (len, rest) = rest.split_first_chunk().expect("a length");
                (u64::from_be_bytes(*len) as usize, rest)
            }
            len => (usize::from(len), rest),
        };
        let (key, rest) = rest.split_at(if sender == Role::Client { 4 } else { 0 });
        let (payload, rest) = rest.split_at(len);
        let mut payload = payload.to_vec();
        if !key.is_empty() {
            payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        }
        frames.push(Frame { first: *first, payload });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "half a header");
    frames
}

/// A frame as `sender` sends it, with a key of zeros.
pub(crate) fn frame(sender: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(sender, first, payload.len());
    bytes.extend(payload);
    bytes
}

/// The header of such a frame.
pub(crate) fn header(sender: Role, first: u8, len: usize) -> Vec<u8> {
    let masked = if sender == Role::Client { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match len {
        0..126 => bytes.push(masked | len as u8),
        126..65_536 => {
            bytes.push(masked | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend((masked != 0).then_some([0; 4]).into_iter().flatten());
    bytes
}

/// The peer's compressor: one history over all messages.
pub(crate) struct Deflater(Compress);

impl Deflater {
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::new(9), false))
    }

    /// The payload of the next message or frame: flushed, and the tail taken off.
    pub(crate) fn message(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = self.flushed(plain);
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }

    /// The next part of a stream: flushed, with its tail.
    pub(crate) fn flushed(&mut self, plain: &[u8]) -> Vec<u8> {
        let before = self.0.total_in();
        let mut out = Vec::new();
        loop {
            out.reserve(plain.len() / 8 + 256);
            let taken = (self.0.total_in() - before) as usize;
            self.0.compress_vec(&plain[taken..], &mut out, FlushCompress::Sync).expect("goes on");
            if out.len() < out.capacity() {
                return out;
            }
        }
    }
}

/// The peer's decompressor.
pub(crate) struct Inflater(Decompress);

impl Inflater {
    pub(crate) fn new() -> Self {
        Self(Decompress::new(false))
    }

    /// What the payload of the next message or frame stands for.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Vec<u8> {
        self.stream(&[payload, &TAIL].concat())
    }

    /// What the next part of a stream stands for.
    pub(crate) fn stream(&mut self, bytes: &[u8]) -> Vec<u8> {
        let before = self.0.total_in();
        let mut out = Vec::new();
        loop {
            out.reserve(4 * bytes.len() + 256);
            let taken = (self.0.total_in() - before) as usize;
            let flush = FlushDecompress::None;
            let status = self.0.decompress_vec(&bytes[taken..], &mut out, flush).expect("DEFLATE");
            assert_ne!(status, Status::StreamEnd, "a final block is never sent");
            if out.len() < out.capacity() {
                assert_eq!((self.0.total_in() - before) as usize, bytes.len());
                return out;
            }
        }
    }
}
