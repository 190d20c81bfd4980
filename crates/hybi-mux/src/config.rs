//! Config: every choice about multiplexing, its default, and why that default.

use hybi_handshake::{FieldError, HeadLimits};

use crate::block::HandshakeEncoding;
use crate::revision::Revision;

/// Every choice about multiplexing; each limit is on.
///
/// What one peer can make an endpoint hold is [`max_channels`](Self::max_channels) times what one channel
/// holds: its [`window`](Self::window), four times if all of it comes in empty frames, the
/// [`queue_limit`](Self::queue_limit), and what its connection has read: quota is given back for that, whether the
/// application took it or not, so that a connection holds up to another window, beside what it gathers of a message.
///
/// ```
/// use hybi_mux::Config;
///
/// // As pywebsocket wants to be asked.
/// let config = Config::default().token("mux_DO_NOT_USE")?.max_channels(16).window(8192);
/// assert_eq!(config.offer().to_string(), "mux_DO_NOT_USE; quota=8192");
/// # Ok::<(), hybi_mux::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) token: String,
    pub(crate) revision: Revision,
    pub(crate) requests: HandshakeEncoding,
    pub(crate) max_channels: u32,
    pub(crate) window: u64,
    pub(crate) queue_limit: usize,
    pub(crate) openings_per_second: u32,
    pub(crate) head_limits: HeadLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            token: "mux".to_owned(),
            revision: Revision::default(),
            requests: HandshakeEncoding::Identity,
            max_channels: 64,
            window: 64 * 1024,
            queue_limit: 64 * 1024,
            openings_per_second: 100,
            head_limits: HeadLimits::default(),
        }
    }
}

/// The smallest window: a control frame has to fit in it whole, or nobody could put its fragments together.
const LEAST_WINDOW: u64 = 256;

/// The largest: what an offer, and a number before ietf-05, can say.
const LARGEST_WINDOW: u64 = u32::MAX as u64;

/// The smallest queue, in which the header of a frame fits many times.
const LEAST_QUEUE: usize = 64;

/// How much of the body of a refusal is sent, as of any refusal is kept: it is in one message with its head, and a peer
/// whose limit that passes loses all of its channels.
pub(crate) const MOST_OF_BODY: usize = 64 * 1024;

impl Config {
    /// Sets the name by which the extension is offered and accepted; `mux` by default. pywebsocket answers to
    /// `mux_DO_NOT_USE` alone.
    ///
    /// # Errors
    ///
    /// [`FieldError::NotAToken`] for what no list of extensions can hold.
    pub fn token(mut self, token: &str) -> Result<Self, FieldError> {
        hybi_handshake::ExtensionOffer::new(token)?;
        token.clone_into(&mut self.token);
        Ok(self)
    }

    /// Sets the wire format; both ends have to be told, since no offer says it.
    #[must_use]
    pub const fn revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }

    /// Sets how a client encodes its requests for channels: [identity](HandshakeEncoding::Identity) by default.
    /// With [delta](HandshakeEncoding::Delta) each says what differs from the request of the physical connection.
    /// Never both on one connection: what a delta is relative to changes with each other request that was accepted,
    /// and the two ends could not be sure which that was. A field without a value cannot be said in a delta, where that
    /// takes a field away: the server does not hear of it.
    #[must_use]
    pub const fn requests(mut self, encoding: HandshakeEncoding) -> Self {
        self.requests = encoding;
        self
    }

    /// Sets how many channels a server lets a client have at a time, beside the first; 64 by default. It grants as
    /// many slots, and another whenever a channel ends.
    #[must_use]
    pub const fn max_channels(mut self, channels: u32) -> Self {
        self.max_channels = channels;
        self
    }

    /// Sets how much a peer may send on a channel before the application took it, in octets; 64 KiB by default, 256
    /// at the least and 2^32 - 1 at the most.
    #[must_use]
    pub const fn window(mut self, octets: u64) -> Self {
        self.window = match octets {
            ..LEAST_WINDOW => LEAST_WINDOW,
            LARGEST_WINDOW.. => LARGEST_WINDOW,
            octets => octets,
        };
        self
    }

    /// Sets how much of what is sent on a channel waits beside its connection for quota and for its turn, in octets;
    /// 64 KiB by default, and 64 at the least.
    #[must_use]
    pub const fn queue_limit(mut self, octets: usize) -> Self {
        self.queue_limit = if octets < LEAST_QUEUE { LEAST_QUEUE } else { octets };
        self
    }

    /// Sets how many slots a second a server gives back for channels that ended, since each opening costs a handshake;
    /// 100 by default, and 1 at the least. The first [`max_channels`](Self::max_channels) come at once.
    #[must_use]
    pub const fn openings_per_second(mut self, openings: u32) -> Self {
        self.openings_per_second = if openings == 0 { 1 } else { openings };
        self
    }

    /// Sets how large the handshake of a channel may be.
    #[must_use]
    pub const fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// How much of a channel is kept at the most. A frame costs at least one octet for each three that are kept of it,
    /// one that ends a message and has nothing else aside, of which there is one for each that begins one.
    pub(crate) fn most_inbound(&self) -> usize {
        usize::try_from(self.window.saturating_mul(4)).unwrap_or(usize::MAX).saturating_add(64)
    }

    /// How long a message of the physical connection may be that a peer has a reason to send: a whole window in one
    /// frame, or as large a handshake as is taken: a head, and 64 KiB of the body of a refusal.
    #[must_use]
    pub fn max_physical_message(&self) -> usize {
        const AROUND: usize = 1024;
        let window = usize::try_from(self.window).unwrap_or(usize::MAX);
        let handshake = self.head_limits.max_bytes().saturating_add(MOST_OF_BODY);
        window.max(handshake).saturating_add(AROUND)
    }
}
