//! Leaving: what is sent, whose turn it is, and how channels are let go.

use std::time::Instant;

use super::channel::{Channel, Holder, Origin, Receiving, Sending, Turn};
use super::{ChannelKey, Ended, Endpoint, Event, Side, State};
use crate::block::{ControlBlock, DropReason};
use crate::channel_id::ChannelId;
use crate::error::DropCode;
use crate::revision::Revision;

/// What a channel sends in its turn, in octets. A frame that is begun within its turn is not cut for it: what it had too
/// much, it has less the next time.
const QUANTUM: i64 = 16 * 1024 + AROUND;

/// What a message costs beside its payload.
const AROUND: i64 = 8;

/// The most of one frame: 16 KiB. No message costs more than a turn has, or what a channel owes would grow for as long
/// as it sends.
const MOST: usize = (QUANTUM - AROUND) as usize;

/// What a client is told whose request nobody looked at.
const NOBODY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

impl Endpoint {
    /// Appends the next message to send to `out`, if there is one.
    pub fn poll_message(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        self.grant_slots(now);
        self.say_grants();
        while self.control.is_empty() {
            // A channel that has to be let go when its turn comes is dropped in a block.
            let Some(&key) = self.turns.front() else { return false };
            if self.take_turn(key, out) {
                return true;
            }
        }
        self.control.pop(out);
        true
    }

    /// Whether [`poll_message`](Self::poll_message) may have a message. Slots that have to wait it has
    /// [later](Self::next_slots_at).
    #[must_use]
    pub fn has_output(&self) -> bool {
        let has_slots = match &self.side {
            Side::Server { rate, .. } => self.state == State::Open && rate.has_new(),
            Side::Client { .. } => false,
        };
        has_slots || !self.control.is_empty() || !self.grants.is_empty() || !self.turns.is_empty()
    }

    /// When [`poll_message`](Self::poll_message) has slots to grant; `None` if it has none.
    #[must_use]
    pub fn next_slots_at(&self, now: Instant) -> Option<Instant> {
        match &self.side {
            Side::Server { rate, .. } if self.state == State::Open => rate.next_at(now),
            _ => None,
        }
    }

    fn grant_slots(&mut self, now: Instant) {
        let Side::Server { granted, rate, .. } = &mut self.side else { return };
        if self.state != State::Open {
            return;
        }
        let slots = rate.take(now);
        if slots > 0 {
            *granted += slots;
            let quota = self.config.window;
            self.control.say(&[ControlBlock::NewChannelSlot { slots, quota, is_fallback: false }]);
        }
    }

    /// Says that there will be no more channels, as server: to a client that asks for them elsewhere then. Slots that
    /// were granted stay granted. Before ietf-05 nothing can say it.
    pub fn stop_slots(&mut self) {
        if let (Side::Server { rate, .. }, State::Open) = (&mut self.side, &self.state) {
            rate.stop();
            if self.config.revision != Revision::Ietf03 {
                let (slots, quota) = (0, 0);
                let last = ControlBlock::NewChannelSlot { slots, quota, is_fallback: true };
                self.control.say(&[last]);
            }
        }
    }

    fn say_grants(&mut self) {
        while let Some(key) = self.grants.pop_front() {
            let Some(Channel { id, owed, .. }) = self.channels.get_mut(key) else { continue };
            let (channel, quota) = (*id, core::mem::take(owed));
            // Who is told behind the end of a channel takes it for the next one of this id.
            if quota > 0 && self.by_id.get(&channel) == Some(&key) {
                self.control.say(&[ControlBlock::FlowControl { channel, quota }]);
            }
        }
    }

    /// Puts a channel in the row, if it has something to send.
    pub(super) fn schedule(&mut self, key: ChannelKey) {
        let channel = &mut self.channels[key];
        if channel.turn == Turn::NotNeeded && !channel.outbound.is_empty() {
            channel.turn = Turn::Waits;
            self.turns.push_back(key);
        }
    }

    /// Lets the first of the row send; whether it did.
    fn take_turn(&mut self, key: ChannelKey, out: &mut Vec<u8>) -> bool {
        let Some(channel) = self.channels.get_mut(key).filter(|it| it.turn == Turn::Waits) else {
            self.turns.pop_front();
            return false;
        };
        if channel.credit <= 0 {
            channel.credit += QUANTUM;
        }
        let popped = channel.outbound.pop(channel.id, &mut channel.send_quota, MOST, out);
        let Ok(popped) = popped else {
            // Somebody wrote to the transport of a channel.
            self.leave_row(key);
            self.drop_channel(key, DropCode::LOGICAL_CHANNEL_FAILED, "no frame was written");
            return false;
        };
        let Some(left) = popped else {
            // It waits for quota, or for the rest of what it sends.
            channel.credit = channel.credit.min(0);
            self.leave_row(key);
            self.let_go_if_stuck(key);
            return false;
        };
        channel.credit -= left.payload_len as i64 + AROUND;
        if left.is_close {
            channel.sending = Sending::Closed;
        }
        if channel.outbound.is_empty() {
            channel.credit = channel.credit.min(0);
            self.leave_row(key);
        } else if channel.credit <= 0 {
            self.turns.rotate_left(1);
        }
        self.has_room(key);
        self.settle(key);
        true
    }

    fn leave_row(&mut self, key: ChannelKey) {
        self.channels[key].turn = Turn::NotNeeded;
        self.turns.pop_front();
    }

    /// Tells whoever waits to write.
    pub(super) fn has_room(&mut self, key: ChannelKey) {
        let channel = &mut self.channels[key];
        let queue_limit = self.config.queue_limit;
        let has_room = channel.outbound.len() <= queue_limit / 2 && channel.room(queue_limit) > 0
            || channel.outbound.fits(&channel.send_quota);
        if has_room && channel.writer.take() {
            self.announce(Event::Writable(key));
        }
    }

    /// Does what follows from the state of a channel whose directions changed.
    pub(super) fn settle(&mut self, key: ChannelKey) {
        let channel = &mut self.channels[key];
        if channel.is_closed() {
            channel.end_sending(&Ended::InOrder);
            self.forget(key);
            self.tell(key);
            self.remove_if_over(key);
        } else if channel.holder == Holder::Nobody && channel.outbound.is_empty() {
            self.let_go(key);
        }
    }

    /// Lets a channel go that its application no longer has. What was taken and was [flushed](Self::is_flushed)
    /// leaves first. The peer is told, unless Close frames went both ways.
    pub fn release(&mut self, key: ChannelKey) {
        let role = self.role();
        let channel = &mut self.channels[key];
        channel.holder = Holder::Nobody;
        channel.inbound = Default::default();
        match &mut channel.sending {
            Sending::Head(head) if role == hybi_frame::Role::Server => {
                let head = core::mem::take(head);
                self.refuse(key, if head.is_empty() { NOBODY } else { &head });
            }
            Sending::Head(_) => {
                self.give_up_slot(key);
                self.channels[key].end(&Ended::Refused);
            }
            Sending::Ended(_) => {}
            Sending::Asked | Sending::Open | Sending::Closed => {
                if matches!(channel.receiving, Receiving::Open) {
                    channel.receiving = Receiving::Failed;
                }
                // What waits for quota had left the row, and nobody else would look at it again.
                self.schedule(key);
                self.settle(key);
                return;
            }
        }
        self.remove_if_over(key);
    }

    /// A request that was not written, as client, uses no slot.
    fn give_up_slot(&mut self, key: ChannelKey) {
        if let (Side::Client { reserved, .. }, Sending::Head(_)) =
            (&mut self.side, &self.channels[key].sending)
        {
            *reserved -= 1;
            self.announce(Event::Slots);
        }
    }

    /// A channel that nobody has can send no more of what it has: it was not said to be flushed.
    fn let_go_if_stuck(&mut self, key: ChannelKey) {
        if self.channels[key].holder == Holder::Nobody {
            self.let_go(key);
        }
    }

    fn let_go(&mut self, key: ChannelKey) {
        let code = match self.channels[key].sending {
            Sending::Closed => DropCode::NORMAL,
            _ => DropCode::LOGICAL_CHANNEL_FAILED,
        };
        self.drop_channel(key, code, "");
    }

    /// Drops a channel without a closing handshake, and says why.
    pub fn drop_channel(&mut self, key: ChannelKey, code: DropCode, reason: &str) {
        let id = self.channels[key].id;
        if self.by_id.get(&id) == Some(&key) {
            self.say_dropped(id, code, reason);
        }
        self.give_up_slot(key);
        self.end_channel(key, &Ended::Dropped { code, reason: reason.to_owned() });
    }

    /// Says that a channel is dropped, or all of them.
    pub(super) fn say_dropped(&mut self, channel: ChannelId, code: DropCode, reason: &str) {
        let reason = match self.config.revision {
            Revision::Ietf03 => DropReason::MuxError(reason),
            _ => DropReason::Code(code, reason),
        };
        self.control.say(&[ControlBlock::DropChannel { channel, reason }]);
    }

    /// Forgets a channel that nobody has and the peer does not know.
    pub(super) fn remove_if_over(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let is_known = self.by_id.get(&channel.id) == Some(&key);
        if channel.holder != Holder::Nobody || is_known {
            return;
        }
        let (origin, turn) = (channel.origin, channel.turn);
        if turn == Turn::Waits {
            // Another channel with this key would have a turn more in each round.
            self.turns.retain(|waits| *waits != key);
        }
        self.channels.remove(key);
        if let (Origin::Slot, Side::Server { rate, .. }) = (origin, &mut self.side) {
            rate.owe(1);
        }
    }
}
