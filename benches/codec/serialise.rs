//! Serialising binary messages as either role.
//!
//! As a client, tokio-websockets makes its masking keys itself, with its fastest generator; all
//! others are given theirs. From 8 KiB on, a server's payload travels untouched in a vectored write
//! with us and with tokio-websockets, so that there is only a header to write.

use bytes::Bytes;
use futures_util::SinkExt;
use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, now, print_row};
use hybi_frame::{FrameHeader, MaskingKey, Opcode, Role, Rsv, encode_frame};

use crate::{payload, sizes};

/// Output gathered before it goes to the transport.
const BATCH: usize = 16 << 10;
/// From here on a server does not copy a payload.
const VECTORED: usize = 8 << 10;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) fn run(timed: bool) {
    for role in [Role::Server, Role::Client] {
        println!("serialise one frame as {role:?}; keys given");
        for (label, size) in sizes() {
            let plain = Bytes::from(payload(size));
            check(role, &plain);
            if timed {
                print_row(label, &compare(&mut contenders(role, &plain)));
            }
        }
        println!();
    }
}

fn contenders(role: Role, plain: &Bytes) -> Vec<Contender<'_>> {
    let mut hybi = Sender::new(role, VECTORED);
    let mut hybi_copied = Sender::new(role, usize::MAX);
    let mut tungstenite = Tungstenite::new(role, false);
    let mut fastwebsockets = Vec::new();
    let mut tokio_websockets = tokio_websockets(role, false);
    vec![
        Contender::new("hybi", move |count| {
            for _ in 0..count {
                hybi.send(plain);
            }
        }),
        Contender::new("hybi always copied", move |count| {
            for _ in 0..count {
                hybi_copied.send(plain);
            }
        }),
        Contender::new("tungstenite", move |count| {
            for _ in 0..count {
                tungstenite.send(plain);
            }
        }),
        Contender::new("fastwebsockets", move |count| {
            for _ in 0..count {
                let frame = write_fastwebsockets(role, plain, &mut fastwebsockets);
                core::hint::black_box(frame);
            }
        }),
        Contender::new("tokio-websockets", move |count| {
            for _ in 0..count {
                send_tokio_websockets(&mut tokio_websockets, plain);
            }
            now(tokio_websockets.flush()).expect("flushed");
        }),
    ]
}

/// All contenders must write the same frame, whatever key one of them took.
fn check(role: Role, plain: &Bytes) {
    let mut sender = Sender::new(role, usize::MAX);
    sender.send(plain);
    let expected = sender.out;

    let mut sender = Sender::new(role, VECTORED);
    sender.send(plain);
    if sender.out.len() < plain.len() {
        sender.out.extend_from_slice(plain);
    }
    assert!(sender.out == expected, "hybi, vectored");

    let mut tungstenite = Tungstenite::new(role, true);
    tungstenite.send(plain);
    tungstenite.socket.flush().expect("flushed");
    assert!(tungstenite.socket.get_ref().written.as_deref() == Some(&expected), "tungstenite");

    let frame = write_fastwebsockets(role, plain, &mut Vec::new()).to_vec();
    assert!(frame == expected, "fastwebsockets");

    let mut socket = tokio_websockets(role, true);
    send_tokio_websockets(&mut socket, plain);
    now(socket.flush()).expect("flushed");
    let mut written = socket.get_ref().written.clone().expect("kept");
    let (header, len) = FrameHeader::parse(&written).expect("valid").expect("whole");
    assert_eq!(header.masking_key.is_some(), role.masks_outgoing());
    if let Some(key) = header.masking_key {
        hybi_frame::apply_mask(&mut written[len..], key, 0);
    }
    assert!(written[len..] == **plain, "tokio-websockets");
}

/// What a connection does with a message to send: gathers small frames, lets large payloads be.
struct Sender {
    role: Role,
    vectored: usize,
    out: Vec<u8>,
}

impl Sender {
    fn new(role: Role, vectored: usize) -> Self {
        Self { role, vectored, out: Vec::with_capacity(BATCH) }
    }

    #[inline]
    fn send(&mut self, payload: &[u8]) {
        if self.out.len() >= BATCH {
            self.out.clear();
        }
        let (out, opcode) = (&mut self.out, Opcode::Binary);
        let key = self.role.masks_outgoing().then(|| MaskingKey::from_bytes(KEY));
        if key.is_none() && payload.len() >= self.vectored {
            let payload_len = payload.len() as u64;
            FrameHeader { fin: true, rsv: Rsv::NONE, opcode, masking_key: None, payload_len }
                .encode(out);
        } else {
            encode_frame(out, true, Rsv::NONE, opcode, payload, key);
        }
    }
}

struct Tungstenite {
    role: Role,
    socket: tungstenite::protocol::frame::FrameSocket<Memory<'static>>,
}

impl Tungstenite {
    fn new(role: Role, keep: bool) -> Self {
        let socket = tungstenite::protocol::frame::FrameSocket::new(Memory::writing(keep));
        Self { role, socket }
    }

    fn send(&mut self, payload: &Bytes) {
        use tungstenite::protocol::frame::Frame;
        use tungstenite::protocol::frame::coding::{Data, OpCode};
        let mut frame = Frame::message(payload.clone(), OpCode::Data(Data::Binary), true);
        frame.header_mut().mask = self.role.masks_outgoing().then_some(KEY);
        self.socket.write(frame).expect("written");
    }
}

fn write_fastwebsockets<'a>(role: Role, payload: &[u8], out: &'a mut Vec<u8>) -> &'a [u8] {
    use fastwebsockets::{Frame, OpCode, Payload};
    let key = role.masks_outgoing().then_some(KEY);
    let mut frame = Frame::new(true, OpCode::Binary, key, Payload::Borrowed(payload));
    if key.is_some() {
        frame.mask();
    }
    frame.write(out)
}

fn tokio_websockets(role: Role, keep: bool) -> tokio_websockets::WebSocketStream<Memory<'static>> {
    let memory = Memory::writing(keep);
    let config = tokio_websockets::Config::default().flush_threshold(BATCH);
    match role {
        Role::Server => tokio_websockets::ServerBuilder::new().config(config).serve(memory),
        Role::Client => tokio_websockets::ClientBuilder::new().config(config).take_over(memory),
    }
}

fn send_tokio_websockets(
    socket: &mut tokio_websockets::WebSocketStream<Memory<'static>>,
    payload: &Bytes,
) {
    now(socket.feed(tokio_websockets::Message::binary(payload.clone()))).expect("sent");
}
