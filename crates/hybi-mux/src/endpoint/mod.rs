//! Endpoint: one end of a multiplexed connection, without I/O.
//!
//! ```text
//!  a channel's connection --write--> Outbound --cut to the quota--> poll_message --> physical connection
//!  a channel's connection <--read--- Inbound <--put in order------- handle_message <-- physical connection
//! ```
//!
//! Whoever has a channel sees the octets of a connection of its own: a handshake and then frames, without masks. What
//! a channel may hold is bounded by the quota that was granted to the peer, and what waits to leave by the limit of
//! its queue; all else is bounded by the number of channels.

mod bytes;
mod channel;
mod control;
mod ended;
mod heads;
mod inbound;
mod leaving;
mod outbound;
mod rate;
mod slab;
mod taking_in;

use std::collections::{HashMap, VecDeque};

use http::Request;
use hybi_frame::Role;

pub use self::bytes::release_buffers;
use self::channel::{Channel, Origin, Receiving, Sending, Waiter};
use self::control::Control;
pub use self::ended::Ended;
use self::heads::Fields;
use self::rate::SlotRate;
pub use self::slab::ChannelKey;
use self::slab::Slab;
use crate::block::{ControlBlock, HandshakeEncoding};
use crate::channel_id::ChannelId;
use crate::config::{Config, MOST_OF_BODY};
use crate::error::DropCode;
use crate::slots::Slots;

/// One end of a multiplexed connection.
///
/// What arrives in binary messages of the physical connection goes to [`handle_message`](Self::handle_message), and what
/// [`poll_message`](Self::poll_message) gives is sent in such messages. In between there are channels, each read and
/// written as if it were the transport of a connection.
///
/// ```
/// use std::time::Instant;
/// use hybi_mux::{Config, Endpoint, Event, Read};
///
/// // After a handshake that agreed on the extension; each with the fields of its request.
/// let fields = b"Host: example.org\r\n\r\n";
/// let (mut client, first) = Endpoint::client(Config::default(), fields);
/// let (mut server, theirs) = Endpoint::server(Config::default(), fields, 65_536);
///
/// // The server grants quota and slots.
/// let (now, mut message) = (Instant::now(), Vec::new());
/// assert!(server.poll_message(now, &mut message));
/// client.handle_message(&message)?;
///
/// // A text message, as the connection of the first channel writes it.
/// assert_eq!(client.write(first, b"\x81\x05Hello"), Ok(7));
/// message.clear();
/// assert!(client.poll_message(now, &mut message));
/// assert_eq!(message, b"\x01\x81Hello");
///
/// server.handle_message(&message)?;
/// let mut octets = [0; 16];
/// assert_eq!(server.read(theirs, &mut octets), Read::Octets(7));
/// assert_eq!(&octets[..7], b"\x81\x05Hello");
/// # Ok::<(), hybi_mux::MuxError>(())
/// ```
#[derive(Debug)]
pub struct Endpoint {
    config: Config,
    state: State,
    side: Side,
    channels: Slab,
    /// Those that the peer knows.
    by_id: HashMap<ChannelId, ChannelKey>,
    control: Control,
    /// Channels whose peer is owed quota.
    grants: VecDeque<ChannelKey>,
    /// Channels that have something to send, in the order of their turns.
    turns: VecDeque<ChannelKey>,
    events: VecDeque<Event>,
}

/// How the whole stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    Over(Ended),
}

/// What the two ends do not have in common.
#[derive(Debug)]
enum Side {
    Client {
        slots: Slots,
        /// Slots that are spoken for by requests that are being written.
        reserved: u64,
        supply: Supply,
        /// The smallest id that was not used.
        next_id: u32,
        /// What deltas are relative to.
        base: Fields,
    },
    Server {
        /// Slots that the client was granted and has not used.
        granted: u64,
        rate: SlotRate,
        /// What deltas are relative to: the newest request that was accepted and was none itself.
        base: Fields,
        requests: VecDeque<(ChannelKey, Request<()>)>,
    },
}

/// Whether more slots may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    Goes,
    /// The server said that these were the last.
    Stopped,
}

/// What somebody may have waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A channel on which [`Endpoint::read`] said [`Read::Wait`] can be read.
    Readable(ChannelKey),
    /// A channel on which nothing could be written, or was not [flushed](Endpoint::is_flushed), can be written.
    Writable(ChannelKey),
    /// A client asks for a channel: [`Endpoint::next_request`].
    Requested,
    /// The server grants slots, or says that it will not: [`Endpoint::open`].
    Slots,
}

/// What can be read of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is no fourth")]
pub enum Read {
    /// So many octets.
    Octets(usize),
    /// Nothing yet.
    Wait,
    /// Nothing more.
    End(Ended),
}

/// Why a channel cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CannotOpen {
    /// No slot is there yet; [`Event::Slots`] tells of one.
    NoSlot,
    /// The server said that there will be no more.
    NoMoreSlots,
    /// The id was used, or one above it, or all were.
    IdUsed,
    /// It is for the client to open channels.
    NotAClient,
    /// The physical connection is over.
    Over(Ended),
}

impl core::error::Error for CannotOpen {}

impl core::fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoSlot => "the server has granted no slot for a channel",
            Self::NoMoreSlots => "the server grants no more channels here",
            Self::IdUsed => "the id of the channel, or one above it, was used",
            Self::NotAClient => "channels are opened by the client",
            Self::Over(ended) => return ended.fmt(f),
        })
    }
}

impl Endpoint {
    /// The client's end, and its first channel. `fields` are those of the physical request, each with its line end, with
    /// the extensions that were offered for channels.
    #[must_use]
    pub fn client(config: Config, fields: &[u8]) -> (Self, ChannelKey) {
        let side = Side::Client {
            slots: Slots::default(),
            reserved: 0,
            supply: Supply::Goes,
            next_id: ChannelId::FIRST.get() + 1,
            base: Fields::of(fields),
        };
        Self::new(config, side, 0)
    }

    /// The server's end, and its first channel, on which it may send `quota` at first, as the
    /// [offer](crate::Found::quota) said. `fields` are as those of [`client`](Self::client).
    #[must_use]
    pub fn server(config: Config, fields: &[u8], quota: u64) -> (Self, ChannelKey) {
        let side = Side::Server {
            granted: 0,
            rate: SlotRate::new(config.max_channels, config.openings_per_second),
            base: Fields::of(fields),
            requests: VecDeque::new(),
        };
        let (mut endpoint, first) = Self::new(config, side, quota);
        let (channel, quota) = (ChannelId::FIRST, endpoint.config.window);
        endpoint.control.say(&[ControlBlock::FlowControl { channel, quota }]);
        (endpoint, first)
    }

    fn new(config: Config, side: Side, quota: u64) -> (Self, ChannelKey) {
        let mut endpoint = Self {
            state: State::Open,
            side,
            channels: Slab::default(),
            by_id: HashMap::new(),
            control: Control::new(config.revision),
            grants: VecDeque::new(),
            turns: VecDeque::new(),
            events: VecDeque::new(),
            config,
        };
        let first = endpoint.add(ChannelId::FIRST, quota, Origin::Physical);
        endpoint.by_id.insert(ChannelId::FIRST, first);
        (endpoint, first)
    }

    fn add(&mut self, id: ChannelId, quota: u64, origin: Origin) -> ChannelKey {
        let Config { revision, window, .. } = self.config;
        self.channels.insert(Channel::new(id, revision, window, quota, origin))
    }

    fn role(&self) -> Role {
        match self.side {
            Side::Client { .. } => Role::Client,
            Side::Server { .. } => Role::Server,
        }
    }

    /// What somebody may have waited for, since the last call said that there was nothing.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.pop_front()?;
            match event {
                Event::Readable(key) | Event::Writable(key) if !self.channels.contains(key) => {}
                event => return Some(event),
            }
        }
    }

    /// How the whole ended; `None` while it goes on.
    #[must_use]
    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Open => None,
            State::Over(ended) => Some(ended),
        }
    }

    /// How many channels there are, those included that ended and were not let go.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// The id of a channel.
    #[must_use]
    pub fn id(&self, key: ChannelKey) -> ChannelId {
        self.channels[key].id
    }

    /// Opens a channel, as client: the next octets that are [written](Self::write) are its request. Without an `id` it
    /// gets the smallest that none was above.
    ///
    /// # Errors
    ///
    /// [`CannotOpen`] says why not. That there is no slot is no error of the connection.
    pub fn open(&mut self, id: Option<ChannelId>) -> Result<ChannelKey, CannotOpen> {
        if let State::Over(ended) = &self.state {
            return Err(CannotOpen::Over(ended.clone()));
        }
        let Side::Client { slots, reserved, supply, next_id, .. } = &mut self.side else {
            return Err(CannotOpen::NotAClient);
        };
        let id = id.or_else(|| ChannelId::new(*next_id)).filter(|id| id.get() >= *next_id);
        let id = id.ok_or(CannotOpen::IdUsed)?;
        if slots.left() <= *reserved {
            return Err(match supply {
                Supply::Goes => CannotOpen::NoSlot,
                Supply::Stopped => CannotOpen::NoMoreSlots,
            });
        }
        *reserved += 1;
        *next_id = id.get() + 1;
        let key = self.add(id, 0, Origin::Slot);
        self.channels[key].sending = Sending::Head(Vec::new());
        Ok(key)
    }

    /// The next request for a channel, as server. What is written to the channel is the response to it.
    pub fn next_request(&mut self) -> Option<(ChannelKey, Request<()>)> {
        match &mut self.side {
            Side::Server { requests, .. } => requests.pop_front(),
            Side::Client { .. } => None,
        }
    }

    /// Reads from a channel.
    pub fn read(&mut self, key: ChannelKey, out: &mut [u8]) -> Read {
        let channel = &mut self.channels[key];
        if !channel.inbound.is_empty() {
            let (len, cost) = channel.inbound.read(out, self.config.revision);
            channel.receive_quota.consume(cost);
            self.grant(key);
            return Read::Octets(len);
        }
        match (&channel.receiving, &channel.sending) {
            // As where there is nothing but a connection, the peer's end comes behind both Close frames.
            (Receiving::Opening(_) | Receiving::Open, _)
            | (Receiving::Closed, Sending::Asked | Sending::Open) => {
                channel.reader = Waiter::Somebody;
                Read::Wait
            }
            (Receiving::Closed | Receiving::Failed, _) => Read::End(Ended::InOrder),
            (Receiving::Ended(ended), _) => Read::End(ended.clone()),
        }
    }

    /// Grants the peer of a channel what is owed, if it is worth a FlowControl.
    fn grant(&mut self, key: ChannelKey) {
        let channel = &mut self.channels[key];
        if !matches!(channel.receiving, Receiving::Open) {
            return;
        }
        if let Some(quota) = channel.receive_quota.to_grant() {
            if channel.owed == 0 {
                self.grants.push_back(key);
            }
            channel.owed += quota;
        }
    }

    /// Writes to a channel; gives how many octets were taken, which is none as long as too many wait.
    ///
    /// # Errors
    ///
    /// How the channel ended.
    pub fn write(&mut self, key: ChannelKey, octets: &[u8]) -> Result<usize, Ended> {
        let channel = &mut self.channels[key];
        match &mut channel.sending {
            Sending::Ended(ended) => Err(ended.clone()),
            Sending::Head(head) => {
                head.extend_from_slice(octets);
                if let Some(len) = heads::head_len(head) {
                    self.handshake(key, len);
                }
                Ok(octets.len())
            }
            Sending::Asked | Sending::Open | Sending::Closed => {
                let taken = channel.room(self.config.queue_limit).min(octets.len());
                channel.outbound.push(&octets[..taken]);
                if taken == 0 && !octets.is_empty() {
                    channel.writer = Waiter::Somebody;
                }
                self.schedule(key);
                Ok(taken)
            }
        }
    }

    /// Whether what was written to a channel leaves, whatever becomes of the channel: nobody has to grant more. If not,
    /// [`Event::Writable`] tells of progress.
    ///
    /// # Errors
    ///
    /// How the channel ended, if something may have been lost.
    pub fn is_flushed(&mut self, key: ChannelKey) -> Result<bool, Ended> {
        let channel = &mut self.channels[key];
        match &channel.sending {
            Sending::Ended(Ended::InOrder | Ended::Refused) => return Ok(true),
            Sending::Ended(ended) => return Err(ended.clone()),
            _ => {}
        }
        let is_flushed = channel.outbound.fits(&channel.send_quota);
        if !is_flushed {
            channel.writer = Waiter::Somebody;
        }
        Ok(is_flushed)
    }

    /// The handshake of a channel was written, or at least its head.
    fn handshake(&mut self, key: ChannelKey, len: usize) {
        let revision = self.config.revision;
        let channel = &mut self.channels[key];
        let Sending::Head(head) = &mut channel.sending else { return };
        match &mut self.side {
            Side::Client { slots, reserved, base, .. } => {
                let encoding = self.config.requests;
                let handshake = heads::request_out(&head[..len], revision, encoding, base);
                let proof = heads::proof(&head[..len]);
                *reserved -= 1;
                // It was reserved, so it is there.
                let quota = slots.take().unwrap_or_default();
                let _ = channel.send_quota.grant(quota);
                channel.receiving = Receiving::Opening(channel::Proof(proof));
                channel.sending = Sending::Asked;
                let channel = channel.id;
                self.by_id.insert(channel, key);
                // A grant for a channel that was not asked for yet is void, so it stands behind, in the same message.
                self.control.say(&[
                    ControlBlock::AddChannelRequest { channel, encoding, handshake: &handshake },
                    ControlBlock::FlowControl { channel, quota: self.config.window },
                ]);
            }
            // Whatever refuses may have a body, and ends with the sending half.
            Side::Server { base, .. } if heads::opens(head) => {
                let handshake = heads::response_out(&head[..len], revision);
                let rest = head.split_off(len);
                channel.outbound.push(&rest);
                channel.sending = Sending::Open;
                if let Some(fields) = channel.fields.take() {
                    *base = fields;
                }
                self.respond(self.channels[key].id, &handshake, false);
                self.schedule(key);
            }
            Side::Server { .. } => {}
        }
    }

    fn respond(&mut self, channel: ChannelId, handshake: &[u8], is_rejected: bool) {
        let encoding = HandshakeEncoding::Identity;
        let response =
            ControlBlock::AddChannelResponse { channel, is_rejected, encoding, handshake };
        self.control.say(&[response]);
    }

    /// Ends the sending direction of a channel: a response that does not open it is whole.
    pub fn shut_down(&mut self, key: ChannelKey) {
        if let (Role::Server, Sending::Head(head)) = (self.role(), &mut self.channels[key].sending)
        {
            let response = core::mem::take(head);
            self.refuse(key, &response);
        }
    }

    fn refuse(&mut self, key: ChannelKey, response: &[u8]) {
        let head = heads::head_len(response).unwrap_or_default();
        let end = response.len().min(head + MOST_OF_BODY);
        self.respond(self.channels[key].id, &response[..end], true);
        self.end_channel(key, &Ended::Refused);
    }

    /// Ends a channel in both directions: the peer knows it no more, and whoever waits on it is told.
    fn end_channel(&mut self, key: ChannelKey, how: &Ended) {
        self.channels[key].end(how);
        self.forget(key);
        self.tell(key);
        self.remove_if_over(key);
    }

    /// The peer knows the channel no more.
    fn forget(&mut self, key: ChannelKey) {
        let channel = &self.channels[key];
        if self.by_id.get(&channel.id) == Some(&key) {
            self.by_id.remove(&channel.id);
        }
    }

    /// Fails everything, as if the peer had broken a rule: all channels end, and the peer is told. The physical
    /// connection is then to be closed with status 1011.
    pub fn fail(&mut self, code: DropCode, reason: &str) {
        if self.state != State::Open {
            return;
        }
        self.end_all(&Ended::PhysicalFailed { code, reason: reason.to_owned() });
        self.say_dropped(ChannelId::CONTROL, code, reason);
    }

    /// The physical connection ended, and with it everything.
    pub fn end(&mut self) {
        if self.state == State::Open {
            self.end_all(&Ended::PhysicalEnded);
        }
    }

    fn end_all(&mut self, how: &Ended) {
        self.state = State::Over(how.clone());
        self.control.clear();
        self.grants.clear();
        self.turns.clear();
        self.by_id.clear();
        self.events.push_back(Event::Slots);
        self.events.push_back(Event::Requested);
        for key in self.channels.keys() {
            self.end_channel(key, how);
        }
    }

    /// Tells whoever waits on a channel to look again.
    fn tell(&mut self, key: ChannelKey) {
        if self.channels[key].reader.take() {
            self.announce(Event::Readable(key));
        }
        if self.channels[key].writer.take() {
            self.announce(Event::Writable(key));
        }
    }

    /// Tells of an event, once, however long nobody asks for events.
    fn announce(&mut self, event: Event) {
        if !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }
}
