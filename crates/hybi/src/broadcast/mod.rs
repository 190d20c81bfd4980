//! Broadcast: one message for many connections, each of which reads as fast as it can.
//!
//! A room has members, each with a bounded queue of messages whose payloads they share. What becomes of a message
//! that finds a queue full is the room's [policy](Slow).
//!
//! ```text
//!  send --> one lock: an order for all --> queue of a member --Member::recv--> outbox --> one write
//!                                      \-> queue of a member --Member::recv--> ...
//! ```

mod member;
#[cfg(test)]
mod model;
mod queue;
mod room;

use core::{fmt, future::poll_fn, task::Poll};
use std::sync::Arc;

use hybi_frame::Utf8Bytes;

pub use self::member::Member;
use self::room::{Room, To};
use crate::{
    connection::{Body, Message, Outgoing, Prepared},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// A room: what is sent to it goes to all its members. Clones are the same room.
///
/// Each member has a queue of its own, bounded in messages and in bytes, of payloads that all share: a message is
/// encoded once for all members that agreed on the same compression. All members get all messages in the same
/// order. No member that reads slowly, or not at all, costs the others anything, unless the policy is
/// [`Slow::Wait`].
///
/// ```
/// use hybi::{Broadcast, Error, Slow, WebSocket, io::{Timer, Transport}};
///
/// /// Prices for everybody: of each kind, whoever is slow gets the newest.
/// let prices = Broadcast::builder().max_messages(100).slow(Slow::DropOldest).build();
///
/// async fn tell(prices: &Broadcast) {
///     prices.send_keyed("EUR/USD", "EUR/USD 1.08").await;
/// }
///
/// async fn listen<T: Transport, C: Timer>(
///     prices: &Broadcast,
///     ws: WebSocket<T, C>,
/// ) -> Result<(), Error> {
///     let mut member = prices.join(ws);
///     // What the peer says is of no interest here, but its Close frame is.
///     while member.recv().await?.is_some() {}
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Broadcast(Arc<Room>);

/// What becomes of a message for a member whose queue is full.
///
/// Whatever it is, it can be seen: by the peer that is closed, by the sender in [`Sent`], and by the member's task
/// in [`Deliveries`].
///
/// ```
/// use hybi::{Broadcast, Slow};
///
/// let room = Broadcast::builder().slow(Slow::TryAgainLater).build();
/// assert!(room.is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Slow {
    /// The member is closed with code 1008, behind what was delivered to it already.
    #[default]
    Close,
    /// The same with code 1013, after which a client may come back.
    TryAgainLater,
    /// What waited for longest is dropped, as much as is needed.
    DropOldest,
    /// The new message is dropped, for this member.
    DropNewest,
    /// Whoever sends waits, until each member has room. A member that does not read holds up all then, until
    /// [`Config::write_timeout`](crate::Config::write_timeout) ends it; and so does one whose task does not call
    /// [`Member::recv`].
    Wait,
}

/// What the queue of a member may hold, and what happens to it beyond.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    max_messages: usize,
    max_bytes: usize,
    slow: Slow,
}

/// What became of one message that was sent to a room.
///
/// ```
/// use hybi::{Broadcast, Slow};
///
/// let sent = Broadcast::new().try_send("is anybody here?").expect("it does not wait");
/// assert_eq!((sent.members, sent.dropped, sent.closed), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// How many members have it in their queues.
    pub members: usize,
    /// How many messages were dropped for it or with it, at all members together.
    pub dropped: u64,
    /// How many members are closed because of it.
    pub closed: usize,
}

/// What became of the messages for one member.
///
/// [`Member::deliveries`] gives it.
///
/// ```
/// let none = hybi::Deliveries::default();
/// assert_eq!((none.delivered, none.waiting, none.dropped, none.replaced), (0, 0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deliveries {
    /// How many were handed to the connection.
    pub delivered: u64,
    /// How many wait.
    pub waiting: u64,
    /// How many it will never get: by the policy, because its version has no such messages, or because it ended
    /// before.
    pub dropped: u64,
    /// How many gave their place to a newer one with the same key.
    pub replaced: u64,
}

/// Choices about a room.
///
/// ```
/// use hybi::{Broadcast, Slow};
///
/// let room = Broadcast::builder().max_messages(16).max_bytes(64 * 1024).slow(Slow::DropNewest).build();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BroadcastBuilder(Bounds);

impl Default for BroadcastBuilder {
    fn default() -> Self {
        Self(Bounds { max_messages: 256, max_bytes: 1024 * 1024, slow: Slow::default() })
    }
}

impl BroadcastBuilder {
    /// Sets how many messages may wait for one member; 256 by default, and at least one always may.
    #[must_use]
    pub fn max_messages(mut self, messages: usize) -> Self {
        self.0.max_messages = messages;
        self
    }

    /// Sets how many bytes of payload may wait for one member; 1 MiB by default. A single message that is longer
    /// is taken when nothing else waits.
    ///
    /// What waits in the queue is shared between all members. Beside it a member whose peer does not read holds what
    /// was on its way to the transport: 64 KiB and a message.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.0.max_bytes = bytes;
        self
    }

    /// Sets what becomes of a message for a member whose queue is full; [`Slow::Close`] by default.
    #[must_use]
    pub fn slow(mut self, policy: Slow) -> Self {
        self.0.slow = policy;
        self
    }

    /// The room.
    #[must_use]
    pub fn build(self) -> Broadcast {
        Broadcast(Arc::new(Room::new(self.0)))
    }
}

impl Default for Broadcast {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Broadcast {
    /// A room with the defaults: 256 messages and 1 MiB for each member, and who is slower than that is closed
    /// with 1008.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A room with other choices.
    #[must_use]
    pub fn builder() -> BroadcastBuilder {
        BroadcastBuilder::default()
    }

    /// Takes a connection into the room: it gets what is sent from now on.
    pub fn join<T: Transport, C: Timer>(&self, ws: WebSocket<T, C>) -> Member<T, C> {
        Member::new(&self.0, ws)
    }

    /// Sends a message to all members. Waits with [`Slow::Wait`] alone; a member's own task uses
    /// [`Member::tell_others`], which goes on delivering to it meanwhile.
    ///
    /// The message is with the members' queues when this returns; they deliver it while they receive. A `Close`
    /// message closes them all.
    ///
    /// Cancel safe: the message went to all, or to none.
    pub fn send<'m>(&self, message: impl Into<Outgoing<'m>>) -> impl Future<Output = Sent> {
        self.send_to(To::All, payload(message.into()), None)
    }

    /// The same with a key: at members where an earlier message with it waits still, this one takes its place.
    ///
    /// ```
    /// use hybi::Broadcast;
    ///
    /// async fn position(game: &Broadcast, player: &str, place: (f32, f32)) {
    ///     // Where the player was before is of no interest to whoever has not heard of it.
    ///     game.send_keyed(player, format!("{player} {place:?}")).await;
    /// }
    /// ```
    pub fn send_keyed<'m>(
        &self,
        key: &str,
        message: impl Into<Outgoing<'m>>,
    ) -> impl Future<Output = Sent> {
        self.send_to(To::All, payload(message.into()), Some(key.into()))
    }

    async fn send_to(&self, to: To, message: Prepared, key: Option<Arc<str>>) -> Sent {
        let mut sending = self.0.sending(to, message, key);
        poll_fn(|cx| sending.put(Some(cx)).map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Sends a message to all members at once.
    ///
    /// # Errors
    ///
    /// The message, if it would have to wait: with [`Slow::Wait`], when one of them has no room. It went to nobody
    /// then.
    pub fn try_send<'m>(&self, message: impl Into<Outgoing<'m>>) -> Result<Sent, Prepared> {
        let message = payload(message.into());
        self.0.sending(To::All, message.clone(), None).put(None).ok_or(message)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("bounds", &self.0.bounds)
            .field("members", &self.len())
            .finish()
    }
}

/// Sends to one member, in one order with what its room sends. Clones send to the same.
///
/// ```
/// use hybi::{Broadcast, WebSocket, io::{Timer, Transport}};
///
/// async fn whisper<T: Transport, C: Timer>(room: &Broadcast, ws: WebSocket<T, C>) {
///     let member = room.join(ws);
///     let direct = member.direct();
///     // In any other task:
///     let sent = direct.send("for you alone").await;
///     assert_eq!(sent.members, 1);
///     drop(member);
///     assert_eq!(direct.send("too late").await.members, 0);
/// }
/// ```
#[derive(Clone)]
pub struct Direct {
    room: Arc<Room>,
    id: u64,
}

impl Direct {
    fn new(room: Arc<Room>, id: u64) -> Self {
        Self { room, id }
    }

    /// Sends a message to this member alone, as [`Broadcast::send`] does to all. [`Sent::members`] is 0 when it
    /// has left.
    pub fn send<'m>(&self, message: impl Into<Outgoing<'m>>) -> impl Future<Output = Sent> {
        let mut sending = self.room.sending(To::One(self.id), payload(message.into()), None);
        poll_fn(move |cx| sending.put(Some(cx)).map_or(Poll::Pending, Poll::Ready))
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A message to be kept for a while by many.
///
/// A received one of a few KiB is part of the block that it was read into, which it would keep as long: it is copied
/// once.
fn payload(message: Outgoing<'_>) -> Prepared {
    const PART_OF_A_BLOCK: core::ops::Range<usize> = 4 * 1024..64 * 1024;

    let mut message = message.into_owned();
    if message.prepared.is_none()
        && PART_OF_A_BLOCK.contains(&message.len())
        && let Body::Owned(body) = &mut message.body
    {
        match body {
            Message::Text(text) => *text = Utf8Bytes::from(&**text),
            Message::Binary(bytes) => *bytes = bytes::Bytes::copy_from_slice(bytes),
            _ => {}
        }
    }
    Prepared::new(message)
}
