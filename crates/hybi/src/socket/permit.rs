//! Permit: leave to queue one message; and sending while a received message is lent.

use core::mem;
use std::sync::Arc;

use super::{
    access::{Access, Shared, Way},
    driver::Driver,
    io::{Timer, Transport},
    sending::{self, Leave},
    wakers::Half,
};
use crate::connection::{Error, Outgoing, SendError};

/// Leave to queue one message: there is room for it.
///
/// Waiting for it may be cancelled, and nothing is lost by that, since no message is involved yet.
///
/// ```
/// use hybi::{Error, WebSocket, io::{Timer, Transport}};
///
/// /// Takes a job from the queue only when its result can be sent.
/// async fn work<T: Transport, C: Timer>(
///     ws: &mut WebSocket<T, C>,
///     jobs: &mut Vec<String>,
/// ) -> Result<(), Error> {
///     loop {
///         let permit = ws.ready().await?;
///         let Some(job) = jobs.pop() else { break };
///         permit.send(job)?;
///     }
///     ws.flush().await
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped sends nothing"]
pub struct Permit<'a, T, C> {
    way: Way<'a, T, C>,
    /// What the handle remembers of it.
    leave: &'a mut Leave,
    half: Half,
}

impl<'a, T: Transport, C: Timer> Permit<'a, T, C> {
    pub(super) fn own(driver: &'a mut Driver<T, C>, leave: &'a mut Leave) -> Self {
        Self { way: Way::Own(driver), leave, half: HALF }
    }

    pub(super) fn shared(shared: &'a Arc<Shared<T, C>>, leave: &'a mut Leave, half: Half) -> Self {
        Self { way: Way::Shared(shared), leave, half }
    }

    /// Queues a message; it leaves as one that was [fed](super::WebSocket::feed).
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`](super::WebSocket::send), never [`Error::Full`]. The message is given back.
    pub fn send<'m>(mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        let (half, message) = (self.half, message.into());
        *self.leave = Leave::None;
        self.way.with(|driver| sending::queue(driver, half, message))
    }
}

/// Sends while a received message is lent, that message for example.
///
/// [`WebSocket::recv_to_answer`](super::WebSocket::recv_to_answer) gives it, and has an example.
#[derive(Debug)]
pub struct Answering<'a, T, C> {
    pub(super) driver: &'a mut Driver<T, C>,
    pub(super) leave: &'a mut Leave,
}

impl<T: Transport, C: Timer> Answering<'_, T, C> {
    /// As [`WebSocket::send`](super::WebSocket::send).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send<'a>(
        &'a mut self,
        message: impl Into<Outgoing<'a>>,
    ) -> impl Future<Output = Result<(), SendError>> {
        *self.leave = Leave::None;
        sending::send(self.driver, HALF, message.into())
    }

    /// As [`WebSocket::feed`](super::WebSocket::feed).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn feed<'a>(
        &'a mut self,
        message: impl Into<Outgoing<'a>>,
    ) -> impl Future<Output = Result<(), SendError>> {
        *self.leave = Leave::None;
        sending::feed(self.driver, HALF, message.into())
    }

    /// As [`WebSocket::try_send`](super::WebSocket::try_send).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        let leave = mem::take(self.leave);
        sending::try_send(self.driver, HALF, leave, message.into())
    }

    /// As [`WebSocket::flush`](super::WebSocket::flush).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn flush(&mut self) -> Result<(), Error> {
        sending::flush(self.driver, HALF).await
    }
}

/// The sending half of a handle that has the connection to itself.
pub(super) const HALF: Half = Half::Send(0);
