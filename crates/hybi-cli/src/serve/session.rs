//! A session: one open connection with its counters, its time to live and the server's end.

use core::future::poll_fn;
use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use hybi::{
    CloseCode, CloseFrame, Endpoint, Error, Member, Message, Role, State, Version, WebSocket,
    io::Transport,
};
use hybi_tokio::TokioTimer;
use tokio::task::coop::consume_budget;

use super::access_log::{Ended, Record};
use super::counters::Counted;
use super::handlers::Seat;
use super::line::Line;
use super::shared::Shared;
use crate::values::{CloseSpec, rules, version_name};

const EXPIRED: &str = "connection reached its time to live";

/// After so many messages without a pause they count, although nobody waits.
const UNCOUNTED: u8 = 64;

/// One open connection, or one channel of it, as handlers use it. Dropping it ends it, and completes its line in the
/// access log.
#[derive(Debug)]
pub(crate) struct Session<T: Transport> {
    socket: Socket<T>,
    counted: Counted,
    uncounted: u8,
    opened: Instant,
    /// The end of its time to live.
    expires: Option<Instant>,
    line: Line,
    /// Whether the handler came to its end, and nothing failed.
    went_well: bool,
}

/// The connection, by itself or among others; in a box, since tasks keep room for each place that a value passes.
#[derive(Debug)]
enum Socket<T> {
    Alone(Box<WebSocket<T, TokioTimer>>),
    InRoom(
        Box<Member<T, TokioTimer>>,
        #[expect(dead_code, reason = "kept to be dropped")] Box<Seat>,
    ),
}

impl<T: Transport> Session<T> {
    pub(crate) fn new(
        ws: WebSocket<T, TokioTimer>,
        seat: Option<Seat>,
        expires: Option<Instant>,
        line: Line,
    ) -> Self {
        let counted = line.shared.counters.opened(ws.version());
        let opened = Instant::now();
        let socket = match seat {
            None => Socket::Alone(Box::new(ws)),
            Some(seat) => Socket::InRoom(Box::new(seat.broadcast().join(ws)), Box::new(seat)),
        };
        Self { socket, counted, uncounted: 0, opened, expires, line, went_well: false }
    }

    /// What all sessions share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.line.shared
    }

    /// What the access log will say of its request.
    pub(crate) fn record(&self) -> &Record {
        &self.line.record
    }

    /// Whether it is among others.
    pub(crate) fn is_in_room(&self) -> bool {
        matches!(self.socket, Socket::InRoom(..))
    }

    /// Sends a message to all others in the room, and to this peer if `include_sender`. Waits as the room does.
    pub(crate) async fn tell(
        &mut self,
        message: Message,
        include_sender: bool,
    ) -> Result<(), Error> {
        let Socket::InRoom(member, _) = &mut self.socket else { return Ok(()) };
        let told = match include_sender {
            true => member.tell_all(message).await,
            false => member.tell_others(message).await,
        };
        unless_closing(told.map(|_| ()).map_err(Error::from))
    }

    fn ws(&self) -> &WebSocket<T, TokioTimer> {
        match &self.socket {
            Socket::Alone(ws) => ws,
            Socket::InRoom(member, _) => member.websocket(),
        }
    }

    fn ws_mut(&mut self) -> &mut WebSocket<T, TokioTimer> {
        match &mut self.socket {
            Socket::Alone(ws) => ws,
            Socket::InRoom(member, _) => member.websocket_mut(),
        }
    }

    /// The next message; `None` when the connection is over, whoever ended it. Cancel safe.
    ///
    /// The server's end and the time to live come between two messages, so the one in hand is always
    /// finished, and a peer that sends without a pause cannot put them off.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, Error> {
        // However many messages came in one read, others get their turn.
        consume_budget().await;
        if self.expires.is_none_or(|end| Instant::now() < end) {
            let expires = self.expires;
            tokio::select! {
                biased;
                received = self.recv() => return received,
                () = expiry(expires) => {}
            }
        }
        // As the server's end does it: in order, in the words of any version, once.
        self.ws_mut().closer().close(CloseCode::GOING_AWAY, EXPIRED)?;
        self.recv().await
    }

    /// The same without an end of ours. Whoever looks sees what has gone over the connection when it last waited, or
    /// since then but for less than [`UNCOUNTED`] messages.
    async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| {
            // Dropping it between two polls loses nothing: it is cancel safe.
            let received = match &mut self.socket {
                Socket::Alone(ws) => pin!(ws.recv()).poll(cx),
                Socket::InRoom(member, _) => pin!(member.recv()).poll(cx),
            };
            self.uncounted += 1;
            if received.is_pending() || self.uncounted == UNCOUNTED {
                self.uncounted = 0;
                self.counted.note(&self.ws().stats());
            }
            received
        })
        .await
    }

    /// Waits for the end of a `delay`, or until the server wants to go.
    pub(crate) fn wait(&self, delay: Duration) -> impl Future<Output = ()> + use<T> {
        let shared = Arc::clone(self.shared());
        async move {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = shared.left() => {}
            }
        }
    }

    /// Queues a message; it leaves at the latest when [`next`](Self::next) waits. Cancel safe.
    ///
    /// During the closing handshake nothing can be sent any more, and the message is dropped. So is a binary
    /// one for a peer whose version has none.
    pub(crate) async fn feed(&mut self, message: Message) -> Result<(), Error> {
        let unknown = message.is_binary() && !self.ws().capabilities().binary;
        if self.ws().state() != State::Open || unknown {
            return Ok(());
        }
        unless_closing(self.ws_mut().feed(message).await.map_err(Error::from))
    }

    /// Queues a message and sends everything that is queued.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.feed(message).await?;
        unless_closing(self.ws_mut().flush().await)
    }

    /// Begins the closing handshake, without code and reason if the version has none;
    /// [`next`](Self::next) finishes it.
    pub(crate) async fn close(&mut self, close: &CloseSpec) -> Result<(), Error> {
        if self.ws().state() != State::Open {
            return Ok(());
        }
        let frame = close.0.clone().filter(|_| self.ws().capabilities().close_codes);
        unless_closing(self.ws_mut().send(Message::Close(frame)).await.map_err(Error::from))
    }

    /// Begins it with a code of RFC 6455, or what comes nearest in older drafts.
    pub(crate) async fn give_up(
        &mut self,
        code: CloseCode,
        reason: &'static str,
    ) -> Result<(), Error> {
        let rules = rules(self.ws().version());
        let code = code.nearest(rules, Role::Server);
        self.close(&CloseSpec(CloseFrame::new(code, reason).ok())).await
    }

    /// The version that is spoken.
    pub(crate) fn version(&self) -> Version {
        self.ws().version()
    }

    /// Ends it as the handler did.
    pub(crate) fn end(mut self, outcome: &Result<(), Error>) {
        self.went_well = outcome.is_ok();
    }

    /// What the access log says of it.
    fn ended(&self) -> Ended {
        let ws = self.ws();
        let status = ws.close_status();
        let status = status.as_ref();
        // What was said, if we failed the connection: drafts have fewer codes than errors.
        let code = match self.went_well {
            false => status.and_then(|status| status.sent()),
            true => None,
        };
        let code =
            code.or_else(|| status.map(|status| status.code())).unwrap_or(CloseCode::ABNORMAL);
        let by = match status.and_then(|status| status.began_by()) {
            Some(Endpoint::Peer) => "peer",
            Some(Endpoint::Local) => "local",
            None => "nobody",
        };
        let stats = ws.stats();
        self.counted.note(&stats);
        Ended {
            version: version_name(ws.version()).to_owned(),
            extensions: ws.extensions().map(ToString::to_string).collect(),
            subprotocol: ws.subprotocol().map(ToOwned::to_owned),
            duration: self.opened.elapsed(),
            received: stats.received.into(),
            sent: stats.sent.into(),
            code: code.as_u16(),
            by,
            clean: status.is_some_and(|status| status.is_clean()),
        }
    }
}

impl<T: Transport> Drop for Session<T> {
    fn drop(&mut self) {
        // Before the connection is gone, and with it what keeps the server from being at its end.
        self.line.record.connection = Some(self.ended());
        self.line.write();
    }
}

/// Nothing can be sent any more once the end has begun, which receiving tells.
fn unless_closing(sent: Result<(), Error>) -> Result<(), Error> {
    match sent {
        Err(Error::Closed) => Ok(()),
        sent => sent,
    }
}

/// Waits for a moment that may never come.
pub(crate) async fn expiry(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end.into()).await,
        None => core::future::pending().await,
    }
}
