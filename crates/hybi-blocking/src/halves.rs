//! Sender and Receiver: the two directions of one connection, for different threads.

use core::time::Duration;

use hybi::{
    Capabilities, CloseCode, CloseStatus, Closer, Error, Message, MessageKind, MessageRef,
    Outgoing, SendError, State, Stats, Version, io::Transport,
};

use crate::{
    BlockingTimer, MessageReader, MessageWriter, Stream, WebSocket, block_on,
    websocket::{Items, within},
};

/// Sends on a connection whose other half [receives](Receiver) on another thread; clones send on the same.
///
/// [`WebSocket::split`] gives it. Each method is that of [`WebSocket`]. Sending never waits for receiving.
#[derive(Debug)]
pub struct Sender<T = Stream>(hybi::Sender<T, BlockingTimer>);

/// Receives on a connection whose other half [sends](Sender) on another thread.
///
/// [`WebSocket::split`] gives it. Each method is that of [`WebSocket`]; it is an iterator, too. Receiving never waits
/// for a blocked sender.
#[derive(Debug)]
pub struct Receiver<T = Stream> {
    inner: hybi::Receiver<T, BlockingTimer>,
    items: Items,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Sender<T> {
    pub(crate) fn new(inner: hybi::Sender<T, BlockingTimer>) -> Self {
        Self(inner)
    }
}

impl<T: Transport> Sender<T> {
    /// Sends a message: when this returns, its bytes are with the transport.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send`].
    pub fn send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        block_on(self.0.send(message.into()))
    }

    /// Queues a message without sending it yet.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::feed`].
    pub fn feed<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        block_on(self.0.feed(message.into()))
    }

    /// Queues a message if there is room for it at once; a full queue gives it back.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::try_send`].
    pub fn try_send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), SendError> {
        self.0.try_send(message)
    }

    /// Begins a message that is sent as it is written.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::send_writer`].
    pub fn send_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, T>, Error> {
        self.0.send_writer(kind).map(MessageWriter::new)
    }

    /// Sends everything that is queued.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::flush`].
    pub fn flush(&mut self) -> Result<(), Error> {
        block_on(self.0.flush())
    }

    /// Ends the connection in order. Messages that arrive meanwhile are the receiver's.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        block_on(self.0.close(code, reason))
    }

    /// Ends the connection as another one ended.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::forward_close`].
    pub fn forward_close(&mut self, status: &CloseStatus) -> Result<CloseStatus, Error> {
        block_on(self.0.forward_close(status))
    }

    /// How many bytes wait to be sent, frame headers included.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.0.queued_bytes()
    }

    fn inner(&self) -> &hybi::Sender<T, BlockingTimer> {
        &self.0
    }
}

impl<T> Receiver<T> {
    pub(crate) fn new(inner: hybi::Receiver<T, BlockingTimer>) -> Self {
        Self { inner, items: Items::More }
    }
}

impl<T: Transport> Receiver<T> {
    /// Receives the next message; `None` is the end in order.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    pub fn recv(&mut self) -> Result<Option<Message>, Error> {
        block_on(self.inner.recv())
    }

    /// The same, but waits no longer than `time`: `None` if nothing came by then.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    pub fn recv_timeout(&mut self, time: Duration) -> Option<Result<Option<Message>, Error>> {
        within(time, self.inner.recv())
    }

    /// Receives the next message without copying or allocating: it is lent until the next call.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    pub fn recv_ref(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        block_on(self.inner.recv_ref())
    }

    /// Receives the next message as it comes.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`].
    pub fn recv_reader(&mut self) -> Result<Option<MessageReader<'_, T>>, Error> {
        Ok(block_on(self.inner.recv_reader())?.map(MessageReader::new))
    }

    /// Puts the two halves together again.
    ///
    /// # Errors
    ///
    /// Both halves come back if they are not of one connection, or if a clone of the sender is left.
    pub fn reunite(self, sender: Sender<T>) -> Result<WebSocket<T>, (Self, Sender<T>)> {
        self.inner.reunite(sender.0).map(WebSocket::from).map_err(|error| {
            (Self { inner: error.receiver, items: self.items }, Sender(error.sender))
        })
    }

    fn inner(&self) -> &hybi::Receiver<T, BlockingTimer> {
        &self.inner
    }
}

impl<T: Transport> Iterator for Receiver<T> {
    type Item = Result<Message, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { inner, items } = self;
        items.next(|| block_on(inner.recv()))
    }
}

impl<T: Transport> core::iter::FusedIterator for Receiver<T> {}

/// What both halves tell.
macro_rules! questions {
    ($half:ident) => {
        impl<T: Transport> $half<T> {
            /// What the connection has done so far.
            #[must_use]
            pub fn stats(&self) -> Stats {
                self.inner().stats()
            }

            /// How the connection is ending or ended; `None` while it is open.
            #[must_use]
            pub fn close_status(&self) -> Option<CloseStatus> {
                self.inner().close_status()
            }

            /// The state of the connection (RFC 6455 sections 4.1 and 7.1).
            #[must_use]
            pub fn state(&self) -> State {
                self.inner().state()
            }

            /// The protocol version that was negotiated (section 4.4).
            #[must_use]
            pub fn version(&self) -> Version {
                self.inner().version()
            }

            /// What that version can do.
            #[must_use]
            pub fn capabilities(&self) -> Capabilities {
                self.inner().capabilities()
            }

            /// The subprotocol that was chosen, if any (section 1.9).
            #[must_use]
            pub fn subprotocol(&self) -> Option<String> {
                self.inner().subprotocol()
            }

            /// Has the connection closed by whoever holds this, on any thread.
            #[must_use]
            pub fn closer(&self) -> Closer {
                self.inner().closer()
            }
        }
    };
}

questions!(Sender);
questions!(Receiver);
