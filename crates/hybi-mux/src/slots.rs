//! Slots: how many channels a client may still ask for, and what it may send on each at first.

use std::collections::VecDeque;

use crate::error::MuxViolation;
use crate::number;

/// So many grants with different quotas may wait. A server needs a few; one that sends any number of them would have a
/// client keep them all.
const MOST_GRANTS: usize = 1024;

/// The slots for channels that were granted and not used, in their order.
///
/// They are counted, not listed: to grant 2^63 - 1 at once is lawful.
///
/// ```
/// use hybi_mux::{MuxViolation, Slots};
///
/// let mut slots = Slots::default();
/// slots.grant(1, 100)?;
/// slots.grant(2, 8192)?;
/// assert_eq!((slots.take(), slots.take(), slots.left()), (Some(100), Some(8192), 1));
/// assert_eq!(slots.grant((1 << 63) - 1, 0), Err(MuxViolation::SlotOverflow));
/// # Ok::<(), MuxViolation>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// How many, and the quota of each.
    grants: VecDeque<(u64, u64)>,
    left: u64,
}

impl Slots {
    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Takes in a NewChannelSlot.
    ///
    /// # Errors
    ///
    /// [`MuxViolation::SlotOverflow`] if there would be 2^63 or more, or if more than 1,024 grants of different quotas
    /// wait; nothing changes then.
    pub fn grant(&mut self, slots: u64, quota: u64) -> Result<(), MuxViolation> {
        let sum = self.left.checked_add(slots).filter(|sum| *sum <= number::MAX);
        let sum = sum.ok_or(MuxViolation::SlotOverflow)?;
        let is_full = self.grants.len() == MOST_GRANTS;
        match self.grants.back_mut() {
            _ if slots == 0 => {}
            Some((count, same)) if *same == quota => *count += slots,
            _ if is_full => return Err(MuxViolation::SlotOverflow),
            _ => self.grants.push_back((slots, quota)),
        }
        self.left = sum;
        Ok(())
    }

    /// Uses the foremost: what may be sent on its channel at first. `None` if there is none, which for a client is no
    /// error: it waits, or opens another connection.
    pub fn take(&mut self) -> Option<u64> {
        let (count, quota) = self.grants.front_mut()?;
        let quota = *quota;
        *count -= 1;
        if *count == 0 {
            self.grants.pop_front();
        }
        self.left -= 1;
        Some(quota)
    }
}
