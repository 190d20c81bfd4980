//! Connection: an established WebSocket connection without I/O (RFC 6455 sections 5 to 8).
//!
//! Bytes and time go in, events and bytes come out. There is no clock, no socket and no random
//! source in here: the caller tells the time, moves the bytes, and may bring the masking keys.

mod buffers;
mod capabilities;
mod close;
mod close_status;
mod config;
mod deadlines;
mod error;
mod extended;
mod framing;
mod message;
mod outbox;
mod outgoing;
mod random;
mod receive;
mod send;

use core::fmt;
use std::{io::IoSlice, sync::Arc, time::Instant};

use hybi_compression::Agreed;
use hybi_frame::{FrameRules, MaskingKey, MessageAssembler, Role};
use hybi_handshake::Version;

use deadlines::Deadlines;
use extended::Extended;
use framing::{Framing, KeySource};
use outbox::Outbox;

pub use capabilities::{Capabilities, Unsupported};
pub use close_status::{CloseStatus, Endpoint};
pub use config::Config;
pub(crate) use config::{DRAIN_BYTES, DRAIN_TIME};
pub(crate) use error::is_end_without_goodbye;
pub use error::{Deadline, Error, OpeningError, SendError};
pub use message::{Message, MessageRef};
pub use outgoing::{Outgoing, Prepared, Secret};
pub(crate) use random::random;

/// What the opening handshake settled.
///
/// ```
/// use hybi::{Config, Connection, Negotiated, Role, Version};
///
/// // After an opening handshake made elsewhere.
/// let negotiated = Negotiated::new(Version::RFC6455, Some("chat.v2".to_owned()), Vec::new());
/// let connection = Connection::new(Role::Server, negotiated, Config::default().into());
/// assert_eq!(connection.negotiated().subprotocol.as_deref(), Some("chat.v2"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The protocol version.
    pub version: Version,
    /// The subprotocol, if one was chosen.
    pub subprotocol: Option<String>,
    /// The extensions in use, in the order in which they transform outgoing messages.
    pub extensions: Vec<Agreed>,
    /// What the framing of a version before hybi-07 needs to know.
    #[cfg(feature = "legacy")]
    pub(crate) terms: Option<hybi_legacy::Terms>,
}

/// RFC 6455 and nothing else.
static PLAIN: Negotiated = Negotiated {
    version: Version::RFC6455,
    subprotocol: None,
    extensions: Vec::new(),
    #[cfg(feature = "legacy")]
    terms: None,
};

impl Negotiated {
    /// Version, subprotocol and extensions as the handshake left them. The version is one of hybi-07 to
    /// RFC 6455; what came before needs `with_terms`, of the feature `legacy`.
    #[must_use]
    pub fn new(version: Version, subprotocol: Option<String>, extensions: Vec<Agreed>) -> Self {
        Self { version, subprotocol, extensions, ..PLAIN.clone() }
    }

    /// The same for a version before hybi-07. Of the extensions, a connection uses those over the whole
    /// stream, from hybi-04 on: old frames have no bit to say that a payload was encoded.
    ///
    /// ```
    /// use hybi::{Config, Connection, Message, Negotiated, Role, Version, legacy::Terms};
    ///
    /// let terms = Terms::new(Version::HIXIE_75).expect("its framing needs no more");
    /// let negotiated = Negotiated::default().with_terms(terms);
    /// let mut server = Connection::new(Role::Server, negotiated, Config::default().into());
    /// server.queue(Message::from("hello"))?;
    /// assert_eq!(server.transmit_to_vec(), b"\0hello\xff");
    /// # Ok::<(), hybi::Error>(())
    /// ```
    #[cfg(feature = "legacy")]
    #[must_use]
    pub fn with_terms(self, terms: hybi_legacy::Terms) -> Self {
        Self { version: terms.version(), terms: Some(terms), ..self }
    }

    /// Lets go of extensions that the layout of the frames has no bits for.
    fn drop_what_does_not_fit(&mut self) {
        if self.version < Version::HYBI_07 {
            let negotiates = self.version >= Version::HYBI_04;
            self.extensions.retain(|agreed| negotiates && agreed.is_stream());
        }
    }
}

/// Where a connection is in its life (RFC 6455 section 4.1 and 7.1).
///
/// ```text
///  opening handshake            first Close frame              transport ended
/// (Connecting) -------> Open --------------------> Closing ------------------> Closed
/// ```
///
/// `Connecting` is what [`ClientHandshake`](hybi_handshake::ClientHandshake) and
/// [`ServerHandshake`](hybi_handshake::ServerHandshake) are for; a `Connection` begins `Open`.
///
/// ```
/// use hybi::{Config, Connection, Message, Negotiated, Role, State};
///
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
/// assert_eq!(server.state(), State::Open);
/// server.queue(Message::Close(None))?;
/// assert_eq!(server.state(), State::Closing);
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: the states of RFC 6455")]
pub enum State {
    /// Messages go both ways.
    Open,
    /// A Close frame was sent or received, or the connection was failed.
    Closing,
    /// Over: nothing will be sent or received any more, and the transport can be let go.
    Closed,
}

/// What is left to be done; [`State`] is the RFC's view of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Our Close frame is queued or sent, the peer's has not come.
    CloseSent,
    /// Nothing can be sent any more, but the peer's last words may still be on their way.
    SendFailed,
    /// No event will come any more: send what is queued, end the transport, discard input.
    Ending,
    Closed,
}

/// How the connection came to its end; only a connection that has begun to end owns one.
#[derive(Debug)]
struct End {
    status: CloseStatus,
    error: Option<Error>,
    /// Why nothing can be sent any more. It becomes the error if the peer's Close frame, which
    /// would explain it, does not come.
    send_error: Option<Error>,
}

/// An established WebSocket connection, for either role and without I/O.
///
/// Drive it with these calls, in any order and as often as there is reason to:
///
/// - [`handle_input`](Self::handle_input) with bytes that the transport received,
///   [`handle_eof`](Self::handle_eof) when it ended;
/// - [`queue`](Self::queue) with messages to send;
/// - [`poll_transmit`](Self::poll_transmit) and [`transmitted`](Self::transmitted) to move
///   queued bytes to the transport, and [`transmit_blocked`](Self::transmit_blocked) whenever it
///   takes no more: without that call a peer that sends pings and never reads makes the queue
///   grow by an answer for each, and the write deadline never runs;
/// - [`handle_write_error`](Self::handle_write_error) and
///   [`handle_transport_error`](Self::handle_transport_error) when the transport fails;
/// - [`poll_timeout`](Self::poll_timeout) and [`handle_timeout`](Self::handle_timeout) for the
///   one timer that a connection needs;
/// - [`wants_shutdown`](Self::wants_shutdown), [`shutdown_done`](Self::shutdown_done) and
///   [`state`](Self::state) for its end.
///
/// All state of parsing lives in here and none in a future, so there is nothing that
/// cancellation could tear.
///
/// ```
/// use hybi::{Config, Connection, Message, Negotiated, Role};
///
/// let mut client = Connection::new(Role::Client, Negotiated::default(), Config::default().into());
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
///
/// client.queue(Message::from("hello"))?;
/// let mut wire = client.transmit_to_vec();
/// let (consumed, event) = server.handle_input(&mut wire);
/// assert_eq!(consumed, 11);
/// assert_eq!(event.map(Message::from), Some(Message::from("hello")));
/// # Ok::<(), hybi::Error>(())
/// ```
///
/// A loop that drives two of them, over sockets that do not block (a real one waits for the
/// sockets and for the deadline instead of asking again at once):
///
/// ```
/// use std::io::{self, IoSlice, Read, Write};
/// use std::net::{Shutdown, TcpListener, TcpStream};
/// use std::time::Instant;
/// use hybi::{Config, Connection, Message, Negotiated, Role, State};
///
/// /// One turn of a loop over a non-blocking socket; says which messages came.
/// fn turn(connection: &mut Connection, socket: &mut TcpStream) -> Vec<Message> {
///     // Time.
///     let now = Instant::now();
///     if connection.poll_timeout(|| now).is_some_and(|deadline| deadline <= now) {
///         connection.handle_timeout(now);
///     }
///     // Bytes in.
///     let mut messages = Vec::new();
///     let mut chunk = [0; 4096];
///     match socket.read(&mut chunk) {
///         Ok(0) => connection.handle_eof(),
///         Ok(len) => {
///             let mut at = 0;
///             while at < len {
///                 let (consumed, event) = connection.handle_input(&mut chunk[at..len]);
///                 at += consumed;
///                 messages.extend(event.map(Message::from).filter(Message::is_data));
///             }
///         }
///         Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
///         Err(error) => connection.handle_transport_error(error),
///     }
///     // Bytes out.
///     loop {
///         let mut slices = [IoSlice::new(&[]); 8];
///         let count = connection.poll_transmit(&mut slices);
///         if count == 0 {
///             break;
///         }
///         match socket.write_vectored(&slices[..count]) {
///             Ok(len) => connection.transmitted(len),
///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
///                 connection.transmit_blocked();
///                 break;
///             }
///             Err(error) => connection.handle_write_error(error),
///         }
///     }
///     if connection.wants_shutdown() {
///         let _ = socket.shutdown(Shutdown::Write);
///         connection.shutdown_done();
///     }
///     messages
/// }
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut near = TcpStream::connect(listener.local_addr()?)?;
/// let (mut far, _address) = listener.accept()?;
/// near.set_nonblocking(true)?;
/// far.set_nonblocking(true)?;
/// let mut client = Connection::new(Role::Client, Negotiated::default(), Config::default().into());
/// let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
///
/// client.queue(Message::from("hello"))?;
/// while client.state() != State::Closed || server.state() != State::Closed {
///     for message in turn(&mut server, &mut far) {
///         server.queue(message)?;
///     }
///     for message in turn(&mut client, &mut near) {
///         assert_eq!(message, Message::from("hello"));
///         client.queue(Message::Close(None))?;
///     }
/// }
/// assert!(client.close_status().is_some_and(|status| status.is_clean()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Connection {
    role: Role,
    phase: Phase,
    shutdown_done: bool,
    /// The peer ended its half of the transport while our part of the end was still to be sent.
    peer_ended: bool,
    /// The transport took nothing more when it was last asked.
    blocked: bool,
    framing: Framing,
    assembler: MessageAssembler,
    outbox: Outbox,
    deadlines: Deadlines,
    /// `None` without extensions.
    extended: Option<Box<Extended>>,
    /// The newest Pong that could not be queued because the transport is blocked
    /// (section 5.5.3 allows to answer only the latest Ping).
    pong: Option<Box<[u8]>>,
    discarded: usize,
    end: Option<Box<End>>,
    keys: Option<KeySource>,
    config: Arc<Config>,
    /// `None`: as in [`PLAIN`], which most connections share.
    negotiated: Option<Box<Negotiated>>,
}

impl Connection {
    /// A connection whose opening handshake is complete.
    #[must_use]
    pub fn new(role: Role, mut negotiated: Negotiated, config: Arc<Config>) -> Self {
        negotiated.drop_what_does_not_fit();
        let mut framing = Framing::new(&negotiated, role, config.limits);
        let rules = framing.rules();
        let extended = Extended::new(&negotiated.extensions, &mut framing);
        Self {
            role,
            phase: Phase::Open,
            shutdown_done: false,
            peer_ended: false,
            blocked: false,
            framing,
            assembler: MessageAssembler::new(rules, config.limits),
            outbox: Outbox::default(),
            deadlines: Deadlines::default(),
            extended,
            pong: None,
            discarded: 0,
            end: None,
            keys: None,
            config,
            negotiated: (negotiated != PLAIN).then(|| Box::new(negotiated)),
        }
    }

    /// Replaces the source of masking keys, which is the random generator of the operating system, by
    /// one of the caller's: for tests and replays.
    ///
    /// Keys that a peer can foresee let it plant bytes of its choice in the stream, which is the
    /// attack on intermediaries that masking exists to stop (RFC 6455 section 10.3).
    #[must_use]
    pub fn with_masking_keys(mut self, keys: impl FnMut() -> MaskingKey + Send + 'static) -> Self {
        self.keys = Some(Box::new(keys));
        self
    }

    /// The role of this endpoint.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The choices about this connection.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The framing rules of the version that was negotiated.
    #[must_use]
    pub fn rules(&self) -> FrameRules {
        self.framing.rules()
    }

    /// What the version of this connection can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.negotiated().version, self.rules())
    }

    /// What the opening handshake settled. Where it left the version to the client's first byte, that
    /// byte may change it.
    #[must_use]
    pub fn negotiated(&self) -> &Negotiated {
        self.negotiated.as_deref().unwrap_or(&PLAIN)
    }

    /// The state of the connection.
    #[must_use]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Open => State::Open,
            Phase::CloseSent | Phase::SendFailed | Phase::Ending => State::Closing,
            Phase::Closed => State::Closed,
        }
    }

    /// Why the connection failed, if it did; the answer never changes once there is one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.end.as_ref()?.error.as_ref()
    }

    /// Why nothing can be sent, if so: the [`error`](Self::error), or a write that failed while
    /// there may still be something to receive.
    #[must_use]
    pub fn send_error(&self) -> Option<&Error> {
        let end = self.end.as_ref()?;
        end.error.as_ref().or(end.send_error.as_ref())
    }

    /// How the connection is ending or ended; `None` while it is open.
    #[must_use]
    pub fn close_status(&self) -> Option<&CloseStatus> {
        Some(&self.end.as_ref()?.status)
    }

    /// How many bytes wait to be sent, frame headers included.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.outbox.len()
    }

    /// Fills `slices` with the bytes to send next, foremost first, and returns how many slices
    /// were filled; 0 when there is nothing to send. Follow it with
    /// [`transmitted`](Self::transmitted).
    pub fn poll_transmit<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        if !self.blocked {
            self.queue_pending_pong();
        }
        if self.outbox.len() == 0 { 0 } else { self.outbox.slices(slices) }
    }

    /// Notes that the transport took `len` bytes of what
    /// [`poll_transmit`](Self::poll_transmit) showed.
    pub fn transmitted(&mut self, len: usize) {
        self.outbox.sent(len);
        self.blocked = false;
        self.deadlines.wrote();
    }

    /// Notes that the transport takes nothing for now: the write deadline begins to run, and of
    /// the Pongs that would have to be queued only the newest is kept.
    pub fn transmit_blocked(&mut self) {
        self.blocked = true;
        self.deadlines.write_blocked();
    }

    /// Everything to be sent, as one vector: for tests and for transports without vectored
    /// writes. It counts as transmitted.
    #[must_use]
    pub fn transmit_to_vec(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let mut slices = [IoSlice::new(&[]); 1];
            if self.poll_transmit(&mut slices) == 0 {
                return bytes;
            }
            let len = slices[0].len();
            bytes.extend_from_slice(&slices[0]);
            self.transmitted(len);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next; `None` for never.
    ///
    /// `now` is asked only if a deadline begins to run with this call, so that a busy connection
    /// never looks at the clock. Call it when about to wait.
    pub fn poll_timeout(&mut self, now: impl FnOnce() -> Instant) -> Option<Instant> {
        if self.phase == Phase::Closed {
            return None;
        }
        let active = self.has_active_codec();
        self.deadlines.next(&self.config, active, now)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("state", &self.state())
            .field("negotiated", self.negotiated())
            .field("queued_bytes", &self.queued_bytes())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
