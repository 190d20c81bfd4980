//! The client of the echoes, by hand: messages compressed beforehand, answers checked.

use std::io::{Read, Write};
use std::time::Instant;

use hybi_benches::{
    bare::{Deflater, Inflater},
    by_hand, median,
};
use hybi_frame::{FrameHeader, MaskingKey, Opcode, Rsv, encode_frame};

use crate::content::Content;
use crate::servers::{Address, Server};

pub(crate) const ROUNDS: usize = 5;

/// How many messages of this length a round has.
pub(crate) fn count(len: usize) -> usize {
    ((2 << 20) / len).clamp(4, 300)
}

/// What the client sends: compressed with takeover, or as it is if that makes it no smaller.
pub(crate) fn frames(messages: &[Vec<u8>], content: Content) -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new(6, true);
    let (mut payload, key) = (Vec::new(), MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
    let framed = messages.iter().map(|message| {
        let mut frame = Vec::new();
        let (rsv, payload) = if content == Content::Random {
            (Rsv::NONE, message)
        } else {
            deflater.deflate(message, &mut payload);
            (Rsv::RSV1, &payload)
        };
        encode_frame(&mut frame, true, rsv, Opcode::Binary, payload, Some(key));
        frame
    });
    framed.collect()
}

/// Of one echo: nanoseconds, those of the server's thread, and bytes of the answer's payload.
pub(crate) type Figures = [f64; 3];

pub(crate) fn medians(figures: &[Figures]) -> Figures {
    [0, 1, 2].map(|at| median(figures.iter().map(|one| one[at]).collect()))
}

/// Has all messages echoed over a new connection.
pub(crate) fn run(
    server: Server,
    address: &Address,
    messages: &[Vec<u8>],
    frames: &[Vec<u8>],
) -> Figures {
    let offer = match server.compresses() {
        true => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        false => "",
    };
    let (mut stream, head) = by_hand::open(&address.socket, offer);
    stream.set_nodelay(true).expect("an option of TCP");
    assert_eq!(head.contains("permessage-deflate"), server.compresses(), "{head}");
    let mut answers = Vec::new();
    let (start, before) = (Instant::now(), address.clock.nanoseconds());
    for frame in frames {
        stream.write_all(frame).expect("the server");
        answers.push(read_frame(&mut stream));
    }
    let (wall, spent) = (start.elapsed().as_nanos() as f64, address.clock.nanoseconds() - before);
    let (mut inflater, mut plain, mut bytes) = (Inflater::new(true), Vec::new(), 0);
    for ((rsv, payload), message) in answers.iter().zip(messages) {
        bytes += payload.len();
        if *rsv == Rsv::RSV1 {
            inflater.inflate(payload, &mut plain);
            assert!(&plain == message, "an echo that differs");
        } else {
            assert!(payload == message, "an echo that differs");
        }
    }
    [wall, spent, bytes as f64].map(|figure| figure / messages.len() as f64)
}

fn read_frame(stream: &mut impl Read) -> (Rsv, Vec<u8>) {
    let mut head = [0; 10];
    stream.read_exact(&mut head[..2]).expect("an answer");
    let len = match head[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    stream.read_exact(&mut head[2..len]).expect("an answer");
    let (header, _) = FrameHeader::parse(&head[..len]).expect("valid").expect("whole");
    assert!(header.fin && header.opcode == Opcode::Binary, "no message: {header:?}");
    let mut payload = vec![0; header.payload_len as usize];
    stream.read_exact(&mut payload).expect("an answer");
    (header.rsv, payload)
}
