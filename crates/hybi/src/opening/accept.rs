//! Accepting: the opening handshake as server, up to a request that has been read (RFC 6455 section 4.2.1).

use core::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use std::{io, sync::Arc, time::Instant};

use hybi_handshake::{HandshakeError, ServerHandshake, write_response};

use super::{
    Gate, Incoming, Requested,
    answer::{add_headers, answer},
    dial::{tls, tls_of},
    server::Server,
    wire::Wire,
};
use crate::{
    connection::Error,
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// Accepts a connection as server, if the request keeps the server's rules.
///
/// `deadline` is that of the whole opening handshake; it includes what the caller did before,
/// such as TLS.
///
/// ```
/// use hybi::{Error, Server, WebSocket, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `accept_on` is.
/// async fn accept_on<T: Transport, C: Timer + Default>(
///     server: &Server,
///     transport: T,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let (timer, deadline) = opening::begin(server.config());
///     opening::accept_on(server, transport, timer, deadline).await
/// }
/// ```
///
/// # Errors
///
/// As [`incoming_on`] and [`Incoming::accept`].
// Not an `async fn`, which would keep its arguments beside the box in every task, for as long as the
// connection lasts.
pub fn accept_on<T: Transport, C: Timer>(
    server: &Server,
    transport: T,
    timer: C,
    deadline: Instant,
) -> impl Future<Output = Result<WebSocket<T, C>, Error>> {
    Box::pin(
        async move { read_request(None, server, transport, timer, deadline).await?.accept().await },
    )
}

/// Reads the head of a request as server, and decides nothing yet.
///
/// A head that is no HTTP, too large, too slow, or for a host that is
/// [not served](crate::ServerBuilder::hosts) is answered and the transport ended. `deadline` is
/// that of the whole opening handshake, as in [`accept_on`].
///
/// ```
/// use hybi::{Error, Server, WebSocket, io::{Timer, Transport}, opening};
///
/// /// Accepts one path alone.
/// async fn chat<T: Transport, C: Timer + Default>(
///     server: &Server,
///     transport: T,
/// ) -> Result<Option<WebSocket<T, C>>, Error> {
///     let (timer, deadline) = opening::begin(server.config());
///     let incoming = opening::incoming_on(server, transport, timer, deadline).await?;
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
pub async fn incoming_on<T: Transport, C: Timer>(
    server: &Server,
    transport: T,
    timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    Box::pin(read_request(None, server, transport, timer, deadline)).await
}

/// The same for somebody who may refuse it at any moment.
pub(crate) async fn incoming_behind<T: Transport, C: Timer>(
    gate: Arc<dyn Gate>,
    server: &Server,
    transport: T,
    timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    read_request(Some(gate), server, transport, timer, deadline).await
}

/// Reads the head of a request as server through TLS, as [`incoming_on`] does without: what TLS takes is part of the
/// opening handshake, and the server's own origin is `https`.
///
/// ```
/// use std::io;
/// use hybi::{Error, Incoming, Server, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `incoming_tls_on` is; `handshake` is that of its TLS.
/// async fn incoming_tls_on<T: Transport, C: Timer + Default>(
///     server: &Server,
///     handshake: impl Future<Output = io::Result<T>>,
/// ) -> Result<Incoming<T, C>, Error> {
///     let (timer, deadline) = opening::begin(server.config());
///     opening::incoming_tls_on(server, handshake, timer, deadline).await
/// }
/// ```
///
/// # Errors
///
/// As [`incoming_on`]; [`Error::Opening`] also if TLS failed or took too long.
pub fn incoming_tls_on<T: Transport, C: Timer>(
    server: &Server,
    handshake: impl Future<Output = io::Result<T>>,
    mut timer: C,
    deadline: Instant,
) -> impl Future<Output = Result<Incoming<T, C>, Error>> {
    // Boxed at once, as all that only the opening needs: tasks live on for as long as their connections.
    let handshake = Box::pin(handshake);
    async move {
        let transport = tls("the client", &mut timer, deadline, handshake).await?;
        let server = server.clone().with_secure(true);
        incoming_on(&server, transport, timer, deadline).await
    }
}

/// Takes a request that came in frames, and decides nothing yet: what [`incoming_on`] is for one that has to be read.
///
/// One for a host that is [not served](crate::ServerBuilder::hosts) is answered and the transport ended.
/// [`Requested`] has an example.
///
/// # Errors
///
/// [`Error::Handshake`] for such a request.
pub async fn incoming_for<T: Transport, C: Timer>(
    server: &Server,
    requested: Requested<T>,
    timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    incoming_for_behind(None, server, requested, timer, deadline).await
}

/// The same for somebody who may refuse it at any moment.
pub(crate) async fn incoming_for_behind<T: Transport, C: Timer>(
    gate: Option<Arc<dyn Gate>>,
    server: &Server,
    requested: Requested<T>,
    timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    let Requested { request, transport, respond } = requested;
    let wire = Wire::new(transport, timer, deadline);
    let incoming = Incoming::new(server.clone(), request, wire).behind(gate);
    judged(incoming.answered_by(respond)).await
}

/// The request, unless it is for a host that is not served.
async fn judged<T: Transport, C: Timer>(incoming: Incoming<T, C>) -> Result<Incoming<T, C>, Error> {
    let judged = incoming.server.policy().check_host(incoming.request()).map(|_| ());
    match judged {
        Ok(()) => Ok(incoming),
        Err(error) => Err(incoming.refuse(error).await),
    }
}

async fn read_request<T: Transport, C: Timer>(
    gate: Option<Arc<dyn Gate>>,
    server: &Server,
    transport: T,
    timer: C,
    deadline: Instant,
) -> Result<Incoming<T, C>, Error> {
    let mut wire = Wire::new(transport, timer, deadline);
    let error = match read_head(gate.as_deref(), server, &mut wire).await {
        Ok(request) => {
            return judged(Incoming::new(server.clone(), request, wire).behind(gate)).await;
        }
        Err(error) => error,
    };
    if let Some(gate) = &gate {
        gate.not_opened(&error, None);
    }
    let refusal = match &error {
        Error::Handshake(error) => Some(error.response()),
        Error::Timeout(_) => Some(HandshakeError::TimedOut.response()),
        _ => None,
    };
    if let Some(mut refusal) = refusal {
        add_headers(server, &mut refusal);
        let mut bytes = Vec::new();
        write_response(&refusal, refusal.body().as_bytes(), &mut bytes);
        answer(wire, bytes).await;
    }
    Err(error)
}

/// What comes before the request of somebody who may refuse it at any moment: nobody can be answered in there, and
/// nobody is waited for long who will be refused.
pub(crate) async fn tls_behind<S, C: Timer>(
    gate: &dyn Gate,
    timer: &mut C,
    deadline: Instant,
    handshake: impl Future<Output = io::Result<S>>,
) -> Result<S, Error> {
    let mut handshake = pin!(handshake);
    let mut closing = None;
    let stream = poll_fn(|cx| {
        if let Poll::Ready(stream) = handshake.as_mut().poll(cx) {
            return Poll::Ready(Some(stream));
        }
        if closing.is_none() && gate.is_closing() {
            closing = Some(timer.now() + LAST_REQUEST);
        }
        let deadline = closing.map_or(deadline, |closing| deadline.min(closing));
        timer.poll_until(cx, deadline).map(|()| None)
    })
    .await;
    tls_of("the client", stream)
}

/// How long a request is waited for that nobody will accept: it may be on its way, and is to be answered then.
const LAST_REQUEST: Duration = Duration::from_secs(1);

async fn read_head<T: Transport, C: Timer>(
    gate: Option<&dyn Gate>,
    server: &Server,
    wire: &mut Wire<T, C>,
) -> Result<http::Request<()>, Error> {
    let mut handshake = ServerHandshake::new(server.config().head_limits);
    let mut was_closing = false;
    loop {
        let is_closing = || gate.is_some_and(Gate::is_closing);
        let read = {
            let mut reading = pin!(wire.read_or_end());
            poll_fn(|cx| match !was_closing && is_closing() {
                true => Poll::Ready(None),
                false => reading.as_mut().poll(cx).map(Some),
            })
            .await
        };
        let Some(read) = read else {
            was_closing = true;
            wire.allow(LAST_REQUEST);
            continue;
        };
        let read = match (read, gate) {
            (Err(Error::Timeout(_)), Some(gate)) if was_closing => {
                let refusal = gate.refusal();
                return Err(refusal.unwrap_or(HandshakeError::TimedOut).into());
            }
            (read, _) => read?,
        };
        let Some(mut chunk) = read else { return Err(handshake.handle_eof().into()) };
        let (consumed, request) = handshake.handle_input(chunk.unread())?;
        chunk.consume(consumed);
        wire.unread(chunk);
        if let Some(request) = request {
            return Ok(request);
        }
    }
}
