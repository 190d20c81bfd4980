//! The world of these tests: a client and a server, the two directions of the link between them
//! with their faults, and the clock, which is a field.

use core::time::Duration;
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::Arc,
    time::Instant,
};

use hybi::{
    CloseCode, CloseFrame, CloseStatus, Config, Connection, Error, Message, Negotiated, Role,
    State, Version,
};

/// Two endpoints and what lies between them.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    /// From the client to the server.
    pub(crate) up: Wire,
    /// From the server to the client.
    pub(crate) down: Wire,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    /// Both endpoints with the same choices.
    pub(crate) fn with(config: Config) -> Self {
        Self::between(
            connection(Role::Client, Version::RFC6455, config.clone()),
            connection(Role::Server, Version::RFC6455, config),
        )
    }

    pub(crate) fn between(client: Connection, server: Connection) -> Self {
        Self {
            now: Instant::now(),
            client: Endpoint::new(client),
            server: Endpoint::new(server),
            up: Wire::new(),
            down: Wire::new(),
        }
    }

    /// The same conversation seen by `role` and its peer: (own endpoint, other endpoint).
    pub(crate) fn seen_by(&mut self, role: Role) -> (&mut Endpoint, &mut Endpoint) {
        match role {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        }
    }

    /// The direction in which `role` sends.
    pub(crate) fn wire_from(&mut self, role: Role) -> &mut Wire {
        match role {
            Role::Client => &mut self.up,
            Role::Server => &mut self.down,
        }
    }

    /// Does everything that can be done at the present time.
    pub(crate) fn drive(&mut self) {
        let now = self.now;
        let mut rounds = 0..1_000_000;
        while self.client.timeout(now)
            | self.server.timeout(now)
            | self.client.transmit(now, &mut self.up)
            | self.server.transmit(now, &mut self.down)
            | self.client.receive(now, &mut self.down)
            | self.server.receive(now, &mut self.up)
        {
            let Self { client, server, .. } = &*self;
            assert!(rounds.next().is_some(), "they go on for ever: {client:?} {server:?}");
        }
    }

    /// Lets time pass, stopping wherever something is due.
    pub(crate) fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.drive();
            let next = [
                self.client.deadline(self.now),
                self.server.deadline(self.now),
                self.up.arrival(),
                self.down.arrival(),
            ];
            match next.into_iter().flatten().min() {
                Some(next) if next < end => {
                    assert!(next > self.now, "what was due is due still");
                    self.now = next;
                }
                _ => break,
            }
        }
        self.now = end;
        self.drive();
    }

    /// Lets time pass until both endpoints are closed.
    pub(crate) fn run_to_the_end(&mut self) {
        for _ in 0..1_000 {
            self.drive();
            if self.client.state() == State::Closed && self.server.state() == State::Closed {
                return;
            }
            self.advance(Duration::from_secs(1));
        }
        panic!("the connection never ended: {:?} {:?}", self.client, self.server);
    }
}

/// A connection, and what it told its application.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) connection: Connection,
    pub(crate) events: Vec<Message>,
    ended: bool,
}

impl Endpoint {
    fn new(connection: Connection) -> Self {
        Self { connection, events: Vec::new(), ended: false }
    }

    pub(crate) fn queue(&mut self, message: impl Into<Message>) {
        self.connection.queue(message.into()).expect("an open connection");
    }

    pub(crate) fn close(&mut self, code: u16, reason: &str) {
        self.queue(Message::Close(Some(close_frame(code, reason))));
    }

    pub(crate) fn state(&self) -> State {
        self.connection.state()
    }

    pub(crate) fn status(&self) -> CloseStatus {
        self.connection.close_status().expect("the end has begun")
    }

    /// The error in words, which tell variants and rules apart.
    pub(crate) fn error(&self) -> Option<String> {
        self.connection.error().map(Error::to_string)
    }

    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        self.connection.poll_timeout(|| now)
    }

    /// Takes in bytes in one chunk, to the last.
    pub(crate) fn input(&mut self, bytes: &[u8]) {
        let mut chunk = bytes.to_vec();
        let mut at = 0;
        while at < chunk.len() {
            let (consumed, event) = self.connection.handle_input(&mut chunk[at..]);
            assert!(consumed > 0, "bytes are left and none is consumed");
            self.events.extend(event.map(Message::from));
            at += consumed;
        }
    }

    fn timeout(&mut self, now: Instant) -> bool {
        let due = self.deadline(now).is_some_and(|deadline| deadline <= now);
        if due {
            self.connection.handle_timeout(now);
        }
        due
    }

    fn transmit(&mut self, now: Instant, wire: &mut Wire) -> bool {
        let mut progress = false;
        loop {
            let mut slices = [IoSlice::new(&[]); 3];
            let count = self.connection.poll_transmit(&mut slices);
            if count == 0 {
                break;
            }
            match wire.take(now, &slices[..count]) {
                0 => {
                    self.connection.transmit_blocked();
                    break;
                }
                taken => self.connection.transmitted(taken),
            }
            progress = true;
        }
        let shuts_down = self.connection.wants_shutdown();
        if shuts_down {
            self.connection.shutdown_done();
        }
        if !self.ended && (shuts_down || self.state() == State::Closed) {
            self.ended = true;
            wire.end(now);
            progress = true;
        }
        progress
    }

    fn receive(&mut self, now: Instant, wire: &mut Wire) -> bool {
        let mut progress = false;
        while let Some(parcel) = wire.deliver(now) {
            progress = true;
            match parcel {
                Parcel::Bytes(bytes) => {
                    for chunk in bytes.chunks(wire.chunk) {
                        self.input(chunk);
                    }
                }
                Parcel::End => self.connection.handle_eof(),
                Parcel::Reset => {
                    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                    self.connection.handle_transport_error(reset);
                }
            }
        }
        progress
    }
}

/// One direction of the link. Its fields may be changed while it carries bytes.
pub(crate) struct Wire {
    pub(crate) latency: Duration,
    /// The longest chunk that is handed over at once.
    pub(crate) chunk: usize,
    /// How many more bytes are taken before the sender is blocked.
    pub(crate) room: usize,
    /// What happens once this many bytes were carried.
    pub(crate) cut: Option<(usize, Cut)>,
    /// All that the sender put in.
    pub(crate) sent: Vec<u8>,
    pub(crate) has_ended: bool,
    parcels: VecDeque<(Instant, Parcel)>,
}

/// How a link breaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// The receiver sees the end of input.
    End,
    /// The receiver sees an error.
    Reset,
    /// The receiver sees nothing any more.
    Silence,
}

enum Parcel {
    Bytes(Vec<u8>),
    End,
    Reset,
}

impl Wire {
    fn new() -> Self {
        Self {
            latency: Duration::ZERO,
            chunk: usize::MAX,
            room: usize::MAX,
            cut: None,
            sent: Vec::new(),
            has_ended: false,
            parcels: VecDeque::new(),
        }
    }

    fn take(&mut self, now: Instant, slices: &[IoSlice<'_>]) -> usize {
        let mut bytes = joined(slices);
        bytes.truncate(self.room);
        let taken = bytes.len();
        self.room -= taken;
        let before = self.sent.len();
        self.sent.extend_from_slice(&bytes);
        if let Some((at, _)) = self.cut {
            bytes.truncate(at.saturating_sub(before));
        }
        if !bytes.is_empty() && !self.has_ended {
            self.parcels.push_back((now + self.latency, Parcel::Bytes(bytes)));
        }
        self.break_at_the_cut(now);
        taken
    }

    fn break_at_the_cut(&mut self, now: Instant) {
        let Some((at, cut)) = self.cut else { return };
        if self.sent.len() < at || self.has_ended {
            return;
        }
        self.has_ended = true;
        match cut {
            Cut::End => self.parcels.push_back((now + self.latency, Parcel::End)),
            Cut::Reset => self.parcels.push_back((now + self.latency, Parcel::Reset)),
            Cut::Silence => {}
        }
    }

    /// The sender ends its half.
    pub(crate) fn end(&mut self, now: Instant) {
        if !self.has_ended {
            self.has_ended = true;
            self.parcels.push_back((now + self.latency, Parcel::End));
        }
    }

    fn deliver(&mut self, now: Instant) -> Option<Parcel> {
        let due = self.arrival()? <= now;
        if due { self.parcels.pop_front().map(|(_, parcel)| parcel) } else { None }
    }

    fn arrival(&self) -> Option<Instant> {
        self.parcels.front().map(|(arrival, _)| *arrival)
    }
}

pub(crate) fn connection(role: Role, version: Version, config: Config) -> Connection {
    let negotiated = Negotiated::new(version, None, Vec::new());
    Connection::new(role, negotiated, Arc::new(config))
}

pub(crate) fn close_frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode::from(code), reason).expect("a code that may be sent")
}

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];

/// Hands over one chunk, which is to be consumed at once and give no event.
pub(crate) fn discard(connection: &mut Connection, bytes: &[u8]) {
    let mut chunk = bytes.to_vec();
    let (consumed, event) = connection.handle_input(&mut chunk);
    assert!(event.is_none(), "{event:?}");
    assert_eq!(consumed, bytes.len());
}

/// The bytes that slices show.
pub(crate) fn joined(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.iter().copied()).collect()
}
