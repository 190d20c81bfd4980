//! What was captured of a client with pywebsocket, said again by a client of ours to what the server said.

use std::time::Instant;

use hybi_mux::{
    ChannelKey, Config, ControlBlock, Endpoint, HandshakeEncoding, MuxMessage, Read, Revision,
};
use hybi_suite::vectors::{hex, records};

/// The physical request of the captured client; that of its channels differs by the fields that these leave out.
const FIELDS: &[u8] = b"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n";

/// The client's end, with what its application does.
struct Client {
    endpoint: Endpoint,
    first: ChannelKey,
    opened: Vec<ChannelKey>,
}

impl Client {
    fn open(&mut self) {
        let key = self.endpoint.open(None).expect("there are slots");
        let request = [b"GET /echo HTTP/1.1\r\n", FIELDS, b"\r\n"].concat();
        assert_eq!(self.endpoint.write(key, &request), Ok(request.len()));
        self.opened.push(key);
    }

    /// Writes a frame of RFC 6455 on channel 2 or 3.
    fn write(&mut self, id: usize, frame: &[u8]) {
        assert_eq!(self.endpoint.write(self.opened[id - 2], frame), Ok(frame.len()));
    }

    fn act(&mut self, what: &str) {
        match what {
            "AddChannelRequest ch2 identity" | "AddChannelRequest ch2" => self.open(),
            "AddChannelRequest ch3 delta + FlowControl ch3 4 in one message" => self.open(),
            "text \"test\" on ch2" => self.write(2, b"\x81\x04test"),
            "text \"hello\" on ch3 (server has quota 4: 1 for the message + 3)" => {
                self.write(3, b"\x81\x05hello");
            }
            "fragmented text on ch2: \"He\"" => self.write(2, b"\x01\x02He"),
            "  continuation \"llo\"" => self.write(2, b"\x80\x03llo"),
            "ping on ch2" => self.write(2, b"\x89\x01p"),
            "close 1000 on ch2" | "close on ch2" => self.write(2, b"\x88\x02\x03\xe8"),
            // Ours gives a reason whenever it drops a channel.
            "DropChannel ch3" => {
                let key = self.opened[1];
                self.endpoint.drop_channel(key, hybi_mux::DropCode::NORMAL, "");
            }
            quota => assert!(quota.starts_with("FlowControl"), "{quota}"),
        }
    }

    /// All that it says now, but for grants: a window is granted once, and again by halves.
    fn said(&mut self, revision: Revision) -> Vec<Said> {
        let mut said = Vec::new();
        loop {
            let mut message = Vec::new();
            if !self.endpoint.poll_message(Instant::now(), &mut message) {
                return said;
            }
            said.extend(in_message(&message, revision));
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Request(u32, HandshakeEncoding, Vec<u8>),
    Drop(u32),
    Message(Vec<u8>),
}

fn in_message(message: &[u8], revision: Revision) -> Vec<Said> {
    let MuxMessage::Control(blocks) = MuxMessage::parse(message, revision).expect("lawful") else {
        return vec![Said::Message(message.to_vec())];
    };
    let mut said = Vec::new();
    for block in blocks {
        match block.expect("lawful") {
            ControlBlock::FlowControl { .. } => {}
            ControlBlock::AddChannelRequest { channel, encoding, handshake } => {
                said.push(Said::Request(channel.get(), encoding, handshake.to_vec()));
            }
            ControlBlock::DropChannel { channel, .. } => said.push(Said::Drop(channel.get())),
            other => panic!("{other:?} of a client"),
        }
    }
    said
}

/// How many things were said as they were captured, and what was said otherwise.
fn replay(id: &str, config: Config, revision: Revision) -> (usize, Vec<Said>) {
    let records = records("mux-sessions");
    let record = records.iter().find(|record| record["id"] == id).expect("it is there");
    let (endpoint, first) = Endpoint::client(config.revision(revision), FIELDS);
    let mut client = Client { endpoint, first, opened: Vec::new() };
    let (mut same, mut differing) = (0, Vec::new());
    for step in record["steps"].as_array().expect("a list") {
        let Some(payload) = step["payload_hex"].as_str().map(hex) else { continue };
        let what = step["what"].as_str().unwrap_or_default();
        if what.contains("unknown encoding") {
            // From here on the captured client breaks rules.
            break;
        }
        if step["dir"] == "s2c" {
            client.endpoint.handle_message(&payload).expect("what a server may say");
            continue;
        }
        client.act(what);
        let (said, captured) = (client.said(revision), in_message(&payload, revision));
        assert_eq!(said.len(), captured.len(), "{what}");
        for (said, captured) in said.into_iter().zip(captured) {
            if said == captured {
                same += 1;
            } else {
                differing.push(said);
            }
        }
    }
    // What came on channel 2 is what the server said there: its response, echoes, a Pong, its Close frame.
    let (mut octets, mut read) = ([0; 1024], Vec::new());
    while let Read::Octets(len) = client.endpoint.read(client.opened[0], &mut octets) {
        read.extend_from_slice(&octets[..len]);
    }
    assert!(read.starts_with(b"HTTP/1.1 101 "), "{read:?}");
    let head = read.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
    let frames: &[u8] = match revision {
        Revision::Ietf07 => b"\x81\x04test\x81\x05Hello\x8a\x01p\x88\x02\x03\xe8",
        _ => b"\x81\x04test\x88\x02\x03\xe8",
    };
    assert_eq!(&read[head..], frames);
    assert_eq!(client.endpoint.read(client.first, &mut octets), Read::Wait);
    (same, differing)
}

#[test]
fn the_session_of_ietf_07() {
    // The captured client encodes one request in each way, and one of ours all of them in the same.
    let (same, differing) = replay("session-ietf-07", Config::default(), Revision::Ietf07);
    assert_eq!(same, 8);
    let whole = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Origin: http://localhost\r\n\r\n";
    assert_eq!(differing, [Said::Request(3, HandshakeEncoding::Identity, whole.to_vec())]);

    let config = Config::default().requests(HandshakeEncoding::Delta);
    let (same, differing) = replay("session-ietf-07", config, Revision::Ietf07);
    assert_eq!(same, 8);
    let delta = b"GET /echo HTTP/1.1\r\n\r\n";
    assert_eq!(differing, [Said::Request(2, HandshakeEncoding::Delta, delta.to_vec())]);
}

#[test]
fn the_session_of_ietf_03() {
    assert_eq!(replay("session-ietf-03", Config::default(), Revision::Ietf03), (3, vec![]));
}
