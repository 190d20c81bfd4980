//! The messages that every connection carries, as files that each peer's script reads.

use std::path::PathBuf;

/// One message that says the same 5,000 bytes four times: cheap for a window that reaches back so
/// far, at every level of compression.
pub(super) const WINDOW: usize = 0;
/// Two messages of the same 600 bytes: the second is cheap for who keeps the first in mind, in a
/// window of 1,024 bytes or more.
pub(super) const FIRST: usize = 1;
pub(super) const AGAIN: usize = 2;

/// Around the border of each length form of a frame (RFC 6455 §5.2), and large ones.
const SIZES: [usize; 8] = [0, 1, 125, 126, 1 << 16, (1 << 16) + 1, 1 << 20, 4 << 20];

/// The messages, all of them text, and the folder where each is a file with its number as name.
pub(super) struct Payloads {
    pub(super) folder: PathBuf,
    pub(super) all: Vec<String>,
}

impl Payloads {
    /// Messages up to `limit` bytes.
    pub(super) fn write(folder: PathBuf, limit: usize) -> Result<Self, String> {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let long = numbers.digits(5000);
        let short = numbers.digits(600);
        let mut all = vec![long.repeat(4), short.clone(), short];
        all.extend(
            SIZES.iter().filter(|size| **size <= limit).map(|size| records(*size, &mut numbers)),
        );
        for (number, payload) in all.iter().enumerate() {
            crate::workspace::write(&folder.join(number.to_string()), payload)?;
        }
        Ok(Self { folder, all })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.all.len()).map(|number| self.folder.join(number.to_string()))
    }
}

/// Lines of JSON of exactly `size` bytes, with characters of every length in UTF-8 up to three.
fn records(size: usize, numbers: &mut Numbers) -> String {
    let mut text = String::new();
    while text.len() < size {
        let (id, token) = (numbers.next() % 100_000, numbers.digits(8));
        text.push_str(&format!(
            "{{\"id\": {id}, \"name\": \"Grüße\", \"place\": \"世界\", \"token\": \"{token}\"}}\n"
        ));
    }
    let end = (0..=size).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text.extend(core::iter::repeat_n(' ', size - end));
    text
}

/// xorshift64: the same messages in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Hexadecimal digits: nothing repeats, so only half of their bits can be saved.
    fn digits(&mut self, count: usize) -> String {
        let digits = core::iter::repeat_with(|| format!("{:016x}", self.next()));
        let mut text: String = digits.take(count.div_ceil(16)).collect();
        text.truncate(count);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_and_nothing_changes_from_run_to_run() {
        for size in SIZES {
            let text = records(size, &mut Numbers(1));
            assert_eq!(text.len(), size);
            assert_eq!(text, records(size, &mut Numbers(1)));
        }
        assert_eq!(Numbers(1).digits(600).len(), 600);
    }
}
