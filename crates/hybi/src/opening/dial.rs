//! Dialling: from a URI to a transport, before the opening handshake; an adapter brings the calls.

use core::{
    future::{Future, poll_fn},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::{collections::VecDeque, io, path::Path, time::Instant};

use hybi_handshake::WsUri;

use super::{
    client::{Client, Stage, Step},
    deadline::within,
    tunnel,
};
use crate::{
    connection::{Error, OpeningError},
    socket::io::{Timer, Transport},
};

/// What a runtime does on the way to a server: its lookup, its TCP, perhaps its TLS. An adapter's `Connector`
/// implements it; order, deadline and errors are those of [`connect`](super::connect()).
///
/// ```
/// use std::{convert::Infallible, io, net::SocketAddr};
/// use hybi::{Client, Error, WsUri, io::{FuturesIo, Timer}, opening::{self, Dial}};
/// # trait Io: futures_io::AsyncRead + futures_io::AsyncWrite + Unpin {}
/// # type TcpStream = Box<dyn Io>;
/// # async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> { unimplemented!() }
/// # async fn connect(address: SocketAddr) -> io::Result<TcpStream> { unimplemented!() }
///
/// /// A runtime with its own `look_up`, `connect` and `TcpStream`, and without TLS.
/// struct Connector;
///
/// impl Dial for Connector {
///     type Tls = Infallible;
///     type Transport = FuturesIo<TcpStream>;
/// #   type Timer = Never;
/// #   fn timer(&self) -> Never { Never }
///     // ... and its timer.
///
///     async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
///         look_up(host, port).await
///     }
///
///     async fn connect(&self, address: SocketAddr) -> io::Result<Self::Transport> {
///         Ok(FuturesIo::new(connect(address).await?))
///     }
///
///     fn tls(&self, uri: &WsUri) -> Result<Option<Infallible>, Error> {
///         opening::without_tls(uri, "none").map(|()| None)
///     }
///
///     async fn secure(&self, tls: Infallible, _: Self::Transport) -> io::Result<Self::Transport> {
///         match tls {}
///     }
/// }
/// # struct Never;
/// # impl Timer for Never {
/// #     fn now(&self) -> std::time::Instant { std::time::Instant::now() }
/// #     fn poll_until(
/// #         &mut self,
/// #         _: &mut std::task::Context<'_>,
/// #         _: std::time::Instant,
/// #     ) -> std::task::Poll<()> {
/// #         std::task::Poll::Pending
/// #     }
/// # }
///
/// async fn greet(client: &Client) -> Result<(), Error> {
///     let uri = "ws://example.org/chat";
///     let (mut ws, _response) = opening::connect(&Connector, client, uri).await?;
///     ws.send("hello").await?;
///     Ok(())
/// }
/// ```
pub trait Dial {
    /// What TLS with a server needs.
    type Tls;
    /// What connections are made over: TCP, or TLS over TCP, and TLS over that.
    type Transport: Transport;
    /// The timer of a connection.
    type Timer: Timer;

    /// A timer for a connection.
    fn timer(&self) -> Self::Timer;

    /// The addresses of a host.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports; it becomes [`OpeningError::Resolve`].
    fn look_up(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;

    /// Connects to one address. `TCP_NODELAY` is to be set: frames are written whole.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports; it becomes part of [`OpeningError::Connect`].
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Transport>>;

    /// Connects to a Unix socket of this path; provided is that there are none.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports; it becomes [`OpeningError::Unix`].
    fn connect_unix(&self, path: &Path) -> impl Future<Output = io::Result<Self::Transport>> {
        let _ = path;
        let told = "there are no Unix sockets on this system";
        async move { Err(io::Error::new(io::ErrorKind::Unsupported, told)) }
    }

    /// What TLS with the server of this URI needs; `None` if its scheme is `ws`. It is asked before any byte is sent. That
    /// of a proxy is asked by the URI of its root.
    ///
    /// # Errors
    ///
    /// [`Error::TlsNotCompiledIn`], or what is wrong with the host as a name.
    fn tls(&self, uri: &WsUri) -> Result<Option<Self::Tls>, Error>;

    /// Begins TLS over a transport: what [`connect`](Self::connect) made, or through a proxy this itself.
    ///
    /// # Errors
    ///
    /// Whatever TLS reports; it becomes [`OpeningError::Tls`].
    fn secure(
        &self,
        tls: Self::Tls,
        transport: Self::Transport,
    ) -> impl Future<Output = io::Result<Self::Transport>>;
}

/// A transport to the server of this URI, and a timer, before `deadline`: directly, or through the client's proxy. What
/// [`connect`](super::connect()) begins with.
///
/// ```
/// use hybi::{Client, Error, WebSocket, io::Timer, opening::{self, Dial}};
///
/// /// Connecting once, whatever the client falls back to or follows.
/// async fn once<D: Dial>(
///     dial: &D,
///     client: &Client,
///     uri: &str,
/// ) -> Result<WebSocket<D::Transport, D::Timer>, Error> {
///     let deadline = client.config().handshake_deadline(dial.timer().now());
///     let (transport, timer) = opening::reach(dial, client, &uri.parse()?, deadline).await?;
///     Ok(opening::connect_on(client, uri, transport, timer, deadline).await?.0)
/// }
/// ```
///
/// # Errors
///
/// [`Error::Opening`], or what [`Dial::tls`] says.
pub async fn reach<D: Dial>(
    this: &D,
    client: &Client,
    uri: &WsUri,
    deadline: Instant,
) -> Result<(D::Transport, D::Timer), Error> {
    let mut timer = this.timer();
    let needs = this.tls(uri)?;
    if let Some(path) = uri.unix_socket() {
        return Ok((dial_unix(this, client, path, uri, &mut timer, deadline).await?, timer));
    }
    let mut transport = match client.route().proxy(uri) {
        None => dial_from(this, client, uri.host(), uri.port(), &mut timer, deadline).await?,
        Some(proxy) => tunnel::through(this, client, proxy, uri, &mut timer, deadline).await?,
    };
    if let Some(needs) = needs {
        transport =
            secure_by(this, client, uri.host(), needs, transport, &mut timer, deadline).await?;
    }
    Ok((transport, timer))
}

/// A transport to a Unix socket. No proxy leads there, and whoever chose one is not to be reached without.
async fn dial_unix<D: Dial>(
    this: &D,
    client: &Client,
    path: &str,
    uri: &WsUri,
    timer: &mut D::Timer,
    deadline: Instant,
) -> Result<D::Transport, Error> {
    let failed = |error| OpeningError::Unix { path: path.to_owned(), error };
    if let Some(proxy) = client.route().proxy(uri) {
        let told = format!("proxy {proxy} is for TCP, and this is a Unix socket");
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, told)).into());
    }
    let begun = timer.now();
    let deadline = client.route().deadline(Step::Connect, begun, deadline);
    let connected = within(timer, deadline, this.connect_unix(Path::new(path))).await;
    client.stage_over(Stage::Connect, begun, timer);
    let connected = connected.unwrap_or_else(|| Err(too_late())).map_err(|error| {
        // What a system says that does not wait for room is about waiting.
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::new(error.kind(), "its queue of connections is full")
            }
            _ => error,
        }
    });
    Ok(connected.map_err(failed)?)
}

/// The same as [`tls`], by the calls of a runtime, in the time that the client has for it.
pub(super) async fn secure_by<D: Dial>(
    this: &D,
    client: &Client,
    peer: &str,
    needs: D::Tls,
    transport: D::Transport,
    timer: &mut D::Timer,
    deadline: Instant,
) -> Result<D::Transport, Error> {
    let begun = timer.now();
    let deadline = client.route().deadline(Step::Tls, begun, deadline);
    let secured = tls(peer, timer, deadline, this.secure(needs, transport)).await;
    client.stage_over(Stage::Tls, begun, timer);
    secured
}

/// The same as [`dial`], by the calls of a runtime.
pub(super) async fn dial_from<D: Dial>(
    this: &D,
    client: &Client,
    host: &str,
    port: u16,
    timer: &mut D::Timer,
    deadline: Instant,
) -> Result<D::Transport, Error> {
    let deadline = client.route().deadline(Step::Connect, timer.now(), deadline);
    let addresses = look_up_from(this, client, host, port, timer, deadline).await?;
    let begun = timer.now();
    let connected = race((host, port), timer, deadline, addresses, |to| this.connect(to)).await;
    client.stage_over(Stage::Connect, begun, timer);
    connected
}

/// The addresses of a host in the order in which to try them, by the calls of a runtime.
pub(super) async fn look_up_from<D: Dial>(
    this: &D,
    client: &Client,
    host: &str,
    port: u16,
    timer: &mut D::Timer,
    deadline: Instant,
) -> Result<VecDeque<SocketAddr>, Error> {
    let begun = timer.now();
    let addresses = resolve(host, timer, deadline, this.look_up(host, port)).await;
    if host.parse::<IpAddr>().is_err() {
        client.stage_over(Stage::Lookup, begun, timer);
    }
    addresses
}

/// Connects to a host before `deadline`: looks up its addresses, and tries one after the other until one takes the
/// connection, the next as soon as one failed and beside one that has taken 250 ms (RFC 8305, Happy Eyeballs).
/// They are tried in the order of the lookup, but the two families in turn: where one leads nowhere, the other costs
/// no more than that.
///
/// ```
/// use std::{io, net::SocketAddr, time::Instant};
/// use hybi::{Error, WsUri, io::Timer, opening};
///
/// # async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> { unimplemented!() }
/// # async fn connect<S>(address: SocketAddr) -> io::Result<S> { unimplemented!() }
/// /// What an adapter does with its runtime's `look_up` and `connect`.
/// async fn tcp<S, C: Timer>(
///     uri: &WsUri,
///     timer: &mut C,
///     deadline: Instant,
/// ) -> Result<S, Error> {
///     let host = (uri.host(), uri.port());
///     opening::dial(host, timer, deadline, look_up(host.0, host.1), connect).await
/// }
/// ```
///
/// # Errors
///
/// [`OpeningError::Resolve`], or [`OpeningError::Connect`] with what became of each address.
pub async fn dial<S, C: Timer, F: Future<Output = io::Result<S>>>(
    (host, port): (&str, u16),
    timer: &mut C,
    deadline: Instant,
    addresses: impl Future<Output = io::Result<impl IntoIterator<Item = SocketAddr>>>,
    connect: impl FnMut(SocketAddr) -> F,
) -> Result<S, Error> {
    let addresses = resolve(host, timer, deadline, addresses).await?;
    race((host, port), timer, deadline, addresses, connect).await
}

/// The addresses that a lookup gives by then, of which there is one at least, in the order in which to try them.
async fn resolve<C: Timer>(
    host: &str,
    timer: &mut C,
    deadline: Instant,
    addresses: impl Future<Output = io::Result<impl IntoIterator<Item = SocketAddr>>>,
) -> Result<VecDeque<SocketAddr>, Error> {
    let unresolved = |error| OpeningError::Resolve { host: host.to_owned(), error };
    let addresses = match within(timer, deadline, addresses).await {
        Some(addresses) => in_turn(addresses.map_err(unresolved)?),
        None => return Err(unresolved(too_late()).into()),
    };
    if addresses.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        return Err(unresolved(error).into());
    }
    Ok(addresses)
}

/// Connects to one of these addresses.
async fn race<S, C: Timer, F: Future<Output = io::Result<S>>>(
    (host, port): (&str, u16),
    timer: &mut C,
    deadline: Instant,
    addresses: VecDeque<SocketAddr>,
    mut connect: impl FnMut(SocketAddr) -> F,
) -> Result<S, Error> {
    let mut race =
        Race { waiting: addresses, running: Vec::new(), attempts: Vec::new(), next: timer.now() };
    if let Some(stream) = poll_fn(|cx| race.poll(cx, timer, deadline, &mut connect)).await {
        return Ok(stream);
    }
    if race.attempts.is_empty() {
        // The time was over before the first.
        race.attempts.extend(race.waiting.pop_front().map(|address| (address, too_late())));
    }
    let host =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Err(OpeningError::Connect { host, attempts: race.attempts }.into())
}

/// So long an address has before the next is tried beside it (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Attempts to connect to one of several addresses.
struct Race<F> {
    waiting: VecDeque<SocketAddr>,
    running: Vec<(SocketAddr, Pin<Box<F>>)>,
    /// Those that failed, in this order.
    attempts: Vec<(SocketAddr, io::Error)>,
    /// When the next is tried, whatever became of those before.
    next: Instant,
}

impl<S, F: Future<Output = io::Result<S>>> Race<F> {
    /// Ready with the first stream, or without one when none is left to be waited for.
    fn poll<C: Timer>(
        &mut self,
        cx: &mut Context<'_>,
        timer: &mut C,
        deadline: Instant,
        connect: &mut impl FnMut(SocketAddr) -> F,
    ) -> Poll<Option<S>> {
        loop {
            let failed = self.attempts.len();
            let mut at = 0;
            while let Some((address, attempt)) = self.running.get_mut(at) {
                match attempt.as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Some(stream)),
                    Poll::Ready(Err(error)) => {
                        self.attempts.push((*address, error));
                        self.running.remove(at);
                    }
                    Poll::Pending => at += 1,
                }
            }
            let now = timer.now();
            let has_failed = self.attempts.len() > failed;
            let is_due = self.running.is_empty() || has_failed || now >= self.next;
            if is_due
                && now < deadline
                && let Some(address) = self.waiting.pop_front()
            {
                self.running.push((address, Box::pin(connect(address))));
                self.next = now + HEAD_START;
                continue;
            }
            if self.running.is_empty() && (self.waiting.is_empty() || now >= deadline) {
                return Poll::Ready(None);
            }
            let until = if self.waiting.is_empty() { deadline } else { deadline.min(self.next) };
            ready!(timer.poll_until(cx, until));
            if timer.now() >= deadline {
                let late = self.running.drain(..).map(|(address, _)| (address, too_late()));
                self.attempts.extend(late);
                return Poll::Ready(None);
            }
        }
    }
}

/// The addresses with the two families in turn, each in its own order (RFC 8305 section 4).
fn in_turn(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut addresses = addresses.into_iter();
    let Some(first) = addresses.next() else { return VecDeque::new() };
    let (mut same, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.partition(|address| address.is_ipv4() == first.is_ipv4());
    let mut all = VecDeque::from([first]);
    while !same.is_empty() || !other.is_empty() {
        all.extend(other.pop_front());
        all.extend(same.pop_front());
    }
    all
}

/// Runs a TLS handshake with `peer`, but not beyond `deadline`.
///
/// ```
/// use std::{io, time::Instant};
/// use hybi::{Error, io::Timer, opening};
///
/// async fn secure<S, C: Timer>(
///     name: &str,
///     timer: &mut C,
///     deadline: Instant,
///     handshake: impl Future<Output = io::Result<S>>,
/// ) -> Result<S, Error> {
///     opening::tls(name, timer, deadline, handshake).await
/// }
/// ```
///
/// # Errors
///
/// [`OpeningError::Tls`].
pub async fn tls<S, C: Timer>(
    peer: &str,
    timer: &mut C,
    deadline: Instant,
    handshake: impl Future<Output = io::Result<S>>,
) -> Result<S, Error> {
    tls_of(peer, within(timer, deadline, handshake).await)
}

/// What became of it; `None` if it took too long.
pub(super) fn tls_of<S>(peer: &str, stream: Option<io::Result<S>>) -> Result<S, Error> {
    let stream = stream.unwrap_or_else(|| Err(too_late()));
    Ok(stream.map_err(|error| OpeningError::Tls { peer: peer.to_owned(), error })?)
}

/// What an adapter without TLS says to the URI of a server: it is refused if its scheme is `wss`.
///
/// ```
/// use hybi::{Error, WsUri, opening};
///
/// let uri: WsUri = "wss://example.org/chat".parse()?;
/// let error = opening::without_tls(&uri, "`tls` of `my-adapter`").expect_err("it is secure");
/// assert!(matches!(error, Error::TlsNotCompiledIn { .. }));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// [`Error::TlsNotCompiledIn`], which names `feature`.
pub fn without_tls(uri: &WsUri, feature: &'static str) -> Result<(), Error> {
    if uri.is_secure() { Err(Error::TlsNotCompiledIn { feature }) } else { Ok(()) }
}

/// What a step fails of that was not done in time.
pub(super) fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "took too long")
}
