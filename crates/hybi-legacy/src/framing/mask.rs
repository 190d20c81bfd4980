//! The masks of hybi-04 to hybi-06, which cover header and payload alike.
//!
//! Four bytes in clear precede each frame of a client. In hybi-05 and 06 they are the key, and the bytes
//! that follow are masked with them in turn; in hybi-04 the key is the hash of these four bytes and of
//! the connection's key, twenty bytes long. RFC 6455 §5.3 masks with four bytes, too, but not the header.

use hybi_frame::{MaskingKey, extend_masked};
use sha1::{Digest as _, Sha1};

use super::header;
use crate::handshake::hybi04::ConnectionKey;

/// How the frames of a connection are masked, where they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Masking {
    /// hybi-04.
    Hash(ConnectionKey),
    /// hybi-05 and 06.
    Key,
}

impl Masking {
    /// Bytes that precede a header.
    pub(super) const PREFIX_LEN: usize = 4;

    /// The mask of the frame that these bytes precede.
    #[inline]
    pub(super) fn of(&self, prefix: MaskingKey) -> FrameMask {
        match self {
            Self::Hash(ConnectionKey(key)) => {
                let hash = Sha1::new().chain_update(prefix.to_bytes()).chain_update(key);
                FrameMask::Hash(hash.finalize().into())
            }
            Self::Key => FrameMask::Key(prefix),
        }
    }
}

/// The mask of one frame, counted from the first byte of its header.
#[derive(Clone, Copy, Debug)]
pub(super) enum FrameMask {
    Hash([u8; HASH_LEN]),
    Key(MaskingKey),
}

impl FrameMask {
    /// Masks a header, or unmasks it; what stands behind a shorter one does no harm.
    #[inline]
    pub(super) fn apply_to_header(&self, header: &mut [u8; header::MAX_LEN]) {
        let mask = match self {
            Self::Hash(hash) => hash.first_chunk().copied().unwrap_or_default(),
            Self::Key(key) => {
                let [a, b, c, d] = key.to_bytes();
                [a, b, c, d, a, b, c, d, a, b]
            }
        };
        for (byte, mask) in header.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }

    /// Appends a payload that follows a header of `position` bytes, masked on the way.
    pub(super) fn extend(&self, out: &mut Vec<u8>, payload: &[u8], position: usize) {
        match self {
            Self::Hash(hash) => extend_hashed(out, payload, hash, position as u64),
            Self::Key(key) => {
                let mut key = key.to_bytes();
                key.rotate_left(position % 4);
                extend_masked(out, payload, MaskingKey::from_bytes(key));
            }
        }
    }
}

/// The bytes of a SHA-1.
const HASH_LEN: usize = 20;

/// The bytes after which both a hash and a vector of 16 bytes begin again.
const PERIOD: usize = 80;

/// Masks with a hash in place. `position` is that of the first byte, counted from the first byte of the
/// frame's header.
pub(super) fn apply_hash(bytes: &mut [u8], hash: &[u8; HASH_LEN], position: u64) {
    let mask = repeated(hash, position);
    // Arrays of one length each, so that this compiles to vector instructions.
    let (blocks, rest) = bytes.as_chunks_mut::<PERIOD>();
    for block in blocks {
        for (byte, mask) in block.iter_mut().zip(&mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Appends what [`apply_hash`] would make of `bytes`.
fn extend_hashed(out: &mut Vec<u8>, bytes: &[u8], hash: &[u8; HASH_LEN], position: u64) {
    let mask = repeated(hash, position);
    let (blocks, rest) = bytes.as_chunks::<PERIOD>();
    out.reserve(bytes.len());
    for block in blocks {
        let masked: [u8; PERIOD] = core::array::from_fn(|at| block[at] ^ mask[at]);
        out.extend_from_slice(&masked);
    }
    out.extend(rest.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
}

/// The hash again and again, turned so that it begins with the byte that belongs to `position`.
fn repeated(hash: &[u8; HASH_LEN], position: u64) -> [u8; PERIOD] {
    let mut turned = *hash;
    turned.rotate_left((position % 20) as usize);
    let mut all = [0; PERIOD];
    for part in all.as_chunks_mut().0 {
        *part = turned;
    }
    all
}

#[cfg(test)]
mod tests {
    use hybi_frame::MaskingKey;
    use hybi_testkit::vectors::{hex, records};

    use super::{FrameMask, Masking, apply_hash, extend_hashed};
    use crate::handshake::hybi04::ConnectionKey;

    #[test]
    fn recorded_frames_of_hybi_04_have_recorded_keys() {
        let mut run = 0;
        for record in records("frames").iter().filter(|record| record["mask"].is_object()) {
            let field = |object: &str, name: &str| hex(record[object][name].as_str().expect("hex"));
            let key = field("conn", "masking_key_hex").try_into().expect("twenty bytes");
            let prefix = field("mask", "frame_nonce_hex").try_into().expect("four bytes");
            let mask = Masking::Hash(ConnectionKey(key)).of(MaskingKey::from_bytes(prefix));
            let FrameMask::Hash(hash) = mask else { panic!("a hash") };
            assert_eq!(hash[..], field("mask", "frame_key_hex"), "{}", record["id"]);

            let mut frame = field("mask", "clear_hex");
            apply_hash(&mut frame, &hash, 0);
            assert_eq!(hex(record["wire_hex"].as_str().expect("hex"))[4..], frame);
            run += 1;
        }
        assert!(run >= 4, "{run} records");
    }

    #[test]
    fn a_hash_masks_by_definition_at_each_length_and_position() {
        let hash =
            *b"\x5e\xb5\xdf\xe2\xd4\x36\x33\xd8\xac\x0a\x2b\xd9\x0f\x4f\xf3\xcf\xa3\xf6\x73\xa3";
        let noise = |at: u32| at.wrapping_mul(0x9e37_79b1).to_be_bytes()[1];
        let bytes: Vec<u8> = (0..500).map(noise).collect();
        for len in (0..=200).chain([239, 240, 241, 500]) {
            for position in (0..45).chain([1 << 32, u64::MAX - 1000]) {
                let plain = &bytes[..len];
                let by_definition: Vec<u8> = plain
                    .iter()
                    .zip(position..)
                    .map(|(byte, at)| byte ^ hash[(at % 20) as usize])
                    .collect();
                let mut in_place = bytes.clone();
                apply_hash(&mut in_place[..len], &hash, position);
                assert_eq!(in_place[..len], by_definition, "{len} bytes at {position}");
                assert_eq!(in_place[len..], bytes[len..], "nothing behind is touched");
                let mut out = b"before".to_vec();
                extend_hashed(&mut out, plain, &hash, position);
                assert_eq!(out, [&b"before"[..], &by_definition].concat());
            }
        }
    }
}
