//! Rate: how often a server lets channels be opened.

use core::time::Duration;
use std::time::Instant;

/// Slots that a server owes its client, and how fast it gives them.
///
/// Each opening costs a handshake, whatever becomes of it. The first slots come at once; those that follow come at most
/// so many a second.
#[derive(Debug)]
pub(super) struct SlotRate {
    per_second: u32,
    burst: u64,
    /// Slots that may be granted at once.
    tokens: u64,
    /// Since when the next one is in the making.
    since: Option<Instant>,
    supply: Supply,
}

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    Owed {
        all: u64,
        /// How many of them nobody has looked at.
        new: u64,
    },
    /// Nothing more is granted, whatever ends.
    Stopped,
}

impl SlotRate {
    /// All of `slots` are owed, and may be granted at once.
    pub(super) fn new(slots: u32, per_second: u32) -> Self {
        let burst = u64::from(slots);
        let supply = Supply::Owed { all: burst, new: burst };
        Self { per_second, burst, tokens: burst, since: None, supply }
    }

    pub(super) fn owe(&mut self, slots: u64) {
        if let Supply::Owed { all, new } = &mut self.supply {
            *all += slots;
            *new += slots;
        }
    }

    /// Nothing more is granted.
    pub(super) fn stop(&mut self) {
        self.supply = Supply::Stopped;
    }

    /// How many to grant now.
    pub(super) fn take(&mut self, now: Instant) -> u64 {
        let each = self.each();
        let since = *self.since.get_or_insert(now);
        let made = now.saturating_duration_since(since).as_nanos() / each.as_nanos();
        let made = u64::try_from(made).unwrap_or(u64::MAX);
        if self.tokens.saturating_add(made) >= self.burst {
            self.tokens = self.burst;
            self.since = Some(now);
        } else {
            self.tokens += made;
            // Fewer than a burst of them fit in it.
            self.since = Some(since + each * made as u32);
        }
        let Supply::Owed { all, new } = &mut self.supply else { return 0 };
        let granted = self.tokens.min(*all);
        *all -= granted;
        *new = 0;
        self.tokens -= granted;
        granted
    }

    /// When the next one can be granted; `None` if none is owed.
    pub(super) fn next_at(&self, now: Instant) -> Option<Instant> {
        if matches!(self.supply, Supply::Owed { all: 0, .. } | Supply::Stopped) {
            return None;
        }
        if self.tokens > 0 {
            return Some(now);
        }
        Some(self.since.map_or(now, |since| since + self.each()))
    }

    /// Whether more are owed than at the last [`take`](Self::take).
    pub(super) fn has_new(&self) -> bool {
        matches!(self.supply, Supply::Owed { new: 1.., .. })
    }

    fn each(&self) -> Duration {
        // No time at all would be over before the clock goes on.
        (Duration::from_secs(1) / self.per_second).max(Duration::from_nanos(1))
    }
}
