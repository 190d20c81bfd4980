//! The end of a server: how it is to come about, at which rate, and the report of it.

use core::{fmt, net::SocketAddr, num::NonZero, time::Duration};
use std::time::Instant;

use hybi_frame::{CloseCode, CloseFrame, FrameRules, Role};

use crate::connection::{Error, after};

/// How a server ends: what peers are told, how fast, and how long it is waited for them.
///
/// Connections are closed in the order in which they were accepted, 1,000 a second by default: if all came back
/// at once, they would overrun whoever takes them over. What is still there after the deadline, 25 seconds by
/// default, is cut.
///
/// ```
/// use core::time::Duration;
/// use hybi::{CloseCode, serve::Drain};
///
/// // A new version starts: come back, within the next half minute.
/// let drain = Drain::default()
///     .close_with(CloseCode::SERVICE_RESTART, "new version")?
///     .over(Duration::from_secs(30))
///     .deadline(Duration::from_secs(45))
///     .retry_after(Duration::from_secs(5));
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Drain {
    pub(super) code: CloseCode,
    pub(super) reason: String,
    pace: Pace,
    pub(super) deadline: Duration,
    pub(super) retry_after: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    PerSecond(NonZero<u32>),
    Over(Duration),
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            code: CloseCode::GOING_AWAY,
            reason: "server going away".to_owned(),
            pace: Pace::PerSecond(NonZero::new(1000).unwrap_or(NonZero::<u32>::MIN)),
            deadline: Duration::from_secs(25),
            retry_after: Duration::from_secs(1),
        }
    }
}

impl Drain {
    /// Sets what the peers are told: 1001, `server going away`, by default.
    /// [1012](CloseCode::SERVICE_RESTART) says that it is worth to come back; versions that do not know it get
    /// what is nearest to it.
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if a server must not send `code`, or `reason` is longer than 123 bytes.
    pub fn close_with(mut self, code: CloseCode, reason: &str) -> Result<Self, Error> {
        CloseFrame::for_version(FrameRules::RFC6455, Role::Server, code, reason)?;
        (self.code, self.reason) = (code, reason.to_owned());
        Ok(self)
    }

    /// Closes so many connections each second.
    #[must_use]
    pub fn per_second(mut self, connections: NonZero<u32>) -> Self {
        self.pace = Pace::PerSecond(connections);
        self
    }

    /// Closes all connections within this time, at an even rate; zero is at once. Leave time until the
    /// [deadline](Self::deadline) for the last of them.
    #[must_use]
    pub fn over(mut self, window: Duration) -> Self {
        self.pace = Pace::Over(window);
        self
    }

    /// Sets how long all of it may take. What is not over by then is cut.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the `Retry-After` of the 503 that requests get meanwhile, in whole seconds, rounded up; 1 by default.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = time;
        self
    }

    /// The time from one connection to the next, of so many.
    pub(super) fn step(&self, connections: usize) -> Duration {
        match self.pace {
            Pace::PerSecond(rate) => Duration::from_secs(1) / rate.get(),
            Pace::Over(window) => window / u32::try_from(connections.max(1)).unwrap_or(u32::MAX),
        }
    }
}

/// When which connection is to be closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pacing {
    pub(super) began: Instant,
    pub(super) step: Duration,
    pub(super) told: u32,
}

impl Pacing {
    /// When the next is due.
    pub(super) fn next(&self) -> Instant {
        after(self.began, self.step.saturating_mul(self.told))
    }
}

/// What became of the connections of a server that ended, from when the end was asked for.
///
/// ```
/// use hybi::serve::Drained;
///
/// fn tell(report: &Drained) {
///     println!("{report}");
///     for cut in &report.cut {
///         eprintln!("  {cut}");
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// How many connections ended in order, by a closing handshake.
    pub closed: usize,
    /// How many ended otherwise without being cut: their peers vanished, or their handlers dropped them.
    pub lost: usize,
    /// How many requests were answered with 503.
    pub refused: usize,
    /// Who was cut, in the order of acceptance: at the deadline, or because the peer did not do its part of the
    /// closing handshake [in time](crate::Config::close_timeout).
    pub cut: Vec<Cut>,
}

/// A connection that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// Who it was with; `None` if the transport has no such address.
    pub peer: Option<SocketAddr>,
    /// How far it was.
    pub stage: Stage,
}

/// How far a connection was that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// TLS or the opening handshake was not over.
    Opening,
    /// It was open: its turn had not come, or its handler did not look at it.
    Open,
    /// The closing handshake had begun, and the peer did not answer, or did not read what was in front of it.
    Closing,
    /// It was over, and its handler was not.
    Ended,
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { closed, lost, refused, cut } = self;
        let cut = cut.len();
        write!(f, "{closed} closed in order, {lost} lost, {cut} cut, {refused} requests refused")
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{peer}: cut {}", self.stage),
            None => write!(f, "a peer without an address: cut {}", self.stage),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opening => "in the opening handshake",
            Self::Open => "while open",
            Self::Closing => "in the closing handshake",
            Self::Ended => "after the connection, in its handler",
        })
    }
}
