//! Sender and Receiver: the two directions of one connection, for different tasks and threads.

use core::{fmt, future::poll_fn, mem, sync::atomic::Ordering};
use std::sync::{Arc, PoisonError};

use hybi_frame::CloseCode;
use hybi_handshake::Version;

use super::{
    Closer, WebSocket,
    access::{Shared, Way},
    driver::Takes,
    io::{Timer, Transport},
    permit::Permit,
    reader::{self, MessageReader},
    received::{self, Held},
    sending::{self, Leave, Wait},
    sinks::Items,
    wakers::Half,
    writer::MessageWriter,
};
use crate::connection::{
    Capabilities, CloseStatus, Error, Message, MessageKind, MessageRef, Outgoing, SendError, State,
    Stats,
};

/// Sends on a connection whose other half [receives](Receiver); clones send on the same.
///
/// [`WebSocket::split`] gives it. Each method is that of [`WebSocket`]. Sending never waits for
/// receiving: pings are answered and the peer's Close frame is seen whichever half is polled. When the
/// receiver was dropped, messages that still come are dropped, too.
///
/// The connection is dropped with the last half; use [`close`](Self::close) to end in order.
///
/// ```
/// use hybi::{Error, Sender, io::{Timer, Transport}};
///
/// /// Two tasks that send on one connection.
/// async fn both<T: Transport, C: Timer>(mut sender: Sender<T, C>) -> Result<(), Error> {
///     let mut other = sender.clone();
///     let both = (sender.send("from one"), other.send("from the other"));
///     futures_util::future::try_join(both.0, both.1).await?;
///     Ok(())
/// }
/// ```
pub struct Sender<T, C> {
    pub(super) shared: Arc<Shared<T, C>>,
    id: u32,
    pub(super) leave: Leave,
}

/// Receives on a connection whose other half [sends](Sender).
///
/// [`WebSocket::split`] gives it. Each method is that of [`WebSocket`]; it is a
/// [`Stream`](futures_core::Stream), too. Receiving never waits for a blocked sender.
///
/// ```
/// use hybi::{Error, Receiver, Sender, io::{Timer, Transport}};
///
/// /// Sends everything back, and allocates nothing for it.
/// async fn echo<T: Transport, C: Timer>(
///     mut sender: Sender<T, C>,
///     mut receiver: Receiver<T, C>,
/// ) -> Result<(), Error> {
///     while let Some(message) = receiver.recv_ref().await? {
///         sender.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
pub struct Receiver<T, C> {
    pub(super) shared: Arc<Shared<T, C>>,
    pub(super) held: Held,
    pub(super) items: Items,
    parting: Parting,
}

/// What it means that a receiver is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// Nobody receives any more.
    Leaves,
    /// Somebody else does.
    Reunites,
}

pub(super) fn split<T, C>(ws: WebSocket<T, C>) -> (Sender<T, C>, Receiver<T, C>) {
    let WebSocket { driver, held, items, .. } = ws;
    let shared = Arc::new(Shared::new(driver));
    let sender = Sender::of(&shared);
    (sender, Receiver { shared, held, items, parting: Parting::Leaves })
}

impl<T, C> Sender<T, C> {
    fn of(shared: &Arc<Shared<T, C>>) -> Self {
        let id = shared.senders.fetch_add(1, Ordering::Relaxed);
        Self { shared: shared.clone(), id, leave: Leave::None }
    }

    pub(super) fn half(&self) -> Half {
        Half::Send(self.id)
    }
}

impl<T: Transport, C: Timer> Sender<T, C> {
    /// Sends a message: when this returns, its bytes are with the transport.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`].
    pub fn send<'a>(
        &'a mut self,
        message: impl Into<Outgoing<'a>>,
    ) -> impl Future<Output = Result<(), SendError>> {
        let half = self.half();
        self.leave = Leave::None;
        sending::send(&mut self.shared, half, message.into())
    }

    /// Queues a message without sending it yet.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::feed`].
    pub fn feed<'a>(
        &'a mut self,
        message: impl Into<Outgoing<'a>>,
    ) -> impl Future<Output = Result<(), SendError>> {
        let half = self.half();
        self.leave = Leave::None;
        sending::feed(&mut self.shared, half, message.into())
    }

    /// Queues a message if there is room for it at once; a full queue gives it back.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::try_send`].
    pub fn try_send<'a>(&mut self, message: impl Into<Outgoing<'a>>) -> Result<(), SendError> {
        let half = self.half();
        let leave = mem::take(&mut self.leave);
        sending::try_send(&mut self.shared, half, leave, message.into())
    }

    /// Waits until a message can be queued, and gives leave to queue one. The clones may queue one each
    /// on such leave, beyond the limit together.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::ready`].
    pub async fn ready(&mut self) -> Result<Permit<'_, T, C>, Error> {
        let half = self.half();
        sending::ready(&mut self.shared, half).await?;
        self.leave = Leave::Given;
        Ok(Permit::shared(&self.shared, &mut self.leave, half))
    }

    /// Sends a message as it comes, be it longer than memory. Messages of other senders wait until its end.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send_writer`].
    pub fn send_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, T, C>, Error> {
        let half = self.half();
        self.leave = Leave::None;
        MessageWriter::new(Way::Shared(&self.shared), half, kind)
    }

    /// Sends everything that is queued.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::flush`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        let half = self.half();
        sending::flush(&mut self.shared, half).await
    }

    /// Ends the connection in order. Messages that arrive meanwhile are the receiver's; one that nobody
    /// takes hides the peer's Close frame behind it, so that the wait ends by its deadline.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::close`].
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        let half = self.half();
        sending::close(&mut self.shared, half, Wait::ForReceiver, code, reason).await
    }

    /// Ends the connection as another one ended.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::forward_close`].
    pub async fn forward_close(&mut self, status: &CloseStatus) -> Result<CloseStatus, Error> {
        let half = self.half();
        sending::forward_close(&mut self.shared, half, Wait::ForReceiver, status).await
    }

    /// How many bytes wait to be sent, frame headers included.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.shared.look(|driver| driver.connection.queued_bytes())
    }
}

impl<T: Transport, C: Timer> Receiver<T, C> {
    /// Receives the next message; `None` is the end in order.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| received::poll_recv(&mut self.shared, &mut self.held, cx)).await
    }

    /// Receives the next message without copying or allocating: it is lent until the next call. The other
    /// half can send it meanwhile.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    pub async fn recv_ref(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        received::recv_ref(&mut self.shared, &mut self.held).await
    }

    /// Receives the next message as it comes, be it longer than memory. The other half can send meanwhile.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv_reader`].
    pub async fn recv_reader(&mut self) -> Result<Option<MessageReader<'_, T, C>>, Error> {
        reader::recv_reader(Way::Shared(&self.shared), &mut self.held).await
    }

    /// Puts the two halves together again.
    ///
    /// ```
    /// use hybi::{WebSocket, io::{Timer, Transport}};
    ///
    /// fn there_and_back<T: Transport, C: Timer>(ws: WebSocket<T, C>) -> Option<WebSocket<T, C>> {
    ///     let (sender, receiver) = ws.split();
    ///     receiver.reunite(sender).ok()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Both halves come back if they are not of one connection, or if a clone of the sender is left.
    pub fn reunite(mut self, sender: Sender<T, C>) -> Result<WebSocket<T, C>, ReuniteError<T, C>> {
        // With two handles in all, both of them here, nobody can make a third.
        if !Arc::ptr_eq(&self.shared, &sender.shared) || Arc::strong_count(&self.shared) != 2 {
            return Err(ReuniteError { receiver: self, sender });
        }
        let held = mem::replace(&mut self.held, Held::Nothing);
        let items = self.items;
        let shared = self.shared.clone();
        self.parting = Parting::Reunites;
        drop((self, sender));
        match Arc::try_unwrap(shared) {
            Ok(shared) => {
                let driver = shared.driver.into_inner().unwrap_or_else(PoisonError::into_inner);
                Ok(WebSocket { driver, held, items, leave: Leave::None })
            }
            Err(_) => unreachable!("both handles were dropped"),
        }
    }
}

/// What both halves tell.
macro_rules! questions {
    ($half:ident) => {
        impl<T: Transport, C: Timer> $half<T, C> {
            /// What the connection has done so far, in both directions.
            #[must_use]
            pub fn stats(&self) -> Stats {
                self.shared.look(|driver| driver.connection.stats())
            }

            /// How the connection is ending or ended; `None` while it is open.
            #[must_use]
            pub fn close_status(&self) -> Option<CloseStatus> {
                self.shared.look(|driver| driver.connection.close_status())
            }

            /// The state of the connection (RFC 6455 sections 4.1 and 7.1).
            #[must_use]
            pub fn state(&self) -> State {
                self.shared.look(|driver| driver.connection.state())
            }

            /// The protocol version that was negotiated (section 4.4).
            #[must_use]
            pub fn version(&self) -> Version {
                self.shared.look(|driver| driver.connection.negotiated().version)
            }

            /// A handle by which others have the connection closed.
            pub fn closer(&self) -> Closer {
                self.shared.look(|driver| driver.closer())
            }

            /// What that version can do.
            #[must_use]
            pub fn capabilities(&self) -> Capabilities {
                self.shared.look(|driver| driver.connection.capabilities())
            }

            /// The subprotocol that was chosen, if any (section 1.9).
            #[must_use]
            pub fn subprotocol(&self) -> Option<String> {
                self.shared.look(|driver| driver.connection.negotiated().subprotocol.clone())
            }
        }

        impl<T, C> fmt::Debug for $half<T, C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($half)).finish_non_exhaustive()
            }
        }
    };
}

questions!(Sender);
questions!(Receiver);

impl<T, C> Clone for Sender<T, C> {
    fn clone(&self) -> Self {
        Self::of(&self.shared)
    }
}

impl<T, C> Drop for Sender<T, C> {
    fn drop(&mut self) {
        self.shared.look(|driver| driver.wakers.leave(Half::Send(self.id)));
    }
}

/// From now on senders take in everything, since nobody else does; unless the halves are put together, which
/// changes nothing for the peer.
impl<T, C> Drop for Receiver<T, C> {
    fn drop(&mut self) {
        if self.parting == Parting::Reunites {
            return self.shared.look(|driver| driver.wakers.leave(Half::Receive));
        }
        let held = mem::replace(&mut self.held, Held::Nothing);
        self.shared.look(|driver| {
            if let Held::Chunk(chunk, _) = held {
                driver.take_back(chunk);
            }
            driver.senders_take = Takes::Nothing;
            driver.connection.answer_close();
            driver.wakers.leave(Half::Receive);
            driver.wakers.call_others(Half::Receive);
        });
    }
}

/// Why two halves could not be put together, and the halves.
///
/// ```
/// use hybi::{Sender, WebSocket, io::{Timer, Transport}};
///
/// fn split_for_good<T: Transport, C: Timer>(ws: WebSocket<T, C>) {
///     let (sender, receiver) = ws.split();
///     let clone = sender.clone();
///     // A clone is left, so both halves come back.
///     let Err(error) = receiver.reunite(sender) else { return };
///     let (sender, receiver) = (error.sender, error.receiver);
///     # drop((sender, receiver, clone));
/// }
/// ```
#[non_exhaustive]
pub struct ReuniteError<T, C> {
    /// The receiver.
    pub receiver: Receiver<T, C>,
    /// The sender.
    pub sender: Sender<T, C>,
}

impl<T, C> fmt::Display for ReuniteError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = Arc::ptr_eq(&self.receiver.shared, &self.sender.shared);
        f.write_str(if one {
            "a clone of the sender is left"
        } else {
            "the halves are of different connections"
        })
    }
}

impl<T, C> fmt::Debug for ReuniteError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReuniteError({self})")
    }
}

impl<T, C> core::error::Error for ReuniteError<T, C> {}
