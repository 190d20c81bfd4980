//! Connecting: the opening handshake as client, over a transport (RFC 6455 section 4.1).

use core::{future::Future, time::Duration};
use std::time::Instant;

use hybi_frame::Role;
use hybi_handshake::WsUri;

use super::{
    client::{Client, ClientAccepted, ClientHandshake, Request, Stage},
    dial::{Dial, reach},
    wire::Wire,
};
use crate::{
    connection::{Connection, Error, Negotiated, is_end_without_goodbye},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// Opens a connection as client: connects to the URI as `dial` does, through the client's
/// [proxy](crate::ClientBuilder::proxy) if there is one, and anew for each version that it
/// [falls back](Client::fall_back) to and each [redirect](crate::ClientBuilder::follow_redirects) that it follows. One
/// deadline is for all attempts.
///
/// [`Dial`] has an example.
///
/// # Errors
///
/// As [`connect_anew`]; [`Error::Opening`] for the steps before the handshake, or what [`Dial::tls`] says.
// Not an `async fn`, nor are the others: a task would keep room for all of connecting, for as long as the
// connection lasts.
#[expect(clippy::type_complexity, reason = "what an `async fn` gives, written out")]
pub fn connect<D: Dial>(
    dial: &D,
    client: &Client,
    request: impl Into<Request>,
) -> impl Future<Output = Result<(WebSocket<D::Transport, D::Timer>, http::Response<()>), Error>> {
    Box::pin(async move {
        let deadline = client.config().handshake_deadline(dial.timer().now());
        let (mut client, mut uri) = client.prepare(request)?;
        loop {
            let reach = || reach(dial, &client, &uri, deadline);
            match attempt(&client, &uri, deadline, reach).await {
                Ok(opened) => return Ok(opened),
                Err(NotOpened::Failed(error)) => return Err(error),
                Err(NotOpened::Redirected { leads_to, .. }) => (client, uri) = *leads_to?,
            }
        }
    })
}

/// Opens a connection as client on a transport that `connect` makes, and on another if the server refuses
/// the version and the client [falls back](Client::fall_back).
///
/// `deadline` ends all attempts together.
///
/// ```
/// use hybi::{Client, Error, WebSocket, io::{Timer, Transport}, opening};
///
/// /// Through a tunnel, which is dug anew for each attempt.
/// async fn connect<T: Transport, C: Timer + Default>(
///     client: &Client,
///     uri: &str,
///     tunnel: impl AsyncFn() -> Result<T, Error>,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let (_, deadline) = opening::begin::<C>(client.config());
///     let dig = || async { Ok((tunnel().await?, C::default())) };
///     let (ws, _response) = opening::connect_anew(client, uri, deadline, dig).await?;
///     Ok(ws)
/// }
/// ```
///
/// # Errors
///
/// As [`connect_on`], for the first attempt that was refused with a list of versions, or else for the
/// last one; what `connect` fails of ends them, and so does a [redirect](crate::ClientBuilder::follow_redirects) that the
/// client is to follow: where it leads, `connect` does not know.
pub fn connect_anew<T: Transport, C: Timer, F>(
    client: &Client,
    request: impl Into<Request>,
    deadline: Instant,
    connect: impl FnMut() -> F,
) -> impl Future<Output = Result<(WebSocket<T, C>, http::Response<()>), Error>>
where
    F: Future<Output = Result<(T, C), Error>>,
{
    Box::pin(async move {
        let (client, uri) = client.prepare(request)?;
        attempt(&client, &uri, deadline, connect).await.map_err(|why| match why {
            NotOpened::Failed(error) | NotOpened::Redirected { refusal: error, .. } => error,
        })
    })
}

/// Why a server did not open a connection.
enum NotOpened {
    Failed(Error),
    /// By a redirect that is to be followed: where that leads, or why it is not.
    Redirected {
        refusal: Error,
        leads_to: Result<Box<(Client, WsUri)>, Error>,
    },
}

impl From<Error> for NotOpened {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Attempts to open a connection, over and over while the client falls back.
async fn attempt<T: Transport, C: Timer, F>(
    first: &Client,
    uri: &WsUri,
    deadline: Instant,
    mut connect: impl FnMut() -> F,
) -> Result<(WebSocket<T, C>, http::Response<()>), NotOpened>
where
    F: Future<Output = Result<(T, C), Error>>,
{
    let (mut client, mut refusal) = (first.clone(), None);
    loop {
        let (transport, timer) = connect().await?;
        let deadline = client.answer_deadline(timer.now(), deadline);
        let wire = Wire::new(transport, timer, deadline);
        let error = match open(&client, uri, wire).await {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        // Whatever versions it lists, the server that it leads to may know others.
        if let Some(leads_to) = first.redirect(uri, &error).transpose() {
            let leads_to = leads_to.map(Box::new);
            return Err(NotOpened::Redirected { refusal: error, leads_to });
        }
        let next = client.fall_back(&error);
        // Of several, the one that says what would do is worth most.
        if error.handshake().is_some_and(|error| !error.versions_offered().is_empty()) {
            refusal.get_or_insert_with(|| error.clone());
        }
        match next {
            Some(next) => client = next,
            None => return Err(refusal.unwrap_or(error).into()),
        }
    }
}

/// Opens a connection as client on a transport that is connected already (RFC 6455 section 4.1).
///
/// `deadline` ends the attempt; it includes what the caller did before, such as connecting.
///
/// ```
/// use hybi::{Client, Error, WebSocket, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `connect_on` is.
/// async fn connect_on<T: Transport, C: Timer + Default>(
///     client: &Client,
///     uri: &str,
///     transport: T,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let (timer, deadline) = opening::begin(client.config());
///     let (ws, _response) =
///         opening::connect_on(client, uri, transport, timer, deadline).await?;
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
pub fn connect_on<T: Transport, C: Timer>(
    client: &Client,
    request: impl Into<Request>,
    transport: T,
    timer: C,
    deadline: Instant,
) -> impl Future<Output = Result<(WebSocket<T, C>, http::Response<()>), Error>> {
    Box::pin(async move {
        let (client, uri) = client.prepare(request)?;
        open(&client, &uri, Wire::new(transport, timer, deadline)).await
    })
}

async fn open<T: Transport, C: Timer>(
    client: &Client,
    uri: &WsUri,
    wire: Wire<T, C>,
) -> Result<(WebSocket<T, C>, http::Response<()>), Error> {
    let (wire, accepted) = exchange_on(client, uri, wire).await?;
    let connection = connection(client, uri, accepted.negotiated);
    Ok((wire.into_websocket(connection), accepted.response))
}

/// The connection of an opening handshake that was done by other means, over the transport that it was done on: a stream of
/// HTTP/2.
///
/// ```
/// use hybi::{Client, WebSocket, WsUri, handshake::ClientAccepted, io::{Timer, Transport}, opening};
///
/// /// After a [`ConnectHandshake`](hybi::handshake::ConnectHandshake).
/// fn open<T: Transport, C: Timer>(
///     client: &Client,
///     uri: &WsUri,
///     accepted: ClientAccepted,
///     stream: T,
///     timer: C,
/// ) -> WebSocket<T, C> {
///     println!("answered by {:?}", accepted.response.headers().get("server"));
///     opening::opened(client, uri, accepted.negotiated, stream, timer)
/// }
/// ```
pub fn opened<T: Transport, C: Timer>(
    client: &Client,
    uri: &WsUri,
    negotiated: Negotiated,
    transport: T,
    timer: C,
) -> WebSocket<T, C> {
    WebSocket::new(connection(client, uri, negotiated), transport, timer)
}

fn connection(client: &Client, uri: &WsUri, negotiated: Negotiated) -> Connection {
    let connection = Connection::new(Role::Client, negotiated, client.config().clone());
    connection.trace_server(uri);
    connection
}

/// The opening handshake; what comes of it is for the caller to make a connection of.
pub(crate) async fn exchange_on<T: Transport, C: Timer>(
    client: &Client,
    uri: &WsUri,
    mut wire: Wire<T, C>,
) -> Result<(Wire<T, C>, ClientAccepted), Error> {
    // Outside of what a deadline ends: it knows what has come until then.
    let mut handshake = Box::new(client.handshake(uri));
    let begun = wire.timer().now();
    let exchanged = Box::pin(exchange(&mut handshake, &mut wire)).await;
    client.stage_over(Stage::Handshake, begun, wire.timer());
    match exchanged {
        Ok(accepted) => Ok((wire, accepted)),
        Err(error) => {
            wire.leave();
            Err(refusal_or(error, &mut handshake))
        }
    }
}

/// Sends the request and reads the answer, which is judged as it comes: a server may refuse without having
/// read all of the request.
async fn exchange<T: Transport, C: Timer>(
    handshake: &mut ClientHandshake,
    wire: &mut Wire<T, C>,
) -> Result<ClientAccepted, Error> {
    wire.send(handshake.request_bytes().to_vec());
    loop {
        let Some(mut chunk) = wire.read().await? else {
            return Err(handshake.handle_eof());
        };
        let was_known = handshake.is_rejection();
        let (consumed, accepted) = handshake.handle_input(chunk.unread())?;
        chunk.consume(consumed);
        wire.unread(chunk);
        if let Some(accepted) = accepted {
            wire.flush().await?;
            return Ok(accepted);
        }
        if handshake.is_rejection() && !was_known {
            wire.allow(REFUSAL_BODY_TIME);
        }
    }
}

/// How long the body of a refusal may take once its head is there.
pub(super) const REFUSAL_BODY_TIME: Duration = Duration::from_secs(1);

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
