//! What is read from the front of a message, and where that is.

use crate::error::{MuxError, MuxViolation};

/// The octets of a message that were not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many octets were read.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// The next `len` octets, if there are as many.
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..)?.get(..len)?;
        self.at += len;
        Some(bytes)
    }

    /// As many octets as a number said, which is the peer's word: nothing is allocated for it.
    pub(crate) fn announced(&mut self, len: u64) -> Result<&'a [u8], MuxError> {
        let at = self.at;
        let bytes = usize::try_from(len).ok().and_then(|len| self.take(len));
        bytes.ok_or_else(|| MuxError::new(MuxViolation::BlockTruncated, at))
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// The next `len` octets as a number, most significant first; at most eight.
    pub(crate) fn number(&mut self, len: usize) -> Option<u64> {
        self.take(len).map(|bytes| bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }
}
