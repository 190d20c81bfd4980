//! WebSocket: the handle with which applications receive and send, on any runtime.

use core::{future::poll_fn, mem};

use hybi_compression::Agreed;
use hybi_frame::CloseCode;
use hybi_handshake::{ExtensionOffer, Version};

use super::{
    Closer,
    access::{Access, Way},
    driver::Driver,
    halves::{Receiver, Sender},
    io::{Timer, Transport},
    permit::{Answering, HALF, Permit},
    pool::ThreadChunk,
    reader::{self, MessageReader},
    received::{self, Held},
    sending::{self, Leave, Wait},
    sinks::Items,
    writer::MessageWriter,
};
use crate::connection::{
    Capabilities, CloseStatus, Connection, Error, Message, MessageKind, MessageRef, Outgoing,
    SendError, State, Stats,
};

/// An open WebSocket connection over a transport `T` and a timer `C`.
///
/// The adapter crates make these and name the two types; `hybi_tokio::WebSocket` is one.
///
/// It is also a [`Stream`](futures_core::Stream) of messages and a [`Sink`](futures_sink::Sink) for them, so
/// that `forward` and the other combinators of the futures crates work. [`split`](Self::split) gives two
/// halves for different tasks or threads.
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
/// # Who drives the connection
///
/// [`recv`](Self::recv) and its kin answer pings, keep deadlines and finish the closing handshake while they
/// wait. So do [`send`](Self::send) and [`flush`](Self::flush) as far as control frames go: they take in those
/// at the front of the input, never past a message that nobody took (and none with
/// [`Config::show_control_frames`](crate::Config::show_control_frames)). A connection that nobody polls does
/// nothing.
///
/// # Cancel safety
///
/// Every method may be dropped at any point, as in `select!`, and nothing of the connection is torn: no
/// message that arrived is lost, and none is sent in part. A `send` or `feed` that is dropped before it
/// queued its message drops the message, which it was given, with it; [`ready`](Self::ready) waits for
/// room without one. Once queued, a message leaves with the next flush.
///
/// # Dropping
///
/// Dropping the handle drops the transport without a closing handshake; the peer sees close code
/// 1006. Use [`close`](Self::close) to end in order.
#[derive(Debug)]
pub struct WebSocket<T, C> {
    pub(super) driver: Driver<T, C>,
    pub(super) held: Held,
    pub(super) items: Items,
    pub(super) leave: Leave,
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
        input: Option<ThreadChunk>,
    ) -> Self {
        connection.trace_open();
        let driver = Driver::new(transport, timer, connection, input);
        Self { driver, held: Held::Nothing, items: Items::More, leave: Leave::None }
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
        poll_fn(|cx| received::poll_recv(&mut self.driver, &mut self.held, cx)).await
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
        received::recv_ref(&mut self.driver, &mut self.held).await
    }

    /// Receives the next message as it comes, be it longer than memory: [`MessageReader`] has an example.
    ///
    /// Ready when something of the message is there. [Control frames](crate::Config::show_control_frames) are not
    /// shown meanwhile.
    ///
    /// Cancel safe: if dropped before completion, nothing is lost.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_reader(&mut self) -> Result<Option<MessageReader<'_, T, C>>, Error> {
        reader::recv_reader(Way::Own(&mut self.driver), &mut self.held).await
    }

    /// The same, with a way to send while the message is lent: that message itself, for example, which is
    /// then copied once, to where it waits to leave, and nothing is allocated for it.
    ///
    /// ```
    /// use hybi::{Error, WebSocket, io::{Timer, Transport}};
    ///
    /// async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
    ///     while let Some((message, mut answering)) = ws.recv_to_answer().await? {
    ///         answering.feed(message).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_to_answer(
        &mut self,
    ) -> Result<Option<(MessageRef<'_>, Answering<'_, T, C>)>, Error> {
        let message = received::recv_ref(&mut self.driver, &mut self.held).await?;
        let (driver, leave) = (&mut self.driver, &mut self.leave);
        Ok(message.map(|message| (message, Answering { driver, leave })))
    }

    /// Sends a message: when this returns, its bytes are with the transport.
    ///
    /// Waits while too many bytes are queued ([`Config::outbox_limit`](crate::Config::outbox_limit)).
    /// `Message::Close` begins the closing handshake; go on receiving to finish it.
    ///
    /// If dropped, the message was either queued whole, to leave with the next flush, or not at all and
    /// is dropped with it; [`ready`](Self::ready) waits without it.
    ///
    /// While it waits, control frames at the front of the input are taken in: pings are answered, and the
    /// peer's Close frame ends the wait.
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
    pub fn send<'a>(
        &'a mut self,
        message: impl Into<Outgoing<'a>>,
    ) -> impl Future<Output = Result<(), SendError>> {
        self.leave = Leave::None;
        sending::send(self.driver(), HALF, message.into())
    }

    /// Queues a message without sending it yet; [`flush`](Self::flush), [`send`](Self::send), or
    /// a [`recv`](Self::recv) that is about to wait sends it.
    ///
    /// Waits, and sends, while too many bytes are queued; begins to send by itself, without waiting, from
    /// 128 KiB on. Borrowed bytes are copied once. If dropped, as [`send`](Self::send).
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
    pub fn feed<'a>(
        &'a mut self,
        message: impl Into<Outgoing<'a>>,
    ) -> impl Future<Output = Result<(), SendError>> {
        self.leave = Leave::None;
        sending::feed(self.driver(), HALF, message.into())
    }

    /// Sends a message as it comes, be it longer than memory: [`MessageWriter`] has an example.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] in a version without [fragments](crate::Capabilities::fragments), [`Error::Closed`] once a
    /// Close frame was sent or received, or the error that ended the connection.
    pub fn send_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, T, C>, Error> {
        self.leave = Leave::None;
        MessageWriter::new(Way::Own(&mut self.driver), HALF, kind)
    }

    /// Queues a message if there is room for it at once; a full queue gives it back.
    ///
    /// ```
    /// use hybi::{Error, Outgoing, WebSocket, io::{Timer, Transport}};
    ///
    /// /// Gives the message back if the peer reads too slowly to take it now.
    /// fn offer<T: Transport, C: Timer>(
    ///     ws: &mut WebSocket<T, C>,
    ///     message: Outgoing<'static>,
    /// ) -> Result<Option<Outgoing<'static>>, Error> {
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
    pub fn try_send<'a>(&mut self, message: impl Into<Outgoing<'a>>) -> Result<(), SendError> {
        let leave = mem::take(&mut self.leave);
        sending::try_send(self.driver(), HALF, leave, message.into())
    }

    /// Waits, and sends, until a message can be queued, and gives leave to queue one; a
    /// [`try_send`](Self::try_send) that comes next is not full then either.
    ///
    /// Cancel safe: no message is involved yet. [`Permit`] has an example.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once a Close frame was sent or received, or the error that ended the
    /// connection.
    pub async fn ready(&mut self) -> Result<Permit<'_, T, C>, Error> {
        sending::ready(self.driver(), HALF).await?;
        self.leave = Leave::Given;
        Ok(Permit::own(&mut self.driver, &mut self.leave))
    }

    /// Sends everything that is queued. Cancel safe.
    ///
    /// # Errors
    ///
    /// The error that ended the connection; [`Error::Closed`] when the peer sent a Close frame and the
    /// transport takes nothing more.
    pub async fn flush(&mut self) -> Result<(), Error> {
        sending::flush(self.driver(), HALF).await
    }

    /// Ends the connection in order (RFC 6455 section 7.1): sends a Close frame behind what is queued,
    /// waits for the peer's up to [`Config::close_timeout`](crate::Config::close_timeout), then ends the
    /// transport; [`Config::end_timeout`](crate::Config::end_timeout) bounds all of it. Messages that arrive
    /// meanwhile are dropped.
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
    /// reason; nothing was sent then. The error that ended the connection before, or that ends it now: what
    /// was queued and could not leave in time is [`Deadline::Write`](crate::Deadline::Write). A peer that got
    /// everything and does not answer, or vanishes, is no error here: the status says that the end was not
    /// clean.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        sending::close(self.driver(), HALF, Wait::DroppingMessages, code, reason).await
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
    ///         // How it ended there is in the status of `to`.
    ///         let _ = to.forward_close(&status).await;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`close`](Self::close), of the connection that is closed.
    pub async fn forward_close(&mut self, status: &CloseStatus) -> Result<CloseStatus, Error> {
        sending::forward_close(self.driver(), HALF, Wait::DroppingMessages, status).await
    }

    /// A handle by which others have the connection closed, whoever has it then: a server that ends, or a
    /// person who may not stay. [`Closer`] has an example.
    ///
    /// Connections for which nobody asks for one have no room for it but a pointer.
    pub fn closer(&mut self) -> Closer {
        self.driver.with(|driver| driver.closer())
    }

    /// The driver, for a call that may wait while nobody looks at what was lent.
    #[inline]
    pub(super) fn driver(&mut self) -> &mut Driver<T, C> {
        if !matches!(self.held, Held::Nothing) {
            self.held.give_back(&mut self.driver);
            self.driver.put_away();
        }
        &mut self.driver
    }

    /// Splits the handle into a sender, of which there may be many, and a receiver, for any tasks and
    /// threads.
    ///
    /// ```
    /// use hybi::{Error, WebSocket, io::{Timer, Transport}};
    ///
    /// /// Prints what comes while a ticker sends.
    /// async fn both<T: Transport, C: Timer>(ws: WebSocket<T, C>) -> Result<(), Error> {
    ///     let (mut sender, mut receiver) = ws.split();
    ///     let sending = async {
    ///         for tick in 0..3 {
    ///             sender.send(format!("tick {tick}")).await?;
    ///         }
    ///         Ok(())
    ///     };
    ///     let receiving = async {
    ///         while let Some(message) = receiver.recv().await? {
    ///             println!("{message:?}");
    ///         }
    ///         Ok(())
    ///     };
    ///     futures_util::future::try_join(sending, receiving).await.map(|_| ())
    /// }
    /// ```
    #[must_use]
    pub fn split(self) -> (Sender<T, C>, Receiver<T, C>) {
        super::halves::split(self)
    }

    /// The span in which the connection tells `tracing` of itself; see [`Connection::span`].
    #[cfg(feature = "tracing")]
    #[must_use]
    pub fn span(&self) -> &tracing::Span {
        self.driver.connection.span()
    }

    /// What the connection has done so far: messages, frames and bytes each way, and the round trip.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.driver.connection.stats()
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
    pub fn close_status(&self) -> Option<CloseStatus> {
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
        &self.driver.transport
    }

    /// The transport underneath, to set options of it. Whoever reads from it or writes to it breaks the
    /// connection.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.driver.transport
    }

    /// The transport, back: after the [end](Self::close), or for another protocol. Messages that were read
    /// and not taken, or queued and not sent, are dropped.
    #[must_use]
    pub fn into_transport(self) -> T {
        self.driver.transport
    }
}
