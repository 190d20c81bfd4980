//! Masking a word at a time, in safe code: what runs where there is no vector kernel, what short
//! payloads get everywhere, and the oracle that vector kernels are tested against.
//!
//! A payload of N to 2N bytes is covered by two words of N bytes, one at its front and one at its
//! end. Both are loaded before either is stored, so that the bytes in which they overlap are
//! masked once. There is no loop over single bytes.

use alloc::vec::Vec;

use super::Key;

/// The longest payload for [`apply_short`] and [`extend_short`].
pub(super) const SHORT: usize = 32;

/// Masks at most [`SHORT`] bytes in place; says whether the result is ASCII.
#[inline(always)]
pub(super) fn apply_short(payload: &mut [u8], key: Key) -> bool {
    match payload.len() {
        16.. => ends::<16>(payload, key),
        8.. => ends::<8>(payload, key),
        4.. => ends::<4>(payload, key),
        _ => {
            let mut high = 0;
            for (byte, key) in payload.iter_mut().zip(key.0.to_le_bytes()) {
                *byte ^= key;
                high |= *byte;
            }
            high.is_ascii()
        }
    }
}

/// Masks any number of bytes in place; says whether the result is ASCII.
pub(super) fn apply(payload: &mut [u8], key: Key) -> bool {
    let (blocks, rest) = payload.as_chunks_mut::<SHORT>();
    let mut high = [0; SHORT / 8];
    for block in blocks {
        let (words, _) = block.as_chunks_mut::<8>();
        for (word, high) in words.iter_mut().zip(&mut high) {
            let plain = u64::from_le_bytes(*word) ^ key.doubled();
            *word = plain.to_le_bytes();
            *high |= plain;
        }
    }
    // A block is a whole number of keys, so that the rest begins with the same byte of the key.
    let rest_is_ascii = apply_short(rest, key);
    rest_is_ascii && high.iter().fold(0, |all, word| all | word) & HIGH_BITS == 0
}

/// Appends at most [`SHORT`] masked bytes; says whether they are ASCII.
#[inline(always)]
pub(super) fn extend_short(out: &mut Vec<u8>, payload: &[u8], key: Key) -> bool {
    match payload.len() {
        16.. => extend_ends::<16>(out, payload, key),
        8.. => extend_ends::<8>(out, payload, key),
        4.. => extend_ends::<4>(out, payload, key),
        _ => {
            let mut high = 0;
            out.extend(payload.iter().zip(key.0.to_le_bytes()).map(|(byte, key)| {
                high |= byte ^ key;
                byte ^ key
            }));
            high.is_ascii()
        }
    }
}

/// Appends any number of masked bytes; says whether they are ASCII.
pub(super) fn extend(out: &mut Vec<u8>, payload: &[u8], key: Key) -> bool {
    let start = out.len();
    out.extend_from_slice(payload);
    apply(&mut out[start..], key)
}

/// Masks `N` to `2 * N` bytes.
#[inline(always)]
fn ends<const N: usize>(payload: &mut [u8], key: Key) -> bool {
    let Some((first, last)) = masked_ends::<N>(payload, key) else { return true };
    if let Some(to) = payload.first_chunk_mut() {
        *to = first;
    }
    if let Some(to) = payload.last_chunk_mut() {
        *to = last;
    }
    first.is_ascii() & last.is_ascii()
}

/// Appends `N` to `2 * N` masked bytes.
#[inline(always)]
fn extend_ends<const N: usize>(out: &mut Vec<u8>, payload: &[u8], key: Key) -> bool {
    let Some((first, last)) = masked_ends::<N>(payload, key) else { return true };
    let end = out.len() + payload.len();
    out.extend_from_slice(&first);
    out.truncate(end - N);
    out.extend_from_slice(&last);
    first.is_ascii() & last.is_ascii()
}

/// The first and the last `N` bytes of a payload, masked; `None` when it is shorter.
#[inline(always)]
fn masked_ends<const N: usize>(payload: &[u8], key: Key) -> Option<([u8; N], [u8; N])> {
    let (&first, &last) = (payload.first_chunk::<N>()?, payload.last_chunk::<N>()?);
    Some((masked(first, key), masked(last, key.turned(payload.len() - N))))
}

#[inline(always)]
fn masked<const N: usize>(mut bytes: [u8; N], key: Key) -> [u8; N] {
    for word in bytes.as_chunks_mut::<4>().0 {
        *word = (u32::from_le_bytes(*word) ^ key.0).to_le_bytes();
    }
    bytes
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
