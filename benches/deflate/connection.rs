//! Messages through a connection, as server: queued and taken as frames; frames handed in and an
//! owned message got back.

use core::hint::black_box;

use hybi_benches::{
    Contender,
    bare::Inflater,
    sans_io::{self, send},
};
use hybi_frame::{FrameHeader, MaskingKey, Opcode, Rsv, encode_frame};
use hybi_tokio::{Config, Connection, Deflate, Message, Utf8Bytes};

use crate::Load;

pub(crate) fn sends(load: &Load) -> Contender<'_> {
    let mut connection = open(load.takeover, Config::default());
    let mut messages = load.messages.iter().cycle();
    Contender::new("hybi", move |count| {
        for message in messages.by_ref().take(count) {
            send(&mut connection, message.clone(), |bytes| {
                black_box(bytes);
            });
        }
    })
}

pub(crate) fn receives(load: &Load) -> Contender<'_> {
    let mut connection = open(load.takeover, Config::default());
    let mut chunk = Vec::new();
    let [first, steady] = load.payloads.each_ref().map(|payloads| frames(payloads));
    for frame in &first {
        receive(&mut connection, frame, &mut chunk);
    }
    let mut at = 0;
    Contender::new("hybi", move |count| {
        for _ in 0..count {
            black_box(receive(&mut connection, &steady[at], &mut chunk));
            at = (at + 1) % steady.len();
        }
    })
}

/// What a connection sends must be understood by the backend, and the other way round.
pub(crate) fn check(load: &Load) {
    let mut sender = open(load.takeover, Config::default());
    let mut receiver = open(load.takeover, Config::default());
    let mut inflater = Inflater::new(load.takeover);
    let (mut chunk, mut plain) = (Vec::new(), Vec::new());
    for payloads in &load.payloads {
        for (message, frame) in load.messages.iter().zip(frames(payloads)) {
            inflater.inflate(&sent_payload(&mut sender, message), &mut plain);
            assert!(plain == message.as_bytes(), "sent another message");
            let received = receive(&mut receiver, &frame, &mut chunk);
            assert!(received.as_text() == Some(message), "received another message");
        }
    }
}

/// The compressed payload of the one frame that a message makes.
pub(crate) fn sent_payload(connection: &mut Connection, message: &Utf8Bytes) -> Vec<u8> {
    let mut frame = Vec::new();
    send(connection, message.clone(), |bytes| frame.extend_from_slice(bytes));
    let (header, len) = FrameHeader::parse(&frame).expect("valid").expect("whole");
    assert!(header.fin && header.rsv == Rsv::RSV1, "not compressed");
    assert_eq!(header.payload_len, (frame.len() - len) as u64);
    frame.split_off(len)
}

/// An open connection on which both ends compress.
pub(crate) fn open(takeover: bool, config: Config) -> Connection {
    let deflate = Deflate::default().own_context_takeover(takeover).peer_context_takeover(takeover);
    sans_io::open(deflate, config)
}

/// Hands a frame in as a read would bring it.
pub(crate) fn receive(connection: &mut Connection, frame: &[u8], chunk: &mut Vec<u8>) -> Message {
    chunk.clear();
    chunk.extend_from_slice(frame);
    let (consumed, event) = connection.handle_input(chunk);
    assert_eq!(consumed, frame.len());
    event.expect("a message").into()
}

/// What a client sends.
pub(crate) fn frames(payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let key = Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
    let framed = payloads.iter().map(|payload| {
        let mut frame = Vec::new();
        encode_frame(&mut frame, true, Rsv::RSV1, Opcode::Text, payload, key);
        frame
    });
    framed.collect()
}
