//! A peer that is written out: it says blocks and frames as they are, and hears what comes.

use std::collections::{HashMap, VecDeque};

use hybi_mux::{ChannelId, ControlBlock, DropReason, HandshakeEncoding, MuxMessage, Revision};
use hybi_testkit::{
    link::End,
    script::{self, Script},
    wire::{self, Side},
};

/// What a peer hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Request { id: u32, encoding: HandshakeEncoding, head: String },
    Response { id: u32, is_rejected: bool, head: String },
    Flow { id: u32, quota: u64 },
    Drop { id: u32, code: Option<u16>, reason: String },
    Slots { slots: u64, quota: u64, is_fallback: bool },
    Frame { id: u32, first: u8, payload: Vec<u8> },
    Close(Vec<u8>),
    Ended,
}

/// A frame of a channel, as it is heard.
pub(crate) fn frame(id: u32, first: u8, payload: &[u8]) -> Heard {
    Heard::Frame { id, first, payload: payload.to_vec() }
}

/// A peer on the physical connection.
pub(crate) struct Peer {
    pub(crate) script: Script<End>,
    pub(crate) revision: Revision,
    heard: VecDeque<Heard>,
    granted: HashMap<u32, u64>,
}

impl Peer {
    pub(crate) fn new(script: Script<End>, revision: Revision) -> Self {
        Self { script, revision, heard: VecDeque::new(), granted: HashMap::new() }
    }

    /// Asks a server for multiplexing, with this offer and these fields.
    pub(crate) async fn ask(end: End, offer: &str, fields: &str, revision: Revision) -> Self {
        let (script, head) = Self::ask_for_answer(end, offer, fields).await;
        let answer = answer_of(&head);
        assert!(answer.is_some_and(|answer| answer.starts_with("mux")), "{head}");
        Self::new(script, revision)
    }

    /// The same, and the answer, whatever it is.
    pub(crate) async fn ask_for_answer(
        end: End,
        offer: &str,
        fields: &str,
    ) -> (Script<End>, String) {
        let mut script = Script::new(end, Side::Client);
        let request = format!(
            "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Extensions: {offer}\r\n{fields}\r\n"
        );
        script.send(request).await;
        let head = script.read_head().await;
        (script, head)
    }

    /// Answers a client's request for multiplexing, with these extensions and more fields; the request as well.
    pub(crate) async fn answer(end: End, extensions: &str, fields: &str) -> (Self, String) {
        Self::answer_with(end, &format!("Sec-WebSocket-Extensions: {extensions}\r\n{fields}")).await
    }

    /// Answers a client's request with these fields; the request as well.
    pub(crate) async fn answer_with(end: End, fields: &str) -> (Self, String) {
        let mut script = Script::new(end, Side::Server);
        let request = script.read_head().await;
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        script.send(script::response(key.expect("a key"), fields)).await;
        (Self::new(script, Revision::Ietf07), request)
    }

    /// Sends a message as it is.
    pub(crate) async fn send(&mut self, message: &[u8]) {
        self.script.send_frame(wire::BINARY, message).await;
    }

    /// Sends control blocks in one message.
    pub(crate) async fn say(&mut self, blocks: &[ControlBlock<'_>]) {
        let mut message = vec![0];
        for block in blocks {
            block.encode(self.revision, &mut message).expect("the revision has it");
        }
        self.send(&message).await;
    }

    /// Sends a frame of a channel.
    pub(crate) async fn send_frame(&mut self, id: u32, first: u8, payload: &[u8]) {
        let mut message = Vec::new();
        channel(id).encode(&mut message);
        message.push(first);
        message.extend_from_slice(payload);
        self.send(&message).await;
    }

    /// What comes next.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                if let Heard::Flow { id, quota } = heard {
                    *self.granted.entry(id).or_default() += quota;
                }
                return heard;
            }
            let Some(frame) = self.script.next_frame().await else { return Heard::Ended };
            match frame.first {
                wire::BINARY => self.heard.extend(heard(&frame.payload, self.revision)),
                wire::CLOSE => return Heard::Close(frame.payload),
                wire::PING => self.script.send_frame(wire::PONG, &frame.payload).await,
                _ => {}
            }
        }
    }

    /// The next frame of a channel, or the end.
    pub(crate) async fn hear_frame(&mut self) -> Heard {
        loop {
            let heard = self.hear().await;
            if matches!(heard, Heard::Frame { .. } | Heard::Close(_) | Heard::Ended) {
                return heard;
            }
        }
    }

    /// What was granted on a channel, of all that was heard.
    pub(crate) fn granted(&self, id: u32) -> u64 {
        self.granted.get(&id).copied().unwrap_or_default()
    }

    /// What comes next that is no grant of quota.
    pub(crate) async fn hear_more_than_quota(&mut self) -> Heard {
        loop {
            match self.hear().await {
                Heard::Flow { .. } => {}
                heard => return heard,
            }
        }
    }
}

pub(crate) fn channel(id: u32) -> ChannelId {
    ChannelId::new(id).expect("it fits")
}

/// The extensions that a head agrees to.
pub(crate) fn answer_of(head: &str) -> Option<&str> {
    head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "))
}

/// What a message says.
pub(crate) fn heard(message: &[u8], revision: Revision) -> Vec<Heard> {
    match MuxMessage::parse(message, revision).expect("a lawful message") {
        MuxMessage::Frame(frame) => {
            let at = frame.channel.len();
            let payload = frame.payload.to_vec();
            vec![Heard::Frame { id: frame.channel.get(), first: message[at], payload }]
        }
        MuxMessage::Control(blocks) => {
            blocks.map(|block| of_block(block.expect("a lawful block"))).collect()
        }
    }
}

fn of_block(block: ControlBlock<'_>) -> Heard {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("a head is text");
    match block {
        ControlBlock::AddChannelRequest { channel, encoding, handshake } => {
            Heard::Request { id: channel.get(), encoding, head: text(handshake) }
        }
        ControlBlock::AddChannelResponse { channel, is_rejected, handshake, .. } => {
            Heard::Response { id: channel.get(), is_rejected, head: text(handshake) }
        }
        ControlBlock::FlowControl { channel, quota } => Heard::Flow { id: channel.get(), quota },
        ControlBlock::NewChannelSlot { slots, quota, is_fallback } => {
            Heard::Slots { slots, quota, is_fallback }
        }
        ControlBlock::DropChannel { channel, reason } => {
            let (code, reason) = match reason {
                DropReason::None => (None, ""),
                DropReason::Code(code, reason) => (Some(code.get()), reason),
                DropReason::MuxError(reason) => (Some(0), reason),
            };
            Heard::Drop { id: channel.get(), code, reason: reason.to_owned() }
        }
    }
}
