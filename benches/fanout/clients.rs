//! The second process: connections that read when they are told to, and some that never do.

use std::{
    io::{BufReader, Read},
    net::TcpStream,
};

use hybi_benches::{bare::Inflater, by_hand, records::Records, second_process::obey};
use hybi_frame::{FrameHeader, Opcode, Rsv};

/// A prime that divides no number of clients.
const STRIDE: usize = 7919;

struct Client {
    stream: BufReader<TcpStream>,
    inflater: Option<Inflater>,
}

pub(crate) fn run(address: &str, look_at_all: bool) {
    let mut records = Records::new(1);
    let mut clients: Vec<Client> = Vec::new();
    let mut stuck = Vec::new();
    obey(|command| {
        let mut words = command.split(' ');
        let what = words.next();
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number");
        match what {
            Some("open") => {
                clients.extend((0..number()).map(|at| open(address, look_at_all || at % 50 == 0)));
                stuck.extend((0..number()).map(|_: usize| open(address, false)));
            }
            Some("listen") => {
                let (len, messages): (usize, usize) = (number(), number());
                for _ in 0..messages {
                    let message = records.message(len);
                    // In an order that no server writes in: one that waits for each write makes it cost more.
                    let count = clients.len();
                    (0..count).for_each(|at| clients[(at + 1) * STRIDE % count].receive(&message));
                }
            }
            _ => panic!("no command: {command}"),
        }
        String::new()
    });
    drop(stuck);
}

fn open(address: &str, inflates: bool) -> Client {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let (stream, _) = by_hand::open(address, offer);
    let stream = BufReader::with_capacity(4096, stream);
    Client { stream, inflater: inflates.then(|| Inflater::new(true)) }
}

impl Client {
    fn receive(&mut self, message: &str) {
        let mut head = Vec::new();
        let header = loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a message");
            head.extend(byte);
            if let Some((header, _)) = FrameHeader::parse(&head).expect("valid") {
                break header;
            }
        };
        assert!(header.fin && header.opcode == Opcode::Text, "no message: {header:?}");
        let mut payload = vec![0; header.payload_len as usize];
        self.stream.read_exact(&mut payload).expect("its payload");
        if header.rsv == Rsv::NONE {
            assert!(payload == message.as_bytes(), "another message");
        } else if let Some(inflater) = &mut self.inflater {
            let mut plain = Vec::new();
            inflater.inflate(&payload, &mut plain);
            assert!(plain == message.as_bytes(), "another message");
        }
    }
}
