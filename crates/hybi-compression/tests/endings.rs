//! Where a compressed payload ends: with its tail taken off (RFC 7692 §7.2.1), with the tail left on
//! as some senders do, or inside a block, which is no end. With every extension that has payloads.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use flate2::{Compress as Deflater, Compression, FlushCompress};
use hybi_compression::Deflate;
use hybi_frame::{CloseCode, Limits, Opcode, Role, Rsv, encode_frame};
use support::endpoint::{Endpoint, Told, every_payload_extension, key};
use support::text::{noise, record};

/// Under each extension, both roles, with takeover and without.
fn receivers() -> Vec<(String, bool, Endpoint)> {
    let mut receivers = Vec::new();
    for takeover in [true, false] {
        for agreed in every_payload_extension(Deflate::default().peer_context_takeover(takeover)) {
            for role in [Role::Client, Role::Server] {
                let endpoint = Endpoint::new(role, &agreed, Limits::default());
                let name = format!("{} to a {role:?}", agreed[0].answer());
                receivers.push((name, takeover, endpoint));
            }
        }
    }
    receivers
}

/// What a sender makes of its messages, each with the tail left on.
struct Sender {
    deflater: Deflater,
    takeover: bool,
}

impl Sender {
    fn new(takeover: bool) -> Self {
        Self { deflater: Deflater::new(Compression::new(6), false), takeover }
    }

    fn payload(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + 1024);
        self.deflater.compress_vec(message, &mut out, FlushCompress::Sync).expect("works");
        assert!(out.ends_with(&TAIL));
        if !self.takeover {
            self.deflater.reset();
        }
        out
    }
}

/// One message in frames of these payloads.
fn frames(receiver: Role, payloads: &[&[u8]], rsv_on_each: bool) -> Vec<u8> {
    let mut wire = Vec::new();
    for (at, payload) in payloads.iter().enumerate() {
        let rsv = if at == 0 || rsv_on_each { Rsv::RSV1 } else { Rsv::NONE };
        let opcode = if at == 0 { Opcode::Binary } else { Opcode::Continuation };
        let fin = at + 1 == payloads.len();
        encode_frame(&mut wire, fin, rsv, opcode, payload, key(receiver.peer()));
    }
    wire
}

fn is_per_frame(agreed: &str) -> bool {
    agreed.contains("frame")
}

#[test]
fn a_tail_left_on_is_read_as_if_it_were_taken_off() {
    let messages = [record(700, 1), record(6000, 2), b"a".to_vec(), noise(1000, 3), record(700, 4)];
    for size in [1, 3, 5, usize::MAX] {
        for parked in [true, false] {
            for (name, takeover, mut receiver) in receivers() {
                let mut sender = Sender::new(takeover);
                // Every other message is an honest one.
                for (turn, message) in messages.iter().chain(&messages).enumerate() {
                    let context = format!("{name}, {size}, {parked}, message {turn}");
                    let wire = if is_per_frame(&name) {
                        let size = size.clamp(400, message.len().max(400));
                        let payloads = message.chunks(size).enumerate().map(|(frame, piece)| {
                            with_tail(sender.payload(piece), (turn + frame) % 2 == 0)
                        });
                        let payloads: Vec<_> = payloads.collect();
                        let payloads: Vec<_> = payloads.iter().map(Vec::as_slice).collect();
                        frames(receiver.role(), &payloads, true)
                    } else {
                        let payload = with_tail(sender.payload(message), turn % 2 == 0);
                        let payloads: Vec<_> = payload.chunks(size).collect();
                        frames(receiver.role(), &payloads, false)
                    };
                    for chunk in wire.chunks(size) {
                        receiver
                            .receive(chunk)
                            .unwrap_or_else(|error| panic!("{context}: {error}"));
                    }
                    assert!(receiver.events == [Told::Binary(message.clone())], "{context}");
                    receiver.events.clear();
                    if parked {
                        receiver.chain.park();
                    }
                }
            }
        }
    }
}

fn with_tail(mut payload: Vec<u8>, kept: bool) -> Vec<u8> {
    if !kept {
        payload.truncate(payload.len() - TAIL.len());
    }
    payload
}

/// Two messages whose last block is an empty one: with the tail taken off, a byte is left of it. Nothing refers to what was
/// before a final block.
#[test]
fn the_empty_block_at_the_end_may_be_a_final_one() {
    const STORED: &[u8] = b"\0\x05\0\xfa\xffHello";
    for last in [&b"\0"[..], b"\x01"] {
        for (name, _, mut receiver) in receivers() {
            for payload in [[STORED, last].concat(), last.to_vec(), [STORED, last].concat()] {
                let wire = frames(receiver.role(), &[&payload], true);
                receiver.receive(&wire).unwrap_or_else(|error| panic!("{name}, {last:?}: {error}"));
            }
            let told = [&b"Hello"[..], b"", b"Hello"].map(|text| Told::Binary(text.to_vec()));
            assert_eq!(receiver.events, told, "{name}, {last:?}");
        }
    }
}

/// With the tail, the first makes a message, and 15 bits of what comes next are taken for tables.
/// The second has its end of block in the tail, and a part of the tail to spare.
const INSIDE_TABLES: [&[u8]; 2] = [
    b"\x4a\x04\xb0\xf7\x07\x90\0\0\0\0\0\0\0",
    b"\x42\x02\x08\x40\x30\x1e\x40\0\0\0\0\x08\x42\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
];

#[test]
fn a_payload_that_ends_inside_the_tables_of_a_block_is_refused() {
    // To other libraries, the first looks like what had been flushed.
    let exact = cfg!(feature = "zlib-rs");
    for payload in INSIDE_TABLES.into_iter().skip(if exact { 0 } else { 1 }) {
        for cut in [1, 5, usize::MAX] {
            for (name, _, mut receiver) in receivers() {
                // What is cut is no frame of its own.
                let wire = frames(receiver.role(), &[payload], true);
                let error = wire.chunks(cut).find_map(|chunk| receiver.receive(chunk).err());
                let error = error.unwrap_or_else(|| panic!("{name} took {payload:02x?}"));
                assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD, "{name}: {error}");
                assert_eq!(receiver.events, [], "{name}");
            }
        }
    }
}

/// Those of stored blocks aside, whose first byte alone is an empty message.
#[cfg(feature = "zlib-rs")]
#[test]
fn no_payload_cut_short_is_taken_for_a_whole_one() {
    let mut sender = Sender::new(true);
    for message in [record(1500, 1), record(400, 2), vec![b'a'; 2000]] {
        let payload = with_tail(sender.payload(&message), false);
        sender.deflater.reset();
        for len in 1..payload.len() {
            for (name, _, mut receiver) in receivers().into_iter().step_by(4) {
                let wire = frames(receiver.role(), &[&payload[..len]], true);
                let error = receiver.receive(&wire).expect_err("cut short");
                assert_eq!(
                    error.close_code(),
                    CloseCode::INVALID_PAYLOAD,
                    "{name}, {len}: {error}"
                );
            }
        }
    }
}

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
