//! A session: one open connection with its counters, its time to live and the server's end.

use core::time::Duration;
use std::time::Instant;

use hybi::{
    CloseCode, CloseFrame, Endpoint, Error, Message, Role, State, Version, WebSocket, io::Transport,
};
use hybi_tokio::TokioTimer;
use tokio::task::coop::consume_budget;

use super::access_log::Ended;
use super::registry::Member;
use crate::values::{CloseSpec, rules, version_name};

const GOING_AWAY: &str = "server going away";
const EXPIRED: &str = "connection reached its time to live";

/// One open connection, or one channel of it, as handlers use it.
#[derive(Debug)]
pub(crate) struct Session<'a, T> {
    ws: WebSocket<T, TokioTimer>,
    member: &'a Member,
    opened: Instant,
    /// The end of its time to live.
    expires: Option<Instant>,
}

impl<'a, T: Transport> Session<'a, T> {
    pub(crate) fn new(
        ws: WebSocket<T, TokioTimer>,
        member: &'a Member,
        expires: Option<Instant>,
    ) -> Self {
        member.opened(ws.version());
        Self { ws, member, opened: Instant::now(), expires }
    }

    pub(crate) fn id(&self) -> u64 {
        self.member.id()
    }

    /// The next message; `None` when the connection is over, whoever ended it. Cancel safe.
    ///
    /// The server's end and the time to live come between two messages, so the one in hand is always
    /// finished, and a peer that sends without a pause cannot put them off.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, Error> {
        // However many messages came in one read, others get their turn.
        consume_budget().await;
        let reason = match self.farewell() {
            Some(reason) => reason,
            None => tokio::select! {
                biased;
                received = self.ws.recv() => {
                    let received = received?;
                    if let Some(message) = &received {
                        self.member.received().count(message.len());
                    }
                    return Ok(received);
                }
                () = self.member.asked_to_leave() => GOING_AWAY,
                () = expiry(self.expires) => EXPIRED,
            },
        };
        if self.ws.capabilities().close_codes {
            self.ws.close(CloseCode::GOING_AWAY, reason).await?;
        } else {
            // What every version can say: that this is the end.
            self.ws.close(CloseCode::NORMAL, "").await?;
        }
        Ok(None)
    }

    /// Why this connection has to end now, if it has to.
    fn farewell(&self) -> Option<&'static str> {
        if self.member.is_asked_to_leave() {
            return Some(GOING_AWAY);
        }
        self.expires.is_some_and(|end| Instant::now() >= end).then_some(EXPIRED)
    }

    /// Waits for the end of a `delay`, or until the server wants to go.
    pub(crate) fn wait(&self, delay: Duration) -> impl Future<Output = ()> + use<'a, T> {
        let member = self.member;
        async move {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = member.asked_to_leave() => {}
            }
        }
    }

    /// Queues a message; it leaves at the latest when [`next`](Self::next) waits. Cancel safe.
    ///
    /// During the closing handshake nothing can be sent any more, and the message is dropped. So is a binary
    /// one for a peer whose version has none.
    pub(crate) async fn feed(&mut self, message: Message) -> Result<(), Error> {
        let unknown = message.is_binary() && !self.ws.capabilities().binary;
        if self.ws.state() != State::Open || unknown {
            return Ok(());
        }
        let len = message.len();
        self.ws.feed(message).await?;
        self.member.sent().count(len);
        Ok(())
    }

    /// Queues a message and sends everything that is queued.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.feed(message).await?;
        self.ws.flush().await
    }

    /// Begins the closing handshake, without code and reason if the version has none;
    /// [`next`](Self::next) finishes it.
    pub(crate) async fn close(&mut self, close: &CloseSpec) -> Result<(), Error> {
        if self.ws.state() != State::Open {
            return Ok(());
        }
        let frame = close.0.clone().filter(|_| self.ws.capabilities().close_codes);
        Ok(self.ws.send(Message::Close(frame)).await?)
    }

    /// Begins it with a code of RFC 6455, or what comes nearest in older drafts.
    pub(crate) async fn give_up(
        &mut self,
        code: CloseCode,
        reason: &'static str,
    ) -> Result<(), Error> {
        let rules = rules(self.ws.version());
        let code = code.nearest(rules, Role::Server);
        self.close(&CloseSpec(CloseFrame::new(code, reason).ok())).await
    }

    /// The version that is spoken.
    pub(crate) fn version(&self) -> Version {
        self.ws.version()
    }

    /// The line for the access log, and whether a drain had to cut this connection.
    pub(crate) fn end(self, outcome: &Result<(), Error>) -> Ended {
        let status = self.ws.close_status();
        let status = status.as_ref();
        let clean = status.is_some_and(|status| status.is_clean());
        if self.member.registry().is_draining() && !clean {
            self.member.registry().note_cut();
        }
        // What was said, if we failed the connection: drafts have fewer codes than errors.
        let code = match outcome {
            Err(_) => status.and_then(|status| status.sent()),
            Ok(()) => None,
        };
        let code =
            code.or_else(|| status.map(|status| status.code())).unwrap_or(CloseCode::ABNORMAL);
        let by = match status.and_then(|status| status.began_by()) {
            Some(Endpoint::Peer) => "peer",
            Some(Endpoint::Local) => "local",
            None => "nobody",
        };
        Ended {
            version: version_name(self.ws.version()).to_owned(),
            extensions: self.ws.extensions().map(ToString::to_string).collect(),
            subprotocol: self.ws.subprotocol().map(ToOwned::to_owned),
            duration: self.opened.elapsed(),
            received: self.member.received().flow(),
            sent: self.member.sent().flow(),
            code: code.as_u16(),
            by,
            clean,
        }
    }
}

/// Waits for a moment that may never come.
pub(crate) async fn expiry(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end.into()).await,
        None => core::future::pending().await,
    }
}
