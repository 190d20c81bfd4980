//! The framing codec alone: what an inspector or a proxy needs.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_frame::{
    FrameDecoder, FrameError, FrameRules, Limits, MaskingKey, Opcode, Role, Rsv, encode_frame,
};

fn main() -> Result<(), FrameError> {
    // Three frames as a client would send them.
    let mut wire = Vec::new();
    let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
    encode_frame(&mut wire, false, Rsv::NONE, Opcode::Text, b"Hel", Some(key));
    encode_frame(&mut wire, true, Rsv::NONE, Opcode::Ping, b"still there?", Some(key));
    encode_frame(&mut wire, true, Rsv::NONE, Opcode::Continuation, b"lo", Some(key));

    // The transport delivers them in pieces of seven bytes.
    let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
    for chunk in wire.chunks_mut(7) {
        let mut at = 0;
        while at < chunk.len() {
            let (consumed, part) = decoder.decode(&mut chunk[at..])?;
            at += consumed;
            if let Some(mut part) = part {
                let (opcode, len, offset) =
                    (part.header.opcode, part.header.payload_len, part.offset);
                let more = if part.end { "" } else { " ..." };
                let payload = String::from_utf8_lossy(part.payload());
                println!("{opcode:?}, {len} bytes at {offset}: {payload:?}{more}");
            }
        }
    }
    Ok(())
}
