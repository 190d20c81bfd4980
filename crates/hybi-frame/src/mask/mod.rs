//! Masking: each payload byte XORed with one of the four bytes of a key (RFC 6455 §5.3).
//!
//! Short payloads are done on the spot by the portable code; longer ones go to the widest kernel
//! that the processor has.

mod long;
mod scalar;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86_64;

use alloc::vec::Vec;
use core::fmt;

pub(crate) use scalar::SHORT;

/// The four bytes that a client's payload is XORed with.
///
/// A client must take a fresh key for every frame from a strong source of randomness, so that
/// whoever chooses the payload cannot choose the bytes on the wire; that is the caller's duty.
///
/// [RFC 6455 §5.3](https://www.rfc-editor.org/rfc/rfc6455#section-5.3) and
/// [§10.3](https://www.rfc-editor.org/rfc/rfc6455#section-10.3)
///
/// ```
/// use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
///
/// // A client takes four fresh bytes from a cryptographic generator instead.
/// let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
/// let mut out = Vec::new();
/// encode_frame(&mut out, true, Rsv::NONE, Opcode::Text, b"Hello", Some(key));
/// assert_eq!(out[2..6], key.to_bytes());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskingKey([u8; 4]);

impl MaskingKey {
    /// The key of these bytes, in the order of the wire.
    #[inline]
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes in the order of the wire.
    #[inline]
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0
    }

    /// The key turned so that its first byte belongs to payload position `offset`.
    #[inline]
    pub(crate) fn at(self, offset: u64) -> Key {
        Key(u32::from_le_bytes(self.0)).turned(offset as usize)
    }
}

impl From<[u8; 4]> for MaskingKey {
    #[inline]
    fn from(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for MaskingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskingKey({:08x})", u32::from_be_bytes(self.0))
    }
}

/// Masks `payload` in place, or unmasks it: masking is its own inverse.
///
/// `offset` is the position of `payload[0]` in the payload of its frame, so that a payload can be
/// masked piece by piece.
///
/// ```
/// use hybi_frame::{MaskingKey, apply_mask};
///
/// let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
/// let mut payload = *b"Hello";
/// apply_mask(&mut payload[..3], key, 0);
/// apply_mask(&mut payload[3..], key, 3);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
///
/// [RFC 6455 §5.3](https://www.rfc-editor.org/rfc/rfc6455#section-5.3)
#[inline]
pub fn apply_mask(payload: &mut [u8], key: MaskingKey, offset: u64) {
    apply(payload, key.at(offset));
}

/// Appends the masked `payload` of a whole frame to `out`, copying and masking in one pass.
///
/// [RFC 6455 §5.3](https://www.rfc-editor.org/rfc/rfc6455#section-5.3)
///
/// ```
/// use hybi_frame::{MaskingKey, extend_masked};
///
/// let mut out = vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d];
/// extend_masked(&mut out, b"Hello", MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
/// assert_eq!(out[6..], [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[inline]
pub fn extend_masked(out: &mut Vec<u8>, payload: &[u8], key: MaskingKey) {
    extend(out, payload, key.at(0));
}

/// Masks `payload` in place with a key of twenty bytes, or unmasks it.
///
/// `offset` is the position of `payload[0]` in the bytes that the key covers, which in hybi-04 are those of
/// header and payload.
///
/// ```
/// use hybi_frame::apply_long_mask;
///
/// let key = *b"abcdefghijklmnopqrst";
/// let mut payload = [0; 4];
/// apply_long_mask(&mut payload, &key, 18);
/// assert_eq!(payload, *b"stab");
/// ```
#[inline]
pub fn apply_long_mask(payload: &mut [u8], key: &[u8; long::KEY_LEN], offset: u64) {
    let mask = long::repeated(key, offset);
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(avx2) = x86_64::Avx2::new() {
        return avx2.apply_long(payload, &mask);
    }
    long::apply(payload, &mask);
}

/// Appends what [`apply_long_mask`] makes of `payload`.
///
/// ```
/// use hybi_frame::extend_long_masked;
///
/// let mut out = b"header".to_vec();
/// extend_long_masked(&mut out, &[0; 4], b"abcdefghijklmnopqrst", 18);
/// assert_eq!(out, b"headerstab");
/// ```
#[inline]
pub fn extend_long_masked(
    out: &mut Vec<u8>,
    payload: &[u8],
    key: &[u8; long::KEY_LEN],
    offset: u64,
) {
    let mask = long::repeated(key, offset);
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(avx2) = x86_64::Avx2::new() {
        return avx2.extend_long(out, payload, &mask);
    }
    long::extend(out, payload, &mask);
}

/// Masks in place; says whether all resulting bytes are ASCII.
#[inline]
pub(crate) fn apply(payload: &mut [u8], key: Key) -> bool {
    if payload.len() <= SHORT {
        scalar::apply_short(payload, key)
    } else {
        apply_long(payload, key)
    }
}

/// Appends masked; says whether all resulting bytes are ASCII.
#[inline]
pub(crate) fn extend(out: &mut Vec<u8>, payload: &[u8], key: Key) -> bool {
    if payload.len() <= SHORT {
        scalar::extend_short(out, payload, key)
    } else {
        extend_long(out, payload, key)
    }
}

/// Writes a payload of at most [`SHORT`] bytes, masked, to `to`, which has as many.
#[inline(always)]
pub(crate) fn copy_short(to: &mut [u8], payload: &[u8], key: MaskingKey) {
    scalar::copy_short(to, payload, key.at(0));
}

/// Appends a payload as it is. A short one costs less than a call of the general copy.
#[inline]
pub(crate) fn extend_plain(out: &mut Vec<u8>, payload: &[u8]) {
    if payload.len() <= SHORT {
        scalar::extend_short(out, payload, Key(0));
    } else {
        out.extend_from_slice(payload);
    }
}

/// Appends a payload as it is; says whether it is known to be ASCII, which comes with the copy where there
/// are vectors.
#[inline]
pub(crate) fn extend_unmasked(out: &mut Vec<u8>, payload: &[u8]) -> bool {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if payload.len() > SHORT
        && let Some(avx2) = x86_64::Avx2::new()
    {
        return avx2.extend(out, payload, Key(0));
    }
    extend_plain(out, payload);
    false
}

fn apply_long(payload: &mut [u8], key: Key) -> bool {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(avx2) = x86_64::Avx2::new() {
        return avx2.apply(payload, key);
    }
    scalar::apply(payload, key)
}

fn extend_long(out: &mut Vec<u8>, payload: &[u8], key: Key) -> bool {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(avx2) = x86_64::Avx2::new() {
        return avx2.extend(out, payload, key);
    }
    scalar::extend(out, payload, key)
}

/// A key turned to some payload position: its lowest byte belongs to the byte there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(u32);

impl Key {
    /// The key for a payload position that is `bytes` further on.
    #[inline]
    const fn turned(self, bytes: usize) -> Self {
        Self(self.0.rotate_right((bytes % 4) as u32 * 8))
    }

    #[inline]
    const fn doubled(self) -> u64 {
        self.0 as u64 | (self.0 as u64) << 32
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{MaskingKey, SHORT, apply, apply_mask, extend, scalar};

    const KEY: MaskingKey = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);

    /// The definition of RFC 6455 §5.3, byte by byte.
    fn by_definition(payload: &[u8], key: MaskingKey, offset: usize) -> Vec<u8> {
        let key = key.to_bytes();
        payload.iter().enumerate().map(|(i, byte)| byte ^ key[(offset + i) % 4]).collect()
    }

    /// Bytes without a pattern that a wrong kernel could hide in.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_u32;
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        };
        (0..len).map(next).collect()
    }

    #[test]
    fn every_kernel_masks_by_definition_at_each_length_alignment_and_offset() {
        let room = noise(1200);
        for len in (0..=300).chain(500..=600).chain([1024, 1111]) {
            for start in 0..=32 {
                let plain = &room[start..start + len];
                for offset in 0..4 {
                    let expected = by_definition(plain, KEY, offset);
                    let mut in_place = room.clone();
                    apply_mask(&mut in_place[start..start + len], KEY, offset as u64);
                    assert_eq!(in_place[start..start + len], expected, "{len} {start} {offset}");
                    assert_eq!(in_place[..start], room[..start], "nothing before is touched");
                    assert_eq!(in_place[start + len..], room[start + len..], "nor behind");

                    let mut portable = plain.to_vec();
                    scalar::apply(&mut portable, KEY.at(offset as u64));
                    assert_eq!(portable, expected, "{len} {start} {offset}");

                    if len <= SHORT {
                        let mut copied = [0; SHORT];
                        scalar::copy_short(&mut copied[..len], plain, KEY.at(offset as u64));
                        assert_eq!(copied[..len], expected, "{len} {start} {offset}");
                        assert_eq!(copied[len..], [0; SHORT][len..], "nothing behind is touched");
                    }

                    for extend in [extend, scalar::extend] {
                        let mut out = b"header".to_vec();
                        extend(&mut out, plain, KEY.at(offset as u64));
                        assert_eq!(out[..6], *b"header");
                        assert_eq!(out[6..], expected, "{len} {start} {offset}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_kernel_sees_each_byte_that_is_not_ascii() {
        for len in (0..=300).chain([511, 512, 600]) {
            let plain = alloc::vec![b'a'; len];
            let masked = by_definition(&plain, KEY, 0);
            assert_eq!(ascii_by_all(&masked), [true; 4], "{len}");
            for at in 0..len {
                let mut masked = masked.clone();
                masked[at] ^= 0x80;
                assert_eq!(ascii_by_all(&masked), [false; 4], "{len} {at}");
            }
        }
    }

    fn ascii_by_all(masked: &[u8]) -> [bool; 4] {
        let key = KEY.at(0);
        [
            apply(&mut masked.to_vec(), key),
            scalar::apply(&mut masked.to_vec(), key),
            extend(&mut Vec::new(), masked, key),
            scalar::extend(&mut Vec::new(), masked, key),
        ]
    }

    #[test]
    fn offsets_past_32_bits_keep_their_place_in_the_key() {
        for offset in [u64::from(u32::MAX), u64::MAX / 2] {
            let mut payload = [0; 4];
            apply_mask(&mut payload, KEY, offset);
            assert_eq!(payload[..], by_definition(&[0; 4], KEY, (offset % 4) as usize));
        }
    }
}
