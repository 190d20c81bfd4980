//! Connection: an established WebSocket connection without I/O (RFC 6455 sections 5 to 8).
//!
//! Bytes and time go in, events and bytes come out. There is no clock, no socket and no random
//! source in here: the caller tells the time, moves the bytes, and may bring the masking keys.

mod buffers;
mod capabilities;
mod close_status;
mod config;
mod deadlines;
mod ending;
mod error;
mod extensions;
mod filter;
mod framing;
mod inbound;
mod message;
#[cfg(test)]
mod model;
mod negotiated;
mod outbound;
mod outbox;
mod outgoing;
mod random;
mod shelf;
mod slices;
mod state;
mod stats;
#[cfg_attr(not(feature = "tracing"), path = "no_trace.rs")]
mod trace;
mod written;

use core::fmt;
use std::{io::IoSlice, sync::Arc, time::Instant};

use hybi_compression::Chain;
use hybi_frame::{FrameRules, MaskingKey, Role};

use deadlines::Deadlines;
use extensions::extensions;
use filter::Filter;
use framing::{Framing, KeySource};
use inbound::Inbound;
use negotiated::PLAIN;
use outbound::{Lane, Outbound};
use trace::Trace;

pub(crate) use buffers::share as share_output;
pub use capabilities::{Capabilities, Unsupported};
pub use close_status::{CloseStatus, Endpoint};
pub use config::Config;
pub(crate) use config::{DRAIN_BYTES, DRAIN_TIME, after};
pub(crate) use deadlines::Judge;
pub(crate) use error::is_end_without_goodbye;
pub use error::{Deadline, Error, OpeningError, ProxyError, RedirectError, SendError};
pub use message::{Message, MessageKind, MessageRef};
pub use negotiated::Negotiated;
pub(crate) use outgoing::Body;
pub use outgoing::{Outgoing, Prepared, Secret};
pub(crate) use random::random;
pub(crate) use shelf::Shelf;
pub use state::State;
pub use stats::{Stats, Traffic};

pub(crate) use trace::{incident, refused};

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
    inbound: Inbound,
    outbound: Outbound,
    deadlines: Deadlines,
    /// What failed the connection; the first error is the one that stays.
    error: Option<Box<Error>>,
    /// What the extensions that were agreed on do to messages and frames, in both directions.
    extensions: Option<Box<Chain>>,
    /// What one of them does to the whole stream.
    filter: Option<Box<Filter>>,
    config: Arc<Config>,
    trace: Trace,
    /// `None`: as in [`PLAIN`], which most connections share.
    negotiated: Option<Box<Negotiated>>,
}

impl Connection {
    /// A connection whose opening handshake is complete.
    #[must_use]
    pub fn new(role: Role, mut negotiated: Negotiated, config: Arc<Config>) -> Self {
        negotiated.drop_what_does_not_fit();
        let mut framing = Framing::new(&negotiated, role, config.limits);
        let (extensions, filter) = extensions(&negotiated.extensions, &mut framing);
        let masks = framing.masks(role);
        let trace = Trace::new(role, &negotiated);
        let mut connection = Self {
            role,
            inbound: Inbound::new(framing, config.limits),
            outbound: Outbound::new(Lane::Other, masks),
            deadlines: Deadlines::default(),
            error: None,
            extensions,
            filter,
            config,
            trace,
            negotiated: (negotiated != PLAIN).then(|| Box::new(negotiated)),
        };
        connection.outbound.lane = connection.lane();
        connection
    }

    /// What messages need here while none is being encoded or written.
    fn lane(&self) -> Lane {
        let is_plain = self.extensions.is_none()
            && self.config.fragment_size.is_none()
            && matches!(self.inbound.framing, Framing::Rfc6455(_));
        if is_plain { Lane::Plain } else { Lane::Other }
    }

    /// Replaces the source of masking keys, which is the random generator of the operating system, by
    /// one of the caller's: for tests and replays.
    ///
    /// Keys that a peer can foresee let it plant bytes of its choice in the stream, which is the
    /// attack on intermediaries that masking exists to stop (RFC 6455 section 10.3).
    #[must_use]
    pub fn with_masking_keys(mut self, keys: impl FnMut() -> MaskingKey + Send + 'static) -> Self {
        self.outbound.keys = Some(Box::new(KeySource(Box::new(keys))));
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
        self.inbound.framing.rules()
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
        state::state(&self.inbound.state, &self.outbound.state)
    }

    /// Why the connection failed, if it did; the answer never changes once there is one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_deref()
    }

    /// Why nothing can be sent, if so: the [`error`](Self::error), or a write that failed while
    /// there was still something to receive, whatever that said.
    #[must_use]
    pub fn send_error(&self) -> Option<&Error> {
        self.error().or_else(|| self.outbound.state.failure())
    }

    /// How the connection is ending or ended; `None` while it is open.
    #[must_use]
    pub fn close_status(&self) -> Option<CloseStatus> {
        state::close_status(&self.inbound.state, &self.outbound.state, self.error())
    }

    /// How many bytes wait to be sent, frame headers included.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.outbound.len()
    }

    /// How many bytes can leave now.
    #[inline]
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.outbound.outbox.len()
    }

    /// How many bytes were queued and will never leave, because the connection ended before.
    #[must_use]
    pub fn discarded_bytes(&self) -> usize {
        self.outbound.discarded
    }

    /// Fills `slices` with the bytes to send next, foremost first, and returns how many slices
    /// were filled; 0 when there is nothing to send now. Follow it with
    /// [`transmitted`](Self::transmitted).
    ///
    /// What an extension is to make of a message or a piece longer than 64 KiB, or less where compressing takes
    /// long, is made so many bytes with each call, so that other connections have their turn. Until all of it
    /// is, [`poll_timeout`](Self::poll_timeout) is due at once.
    ///
    /// It also queues the answer to the peer's Close frame, which nothing follows: what answers the messages
    /// in front of that frame is to be queued before.
    pub fn poll_transmit<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.answer_close();
        self.encode_slice();
        self.poll_transmit_queued(slices)
    }

    /// The same for somebody who may have more to queue before the peer's Close frame is answered.
    pub(crate) fn poll_transmit_queued<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.queue_pong_if_writable();
        let outbox = &self.outbound.outbox;
        if outbox.len() == 0 { 0 } else { outbox.slices(slices) }
    }

    /// Notes that the transport took `len` bytes of what
    /// [`poll_transmit`](Self::poll_transmit) showed.
    pub fn transmitted(&mut self, len: usize) {
        self.outbound.outbox.sent(len);
        self.outbound.counted.count_written(len);
        self.outbound.owes_answers &= self.outbound.outbox.len() > 0;
        self.deadlines.wrote();
    }

    /// Notes that the transport takes nothing for now: the write deadline begins to run, and of
    /// the Pongs that would have to be queued only the newest is kept.
    pub fn transmit_blocked(&mut self) {
        if !self.deadlines.is_blocked() {
            self.trace.blocked(self.outbound.len());
        }
        self.deadlines.write_blocked();
    }

    /// Whether the transport took nothing when it was last asked.
    pub(crate) fn is_blocked(&self) -> bool {
        self.deadlines.is_blocked()
    }

    /// All that is to be sent next, if it lies in one piece.
    #[inline]
    pub(crate) fn transmit_in_one(&mut self) -> Option<&[u8]> {
        self.queue_pong_if_writable();
        self.outbound.outbox.only_slice()
    }

    /// Everything to be sent, as one vector: for tests and for transports without vectored
    /// writes. It counts as transmitted.
    #[must_use]
    pub fn transmit_to_vec(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let mut slices = [IoSlice::new(&[]); 1];
            if self.poll_transmit(&mut slices) == 0 {
                if self.is_encoding() {
                    continue;
                }
                return bytes;
            }
            let len = slices[0].len();
            bytes.extend_from_slice(&slices[0]);
            self.transmitted(len);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, and then
    /// [`poll_transmit`](Self::poll_transmit); `None` for never.
    ///
    /// `now` is asked only if a deadline begins to run with this call, so that a busy connection
    /// never looks at the clock. Call it when about to wait.
    pub fn poll_timeout(&mut self, now: impl FnOnce() -> Instant) -> Option<Instant> {
        // The next slice of a long message is to be encoded without waiting for anything.
        if self.is_encoding() {
            return Some(now());
        }
        self.poll_judged_timeout(Judge::Reader, now)
    }

    /// The same for somebody who may not have taken in all that came.
    pub(crate) fn poll_judged_timeout(
        &mut self,
        judge: Judge,
        now: impl FnOnce() -> Instant,
    ) -> Option<Instant> {
        if self.state() == State::Closed && !self.wants_shutdown() {
            return None;
        }
        let situation = self.situation();
        self.deadlines.next(&self.config, judge, situation, now)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("state", &self.state())
            .field("negotiated", self.negotiated())
            .field("queued_bytes", &self.queued_bytes())
            .field("close_status", &self.close_status())
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
