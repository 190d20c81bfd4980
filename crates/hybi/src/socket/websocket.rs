//! WebSocket: the handle with which applications receive and send, on any runtime.

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use hybi_compression::Agreed;
use hybi_frame::{Assembled as Event, CloseCode, CloseFrame, FrameRules, Payload, TextPayload};
use hybi_handshake::{ExtensionOffer, Version};

use super::{
    driver::Driver,
    io::{Timer, Transport},
    pool::Chunk,
};
use crate::connection::{
    Capabilities, CloseStatus, Connection, Error, Message, MessageRef, Outgoing, SendError, State,
};

/// An open WebSocket connection over a transport `T` and a timer `C`.
///
/// The adapter crates make these and name the two types; `hybi_tokio::WebSocket` is one.
///
/// It is also a [`Stream`] of messages and a [`Sink`] for them, so that `forward` and the other
/// combinators of the futures crates work; `split` of those crates gives two halves that may
/// wait on different tasks.
///
/// ```
/// use hybi::{Error, WebSocket, io::{Timer, Transport}};
///
/// /// Sends everything back, on whatever runtime.
/// async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Receiving drives everything
///
/// Pings are answered, deadlines are kept and the closing handshake is finished while
/// [`recv`](Self::recv) or one of its kin waits. An application that only sends for a long time
/// should receive beside it.
///
/// # Cancel safety
///
/// Every method may be dropped at any point, as in `select!`, and nothing is lost, doubled or
/// torn: a message is either wholly queued or still the caller's.
///
/// # Dropping
///
/// Dropping the handle drops the transport without a closing handshake; the peer sees close code
/// 1006. Use [`close`](Self::close) to end in order.
#[derive(Debug)]
pub struct WebSocket<T, C> {
    driver: Driver<T, C>,
    /// What the last `recv_ref` lent, if it did not lie in a chunk.
    lent: Option<Box<Message>>,
    shows_control_frames: bool,
    /// The stream has yielded its error or its end.
    stream_ended: bool,
}

/// Where a message to be lent lies.
enum Lent {
    Text { len: usize },
    Binary { len: usize },
    Ping { len: usize },
    Pong { len: usize },
    Owned(Message),
}

impl<T: Transport, C: Timer> WebSocket<T, C> {
    /// A handle for a connection that is already open, for adapters and for transports with a
    /// handshake of their own.
    ///
    /// ```
    /// use hybi::{Config, Connection, Negotiated, Role, WebSocket, io::{Timer, Transport}};
    ///
    /// /// For transports whose handshake is made elsewhere: both ends know that frames follow.
    /// fn framed<T: Transport, C: Timer>(transport: T, timer: C) -> WebSocket<T, C> {
    ///     let negotiated = Negotiated::default();
    ///     let connection = Connection::new(Role::Server, negotiated, Config::default().into());
    ///     WebSocket::new(connection, transport, timer)
    /// }
    /// ```
    #[must_use]
    pub fn new(connection: Connection, transport: T, timer: C) -> Self {
        Self::with_input(connection, transport, timer, None)
    }

    pub(crate) fn with_input(
        connection: Connection,
        transport: T,
        timer: C,
        input: Option<Chunk>,
    ) -> Self {
        let shows_control_frames = connection.config().show_control_frames;
        Self {
            driver: Driver::new(transport, timer, connection, input),
            lent: None,
            shows_control_frames,
            stream_ended: false,
        }
    }

    /// Receives the next message.
    ///
    /// `None` means that the peer closed the connection with a Close frame and the transport has
    /// ended, or has had its time to. [`close_status`](Self::close_status) tells the details.
    ///
    /// When nothing is left in what was read before, everything queued is sent before waiting.
    ///
    /// Cancel safe: if dropped before completion, no message is lost.
    ///
    /// ```
    /// use hybi::{Error, Message, WebSocket, io::{Timer, Transport}};
    ///
    /// async fn print<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<(), Error> {
    ///     while let Some(message) = ws.recv().await? {
    ///         match message {
    ///             Message::Text(text) => println!("{text}"),
    ///             Message::Binary(bytes) => println!("{} bytes", bytes.len()),
    ///             _ => {} // Pings and Pongs, if `Config::show_control_frames` shows them.
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] when the peer broke a rule or a limit; [`Error::Timeout`], also when it
    /// did not answer our Close frame; [`Error::Transport`], or [`Error::Lost`] when the transport
    /// ended without a closing handshake. By then the peer was told and the transport is ended; every further call
    /// answers the same.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        let shows_control_frames = self.shows_control_frames;
        let message = ready!(self.driver.poll_event(cx, |event| {
            is_shown(&event, shows_control_frames).then(|| event.into())
        }));
        self.driver.release_chunk();
        Poll::Ready(self.or_outcome(message))
    }

    /// Receives the next message without copying or allocating: it is lent until the next call.
    ///
    /// Otherwise as [`recv`](Self::recv), errors and cancel safety included.
    ///
    /// ```
    /// use hybi::{Error, MessageRef, WebSocket, io::{Timer, Transport}};
    ///
    /// async fn lines<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<usize, Error> {
    ///     let mut lines = 0;
    ///     while let Some(message) = ws.recv_ref().await? {
    ///         if let MessageRef::Text(text) = message {
    ///             lines += text.lines().count();
    ///         }
    ///     }
    ///     Ok(lines)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_ref(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        self.lent = None;
        self.driver.release_chunk();
        let shows_control_frames = self.shows_control_frames;
        let lent = poll_fn(|cx| {
            self.driver
                .poll_event(cx, |event| is_shown(&event, shows_control_frames).then(|| lend(event)))
        })
        .await;
        let message = match self.or_outcome(lent)? {
            None => return Ok(None),
            // The text was checked when it was assembled. Checking it again is a fast pass over
            // bytes that are in the cache, and needs no unsafe code here.
            Some(Lent::Text { len }) => {
                MessageRef::Text(core::str::from_utf8(self.driver.consumed(len)).unwrap_or(""))
            }
            Some(Lent::Binary { len }) => MessageRef::Binary(self.driver.consumed(len)),
            Some(Lent::Ping { len }) => MessageRef::Ping(self.driver.consumed(len)),
            Some(Lent::Pong { len }) => MessageRef::Pong(self.driver.consumed(len)),
            Some(Lent::Owned(message)) => match &**self.lent.insert(Box::new(message)) {
                Message::Text(text) => MessageRef::Text(text),
                Message::Binary(bytes) => MessageRef::Binary(bytes),
                Message::Ping(bytes) => MessageRef::Ping(bytes),
                Message::Pong(bytes) => MessageRef::Pong(bytes),
                Message::Close(_) => return Ok(None),
            },
        };
        Ok(Some(message))
    }

    /// The item, or how the connection ended.
    fn or_outcome<R>(&self, item: Option<R>) -> Result<Option<R>, Error> {
        match (item, self.driver.connection.error()) {
            (None, Some(error)) => Err(error.clone()),
            (item, _) => Ok(item),
        }
    }

    /// Sends a message: when this returns, its bytes are with the transport.
    ///
    /// Waits while too many bytes are queued ([`Config::outbox_limit`](crate::Config::outbox_limit)).
    /// `Message::Close` begins the closing handshake; go on receiving to finish it.
    ///
    /// Cancel safe: if dropped, the message was either queued whole, to leave with the next
    /// flush, or not at all.
    ///
    /// ```
    /// use hybi::{Error, WebSocket, io::{Timer, Transport}};
    ///
    /// async fn greet<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<(), Error> {
    ///     ws.send("a text message").await?;
    ///     ws.send(vec![0xb1, 0x4a]).await?; // a binary one
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once a Close frame was sent or received, [`Error::ControlTooLong`] for a
    /// Ping or Pong of more than 125 bytes, [`Error::Unsupported`] for what the version lacks (see
    /// [`capabilities`](Self::capabilities)), or the error that ended the connection. The message
    /// is given back if nothing of it was queued.
    pub fn send(
        &mut self,
        message: impl Into<Outgoing>,
    ) -> impl Future<Output = Result<(), SendError>> {
        // Not an `async fn`, which would keep the argument and the message side by side in every
        // task that ever sends.
        let mut message = Some(message.into());
        poll_fn(move |cx| {
            ready!(self.poll_feed(cx, &mut message))?;
            self.driver.poll_flush(cx).map_err(|error| SendError::new(error, None))
        })
    }

    /// Queues a message without sending it yet; [`flush`](Self::flush), [`send`](Self::send), or
    /// a [`recv`](Self::recv) that is about to wait sends it.
    ///
    /// Waits, and sends, while too many bytes are queued. Cancel safe as [`send`](Self::send).
    ///
    /// ```
    /// use hybi::{Error, WebSocket, io::{Timer, Transport}};
    ///
    /// /// Many messages, few writes.
    /// async fn all<T: Transport, C: Timer>(
    ///     ws: &mut WebSocket<T, C>,
    ///     lines: &[&str],
    /// ) -> Result<(), Error> {
    ///     for line in lines {
    ///         ws.feed(*line).await?;
    ///     }
    ///     ws.flush().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn feed(
        &mut self,
        message: impl Into<Outgoing>,
    ) -> impl Future<Output = Result<(), SendError>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| self.poll_feed(cx, &mut message))
    }

    /// Queues the message, if it was not queued before, once there is room for it.
    fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Outgoing>,
    ) -> Poll<Result<(), SendError>> {
        let Some(len) = message.as_ref().map(|outgoing| outgoing.message().len()) else {
            return Poll::Ready(Ok(()));
        };
        let room = ready!(self.driver.poll_room(cx, len));
        Poll::Ready(match (room, message.take()) {
            (Ok(()), Some(message)) => self.queue(message),
            (Ok(()), None) => Ok(()),
            (Err(error), message) => Err(SendError::new(error, message)),
        })
    }

    /// Queues a message if there is room for it at once; a full queue gives it back.
    ///
    /// ```
    /// use hybi::{Error, Outgoing, WebSocket, io::{Timer, Transport}};
    ///
    /// /// Gives the message back if the peer reads too slowly to take it now.
    /// fn offer<T: Transport, C: Timer>(
    ///     ws: &mut WebSocket<T, C>,
    ///     message: Outgoing,
    /// ) -> Result<Option<Outgoing>, Error> {
    ///     match ws.try_send(message) {
    ///         Ok(()) => Ok(None),
    ///         Err(error) if matches!(error.error(), Error::Full) => Ok(error.into_outgoing()),
    ///         Err(error) => Err(error.into()),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Full`], or as [`send`](Self::send).
    pub fn try_send(&mut self, message: impl Into<Outgoing>) -> Result<(), SendError> {
        let outgoing = message.into();
        let connection = &self.driver.connection;
        let room = connection.has_room_for(outgoing.message().len());
        if connection.state() != State::Open || room {
            self.queue(outgoing)
        } else {
            Err(SendError::new(Error::Full, outgoing))
        }
    }

    /// Sends everything that is queued. Cancel safe.
    ///
    /// # Errors
    ///
    /// The error that ended the connection.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_flush(cx)).await
    }

    /// Ends the connection in order (RFC 6455 section 7.1): sends a Close frame, waits for the
    /// peer's up to [`Config::close_timeout`](crate::Config::close_timeout), then ends the
    /// transport. Messages that arrive meanwhile are dropped.
    ///
    /// If the closing handshake has begun already, this finishes it. Cancel safe: a Close frame
    /// once queued stays queued. [`forward_close`](Self::forward_close) ends it as another connection
    /// ended.
    ///
    /// ```
    /// use hybi::{CloseCode, Error, WebSocket, io::{Timer, Transport}};
    ///
    /// async fn leave<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
    ///     let status = ws.close(CloseCode::GOING_AWAY, "restarting").await?;
    ///     println!("the peer said {} {:?}", status.code(), status.reason());
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if `code` must not be sent or `reason` is longer than 123 bytes,
    /// [`Error::Unsupported`] in a version without close codes for anything but code 1000 without a
    /// reason; nothing was sent then. A peer that does not answer is no error here: the status says that
    /// the end was not clean.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        let connection = &self.driver.connection;
        let (rules, role) = (connection.rules(), connection.role());
        // Where there are no codes, the connection says so, unless nothing was said with this one.
        let rules = if rules.has_close_codes() { rules } else { FrameRules::RFC6455 };
        let frame = CloseFrame::for_version(rules, role, code, reason)?;
        if self.driver.connection.state() == State::Open {
            self.queue(Message::Close(Some(frame)).into())?;
        }
        Ok(self.finish_closing_handshake().await)
    }

    /// Ends the connection in order, as another one ended: with the code and reason that its peer
    /// gave, or what comes [nearest](CloseStatus::forwarded) in this version. Otherwise as
    /// [`close`](Self::close).
    ///
    /// ```
    /// use hybi::{SendError, WebSocket, io::{Timer, Transport}};
    ///
    /// /// One direction of a proxy. What ends `from`, ends `to`: a Close frame with or without a code,
    /// /// or a peer that vanished.
    /// async fn relay<A: Transport, B: Transport, C: Timer>(
    ///     from: &mut WebSocket<A, C>,
    ///     to: &mut WebSocket<B, C>,
    /// ) -> Result<(), SendError> {
    ///     while let Ok(Some(message)) = from.recv().await {
    ///         to.send(message).await?;
    ///     }
    ///     if let Some(status) = from.close_status() {
    ///         to.forward_close(status).await;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn forward_close(&mut self, status: &CloseStatus) -> CloseStatus {
        self.driver.connection.forward_close(status);
        self.driver.wake_receiver();
        self.finish_closing_handshake().await
    }

    async fn finish_closing_handshake(&mut self) -> CloseStatus {
        self.lent = None;
        poll_fn(|cx| self.driver.poll_event(cx, |_| None::<()>)).await;
        self.close_status().cloned().unwrap_or(CloseStatus::NONE)
    }

    fn queue(&mut self, message: Outgoing) -> Result<(), SendError> {
        let closes = matches!(message.message(), Message::Close(_));
        let connection = &mut self.driver.connection;
        let parked = !connection.has_active_codec();
        connection.queue(message)?;
        // Whoever waits to receive keeps the deadlines, and there may be a new one.
        if closes || parked && connection.has_active_codec() {
            self.driver.wake_receiver();
        }
        Ok(())
    }

    /// How the connection is ending or ended; `None` while it is open.
    ///
    /// ```
    /// use hybi::{Endpoint, Error, WebSocket, io::{Timer, Transport}};
    ///
    /// /// Receives until the end; says whether it was the peer who wanted it.
    /// async fn until_the_end<T: Transport, C: Timer>(
    ///     ws: &mut WebSocket<T, C>,
    /// ) -> Result<bool, Error> {
    ///     while ws.recv().await?.is_some() {}
    ///     Ok(ws.close_status().and_then(|status| status.began_by()) == Some(Endpoint::Peer))
    /// }
    /// ```
    #[must_use]
    pub fn close_status(&self) -> Option<&CloseStatus> {
        self.driver.connection.close_status()
    }

    /// The state of the connection (sections 4.1 and 7.1).
    #[must_use]
    pub fn state(&self) -> State {
        self.driver.connection.state()
    }

    /// The protocol version that was negotiated (RFC 6455 section 4.4).
    ///
    /// A server that takes both hixie-76 and hybi-01 to 03 may learn only from the client's first byte
    /// which of them it is; until then this is what it would speak first.
    #[must_use]
    pub fn version(&self) -> Version {
        self.driver.connection.negotiated().version
    }

    /// What that version can do: only RFC 6455 and the drafts from hybi-06 on can do everything.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.driver.connection.capabilities()
    }

    /// The subprotocol that was chosen, if any (section 1.9).
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.driver.connection.negotiated().subprotocol.as_deref()
    }

    /// The extensions in use, as the server answered them (section 9).
    pub fn extensions(&self) -> impl Iterator<Item = &ExtensionOffer> {
        self.driver.connection.negotiated().extensions.iter().map(Agreed::answer)
    }

    /// How many bytes wait to be sent, frame headers included.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.driver.connection.queued_bytes()
    }

    /// The transport underneath, to look at.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.driver.transport()
    }
}

fn is_shown(event: &Event<'_>, shows_control_frames: bool) -> bool {
    match event {
        Event::Text(_) | Event::Binary(_) => true,
        Event::Ping(_) | Event::Pong(_) => shows_control_frames,
        Event::Close(_) => false,
    }
}

fn lend(event: Event<'_>) -> Lent {
    match event {
        Event::Text(TextPayload::Borrowed(text)) => Lent::Text { len: text.len() },
        Event::Binary(Payload::Borrowed(payload)) => Lent::Binary { len: payload.len() },
        Event::Ping(Payload::Borrowed(payload)) => Lent::Ping { len: payload.len() },
        Event::Pong(Payload::Borrowed(payload)) => Lent::Pong { len: payload.len() },
        event => Lent::Owned(event.into()),
    }
}

/// Yields messages; an error is the last item, an end in order is just the end.
///
/// ```
/// use futures_util::StreamExt;
/// use hybi::{Error, WebSocket, io::{Timer, Transport}};
///
/// /// Sends everything back: the stream is poured into the sink.
/// async fn echo<T: Transport, C: Timer>(ws: WebSocket<T, C>) -> Result<(), Error> {
///     let (sink, stream) = ws.split();
///     stream.forward(sink).await
/// }
/// ```
impl<T: Transport, C: Timer> Stream for WebSocket<T, C> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.stream_ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_recv(cx)).transpose();
        self.stream_ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

impl<T: Transport, C: Timer> FusedStream for WebSocket<T, C> {
    fn is_terminated(&self) -> bool {
        self.stream_ended
    }
}

/// Takes messages; for what a plain [`Message`] cannot say (a [`Secret`](crate::Secret), a
/// [`Prepared`](crate::Prepared)) there are the methods of the handle. Closing the sink sends a
/// Close frame with code 1000 and flushes; it does not wait for the peer's answer, which the
/// receiving half will see.
///
/// ```
/// use futures_util::SinkExt;
/// use hybi::{Error, Message, WebSocket, io::{Timer, Transport}};
///
/// async fn last_words<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<(), Error> {
///     SinkExt::send(ws, Message::from("goodbye")).await?;
///     SinkExt::close(ws).await
/// }
/// ```
impl<T: Transport, C: Timer> Sink<Message> for WebSocket<T, C> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // The message is not known yet, so any room at all will do: one message may exceed the
        // limit, as it may alone.
        self.driver.poll_room(cx, 1)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        Ok(self.queue(message.into())?)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.driver.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.driver.connection.state() == State::Open {
            self.queue(Message::Close(Some(CloseFrame::new(CloseCode::NORMAL, "")?)).into())?;
        }
        self.driver.poll_flush(cx)
    }
}
