//! The masks of hybi-04 to 06 against their definition, byte by byte, in both directions.

use hybi_frame::{Limits, Opcode};
use hybi_legacy::{FrameCodec, Role, Version};
use hybi_suite::vectors;
use sha1::{Digest as _, Sha1};

use crate::receiver::{KEY, NONCE, Told, VERSIONS, header, receive, terms};

const PREFIX: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The mask of a frame that begins with [`PREFIX`], to be repeated.
fn mask(version: Version) -> Vec<u8> {
    if version == Version::HYBI_04 {
        let records = vectors::records("frames");
        let mut keys = records.iter().filter_map(|record| {
            let conn = &record["conn"];
            (conn["key"] == KEY && conn["nonce"] == NONCE)
                .then(|| vectors::hex(conn["masking_key_hex"].as_str().expect("hex")))
        });
        let key = keys.next().expect("a record of this handshake");
        Sha1::new().chain_update(PREFIX).chain_update(key).finalize().to_vec()
    } else {
        PREFIX.to_vec()
    }
}

/// The clear frame of a binary message.
fn clear(payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let mut frame = vec![0x85];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..=125), _) => frame.push(len),
        (_, Ok(len)) => frame.extend([[126].as_slice(), &len.to_be_bytes()].concat()),
        _ => frame.extend([[127].as_slice(), &(len as u64).to_be_bytes()].concat()),
    }
    frame.extend_from_slice(payload);
    frame
}

fn by_definition(version: Version, clear: &[u8]) -> Vec<u8> {
    let mask = mask(version);
    let masked = clear.iter().enumerate().map(|(at, byte)| byte ^ mask[at % mask.len()]);
    PREFIX.into_iter().chain(masked).collect()
}

/// Bytes without a pattern that a wrong kernel could hide in.
fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect()
}

/// Around each length form, and around the sizes at which kernels repeat.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=400).chain(795..=805).chain(65_530..=65_540).chain([100_003])
}

#[test]
fn a_client_masks_by_definition_at_each_length() {
    for version in [Version::HYBI_04, Version::HYBI_05, Version::HYBI_06] {
        let mut codec = FrameCodec::new(&terms(version), Role::Client, Limits::default());
        for len in lengths() {
            let payload = noise(len);
            let mut out = b"before".to_vec();
            codec.encode(&mut out, &header(Opcode::Binary, Some(PREFIX), &payload), &payload);
            let expected = by_definition(version, &clear(&payload));
            assert!(out[6..] == expected, "{version}, {len} bytes");
            assert_eq!(out[..6], *b"before");
        }
    }
}

#[test]
fn a_server_unmasks_by_definition_at_each_length_and_position() {
    for version in [Version::HYBI_04, Version::HYBI_05, Version::HYBI_06] {
        let terms = terms(version);
        for len in lengths() {
            let payload = noise(len);
            let wire = by_definition(version, &clear(&payload));
            let expected = (vec![Told::Binary(payload)], Ok(()));
            let unmask = |chunks: &mut dyn Iterator<Item = &[u8]>| {
                receive(&terms, Role::Server, Limits::default(), chunks)
            };
            // Whole; and with parts that begin at every position of the mask and of a word.
            let whole = unmask(&mut [&wire[..]].into_iter());
            assert!(whole == expected, "{version}, {len} bytes");
            let positions = if len < 400 { 1..wire.len().min(60) } else { 25..50 };
            for cut in positions {
                let (front, back) = wire.split_at(cut);
                let in_two = unmask(&mut [front, back].into_iter());
                assert!(in_two == expected, "{version}, {len} bytes cut at {cut}");
            }
            let in_many = unmask(&mut wire.chunks(97));
            assert!(in_many == expected, "{version}, {len} bytes in many chunks");
        }
    }
}

#[test]
fn without_a_key_it_is_zeros() {
    let mut codec = FrameCodec::new(&terms(Version::HYBI_05), Role::Client, Limits::default());
    let mut out = Vec::new();
    codec.encode(&mut out, &header(Opcode::Binary, None, b"Hello"), b"Hello");
    assert_eq!(out, b"\0\0\0\0\x85\x05Hello");
}

#[test]
fn only_clients_from_hybi_04_on_mask() {
    for version in VERSIONS {
        let masks = |role| FrameCodec::new(&terms(version), role, Limits::default()).masks();
        assert_eq!(masks(Role::Client), version >= Version::HYBI_04, "{version}");
        assert!(!masks(Role::Server), "{version}");
    }
}
