//! Streams of frames that an input describes, lawful and not.

use hybi_frame::{FrameHeader, MaskingKey, Opcode, Role, Rsv};
use hybi_legacy::FrameCodec;

use super::input::Input;

/// A stream in the layout of RFC 6455: as it stands in the input, or frames that it describes.
pub(super) fn rfc(input: &mut Input<'_>, sender: Role) -> Vec<u8> {
    described(input, |input, how, stream| rfc_frame(input, how, sender, stream))
}

/// A stream of an older layout; `codec` is its sender.
pub(super) fn legacy(input: &mut Input<'_>, mut codec: FrameCodec) -> Vec<u8> {
    described(input, |input, how, stream| legacy_frame(input, how, &mut codec, stream))
}

fn described(
    input: &mut Input<'_>,
    mut frame: impl FnMut(&mut Input<'_>, u8, &mut Vec<u8>),
) -> Vec<u8> {
    if input.byte() & 1 == 0 {
        return input.rest().to_vec();
    }
    let mut stream = Vec::new();
    while !input.is_empty() && stream.len() < MAX_STREAM {
        match input.byte() {
            // What stands between frames and is none.
            0 => {
                let len = usize::from(input.byte());
                stream.extend(input.bytes(len));
            }
            how => frame(input, how, &mut stream),
        }
    }
    stream
}

/// Beyond it, an input describes no more frames.
const MAX_STREAM: usize = 40 * 1024;

/// A payload that stands in the input, or one of up to 40 KiB that a few bytes stand for.
fn payload(input: &mut Input<'_>, how: u8) -> Vec<u8> {
    let len = usize::from(input.byte());
    if how & 2 == 0 {
        return input.bytes(len).to_vec();
    }
    let len = (len << 8 | usize::from(input.byte())).min(MAX_STREAM);
    let piece = input.bytes(usize::from(how >> 6) + 1);
    piece.iter().copied().cycle().take(len).collect()
}

/// A frame with any first byte, its length in any form, masked as its sender must or not.
fn rfc_frame(input: &mut Input<'_>, how: u8, sender: Role, stream: &mut Vec<u8>) {
    let first = input.byte();
    let payload = payload(input, how);
    let len = payload.len();
    let masked = sender.masks_outgoing() != (how & 0x3c == 0x3c);
    let mask_bit = if masked { 0x80 } else { 0 };
    stream.push(first);
    match (how >> 2 & 3, len) {
        (0 | 1, ..126) => stream.push(mask_bit | len as u8),
        (0..=2, ..65_536) => {
            stream.push(mask_bit | 126);
            stream.extend((len as u16).to_be_bytes());
        }
        _ => {
            stream.push(mask_bit | 127);
            stream.extend((len as u64).to_be_bytes());
        }
    }
    if masked {
        let key = [how, 0x5a, first, 0xc3];
        stream.extend(key);
        stream.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        stream.extend(payload);
    }
}

/// A frame as its codec writes it, which may come where it has no place.
fn legacy_frame(input: &mut Input<'_>, how: u8, codec: &mut FrameCodec, stream: &mut Vec<u8>) {
    let opcode = *input.choose(&[
        Opcode::Text,
        Opcode::Binary,
        Opcode::Continuation,
        Opcode::Close,
        Opcode::Ping,
        Opcode::Pong,
    ]);
    let payload = payload(input, how);
    let masking_key = codec.masks().then(|| MaskingKey::from_bytes([how, 0x5a, 0, 0xc3]));
    let payload_len = payload.len() as u64;
    let fin = how & 4 == 0;
    let header = FrameHeader { fin, rsv: Rsv::NONE, opcode, masking_key, payload_len };
    codec.encode(stream, &header, &payload);
}
