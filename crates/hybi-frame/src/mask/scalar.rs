//! Masking a word at a time, in safe code: what runs where there is no vector kernel, what short
//! payloads get everywhere, and the oracle that vector kernels are tested against.
//!
//! A payload of N to 2N bytes is covered by two words of N bytes, one at its front and one at its
//! end. Both are loaded before either is stored, so that the bytes in which they overlap are
//! masked once. There is no loop over single bytes.

use alloc::vec::Vec;

use super::Key;

/// The longest payload for [`apply_short`], [`copy_short`] and [`extend_short`].
pub(crate) const SHORT: usize = 32;

/// Masks at most [`SHORT`] bytes in place; says whether the result is ASCII.
#[inline(always)]
pub(super) fn apply_short(payload: &mut [u8], key: Key) -> bool {
    match payload.len() {
        16.. => ends::<16>(payload, key),
        8.. => ends::<8>(payload, key),
        4.. => ends::<4>(payload, key),
        _ => {
            let masked = masked_few(payload, key);
            write_few(payload, masked)
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

/// Writes at most [`SHORT`] masked bytes to `to`, which has as many.
#[inline(always)]
pub(super) fn copy_short(to: &mut [u8], payload: &[u8], key: Key) {
    match payload.len() {
        16.. => _ = copy_ends::<16>(to, payload, key),
        8.. => _ = copy_ends::<8>(to, payload, key),
        4.. => _ = copy_ends::<4>(to, payload, key),
        _ => _ = write_few(to, masked_few(payload, key)),
    }
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
    let Some(ends) = masked_ends::<N>(payload, key) else { return true };
    write_ends(payload, ends)
}

/// Writes `N` to `2 * N` masked bytes.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], payload: &[u8], key: Key) -> bool {
    let Some(ends) = masked_ends::<N>(payload, key) else { return true };
    write_ends(to, ends)
}

/// Writes the first and the last `N` bytes; says whether they are ASCII.
#[inline(always)]
fn write_ends<const N: usize>(to: &mut [u8], (first, last): ([u8; N], [u8; N])) -> bool {
    if let Some(to) = to.first_chunk_mut() {
        *to = first;
    }
    if let Some(to) = to.last_chunk_mut() {
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

/// At most three bytes, masked; zeros where there are none.
#[inline(always)]
fn masked_few(payload: &[u8], key: Key) -> [u8; 3] {
    let [first, second, third, _] = key.0.to_le_bytes();
    let masked = |at, key| payload.get(at).map_or(0, |byte| byte ^ key);
    [masked(0, first), masked(1, second), masked(2, third)]
}

/// Writes as many of three bytes as there is room for; says whether they are ASCII.
#[inline(always)]
fn write_few(to: &mut [u8], bytes: [u8; 3]) -> bool {
    for (at, byte) in bytes.into_iter().enumerate() {
        if let Some(to) = to.get_mut(at) {
            *to = byte;
        }
    }
    bytes.is_ascii()
}

/// The first and the last `N` bytes of a payload, masked; `None` when it is shorter.
#[inline(always)]
fn masked_ends<const N: usize>(payload: &[u8], key: Key) -> Option<([u8; N], [u8; N])> {
    let (&first, &last) = (payload.first_chunk::<N>()?, payload.last_chunk::<N>()?);
    Some((masked(first, key), masked(last, key.turned(payload.len() - N))))
}

#[inline(always)]
fn masked<const N: usize>(mut bytes: [u8; N], key: Key) -> [u8; N] {
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_le_bytes(*word) ^ key.doubled()).to_le_bytes();
    }
    for word in rest.as_chunks_mut::<4>().0 {
        *word = (u32::from_le_bytes(*word) ^ key.0).to_le_bytes();
    }
    bytes
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
