//! Masking with a key of twenty bytes, as hybi-04 has it. RFC 6455 §5.3 knows keys of four bytes only.
//!
//! The key is laid out as often as it takes for it and a vector to begin again together. Against that the
//! payload is XORed in safe code, which the compiler makes vectors of: of sixteen bytes, or of 32 where it is
//! built once more for them.

use alloc::vec::Vec;

pub(super) const KEY_LEN: usize = 20;

/// The bytes after which the key and a vector of 32 bytes begin again together.
pub(super) const PERIOD: usize = 160;

/// The key again and again, turned so that it begins with the byte that belongs to `offset`.
#[inline]
pub(super) fn repeated(key: &[u8; KEY_LEN], offset: u64) -> [u8; PERIOD] {
    let twice = [*key, *key];
    let turned = &twice.as_flattened()[(offset % KEY_LEN as u64) as usize..][..KEY_LEN];
    let mut all = [0; PERIOD];
    for part in all.as_chunks_mut::<KEY_LEN>().0 {
        part.copy_from_slice(turned);
    }
    all
}

/// Masks in place.
// Inlined, so that each caller builds it for the vectors that it may use.
#[inline(always)]
pub(super) fn apply(payload: &mut [u8], mask: &[u8; PERIOD]) {
    let (blocks, rest) = payload.as_chunks_mut::<PERIOD>();
    for block in blocks {
        for (byte, mask) in block.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Appends masked.
#[inline(always)]
pub(super) fn extend(out: &mut Vec<u8>, payload: &[u8], mask: &[u8; PERIOD]) {
    let (blocks, rest) = payload.as_chunks::<PERIOD>();
    out.reserve(payload.len());
    for block in blocks {
        let masked: [u8; PERIOD] = core::array::from_fn(|at| block[at] ^ mask[at]);
        out.extend_from_slice(&masked);
    }
    out.extend(rest.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{apply, extend, repeated};
    use crate::mask::{apply_long_mask, extend_long_masked};

    #[test]
    fn every_build_masks_by_definition_at_each_length_alignment_and_offset() {
        let key: [u8; 20] = core::array::from_fn(|at| at as u8 * 13 + 7);
        let noise: Vec<u8> =
            (0..4600_u32).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect();
        for len in (0..=180).chain(318..=322).chain([1100, 4095, 4096, 4500]) {
            for start in [0, 1, 7, 16, 31] {
                let room = &noise[..start + len + 32];
                let plain = &room[start..start + len];
                for offset in [0, 1, 2, 4, 10, 19, 20, 33, 1 << 32, u64::MAX - 5000] {
                    let expected: Vec<u8> = plain
                        .iter()
                        .zip(offset..)
                        .map(|(byte, at)| byte ^ key[(at % 20) as usize])
                        .collect();
                    let mut in_place = room.to_vec();
                    apply_long_mask(&mut in_place[start..start + len], &key, offset);
                    assert_eq!(in_place[start..start + len], expected, "{len} {start} {offset}");
                    assert_eq!(in_place[..start], room[..start], "nothing before is touched");
                    assert_eq!(in_place[start + len..], room[start + len..], "nor behind");

                    let mut portable = plain.to_vec();
                    apply(&mut portable, &repeated(&key, offset));
                    assert_eq!(portable, expected, "{len} {start} {offset}");

                    let mut portable = b"header".to_vec();
                    extend(&mut portable, plain, &repeated(&key, offset));
                    let mut out = b"header".to_vec();
                    extend_long_masked(&mut out, plain, &key, offset);
                    for out in [out, portable] {
                        assert_eq!(out[..6], *b"header");
                        assert_eq!(out[6..], expected, "{len} {start} {offset}");
                    }
                }
            }
        }
    }
}
