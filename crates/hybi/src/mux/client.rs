//! Client: asking for a multiplexed connection, and opening channels in it.

use core::{
    future::{Future, poll_fn},
    task::Poll,
};
use std::{io, sync::Arc, time::Instant};

use hybi_compression::{Agreed, Extensions};
use hybi_frame::Role;
use hybi_handshake::{ExtensionOffer, HandshakeError, Version, WsUri};
use hybi_mux::{CannotOpen, ChannelId, ChannelKey, Config, DropCode, Endpoint};

use super::{Channel, Driver, Timers, carrier, shared::Shared};
use crate::{
    connection::{Connection, Deadline, Error, Negotiated, OpeningError},
    opening::{
        Dial, Wire,
        client::{Client, ClientAccepted, Request, Step},
        connect::exchange_on,
        connect_on as connect_channel, reach, within,
    },
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// What a server agreed to.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is no third")]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub enum Connected<T, C> {
    /// One connection.
    Single(WebSocket<T, C>),
    /// A connection with channels.
    Multiplexed(MultiplexedClient<T, C>),
}

/// A connection with channels, as client.
#[derive(Debug)]
#[non_exhaustive]
pub struct MultiplexedClient<T, C> {
    /// The channel that is there from the beginning, with the request of the physical connection.
    pub first: WebSocket<Channel, C>,
    /// What opens more.
    pub opener: Opener<C>,
    /// What has to run.
    pub driver: Driver<T, C>,
}

/// Connects to a URI as `dial` does, through the client's [proxy](crate::ClientBuilder::proxy) if there is one and anew for each
/// [redirect](crate::ClientBuilder::follow_redirects) that it follows, and asks for multiplexing. Of a client that was led
/// to another origin, channels have no credentials either. No other version is fallen back to: none has channels.
///
/// ```
/// use hybi::{Client, Error, mux::{self, Config, Connected}, opening::Dial};
///
/// /// Two conversations over one connection, if the server can.
/// async fn talk<D>(dial: D, client: &Client) -> Result<(), Error>
/// where
///     D: Dial + Send + Sync + 'static,
///     D::Timer: 'static,
/// {
///     let uri = "ws://example.org/chat";
///     let (connected, _response) = mux::connect(dial, client, &Config::default(), uri).await?;
///     let Connected::Multiplexed(mut mux) = connected else { return Ok(()) };
///     let talking = async {
///         mux.first.send("hello").await?;
///         let (mut second, _response) = mux.opener.open_channel(uri).await?;
///         second.send("hello again").await?;
///         Ok(())
///     };
///     futures_util::future::try_join(mux.driver.run(), talking).await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As [`opening::connect`](crate::opening::connect()).
#[expect(clippy::type_complexity, reason = "what an `async fn` gives, written out")]
pub fn connect<D: Dial + Send + Sync + 'static>(
    dial: D,
    client: &Client,
    config: &Config,
    request: impl Into<Request>,
) -> impl Future<Output = Result<(Connected<D::Transport, D::Timer>, http::Response<()>), Error>> {
    Box::pin(async move {
        let dial = Arc::new(dial);
        let deadline = client.config().handshake_deadline(dial.timer().now());
        let (mut first, mut uri) = client.prepare(request)?;
        let mut client = client.clone();
        loop {
            let (transport, timer) = reach(&*dial, &first, &uri, deadline).await?;
            let until = first.route().deadline(Step::Answer, timer.now(), deadline);
            let (wire, timers) = (Wire::new(transport, timer, until), dial.clone());
            let asked = (first.clone(), uri.clone());
            let error = match open(&client, config, asked, wire, move || timers.timer()).await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            let Some(next) = first.redirect(&uri, &error)? else { return Err(error) };
            // Channels are led to the same place.
            client = client.redirect(&uri, &error)?.map_or(client, |(client, _)| client);
            (first, uri) = next;
        }
    })
}

/// Asks for multiplexing on a transport that is connected already. `timers` makes the timer of each channel, and
/// `deadline` ends the attempt; it includes what the caller did before, such as connecting.
///
/// # Errors
///
/// As [`opening::connect_on`](crate::opening::connect_on).
pub fn connect_on<T: Transport, C: Timer>(
    client: &Client,
    config: &Config,
    request: impl Into<Request>,
    transport: T,
    timers: impl Fn() -> C + Send + Sync + 'static,
    deadline: Instant,
) -> impl Future<Output = Result<(Connected<T, C>, http::Response<()>), Error>> {
    Box::pin(async move {
        let first = client.prepare(request)?;
        let wire = Wire::new(transport, timers(), deadline);
        open(client, config, first, wire, timers).await
    })
}

/// `first` is the client for the first channel and where it goes: what its request says more no other asks for.
async fn open<T: Transport, C: Timer>(
    client: &Client,
    config: &Config,
    (first, uri): (Client, WsUri),
    wire: Wire<T, C>,
    timers: impl Fn() -> C + Send + Sync + 'static,
) -> Result<(Connected<T, C>, http::Response<()>), Error> {
    let extensions = client.extensions().of_messages();
    let offered = extensions.clone().with(carrier::Multiplexing(config.clone()));
    let asking = first.clone().with_extensions(offered);
    let (wire, ClientAccepted { negotiated, response, .. }) =
        exchange_on(&asking, &uri, wire).await?;
    if !carrier::is_agreed(config, &negotiated.extensions)? {
        let connection = Connection::new(Role::Client, negotiated, client.config().clone());
        return Ok((Connected::Single(wire.into_websocket(connection)), response));
    }
    let subprotocol = negotiated.subprotocol.clone();
    let physical = carrier::physical(config, client.config());
    let ws = wire.into_websocket(Connection::new(Role::Client, negotiated, physical.into()));

    let handshake = first.with_extensions(extensions.clone()).handshake(&uri);
    let (endpoint, key) = Endpoint::client(config.clone(), fields_of(handshake.request_bytes()));
    let shared = Shared::new(endpoint);
    let of_channels = client.clone().with_extensions(extensions.clone());
    let of_channels = of_channels.with_config(carrier::logical(client.config())).unmasked();
    let agreed = carrier::unannounced(offered_first(&extensions));
    let negotiated = Negotiated::new(Version::RFC6455, subprotocol, agreed).unmasked();
    let connection = Connection::new(Role::Client, negotiated, of_channels.config().clone());
    let first = WebSocket::new(connection, Channel::new(&shared, key), timers());
    let driver = Driver::new(ws, timers(), &shared);
    let opener = Opener { shared, client: of_channels, timers: Arc::new(timers) };
    Ok((Connected::Multiplexed(MultiplexedClient { first, opener, driver }), response))
}

/// The fields of a request, without its first line.
fn fields_of(request: &[u8]) -> &[u8] {
    let line = request.windows(2).position(|pair| pair == b"\r\n");
    line.map_or(&[], |end| &request[end + 2..])
}

/// What a server agrees to that takes the first offer and says nothing. What it would have had to say is among the
/// parameters of the offer: as many of them as the extension takes in an answer.
fn offered_first(extensions: &Extensions) -> Vec<Agreed> {
    let offers = extensions.offers(Version::RFC6455);
    let Some(offer) = offers.first() else { return Vec::new() };
    let params = &offer.params()[..offer.params().len().min(MOST_PARAMS)];
    let answer = |left_out: u32| {
        let said = params.iter().enumerate().filter(|(at, _)| left_out & (1 << at) == 0);
        said.fold(ExtensionOffer::new(offer.name()), |answer, (_, param)| {
            answer.and_then(|answer| answer.with_param(param.name(), param.value()))
        })
    };
    let agreed = |left_out| {
        // As it is, a value may be one that is no token.
        let answer = if left_out == 0 { offer.clone() } else { answer(left_out).ok()? };
        extensions.confirm(&[answer], Version::RFC6455).ok().filter(|agreed| !agreed.is_empty())
    };
    (0..1 << params.len()).find_map(agreed).unwrap_or_default()
}

/// An offer with more has its first ones alone looked at, in each combination.
const MOST_PARAMS: usize = 8;

/// What opens channels.
///
/// Dropping it opens no more; the driver ends the connection when the last channel is gone as well.
pub struct Opener<C> {
    shared: Arc<Shared>,
    client: Client,
    timers: Timers<C>,
}

impl<C: Timer> Opener<C> {
    /// Opens a channel: asks for it as for any connection, and waits for a slot first if the server has granted none.
    ///
    /// The channel gets the smallest id that was not used. Of the client's extensions channels use those that work on
    /// whole messages.
    ///
    /// # Errors
    ///
    /// As [`opening::connect_on`](crate::opening::connect_on). [`Error::Timeout`] if no slot was granted in the time of the
    /// handshake; [`Error::Opening`] if the connection is over, or the server said that it grants no more: then another
    /// connection is the way. A response that breaks a rule fails the whole connection.
    pub async fn open_channel(
        &self,
        request: impl Into<Request>,
    ) -> Result<(WebSocket<Channel, C>, http::Response<()>), Error> {
        self.open(None, request.into()).await
    }

    /// The same with an id of the caller's choice, above all that were used: for tests of servers.
    ///
    /// # Errors
    ///
    /// As [`open_channel`](Self::open_channel), and [`Error::Opening`] for an id that is not above all others.
    pub async fn open_channel_as(
        &self,
        id: ChannelId,
        request: impl Into<Request>,
    ) -> Result<(WebSocket<Channel, C>, http::Response<()>), Error> {
        self.open(Some(id), request.into()).await
    }

    async fn open(
        &self,
        id: Option<ChannelId>,
        request: Request,
    ) -> Result<(WebSocket<Channel, C>, http::Response<()>), Error> {
        let mut timer = (self.timers)();
        let deadline = self.client.config().handshake_deadline(timer.now());
        let reserved = within(&mut timer, deadline, self.reserve(id)).await;
        let key = reserved.ok_or(Error::Timeout(Deadline::Handshake))?.map_err(|error| {
            OpeningError::Handshake(io::Error::new(io::ErrorKind::NotConnected, error))
        })?;
        let channel = Channel::new(&self.shared, key);
        let opening = connect_channel(&self.client, request, channel, timer, deadline);
        opening.await.inspect_err(|error| {
            if is_bad_response(error) {
                let text = error.to_string();
                self.shared.with(|state| state.endpoint.fail(DropCode::BAD_RESPONSE, &text));
            }
        })
    }

    /// A channel, as soon as there is a slot for it.
    async fn reserve(&self, id: Option<ChannelId>) -> Result<ChannelKey, CannotOpen> {
        poll_fn(|cx| {
            self.shared.with(|state| match state.endpoint.open(id) {
                Err(CannotOpen::NoSlot) => {
                    state.wait_for_channels(cx);
                    Poll::Pending
                }
                opened => Poll::Ready(opened),
            })
        })
        .await
    }
}

/// Whether a server answered against the rules, rather than refusing or going away.
fn is_bad_response(error: &Error) -> bool {
    error.handshake().is_some_and(|error| {
        !matches!(error, HandshakeError::Rejected(_) | HandshakeError::UnexpectedEof { .. })
    })
}

impl<C> Drop for Opener<C> {
    fn drop(&mut self) {
        self.shared.let_go();
    }
}

impl<C> core::fmt::Debug for Opener<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Opener").field("client", &self.client).finish_non_exhaustive()
    }
}
