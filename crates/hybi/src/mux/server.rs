//! Server: accepting a multiplexed connection, and the channels that are asked for in it.

use core::{
    future::poll_fn,
    task::{Context, Poll},
};
use std::sync::Arc;

use hybi_frame::Role;
use hybi_handshake::{ExtensionOffer, ServerAccepted, Version};
use hybi_mux::{Config, Endpoint};

use super::{Channel, Driver, Timers, carrier, shared::Shared};
use crate::{
    connection::{Connection, Error, Negotiated},
    opening::{Gate, Incoming, Wire, server::Server},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// What a client asked for.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is no third")]
pub enum Accepted<T, C> {
    /// One connection.
    Single(WebSocket<T, C>),
    /// A connection with channels.
    Multiplexed(MultiplexedServer<T, C>),
}

/// A connection with channels, as server.
#[derive(Debug)]
#[non_exhaustive]
pub struct MultiplexedServer<T, C> {
    /// The channel that is there from the beginning, with the request of the physical connection.
    pub first: WebSocket<Channel, C>,
    /// The channels that the client asks for.
    pub requests: Requests<C>,
    /// What has to run.
    pub driver: Driver<T, C>,
}

/// Accepts a request, and multiplexing if the client offers it and keeps the server's rules.
///
/// The first channel and all that are asked for later are judged by the rules of the same [`Server`]: hosts, origins,
/// subprotocols, extensions. Of its extensions channels use those that work on whole messages. An offer of another
/// kind in front of the one of multiplexing, or any that is accepted behind it, is preferred to multiplexing, as
/// pywebsocket does. Channels have the server's [`Config`](crate::Config) with one exception: whether the peer is still
/// there the physical connection finds out, so they send no pings of their own.
///
/// `timers` makes the timer of each channel. The [module](super) has an example.
///
/// # Errors
///
/// As [`Incoming::accept`].
pub async fn accept<T: Transport, C: Timer>(
    incoming: Incoming<T, C>,
    config: &Config,
    timers: impl Fn() -> C + Send + Sync + 'static,
) -> Result<Accepted<T, C>, Error> {
    match incoming.check() {
        Ok(accepted) => switch(incoming, accepted, config, timers).await,
        Err(error) => Err(incoming.reject(error).await),
    }
}

/// Accepts a request with an answer of the caller's making, as [`Incoming::accept_as`] does, and multiplexing if the
/// client offers it.
///
/// # Errors
///
/// As [`Incoming::accept_as`].
pub async fn accept_as<T: Transport, C: Timer>(
    mut incoming: Incoming<T, C>,
    accepted: ServerAccepted,
    config: &Config,
    timers: impl Fn() -> C + Send + Sync + 'static,
) -> Result<Accepted<T, C>, Error> {
    incoming.grant_time();
    switch(incoming, accepted, config, timers).await
}

async fn switch<T: Transport, C: Timer>(
    mut incoming: Incoming<T, C>,
    mut accepted: ServerAccepted,
    config: &Config,
    timers: impl Fn() -> C + Send + Sync + 'static,
) -> Result<Accepted<T, C>, Error> {
    let server = incoming.server.clone();
    let is_spoken = accepted.version == Version::RFC6455;
    let offers = core::mem::take(&mut accepted.offers);
    let Some(asked) = Asked::of(config, &server, &offers).filter(|_| is_spoken) else {
        accepted.offers = offers;
        return Ok(Accepted::Single(incoming.switch(accepted).await?));
    };
    let fields = carrier::fields(incoming.request().headers(), asked.for_channels);
    accepted.offers = vec![asked.offer.clone()];
    let physical = carrier::physical(config, server.config());
    incoming.server =
        server.clone().with_extensions(carrier::Multiplexing(config.clone())).with_config(physical);
    let (mut ws, gate) = incoming.switch_around(accepted).await?;

    let (endpoint, key) = Endpoint::server(config.clone(), &fields, asked.quota);
    let shared = Shared::new(endpoint);
    let of_channels = server
        .clone()
        .with_extensions(server.extensions().of_messages())
        .with_config(carrier::logical(server.config()))
        .unmasked();
    let agreed = of_channels.extensions().accept(asked.for_channels, Version::RFC6455);
    let subprotocol = ws.subprotocol().map(str::to_owned);
    let negotiated =
        Negotiated::new(Version::RFC6455, subprotocol, carrier::unannounced(agreed)).unmasked();
    let connection = Connection::new(Role::Server, negotiated, of_channels.config().clone());
    let mut first = WebSocket::new(connection, Channel::new(&shared, key), timers());
    if let Some(gate) = &gate {
        // The place of the transport is the first channel's, and each of the others has its own.
        gate.carries(ws.closer());
        gate.opened(first.closer());
    }
    let driver = Driver::new(ws, timers(), &shared);
    let requests = Requests { shared, server: of_channels, timers: Arc::new(timers), gate };
    Ok(Accepted::Multiplexed(MultiplexedServer { first, requests, driver }))
}

/// What a client that asks for channels asks for.
struct Asked<'a> {
    offer: &'a ExtensionOffer,
    quota: u64,
    for_channels: &'a [ExtensionOffer],
}

impl<'a> Asked<'a> {
    fn of(config: &Config, server: &Server, offers: &'a [ExtensionOffer]) -> Option<Self> {
        let found = config.find(offers)?;
        let accepted = |offers| server.extensions().accept(offers, Version::RFC6455);
        // Frames of channels are cut anew, and those of the physical connection carry messages of different channels:
        // what works on single frames, or remembers, would see what it was not meant for.
        let fits = accepted(found.before).iter().all(|agreed| agreed.is_message())
            && accepted(found.behind).is_empty();
        let offer = &offers[found.before.len()];
        fits.then_some(Self { offer, quota: found.quota, for_channels: found.before })
    }
}

/// The channels that a client asks for.
///
/// Dropping it refuses those that wait and those that are asked for later, with 503, and the client is told that there
/// will be no more.
///
/// What [`serve`](crate::serve) accepted, it looks after as well: a channel counts as a connection, from when it is asked
/// for until its `WebSocket` is dropped, and is refused beyond the limits; and at the end each is closed. Have the
/// driver and the channels end with the handler, which is what is cut at the deadline.
pub struct Requests<C> {
    shared: Arc<Shared>,
    server: Server,
    timers: Timers<C>,
    /// Who looks after the physical connection.
    gate: Option<Arc<dyn Gate>>,
}

impl<C: Timer> Requests<C> {
    /// The next request, to be accepted, rejected or answered as any other; `None` when the physical connection ended, or
    /// the server that looks after it does: the client is told then that there will be no more.
    ///
    /// One for a host that is not served is refused by itself. The time for the handshake begins now.
    ///
    /// ```
    /// use hybi::{http::Response, io::Timer, mux::Requests};
    ///
    /// /// Refuses all channels but those of one path.
    /// async fn chats<C: Timer>(requests: &mut Requests<C>) {
    ///     while let Some(incoming) = requests.next().await {
    ///         if incoming.request().uri().path() != "/chat" {
    ///             let response = Response::builder().status(404).body("no such channel");
    ///             incoming.respond(response.expect("a valid response")).await;
    ///             continue;
    ///         }
    ///         let ws = incoming.accept().await;
    ///         # drop(ws);
    ///         // ... and a task for it.
    ///     }
    /// }
    /// ```
    pub async fn next(&mut self) -> Option<Incoming<Channel, C>> {
        loop {
            let Some((key, request)) = poll_fn(|cx| self.poll_request(cx)).await else {
                // Nobody will ask again, whether or not this is dropped.
                self.shared.let_go();
                return None;
            };
            let timer = (self.timers)();
            let now = timer.now();
            let deadline = self.server.config().handshake_deadline(now);
            let judged = self.server.policy().check_host(&request).map(|_| ());
            let mut channel = Channel::new(&self.shared, key);
            let mut gate = None;
            if let Some(physical) = &self.gate {
                // Beyond even an answer: dropping the channel refuses it.
                let Some((place, seat)) = physical.channel(now) else { continue };
                channel.keep(seat);
                gate = Some(place);
            }
            let wire = Wire::new(channel, timer, deadline);
            let incoming = Incoming::new(self.server.clone(), request, wire).behind(gate);
            match judged {
                Ok(()) => return Some(incoming),
                Err(error) => drop(incoming.refuse(error).await),
            }
        }
    }

    fn poll_request(
        &self,
        cx: &Context<'_>,
    ) -> Poll<Option<(hybi_mux::ChannelKey, http::Request<()>)>> {
        if let Some(gate) = &self.gate {
            gate.wake_at_closing(cx.waker());
            if gate.is_closing() {
                return Poll::Ready(None);
            }
        }
        self.shared.with(|state| {
            if let Some(request) = state.endpoint.next_request() {
                return Poll::Ready(Some(request));
            }
            if state.endpoint.ended().is_some() {
                return Poll::Ready(None);
            }
            state.wait_for_channels(cx);
            Poll::Pending
        })
    }
}

impl<C> Drop for Requests<C> {
    fn drop(&mut self) {
        self.shared.let_go();
    }
}

impl<C> core::fmt::Debug for Requests<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Requests").field("server", &self.server).finish_non_exhaustive()
    }
}
