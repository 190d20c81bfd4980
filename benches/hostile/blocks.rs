//! Compressed messages whose bytes make nothing, or a lot (RFC 1951 section 3.2).

use hybi_benches::{bare::Deflater, records::Records};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use hybi_suite::hostile::{Block, bomb, empty_blocks};
use hybi_tokio::{
    Config, Connection, Deflate, Extensions, Negotiated, Role, Version, extension::ExtensionOffer,
};

use crate::{Attack, frames::drain};

pub(crate) fn attacks() -> Vec<Attack> {
    let empty = |name, block| Attack::new(name, N, move |n| message(&empty_blocks(block, n)), take);
    vec![
        Attack::new("a message of records", N, |n| message(&records(n)), take),
        empty("empty stored blocks", Block::Stored),
        empty("empty fixed blocks", Block::Fixed),
        empty("empty dynamic blocks", Block::Dynamic),
        Attack::new("zeros, a thousand for a byte", N / 4, |n| message(&bomb(n * 1000)), take),
        Attack::new("empty messages, no state kept", N, rebuilding, take_without_states),
    ]
}

const N: usize = 16_000;

/// Records that are `n` bytes when compressed.
fn records(n: usize) -> Vec<u8> {
    let mut deflater = Deflater::new(6, false);
    let mut payload = Vec::new();
    let mut len = n;
    while payload.len() < n {
        len += n / 2;
        deflater.deflate(Records::new(1).message(len).as_bytes(), &mut payload);
    }
    payload
}

fn message(payload: &[u8]) -> Vec<u8> {
    let key = Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
    let mut frame = Vec::new();
    encode_frame(&mut frame, true, Rsv::RSV1, Opcode::Binary, payload, key);
    frame
}

/// A history as long as it gets, and empty messages, for each of which a state is made of it.
fn rebuilding(n: usize) -> Vec<u8> {
    let mut out = message(&bomb(100_000));
    while out.len() < n {
        out.extend(message(&[0]));
    }
    out
}

/// As a server that has more busy connections than room.
fn take_without_states(bytes: &[u8]) {
    let budget = Deflate::budget();
    Deflate::set_budget(0);
    take(bytes);
    Deflate::set_budget(budget);
}

fn take(bytes: &[u8]) {
    let offer = ExtensionOffer::new("permessage-deflate").expect("a name");
    let agreed = Extensions::from(Deflate::default()).accept(&[offer], Version::RFC6455);
    let negotiated = Negotiated::new(Version::RFC6455, None, agreed);
    let mut connection = Connection::new(Role::Server, negotiated, Config::default().into());
    drain(&mut connection, bytes);
}
