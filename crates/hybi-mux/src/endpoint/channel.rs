//! Channel: the state of one, a value for each direction.

use super::ended::Ended;
use super::heads::Fields;
use super::inbound::Inbound;
use super::outbound::Outbound;
use crate::channel_id::ChannelId;
use crate::flow::{ReceiveQuota, SendQuota};
use crate::revision::Revision;
use crate::sequence::FrameSequence;

/// So many octets are taken without quota for them. They leave within any time that a connection lets pass without
/// progress, unless the peer grants next to nothing.
const WITHOUT_QUOTA: usize = 2 * 1024;

/// A channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: ChannelId,
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    pub(super) holder: Holder,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) sequence: FrameSequence,
    pub(super) receive_quota: ReceiveQuota,
    pub(super) send_quota: SendQuota,
    /// What the peer is granted with the next FlowControl.
    pub(super) owed: u64,
    pub(super) turn: Turn,
    /// How many octets are left of its turn; less than none, of the next one.
    pub(super) credit: i64,
    pub(super) reader: Waiter,
    pub(super) writer: Waiter,
    /// Whether a slot was used for it.
    pub(super) origin: Origin,
    /// What requests may be relative to once this one is accepted.
    pub(super) fields: Option<Fields>,
}

/// What comes.
///
/// ```text
///            response              Close frame
///  Opening -----------> Open ---------------------> Closed
///     |                  | \ a rule of RFC 6455       |
///     | refusal          |  `------------> Failed     |
///     v                  v                    |       v
///   Ended <--------------+--------------------+-------+  a drop, the end of the physical connection,
///                                                        or a Close frame in the other direction as well
/// ```
#[derive(Debug)]
pub(super) enum Receiving {
    /// The answer to a request for it is on its way.
    Opening(Proof),
    Open,
    /// The peer's Close frame came.
    Closed,
    /// A frame came that the channel's connection fails of: nothing behind it is kept.
    Failed,
    /// Nothing more comes.
    Ended(Ended),
}

/// What the response to a request has to prove.
#[derive(Debug)]
pub(super) struct Proof(pub(super) String);

/// What leaves.
#[derive(Debug)]
pub(super) enum Sending {
    /// A handshake, of which this was written.
    Head(Vec<u8>),
    /// A handshake left, and frames follow when it is answered.
    Asked,
    Open,
    /// Our Close frame left. A Pong may follow.
    Closed,
    /// Nothing more leaves.
    Ended(Ended),
}

/// Who has the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Application,
    /// It was let go: what was taken leaves, and then it is dropped.
    Nobody,
}

/// Whether a channel waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    NotNeeded,
    Waits,
}

/// Whether somebody waits to read, or to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiter {
    Nobody,
    Somebody,
}

impl Waiter {
    /// Whether somebody waited, who is told now.
    pub(super) fn take(&mut self) -> bool {
        core::mem::replace(self, Self::Nobody) == Self::Somebody
    }
}

/// What a channel came of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The physical handshake.
    Physical,
    /// A slot, which a server gives back.
    Slot,
}

impl Channel {
    /// A channel on which a peer may send a `window`, and we `quota`.
    pub(super) fn new(
        id: ChannelId,
        revision: Revision,
        window: u64,
        quota: u64,
        origin: Origin,
    ) -> Self {
        Self {
            id,
            receiving: Receiving::Open,
            sending: Sending::Open,
            holder: Holder::Application,
            inbound: Inbound::default(),
            outbound: Outbound::default(),
            sequence: FrameSequence::default(),
            receive_quota: ReceiveQuota::new(window),
            send_quota: SendQuota::new(revision, quota),
            owed: 0,
            turn: Turn::NotNeeded,
            credit: 0,
            reader: Waiter::Nobody,
            writer: Waiter::Nobody,
            origin,
            fields: None,
        }
    }

    /// How many octets are taken now of what is written: as many as may leave, or as the peer once granted, or a short
    /// message. The rest waits with whoever writes, who sees by what is taken whether anything goes on.
    pub(super) fn room(&self, queue_limit: usize) -> usize {
        let may_leave = self.send_quota.left().max(self.send_quota.largest_grant());
        let may_leave = usize::try_from(may_leave).unwrap_or(usize::MAX);
        let most = may_leave.max(WITHOUT_QUOTA).min(queue_limit);
        most.saturating_sub(self.outbound.len())
    }

    /// Ends both directions. What came can still be read.
    pub(super) fn end(&mut self, how: &Ended) {
        if !matches!(self.receiving, Receiving::Ended(_)) {
            self.receiving = Receiving::Ended(how.clone());
        }
        self.end_sending(how);
    }

    /// Ends the sending direction alone; what waits to leave is gone.
    pub(super) fn end_sending(&mut self, how: &Ended) {
        if !matches!(self.sending, Sending::Ended(_)) {
            self.sending = Sending::Ended(how.clone());
        }
        self.outbound = Outbound::default();
    }

    /// Whether Close frames went both ways.
    pub(super) fn is_closed(&self) -> bool {
        matches!((&self.receiving, &self.sending), (Receiving::Closed, Sending::Closed))
    }
}
