//! Member: a connection in a room, and what is delivered to it.

use core::{
    fmt,
    future::poll_fn,
    task::{Context, Poll, ready},
};
use std::sync::Arc;

use hybi_frame::{CloseCode, CloseFrame};

use super::{
    Deliveries, Direct, Sent, Slow, payload,
    queue::{Entry, Queue, Standing},
    room::{Room, To},
};
use crate::{
    connection::{CloseStatus, Error, Message, Outgoing, SendError},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// A connection in a room: it receives what its own peer says, and delivers meanwhile what the room has for that
/// peer. [`Broadcast::join`](super::Broadcast::join) gives it.
///
/// It is the handle of one task. Dropping it leaves the room and drops the connection.
///
/// ```
/// use hybi::{Broadcast, Error, WebSocket, io::{Timer, Transport}};
///
/// /// What one says, all others hear.
/// async fn talk<T: Transport, C: Timer>(
///     room: &Broadcast,
///     ws: WebSocket<T, C>,
/// ) -> Result<(), Error> {
///     let mut member = room.join(ws);
///     while let Some(message) = member.recv().await? {
///         member.tell_others(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Cancel safety
///
/// Every method may be dropped at any point: no message that arrived is lost, and none that waits in the room is.
pub struct Member<T, C> {
    seat: Seat,
    /// What was taken out of the queue and is about to be sent. Empty between two calls.
    batch: Vec<Entry>,
    /// More waited than there was room for.
    more: bool,
    ws: WebSocket<T, C>,
}

/// A place in the room; dropping it leaves.
pub(super) struct Seat {
    room: Arc<Room>,
    id: u64,
    queue: Arc<Queue>,
}

impl Seat {
    fn leave(&self) {
        self.room.leave(self.id);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Why a member is closed whose queue is full; short enough for a Close frame.
const TOO_SLOW: &str = "reads too slowly";

/// What is delivered in one turn of a member, in bytes about: it leaves in one write. While so much waits for the
/// transport, the rest stays in the queue of the room, where payloads are shared.
const BATCH: usize = 64 * 1024;

impl<T: Transport, C: Timer> Member<T, C> {
    pub(super) fn new(room: &Arc<Room>, ws: WebSocket<T, C>) -> Self {
        let (id, queue) = room.join();
        let seat = Seat { room: room.clone(), id, queue };
        Self { seat, batch: Vec::new(), more: false, ws }
    }

    /// Receives the next message of this peer, and delivers what the room has for it meanwhile: all that waits
    /// in one write.
    ///
    /// `None`, errors and cancel safety are those of [`WebSocket::recv`]. A member that the room
    /// [closes](Slow) receives on until the end of its closing handshake.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`]. With the first, or `None`, the member has left the room.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        // What a second turn leaves to be done is for after others had theirs.
        for _ in 0..2 {
            self.deliver(cx);
            if let Poll::Ready(received) = self.ws.poll_recv(cx) {
                if !matches!(received, Ok(Some(_))) {
                    self.seat.leave();
                }
                return Poll::Ready(received);
            }
            if !self.can_go_on() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether more waits in the room, and the transport takes it.
    fn can_go_on(&self) -> bool {
        self.more && self.ws.room_for_delivery(BATCH).is_some_and(|room| room > 0)
    }

    /// Queues what the room has, as much as the transport takes soon.
    fn deliver(&mut self, cx: &Context<'_>) {
        let Some(room) = self.ws.room_for_delivery(BATCH) else {
            // The peer reads no more. Nobody is to wait for it.
            self.more = false;
            return self.seat.leave();
        };
        let taken = self.seat.queue.take(cx, room, &mut self.batch);
        self.more = taken.more;
        let mut refused = 0;
        for entry in self.batch.drain(..) {
            // Only what the version lacks is refused, or what no connection takes.
            if self.ws.deliver(&entry.message).is_err() {
                refused += 1;
            }
        }
        if refused > 0 {
            self.seat.queue.was_dropped(refused);
        }
        if taken.standing == Standing::TooSlow {
            let code = match self.seat.room.bounds.slow {
                Slow::TryAgainLater => CloseCode::TRY_AGAIN_LATER,
                _ => CloseCode::POLICY_VIOLATION,
            };
            if let Ok(frame) = CloseFrame::new(code, TOO_SLOW) {
                self.ws.begin_closing(&frame);
            }
            self.seat.leave();
        }
    }

    /// Sends a message to all other members. With [`Slow::Wait`] it waits until each of them has room, and goes on
    /// delivering to this one meanwhile; otherwise it never waits.
    ///
    /// Cancel safe: the message went to all, or to none.
    ///
    /// # Errors
    ///
    /// The error that ended this connection while it waited, with the message.
    pub async fn tell_others<'m>(
        &mut self,
        message: impl Into<Outgoing<'m>>,
    ) -> Result<Sent, SendError> {
        self.tell(To::AllBut(self.seat.id), payload(message.into()), None).await
    }

    /// Sends a message to all members, this one among them: in a room where all see the same, each sees its own words
    /// where the others see them. Otherwise as [`tell_others`](Self::tell_others).
    ///
    /// ```
    /// use hybi::{Broadcast, Error, WebSocket, io::{Timer, Transport}};
    ///
    /// /// A game whose moves are made when all hear of them.
    /// async fn play<T: Transport, C: Timer>(
    ///     game: &Broadcast,
    ///     ws: WebSocket<T, C>,
    /// ) -> Result<(), Error> {
    ///     let mut player = game.join(ws);
    ///     while let Some(made) = player.recv().await? {
    ///         player.tell_all(made).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`tell_others`](Self::tell_others).
    pub async fn tell_all<'m>(
        &mut self,
        message: impl Into<Outgoing<'m>>,
    ) -> Result<Sent, SendError> {
        self.tell(To::All, payload(message.into()), None).await
    }

    /// The same with a key: at members where an earlier message with it waits still, this one takes its place.
    ///
    /// # Errors
    ///
    /// As [`tell_others`](Self::tell_others).
    pub async fn tell_others_keyed<'m>(
        &mut self,
        key: &str,
        message: impl Into<Outgoing<'m>>,
    ) -> Result<Sent, SendError> {
        self.tell(To::AllBut(self.seat.id), payload(message.into()), Some(key.into())).await
    }

    async fn tell(
        &mut self,
        to: To,
        message: crate::Prepared,
        key: Option<Arc<str>>,
    ) -> Result<Sent, SendError> {
        let room = self.seat.room.clone();
        let mut sending = room.sending(to, message.clone(), key);
        poll_fn(|cx| {
            if let Some(sent) = sending.put(Some(cx)) {
                return Poll::Ready(Ok(sent));
            }
            // Two that waited for each other would otherwise wait for ever.
            for _ in 0..2 {
                self.deliver(cx);
                if let Poll::Ready(error) = self.ws.poll_meanwhile(cx) {
                    let message = Outgoing::from(message.clone());
                    return Poll::Ready(Err(SendError::new(error, Some(message))));
                }
                if !self.can_go_on() {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Sends a message to this peer alone. It goes behind what the room has delivered, and before what still
    /// waits there because the peer reads slowly; [`direct`](Self::direct) gives a handle that keeps the order.
    ///
    /// Otherwise as [`WebSocket::send`].
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`].
    pub async fn send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        let message = message.into();
        poll_fn(|cx| {
            self.deliver(cx);
            Poll::Ready(())
        })
        .await;
        self.ws.send(message).await
    }

    /// Delivers all that the room has for this peer. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::flush`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| {
            for _ in 0..2 {
                self.deliver(cx);
                ready!(self.ws.poll_flush(cx))?;
                if !self.more {
                    return Poll::Ready(Ok(()));
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Leaves the room and ends the connection in order, as [`WebSocket::close`] does. What waits in the room is
    /// not delivered any more; [`flush`](Self::flush) delivers it.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::close`].
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        self.seat.leave();
        self.ws.close(code, reason).await
    }

    /// Leaves the room and gives the connection back. What waits in the room is not delivered any more;
    /// [`flush`](Self::flush) delivers it.
    #[must_use]
    pub fn leave(self) -> WebSocket<T, C> {
        self.ws
    }

    /// A handle by which anybody sends to this member alone, in one order with what the room sends.
    #[must_use]
    pub fn direct(&self) -> Direct {
        Direct::new(self.seat.room.clone(), self.seat.id)
    }

    /// What was delivered to this member, what waits for it, and what it will never get.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        self.seat.queue.deliveries()
    }

    /// The connection, to look at.
    #[must_use]
    pub fn websocket(&self) -> &WebSocket<T, C> {
        &self.ws
    }

    /// The connection, to use it in other ways. Whoever receives by it delivers nothing meanwhile.
    #[must_use]
    pub fn websocket_mut(&mut self) -> &mut WebSocket<T, C> {
        &mut self.ws
    }
}

impl<T, C> fmt::Debug for Member<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", &self.seat.id)
            .field("deliveries", &self.seat.queue.deliveries())
            .finish_non_exhaustive()
    }
}
