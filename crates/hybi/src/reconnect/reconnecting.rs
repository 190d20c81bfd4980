//! Reconnecting: connections to one server, one after the other.

use core::{fmt, future::poll_fn, pin::Pin};
use std::time::Instant;

use super::{Backoff, Ended, Pause};
use crate::{
    connection::{CloseStatus, Endpoint, Error, after, random},
    opening::{
        Dial,
        client::{Client, Request},
        connect::connect,
    },
    socket::{WebSocket, io::Timer},
};

/// Which attempt is about to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// How many attempts in a row failed before.
    pub failed: u32,
    /// How many connections there were before.
    pub connections: u64,
}

/// Why no more attempts are made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GaveUp {
    /// The last attempt failed of this, which will not change, or it was one too many.
    Failed(Error),
    /// The peer closed the last connection so, and would again, or too many in a row did not last.
    Closed(CloseStatus),
    /// The last connection ended otherwise, and too many in a row did not last.
    Lost,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "not connected again: {error}"),
            Self::Closed(status) => {
                let (code, reason) = (status.code(), status.reason());
                write!(f, "not connected again: the peer closed with {code} {reason:?}")
            }
            Self::Lost => f.write_str("not connected again: too many connections did not last"),
        }
    }
}

impl core::error::Error for GaveUp {}

type MakeRequest = dyn FnMut(Attempt) -> Pin<Box<dyn Future<Output = Request> + Send>> + Send;

/// A client that comes back: it gives one connection after the other to the same server, with [pauses](Backoff) between
/// that grow and that chance chooses.
///
/// It is a layer of its own, and knows nothing of what goes over the connections: what was not sent when one broke, or sent
/// and not answered, is the caller's, who alone knows what to repeat.
///
/// ```
/// use hybi::{Client, opening::Dial, reconnect::{GaveUp, Reconnecting}};
///
/// /// What is new, for as long as there is anything to be had. A `dial` is the `Connector` of an adapter.
/// async fn news<D: Dial>(dial: D) -> Result<(), GaveUp> {
///     let mut reconnecting = Reconnecting::new(dial, Client::default(), "wss://example.org/news");
///     loop {
///         let (mut ws, _response) = reconnecting.connect().await?;
///         while let Ok(Some(message)) = ws.recv().await {
///             println!("{message:?}");
///         }
///         reconnecting.ended(ws.close_status());
///     }
/// }
/// ```
pub struct Reconnecting<D: Dial> {
    dial: D,
    client: Client,
    request: Box<MakeRequest>,
    backoff: Backoff,
    random: fn() -> f64,
    timer: D::Timer,
    connections: u64,
    failed: u32,
    state: State,
}

enum State {
    /// An attempt may be made from this moment on; at once, if there is none.
    Waiting(Option<Instant>),
    /// There is a connection, since then.
    Open(Instant),
    Over(GaveUp),
}

impl<D: Dial> Reconnecting<D> {
    /// Connections as this client asks for them, with this request each time.
    pub fn new(dial: D, client: Client, request: impl Into<Request>) -> Self {
        let request = request.into();
        Self::with_requests(dial, client, move |_| {
            let request = request.clone();
            async { request }
        })
    }

    /// The same with a request that is made anew for each attempt: with a token that has not expired, to another
    /// server, or after a look at whether there is any use.
    ///
    /// ```
    /// use hybi::{Client, Request, opening::Dial, reconnect::Reconnecting};
    ///
    /// # async fn token() -> String { String::new() }
    /// fn with_token<D: Dial>(dial: D) -> Reconnecting<D> {
    ///     Reconnecting::with_requests(dial, Client::default(), |attempt| async move {
    ///         println!("attempt after {} that failed", attempt.failed);
    ///         Request::from("wss://example.org/news")
    ///             .header("Authorization", &format!("Bearer {}", token().await))
    ///     })
    /// }
    /// ```
    pub fn with_requests<F>(
        dial: D,
        client: Client,
        mut request: impl FnMut(Attempt) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Request> + Send + 'static,
    {
        let timer = dial.timer();
        Self {
            dial,
            client,
            request: Box::new(move |attempt| Box::pin(request(attempt))),
            backoff: Backoff::default(),
            random: chance,
            timer,
            connections: 0,
            failed: 0,
            state: State::Waiting(None),
        }
    }

    /// Sets how long it waits, and when it gives up.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The next connection: the first at once, and each after a pause. Attempts go on until one succeeds.
    ///
    /// If the last connection was not said to have [ended](Self::ended), it is taken for one that broke just now.
    ///
    /// Cancel safe: a pause goes on where it was, so that whoever calls over and over waits as long; an attempt is
    /// made anew.
    ///
    /// # Errors
    ///
    /// Why no more attempts are made; it is sticky.
    pub async fn connect(
        &mut self,
    ) -> Result<(WebSocket<D::Transport, D::Timer>, http::Response<()>), GaveUp> {
        if let State::Open(_) = self.state {
            self.ended(None);
        }
        loop {
            match &self.state {
                State::Over(why) => return Err(why.clone()),
                State::Waiting(Some(until)) => {
                    let until = *until;
                    poll_fn(|cx| self.timer.poll_until(cx, until)).await;
                }
                State::Waiting(None) | State::Open(_) => {}
            }
            let attempt = Attempt { failed: self.failed, connections: self.connections };
            let request = (self.request)(attempt).await;
            match connect(&self.dial, &self.client, request).await {
                Ok(connected) => {
                    self.connections += 1;
                    self.failed = 0;
                    self.state = State::Open(self.timer.now());
                    return Ok(connected);
                }
                Err(error) => {
                    self.failed = self.failed.saturating_add(1);
                    let pause = self.backoff.failed(&error, (self.random)());
                    self.wait(pause, || GaveUp::Failed(error));
                }
            }
        }
    }

    /// Says that the last connection ended, and [how](crate::WebSocket::close_status): whether and when the next is made
    /// depends on it. The pause begins now.
    pub fn ended(&mut self, status: Option<CloseStatus>) {
        let State::Open(since) = self.state else { return };
        let lasted = self.timer.now().saturating_duration_since(since);
        let pause = self.backoff.ended(&Ended::new(status.as_ref(), lasted), (self.random)());
        let by_peer = status.filter(|status| status.began_by() == Some(Endpoint::Peer));
        self.wait(pause, || by_peer.map_or(GaveUp::Lost, GaveUp::Closed));
    }

    fn wait(&mut self, pause: Pause, why: impl FnOnce() -> GaveUp) {
        self.state = match pause {
            Pause::For(time) => State::Waiting(Some(after(self.timer.now(), time))),
            Pause::Never => State::Over(why()),
        };
    }
}

/// A number from 0 to 1 that nobody can foresee.
fn chance() -> f64 {
    f64::from(u32::from_ne_bytes(random())) / f64::from(u32::MAX)
}

impl<D: Dial> fmt::Debug for Reconnecting<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting")
            .field("backoff", &self.backoff)
            .field("connections", &self.connections)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
