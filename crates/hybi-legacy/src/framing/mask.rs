//! The masks of hybi-04 to hybi-06, which cover header and payload alike.
//!
//! Four bytes in clear precede each frame of a client. In hybi-05 and 06 they are the key, and the bytes
//! that follow are masked with them in turn; in hybi-04 the key is the hash of these four bytes and of
//! the connection's key, twenty bytes long. RFC 6455 §5.3 masks with four bytes, too, but not the header.

use hybi_frame::{MaskingKey, extend_long_masked, extend_masked};
use sha1::block_api::compress;

use super::header::HeaderBytes;
use crate::terms::ConnectionKey;

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
            Self::Hash(key) => FrameMask::Hash(frame_key(prefix, key)),
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
    pub(super) fn apply_to_header(&self, header: &mut HeaderBytes) {
        let mask = match self {
            Self::Hash(hash) => hash.as_chunks().0.first_chunk().copied().unwrap_or_default(),
            Self::Key(key) => [key.to_bytes(); 3],
        };
        for (word, mask) in header.as_chunks_mut().0.iter_mut().zip(mask) {
            *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
        }
    }

    /// Appends a payload that follows a header of `header_len` bytes, masked on the way.
    #[inline]
    pub(super) fn extend(&self, out: &mut Vec<u8>, payload: &[u8], header_len: usize) {
        match self {
            Self::Hash(hash) => extend_long_masked(out, payload, hash, header_len as u64),
            Self::Key(key) => {
                // The key goes on where it stood behind the header: turned by none or by two bytes.
                let [a, b, c, d] = key.to_bytes();
                let turned = if header_len % 4 == 2 { [c, d, a, b] } else { [a, b, c, d] };
                extend_masked(out, payload, MaskingKey::from_bytes(turned));
            }
        }
    }
}

/// Appends a payload that nothing masks.
///
/// A mask of zeros leaves it as it is. Its kernel writes whole blocks where they are aligned, so that it does
/// not fall to half its speed, as general copies do, when header and payload lie badly to each other.
#[inline]
pub(super) fn extend_plain(out: &mut Vec<u8>, payload: &[u8]) {
    extend_masked(out, payload, MaskingKey::from_bytes([0; 4]));
}

/// The SHA-1 of the bytes before a frame and the connection's key.
///
/// These are always as many and fit one block, which is put together here: made for any input, a hash takes
/// twice the time, and there is one for each frame.
fn frame_key(prefix: MaskingKey, key: &ConnectionKey) -> [u8; HASH_LEN] {
    const KEY_END: usize = Masking::PREFIX_LEN + HASH_LEN;
    let mut block = [0; 64];
    block[..Masking::PREFIX_LEN].copy_from_slice(&prefix.to_bytes());
    block[Masking::PREFIX_LEN..KEY_END].copy_from_slice(&key.0);
    // What SHA-1 pads with: a bit, and the length in bits at the end of the block.
    block[KEY_END] = 0x80;
    block[56..].copy_from_slice(&(8 * KEY_END as u64).to_be_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    compress(&mut state, &[block]);
    let mut hash = [0; HASH_LEN];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = u32::to_be_bytes(word);
    }
    hash
}

/// The bytes of a SHA-1.
const HASH_LEN: usize = 20;

#[cfg(test)]
mod tests {
    use hybi_frame::{MaskingKey, apply_long_mask};
    use hybi_suite::vectors::{hex, records};

    use super::{FrameMask, Masking};
    use crate::terms::ConnectionKey;

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
            apply_long_mask(&mut frame, &hash, 0);
            assert_eq!(hex(record["wire_hex"].as_str().expect("hex"))[4..], frame);
            run += 1;
        }
        assert_eq!(run, 4);
    }
}
