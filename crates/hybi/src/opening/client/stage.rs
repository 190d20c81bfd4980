//! Stages: what opening a connection goes through, and whoever is told how long each took.

use core::{fmt, time::Duration};
use std::{sync::Arc, time::Instant};

use super::{Client, ClientBuilder};
use crate::socket::io::Timer;

/// A stage on the way to an open connection, in this order but for those that come again: TLS with a proxy comes before what
/// is asked of it, and that with the server after.
///
/// ```
/// use hybi::opening::Stage;
///
/// assert_eq!(Stage::Lookup.to_string(), "lookup");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Looking up a name, of the server or of a proxy. What is an address is not looked up.
    Lookup,
    /// Connecting to one of its addresses, all attempts together, or to a Unix socket.
    Connect,
    /// Asking a proxy for the server, and its answer.
    Proxy,
    /// The handshake of TLS, with a proxy or with the server.
    Tls,
    /// The opening handshake: the request and its answer (RFC 6455 section 4.1), and over HTTP/2 what the server says of
    /// itself before that.
    Handshake,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whoever is told of stages, if anybody is.
#[derive(Clone, Default)]
pub(super) struct Observer(Option<Arc<dyn Fn(Stage, Duration) + Send + Sync>>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

impl ClientBuilder {
    /// Has this called as soon as a stage of opening a connection is over, well or not, with the time that it took. It is called
    /// between two stages, and all of them wait for it.
    ///
    /// A stage may come more than once before a connection is open: for each [redirect](Self::follow_redirects), version that
    /// is [fallen back](Client::fall_back) to, address that a proxy of SOCKS is given. What a deadline or the caller cut off is
    /// told if it was a deadline. One client that opens several connections at a time is told of all.
    ///
    /// ```
    /// use std::{collections::BTreeMap, sync::{Arc, Mutex}};
    /// use hybi::Client;
    ///
    /// let times = Arc::new(Mutex::new(BTreeMap::new()));
    /// let told = times.clone();
    /// let client = Client::builder()
    ///     .on_stage(move |stage, took| *told.lock().unwrap().entry(stage).or_default() += took)
    ///     .build()?;
    /// // Behind an adapter's `connect`: how long TLS took, if there was any.
    /// let tls: Option<core::time::Duration> =
    ///     times.lock().unwrap().get(&hybi::opening::Stage::Tls).copied();
    /// # assert_eq!(tls, None);
    /// # let _ = client;
    /// # Ok::<(), hybi::Error>(())
    /// ```
    pub fn on_stage(mut self, tell: impl Fn(Stage, Duration) + Send + Sync + 'static) -> Self {
        if let Ok(client) = &mut self.client {
            client.observer = Observer(Some(Arc::new(tell)));
        }
        self
    }
}

impl Client {
    /// Tells whoever [observes](ClientBuilder::on_stage) that a stage is over which began then: for who opens connections by
    /// other means than [`opening`](crate::opening), over another version of HTTP.
    ///
    /// ```
    /// use hybi::{Client, io::Timer, opening::Stage};
    ///
    /// async fn ask<C: Timer, R>(client: &Client, timer: &C, exchange: impl Future<Output = R>) -> R {
    ///     let begun = timer.now();
    ///     let answer = exchange.await;
    ///     client.stage_over(Stage::Handshake, begun, timer);
    ///     answer
    /// }
    /// ```
    pub fn stage_over<C: Timer>(&self, stage: Stage, begun: Instant, timer: &C) {
        if let Observer(Some(tell)) = &self.observer {
            tell(stage, timer.now().saturating_duration_since(begun));
        }
    }
}
