//! Two ends without a connection between them but what a test moves, and messages that are written out.

#![allow(dead_code, reason = "each test uses some of it")]

use std::time::Instant;

use hybi_frame::{Opcode, Rsv};
use hybi_mux::{ChannelId, ChannelKey, Config, ControlBlock, Endpoint, LogicalFrame, Revision};

/// The fields of the physical request.
pub(crate) const FIELDS: &[u8] = b"Host: example.org\r\n\r\n";

pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

pub(crate) const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub(crate) fn channel(id: u32) -> ChannelId {
    ChannelId::new(id).expect("it fits")
}

/// A message of blocks.
pub(crate) fn blocks(revision: Revision, blocks: &[ControlBlock<'_>]) -> Vec<u8> {
    let mut message = vec![0];
    for block in blocks {
        block.encode(revision, &mut message).expect("the revision has it");
    }
    message
}

/// A message with a frame of a channel.
pub(crate) fn frame(id: u32, first: u8, payload: &[u8]) -> Vec<u8> {
    let opcode = Opcode::from_bits(first & 0x0f).expect("it is one");
    let (fin, rsv) = (first & 0x80 != 0, Rsv::from_bits(first));
    let mut message = Vec::new();
    LogicalFrame { channel: channel(id), fin, rsv, opcode, payload }.encode(&mut message);
    message
}

/// Two ends.
pub(crate) struct Pair {
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    /// The first channel, at each of them.
    pub(crate) first: (ChannelKey, ChannelKey),
    pub(crate) now: Instant,
}

impl Pair {
    /// After the first slots and quota.
    pub(crate) fn new(config: Config) -> Self {
        let (client, ours) = Endpoint::client(config.clone(), FIELDS);
        let (server, theirs) = Endpoint::server(config, FIELDS, 65_536);
        let mut pair = Self { client, server, first: (ours, theirs), now: Instant::now() };
        pair.move_messages();
        pair
    }

    /// All that the client has to say.
    pub(crate) fn client_says(&mut self) -> bool {
        let mut message = Vec::new();
        let mut moved = false;
        while self.client.poll_message(self.now, &mut message) {
            self.server.handle_message(&message).expect("lawful");
            message.clear();
            moved = true;
        }
        moved
    }

    /// All that both have to say.
    pub(crate) fn move_messages(&mut self) {
        let mut message = Vec::new();
        while self.client_says() | {
            let is_said = self.server.poll_message(self.now, &mut message);
            if is_said {
                self.client.handle_message(&message).expect("lawful");
                message.clear();
            }
            is_said
        } {}
    }

    /// Writes the request of a channel that was opened; the channel at the server.
    pub(crate) fn ask(&mut self, ours: ChannelKey) -> ChannelKey {
        assert_eq!(self.client.write(ours, REQUEST), Ok(REQUEST.len()));
        self.client_says();
        self.server.next_request().expect("one was made").0
    }

    /// The same, and it is accepted and its response read.
    pub(crate) fn ask_and_accept(&mut self, ours: ChannelKey) -> ChannelKey {
        let theirs = self.ask(ours);
        assert_eq!(self.server.write(theirs, RESPONSE), Ok(RESPONSE.len()));
        self.move_messages();
        self.client.read(ours, &mut [0; 500]);
        theirs
    }

    /// Opens a channel.
    pub(crate) fn open(&mut self, id: u32) -> (ChannelKey, ChannelKey) {
        let ours = self.client.open(Some(channel(id))).expect("there is a slot");
        (ours, self.ask_and_accept(ours))
    }
}
