//! Masking with AVX2, 32 bytes at a time.
//!
//! One routine serves both directions: it reads from one pointer and writes to another, which may
//! be the same. The last 32 bytes are loaded first and stored last, so that a payload whose length
//! is no multiple of 32 needs no loop over single bytes; the bytes that the last block shares with
//! the one before are written twice, with the same value. Along the way all plain bytes are ORed
//! together: their top bit says whether any was not ASCII, which spares text a second pass.
//!
//! For long keys there are only the portable loops, built once more for these vectors.
#![expect(unsafe_code, reason = "vector loads and stores go through pointers")]

use alloc::vec::Vec;
use core::arch::x86_64::{
    __m256i, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::{Key, long, scalar};

/// Proof that the processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(super) fn new() -> Option<Self> {
        std::arch::is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Masks in place; says whether the result is ASCII.
    #[inline]
    pub(super) fn apply(self, payload: &mut [u8], key: Key) -> bool {
        let head_len = head_len(payload.as_ptr(), payload.len());
        let (head, rest) = payload.split_at_mut(head_len);
        let ascii = head.is_empty() || scalar::apply_short(head, key);
        let key = key.turned(head_len);
        if rest.len() < BLOCK {
            return scalar::apply(rest, key) & ascii;
        }
        let at = rest.as_mut_ptr();
        // SAFETY: `self` proves AVX2; source and target are the same `rest.len() >= BLOCK` bytes,
        // borrowed mutably.
        unsafe { mask(at, at, rest.len(), key) & ascii }
    }

    /// Appends the masked payload; says whether it is ASCII.
    #[inline]
    pub(super) fn extend(self, out: &mut Vec<u8>, payload: &[u8], key: Key) -> bool {
        out.reserve(payload.len());
        let head_len = head_len(out.spare_capacity_mut().as_ptr().cast(), payload.len());
        let (head, rest) = payload.split_at(head_len);
        let ascii = head.is_empty() || scalar::extend_short(out, head, key);
        let key = key.turned(head_len);
        if rest.len() < BLOCK {
            return scalar::extend(out, rest, key) & ascii;
        }
        let spare = out.spare_capacity_mut();
        assert!(spare.len() >= rest.len());
        // SAFETY: `self` proves AVX2; there is room for `rest.len() >= BLOCK` bytes at `spare`,
        // which `out` owns alone, so that it does not overlap `payload`.
        let rest_is_ascii =
            unsafe { mask(rest.as_ptr(), spare.as_mut_ptr().cast(), rest.len(), key) };
        // SAFETY: `mask` has written each of these bytes.
        unsafe { out.set_len(out.len() + rest.len()) };
        rest_is_ascii & ascii
    }

    /// Masks in place with a long key.
    pub(super) fn apply_long(self, payload: &mut [u8], mask: &[u8; long::PERIOD]) {
        #[target_feature(enable = "avx2")]
        fn apply(payload: &mut [u8], mask: &[u8; long::PERIOD]) {
            long::apply(payload, mask);
        }
        // SAFETY: `self` proves AVX2.
        unsafe { apply(payload, mask) }
    }

    /// Appends the payload masked with a long key.
    pub(super) fn extend_long(self, out: &mut Vec<u8>, payload: &[u8], mask: &[u8; long::PERIOD]) {
        #[target_feature(enable = "avx2")]
        fn extend(out: &mut Vec<u8>, payload: &[u8], mask: &[u8; long::PERIOD]) {
            long::extend(out, payload, mask);
        }
        // SAFETY: `self` proves AVX2.
        unsafe { extend(out, payload, mask) }
    }
}

/// The bytes in front of the first whole block at `to`; none when they are not worth a step of
/// their own.
///
/// Stores that straddle two cache lines take twice as long, which long payloads feel.
#[inline]
fn head_len(to: *const u8, len: usize) -> usize {
    if len < ALIGNED_MIN { 0 } else { to.align_offset(BLOCK).min(BLOCK - 1) }
}

/// Reads `len` bytes at `from`, writes them masked at `to`; says whether what it wrote is ASCII.
///
/// # Safety
///
/// The processor has AVX2, `len >= BLOCK`, `from` may be read and `to` written for `len` bytes,
/// and the two are equal or do not overlap.
#[target_feature(enable = "avx2")]
unsafe fn mask(from: *const u8, to: *mut u8, len: usize, key: Key) -> bool {
    let key_block = _mm256_set1_epi32(key.0.cast_signed());
    let last_key = _mm256_set1_epi32(key.turned(len - BLOCK).0.cast_signed());
    // SAFETY: the last block begins at `len - BLOCK >= 0` and ends at `len`.
    let last = _mm256_xor_si256(unsafe { load(from.add(len - BLOCK)) }, last_key);

    let mut high = [last, _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()];
    let mut at = 0;
    // Eight blocks a turn: with four, where the loop lies among the code decides about a third of its speed.
    while len - at > 8 * BLOCK {
        for n in 0..8 {
            // SAFETY: `at + 8 * BLOCK < len` by the loop condition, and `n < 8`.
            let plain = _mm256_xor_si256(unsafe { load(from.add(at + n * BLOCK)) }, key_block);
            // SAFETY: the same.
            unsafe { store(to.add(at + n * BLOCK), plain) };
            high[n % 4] = _mm256_or_si256(high[n % 4], plain);
        }
        at += 8 * BLOCK;
    }
    while len - at > BLOCK {
        // SAFETY: `at + BLOCK < len` by the loop condition.
        let plain = _mm256_xor_si256(unsafe { load(from.add(at)) }, key_block);
        // SAFETY: the same.
        unsafe { store(to.add(at), plain) };
        high[0] = _mm256_or_si256(high[0], plain);
        at += BLOCK;
    }
    // SAFETY: as for the load of the last block.
    unsafe { store(to.add(len - BLOCK), last) };

    let high =
        _mm256_or_si256(_mm256_or_si256(high[0], high[1]), _mm256_or_si256(high[2], high[3]));
    _mm256_movemask_epi8(high) == 0
}

/// # Safety
///
/// The processor has AVX2 and `from` may be read for 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(from: *const u8) -> __m256i {
    // SAFETY: by this function's contract; the load need not be aligned.
    unsafe { _mm256_loadu_si256(from.cast()) }
}

/// # Safety
///
/// The processor has AVX2 and `to` may be written for 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(to: *mut u8, block: __m256i) {
    // SAFETY: by this function's contract; the store need not be aligned.
    unsafe { _mm256_storeu_si256(to.cast(), block) }
}

const BLOCK: usize = 32;
/// The shortest payload whose blocks are aligned.
const ALIGNED_MIN: usize = 512;
