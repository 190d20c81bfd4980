//! Frames in, bytes appended to the caller's buffer (RFC 6455 §5.2, §5.3).

use alloc::vec::Vec;

use crate::header::{FrameHeader, encode_header, short_header};
use crate::mask::{MaskingKey, SHORT, copy_short, extend_masked};
use crate::opcode::{Opcode, Rsv};

/// Appends one frame to `out`: its header, and the payload, masked while it is copied when there
/// is a `key`.
///
/// A client must pass a fresh, unpredictable key for every frame, and a server none
/// ([RFC 6455 §5.3](https://www.rfc-editor.org/rfc/rfc6455#section-5.3)). A control frame has
/// `fin` set and at most 125 bytes of payload; whoever builds frames answers for that.
///
/// ```
/// use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
///
/// let mut out = Vec::new();
/// encode_frame(&mut out, true, Rsv::NONE, Opcode::Text, b"Hello", None);
/// assert_eq!(out, b"\x81\x05Hello");
///
/// let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
/// out.clear();
/// encode_frame(&mut out, true, Rsv::NONE, Opcode::Text, b"Hello", Some(key));
/// assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// ```
// Inlined for short payloads, so that others do not pay for two calls.
#[inline(always)]
pub fn encode_frame(
    out: &mut Vec<u8>,
    fin: bool,
    rsv: Rsv,
    opcode: Opcode,
    payload: &[u8],
    key: Option<MaskingKey>,
) {
    let payload_len = payload.len() as u64;
    let header = FrameHeader { fin, rsv, opcode, masking_key: key, payload_len };
    let first = header.first_byte();
    if payload.len() <= SHORT && out.capacity() - out.len() >= SHORT_ROOM {
        let header = short_header(first, payload_len, key);
        match key {
            Some(key) => encode_short::<6>(out, header, payload, key),
            None => encode_short::<2>(out, header, payload, NO_KEY),
        }
    } else {
        encode_any(out, first, payload, key);
    }
}

/// Appends any frame, and makes room for it.
#[inline]
fn encode_any(out: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<MaskingKey>) {
    out.reserve(ROOM + payload.len());
    encode_header(out, first, payload.len() as u64, key);
    match key {
        Some(key) => extend_masked(out, payload, key),
        None => out.extend_from_slice(payload),
    }
}

/// Appends a frame with a header of `LEN` bytes and at most [`SHORT`] bytes of payload, for which
/// there is room.
///
/// The most that it may be is appended in one step, header and payload are written to that, and
/// what is too much is cut off again.
#[inline(always)]
fn encode_short<const LEN: usize>(out: &mut Vec<u8>, header: u64, payload: &[u8], key: MaskingKey) {
    let end = out.len() + LEN + payload.len();
    out.extend_from_slice(&[0; SHORT_ROOM]);
    let Some(frame) = out.last_chunk_mut::<SHORT_ROOM>() else { return };
    if let Some(front) = frame.first_chunk_mut() {
        *front = header.to_le_bytes();
    }
    copy_short(&mut frame[LEN..LEN + payload.len()], payload, key);
    out.truncate(end);
}

const NO_KEY: MaskingKey = MaskingKey::from_bytes([0; 4]);

/// Room for a short payload and the word that its header is written as.
const SHORT_ROOM: usize = 8 + SHORT;

/// Room for a header: up to 10 bytes in front of a whole word for the key.
const ROOM: usize = 18;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{ROOM, encode_frame};
    use crate::header::FrameHeader;
    use crate::mask::{MaskingKey, apply_mask};
    use crate::opcode::{Opcode, Rsv};

    #[test]
    fn a_frame_is_its_header_and_the_masked_payload_whatever_room_there_is() {
        let payload: Vec<u8> = (0..=255).cycle().take(700).collect();
        let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
        for len in (0..=140).chain([255, 700]) {
            for masking_key in [None, Some(key)] {
                let (fin, rsv, opcode) = (len % 2 == 0, Rsv::RSV1, Opcode::Binary);
                let payload_len = len as u64;
                let mut expected = b"before".to_vec();
                FrameHeader { fin, rsv, opcode, masking_key, payload_len }.encode(&mut expected);
                let start = expected.len();
                expected.extend_from_slice(&payload[..len]);
                if let Some(key) = masking_key {
                    apply_mask(&mut expected[start..], key, 0);
                }
                for room in (0..=ROOM + 60).chain([1000]) {
                    let mut out = Vec::with_capacity(6 + room);
                    out.extend_from_slice(b"before");
                    encode_frame(&mut out, fin, rsv, opcode, &payload[..len], masking_key);
                    assert_eq!(out, expected, "{len} {room} {masking_key:?}");
                }
            }
        }
    }
}
