//! Flow control of a channel: what may be sent, and what may come.

use crate::error::MuxViolation;
use crate::number;
use crate::revision::Revision;

/// What an endpoint may still send on a channel. Channel 0 has no such limit.
///
/// ```
/// use hybi_mux::{MuxViolation, Revision, SendQuota};
///
/// // Four octets: one for the message, three for its payload.
/// let mut quota = SendQuota::new(Revision::Ietf07, 4);
/// assert_eq!(quota.room(true, 5), Some(3));
/// quota.spend(true, 3);
/// assert_eq!(quota.room(false, 2), None, "until more is granted");
/// quota.grant(100)?;
/// assert_eq!(quota.room(false, 2), Some(2));
/// assert_eq!(quota.grant(u64::MAX), Err(MuxViolation::QuotaOverflow));
/// # Ok::<(), MuxViolation>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendQuota {
    revision: Revision,
    left: u64,
    largest_grant: u64,
}

impl SendQuota {
    /// So much at first.
    #[must_use]
    pub const fn new(revision: Revision, initial: u64) -> Self {
        Self { revision, left: initial, largest_grant: initial }
    }

    /// How much is left, in octets.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Takes in a FlowControl.
    ///
    /// # Errors
    ///
    /// [`MuxViolation::QuotaOverflow`] if it would be 2^63 or more; nothing changes then.
    pub fn grant(&mut self, quota: u64) -> Result<(), MuxViolation> {
        let sum = self.left.checked_add(quota).filter(|sum| *sum <= number::MAX);
        self.left = sum.ok_or(MuxViolation::QuotaOverflow)?;
        self.largest_grant = self.largest_grant.max(quota);
        Ok(())
    }

    /// The most that was ever granted at once: what the peer lets come is about as much.
    #[must_use]
    pub const fn largest_grant(&self) -> u64 {
        self.largest_grant
    }

    /// How many octets of a payload of `len` may leave now in a frame that `begins` a message or goes on with it;
    /// `None` as long as it has to wait. With one octet for the message and none for its payload it waits, lest a
    /// frame leave that says nothing.
    #[must_use]
    pub fn room(&self, begins: bool, len: u64) -> Option<u64> {
        let room = self.left.checked_sub(self.revision.cost(begins, 0))?;
        let part = room.min(len);
        (part > 0 || len == 0).then_some(part)
    }

    /// Notes that a frame with so much payload leaves, for which there was [room](Self::room).
    pub fn spend(&mut self, begins: bool, len: u64) {
        self.left = self.left.saturating_sub(self.revision.cost(begins, len));
    }
}

/// What the peer may still send on a channel, and what of it is to be granted again.
///
/// The quota bounds what is held for the application. It is given back when the application, or a message that is
/// being gathered, has taken what came: never before, and not octet by octet, but half a window at a time.
///
/// ```
/// use hybi_mux::{MuxViolation, ReceiveQuota};
///
/// let mut quota = ReceiveQuota::new(10);
/// quota.take(8)?;
/// assert_eq!(quota.take(3), Err(MuxViolation::QuotaViolation));
/// assert_eq!(quota.to_grant(), None, "nobody has taken it yet");
/// quota.consume(8);
/// assert_eq!(quota.to_grant(), Some(8));
/// assert_eq!((quota.left(), quota.to_grant()), (10, None));
/// # Ok::<(), MuxViolation>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveQuota {
    window: u64,
    left: u64,
    /// What came and was not consumed yet.
    held: u64,
}

impl ReceiveQuota {
    /// A window of so many octets, which the peer was granted. With fewer than two nothing but empty messages comes.
    #[must_use]
    pub const fn new(window: u64) -> Self {
        Self { window, left: window, held: 0 }
    }

    /// What the peer may still send.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Takes in a frame that [costs](Revision::cost) so much.
    ///
    /// # Errors
    ///
    /// [`MuxViolation::QuotaViolation`] if it costs more than was granted; nothing changes then.
    pub fn take(&mut self, cost: u64) -> Result<(), MuxViolation> {
        self.left = self.left.checked_sub(cost).ok_or(MuxViolation::QuotaViolation)?;
        self.held += cost;
        Ok(())
    }

    /// Notes that so much of what came was taken.
    pub fn consume(&mut self, cost: u64) {
        self.held = self.held.saturating_sub(cost);
    }

    /// What to grant with a FlowControl now, if it is worth one: half the window or more, or all that there can be
    /// where the peer has nothing left. It counts as granted.
    pub fn to_grant(&mut self) -> Option<u64> {
        let owed = self.window.saturating_sub(self.left).saturating_sub(self.held);
        let is_worth_it = owed > 0 && (owed >= self.window / 2 || self.left == 0);
        is_worth_it.then(|| {
            self.left += owed;
            owed
        })
    }
}
