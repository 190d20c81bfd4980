//! Two ends of a multiplexed connection that do what the bytes say, and messages between them that may be others than
//! were sent. As long as nobody tampers with those, neither end accuses the other, and all that was written is read.

use core::time::Duration;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use hybi_mux::{
    CannotOpen, ChannelId, ChannelKey, Config, DropCode, Endpoint, HandshakeEncoding, MuxMessage,
    Read, Revision,
};

use super::input::Input;

const FIELDS: &[u8] = b"Host: a\r\nX-A: 1\r\n\r\n";

const REQUESTS: [&[u8]; 2] = [
    b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"GET /b HTTP/1.1\r\nHost: b\r\nX-B: 2\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
];

const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

const REFUSED: &[u8] = b"HTTP/1.1 404 Not Found\r\n\r\nnone";

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let revision = *input.choose(&[Revision::Ietf07, Revision::Ietf05, Revision::Ietf03]);
    let window = *input.choose(&[256_u64, 300, 1000]);
    let encoding = *input.choose(&[HandshakeEncoding::Identity, HandshakeEncoding::Delta]);
    let config = Config::default()
        .revision(revision)
        .window(window)
        .requests(encoding)
        .queue_limit(*input.choose(&[64, 100, 1000]))
        .max_channels(u32::from(input.byte() % 4));
    let mut world = World::new(config, revision, window);
    while !input.is_empty() {
        world.act(&mut input);
    }
    world.settle();
    world.end();
}

/// What a channel's connection wrote, or read: its opcode and payload, whole.
type Said = (u8, Vec<u8>);

/// A channel at one end.
struct Side {
    id: ChannelId,
    /// Frames that were begun and not taken.
    unwritten: VecDeque<u8>,
    /// All that is written in the end.
    written: Vec<Said>,
    /// Whether a Close frame was written: nothing follows.
    is_closed: bool,
    heard: Hearing,
    /// Whether it was dropped at this end, or answered in another way than with frames.
    is_given_up: bool,
    may_write: bool,
}

struct End {
    endpoint: Endpoint,
    sides: BTreeMap<ChannelKey, Side>,
    in_flight: VecDeque<Vec<u8>>,
}

struct World {
    client: End,
    server: End,
    revision: Revision,
    window: u64,
    now: Instant,
    is_tampered: bool,
}

impl End {
    fn new((endpoint, first): (Endpoint, ChannelKey)) -> Self {
        let mut end = Self { endpoint, sides: BTreeMap::new(), in_flight: VecDeque::new() };
        end.add(first, false, true);
        end
    }

    fn add(&mut self, key: ChannelKey, has_head: bool, may_write: bool) {
        let id = self.endpoint.id(key);
        let heard = Hearing { has_head, ..Hearing::default() };
        let side = Side {
            id,
            unwritten: VecDeque::new(),
            written: Vec::new(),
            is_closed: false,
            heard,
            is_given_up: false,
            may_write,
        };
        assert!(self.sides.insert(key, side).is_none(), "a key of two channels");
    }

    fn pick(&self, input: &mut Input<'_>) -> Option<ChannelKey> {
        let nth = usize::from(input.byte());
        self.sides.keys().copied().nth(nth.checked_rem(self.sides.len())?)
    }

    /// Begins what a connection may send.
    fn say(&mut self, key: ChannelKey, input: &mut Input<'_>) {
        let Some(side) = self.sides.get_mut(&key) else { return };
        if side.is_closed || !side.may_write || side.unwritten.len() > 2000 {
            return;
        }
        let kind = input.byte();
        let len = usize::from(input.byte());
        let payload: Vec<u8> = (0..len).map(|at| at as u8 ^ kind).collect();
        let opcode = [1, 2, 9, 10, 8, 1, 2, 1][usize::from(kind % 8)];
        let payload = match opcode {
            8 => vec![3, 0xe8],
            9 | 10 => payload[..len.min(125)].to_vec(),
            _ => payload,
        };
        let mut frame = |first: u8, payload: &[u8]| {
            side.unwritten.push_back(first);
            match payload.len() {
                0..126 => side.unwritten.push_back(payload.len() as u8),
                len => {
                    side.unwritten.push_back(126);
                    side.unwritten.extend((len as u16).to_be_bytes());
                }
            }
            side.unwritten.extend(payload);
        };
        // In two fragments, with a Ping in between.
        if kind >= 128 && opcode < 8 {
            let (front, back) = payload.split_at(payload.len() / 2);
            frame(opcode, front);
            if kind >= 192 {
                frame(0x89, b"p");
                side.written.push((9, b"p".to_vec()));
            }
            frame(0x80, back);
        } else {
            frame(0x80 | opcode, &payload);
        }
        side.is_closed = opcode == 8;
        side.written.push((opcode, payload));
    }

    /// Writes some of what was begun; false if it has to wait.
    fn write(&mut self, key: ChannelKey, most: usize) -> bool {
        let Some(side) = self.sides.get_mut(&key) else { return false };
        let octets: Vec<u8> = side.unwritten.iter().take(most).copied().collect();
        if octets.is_empty() {
            return false;
        }
        match self.endpoint.write(key, &octets) {
            Ok(taken) => {
                assert!(taken <= octets.len());
                side.unwritten.drain(..taken);
                taken > 0
            }
            Err(_) => {
                side.unwritten.clear();
                side.is_given_up = true;
                false
            }
        }
    }

    /// Reads; false if there is nothing.
    fn read(&mut self, key: ChannelKey, most: usize) -> bool {
        let mut octets = vec![0; most];
        let Some(side) = self.sides.get_mut(&key) else { return false };
        match self.endpoint.read(key, &mut octets) {
            Read::Octets(len) => {
                assert!(len > 0 && len <= most);
                side.heard.hear(&octets[..len]);
                true
            }
            Read::Wait | Read::End(_) => false,
        }
    }

    fn send(&mut self, revision: Revision, now: Instant) -> bool {
        let mut message = Vec::new();
        let is_said = self.endpoint.poll_message(now, &mut message);
        if !is_said {
            assert!(!self.endpoint.has_output(), "it has something and does not say it");
            return false;
        }
        if let MuxMessage::Control(blocks) =
            MuxMessage::parse(&message, revision).expect("a lawful message")
        {
            let blocks: Vec<_> = blocks.map(|block| block.expect("a lawful block")).collect();
            assert!(!blocks.is_empty(), "a message that says nothing");
        }
        self.in_flight.push_back(message);
        true
    }

    fn hear_events(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            if let hybi_mux::Event::Readable(key) | hybi_mux::Event::Writable(key) = event {
                let _ = self.endpoint.id(key);
            }
        }
    }
}

impl World {
    fn new(config: Config, revision: Revision, window: u64) -> Self {
        Self {
            client: End::new(Endpoint::client(config.clone(), FIELDS)),
            server: End::new(Endpoint::server(config, FIELDS, window)),
            revision,
            window,
            now: Instant::now(),
            is_tampered: false,
        }
    }

    fn end_of(&mut self, is_client: bool) -> &mut End {
        if is_client { &mut self.client } else { &mut self.server }
    }

    fn act(&mut self, input: &mut Input<'_>) {
        let what = input.byte();
        let is_client = what & 0x80 != 0;
        let (now, revision) = (self.now, self.revision);
        let end = self.end_of(is_client);
        match what & 0x1f {
            0..4 => {
                if let Some(key) = end.pick(input) {
                    end.say(key, input);
                    end.write(key, usize::MAX);
                }
            }
            4 => {
                let most = usize::from(input.byte());
                if let Some(key) = end.pick(input) {
                    end.write(key, most);
                }
            }
            5..9 => {
                let most = usize::from(input.byte()) * 4 + 1;
                if let Some(key) = end.pick(input) {
                    end.read(key, most);
                }
            }
            9..13 => {
                end.send(revision, now);
            }
            13..17 => self.deliver(!is_client, None),
            17 => {
                let at = usize::from(input.byte());
                let byte = input.byte();
                self.deliver(!is_client, Some((at, byte)));
            }
            18 | 19 => self.open(input),
            20 | 21 => self.answer(input),
            22 => {
                if let Some(key) = end.pick(input) {
                    end.endpoint.release(key);
                    end.sides.remove(&key);
                }
            }
            23 => {
                if let Some(key) = end.pick(input) {
                    let code = DropCode::new(3000 + u16::from(input.byte()));
                    let reason = if revision == Revision::Ietf03 { "" } else { "why" };
                    end.endpoint.drop_channel(key, code, reason);
                    end.sides.get_mut(&key).expect("it is there").is_given_up = true;
                }
            }
            24 => self.now += Duration::from_millis(u64::from(input.byte())),
            25 => end.hear_events(),
            26 => {
                if let Some(key) = end.pick(input) {
                    let _ = end.endpoint.is_flushed(key);
                }
            }
            27 => {
                let len = usize::from(input.byte());
                let message = input.bytes(len).to_vec();
                let end = self.end_of(is_client);
                let _ = end.endpoint.handle_message(&message);
                self.is_tampered = true;
            }
            28 if input.byte() == 0 => end.endpoint.stop_slots(),
            29 if input.byte() == 0 => {
                end.endpoint.fail(DropCode::PHYSICAL_CONNECTION_FAILED, "why");
            }
            30 if input.byte() == 0 => end.endpoint.end(),
            _ => {
                if let Some(key) = end.pick(input) {
                    end.endpoint.shut_down(key);
                }
            }
        }
        self.client.assert_counted();
        self.server.assert_counted();
    }

    /// Delivers the next message to this end, perhaps with another octet in it.
    fn deliver(&mut self, to_client: bool, other: Option<(usize, u8)>) {
        let Some(mut message) = self.end_of(!to_client).in_flight.pop_front() else { return };
        if let Some((at, byte)) = other {
            let len = message.len();
            message[at % len] = byte;
            self.is_tampered = true;
        }
        let is_tampered = self.is_tampered;
        let outcome = self.end_of(to_client).endpoint.handle_message(&message);
        assert!(is_tampered || outcome.is_ok(), "{outcome:?} of {message:02x?}");
    }

    fn open(&mut self, input: &mut Input<'_>) {
        let request = *input.choose(&REQUESTS);
        let end = &mut self.client;
        match end.endpoint.open(None) {
            Ok(key) => {
                end.add(key, true, false);
                // Perhaps in two pieces, and perhaps never whole.
                let cut = usize::from(input.byte()) * 2;
                let (front, back) = request.split_at(cut.min(request.len()));
                assert_eq!(end.endpoint.write(key, front), Ok(front.len()));
                if input.byte() != 0 {
                    assert_eq!(end.endpoint.write(key, back), Ok(back.len()));
                    end.sides.get_mut(&key).expect("it was added").may_write = true;
                }
            }
            Err(CannotOpen::Over(_) | CannotOpen::NoSlot | CannotOpen::NoMoreSlots) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn answer(&mut self, input: &mut Input<'_>) {
        let end = &mut self.server;
        let Some((key, request)) = end.endpoint.next_request() else { return };
        // Before ietf-05 a request has all of its fields itself.
        let is_whole = self.revision != Revision::Ietf03 || !self.is_tampered;
        assert!(!is_whole || request.headers().contains_key("sec-websocket-key"));
        let is_accepted = !input.byte().is_multiple_of(4);
        end.add(key, false, is_accepted);
        let side = end.sides.get_mut(&key).expect("it was added");
        if is_accepted {
            side.is_given_up = end.endpoint.write(key, ACCEPTED).is_err();
        } else {
            side.is_given_up = true;
            let _ = end.endpoint.write(key, REFUSED);
            end.endpoint.shut_down(key);
        }
    }

    /// Reads everything, writes everything and delivers everything, until nothing happens any more: then all that was
    /// written has been read, if nobody gave up.
    fn settle(&mut self) {
        self.assert_kept();
        for _ in 0..100_000 {
            let mut moved = false;
            for is_client in [true, false] {
                let (now, revision) = (self.now, self.revision);
                let end = self.end_of(is_client);
                moved |= end.send(revision, now);
                for key in end.sides.keys().copied().collect::<Vec<_>>() {
                    moved |= end.read(key, 5000);
                    moved |= end.write(key, usize::MAX);
                }
                moved |= !end.in_flight.is_empty();
                self.deliver(!is_client, None);
            }
            while let Some((key, _request)) = self.server.endpoint.next_request() {
                self.server.add(key, false, false);
                moved = true;
            }
            if !moved {
                return self.assert_heard();
            }
        }
        panic!("it never comes to rest");
    }

    /// What a channel holds of what came, nobody having read it, is four windows, and a handshake, at most.
    fn assert_kept(&mut self) {
        let most = self.window as usize * 4 + 64 + 400;
        for end in [&mut self.client, &mut self.server] {
            for key in end.sides.keys().copied().collect::<Vec<_>>() {
                let before = end.sides[&key].heard.octets;
                while end.read(key, 1000) {}
                let kept = end.sides[&key].heard.octets - before;
                assert!(self.is_tampered || kept <= most, "{kept} octets");
            }
        }
    }

    fn assert_heard(&self) {
        for end in [&self.client, &self.server] {
            // Whatever became of the channels, those that were let go are gone.
            assert_eq!(end.endpoint.channels(), end.sides.len());
        }
        if self.is_tampered
            || self.client.endpoint.ended().is_some()
            || self.server.endpoint.ended().is_some()
        {
            return;
        }
        for ours in self.client.sides.values() {
            let Some(theirs) = self.server.sides.values().find(|side| side.id == ours.id) else {
                continue;
            };
            if ours.is_given_up || theirs.is_given_up || !ours.may_write {
                continue;
            }
            for (writer, reader) in [(ours, theirs), (theirs, ours)] {
                assert!(
                    writer.unwritten.is_empty(),
                    "{} octets wait for ever",
                    writer.unwritten.len()
                );
                assert_eq!(writer.written, reader.heard.said, "channel {}", writer.id);
            }
        }
    }

    /// After the end everything ends.
    fn end(mut self) {
        for end in [&mut self.client, &mut self.server] {
            end.endpoint.end();
            assert!(end.endpoint.ended().is_some());
            while let Some((key, _request)) = end.endpoint.next_request() {
                end.add(key, false, false);
            }
            while end.send(self.revision, self.now) {}
            for key in end.sides.keys().copied().collect::<Vec<_>>() {
                while end.read(key, 5000) {}
                assert!(matches!(end.endpoint.read(key, &mut [0]), Read::End(_)));
                assert!(end.endpoint.write(key, b"x").is_err());
                let _ = end.endpoint.is_flushed(key);
                end.endpoint.shut_down(key);
                end.endpoint.drop_channel(key, DropCode::BUSY, "");
                end.endpoint.release(key);
            }
            assert_eq!(end.endpoint.channels(), 0);
            assert!(!end.endpoint.has_output());
            assert_eq!(end.endpoint.next_slots_at(self.now), None);
            let _ = end.endpoint.handle_message(b"\x01\x81x");
            end.hear_events();
        }
    }
}

impl End {
    /// There are no more channels than the application has, is about to have, or let go while they have something to send.
    fn assert_counted(&self) {
        assert!(self.endpoint.channels() >= self.sides.len());
    }
}

/// Reads a channel as RFC 6455 has it: a head where one is to come, and frames.
#[derive(Default)]
struct Hearing {
    has_head: bool,
    input: Vec<u8>,
    octets: usize,
    /// The message whose fragments are coming.
    message: Option<Said>,
    said: Vec<Said>,
    /// A frame came that no connection takes: nothing may follow.
    is_over: bool,
}

impl Hearing {
    fn hear(&mut self, octets: &[u8]) {
        self.octets += octets.len();
        self.input.extend_from_slice(octets);
        if self.has_head {
            let head = self.input.windows(4).position(|window| window == b"\r\n\r\n");
            let Some(at) = head else { return };
            // Behind a refusal there are no frames.
            if !self.input.starts_with(b"HTTP/1.1 101 ") {
                return;
            }
            self.input.drain(..at + 4);
            self.has_head = false;
        }
        while let Some((first, header, len)) = self.header() {
            let is_control = first & 0x08 != 0;
            let is_taken = matches!(first & 0x0f, 0..3 | 8..11) && !(is_control && len > 125);
            if !is_taken {
                assert!(!self.is_over, "something behind what fails the connection");
                self.is_over = true;
                // Of a control frame that is too long there is the header alone.
                assert_eq!(self.input.len(), header, "more than its header");
                return;
            }
            if self.input.len() < header + len {
                return;
            }
            assert!(!self.is_over, "something behind what fails the connection");
            let payload = self.input[header..header + len].to_vec();
            self.input.drain(..header + len);
            self.take(first, payload);
        }
    }

    /// The first octet of the frame at the front, how long its header is, and how long its payload.
    fn header(&self) -> Option<(u8, usize, usize)> {
        let (&first, &short) = (self.input.first()?, self.input.get(1)?);
        assert!(short < 128, "a frame with a mask");
        Some(match short {
            126 => (
                first,
                4,
                usize::from(u16::from_be_bytes([*self.input.get(2)?, *self.input.get(3)?])),
            ),
            127 => panic!("more than a window"),
            len => (first, 2, usize::from(len)),
        })
    }

    fn take(&mut self, first: u8, payload: Vec<u8>) {
        let (is_last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if opcode >= 8 {
            assert!(is_last, "a control frame in fragments");
            return self.said.push((opcode, payload));
        }
        match (&mut self.message, opcode) {
            (Some((_, gathered)), 0) => gathered.extend(payload),
            (message @ None, 1 | 2) => *message = Some((opcode, payload)),
            (message, _) => panic!("{first:#04x} after {message:?}"),
        }
        if is_last {
            self.said.extend(self.message.take());
        }
    }
}
