//! Frames in, bytes appended to the caller's buffer (RFC 6455 §5.2, §5.3).

use alloc::vec::Vec;

use crate::header::FrameHeader;
use crate::mask::{MaskingKey, extend_masked, extend_plain};
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
#[inline]
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
    out.reserve(ROOM + payload.len());
    header.encode(out);
    match key {
        Some(key) => extend_masked(out, payload, key),
        None => extend_plain(out, payload),
    }
}

/// Room for a header: up to 10 bytes in front of a whole word for the key.
const ROOM: usize = 18;
