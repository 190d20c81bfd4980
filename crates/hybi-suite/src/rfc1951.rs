//! A slow inflater, written from RFC 1951 and in its order: bit by bit, strict, and of no kin to the libraries that
//! it judges. It also notes what some of them make a rule of their own about.

/// One direction of a connection, as its receiver.
///
/// ```
/// use hybi_suite::rfc1951::Inflate;
///
/// let mut inflate = Inflate::default();
/// let payload = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
/// assert_eq!(inflate.message(payload, true).as_deref(), Ok(&b"Hello"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct Inflate {
    /// What distances refer to, and behind it what this call made.
    history: Vec<u8>,
    /// The most bytes of a message.
    most: usize,
    /// What was noticed so far.
    pub noted: Noted,
}

/// What an [`Inflate`] has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Noted {
    /// The largest distance, in bytes.
    pub farthest: usize,
    /// A final block, which no sender of ours has a use for.
    pub final_block: bool,
    /// A code of a dynamic block that leaves some bits without a meaning, other than one symbol of one bit.
    pub incomplete_code: bool,
    /// A dynamic block whose lengths are to be read in a code without a symbol.
    pub no_code_of_lengths: bool,
    /// A dynamic block with room for the distance codes 30 or 31, which never occur.
    pub distances_beyond_30: bool,
}

/// What is wrong with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 1951 is as it is")]
pub enum Broken {
    /// 3.2.3: a block of the reserved type.
    BlockType,
    /// 3.2.4: NLEN is not the complement of LEN.
    StoredLength,
    /// 3.2.7: more than 286 literal and length codes.
    TooManyLengths,
    /// 3.2.2: more codes of a length than there are.
    CodeTooFull,
    /// 3.2.7: the length before is to be repeated, and there is none.
    NothingToRepeat,
    /// 3.2.7: a repetition goes past the last code.
    RepeatsPastTheEnd,
    /// 3.2.5: no code says that the block ends.
    NoEndOfBlock,
    /// 3.2.2: bits that are no code.
    NotACode,
    /// 3.2.6: the length codes 286 and 287 never occur.
    NotALength,
    /// 3.2.6: the distance codes 30 and 31 never occur.
    NotADistance,
    /// 3.2.5: a distance goes back past the beginning.
    TooFarBack,
    /// The data ends inside a block.
    Ends,
    /// There is more than was asked for.
    TooLong,
}

impl Default for Inflate {
    fn default() -> Self {
        Self::within(usize::MAX)
    }
}

impl Inflate {
    /// One that makes no more than `most` bytes of a message.
    #[must_use]
    pub fn within(most: usize) -> Self {
        Self { history: Vec::new(), most, noted: Noted::default() }
    }

    /// One in the same place of its stream that makes `more` bytes of a message.
    #[must_use]
    pub fn longer(&self, more: usize) -> Self {
        Self { most: self.most.saturating_add(more), ..self.clone() }
    }

    /// Inflates a payload as RFC 7692, section 7.2.2 has it: with the tail put back, after which nothing may be left,
    /// in bits or in blocks. Without `takeover`, it may refer to nothing before it.
    ///
    /// Behind a final block another stream begins, at the next byte; if the payload ends with such a block, the tail
    /// has nothing to end.
    ///
    /// # Errors
    ///
    /// The first rule broken.
    pub fn message(&mut self, payload: &[u8], takeover: bool) -> Result<Vec<u8>, Broken> {
        let bytes = [payload, &[0x00, 0x00, 0xff, 0xff]].concat();
        self.blocks(&bytes, payload.len(), takeover)
    }

    /// Inflates a payload that has its tail, as some senders leave it on: to its end, where a block ends as well.
    ///
    /// # Errors
    ///
    /// The first rule broken.
    pub fn message_with_tail(&mut self, payload: &[u8], takeover: bool) -> Result<Vec<u8>, Broken> {
        self.blocks(payload, payload.len(), takeover)
    }

    /// Inflates blocks up to the end of `bytes`, or a final one that ends with the first `enough` of them.
    fn blocks(&mut self, bytes: &[u8], enough: usize, takeover: bool) -> Result<Vec<u8>, Broken> {
        if !takeover {
            self.history.clear();
        }
        let mut bits = Bits { bytes, at: 0 };
        let mut out = Output::new(self);
        while bits.at < 8 * bytes.len() {
            if out.block(&mut bits)? && bits.at == 8 * enough {
                break;
            }
        }
        Ok(out.end())
    }

    /// Inflates all that there is of a stream: what it made, and the first rule broken. Where the stream ends is no
    /// matter.
    pub fn stream(&mut self, bytes: &[u8]) -> (Vec<u8>, Option<Broken>) {
        let mut bits = Bits { bytes, at: 0 };
        let mut out = Output::new(self);
        let broken = loop {
            match out.block(&mut bits) {
                Ok(_) => {}
                Err(Broken::Ends) => break None,
                Err(broken) => break Some(broken),
            }
        };
        (out.end(), broken)
    }
}

/// What a call makes.
struct Output<'a> {
    inflate: &'a mut Inflate,
    /// Where in the history it begins.
    start: usize,
    /// What came before the history was cleared.
    before: Vec<u8>,
}

impl<'a> Output<'a> {
    fn new(inflate: &'a mut Inflate) -> Self {
        let start = inflate.history.len();
        Self { inflate, start, before: Vec::new() }
    }

    fn push(&mut self, byte: u8) -> Result<(), Broken> {
        let made = self.before.len() + self.inflate.history.len() - self.start;
        if made == self.inflate.most {
            return Err(Broken::TooLong);
        }
        self.inflate.history.push(byte);
        Ok(())
    }

    fn end(mut self) -> Vec<u8> {
        let history = &mut self.inflate.history;
        self.before.extend_from_slice(&history[self.start..]);
        // 2: a distance is at most 32K bytes.
        history.drain(..history.len().saturating_sub(32 * 1024));
        self.before
    }

    /// 3.2.3; whether it was the final one.
    fn block(&mut self, bits: &mut Bits<'_>) -> Result<bool, Broken> {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => self.stored(bits)?,
            1 => {
                // 3.2.6.
                let literals = [(144, 8), (112, 9), (24, 7), (8, 8)];
                let lengths = literals.iter().flat_map(|&(count, bits)| vec![bits; count]);
                let literals = Code::new(&lengths.collect::<Vec<_>>())?;
                self.symbols(bits, &literals, &Code::new(&[5; 32])?)?;
            }
            2 => {
                let (literals, distances) = tables(bits, &mut self.inflate.noted)?;
                self.symbols(bits, &literals, &distances)?;
            }
            _ => return Err(Broken::BlockType),
        }
        if last {
            self.inflate.noted.final_block = true;
            bits.skip_to_next_byte();
            self.before.extend_from_slice(&self.inflate.history[self.start..]);
            self.inflate.history.clear();
            self.start = 0;
        }
        Ok(last)
    }

    /// 3.2.4.
    fn stored(&mut self, bits: &mut Bits<'_>) -> Result<(), Broken> {
        bits.skip_to_next_byte();
        let (len, complement) = (bits.take(16)?, bits.take(16)?);
        if len != !complement & 0xffff {
            return Err(Broken::StoredLength);
        }
        for _ in 0..len {
            self.push(bits.take(8)? as u8)?;
        }
        Ok(())
    }

    /// 3.2.5.
    fn symbols(
        &mut self,
        bits: &mut Bits<'_>,
        literals: &Code,
        distances: &Code,
    ) -> Result<(), Broken> {
        loop {
            let symbol = literals.symbol(bits)?;
            if symbol < 256 {
                self.push(symbol as u8)?;
                continue;
            }
            if symbol == 256 {
                return Ok(());
            }
            let &(base, extra) = LENGTHS.get(symbol - 257).ok_or(Broken::NotALength)?;
            let length = base + bits.take(extra)?;
            let symbol = distances.symbol(bits)?;
            let &(base, extra) = DISTANCES.get(symbol).ok_or(Broken::NotADistance)?;
            let distance = base + bits.take(extra)?;
            let begin = self.inflate.history.len().checked_sub(distance);
            let begin = begin.ok_or(Broken::TooFarBack)?;
            let farthest = &mut self.inflate.noted.farthest;
            *farthest = distance.max(*farthest);
            // What it refers to may be what it makes.
            for at in begin..begin + length {
                self.push(self.inflate.history[at])?;
            }
        }
    }
}

/// 3.2.7: the two codes of a dynamic block.
fn tables(bits: &mut Bits<'_>, noted: &mut Noted) -> Result<(Code, Code), Broken> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances, count) = (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    if literals > 286 {
        return Err(Broken::TooManyLengths);
    }
    noted.distances_beyond_30 |= distances > 30;
    let mut lengths = [0; 19];
    for &at in &ORDER[..count] {
        lengths[at] = bits.take(3)?;
    }
    let code = Code::new(&lengths)?;
    noted.incomplete_code |= !code.is_complete();
    noted.no_code_of_lengths |= code.is_empty();
    let mut lengths: Vec<usize> = Vec::new();
    while lengths.len() < literals + distances {
        let (value, count) = match code.symbol(bits)? {
            16 => (*lengths.last().ok_or(Broken::NothingToRepeat)?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length, 1),
        };
        lengths.extend(vec![value; count]);
    }
    if lengths.len() > literals + distances {
        return Err(Broken::RepeatsPastTheEnd);
    }
    let (literals, distances) = lengths.split_at(literals);
    if literals[256] == 0 {
        return Err(Broken::NoEndOfBlock);
    }
    let (literals, distances) = (Code::new(literals)?, Code::new(distances)?);
    let lawful = |code: &Code| code.is_complete() || code.is_one_bit();
    // No distance code at all is for data of literals alone.
    noted.incomplete_code |= !lawful(&literals) || !(lawful(&distances) || distances.is_empty());
    Ok((literals, distances))
}

/// 3.2.2: codes of one length are consecutive, and shorter ones come before.
struct Code {
    /// How many codes there are of each length in bits; none of length 0.
    counts: [usize; 16],
    /// The symbols in the order of their codes.
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Result<Self, Broken> {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        let mut room = 1;
        for (length, count) in counts.iter_mut().enumerate().skip(1) {
            let of_it = (0..lengths.len()).filter(|&symbol| lengths[symbol] == length);
            let before = symbols.len();
            symbols.extend(of_it);
            *count = symbols.len() - before;
            // Each bit makes two of what no shorter code has taken.
            room = (2_usize * room).checked_sub(*count).ok_or(Broken::CodeTooFull)?;
        }
        Ok(Self { counts, symbols })
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Result<usize, Broken> {
        let (mut value, mut first, mut before) = (0, 0, 0);
        for count in &self.counts[1..] {
            value = value << 1 | bits.take(1)?;
            first <<= 1;
            if value < first + count {
                return Ok(self.symbols[before + value - first]);
            }
            first += count;
            before += count;
        }
        Err(Broken::NotACode)
    }

    fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    fn is_one_bit(&self) -> bool {
        self.symbols.len() == 1 && self.counts[1] == 1
    }

    /// Whether all bits are a code.
    fn is_complete(&self) -> bool {
        let taken = |(length, count): (usize, &usize)| count << (15 - length);
        self.counts.iter().enumerate().map(taken).sum::<usize>() == 1 << 15
    }
}

/// 3.1.1: the bytes as bits.
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// The next bits, the first of them lowest.
    fn take(&mut self, count: usize) -> Result<usize, Broken> {
        let mut value = 0;
        for bit in 0..count {
            let byte = *self.bytes.get(self.at / 8).ok_or(Broken::Ends)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Ok(value)
    }

    fn skip_to_next_byte(&mut self) {
        self.at = self.at.next_multiple_of(8);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as text, first to last, as the bytes of a payload.
    fn bits(text: &str) -> Vec<u8> {
        let bits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|bit| bit & 1).collect();
        let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
        bits.chunks(8).map(byte).collect()
    }

    #[test]
    fn each_rule_can_be_broken() {
        // Numbers come lowest bit first, codes highest. 10010001 is the fixed code of `a`, 0000001 that of a length of 3.
        let cases = [
            (Broken::BlockType, bits("0 11")),
            (Broken::StoredLength, b"\x00\x01\x00\xff\xffa".to_vec()),
            (Broken::TooManyLengths, bits("0 01 01111 00000 0000 000 000 000 000")),
            (Broken::CodeTooFull, bits("0 01 00000 00000 0000 100 100 100 000")),
            (Broken::NothingToRepeat, bits("0 01 00000 00000 0000 100 100 000 000 0")),
            (
                Broken::RepeatsPastTheEnd,
                bits("0 01 00000 00000 0000 000 000 100 100 1 1111111 1 1111111"),
            ),
            (
                Broken::NoEndOfBlock,
                bits("0 01 00000 00000 0000 000 000 100 100 1 1111111 1 1011011"),
            ),
            (Broken::NotACode, bits("0 01 00000 00000 0000 000 000 000 000 0000000 00000000")),
            (Broken::NotALength, bits("0 10 11000110")),
            (Broken::NotADistance, bits("0 10 10010001 0000001 11110")),
            (Broken::TooFarBack, bits("0 10 10010001 0000001 00001")),
            (Broken::Ends, bits("0 10 10010001")),
        ];
        for (broken, payload) in cases {
            let found = Inflate::default().message(&payload, true);
            assert_eq!(found, Err(broken), "{payload:02x?}");
        }
        let two = b"\x00\x02\x00\xfd\xffab\x00";
        assert_eq!(Inflate::within(1).message(two, true), Err(Broken::TooLong));
        assert_eq!(Inflate::within(2).message(two, true), Ok(b"ab".to_vec()));
    }
}
