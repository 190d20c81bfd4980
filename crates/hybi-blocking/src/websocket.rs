//! WebSocket: the handle with which a thread receives and sends.

use core::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use std::time::Instant;

use hybi::{
    Capabilities, CloseCode, CloseStatus, Closer, Error, Message, MessageKind, MessageRef,
    Outgoing, SendError, State, Stats, Version, extension::ExtensionOffer, io::Transport,
};

use crate::{
    BlockingTimer, MessageReader, MessageWriter, Receiver, Sender, Stream, block_on, reactor,
};

/// An open WebSocket connection whose calls block.
///
/// `T` is the transport underneath. Left out, it is TCP with or without TLS, so that one type is for what `connect`,
/// `accept` and their kin give, as client and as server. [`split`](Self::split) gives two halves for different threads.
///
/// It is an iterator over messages, too, which ends with the connection or with its first error.
///
/// ```
/// use hybi_blocking::{Error, WebSocket};
///
/// fn print(ws: WebSocket) -> Result<(), Error> {
///     for message in ws {
///         println!("{:?}", message?);
///     }
///     Ok(())
/// }
/// ```
///
/// # Who drives the connection
///
/// The thread that calls: pings are answered and deadlines kept while [`recv`](Self::recv) waits, and by what sends
/// while that waits. Nothing happens between two calls.
#[derive(Debug)]
pub struct WebSocket<T = Stream> {
    inner: hybi::WebSocket<T, BlockingTimer>,
    items: Items,
}

/// Whether the iterator has anything left to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Items {
    #[default]
    More,
    Ended,
}

impl Items {
    /// What an iterator gives of what was received.
    pub(crate) fn next(
        &mut self,
        recv: impl FnOnce() -> Result<Option<Message>, Error>,
    ) -> Option<Result<Message, Error>> {
        if *self == Self::Ended {
            return None;
        }
        let next = recv().transpose();
        if !matches!(next, Some(Ok(_))) {
            *self = Self::Ended;
        }
        next
    }
}

/// Waits for what is received, up to so much time; `None` if nothing was by then.
pub(crate) fn within<O>(time: Duration, future: impl Future<Output = O>) -> Option<O> {
    let deadline = Instant::now().checked_add(time);
    let mut future = pin!(future);
    block_on(poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        match deadline {
            Some(deadline) if Instant::now() >= deadline => return Poll::Ready(None),
            Some(deadline) => reactor::wait_until(deadline),
            None => {}
        }
        Poll::Pending
    }))
}

impl<T: Transport> WebSocket<T> {
    /// Receives the next message; `None` when the connection is over, closed in order.
    ///
    /// When nothing is left in what was read before, everything queued is sent before waiting.
    ///
    /// # Errors
    ///
    /// As [`hybi::WebSocket::recv`].
    pub fn recv(&mut self) -> Result<Option<Message>, Error> {
        block_on(self.inner.recv())
    }

    /// The same, but waits no longer than `time`: `None` if nothing came by then, and nothing is lost.
    ///
    /// ```
    /// use std::time::Duration;
    /// use hybi_blocking::{Error, WebSocket};
    ///
    /// /// Says how it is going every second, and prints what comes meanwhile.
    /// fn report(mut ws: WebSocket, status: impl Fn() -> String) -> Result<(), Error> {
    ///     loop {
    ///         match ws.recv_timeout(Duration::from_secs(1)) {
    ///             Some(received) => match received? {
    ///                 Some(message) => println!("{message:?}"),
    ///                 None => return Ok(()),
    ///             },
    ///             None => ws.send(status())?,
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, time: Duration) -> Option<Result<Option<Message>, Error>> {
        within(time, self.inner.recv())
    }

    /// Receives the next message without copying or allocating: it is lent until the next call.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_ref(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        block_on(self.inner.recv_ref())
    }

    /// Receives the next message as it comes, be it longer than memory.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_reader(&mut self) -> Result<Option<MessageReader<'_, T>>, Error> {
        Ok(block_on(self.inner.recv_reader())?.map(MessageReader::new))
    }

    /// Sends a message: when this returns, its bytes are with the transport.
    ///
    /// # Errors
    ///
    /// As [`hybi::WebSocket::send`]. The message is given back if nothing of it was queued.
    pub fn send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        block_on(self.inner.send(message.into()))
    }

    /// Queues a message without sending it yet; [`flush`](Self::flush), [`send`](Self::send), or
    /// a [`recv`](Self::recv) that is about to wait sends it. Waits, and sends, while too many bytes are queued.
    ///
    /// ```
    /// use hybi_blocking::{Error, WebSocket};
    ///
    /// /// Many messages, few writes.
    /// fn all(ws: &mut WebSocket, lines: &[&str]) -> Result<(), Error> {
    ///     for line in lines {
    ///         ws.feed(*line)?;
    ///     }
    ///     ws.flush()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn feed<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        block_on(self.inner.feed(message.into()))
    }

    /// Queues a message if there is room for it at once; a full queue gives it back.
    ///
    /// # Errors
    ///
    /// [`Error::Full`], or as [`send`](Self::send).
    pub fn try_send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        self.inner.try_send(message)
    }

    /// Begins a message that is sent as it is written, be it longer than memory.
    ///
    /// # Errors
    ///
    /// As [`hybi::WebSocket::send_writer`].
    pub fn send_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, T>, Error> {
        self.inner.send_writer(kind).map(MessageWriter::new)
    }

    /// Sends everything that is queued.
    ///
    /// # Errors
    ///
    /// As [`hybi::WebSocket::flush`].
    pub fn flush(&mut self) -> Result<(), Error> {
        block_on(self.inner.flush())
    }

    /// Ends the connection in order (RFC 6455 section 7.1): sends a Close frame behind what is queued, waits for the
    /// peer's, and ends the transport, all of it within bounds.
    ///
    /// # Errors
    ///
    /// As [`hybi::WebSocket::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        block_on(self.inner.close(code, reason))
    }

    /// Ends the connection in order, as another one ended.
    ///
    /// # Errors
    ///
    /// As [`hybi::WebSocket::forward_close`].
    pub fn forward_close(&mut self, status: &CloseStatus) -> Result<CloseStatus, Error> {
        block_on(self.inner.forward_close(status))
    }

    /// Has the connection closed by whoever holds this, on any thread.
    pub fn closer(&mut self) -> Closer {
        self.inner.closer()
    }

    /// Splits the handle into a sender, of which there may be many, and a receiver, for different threads.
    ///
    /// ```
    /// use std::thread;
    /// use hybi_blocking::{Error, WebSocket};
    ///
    /// /// Prints what comes while a ticker sends.
    /// fn both(ws: WebSocket) -> Result<(), Error> {
    ///     let (mut sender, receiver) = ws.split();
    ///     let printing = thread::spawn(move || {
    ///         for message in receiver {
    ///             println!("{:?}", message?);
    ///         }
    ///         Ok::<_, Error>(())
    ///     });
    ///     for tick in 0..3 {
    ///         sender.send(format!("tick {tick}"))?;
    ///     }
    ///     sender.close(hybi_blocking::CloseCode::NORMAL, "done")?;
    ///     printing.join().expect("no panic")
    /// }
    /// ```
    #[must_use]
    pub fn split(self) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = self.inner.split();
        (Sender::new(sender), Receiver::new(receiver))
    }

    /// What the connection has done so far: messages, frames and bytes each way, and the round trip.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// How the connection is ending or ended; `None` while it is open.
    #[must_use]
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.inner.close_status()
    }

    /// The state of the connection (sections 4.1 and 7.1).
    #[must_use]
    pub fn state(&self) -> State {
        self.inner.state()
    }

    /// The protocol version that was negotiated (section 4.4).
    #[must_use]
    pub fn version(&self) -> Version {
        self.inner.version()
    }

    /// What that version can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    /// The subprotocol that was chosen, if any (section 1.9).
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.inner.subprotocol()
    }

    /// The extensions in use, as the server answered them (section 9).
    pub fn extensions(&self) -> impl Iterator<Item = &ExtensionOffer> {
        self.inner.extensions()
    }

    /// How many bytes wait to be sent, frame headers included.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.inner.queued_bytes()
    }

    /// The transport underneath, to look at.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.inner.transport()
    }

    /// The same handle for what is done within [`block_on`], such as joining a room.
    #[must_use]
    pub fn into_inner(self) -> hybi::WebSocket<T, BlockingTimer> {
        self.inner
    }
}

impl<T> From<hybi::WebSocket<T, BlockingTimer>> for WebSocket<T> {
    fn from(inner: hybi::WebSocket<T, BlockingTimer>) -> Self {
        Self { inner, items: Items::More }
    }
}

impl<T: Transport> Iterator for WebSocket<T> {
    type Item = Result<Message, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { inner, items } = self;
        items.next(|| block_on(inner.recv()))
    }
}

impl<T: Transport> core::iter::FusedIterator for WebSocket<T> {}
