//! The rows that are counted: calls that users make, over a transport in memory that never blocks,
//! without a runtime.
//!
//! Each row is a connection that was open for as many messages before anything is counted, so that
//! nothing of its beginning is: buffers have grown, and the thread has lent them once.

use hybi::{
    Config, Connection, Deflate, Message, Negotiated, Role, WebSocket,
    bytes::{Bytes, BytesMut},
};
use hybi_benches::{
    bare::Deflater,
    memory::{Memory, Still},
    now,
    records::Records,
    sans_io,
};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};

/// Takes as many messages through a connection as it is told.
pub(crate) type Work = Box<dyn FnMut(usize)>;

/// One row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// How many messages are counted.
    pub(crate) messages: usize,
    open: fn() -> Work,
}

impl Row {
    /// The connection, after its first messages.
    pub(crate) fn warmed_up(&self) -> Work {
        let mut work = (self.open)();
        work(self.messages);
        work
    }
}

const fn row(name: &'static str, messages: usize, open: fn() -> Work) -> Row {
    Row { name, messages, open }
}

const KIB: usize = 1024;

/// All of them. What is queued without a flush is as much as makes the queue full many times.
pub(crate) const ROWS: [Row; 23] = [
    row("recv 20 B", 10_000, || recv(20)),
    row("recv 1 KiB", 2048, || recv(KIB)),
    row("recv 16 KiB", 256, || recv(16 * KIB)),
    row("recv 64 KiB", 128, || recv(64 * KIB)),
    row("recv_ref 20 B", 10_000, || recv_ref(20)),
    row("recv_ref 1 KiB", 2048, || recv_ref(KIB)),
    row("recv_ref 16 KiB", 256, || recv_ref(16 * KIB)),
    row("recv_ref 64 KiB", 128, || recv_ref(64 * KIB)),
    row("feed 20 B, server", 100_000, || feed(Role::Server, 20)),
    row("feed 1 KiB, server", 4096, || feed(Role::Server, KIB)),
    row("feed 16 KiB, server", 2048, || feed(Role::Server, 16 * KIB)),
    row("feed 20 B, client", 100_000, || feed(Role::Client, 20)),
    row("feed 1 KiB, client", 4096, || feed(Role::Client, KIB)),
    row("feed 16 KiB, client", 256, || feed(Role::Client, 16 * KIB)),
    row("feed 16 KiB of its own, client", 256, feed_own),
    row("send 20 B", 10_000, send),
    row("recv + feed 20 B", 10_000, echo),
    row("recv_to_answer + feed 20 B", 10_000, || answer(20)),
    row("recv_to_answer + feed 1 KiB", 2048, || answer(KIB)),
    row("recv + feed 20 B, halves", 10_000, halves),
    row("recv_ref + feed 20 B, halves", 10_000, halves_ref),
    row("handle_input + queue 20 B", 10_000, sans_io_echo),
    row("deflate 1 KiB JSON, recv + feed", DEFLATED, deflate_echo),
];

/// How many messages arrive with one read where they are answered.
const IN_FLIGHT: usize = 16;

/// How many compressed messages are counted; as many come before them.
const DEFLATED: usize = 128;

fn recv(size: usize) -> Work {
    let mut ws = open(Role::Server, Memory::reading(wire(size)));
    Box::new(move |count| {
        for _ in 0..count {
            let message = now(ws.recv()).expect("valid").expect("more");
            assert_eq!(message.len(), size);
        }
    })
}

fn recv_ref(size: usize) -> Work {
    let mut ws = open(Role::Server, Memory::reading(wire(size)));
    Box::new(move |count| {
        for _ in 0..count {
            let message = now(ws.recv_ref()).expect("valid").expect("more");
            assert_eq!(message.as_bytes().len(), size);
        }
    })
}

fn feed(role: Role, size: usize) -> Work {
    let mut ws = open(role, Memory::writing(false));
    let payload = Bytes::from(vec![b'a'; size]);
    Box::new(move |count| {
        for _ in 0..count {
            now(ws.feed(Message::Binary(payload.clone()))).expect("sent");
        }
    })
}

/// What is sent belongs to nobody else: making it costs one copy, which is counted, too.
fn feed_own() -> Work {
    let mut ws = open(Role::Client, Memory::writing(false));
    let payload = vec![b'a'; 16 * KIB];
    Box::new(move |count| {
        for _ in 0..count {
            let message = Message::Binary(BytesMut::from(&payload[..]).freeze());
            now(ws.feed(message)).expect("sent");
        }
    })
}

fn send() -> Work {
    let mut ws = open(Role::Server, Memory::writing(false));
    let payload = Bytes::from_static(&[b'a'; 20]);
    Box::new(move |count| {
        for _ in 0..count {
            now(ws.send(Message::Binary(payload.clone()))).expect("sent");
        }
    })
}

fn echo() -> Work {
    let mut ws = open(Role::Server, in_flight(20));
    Box::new(move |count| {
        for _ in 0..count {
            let message = now(ws.recv()).expect("valid").expect("more");
            now(ws.feed(message)).expect("sent");
        }
    })
}

/// The message is lent while it is sent.
fn answer(size: usize) -> Work {
    let mut ws = open(Role::Server, in_flight(size));
    Box::new(move |count| {
        for _ in 0..count {
            let received = now(ws.recv_to_answer()).expect("valid");
            let (message, mut answering) = received.expect("more");
            now(answering.feed(message)).expect("sent");
        }
    })
}

fn halves() -> Work {
    let (mut sender, mut receiver) = open(Role::Server, in_flight(20)).split();
    Box::new(move |count| {
        for _ in 0..count {
            let message = now(receiver.recv()).expect("valid").expect("more");
            now(sender.feed(message)).expect("sent");
        }
    })
}

fn halves_ref() -> Work {
    let (mut sender, mut receiver) = open(Role::Server, in_flight(20)).split();
    Box::new(move |count| {
        for _ in 0..count {
            let message = now(receiver.recv_ref()).expect("valid").expect("more");
            now(sender.feed(message)).expect("sent");
        }
    })
}

/// A loop by hand over what one read brings.
fn sans_io_echo() -> Work {
    let mut connection = Connection::new(Role::Server, Negotiated::default(), Default::default());
    let read = frames(20, IN_FLIGHT);
    let mut chunk = Vec::new();
    Box::new(move |count| {
        for _ in 0..count / IN_FLIGHT {
            chunk.clear();
            chunk.extend_from_slice(&read);
            let mut at = 0;
            while at < chunk.len() {
                let (consumed, event) = connection.handle_input(&mut chunk[at..]);
                at += consumed;
                let message = Message::from(event.expect("whole frames"));
                connection.queue(message).expect("room");
            }
            sans_io::transmit(&mut connection, |bytes| assert!(!bytes.is_empty()));
        }
    })
}

/// Both ends compress, and keep their windows from message to message.
fn deflate_echo() -> Work {
    let mut records = Records::new(1);
    let mut deflater = Deflater::new(1, true);
    let (mut wire, mut payload) = (Vec::new(), Vec::new());
    for _ in 0..2 * DEFLATED {
        deflater.deflate(records.message(KIB).as_bytes(), &mut payload);
        encode_frame(&mut wire, true, Rsv::RSV1, Opcode::Text, &payload, key());
    }
    let connection = sans_io::open(Deflate::default(), Config::default());
    let mut ws = WebSocket::new(connection, Memory::reading(wire.leak()), Still::default());
    Box::new(move |count| {
        for _ in 0..count {
            let message = now(ws.recv()).expect("valid").expect("more");
            assert_eq!(message.len(), KIB);
            now(ws.feed(message)).expect("sent");
        }
    })
}

fn open(role: Role, transport: Memory<'static>) -> WebSocket<Memory<'static>, Still> {
    let connection = Connection::new(role, Negotiated::default(), Default::default());
    WebSocket::new(connection, transport, Still::default())
}

/// What a client sends without end: about 256 KiB of whole frames, over and over.
fn wire(size: usize) -> &'static [u8] {
    frames(size, 256 * KIB / size).leak()
}

/// A client with some messages in flight, which all come with one read.
fn in_flight(size: usize) -> Memory<'static> {
    let frames = frames(size, IN_FLIGHT).leak();
    Memory::reading(frames).at_most(frames.len())
}

fn frames(size: usize, count: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    for _ in 0..count {
        encode_frame(&mut wire, true, Rsv::NONE, Opcode::Binary, &vec![b'a'; size], key());
    }
    wire
}

fn key() -> Option<MaskingKey> {
    Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]))
}
