//! Config: every choice about a connection, its default, and why that default.

use core::time::Duration;
use std::{
    sync::{Arc, LazyLock},
    time::Instant,
};

use hybi_frame::{CloseCode, Limits};
use hybi_handshake::HeadLimits;

/// Every choice about a connection.
///
/// The defaults are safe on the open internet: each limit is on, and one connection whose peer
/// does its worst holds no more than one message of [`max_message`](Self::max_message), the
/// [`outbox_limit`](Self::outbox_limit), and about 260 KiB: the block of 130 KiB that was read into and
/// that the application has not taken all of yet, and about as much in answers to it. With compression,
/// 36 KiB of what was exchanged come to that, and in the middle of a message another 48 KiB; the
/// states of compressors have a budget for the whole process (`Deflate::set_budget`).
///
/// A received message that the application keeps is its own to count, with one thing to know: one of
/// 4 KiB or more that came in one read is not copied but part of the block that was read into, and
/// holds all 130 KiB of it until it is dropped. So kept messages take their length, or at most 130 KiB
/// each if that is more; those of one block share it, and shorter messages are copied out. To keep many
/// for long, keep a copy, such as `Vec::from(&message[..])`.
///
/// The Close frame for a peer that passes a limit or a deadline names it in its reason, which
/// [`Error::close_reason`](crate::Error::close_reason) lists.
///
/// ```
/// use std::time::Duration;
/// use hybi::Config;
///
/// let config = Config::default()
///     .max_message(1024 * 1024)
///     .ping_interval(Some(Duration::from_secs(30)));
/// assert_eq!(config.limits().max_message(), 1024 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) limits: Limits,
    pub(crate) head_limits: HeadLimits,
    pub(crate) outbox_limit: usize,
    pub(crate) fragment_size: Option<usize>,
    pub(crate) show_control_frames: bool,
    pub(crate) handshake_timeout: Duration,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) ping_timeout: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) end_timeout: Duration,
    pub(crate) park_after: Option<Duration>,
    /// What answers a Close frame without a code, in place of another; of RFC 6455 alone.
    pub(crate) answer_to_empty_close: Option<CloseCode>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            head_limits: HeadLimits::default(),
            outbox_limit: 1024 * 1024,
            fragment_size: None,
            show_control_frames: false,
            handshake_timeout: Duration::from_secs(10),
            ping_interval: Some(Duration::from_secs(20)),
            ping_timeout: Duration::from_secs(20),
            idle_timeout: None,
            write_timeout: Some(Duration::from_secs(30)),
            close_timeout: Duration::from_secs(5),
            end_timeout: Duration::from_secs(30),
            park_after: Some(Duration::from_secs(1)),
            answer_to_empty_close: None,
        }
    }
}

/// The moment `time` after `now`; never, which is a century, if the clock does not reach so far.
///
/// `Duration::MAX` is how a caller says "no limit" where there has to be one.
pub(crate) fn after(now: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now + time.min(CENTURY)
}

/// A bound on what an endpoint reads and discards after it failed the connection or ended it.
///
/// Closing a transport with unread bytes resets it, and a reset can overtake the Close frame;
/// reading for ever would let the peer decide when the connection ends.
pub(crate) const DRAIN_BYTES: usize = 1024 * 1024;

/// The longest that such discarding may take.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(1);

impl Config {
    /// The default as all connections share it that are not told otherwise.
    pub(crate) fn by_default() -> Arc<Self> {
        static DEFAULT: LazyLock<Arc<Config>> = LazyLock::new(Arc::default);
        DEFAULT.clone()
    }

    /// Sets the longest message to accept, in bytes of payload; 16 MiB by default (RFC 6455
    /// section 10.4).
    ///
    /// Stops a peer that would fill the memory with one message. A longer message fails the
    /// connection with close code 1009, as soon as its length is announced or reached.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.limits = self.limits.with_max_message(bytes);
        self
    }

    /// Sets the longest frame to accept, in bytes of payload; as long as a message by default.
    ///
    /// Stops a peer that announces an enormous frame and lets the receiver wait for it. A longer
    /// frame fails the connection with close code 1009 as soon as its header is read.
    #[must_use]
    pub fn max_frame(mut self, bytes: u64) -> Self {
        self.limits = self.limits.with_max_frame(bytes);
        self
    }

    /// Sets how many frames a message may go on with after its first; 65,536 by default.
    ///
    /// Stops a peer that sends empty fragments for ever: they add no bytes, but each costs work.
    #[must_use]
    pub fn max_fragments(mut self, fragments: u32) -> Self {
        self.limits = self.limits.with_max_fragments(fragments);
        self
    }

    /// Sets the limits on the head of a request or response; 16 KiB and 100 fields by default.
    ///
    /// Stops a peer whose head never ends, or consists of thousands of tiny fields, each of which
    /// costs more to store than to send.
    ///
    /// ```
    /// use hybi::{Config, handshake::HeadLimits};
    ///
    /// // Large cookies are expected.
    /// let config = Config::default().head_limits(HeadLimits::default().with_max_bytes(64 * 1024));
    /// ```
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// Sets how many bytes may wait to be sent; 1 MiB by default.
    ///
    /// Stops a peer that asks and never reads the answers. When the limit is reached, sending
    /// waits (`send`, `feed`) or gives the message back (`try_send`). A single message that is
    /// longer than the limit is taken when nothing else waits.
    #[must_use]
    pub fn outbox_limit(mut self, bytes: usize) -> Self {
        self.outbox_limit = bytes;
        self
    }

    /// Cuts each outgoing data message into frames of at most this many bytes of payload; off by
    /// default: a message is one frame (RFC 6455 section 5.4).
    ///
    /// A size of 0 means off, too.
    #[must_use]
    pub fn fragment_size(mut self, bytes: Option<usize>) -> Self {
        self.fragment_size = bytes.filter(|bytes| *bytes > 0);
        self
    }

    /// Makes receiving yield the peer's Ping and Pong frames beside its messages; off by default,
    /// so that what is received can be sent back as it is.
    ///
    /// Pings are answered in either case (RFC 6455 section 5.5.2), when they are received. What is shown waits
    /// for whoever receives, and all that comes behind it. So an application that only sends leaves pings
    /// unanswered, which the peer may take for silence, and from the first frame that comes it sees neither the
    /// peer's Close frame nor its silence, only writes that fail or time out. Where nothing is shown, sending
    /// takes in control frames as well; so do senders whose `Receiver` was dropped.
    ///
    /// ```
    /// use hybi::{Config, Error, Message, WebSocket, io::{Timer, Transport}};
    ///
    /// let config = Config::default().show_control_frames(true);
    ///
    /// /// The next Ping that the peer sends; messages before it are dropped.
    /// async fn next_ping<T: Transport, C: Timer>(
    ///     ws: &mut WebSocket<T, C>,
    /// ) -> Result<Option<Message>, Error> {
    ///     while let Some(message) = ws.recv().await? {
    ///         if let Message::Ping(_) = message {
    ///             return Ok(Some(message));
    ///         }
    ///     }
    ///     Ok(None)
    /// }
    /// ```
    #[must_use]
    pub fn show_control_frames(mut self, show: bool) -> Self {
        self.show_control_frames = show;
        self
    }

    /// Sets how long the opening handshake may take in all, name lookup, TCP and TLS included;
    /// 10 s by default.
    ///
    /// Stops peers that hold a connection open by sending nothing, or one byte at a time.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Sets how long a silent connection waits at most before it asks whether the peer is still there
    /// (a Ping frame); 20 s by default, `None` never asks.
    ///
    /// hixie-75 and hixie-76 have no pings: there only [`idle_timeout`](Self::idle_timeout) notices a peer
    /// that vanished.
    ///
    /// Bytes that arrive count as signs of life, and so do bytes that a full transport takes
    /// again, so a busy connection sends no pings. A ping leaves between half an interval and a whole one
    /// after the last such sign, so a peer that vanished is noticed within this and
    /// [`ping_timeout`](Self::ping_timeout).
    #[must_use]
    pub fn ping_interval(mut self, interval: Option<Duration>) -> Self {
        self.ping_interval = interval;
        self
    }

    /// Sets how long the peer may stay silent after such a ping; 20 s by default.
    ///
    /// Then the connection is failed with close code 1011. It is what finds peers that vanished
    /// without a word, which TCP alone notices after hours or never.
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// Ends connections on which the peer sends no message for this long (up to a quarter
    /// longer) with close code 1001; `None` by default.
    ///
    /// Stops a peer that holds a connection by answering pings and never says anything.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets how long waiting bytes may make no progress at all; 30 s by default, `None` waits
    /// for ever.
    ///
    /// Stops a peer that keeps the connection alive and never reads.
    #[must_use]
    pub fn write_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// Sets how long to wait for the peer's answer to our Close frame, from when it has left; 5 s by
    /// default.
    ///
    /// Stops a peer that holds a connection by never answering (RFC 6455 section 7.1.1). What was queued
    /// before the Close frame leaves first, for which [`write_timeout`](Self::write_timeout) sets the time.
    /// [`end_timeout`](Self::end_timeout) bounds both: a longer wait than that takes setting it, too.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Sets how long the end of a connection may take in all, from the first Close frame to the end of
    /// the transport; 30 s by default.
    ///
    /// Stops a peer that takes what is queued a few bytes at a time. What had not left by then is
    /// discarded, and that is an error, [`Deadline::Write`](crate::Deadline::Write).
    #[must_use]
    pub fn end_timeout(mut self, timeout: Duration) -> Self {
        self.end_timeout = timeout;
        self
    }

    /// Sets how long a connection exchanges no message before its compression states are released
    /// (up to twice as long); 1 s by default, `None` never does for that reason.
    ///
    /// A quiet process then has hardly any of the 16 MiB, or what `Deflate::set_budget` says, that the
    /// states of all connections take at most; and what the peer's next message may refer to, up to
    /// 32 KiB, is packed if it is long. The next message pays for making a state again: some 10
    /// microseconds. It is invisible to the peer. It takes somebody who receives, or waits to, as every
    /// deadline does; the budget holds in any case.
    #[must_use]
    pub fn park_after(mut self, quiet: Option<Duration>) -> Self {
        self.park_after = quiet;
        self
    }

    /// When an opening handshake that begins at `now` has to be complete.
    #[must_use]
    pub fn handshake_deadline(&self, now: Instant) -> Instant {
        after(now, self.handshake_timeout)
    }

    /// The limits on frames and messages.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
}
