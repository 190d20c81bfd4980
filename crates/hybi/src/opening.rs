//! Opening: the opening handshake over a transport, as client and as server, written once.
//!
//! What a handshake needs is boxed while it runs: a task is as large as the largest thing it
//! ever awaits, and a server's tasks live on for as long as their connections.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};
use std::{
    io::{self, IoSlice},
    time::Instant,
};

use hybi_frame::Role;
use hybi_handshake::{
    ClientAccepted, HandshakeError, ServerAccepted, ServerHandshake, WsUri, is_upgrade,
    write_response,
};

use crate::{
    Client, Config, Connection, Deadline, Error, Negotiated, Server, WebSocket,
    config::{DRAIN_BYTES, DRAIN_TIME},
    io::{Timer, Transport},
    pool::Chunk,
};

/// Runs `future`, but not beyond `deadline`; `None` if that passed first.
pub async fn within<C: Timer, F: Future>(
    timer: &mut C,
    deadline: Instant,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.poll_until(cx, deadline).map(|()| None),
    })
    .await
}

/// Opens a connection as client on a transport that is connected already.
///
/// `deadline` ends the attempt; it includes what the caller did before, such as connecting.
///
/// # Errors
///
/// [`Error::Handshake`] if the server refused (the whole response is in the error) or broke a
/// rule, [`Error::Transport`] or [`Error::Timeout`]. The transport is dropped.
pub async fn open_client<T: Transport, C: Timer>(
    client: &Client,
    uri: &WsUri,
    mut transport: T,
    mut timer: C,
    deadline: Instant,
) -> Result<(WebSocket<T, C>, http::Response<()>), Error> {
    let exchange = Box::pin(exchange(client, uri, &mut transport));
    let (accepted, input) = within(&mut timer, deadline, exchange)
        .await
        .unwrap_or(Err(Error::Timeout(Deadline::Handshake)))?;
    let negotiated = Negotiated::new(accepted.version, accepted.subprotocol, accepted.extensions);
    let connection = Connection::new(Role::Client, negotiated, client.config().clone());
    Ok((WebSocket::with_input(connection, transport, timer, input), accepted.response))
}

async fn exchange<T: Transport>(
    client: &Client,
    uri: &WsUri,
    transport: &mut T,
) -> Result<(ClientAccepted, Option<Chunk>), Error> {
    let mut handshake = client.handshake(uri);
    write_all(transport, handshake.request_bytes()).await?;
    loop {
        let Some(mut chunk) = read_chunk(transport).await? else {
            return Err(handshake.handle_eof().into());
        };
        let (consumed, accepted) = handshake.handle_input(chunk.unread())?;
        chunk.consume(consumed);
        if let Some(accepted) = accepted {
            return Ok((accepted, left_over(chunk)));
        }
    }
}

/// Accepts a connection as server, if the request keeps the server's rules.
///
/// # Errors
///
/// As [`incoming`] and [`Incoming::accept`].
pub async fn accept<T: Transport, C: Timer>(
    server: &Server,
    transport: T,
    timer: C,
) -> Result<WebSocket<T, C>, Error> {
    Box::pin(async move { read_request(server, transport, timer).await?.accept().await }).await
}

/// Reads the head of a request as server, and decides nothing yet.
///
/// A head that is no HTTP, too large or too slow is answered and the transport ended.
///
/// # Errors
///
/// [`Error::Handshake`] for such a head or one that ends early, [`Error::Transport`], or
/// [`Error::Timeout`].
pub async fn incoming<T: Transport, C: Timer>(
    server: &Server,
    transport: T,
    timer: C,
) -> Result<Incoming<T, C>, Error> {
    Box::pin(read_request(server, transport, timer)).await
}

async fn read_request<T: Transport, C: Timer>(
    server: &Server,
    mut transport: T,
    mut timer: C,
) -> Result<Incoming<T, C>, Error> {
    let deadline = server.config().handshake_deadline(timer.now());
    let head = read_head(server, &mut transport);
    let error = match within(&mut timer, deadline, head).await {
        Some(Ok((request, input))) => {
            let server = server.clone();
            return Ok(Incoming { server, request: Box::new(request), input, transport, timer });
        }
        Some(Err(error)) => error,
        None => Error::Timeout(Deadline::Handshake),
    };
    let refusal = match &error {
        Error::Handshake(error) => Some(error.response()),
        Error::Timeout(_) => Some(HandshakeError::TimedOut.response()),
        _ => None,
    };
    if let Some(refusal) = refusal {
        answer(&mut transport, &mut timer, &refusal, refusal.body().as_bytes()).await;
    }
    Err(error)
}

async fn read_head<T: Transport>(
    server: &Server,
    transport: &mut T,
) -> Result<(http::Request<()>, Option<Chunk>), Error> {
    let mut handshake = ServerHandshake::new(server.config().head_limits);
    loop {
        let Some(mut chunk) = read_chunk(transport).await? else {
            return Err(handshake.handle_eof().into());
        };
        let (consumed, request) = handshake.handle_input(chunk.unread())?;
        chunk.consume(consumed);
        if let Some(request) = request {
            return Ok((request, left_over(chunk)));
        }
    }
}

/// A request that has been read and waits to be accepted, refused or answered.
///
/// Dropping it drops the transport without an answer.
#[derive(Debug)]
pub struct Incoming<T, C> {
    server: Server,
    request: Box<http::Request<()>>,
    input: Option<Chunk>,
    transport: T,
    timer: C,
}

impl<T: Transport, C: Timer> Incoming<T, C> {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &http::Request<()> {
        &self.request
    }

    /// The transport underneath, to look at.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Whether the request asks for a WebSocket at all; if not, it is plain HTTP, and
    /// [`respond`](Self::respond) may serve a page.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        is_upgrade(&self.request)
    }

    /// Replaces the choices about the connection that will follow, for this request alone.
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.server = self.server.with_config(config);
        self
    }

    /// Checks the request against the server's rules without answering it.
    ///
    /// # Errors
    ///
    /// The rule that it breaks; [`refuse`](Self::refuse) answers so.
    pub fn check(&self) -> Result<ServerAccepted, HandshakeError> {
        self.server.policy().check(&self.request)
    }

    /// Accepts the request if it keeps the server's rules, and refuses it if not.
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] if it was refused, [`Error::Transport`] or [`Error::Timeout`] if the
    /// answer could not be sent.
    pub async fn accept(self) -> Result<WebSocket<T, C>, Error> {
        match self.check() {
            Ok(accepted) => self.accept_as(accepted).await,
            Err(error) => Err(self.refuse(error).await),
        }
    }

    /// Accepts the request with an answer of the caller's making: one of
    /// [`check`](Self::check), with another subprotocol or more header fields.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] or [`Error::Timeout`] if the answer could not be sent.
    pub async fn accept_as(mut self, accepted: ServerAccepted) -> Result<WebSocket<T, C>, Error> {
        let mut head = Vec::new();
        write_response(&accepted.response(), &[], &mut head);
        let deadline = self.server.config().handshake_deadline(self.timer.now());
        let written = Box::pin(write_all(&mut self.transport, &head));
        within(&mut self.timer, deadline, written)
            .await
            .unwrap_or(Err(Error::Timeout(Deadline::Handshake)))?;
        let connection = self.server.accepted(accepted).into_connection();
        Ok(WebSocket::with_input(connection, self.transport, self.timer, self.input))
    }

    /// Refuses the request as `error` says, ends the transport in order, and hands the error back.
    pub async fn refuse(mut self, error: HandshakeError) -> Error {
        let refusal = error.response();
        let body = refusal.body().as_bytes();
        Box::pin(answer(&mut self.transport, &mut self.timer, &refusal, body)).await;
        error.into()
    }

    /// Answers the request with plain HTTP and ends the transport in order.
    ///
    /// `Content-Length` and `Connection: close` are added. A peer that goes away meanwhile, or
    /// does not read for too long, is no error: there is nobody left to tell.
    pub async fn respond<B: AsRef<[u8]>>(mut self, response: http::Response<B>) {
        let (head, body) = response.into_parts();
        let head = http::Response::from_parts(head, ());
        Box::pin(answer(&mut self.transport, &mut self.timer, &head, body.as_ref())).await;
    }
}

/// How long an answer other than 101 may take to be read by the peer.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Writes a response and ends the transport so that the peer can read it: our half first, then
/// what the peer still sends is read and discarded, within bounds, lest it cause a reset.
async fn answer<T: Transport, C: Timer, B>(
    transport: &mut T,
    timer: &mut C,
    response: &http::Response<B>,
    body: &[u8],
) {
    let mut bytes = Vec::new();
    write_response(response, body, &mut bytes);
    let deadline = timer.now() + ANSWER_TIME;
    let written = within(timer, deadline, async {
        write_all(transport, &bytes).await?;
        poll_fn(|cx| transport.poll_shutdown(cx)).await?;
        Ok::<_, Error>(())
    });
    if let Some(Ok(())) = written.await {
        let deadline = timer.now() + DRAIN_TIME;
        within(timer, deadline, drain(transport)).await;
    }
}

async fn drain<T: Transport>(transport: &mut T) {
    let mut discarded = 0;
    while let Ok(Some(mut chunk)) = read_chunk(transport).await {
        discarded += chunk.unread().len();
        if discarded > DRAIN_BYTES {
            break;
        }
    }
}

/// Reads what there is; `None` at the end of input.
async fn read_chunk<T: Transport>(transport: &mut T) -> io::Result<Option<Chunk>> {
    poll_fn(|cx| {
        // Borrowed anew for each attempt, so that waiting holds no buffer.
        let mut chunk = Chunk::borrow();
        transport.poll_read(cx, chunk.space()).map_ok(|len| {
            chunk.filled(len);
            left_over(chunk)
        })
    })
    .await
}

fn left_over(chunk: Chunk) -> Option<Chunk> {
    (!chunk.is_empty()).then_some(chunk)
}

async fn write_all<T: Transport>(transport: &mut T, mut bytes: &[u8]) -> Result<(), Error> {
    let mut step = |cx: &mut Context<'_>| -> Poll<io::Result<()>> {
        while !bytes.is_empty() {
            match transport.poll_write(cx, &[IoSlice::new(bytes)]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => bytes = &bytes[len..],
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        transport.poll_flush(cx)
    };
    Ok(poll_fn(&mut step).await?)
}
