//! Opening: the opening handshake over a transport, as client and as server, written once.
//!
//! What a handshake needs is boxed while it runs: a task is as large as the largest thing it
//! ever awaits, and a server's tasks live on for as long as their connections.

pub(crate) mod client;
mod dial;
mod hixie;
pub(crate) mod server;

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

use http::Method;
use hybi_frame::Role;
use hybi_handshake::{
    HandshakeError, ServerAccepted, ServerHandshake, Version, WsUri, is_upgrade, write_response,
    write_response_head,
};

use client::{Client, ClientAccepted, ClientHandshake};
pub use dial::{dial, tls};
use server::Server;

use crate::{
    connection::{
        Config, Connection, DRAIN_BYTES, DRAIN_TIME, Deadline, Error, OpeningError,
        is_end_without_goodbye,
    },
    socket::{
        Chunk, WebSocket,
        io::{Timer, Transport},
    },
};

/// Runs `future`, but not beyond `deadline`; `None` if that passed first.
///
/// ```
/// use std::{io, time::Instant};
/// use hybi::{Error, io::Timer, opening};
///
/// /// A step of the opening handshake that an adapter adds, a proxy's for example.
/// async fn step<S, C: Timer>(
///     timer: &mut C,
///     deadline: Instant,
///     step: impl Future<Output = io::Result<S>>,
/// ) -> io::Result<S> {
///     opening::within(timer, deadline, step).await.ok_or(io::ErrorKind::TimedOut)?
/// }
/// ```
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

/// Opens a connection as client on a transport that is connected already (RFC 6455 section 4.1).
///
/// `deadline` ends the attempt; it includes what the caller did before, such as connecting.
///
/// ```
/// use hybi::{Client, Error, WebSocket, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `client` is.
/// async fn client<T: Transport, C: Timer>(
///     client: &Client,
///     uri: &str,
///     transport: T,
///     timer: C,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let deadline = client.config().handshake_deadline(timer.now());
///     let (ws, _response) =
///         opening::open_client(client, &uri.parse()?, transport, timer, deadline).await?;
///     Ok(ws)
/// }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if the server refused or broke a rule, or left; [`Error::Opening`] or
/// [`Error::Timeout`]. The transport is dropped. A refusal holds the response: its body is what
/// came within a second after its head, since servers are known that neither say how long it is
/// nor end the transport.
pub async fn open_client<T: Transport, C: Timer>(
    client: &Client,
    uri: &WsUri,
    mut transport: T,
    mut timer: C,
    deadline: Instant,
) -> Result<(WebSocket<T, C>, http::Response<()>), Error> {
    // Outside of what a deadline ends: it knows what has come until then.
    let mut handshake = Box::new(client.handshake(uri));
    let exchange = Box::pin(exchange(&mut handshake, &mut transport, &mut timer, deadline));
    let (accepted, input) = exchange.await.map_err(|error| refusal_or(error, &mut handshake))?;
    drop(handshake);
    let config = client.config().clone();
    let connection = Connection::new(Role::Client, accepted.negotiated, config);
    Ok((WebSocket::with_input(connection, transport, timer, input), accepted.response))
}

/// Opens a connection as client on a transport that `connect` makes, and on another if the server refuses
/// the version and the client [falls back](Client::fall_back).
///
/// `deadline` ends all attempts together.
///
/// ```
/// use hybi::{Client, Error, WebSocket, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `connect_with` is.
/// async fn connect_with<T: Transport, C: Timer + Default>(
///     client: &Client,
///     uri: &str,
///     dial: impl AsyncFn() -> Result<T, Error>,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let deadline = client.config().handshake_deadline(C::default().now());
///     let connect = || async { Ok((dial().await?, C::default())) };
///     let (ws, _response) = opening::connect(client, &uri.parse()?, deadline, connect).await?;
///     Ok(ws)
/// }
/// ```
///
/// # Errors
///
/// As [`open_client`], for the first attempt that was refused with a list of versions, or else for the
/// last one; what `connect` fails of ends them.
pub async fn connect<T: Transport, C: Timer, F>(
    client: &Client,
    uri: &WsUri,
    deadline: Instant,
    mut connect: impl FnMut() -> F,
) -> Result<(WebSocket<T, C>, http::Response<()>), Error>
where
    F: Future<Output = Result<(T, C), Error>>,
{
    let mut attempt = client.clone();
    let mut refusal = None;
    loop {
        let (transport, timer) = connect().await?;
        let error = match open_client(&attempt, uri, transport, timer, deadline).await {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let next = attempt.fall_back(&error);
        // Of several, the one that says what would do is worth most.
        if error.handshake().is_some_and(|error| !error.versions_offered().is_empty()) {
            refusal.get_or_insert_with(|| error.clone());
        }
        match next {
            Some(next) => attempt = next,
            None => return Err(refusal.unwrap_or(error)),
        }
    }
}

async fn exchange<T: Transport, C: Timer>(
    handshake: &mut ClientHandshake,
    transport: &mut T,
    timer: &mut C,
    mut deadline: Instant,
) -> Result<(ClientAccepted, Option<Chunk>), Error> {
    let late = || Error::Timeout(Deadline::Handshake);
    let written = write_all(transport, handshake.request_bytes());
    within(timer, deadline, written).await.ok_or_else(late)??;
    loop {
        let read = within(timer, deadline, read_chunk(transport)).await.ok_or_else(late)?;
        let Some(mut chunk) = read? else {
            return Err(handshake.handle_eof());
        };
        let was_known = handshake.is_rejection();
        let (consumed, accepted) = handshake.handle_input(chunk.unread())?;
        chunk.consume(consumed);
        if let Some(accepted) = accepted {
            return Ok((accepted, left_over(chunk)));
        }
        if handshake.is_rejection() && !was_known {
            deadline = deadline.min(timer.now() + REFUSAL_BODY_TIME);
        }
    }
}

/// How long the body of a refusal may take once its head is there.
const REFUSAL_BODY_TIME: Duration = Duration::from_secs(1);

/// The refusal whose head had come when `error` ended the exchange, or else `error`.
fn refusal_or(error: Error, handshake: &mut ClientHandshake) -> Error {
    match &error {
        Error::Opening(_) | Error::Timeout(_) => match handshake.give_up() {
            Some(refusal) => refusal.into(),
            None if error.io_error().is_some_and(is_end_without_goodbye) => handshake.handle_eof(),
            None => error,
        },
        _ => error,
    }
}

/// Accepts a connection as server, if the request keeps the server's rules.
///
/// `deadline` is that of the whole opening handshake; it includes what the caller did before,
/// such as TLS.
///
/// ```
/// use hybi::{Error, Server, WebSocket, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `accept_with` is.
/// async fn accept_with<T: Transport, C: Timer>(
///     server: &Server,
///     transport: T,
///     timer: C,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let deadline = server.config().handshake_deadline(timer.now());
///     opening::accept(server, transport, timer, deadline).await
/// }
/// ```
///
/// # Errors
///
/// As [`incoming`] and [`Incoming::accept`].
pub async fn accept<T: Transport, C: Timer>(
    server: &Server,
    transport: T,
    timer: C,
    deadline: Instant,
) -> Result<WebSocket<T, C>, Error> {
    Box::pin(async move { read_request(server, transport, timer, deadline).await?.accept().await })
        .await
}

/// Reads the head of a request as server, and decides nothing yet.
///
/// A head that is no HTTP, too large, too slow, or for a host that is
/// [not served](crate::ServerBuilder::hosts) is answered and the transport ended. `deadline` is
/// that of the whole opening handshake, as in [`accept`].
///
/// ```
/// use hybi::{Error, Server, WebSocket, io::{Timer, Transport}, opening};
///
/// /// Accepts one path alone.
/// async fn chat<T: Transport, C: Timer>(
///     server: &Server,
///     transport: T,
///     timer: C,
/// ) -> Result<Option<WebSocket<T, C>>, Error> {
///     let deadline = server.config().handshake_deadline(timer.now());
///     let incoming = opening::incoming(server, transport, timer, deadline).await?;
///     if incoming.request().uri().path() == "/chat" {
///         return Ok(Some(incoming.accept().await?));
///     }
///     let answer = hybi::http::Response::builder().status(404).body("no such room");
///     incoming.respond(answer.expect("a valid response")).await;
///     Ok(None)
/// }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] for such a head or one that ends early, [`Error::Opening`] if the transport
/// failed, or [`Error::Timeout`].
pub async fn incoming<T: Transport, C: Timer>(
    server: &Server,
    transport: T,
    timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    Box::pin(read_request(server, transport, timer, deadline)).await
}

async fn read_request<T: Transport, C: Timer>(
    server: &Server,
    mut transport: T,
    mut timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    let head = read_head(server, &mut transport);
    let error = match within(&mut timer, deadline, head).await {
        Some(Ok((request, input))) => {
            let (server, request) = (server.clone(), Box::new(request));
            return Ok(Incoming { server, request, input, transport, timer, deadline });
        }
        Some(Err(error)) => error,
        None => Error::Timeout(Deadline::Handshake),
    };
    let refusal = match &error {
        Error::Handshake(error) => Some(error.response()),
        Error::Timeout(_) => Some(HandshakeError::TimedOut.response()),
        _ => None,
    };
    if let Some(mut refusal) = refusal {
        add_headers(server, &mut refusal);
        let mut bytes = Vec::new();
        write_response(&refusal, refusal.body().as_bytes(), &mut bytes);
        answer(&mut transport, &mut timer, deadline, &bytes).await;
    }
    Err(error)
}

/// Adds the fields that every response of the server has, unless the response has its own.
fn add_headers<B>(server: &Server, response: &mut http::Response<B>) {
    let own: Vec<_> = response.headers().keys().cloned().collect();
    for (name, value) in server.policy().headers() {
        if !own.contains(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
}

async fn read_head<T: Transport>(
    server: &Server,
    transport: &mut T,
) -> Result<(http::Request<()>, Option<Chunk>), Error> {
    let mut handshake = ServerHandshake::new(server.config().head_limits);
    loop {
        let Some(mut chunk) = or_end(read_chunk(transport).await)? else {
            return Err(handshake.handle_eof().into());
        };
        let (consumed, request) = handshake.handle_input(chunk.unread())?;
        chunk.consume(consumed);
        if let Some(request) = request {
            server.policy().check_host(&request)?;
            return Ok((request, left_over(chunk)));
        }
    }
}

/// A request that has been read and waits to be accepted, rejected or answered.
///
/// The deadline of the opening handshake runs on meanwhile, so that a peer cannot hold a transport
/// for longer by reading the answer slowly. Whatever time the application took before it answers,
/// the peer gets two seconds at the least to read what [`accept_as`](Self::accept_as),
/// [`reject`](Self::reject) and [`respond`](Self::respond) write; [`accept`](Self::accept) has
/// no more than what is left.
///
/// Dropping it drops the transport without an answer.
///
/// ```
/// use hybi::{Error, Incoming, WebSocket, http::Response, io::{Timer, Transport}};
///
/// /// A page for browsers; for others a connection with a cookie, if they may have one.
/// async fn decide<T: Transport, C: Timer>(
///     incoming: Incoming<T, C>,
/// ) -> Result<Option<WebSocket<T, C>>, Error> {
///     if !incoming.is_upgrade() {
///         incoming.respond(Response::new("<title>hello</title>")).await;
///         return Ok(None);
///     }
///     match incoming.check() {
///         Ok(accepted) => {
///             let accepted = accepted.with_header("Set-Cookie", "seen=1")?;
///             Ok(Some(incoming.accept_as(accepted).await?))
///         }
///         Err(error) => Err(incoming.reject(error).await),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Incoming<T, C> {
    server: Server,
    request: Box<http::Request<()>>,
    input: Option<Chunk>,
    transport: T,
    timer: C,
    deadline: Instant,
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
    ///
    /// ```
    /// use hybi::{Config, Incoming, io::{Timer, Transport}};
    ///
    /// /// Uploads may be larger than what the server takes elsewhere.
    /// fn limits<T: Transport, C: Timer>(incoming: Incoming<T, C>) -> Incoming<T, C> {
    ///     if incoming.request().uri().path() == "/upload" {
    ///         return incoming.with_config(Config::default().max_message(256 * 1024 * 1024));
    ///     }
    ///     incoming
    /// }
    /// ```
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.server = self.server.with_config(config);
        self
    }

    /// Checks the request against the server's rules without answering it.
    ///
    /// # Errors
    ///
    /// The rule that it breaks; [`reject`](Self::reject) answers so.
    pub fn check(&self) -> Result<ServerAccepted, HandshakeError> {
        self.server.check(&self.request)
    }

    /// Accepts the request if it keeps the server's rules, and rejects it if not.
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] if it was rejected, [`Error::Opening`] or [`Error::Timeout`] if the
    /// answer could not be sent.
    pub async fn accept(self) -> Result<WebSocket<T, C>, Error> {
        match self.check() {
            Ok(accepted) => {
                let deadline = self.deadline;
                self.switch(accepted, deadline).await
            }
            Err(error) => Err(self.reject(error).await),
        }
    }

    /// Accepts the request with an answer of the caller's making: one of
    /// [`check`](Self::check), with another subprotocol or more header fields. The extensions are
    /// chosen now, by the server's configuration and among the `offers` that the caller left in it.
    ///
    /// # Errors
    ///
    /// [`Error::Opening`] or [`Error::Timeout`] if the answer could not be sent.
    pub async fn accept_as(self, accepted: ServerAccepted) -> Result<WebSocket<T, C>, Error> {
        let deadline = with_grace(self.deadline, &self.timer);
        self.switch(accepted, deadline).await
    }

    /// Answers 101 and lets frames follow.
    async fn switch(
        mut self,
        accepted: ServerAccepted,
        deadline: Instant,
    ) -> Result<WebSocket<T, C>, Error> {
        if accepted.version < Version::HYBI_04 {
            return self.switch_hixie(accepted, deadline).await;
        }
        let (response, upgrade) = self.server.accepted(accepted);
        let mut head = Vec::new();
        write_response(&response, &[], &mut head);
        let written = Box::pin(write_all(&mut self.transport, &head));
        within(&mut self.timer, deadline, written)
            .await
            .unwrap_or(Err(Error::Timeout(Deadline::Handshake)))?;
        let connection = upgrade.into_connection();
        Ok(WebSocket::with_input(connection, self.transport, self.timer, self.input))
    }

    /// Rejects the request as `error` says, ends the transport in order, and hands the error back.
    pub async fn reject(self, error: HandshakeError) -> Error {
        self.respond(error.response()).await;
        error.into()
    }

    /// Answers the request with plain HTTP and ends the transport in order.
    ///
    /// `Content-Length` and `Connection: close` are added. If the request is HEAD, the body is
    /// measured but not sent (RFC 9110 section 9.3.2). Fields of
    /// [`ServerBuilder::header`](crate::ServerBuilder::header) that it lacks are added. A peer that goes away meanwhile, or
    /// does not read for too long, is no error: there is nobody left to tell.
    pub async fn respond<B: AsRef<[u8]>>(mut self, mut response: http::Response<B>) {
        add_headers(&self.server, &mut response);
        let body = response.body().as_ref();
        let mut bytes = Vec::new();
        if self.request.method() == Method::HEAD {
            write_response_head(&response, body.len(), &mut bytes);
        } else {
            write_response(&response, body, &mut bytes);
        }
        drop(response);
        Box::pin(answer(&mut self.transport, &mut self.timer, self.deadline, &bytes)).await;
    }
}

/// How long an answer may take to be read by the peer if the handshake's deadline is nearer.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

fn with_grace(deadline: Instant, timer: &impl Timer) -> Instant {
    deadline.max(timer.now() + ANSWER_GRACE)
}

/// Writes a response other than 101 and ends the transport so that the peer can read it: our half first, then
/// what the peer still sends is read and discarded, within bounds, lest it cause a reset.
async fn answer<T: Transport, C: Timer>(
    transport: &mut T,
    timer: &mut C,
    deadline: Instant,
    bytes: &[u8],
) {
    let deadline = with_grace(deadline, timer);
    let written = within(timer, deadline, async {
        write_all(transport, bytes).await?;
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
async fn read_chunk<T: Transport>(transport: &mut T) -> Result<Option<Chunk>, OpeningError> {
    poll_fn(|cx| {
        // Borrowed anew for each attempt, so that waiting holds no buffer.
        let mut chunk = Chunk::borrow();
        transport.poll_read(cx, chunk.space()).map_ok(|len| {
            chunk.filled(len);
            left_over(chunk)
        })
    })
    .await
    .map_err(OpeningError::Handshake)
}

/// Takes the end of TLS without its goodbye for the end of input: a server's rules are the same over
/// each transport.
fn or_end(read: Result<Option<Chunk>, OpeningError>) -> Result<Option<Chunk>, OpeningError> {
    match read {
        Err(OpeningError::Handshake(error)) if is_end_without_goodbye(&error) => Ok(None),
        read => read,
    }
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
    Ok(poll_fn(&mut step).await.map_err(OpeningError::Handshake)?)
}
