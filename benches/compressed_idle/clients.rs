//! The second process: opens the connections and has a message echoed on all of them at a time.
//!
//! All clients send the same, so it is compressed once; answers are inflated on some connections
//! (all of them under `--test`) and looked at on the others.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use hybi_benches::{
    bare::{Deflater, Inflater},
    by_hand,
    records::Records,
    second_process::obey,
};
use hybi_frame::{FrameHeader, MaskingKey, Opcode, Rsv, encode_frame};

const MESSAGES: usize = 10;
const LEN: usize = 1024;

pub(crate) fn run(address: &str, inflate_all: bool) {
    let (mut clients, mut opened) = (Vec::new(), 0);
    obey(|command| match command.strip_prefix("open ") {
        Some(connections) => {
            opened = connections.parse().expect("a number");
            let inflates = |at| inflate_all || at % 50 == 0;
            clients.extend((0..opened).map(|at| Client::open(address, inflates(at))));
            String::new()
        }
        None => exchange(&mut clients),
    });
}

/// Has all messages echoed on all connections; says what the answers took on the wire.
fn exchange(clients: &mut [Client]) -> String {
    let (mut records, mut plain_len, mut fresh_len) = (Records::new(1), 0, 0);
    let (mut kept, mut fresh) = (Deflater::new(6, true), Deflater::new(6, false));
    let (mut payload, mut frame) = (Vec::new(), Vec::new());
    for _ in 0..MESSAGES {
        let message = records.message(LEN);
        fresh.deflate(message.as_bytes(), &mut payload);
        (plain_len, fresh_len) = (plain_len + message.len(), fresh_len + payload.len());
        kept.deflate(message.as_bytes(), &mut payload);
        frame.clear();
        let key = Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
        encode_frame(&mut frame, true, Rsv::RSV1, Opcode::Text, &payload, key);
        for client in &mut *clients {
            client.stream.write_all(&frame).expect("the server");
        }
        for client in &mut *clients {
            client.receive(&message);
        }
    }
    let longest = clients.iter().map(|client| client.received).max().unwrap_or(0);
    // With takeover a message refers to those before it.
    assert!(longest < fresh_len * 9 / 10, "answers as long as without takeover");
    format!("answers of {plain_len} B took {longest} B")
}

struct Client {
    stream: TcpStream,
    inflater: Option<Inflater>,
    /// Bytes of payload, as compressed.
    received: usize,
}

impl Client {
    fn open(address: &str, inflates: bool) -> Self {
        let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        let (stream, head) = by_hand::open(address, offer);
        let answered = head.lines().any(|line| line.eq_ignore_ascii_case(offer.trim_end()));
        assert!(answered, "other extensions than takeover with the largest windows: {head}");
        Self { stream, inflater: inflates.then(|| Inflater::new(true)), received: 0 }
    }

    /// Reads the echo of `message`.
    fn receive(&mut self, message: &str) {
        let payload = loop {
            let (header, payload) = self.read_frame();
            if header.opcode != Opcode::Ping {
                assert!(header.fin && header.opcode == Opcode::Text, "no message: {header:?}");
                assert!(header.rsv == Rsv::RSV1, "an answer that is not compressed");
                break payload;
            }
        };
        self.received += payload.len();
        if let Some(inflater) = &mut self.inflater {
            let mut plain = Vec::new();
            inflater.inflate(&payload, &mut plain);
            assert!(plain == message.as_bytes(), "an echo that differs");
        }
    }

    fn read_frame(&mut self) -> (FrameHeader, Vec<u8>) {
        let mut head = Vec::new();
        loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("an answer");
            head.extend(byte);
            if let Some((header, _)) = FrameHeader::parse(&head).expect("valid") {
                let mut payload = vec![0; header.payload_len as usize];
                self.stream.read_exact(&mut payload).expect("an answer");
                return (header, payload);
            }
        }
    }
}
