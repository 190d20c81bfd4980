//! Two endpoints, the messages between them, and the applications at both ends; each step is told to the reference too.

use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use hybi_frame::{FrameHeader, Opcode, Rsv};
use hybi_mux::{
    CannotOpen, ChannelId, ChannelKey, Config, DropCode, Endpoint, Event, LogicalFrame, Read,
    Revision,
};

use crate::reference::{CLIENT, Channel, How, Receiving, Reference, SERVER, Sending, Side, tokens};

const REQUEST: &[u8] = b"GET /model HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// What the application of one end has of a channel.
#[derive(Debug, Default)]
struct Application {
    key: Option<ChannelKey>,
    /// What the endpoint has not taken of a frame.
    rest: Vec<u8>,
    in_message: bool,
    has_closed: bool,
    /// What was read, as far as it is no frame yet.
    octets: Vec<u8>,
    waits_to_read: bool,
    waits_to_write: bool,
}

/// What an application does; channels are counted round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Open { skip: u32 },
    Ask(usize),
    NextRequest,
    Accept(usize),
    Refuse(usize),
    Data { end: usize, at: usize, len: usize, fin: bool, rsv: bool },
    Ping { end: usize, at: usize, len: usize },
    Close { end: usize, at: usize, len: usize },
    Read { end: usize, at: usize, most: usize },
    IsFlushed { end: usize, at: usize },
    Drop { end: usize, at: usize },
    Release { end: usize, at: usize },
    Send { end: usize },
    Deliver { end: usize },
    StopSlots,
    Clock { millis: u64 },
    Pump,
    Fail { end: usize },
    End { end: usize },
}

/// Both ends.
pub(crate) struct Pair {
    ends: [Endpoint; 2],
    /// What each has sent, and the other was not given.
    wires: [VecDeque<Vec<u8>>; 2],
    now: Instant,
    reference: Reference,
    applications: Vec<[Application; 2]>,
    number: u8,
    next_id: u32,
    waits_for_slots: bool,
    waits_for_requests: bool,
}

impl Pair {
    pub(crate) fn new(revision: Revision, window: u64, queue: usize, channels: u32) -> Self {
        let config = Config::default()
            .revision(revision)
            .window(window)
            .queue_limit(queue)
            .max_channels(channels)
            .openings_per_second(10);
        let fields = b"Host: example.org\r\n";
        let (client, first) = Endpoint::client(config.clone(), fields);
        let (server, theirs) = Endpoint::server(config, fields, window);
        let applications = [first, theirs];
        let applications =
            applications.map(|key| Application { key: Some(key), ..Application::default() });
        Self {
            ends: [client, server],
            wires: [VecDeque::new(), VecDeque::new()],
            now: Instant::now(),
            reference: Reference::new(revision, window, channels.into()),
            applications: vec![applications],
            number: 0,
            next_id: 2,
            waits_for_slots: false,
            waits_for_requests: false,
        }
    }

    /// A channel of which this end has a key.
    fn held(&self, end: usize, at: usize) -> Option<(usize, ChannelKey)> {
        let at = at % self.applications.len();
        let is_held = self.reference.channels[at].sides[end].held;
        self.applications[at][end].key.filter(|_| is_held).map(|key| (at, key))
    }

    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Open { skip } => self.open(skip),
            Step::Ask(at) => self.ask(at),
            Step::NextRequest => self.next_request(),
            Step::Accept(at) => self.answer(at, true),
            Step::Refuse(at) => self.answer(at, false),
            Step::Data { end, at, len, fin, rsv } => {
                let Some((at, _)) = self.held(end, at) else { return };
                let in_message = self.applications[at][end].in_message;
                let opcode = if in_message { Opcode::Continuation } else { Opcode::Binary };
                let rsv = if rsv && !in_message { Rsv::RSV1 } else { Rsv::NONE };
                self.write(end, at, fin, rsv, opcode, len);
            }
            Step::Ping { end, at, len } => {
                self.write(end, at, true, Rsv::NONE, Opcode::Ping, len.min(125));
            }
            Step::Close { end, at, len } => {
                self.write(end, at, true, Rsv::NONE, Opcode::Close, len.min(125));
            }
            Step::Read { end, at, most } => self.read(end, at, most),
            Step::IsFlushed { end, at } => self.is_flushed(end, at),
            Step::Drop { end, at } => {
                let Some((at, key)) = self.held(end, at) else { return };
                self.ends[end].drop_channel(key, DropCode::BUSY, "busy");
                self.reference.dropped(at, end);
            }
            Step::Release { end, at } => self.release(end, at),
            Step::Send { end } => {
                self.send(end);
            }
            Step::Deliver { end } => {
                self.deliver(end);
            }
            Step::StopSlots => {
                self.ends[SERVER].stop_slots();
                self.reference.server_stopped = true;
            }
            Step::Clock { millis } => self.now += Duration::from_millis(millis),
            Step::Pump => self.pump(),
            Step::Fail { end } => {
                self.ends[end].fail(DropCode::INVALID_CONTROL_BLOCK, "no");
                self.reference.end_all(end, How::Failed);
            }
            Step::End { end } => {
                self.ends[end].end();
                self.reference.end_all(end, How::PhysicalEnded);
            }
        }
        self.look();
    }

    fn open(&mut self, skip: u32) {
        let id = ChannelId::new(self.next_id + skip).expect("a small one");
        let asked = if skip > 0 { Some(id) } else { None };
        let opened = self.ends[CLIENT].open(asked);
        let Reference { over, slots, reserved, client_stopped, .. } = &mut self.reference;
        match opened {
            Ok(key) => {
                assert!(over[CLIENT].is_none() && *slots > *reserved);
                assert_eq!(self.ends[CLIENT].id(key), id);
                *reserved += 1;
                self.next_id = id.get() + 1;
                let mut channel = Channel::new(id);
                channel.sides[CLIENT].sending = Sending::Head;
                channel.sides[CLIENT].receiving = Receiving::Open;
                channel.sides[CLIENT].held = true;
                self.reference.channels.push(channel);
                let application = Application { key: Some(key), ..Application::default() };
                self.applications.push([application, Application::default()]);
            }
            Err(CannotOpen::Over(ended)) => assert_eq!(Some(How::of(&ended)), over[CLIENT]),
            Err(CannotOpen::NoSlot) => {
                assert!(*slots == *reserved && !*client_stopped);
                self.waits_for_slots = true;
            }
            Err(CannotOpen::NoMoreSlots) => assert!(*slots == *reserved && *client_stopped),
            Err(error) => panic!("{error}"),
        }
    }

    fn ask(&mut self, at: usize) {
        let Some((at, key)) = self.held(CLIENT, at) else { return };
        if self.reference.channels[at].sides[CLIENT].sending != Sending::Head {
            return;
        }
        let (one, other) = REQUEST.split_at(REQUEST.len() / 2);
        assert_eq!(self.ends[CLIENT].write(key, one), Ok(one.len()));
        assert_eq!(self.ends[CLIENT].write(key, other), Ok(other.len()));
        self.reference.reserved -= 1;
        self.reference.slots -= 1;
        let window = self.reference.window;
        let side = &mut self.reference.channels[at].sides[CLIENT];
        side.sending = Sending::Asked;
        side.receiving = Receiving::Opening;
        side.known = true;
        side.send_left = window;
    }

    fn next_request(&mut self) {
        let next = self.ends[SERVER].next_request();
        let expected = self.reference.requests.pop_front();
        assert_eq!(next.is_some(), expected.is_some());
        match next.zip(expected) {
            Some(((key, request), at)) => {
                assert_eq!(request.uri().path(), "/model");
                assert_eq!(self.ends[SERVER].id(key), self.reference.channels[at].id);
                self.applications[at][SERVER].key = Some(key);
            }
            None => self.waits_for_requests = true,
        }
    }

    fn answer(&mut self, at: usize, accepts: bool) {
        let Some((at, key)) = self.held(SERVER, at) else { return };
        let side = &mut self.reference.channels[at].sides[SERVER];
        if side.sending != Sending::Head {
            return;
        }
        let head = if accepts { ACCEPTED } else { REFUSED };
        assert_eq!(self.ends[SERVER].write(key, head), Ok(head.len()));
        if accepts {
            side.sending = Sending::Open;
        } else {
            self.ends[SERVER].shut_down(key);
            side.end(How::Refused);
        }
    }

    /// Writes what is left of a frame, or a new one.
    fn write(&mut self, end: usize, at: usize, fin: bool, rsv: Rsv, opcode: Opcode, len: usize) {
        let Some((at, key)) = self.held(end, at) else { return };
        let side = &mut self.reference.channels[at].sides[end];
        let application = &mut self.applications[at][end];
        match side.sending {
            Sending::Ended(how) => {
                let refused = self.ends[end].write(key, b"\x82\0").expect_err("it ended");
                assert_eq!(How::of(&refused), how);
                return;
            }
            Sending::Open => {}
            _ => return,
        }
        if application.rest.is_empty() {
            if application.has_closed {
                return;
            }
            self.number = self.number.wrapping_add(1);
            let payload: Vec<_> = (0..len).map(|at| at as u8 ^ self.number).collect();
            let payload_len = len as u64;
            FrameHeader { fin, rsv, opcode, masking_key: None, payload_len }
                .encode(&mut application.rest);
            application.rest.extend_from_slice(&payload);
            let channel = ChannelId::FIRST;
            let frame = LogicalFrame { channel, fin, rsv, opcode, payload: &payload };
            tokens(&frame, &mut side.written);
            application.has_closed = opcode == Opcode::Close;
            if opcode.is_data() {
                application.in_message = !fin;
            }
        }
        let taken = self.ends[end].write(key, &application.rest).expect("it is open");
        application.rest.drain(..taken);
        application.waits_to_write |= taken == 0;
    }

    fn read(&mut self, end: usize, at: usize, most: usize) {
        let Some((at, key)) = self.held(end, at) else { return };
        let mut out = vec![0; most];
        let read = self.ends[end].read(key, &mut out);
        let application = &mut self.applications[at][end];
        let revision = self.reference.revision;
        let window = self.reference.window;
        let id = self.reference.channels[at].id;
        let [one, other] = &mut self.reference.channels[at].sides;
        let (side, peer) = if end == CLIENT { (one, other) } else { (other, one) };
        let is_all_read = |octets: &[u8], side: &Side| {
            octets.is_empty() && !side.head && side.read == side.visible
        };
        match read {
            Read::Octets(len) => {
                application.octets.extend_from_slice(&out[..len]);
                if side.head {
                    let text = &application.octets;
                    let Some(end) = text.windows(4).position(|it| it == b"\r\n\r\n") else {
                        return;
                    };
                    assert!(text.starts_with(b"HTTP/1.1 "));
                    application.octets.drain(..end + 4);
                    side.head = false;
                }
                while let Some((header, len)) =
                    FrameHeader::parse(&application.octets).expect("lawful")
                {
                    let end = len + header.payload_len as usize;
                    let Some(payload) = application.octets.get(len..end) else { break };
                    let FrameHeader { fin, rsv, opcode, .. } = header;
                    let frame = LogicalFrame { channel: id, fin, rsv, opcode, payload };
                    let mut said = Vec::new();
                    tokens(&frame, &mut said);
                    let sent = peer.written.get(side.read..side.read + said.len());
                    assert_eq!(sent, Some(&said[..]), "{id}: not what was sent");
                    side.read += said.len();
                    side.unread -= frame.cost(revision);
                    application.octets.drain(..end);
                }
                assert!(side.read <= side.visible);
            }
            Read::Wait => {
                assert!(side.may_come(), "{id}: {side:?}");
                assert!(is_all_read(&application.octets, side), "{id}: {side:?}");
                application.waits_to_read = true;
            }
            Read::End(ended) => {
                let expected = match side.receiving {
                    Receiving::Closed if !side.may_come() => How::InOrder,
                    Receiving::Ended(how) => how,
                    other => panic!("{id}: {ended} while {other:?}"),
                };
                assert_eq!(How::of(&ended), expected);
                assert!(is_all_read(&application.octets, side), "{id}: {side:?}");
            }
        }
        assert!(side.receive_left + side.unread <= window, "{id}: {side:?}");
    }

    fn is_flushed(&mut self, end: usize, at: usize) {
        let Some((at, key)) = self.held(end, at) else { return };
        let side = &mut self.reference.channels[at].sides[end];
        if side.sending == Sending::Head {
            return;
        }
        let is_flushed = self.ends[end].is_flushed(key);
        match (side.sending, is_flushed) {
            (Sending::Ended(How::InOrder | How::Refused), said) => assert_eq!(said, Ok(true)),
            (Sending::Ended(how), said) => {
                assert_eq!(How::of(&said.expect_err("it ended")), how);
            }
            (_, Ok(true)) if self.applications[at][end].rest.is_empty() => {
                side.flushed = side.written.len();
            }
            (_, Ok(true)) => {}
            (_, said) => {
                assert_eq!(said, Ok(false));
                self.applications[at][end].waits_to_write = true;
            }
        }
    }

    fn release(&mut self, end: usize, at: usize) {
        let Some((at, key)) = self.held(end, at) else { return };
        self.ends[end].release(key);
        self.reference.released(at, end);
        self.applications[at][end].key = None;
    }

    /// Puts a message on the wire; whether there was one.
    fn send(&mut self, end: usize) -> bool {
        let mut message = Vec::new();
        if !self.ends[end].poll_message(self.now, &mut message) {
            assert!(message.is_empty());
            self.is_at_rest(end);
            return false;
        }
        self.reference.sent(end, &message);
        self.wires[end].push_back(message);
        true
    }

    fn deliver(&mut self, end: usize) -> bool {
        let Some(message) = self.wires[1 - end].pop_front() else { return false };
        assert_eq!(self.ends[end].handle_message(&message), Ok(()));
        self.reference.arrived(end, &message);
        true
    }

    /// An end has nothing to send.
    fn is_at_rest(&self, end: usize) {
        assert!(!self.ends[end].has_output());
        let reference = &self.reference;
        let mut there = 0;
        for (channel, applications) in reference.channels.iter().zip(&self.applications) {
            let (id, side, application) = (channel.id, &channel.sides[end], &applications[end]);
            there += usize::from(side.is_there());
            assert!(!side.known || side.held, "{id}: nobody has it, and the peer is not told");
            if side.sending == Sending::Open {
                assert!(side.wired >= side.flushed, "{id}: what was flushed does not leave");
                if application.rest.is_empty() && side.wired < side.written.len() {
                    assert!(side.send_left < 2, "{id}: it has quota and waits: {side:?}");
                }
                if application.waits_to_write {
                    assert!(side.send_left < 2, "{id}: nobody tells the writer: {side:?}");
                }
            }
        }
        assert_eq!(self.ends[end].channels(), there);
        if end == SERVER && reference.over[SERVER].is_none() && !reference.server_stopped {
            match self.ends[SERVER].next_slots_at(self.now) {
                Some(at) => assert!(at > self.now, "slots could be granted, and are not"),
                None => assert_eq!(reference.granted + reference.live(), reference.max_channels),
            }
        }
    }

    /// What holds after each step: whoever waits for something is told of it.
    fn look(&mut self) {
        for end in 0..2 {
            while let Some(event) = self.ends[end].poll_event() {
                let all = self.applications.iter_mut().map(|both| &mut both[end]);
                match event {
                    Event::Readable(key) => {
                        all.filter(|it| it.key == Some(key)).for_each(|it| it.waits_to_read = false)
                    }
                    Event::Writable(key) => all
                        .filter(|it| it.key == Some(key))
                        .for_each(|it| it.waits_to_write = false),
                    Event::Slots => self.waits_for_slots = false,
                    Event::Requested => self.waits_for_requests = false,
                    other => panic!("{other:?}"),
                }
            }
            for (channel, applications) in self.reference.channels.iter().zip(&self.applications) {
                let (id, side, application) = (channel.id, &channel.sides[end], &applications[end]);
                if side.held && application.waits_to_read {
                    assert!(
                        side.may_come() && !side.head && side.read == side.visible,
                        "{id}: {side:?}"
                    );
                }
                if side.held && application.waits_to_write {
                    assert!(!matches!(side.sending, Sending::Ended(_)), "{id}: {side:?}");
                }
            }
            let how = self.ends[end].ended().map(How::of);
            assert_eq!(how, self.reference.over[end], "{:?}", self.ends[end].ended());
        }
        let Reference { slots, reserved, client_stopped, over, requests, .. } = &self.reference;
        if self.waits_for_slots {
            assert!(slots == reserved && !client_stopped && over[CLIENT].is_none());
        }
        assert!(!self.waits_for_requests || requests.is_empty());
        // What comes to no end is told at once.
        assert_eq!(self.ends[CLIENT].next_slots_at(self.now), None);
    }

    /// All that is on its way arrives, and what that makes.
    fn pump(&mut self) {
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for end in 0..2 {
                is_busy |= self.send(end);
                is_busy |= self.deliver(1 - end);
                self.look();
            }
        }
        self.reference.agree();
    }

    /// The applications read and write what there is, and let go: all of it arrives, and nothing is left.
    pub(crate) fn come_to_an_end(&mut self) {
        let everywhere = |pair: &Self| {
            let count = pair.applications.len();
            (0..count).flat_map(|at| [(CLIENT, at), (SERVER, at)]).collect::<Vec<_>>()
        };
        for _ in 0..1_000 {
            self.pump();
            while !self.reference.requests.is_empty() {
                self.next_request();
            }
            let before = self.progress();
            for (end, at) in everywhere(self) {
                self.answer(at, at % 3 > 0);
                if end == CLIENT {
                    self.ask(at);
                }
                if !self.applications[at][end].rest.is_empty() {
                    self.write(end, at, true, Rsv::NONE, Opcode::Ping, 0);
                }
                self.read(end, at, 700);
            }
            self.look();
            self.pump();
            if self.progress() == before && self.reference.requests.is_empty() {
                break;
            }
        }
        if self.reference.over == [None, None] {
            for channel in &self.reference.channels {
                let sides = &channel.sides;
                for (one, other) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
                    if other.held && other.receiving == Receiving::Open && one.known {
                        assert_eq!(one.wired, one.written.len(), "{}: stuck", channel.id);
                    }
                    if one.held && other.held && !one.cut_off && !other.cut_off {
                        assert_eq!(other.read, one.wired, "{}: lost", channel.id);
                    }
                }
            }
        }
        for (end, at) in everywhere(self) {
            self.release(end, at);
        }
        self.look();
        self.pump();
        assert_eq!(self.ends.each_ref().map(Endpoint::channels), [0, 0]);
        self.now += Duration::from_secs(1000);
        self.pump();
        let Reference { granted, max_channels, server_stopped, over, slots, .. } = &self.reference;
        if *over == [None, None] && !server_stopped {
            assert_eq!((granted, slots), (max_channels, max_channels));
        }
    }

    /// Changes with whatever happens.
    fn progress(&self) -> Vec<[usize; 5]> {
        let sides = self.reference.channels.iter().flat_map(|channel| &channel.sides);
        sides
            .zip(self.applications.iter().flatten())
            .map(|(side, application)| {
                let Application { rest, octets, .. } = application;
                [side.read, side.wired, usize::from(side.is_there()), rest.len(), octets.len()]
            })
            .collect()
    }
}
