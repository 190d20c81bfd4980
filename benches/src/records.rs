//! Messages as applications send them: records like JSON, in a binary format, or noise; varied and
//! always the same.

use core::fmt::Write;

/// Makes records out of a seed: the same seed, the same records.
///
/// Keys and shapes recur, names and words come from short lists, times and ids move on, prices and
/// quantities are noise: deflate finds in them about what it finds in real traffic.
#[derive(Clone, Debug)]
pub struct Records {
    state: u64,
    id: u64,
    milliseconds: u64,
}

impl Records {
    /// Records of their own for each `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed, id: 48_213, milliseconds: 25_200_000 }
    }

    /// The next message, of `len` bytes of ASCII: records, the last of them cut off.
    #[must_use]
    pub fn message(&mut self, len: usize) -> String {
        let mut text = String::with_capacity(len + 512);
        while text.len() < len {
            text.push(if text.is_empty() { '[' } else { ',' });
            self.write_record(&mut text);
        }
        text.truncate(len);
        text
    }

    /// The next message, of `len` bytes: records as a binary format has them, the last of them cut
    /// off. Tags and lengths in front of numbers of varying length, names, a floating-point number
    /// and eight bytes of noise.
    #[must_use]
    pub fn binary_message(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 128);
        while bytes.len() < len {
            let mut record = Vec::new();
            self.id += 1 + self.below(5);
            self.milliseconds += self.below(900);
            write_number(1, self.id, &mut record);
            write_number(2, 1_760_000_000_000 + self.milliseconds, &mut record);
            write_bytes(3, self.one_of(&NAMES).as_bytes(), &mut record);
            write_bytes(4, self.one_of(&SYMBOLS).as_bytes(), &mut record);
            let price = self.below(400_000) as f64 / 100.0;
            record.push(5 << 3 | 1);
            record.extend(price.to_le_bytes());
            write_number(6, self.below(900) + 1, &mut record);
            record.push(7 << 3 | 1);
            record.extend(self.next().to_le_bytes());
            write_bytes(1, &record, &mut bytes);
        }
        bytes.truncate(len);
        bytes
    }

    /// The next message, of `len` bytes that do not compress.
    #[must_use]
    pub fn noise(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    fn write_record(&mut self, text: &mut String) {
        self.id += 1 + self.below(5);
        self.milliseconds = (self.milliseconds + self.below(900)) % 86_400_000;
        let seconds = self.milliseconds / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let (id, kind) = (self.id, self.one_of(&KINDS));
        let (name, place, symbol) =
            (self.one_of(&NAMES), self.one_of(&PLACES), self.one_of(&SYMBOLS));
        let (pounds, pence, quantity) = (self.below(4000), self.below(100), self.below(900) + 1);
        write!(
            text,
            "{{\"id\":{id},\"time\":\"2026-03-14T{hours:02}:{minutes:02}:{:02}.{:03}Z\",\
             \"kind\":\"{kind}\",\"user\":{{\"name\":\"{name}\",\"place\":\"{place}\"}},\
             \"symbol\":\"{symbol}\",\"price\":{pounds}.{pence:02},\"quantity\":{quantity}",
            seconds % 60,
            self.milliseconds % 1000,
        )
        .expect("a string takes all");
        if self.below(3) == 0 {
            text.push_str(",\"note\":\"");
            for _ in 0..=self.below(8) {
                text.push_str(self.one_of(&WORDS));
                text.push(' ');
            }
            text.push('"');
        }
        write!(text, ",\"trace\":\"{:016x}\"}}", self.next()).expect("a string takes all");
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((self.next() >> 32) * bound) >> 32
    }

    /// A step of a counter, well mixed.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A field that is a number, seven bits a byte.
fn write_number(field: u8, mut number: u64, out: &mut Vec<u8>) {
    out.push(field << 3);
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A field of bytes.
fn write_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend([field << 3 | 2, bytes.len() as u8]);
    out.extend_from_slice(bytes);
}

const KINDS: [&str; 6] = [
    "order.placed",
    "order.filled",
    "order.cancelled",
    "quote.changed",
    "account.credited",
    "login.renewed",
];
const NAMES: [&str; 12] = [
    "Marta Kowalska",
    "Joao Pereira",
    "Aiko Tanaka",
    "Sven Lindqvist",
    "Amara Okafor",
    "Luis Ortega",
    "Priya Raman",
    "Ella Whitfield",
    "Tomas Dvorak",
    "Nadia Haddad",
    "Owen Gallagher",
    "Mei Chen",
];
const PLACES: [&str; 8] =
    ["Lund", "Porto", "Osaka", "Krakow", "Lagos", "Valparaiso", "Chennai", "Galway"];
const SYMBOLS: [&str; 10] =
    ["AXB", "BRNT", "CDLX", "DVRO", "EURUSD", "FNTM", "GLDX", "HYBR", "INKO", "JPRX"];
const WORDS: [&str; 20] = [
    "awaiting",
    "partial",
    "settlement",
    "of",
    "the",
    "morning",
    "batch",
    "limit",
    "raised",
    "by",
    "desk",
    "after",
    "review",
    "customer",
    "asked",
    "for",
    "another",
    "delivery",
    "date",
    "again",
];
