//! Masking with AVX2, 32 bytes at a time.
//!
//! One routine serves both directions: it reads from one pointer and writes to another, which may
//! be the same. The last 32 bytes are loaded first and stored last, so that a payload whose length
//! is no multiple of 32 needs no loop over single bytes; the bytes that the last block shares with
//! the one before are written twice, with the same value. Along the way all plain bytes are ORed
//! together: their top bit says whether any was not ASCII, which spares text a second pass.
#![allow(unsafe_code, reason = "vector loads and stores go through pointers")]

use alloc::vec::Vec;
use core::arch::x86_64::{
    __m256i, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::{Key, scalar};

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
        if payload.len() < BLOCK {
            return scalar::apply(payload, key);
        }
        let at = payload.as_mut_ptr();
        // SAFETY: `self` proves AVX2; source and target are the same `payload.len() >= BLOCK`
        // bytes, borrowed mutably.
        unsafe { mask(at, at, payload.len(), key) }
    }

    /// Appends the masked payload.
    #[inline]
    pub(super) fn extend(self, out: &mut Vec<u8>, payload: &[u8], key: Key) {
        if payload.len() < BLOCK {
            let start = out.len();
            out.extend_from_slice(payload);
            scalar::apply(&mut out[start..], key);
            return;
        }
        out.reserve(payload.len());
        let spare = out.spare_capacity_mut().as_mut_ptr().cast::<u8>();
        // SAFETY: `self` proves AVX2; `reserve` made room for `payload.len() >= BLOCK` bytes at
        // `spare`, which `out` owns alone, so that it does not overlap `payload`.
        unsafe { mask(payload.as_ptr(), spare, payload.len(), key) };
        // SAFETY: `mask` has written each of these bytes.
        unsafe { out.set_len(out.len() + payload.len()) };
    }
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
    while len - at > 4 * BLOCK {
        for (n, high) in high.iter_mut().enumerate() {
            // SAFETY: `at + 4 * BLOCK < len` by the loop condition, and `n < 4`.
            let plain = _mm256_xor_si256(unsafe { load(from.add(at + n * BLOCK)) }, key_block);
            // SAFETY: the same.
            unsafe { store(to.add(at + n * BLOCK), plain) };
            *high = _mm256_or_si256(*high, plain);
        }
        at += 4 * BLOCK;
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

    let high = _mm256_or_si256(
        _mm256_or_si256(high[0], high[1]),
        _mm256_or_si256(high[2], high[3]),
    );
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
