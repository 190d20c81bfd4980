//! Reading the head of a request as server, and deciding nothing yet (RFC 6455 section 4.2.1).

use std::time::Instant;

use hybi_handshake::{HandshakeError, ServerHandshake, write_response};

use super::{
    Incoming,
    answer::{add_headers, answer},
    bytes::{left_over, or_end, read_chunk},
    deadline::within,
    server::Server,
};
use crate::{
    connection::{Deadline, Error},
    socket::{
        Chunk, WebSocket,
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
