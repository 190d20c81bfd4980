//! The second process: opens the connections, then sends and receives on all of them.
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

/// How many are exchanged at a time.
pub(crate) const MESSAGES: usize = 10;
const LEN: usize = 1024;

/// What clients and servers send.
pub(crate) fn messages() -> impl Iterator<Item = String> {
    let mut records = Records::new(1);
    core::iter::repeat_with(move || records.message(LEN))
}

pub(crate) fn run(address: &str, inflate_all: bool) {
    let mut clients = Vec::new();
    let (mut sent, mut received) = (Sent::new(), messages());
    obey(|command| match command.split_once(' ').unwrap_or((command, "")) {
        ("open", number) => {
            let inflates = |at| inflate_all || at % 50 == 0;
            let number: usize = number.parse().expect("a number");
            clients.extend((0..number).map(|at| Client::open(address, inflates(at))));
            String::new()
        }
        ("exchange", _) => exchange(&mut clients, &mut sent),
        ("turns", number) => {
            for _ in 0..number.parse().expect("a number") {
                let (message, frame) = sent.next();
                for client in &mut clients {
                    client.stream.write_all(&frame).expect("the server");
                    client.receive(&message);
                }
            }
            String::new()
        }
        ("listen", _) => {
            for message in received.by_ref().take(MESSAGES) {
                clients.iter_mut().for_each(|client| client.receive(&message));
            }
            wire(&clients)
        }
        _ => panic!("no command: {command}"),
    });
}

/// Has messages echoed on all connections at a time; says what the answers took on the wire.
fn exchange(clients: &mut [Client], sent: &mut Sent) -> String {
    let mut fresh = Deflater::new(6, false);
    let (mut fresh_len, mut payload) = (0, Vec::new());
    for _ in 0..MESSAGES {
        let (message, frame) = sent.next();
        fresh.deflate(message.as_bytes(), &mut payload);
        fresh_len += payload.len();
        for client in &mut *clients {
            client.stream.write_all(&frame).expect("the server");
        }
        for client in &mut *clients {
            client.receive(&message);
        }
    }
    // With takeover a message refers to those before it.
    let longest = clients.iter().map(|client| client.received).max().unwrap_or(0);
    assert!(longest < fresh_len * 9 / 10, "answers as long as without takeover");
    wire(clients)
}

/// What was received last on one connection.
fn wire(clients: &[Client]) -> String {
    let longest = clients.iter().map(|client| client.received).max().unwrap_or(0);
    format!("{} B took {longest} B", MESSAGES * LEN)
}

/// The messages that the clients send, compressed.
struct Sent {
    messages: Box<dyn Iterator<Item = String>>,
    deflater: Deflater,
}

impl Sent {
    fn new() -> Self {
        Self { messages: Box::new(messages()), deflater: Deflater::new(6, true) }
    }

    /// The next of them, and its frame.
    fn next(&mut self) -> (String, Vec<u8>) {
        let message = self.messages.next().expect("no end");
        let (mut payload, mut frame) = (Vec::new(), Vec::new());
        self.deflater.deflate(message.as_bytes(), &mut payload);
        let key = Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
        encode_frame(&mut frame, true, Rsv::RSV1, Opcode::Text, &payload, key);
        (message, frame)
    }
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
