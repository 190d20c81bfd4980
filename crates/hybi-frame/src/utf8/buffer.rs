//! MessageBuffer: the bytes of a message that arrives in pieces, and how many of them are known to
//! be text (RFC 6455 §5.4, §8.1).
#![expect(unsafe_code, reason = "hands over text that was checked while it arrived")]

use alloc::vec::Vec;

use bytes::buf::{Limit, UninitSlice};
use bytes::{BufMut, Bytes};

use super::{Utf8Bytes, Utf8Error, Utf8Validator};
use crate::part::FramePart;

/// The bytes of one message in progress.
///
/// Invariant: `checked <= taken <= bytes.len()`. Bytes from `taken` on were read directly from the
/// transport and may still be masked. `utf8` has seen exactly `bytes[..checked]`, which nothing
/// changes any more, until it came upon something that is not text: then `garbled` is set, and `checked`
/// stays where it was.
#[derive(Debug, Default)]
pub(crate) struct MessageBuffer {
    bytes: Vec<u8>,
    taken: usize,
    checked: usize,
    utf8: Utf8Validator,
    garbled: bool,
}

impl MessageBuffer {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes allocated.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a payload, unmasked; says whether it is known to be ASCII. When it has to grow, the
    /// buffer becomes [`GROWTH`] times what was received, but no more than `ceiling` bytes.
    ///
    /// What was read into the room and never taken is dropped, since the answer would not speak
    /// of it.
    pub(crate) fn append(&mut self, part: FramePart<'_>, ceiling: usize) -> bool {
        self.bytes.truncate(self.taken);
        let len = self.len() + part.len();
        if len > self.bytes.capacity() {
            self.grow(len, ceiling);
        }
        let ascii = part.append_to(&mut self.bytes);
        self.taken = len;
        ascii
    }

    /// Appends bytes that are not masked. When it has to grow, the buffer becomes twice what it was,
    /// but no more than `ceiling` bytes; a first piece gets no more room than it needs.
    pub(crate) fn extend(&mut self, bytes: &[u8], ceiling: usize) {
        self.bytes.truncate(self.taken);
        let len = self.len() + bytes.len();
        if len > self.bytes.capacity() {
            self.grow(len, ceiling.min(2 * self.bytes.capacity()));
        }
        self.bytes.extend_from_slice(bytes);
        self.taken = len;
    }

    /// Room for `limit` bytes at most, at the end: to be read into by the transport.
    ///
    /// It is at least `least` bytes. When it has to grow, the buffer becomes [`GROWTH`] times what
    /// was received, but no more than `ceiling` bytes.
    pub(crate) fn room(&mut self, least: usize, limit: usize, ceiling: usize) -> DirectBuffer<'_> {
        let room = self.bytes.capacity() - self.len();
        if room < least.min(limit) {
            self.grow(self.len() + least.min(limit), ceiling);
        }
        let limit = limit.min(self.bytes.capacity() - self.bytes.len());
        DirectBuffer((&mut self.bytes).limit(limit))
    }

    /// What was read into the room since, for the decoder to unmask.
    pub(crate) fn fresh(&mut self) -> &mut [u8] {
        &mut self.bytes[self.taken..]
    }

    /// Takes `count` fresh bytes as a part of the message.
    pub(crate) fn take_fresh(&mut self, count: usize) {
        self.taken = self.bytes.len().min(self.taken + count);
    }

    /// Checks that what was taken since the last time goes on as text. Bytes known to be `ascii`
    /// are not looked at, nor is anything after an error.
    pub(crate) fn check_text(&mut self, ascii: bool) -> Result<(), Utf8Error> {
        if self.garbled {
            return Ok(());
        }
        if !(ascii && self.utf8.is_complete()) {
            let fed = self.utf8.feed(&self.bytes[self.checked..self.taken]);
            self.garbled = fed.is_err();
            fed?;
        }
        self.checked = self.taken;
        Ok(())
    }

    /// Whether [`take_piece`](Self::take_piece) would give anything.
    pub(crate) fn has_piece(&self, text: bool) -> bool {
        let bytes = &self.bytes[..self.taken];
        let begun = if text { unfinished(bytes) } else { 0 };
        bytes.len() > begun
    }

    /// Hands over what is there of a message that goes on; what stays is the beginning of a character of `text`.
    pub(crate) fn take_piece(&mut self, text: bool) -> Bytes {
        self.bytes.truncate(self.taken);
        let begun = if text { unfinished(&self.bytes) } else { 0 };
        let rest = self.bytes.split_off(self.bytes.len() - begun);
        let piece = core::mem::replace(&mut self.bytes, rest);
        self.taken = begun;
        // Where something is not text, nothing is looked at any more.
        self.checked = if self.garbled { 0 } else { begun };
        piece.into()
    }

    /// Hands over the message; the buffer is empty and without memory then.
    ///
    /// Room that was not needed is given back first: whoever keeps messages counts their bytes.
    pub(crate) fn take(&mut self) -> Bytes {
        let mut bytes = core::mem::take(self).bytes;
        if bytes.capacity() > bytes.len() + bytes.len() / 4 {
            bytes.shrink_to_fit();
        }
        bytes.into()
    }

    /// The same for a message of text.
    ///
    /// # Errors
    ///
    /// When it ends inside a character, or bytes were taken that were not checked; it is still there then.
    pub(crate) fn take_text(&mut self) -> Result<Utf8Bytes, Utf8Error> {
        if self.checked != self.len() || !self.utf8.is_complete() {
            return Err(Utf8Error { offset: self.len() });
        }
        // SAFETY: by the invariant the validator has seen all bytes, and no character is open.
        Ok(unsafe { Utf8Bytes::from_bytes_unchecked(self.take()) })
    }

    /// Makes room for `len` bytes in all at least.
    fn grow(&mut self, len: usize, ceiling: usize) {
        let room = len.saturating_mul(GROWTH).max(ROOM_MIN).min(ceiling).max(len);
        self.bytes.reserve_exact(room - self.bytes.len());
    }
}

/// How many bytes at the end begin a character and do not end it.
fn unfinished(text: &[u8]) -> usize {
    let len = text.len();
    (1..=len.min(3))
        .find(|&back| text[len - back] & 0xc0 != 0x80)
        .filter(|&back| {
            let tail = core::str::from_utf8(&text[len - back..]);
            tail.is_err_and(|error| error.error_len().is_none())
        })
        .unwrap_or(0)
}

/// How far the room may be ahead of the bytes received.
///
/// Each time that a large message grows costs a copy of it, and room that is not yet written to
/// costs next to nothing.
const GROWTH: usize = 16;

/// The least room, for messages of tiny fragments.
const ROOM_MIN: usize = 64;

/// Room at the end of a message in progress, for a transport to read into.
///
/// It gives access to that room alone, through [`BufMut`]: what was received before, and perhaps
/// already checked to be text, is out of reach.
#[derive(Debug)]
pub struct DirectBuffer<'a>(Limit<&'a mut Vec<u8>>);

// SAFETY: each method is that of the field, which keeps the trait's promises.
unsafe impl BufMut for DirectBuffer<'_> {
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.0.remaining_mut()
    }

    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        // SAFETY: by the caller's word.
        unsafe { self.0.advance_mut(count) }
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        self.0.chunk_mut()
    }
}
