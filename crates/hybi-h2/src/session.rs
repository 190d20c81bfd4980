//! Session: a connection of HTTP/2 as client, over which WebSockets are opened (RFC 8441 section 5).

use core::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::{io, time::Instant};

use h2::{
    Ping, PingPong, RecvStream,
    client::{Connection, SendRequest},
};
use hybi::{
    Client, Deadline, Error, OpeningError, Request, WsUri,
    handshake::ConnectHandshake,
    io::Timer,
    opening::{self, Stage, within},
};
use hybi_tokio::{Socket, TokioTimer};

use crate::{
    EitherIo, Http2Io, Settings, WebSocket,
    cause::Cause,
    keep_alive::{Finding, KeepAlive},
    underway::Payload,
};

/// How long the body of a refusal may take once its head is there.
const REFUSAL_BODY_TIME: Duration = Duration::from_secs(1);

/// A connection of HTTP/2 to a server that takes WebSockets, any number of which share it.
///
/// Clones are handles to the same connection, which a task of its own drives. It ends when the last handle and the last
/// WebSocket are dropped. The [crate](crate) has an example; [`Connector`](crate::Connector) makes one for each WebSocket.
#[derive(Clone)]
pub struct Session {
    requests: SendRequest<Payload>,
    cause: Cause,
}

impl Session {
    /// Begins HTTP/2 on a stream of the caller's making, by prior knowledge or after ALPN, and waits for what the server
    /// says of itself: `None` if it takes no WebSockets over HTTP/2, as most do not. Then another connection is needed, in
    /// HTTP/1.1.
    ///
    /// The deadline is the client's [for a handshake](hybi::Config::handshake_timeout).
    ///
    /// # Errors
    ///
    /// [`Error::Opening`] if HTTP/2 failed, or [`Error::Timeout`].
    pub async fn on<S>(client: &Client, stream: S) -> Result<Option<Self>, Error>
    where
        S: Socket + Send + 'static,
    {
        Self::with(client, Settings::default(), stream).await
    }

    /// The same with settings of one's own, of which a client needs those of its windows and pings.
    ///
    /// # Errors
    ///
    /// As [`on`](Self::on).
    pub async fn with<S>(
        client: &Client,
        settings: Settings,
        stream: S,
    ) -> Result<Option<Self>, Error>
    where
        S: Socket + Send + 'static,
    {
        let (timer, deadline): (TokioTimer, _) = opening::begin(client.config());
        Self::begin(client, settings, stream, timer, deadline).await
    }

    pub(crate) async fn begin<S>(
        client: &Client,
        settings: Settings,
        stream: S,
        mut timer: TokioTimer,
        deadline: Instant,
    ) -> Result<Option<Self>, Error>
    where
        S: Socket + Send + 'static,
    {
        let start = timer.now();
        let begun = within(&mut timer, deadline, async {
            let (requests, mut connection) = settings.client().handshake(stream).await?;
            // It is there to be taken once.
            let Some(mut pings) = connection.ping_pong() else { return Ok(None) };
            let takes_websockets = settled(&requests, &mut connection, &mut pings).await?;
            Ok(takes_websockets.then_some((requests, connection, pings)))
        });
        let begun = begun.await;
        client.stage_over(Stage::Handshake, start, &timer);
        let begun = begun.ok_or(Error::Timeout(Deadline::Handshake))?;
        let cause = Cause::default();
        let begun = begun.map_err(|error| failed(&cause, error))?;
        let Some((requests, connection, pings)) = begun else { return Ok(None) };
        // It ends by itself.
        let keep_alive = KeepAlive::asked(pings, settings);
        drop(tokio::spawn(drive(connection, keep_alive, cause.clone())));
        Ok(Some(Self { requests, cause }))
    }

    /// Opens one more WebSocket. Where the URI leads is not looked at: the server is the one that this is connected to.
    ///
    /// If the server allows no more streams at the moment, it waits for one.
    ///
    /// # Errors
    ///
    /// [`Error::Uri`] and [`Error::Field`] for a request that cannot be sent; [`Error::Handshake`] if the server refused
    /// (the whole response is in the error) or broke a rule; [`Error::Opening`] if the connection is gone;
    /// [`Error::Timeout`].
    pub async fn open(
        &self,
        client: &Client,
        request: impl Into<Request>,
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let (client, uri) = client.prepare(request)?;
        let (timer, deadline): (TokioTimer, _) = opening::begin(client.config());
        // In a box, as all that only the opening needs.
        Box::pin(self.ask(&client, &uri, timer, deadline)).await
    }

    pub(crate) async fn ask(
        &self,
        client: &Client,
        uri: &WsUri,
        mut timer: TokioTimer,
        deadline: Instant,
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let begun = timer.now();
        let deadline = client.answer_deadline(begun, deadline);
        // Outside of what a deadline ends: it knows what has come until then.
        let mut handshake = client.connect_handshake(uri);
        let mut asked = None;
        let asking = self.exchange(&handshake, &mut asked);
        let answered = within(&mut timer, deadline, asking).await;
        client.stage_over(Stage::Handshake, begun, &timer);
        let answered = match answered {
            Some(answered) => answered?,
            None => return Err(Error::Timeout(Deadline::Handshake)),
        };
        let (head, mut body) = answered.into_parts();
        let response = http::Response::from_parts(head, ());
        if let Some(accepted) = handshake.handle_response(response)? {
            // The response came on it.
            let sending = asked.ok_or(Error::Timeout(Deadline::Handshake))?;
            let stream = EitherIo::Http2(Http2Io::open(body, sending, self.cause.clone()));
            let response = accepted.response;
            let ws = opening::opened(client, uri, accepted.negotiated, stream, timer);
            return Ok((ws, response));
        }
        let until = deadline.min(timer.now() + REFUSAL_BODY_TIME);
        let whole = within(&mut timer, until, read_refusal(&mut handshake, &mut body)).await;
        let refusal = whole.or_else(|| handshake.give_up().map(Error::from));
        Err(refusal.unwrap_or(Error::Timeout(Deadline::Handshake)))
    }

    async fn exchange(
        &self,
        handshake: &ConnectHandshake,
        asked: &mut Option<h2::SendStream<Payload>>,
    ) -> Result<http::Response<RecvStream>, Error> {
        let failed = |error| failed(&self.cause, error);
        let mut requests = self.requests.clone().ready().await.map_err(failed)?;
        // It must not be taken back (RFC 8441 section 3); but asking all the same would be a fault of ours.
        if !requests.is_extended_connect_protocol_enabled() {
            let refused = "the server takes no WebSockets over HTTP/2 any more";
            let error = io::Error::new(io::ErrorKind::Unsupported, refused);
            return Err(OpeningError::Handshake(error).into());
        }
        let mut request = handshake.request().clone();
        request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
        let (answer, sending) = requests.send_request(request, false).map_err(failed)?;
        *asked = Some(sending);
        answer.await.map_err(failed)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Waits for the server's settings, and tells whether it takes WebSockets.
///
/// Its first frame has them; and since frames are answered in their order, they have come when a ping is answered. So
/// whoever does not have the setting is not waited for until the deadline; and for whoever has, the answer is the
/// keep-alive's to take.
async fn settled<S: Socket>(
    requests: &SendRequest<Payload>,
    connection: &mut Connection<S, Payload>,
    pings: &mut PingPong,
) -> Result<bool, h2::Error> {
    pings.send_ping(Ping::opaque())?;
    poll_fn(|cx| {
        if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(cx) {
            return Poll::Ready(ended.map(|()| false));
        }
        if requests.is_extended_connect_protocol_enabled() {
            return Poll::Ready(Ok(true));
        }
        pings.poll_pong(cx).map_ok(|_| false)
    })
    .await
}

/// Drives the connection until it is over, or the peer is gone.
async fn drive<S: Socket>(
    mut connection: Connection<S, Payload>,
    mut keep_alive: KeepAlive,
    cause: Cause,
) {
    poll_fn(|cx: &mut Context<'_>| {
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
                if let Err(error) = ended {
                    cause.failed(error);
                }
                return Poll::Ready(());
            }
            match keep_alive.poll(cx) {
                Poll::Ready(Finding::Alive) => {}
                Poll::Ready(Finding::Gone) => {
                    cause.gone();
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

/// Reads the body of a refusal, as far as it is kept.
async fn read_refusal(handshake: &mut ConnectHandshake, body: &mut RecvStream) -> Error {
    loop {
        match poll_fn(|cx| body.poll_data(cx)).await {
            Some(Ok(data)) => {
                let _ = body.flow_control().release_capacity(data.len());
                if let Some(refusal) = handshake.handle_data(&data) {
                    return refusal.into();
                }
            }
            Some(Err(_)) | None => {
                return handshake.handle_eof();
            }
        }
    }
}

fn failed(cause: &Cause, error: h2::Error) -> Error {
    OpeningError::Handshake(cause.of(error)).into()
}
