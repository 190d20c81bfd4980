//! What hostile clients send, as bytes: heads that fill what a head may have, frames that are cheap to send, and
//! compressed payloads that make nothing, or a lot (RFC 6455 sections 4.1 and 5.2, RFC 1951 section 3.2).

use hybi_testkit::wire::{self, BINARY, CONTINUATION, FIN, Side};

/// The head of a request for a WebSocket, up to the blank line that ends it.
pub const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n";

/// `head` with a field whose value is `unit` over and over, about `len` bytes in all, blank line included. The field
/// takes the place of one of the same name.
///
/// ```
/// use hybi_suite::hostile::{REQUEST, filled};
///
/// let head = String::from_utf8(filled(REQUEST, "Upgrade: a", ",a", 8000)).expect("text");
/// assert!(head.contains("\r\nUpgrade: a,a,a,a") && head.ends_with(",a\r\n\r\n"));
/// assert!((7990..=8000).contains(&head.len()));
/// ```
#[must_use]
pub fn filled(head: &str, field: &str, unit: &str, len: usize) -> Vec<u8> {
    let name = field.split(':').next().unwrap_or_default();
    let others = head.split_inclusive("\r\n").filter(|line| !line.starts_with(&format!("{name}:")));
    let mut head: String = others.collect();
    let room = len.saturating_sub(head.len() + field.len() + 4);
    head += &format!("{field}{}\r\n\r\n", unit.repeat(room / unit.len()));
    head.into_bytes()
}

/// The same frame of a client, for at least `len` bytes.
///
/// ```
/// use hybi_suite::hostile::flood;
/// use hybi_testkit::wire::PING;
///
/// assert_eq!(flood(PING, b"", 13).len(), 18);
/// ```
#[must_use]
pub fn flood(first: u8, payload: &[u8], len: usize) -> Vec<u8> {
    let frame = wire::frame(Side::Client, first, payload);
    frame.repeat(len.div_ceil(frame.len()))
}

/// A message of a client in `count` fragments of `payload`, after an empty one; it has no end.
///
/// ```
/// assert_eq!(hybi_suite::hostile::fragments(b"", 2).len(), 18);
/// ```
#[must_use]
pub fn fragments(payload: &[u8], count: usize) -> Vec<u8> {
    let mut bytes = wire::frame(Side::Client, BINARY ^ FIN, b"");
    bytes.extend(wire::frame(Side::Client, CONTINUATION ^ FIN, payload).repeat(count));
    bytes
}

/// A field of a DEFLATE stream: its value, and how many bits it has.
type Field = (u32, u32);

/// A block that stands for nothing. None of them is the last of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: RFC 1951 section 3.2.3 has three types")]
pub enum Block {
    /// Not compressed: up to six bytes each.
    Stored,
    /// Of the fixed codes: ten bits each.
    Fixed,
    /// Of codes of its own, the shortest there are: eleven bytes each.
    Dynamic,
}

impl Block {
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Stored => &[(0, 1), (0, 2), ALIGN, (0xffff_0000, 32)],
            Self::Fixed => &[(0, 1), (1, 2), (0, 7)],
            // 257 literals of which only the last, the end of the block, has a code, and one distance.
            Self::Dynamic => &[
                (0, 1),
                (2, 2),
                // 257 literals, a distance, 18 lengths of codes: two of one bit, for repeated zeros and for one.
                (0, 5),
                (0, 5),
                (14, 4),
                (0, 6),
                (1, 3),
                (0, 30),
                (0, 12),
                (1, 3),
                // 138 and 118 zeros, and twice a one.
                (1, 1),
                (127, 7),
                (1, 1),
                (107, 7),
                (0, 2),
                // The end of the block.
                (0, 1),
            ],
        }
    }
}

/// A field of as many zeros as the byte has room for.
const ALIGN: Field = (0, 0);

/// Least significant bits first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits that make no byte yet, and how many there are.
    rest: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, fields: &[Field]) {
        for &field in fields {
            let (value, len) = if field == ALIGN { (0, (8 - self.count) % 8) } else { field };
            self.rest |= u64::from(value) << self.count;
            self.count += len;
            while self.count >= 8 {
                self.bytes.push((self.rest & 0xff) as u8);
                (self.rest, self.count) = (self.rest >> 8, self.count - 8);
            }
        }
    }

    /// A block that is not compressed, of less than 64 KiB.
    fn stored(&mut self, bytes: &[u8]) {
        let len = bytes.len() as u32;
        self.put(&[(0, 1), (0, 2), ALIGN, (len, 16), (!len & 0xffff, 16)]);
        self.bytes.extend(bytes);
    }

    /// So many zeros at least, up to 1,032 of them to a byte.
    fn zeros(&mut self, len: usize) {
        self.put(&[
            (0, 1),
            (2, 2),
            // 286 literals and lengths, a distance, and 18 lengths of codes: one bit for repeated zeros, two for a
            // one and for a two.
            (29, 5),
            (0, 5),
            (14, 4),
            (0, 6),
            (1, 3),
            (0, 30),
            (0, 6),
            (2, 3),
            (0, 3),
            (2, 3),
            // Two bits for the literal 0; 138 and 117 zeros; two bits for the end; 28 zeros; one bit for the length
            // 258; one for the distance 1.
            (3, 2),
            (0, 1),
            (127, 7),
            (0, 1),
            (106, 7),
            (3, 2),
            (0, 1),
            (17, 7),
            (1, 2),
            (1, 2),
            // A zero.
            (1, 2),
        ]);
        // As often as it takes: what is before, 258 times.
        (0..len.div_ceil(258)).for_each(|_| self.put(&[(0, 2)]));
        // The end of the block.
        self.put(&[(3, 2)]);
    }

    /// Up to the empty stored block without whose last bytes a message travels.
    fn message(mut self) -> Vec<u8> {
        self.put(&[(0, 1), (0, 2), ALIGN]);
        self.bytes
    }

    /// The whole of that block: what is written so far can be read.
    fn flush(&mut self) {
        self.stored(b"");
    }
}

/// A compressed message of blocks that stand for nothing, of about `len` bytes.
///
/// ```
/// use hybi_suite::hostile::{Block, empty_blocks};
///
/// assert!((100..110).contains(&empty_blocks(Block::Dynamic, 100).len()));
/// ```
#[must_use]
pub fn empty_blocks(block: Block, len: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    while bits.bytes.len() < len {
        bits.put(block.fields());
    }
    bits.message()
}

/// A compressed message of zeros: at least `inflated` of them, and 258 more at most; a byte stands for 1,032.
///
/// ```
/// assert!(hybi_suite::hostile::bomb(1_000_000).len() < 1_100);
/// ```
#[must_use]
pub fn bomb(inflated: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.zeros(inflated);
    bits.message()
}

/// The same where a stream is compressed, as with deflate-stream: the header of a frame, and its payload.
///
/// ```
/// use hybi_suite::hostile::stream_bomb;
/// use hybi_testkit::wire::{BINARY, Side, header};
///
/// let header = header(Side::Client, BINARY, 1_000_000);
/// assert!(stream_bomb(&header, 1_000_000).len() < 1_100);
/// ```
#[must_use]
pub fn stream_bomb(header: &[u8], inflated: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.stored(header);
    bits.zeros(inflated);
    bits.flush();
    bits.bytes
}

#[cfg(all(test, feature = "suite"))]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::*;

    fn inflated(stream: &[u8], len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len);
        let mut inflater = Decompress::new(false);
        inflater.decompress_vec(stream, &mut out, FlushDecompress::Sync).expect("DEFLATE data");
        assert_eq!(inflater.total_in(), stream.len() as u64, "all of it is read");
        out
    }

    const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];

    #[test]
    fn empty_blocks_stand_for_nothing() {
        for block in [Block::Stored, Block::Fixed, Block::Dynamic] {
            for len in [1, 100, 10_000] {
                let stream = [&empty_blocks(block, len), TAIL].concat();
                assert_eq!(inflated(&stream, 10), b"", "{block:?} {len}");
            }
        }
    }

    #[test]
    fn a_bomb_is_zeros() {
        for len in [1, 258, 1_000_000] {
            let zeros = inflated(&[&bomb(len), TAIL].concat(), len + 300);
            assert!(zeros.iter().all(|byte| *byte == 0));
            assert!((len..=len + 259).contains(&zeros.len()), "{len}: {}", zeros.len());
            let stream = inflated(&stream_bomb(b"header", len), len + 300);
            assert_eq!(stream[..6], *b"header");
            assert_eq!(stream[6..], zeros);
        }
    }
}
