//! What becomes of it when [somebody else](super::super::Closer) asks for the end.

use core::task::{Context, Poll};

use hybi_frame::Gathering;

use super::{AfterMessage, Driver, Takes};
use crate::socket::{
    Closer,
    io::{Timer, Transport},
    wakers::Half,
};

impl<T: Transport, C: Timer> Driver<T, C> {
    pub(crate) fn closer(&mut self) -> Closer {
        // Who waits already does not wait for this.
        self.wakers.call_all();
        let closer = self.asked.closer(self.connection.role());
        if self.is_closed() {
            self.asked.ended(self.connection.close_status().as_ref(), self.connection.error());
        }
        closer
    }

    /// Waits for somebody to ask; ready when the closing handshake was begun because of it.
    #[inline(never)]
    pub(super) fn poll_asked(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        self.asked.wake(self.wakers.join(half, cx.waker()));
        if self.close_if_asked(half) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Begins the closing handshake if somebody asked for it and nothing is in hand; says whether it did.
    ///
    /// A sender has in hand what answers the message that was handed out last, if nobody has waited for another
    /// since: that is to leave first, and so is what answers those that were read behind it. Some time after the last of
    /// them was handed out it is taken for one that only sends.
    pub(super) fn close_if_asked(&mut self, half: Half) -> bool {
        if !self.asked.is_asked() {
            return false;
        }
        let has_in_hand = half != Half::Receive
            && self.after_message == AfterMessage::AtOnce
            && self.senders_take != Takes::Nothing;
        // What waits to be written is on its way, whereas what was read may never be received.
        if has_in_hand && self.connection.queued_bytes() > 0 {
            return false;
        }
        let (timer, connection) = (&self.timer, &self.connection);
        let now = || (timer.now(), connection.stats().received.messages);
        let Some(frame) = self.asked.take(has_in_hand.then_some(now)) else {
            return false;
        };
        if !self.connection.is_within_pieces() {
            self.connection.set_gathering(Gathering::Whole);
            self.senders_take = Takes::Nothing;
        }
        self.connection.close_nearest(&frame);
        self.wakers.call_others(half);
        true
    }

    /// What somebody takes who would take this: nothing, once the end was asked for. A message that is being
    /// read in pieces is read to its end.
    pub(super) fn takes_now(&self, takes: Takes) -> Takes {
        if self.senders_take == Takes::Nothing { Takes::Nothing } else { takes }
    }
}
