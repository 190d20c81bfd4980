//! An inflater written from RFC 1951 alone, bit by bit: slow, strict, and of no kin to the libraries
//! that it judges. It also measures how far back its input refers.

/// One direction of a connection, as its receiver.
#[derive(Default)]
pub(crate) struct Inflate {
    history: Vec<u8>,
    /// The largest distance seen.
    pub(crate) farthest: usize,
    /// Whether a final block was seen, which no sender of ours has a use for.
    pub(crate) final_block: bool,
}

impl Inflate {
    /// Inflates a payload as RFC 7692 §7.2.2 has it: with the tail put back, after which nothing may
    /// be left, in bits or in blocks. Without `takeover`, it may refer to nothing before it.
    pub(crate) fn message(&mut self, payload: &[u8], takeover: bool) -> Vec<u8> {
        if !takeover {
            self.history.clear();
        }
        let start = self.history.len();
        let mut bytes = payload.to_vec();
        bytes.extend([0x00, 0x00, 0xff, 0xff]);
        let mut bits = Bits { bytes: &bytes, at: 0 };
        while bits.at < 8 * bytes.len() {
            self.block(&mut bits);
        }
        let message = self.history[start..].to_vec();
        let excess = self.history.len().saturating_sub(32 * 1024);
        self.history.drain(..excess);
        message
    }

    fn block(&mut self, bits: &mut Bits<'_>) {
        self.final_block |= bits.take(1) == 1;
        match bits.take(2) {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let (len, complement) = (bits.take(16), bits.take(16));
                assert_eq!(len, !complement & 0xffff, "stored length and its complement");
                for _ in 0..len {
                    self.history.push(bits.take(8) as u8);
                }
            }
            1 => {
                let literals = [(144, 8), (112, 9), (24, 7), (8, 8)];
                let lengths = literals.iter().flat_map(|&(count, bits)| vec![bits; count]);
                let literals = Code::new(&lengths.collect::<Vec<_>>());
                self.symbols(bits, &literals, &Code::new(&[5; 30]));
            }
            2 => {
                let (literals, distances) = tables(bits);
                self.symbols(bits, &literals, &distances);
            }
            _ => panic!("block of the reserved type"),
        }
    }

    fn symbols(&mut self, bits: &mut Bits<'_>, literals: &Code, distances: &Code) {
        loop {
            let symbol = literals.symbol(bits);
            if symbol < 256 {
                self.history.push(symbol as u8);
                continue;
            }
            if symbol == 256 {
                return;
            }
            let (base, extra) = LENGTHS[symbol - 257];
            let length = base + bits.take(extra);
            let (base, extra) = DISTANCES[distances.symbol(bits)];
            let distance = base + bits.take(extra);
            assert!(distance <= self.history.len(), "distance {distance} goes too far back");
            self.farthest = self.farthest.max(distance);
            for _ in 0..length {
                self.history.push(self.history[self.history.len() - distance]);
            }
        }
    }
}

/// The two codes of a dynamic block.
fn tables(bits: &mut Bits<'_>) -> (Code, Code) {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances, count) = (bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4);
    let mut lengths = [0; 19];
    for &at in &ORDER[..count] {
        lengths[at] = bits.take(3);
    }
    let code = Code::new(&lengths);
    let mut lengths: Vec<usize> = Vec::new();
    while lengths.len() < literals + distances {
        let (value, count) = match code.symbol(bits) {
            16 => (*lengths.last().expect("a length to repeat"), 3 + bits.take(2)),
            17 => (0, 3 + bits.take(3)),
            18 => (0, 11 + bits.take(7)),
            length => (length, 1),
        };
        lengths.extend(vec![value; count]);
    }
    assert_eq!(lengths.len(), literals + distances, "a repetition goes past the end");
    (Code::new(&lengths[..literals]), Code::new(&lengths[literals..]))
}

/// Symbols by their codes: length in bits, and value.
struct Code(Vec<(usize, usize, usize)>);

impl Code {
    /// RFC 1951 §3.2.2: codes of one length are consecutive, and shorter ones come before.
    fn new(lengths: &[usize]) -> Self {
        let mut codes = Vec::new();
        let mut next = 0;
        for length in 1..=15 {
            next <<= 1;
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, one)| **one == length) {
                codes.push((length, next, symbol));
                next += 1;
            }
            assert!(next <= 1 << length, "more codes than there are");
        }
        Self(codes)
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> usize {
        let (mut length, mut value) = (0, 0);
        for &(code_length, code, symbol) in &self.0 {
            while length < code_length {
                value = value << 1 | bits.take(1);
                length += 1;
            }
            if value == code {
                return symbol;
            }
        }
        panic!("bits that are no code")
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// The next bits, the first of them lowest.
    fn take(&mut self, count: usize) -> usize {
        let mut value = 0;
        for bit in 0..count {
            let byte = *self.bytes.get(self.at / 8).expect("the data ends inside a block");
            value |= usize::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        value
    }
}

/// Base and extra bits of the lengths 257 to 285.
const LENGTHS: [(usize, usize); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// The same of the distances.
const DISTANCES: [(usize, usize); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];
