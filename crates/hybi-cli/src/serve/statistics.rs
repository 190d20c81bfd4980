//! Statistics: what a server has done so far, at one moment, as the line that SIGUSR1 asks for.

use core::fmt;
use core::ops::AddAssign;
use core::time::Duration;

use hybi::{Traffic, Version};

use crate::values::version_name;

/// Messages and their bytes in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl From<Traffic> for Flow {
    fn from(traffic: Traffic) -> Self {
        Self { messages: traffic.messages, bytes: traffic.payload_bytes }
    }
}

impl AddAssign for Flow {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// As the access log writes it: `MESSAGES/BYTES`.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.messages, self.bytes)
    }
}

/// How many there are, and how many there have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) open: u64,
    pub(crate) total: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.open += other.open;
        self.total += other.total;
    }
}

/// Written as `OPEN/TOTAL`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.open, self.total)
    }
}

/// All of it at one moment, as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statistics {
    pub(crate) uptime: Duration,
    /// TCP connections and their like, whatever is spoken on them.
    pub(crate) transports: Tally,
    /// Those that were asked for within a connection.
    pub(crate) channels: Tally,
    /// WebSocket connections, for each version that is accepted.
    pub(crate) connections: Vec<(Version, Tally)>,
    /// Requests that were answered with something else than a connection: pages and refusals.
    pub(crate) answers: u64,
    /// Transports beyond a ceiling.
    pub(crate) turned_away: u64,
    pub(crate) received: Flow,
    pub(crate) sent: Flow,
    pub(crate) draining: bool,
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Tally::default();
        for (_, tally) in &self.connections {
            all += *tally;
        }
        write!(
            f,
            "statistics uptime={:.6} transports={} channels={} connections={all}",
            self.uptime.as_secs_f64(),
            self.transports,
            self.channels
        )?;
        for (version, tally) in &self.connections {
            write!(f, " {}={tally}", version_name(*version))?;
        }
        write!(
            f,
            " answers={} turned_away={} in={} out={} draining={}",
            self.answers, self.turned_away, self.received, self.sent, self.draining
        )
    }
}
