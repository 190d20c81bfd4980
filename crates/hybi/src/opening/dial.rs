//! Dialling: from a URI to a transport, before the opening handshake; an adapter brings the calls.

use core::future::Future;
use core::net::SocketAddr;
use std::{io, time::Instant};

use hybi_handshake::WsUri;

use super::deadline::within;
use crate::{
    connection::{Error, OpeningError},
    socket::io::{Timer, Transport},
};

/// What a runtime does on the way to a server: its lookup, its TCP, perhaps its TLS. An adapter's `Connector`
/// implements it; order, deadline and errors are those of [`connect`](super::connect()).
///
/// ```
/// use std::{io, net::SocketAddr};
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
///     type Tcp = TcpStream;
///     type Tls = ();
///     type Transport = FuturesIo<TcpStream>;
/// #   type Timer = Never;
/// #   fn timer(&self) -> Never { Never }
///     // ... and its timer.
///
///     async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
///         look_up(host, port).await
///     }
///
///     async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
///         connect(address).await
///     }
///
///     fn tls(&self, uri: &WsUri) -> Result<(), Error> {
///         opening::without_tls(uri, "none")
///     }
///
///     async fn secure(&self, _tls: (), stream: TcpStream) -> io::Result<Self::Transport> {
///         Ok(FuturesIo::new(stream))
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
    /// A TCP stream of the runtime.
    type Tcp;
    /// What TLS with a server needs, or that there is none.
    type Tls;
    /// What connections are made over.
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
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Tcp>>;

    /// What TLS with the server of this URI needs, if its scheme is `wss`. It is asked before any byte is sent.
    ///
    /// # Errors
    ///
    /// [`Error::TlsNotCompiledIn`], or what is wrong with the host as a name.
    fn tls(&self, uri: &WsUri) -> Result<Self::Tls, Error>;

    /// The transport over a stream, through TLS if that is asked for.
    ///
    /// # Errors
    ///
    /// Whatever TLS reports; it becomes [`OpeningError::Tls`].
    fn secure(
        &self,
        tls: Self::Tls,
        stream: Self::Tcp,
    ) -> impl Future<Output = io::Result<Self::Transport>>;
}

/// A transport to the server of this URI, and a timer, before `deadline`.
pub(crate) async fn reach<D: Dial>(
    this: &D,
    uri: &WsUri,
    deadline: Instant,
) -> Result<(D::Transport, D::Timer), Error> {
    let mut timer = this.timer();
    let needs = this.tls(uri)?;
    let (host, port) = (uri.host(), uri.port());
    let addresses = this.look_up(host, port);
    let connect = |address| this.connect(address);
    let stream = dial((host, port), &mut timer, deadline, addresses, connect).await?;
    let transport = tls(host, &mut timer, deadline, this.secure(needs, stream)).await?;
    Ok((transport, timer))
}

/// Connects to a host: looks up its addresses and tries one after the other until one takes the
/// connection, all of it before `deadline`.
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
    mut connect: impl FnMut(SocketAddr) -> F,
) -> Result<S, Error> {
    let unresolved = |error| OpeningError::Resolve { host: host.to_owned(), error };
    let addresses = match within(timer, deadline, addresses).await {
        Some(addresses) => addresses.map_err(unresolved)?,
        None => return Err(unresolved(too_late()).into()),
    };
    let mut attempts = Vec::new();
    for address in addresses {
        match within(timer, deadline, connect(address)).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => attempts.push((address, error)),
            None => {
                attempts.push((address, too_late()));
                break;
            }
        }
    }
    if attempts.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        return Err(unresolved(error).into());
    }
    let host =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Err(OpeningError::Connect { host, attempts }.into())
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
fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "took too long")
}
