//! Parsing and unmasking what a client sends, as a server: binary messages, one frame each.
//!
//! `hybi` is the codec over reads as long as the first-level cache likes them, `hybi recv` and
//! `hybi recv_ref` the whole connection, which reads as much as a system call is worth. A message
//! that does not fit a read is gathered in a buffer that grows with the bytes received, while
//! fastwebsockets and tokio-websockets make room for what the header declares. The bare decoder
//! works in place on bytes that are there, the others read theirs first.

use std::sync::Arc;

use bytes::BufMut;
use futures_util::StreamExt;
use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, now, print_row};
use hybi_frame::{
    Assembled, FrameDecoder, FrameRules, Limits, MaskingKey, MessageAssembler, Opcode, Role, Rsv,
    apply_mask, encode_frame,
};
use hybi_tokio::{Connection, Negotiated, TokioIo, TokioTimer, WebSocket};

use crate::{payload, sizes};

/// The chunk: a message of 64 KiB with its header, and a little.
const CHUNK: usize = (64 << 10) + 64;

/// What is read at once where nothing is known of what comes: as for a message of 16 KiB.
const READ: usize = (16 << 10) + 64;

pub(crate) fn run(timed: bool) {
    println!("parse and unmask one client frame; hybi: decoder and assembler, over the same reads");
    for (label, size) in sizes() {
        let plain = payload(size);
        let frames = ((256 << 10) / (size + 8)).max(1);
        let mut wire = Vec::new();
        for n in 0..frames as u32 {
            let key = MaskingKey::from_bytes((n.wrapping_mul(0x9e37_79b1) | 1).to_le_bytes());
            encode_frame(&mut wire, true, Rsv::NONE, Opcode::Binary, &plain, Some(key));
        }

        check(&wire, &plain, frames);
        if timed {
            print_row(label, &compare(&mut contenders(&wire, size, frames)));
        }
    }
    println!();
}

fn contenders<'a>(wire: &'a [u8], size: usize, frames: usize) -> Vec<Contender<'a>> {
    let limits = Limits::default();
    let mut hybi = Receiver::new(wire);
    let mut in_place = wire.to_vec();
    let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, limits);
    let mut at = 0;
    let mut source = Memory::reading(wire);
    let mut copy = vec![0; CHUNK];
    let mut tungstenite = tungstenite(wire);
    let mut fastwebsockets = fastwebsockets(wire);
    let mut tokio_websockets = tokio_websockets(wire);
    let message = wire.len() / frames;
    let (mut lent, mut owned) = (websocket(wire), websocket(wire));

    vec![
        Contender::new("hybi", move |count| {
            hybi.messages(count, |bytes| assert_eq!(bytes.len(), size));
        }),
        Contender::new("hybi recv_ref", move |count| {
            for _ in 0..count {
                let message = now(lent.recv_ref()).expect("valid").expect("more");
                assert_eq!(message.as_bytes().len(), size);
            }
        }),
        Contender::new("hybi recv", move |count| {
            for _ in 0..count {
                let message = now(owned.recv()).expect("valid").expect("more");
                assert_eq!(message.len(), size);
            }
        }),
        Contender::new("bare decoder in place", move |count| {
            for _ in 0..count {
                let (taken, part) = decoder.decode(&mut in_place[at..]).expect("valid");
                let mut part = part.expect("whole frames");
                assert!(part.end && part.payload().len() == size);
                at += taken;
                if at == in_place.len() {
                    at = 0;
                }
            }
        }),
        // The floor: the bytes of as many frames copied, then masked in one go.
        Contender::new("copy and XOR", move |count| {
            let mut left = count * message;
            while left > 0 {
                let bytes = source.next_bytes(CHUNK.min(left));
                let chunk = &mut copy[..bytes.len()];
                chunk.copy_from_slice(bytes);
                apply_mask(chunk, MaskingKey::from_bytes([1, 2, 3, 4]), 0);
                core::hint::black_box(chunk);
                left -= bytes.len();
            }
        }),
        Contender::new("tungstenite", move |count| {
            for _ in 0..count {
                assert_eq!(tungstenite.read().expect("valid").len(), size);
            }
        }),
        Contender::new("fastwebsockets", move |count| {
            for _ in 0..count {
                let frame = now(fastwebsockets.read_frame()).expect("valid");
                assert_eq!(frame.payload.len(), size);
            }
        }),
        Contender::new("tokio-websockets", move |count| {
            for _ in 0..count {
                let message = now(tokio_websockets.next()).expect("more").expect("valid");
                assert_eq!(message.as_payload().len(), size);
            }
        }),
    ]
}

/// Every contender must deliver every payload of two rounds of the stream.
fn check(wire: &[u8], plain: &[u8], frames: usize) {
    let count = 2 * frames;
    let mut seen = 0;
    Receiver::new(wire).messages(count, |bytes| {
        assert!(bytes == plain, "hybi");
        seen += 1;
    });
    assert_eq!(seen, count);

    let (mut lent, mut owned) = (websocket(wire), websocket(wire));
    let (mut tungstenite, mut fastwebsockets) = (tungstenite(wire), fastwebsockets(wire));
    let mut tokio_websockets = tokio_websockets(wire);
    for _ in 0..count {
        let message = now(lent.recv_ref()).expect("valid").expect("more");
        assert!(message.as_bytes() == plain, "hybi recv_ref");
        let message = now(owned.recv()).expect("valid").expect("more");
        assert!(message.as_bytes() == plain, "hybi recv");
        assert!(tungstenite.read().expect("valid").into_data() == plain, "tungstenite");
        let frame = now(fastwebsockets.read_frame()).expect("valid");
        assert!(*frame.payload == *plain, "fastwebsockets");
        let message = now(tokio_websockets.next()).expect("more").expect("valid");
        assert!(message.as_payload()[..] == *plain, "tokio-websockets");
    }
}

/// Decoder and assembler over reads into a chunk, as a connection uses them.
pub(crate) struct Receiver<'a> {
    source: Memory<'a>,
    decoder: FrameDecoder,
    assembler: MessageAssembler,
    chunk: Vec<u8>,
    /// What of the chunk was read and not yet taken.
    unread: core::ops::Range<usize>,
}

impl<'a> Receiver<'a> {
    pub(crate) fn new(wire: &'a [u8]) -> Self {
        let (rules, limits) = (FrameRules::RFC6455, Limits::default());
        Self {
            source: Memory::reading(wire),
            decoder: FrameDecoder::new(Role::Server, rules, limits),
            assembler: MessageAssembler::new(rules, limits),
            chunk: vec![0; CHUNK],
            unread: 0..0,
        }
    }

    /// Receives `count` messages.
    #[inline]
    pub(crate) fn messages(&mut self, count: usize, mut take: impl FnMut(&[u8])) {
        for _ in 0..count {
            while !self.step(&mut take) {}
        }
    }

    /// Takes a part out of the chunk, or reads; says whether that completed a message.
    #[inline]
    fn step(&mut self, mut take: impl FnMut(&[u8])) -> bool {
        let assembled = if !self.unread.is_empty() {
            let chunk = &mut self.chunk[self.unread.clone()];
            let room = CHUNK - chunk.len();
            if room > 0
                && let Some(missing) = self.decoder.missing(chunk)
            {
                self.read_on(READ.max(missing as usize));
                return false;
            }
            let (taken, part) = self.decoder.decode(chunk).expect("valid");
            self.unread.start += taken;
            let Some(part) = part else { return false };
            self.assembler.push(part).expect("valid")
        } else if let Some(mut room) = self.assembler.direct_buffer(&self.decoder) {
            room.put_slice(self.source.next_bytes(room.remaining_mut()));
            self.assembler.push_direct(&mut self.decoder).expect("valid")
        } else {
            self.read_on(READ);
            return false;
        };
        match assembled {
            Some(Assembled::Binary(bytes)) => take(&bytes),
            Some(Assembled::Text(text)) => take(text.as_bytes()),
            _ => return false,
        }
        true
    }

    /// Moves what is unread to the front of the chunk and reads behind it, `limit` bytes at most.
    fn read_on(&mut self, limit: usize) {
        let len = self.unread.len();
        self.chunk.copy_within(self.unread.clone(), 0);
        let bytes = self.source.next_bytes(limit.min(CHUNK - len));
        self.chunk[len..len + bytes.len()].copy_from_slice(bytes);
        self.unread = 0..len + bytes.len();
    }
}

fn websocket(wire: &[u8]) -> WebSocket<Memory<'_>> {
    let connection = Connection::new(Role::Server, Negotiated::default(), Arc::default());
    WebSocket::new(connection, TokioIo::new(Memory::reading(wire)), TokioTimer::default())
}

fn tungstenite(wire: &[u8]) -> tungstenite::WebSocket<Memory<'_>> {
    let role = tungstenite::protocol::Role::Server;
    tungstenite::WebSocket::from_raw_socket(Memory::reading(wire), role, None)
}

fn fastwebsockets(wire: &[u8]) -> fastwebsockets::WebSocket<Memory<'_>> {
    let role = fastwebsockets::Role::Server;
    fastwebsockets::WebSocket::after_handshake(Memory::reading(wire), role)
}

fn tokio_websockets(wire: &[u8]) -> tokio_websockets::WebSocketStream<Memory<'_>> {
    tokio_websockets::ServerBuilder::new().serve(Memory::reading(wire))
}
