//! Payloads: like what applications send, and unlike anything.

/// A record in JSON of `bytes` bytes, one of many of its kind.
pub(crate) fn record(bytes: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut text = String::from("[");
    while text.len() < bytes {
        let (id, price) = (random.next() % 100_000, random.next() % 1_000_000);
        let kind = ["trade", "quote", "order", "cancel"][random.next() as usize % 4];
        let entry = format!(
            "{{\"id\":{id},\"kind\":\"{kind}\",\"symbol\":\"HYBI{}\",\"price\":\"{}.{:04}\",\
             \"venue\":null,\"flags\":[true,{}]}},",
            random.next() % 40,
            price / 10_000,
            price % 10_000,
            random.next() % 3,
        );
        text.push_str(&entry);
    }
    text.truncate(bytes);
    text.into_bytes()
}

/// Bytes that do not compress.
pub(crate) fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..bytes).map(|_| (random.next() >> 32) as u8).collect()
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }
}
