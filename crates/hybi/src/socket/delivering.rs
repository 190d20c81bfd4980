//! What a room does with a connection of a member: it delivers while the member receives.

use core::task::{Context, Poll};

use hybi_frame::CloseFrame;

use super::{
    WebSocket,
    access::Access as _,
    driver::Patience,
    io::{Timer, Transport},
    permit::HALF,
    received, sending,
};
use crate::connection::{Error, Message, Prepared, SendError};

impl<T: Transport, C: Timer> WebSocket<T, C> {
    /// As [`recv`](Self::recv).
    pub(crate) fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        received::poll_recv(&mut self.driver, &mut self.held, cx)
    }

    /// As [`flush`](Self::flush).
    pub(crate) fn poll_flush(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.driver().with(|driver| driver.poll_flush(cx, HALF, Patience::UntilClosed))
    }

    /// Sends what is queued, answers control frames and keeps the deadlines while its task waits for something
    /// else. Ready once nobody will read any more.
    pub(crate) fn poll_meanwhile(&mut self, cx: &Context<'_>) -> Poll<Error> {
        self.driver().with(|driver| driver.poll_meanwhile(cx, HALF))
    }

    /// How many bytes are to be queued until `mark` is reached: none while the transport takes nothing. `None`
    /// when nobody will read them.
    pub(crate) fn room_for_delivery(&self, mark: usize) -> Option<usize> {
        let connection = &self.driver.connection;
        if !connection.takes_messages() || !connection.is_receiving() {
            return None;
        }
        let is_blocked = connection.is_blocked() || connection.is_writing();
        Some(if is_blocked { 0 } else { mark.saturating_sub(connection.queued_bytes()) })
    }

    /// Queues a message of the room, whether there is room or not.
    pub(crate) fn deliver(&mut self, message: &Prepared) -> Result<(), SendError> {
        self.driver.with(|driver| {
            let mut message = Some(message.to_be_sent());
            driver.connection.queue_plain(&mut message);
            message.map_or(Ok(()), |message| sending::queue(driver, HALF, message))
        })
    }

    /// Begins the closing handshake with this code and reason, as far as the version has them.
    pub(crate) fn begin_closing(&mut self, frame: &CloseFrame) {
        self.driver.with(|driver| {
            driver.connection.close_nearest(frame);
            driver.wakers.call_others(HALF);
        });
    }
}
