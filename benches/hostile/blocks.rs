//! Compressed messages whose bytes make nothing, or a lot (RFC 1951 section 3.2).

use hybi_benches::{bare::Deflater, records::Records};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use hybi_tokio::{
    Config, Connection, Deflate, Extensions, Negotiated, Role, Version, extension::ExtensionOffer,
};

use crate::{Attack, frames::drain};

pub(crate) fn attacks() -> Vec<Attack> {
    let empty = |name, block: &'static [(u32, u32)]| {
        Attack::new(name, N, move |n| message(&empty_blocks(block, n)), take)
    };
    vec![
        Attack::new("a message of records", N, |n| message(&records(n)), take),
        empty("empty stored blocks", STORED),
        empty("empty fixed blocks", FIXED),
        empty("empty dynamic blocks", DYNAMIC),
        Attack::new("zeros, a thousand for a byte", N / 4, |n| message(&zeros(n)), take),
        Attack::new("empty messages, no state kept", N, rebuilding, take_without_states),
    ]
}

const N: usize = 16_000;

/// The fields of a block with their bits, least significant first. None is the last.
const STORED: &[(u32, u32)] = &[(0, 1), (0, 2), (0, 5), (0xffff_0000, 32)];
const FIXED: &[(u32, u32)] = &[(0, 1), (1, 2), (0, 7)];
/// The shortest tables there are: 257 literals of which only the last, the end of the block, has a
/// code, and one distance.
const DYNAMIC: &[(u32, u32)] = &[
    (0, 1),
    (2, 2),
    // 257 literals, a distance, 18 lengths of codes: two of one bit, for repeated zeros and for one.
    (0, 5),
    (0, 5),
    (14, 4),
    (0, 6),
    (1, 3),
    (0, 30),
    (0, 12),
    (1, 3),
    // 138 and 118 zeros, and twice a one.
    (1, 1),
    (127, 7),
    (1, 1),
    (107, 7),
    (0, 2),
    // The end of the block.
    (0, 1),
];

/// About `n` bytes of blocks, and the empty stored block without whose last bytes a message travels.
fn empty_blocks(block: &[(u32, u32)], n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u64, 0);
    while out.len() < n {
        for &(value, len) in block {
            bits |= u64::from(value) << count;
            count += len;
            while count >= 8 {
                out.push((bits & 0xff) as u8);
                (bits, count) = (bits >> 8, count - 8);
            }
        }
    }
    // Three bits of header, and zeros up to the end of the byte.
    out.push((bits & 0xff) as u8);
    if count > 5 {
        out.push(0);
    }
    out
}

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

/// Zeros that are about `n` bytes when compressed.
fn zeros(n: usize) -> Vec<u8> {
    let mut payload = Vec::new();
    Deflater::new(9, false).deflate(&vec![0; n * 1000], &mut payload);
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
    let mut out = message(&zeros(100));
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
