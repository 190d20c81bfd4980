//! Servers that are looked after: limits, accepts that fail, an end in order.

use core::{
    future::{pending, ready},
    mem,
    pin::Pin,
};
use std::io;

use hybi::{
    Server,
    serve::{Accept, Arrival, Opened, Outcome},
};
use tokio::net::{TcpListener, TcpStream};
#[cfg(feature = "rustls")]
use tokio_rustls::TlsAcceptor;

use crate::{Incoming, Stream, TokioIo, TokioTimer, WebSocket, transport};

/// A server at work on tokio; see [`hybi::serve::Serving`].
///
/// ```no_run
/// use std::time::Duration;
/// use hybi_tokio::{Server, Serving, WebSocket, serve::Drain};
///
/// async fn room(mut ws: WebSocket) {
///     while let Ok(Some(message)) = ws.recv().await {
///         let _ = ws.feed(message).await;
///     }
/// }
///
/// # async fn signal() {}
/// # async fn example() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let serving: Serving = hybi_tokio::serve(listener, Server::default(), room)
///     .max_connections(5_000)
///     .max_per_address(50)
///     .on_incident(|incident| eprintln!("{incident}"));
/// let handle = serving.handle();
/// tokio::spawn(async move {
///     signal().await;
///     handle.drain(Drain::default().over(Duration::from_secs(10))).await
/// });
/// println!("{}", serving.await);
/// # Ok(())
/// # }
/// ```
pub type Serving = hybi::serve::Serving<TokioListener>;

/// Serves what comes to this listener, and gives each connection to `handler` in a task of its own, until its
/// [handle](hybi::serve::Serving::handle) says that this is the end.
///
/// Its options, and what is looked after without any, are those of [`Serving`](hybi::serve::Serving).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::{Client, Error, Server, serve::Drain};
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("ws://{}/", listener.local_addr()?);
/// let serving = hybi_tokio::serve(listener, Server::default(), |mut ws| async move {
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok::<_, Error>(())
/// });
/// let handle = serving.handle();
/// tokio::spawn(serving);
///
/// let (mut ws, _response) = hybi_tokio::connect_with(&Client::default(), &uri).await?;
/// ws.send("hello").await?;
/// assert_eq!(ws.recv().await?, Some("hello".into()));
///
/// let end = handle.drain(Drain::default());
/// // The peer is told, and agrees.
/// assert_eq!(ws.recv().await?, None);
/// assert_eq!(end.await.closed, 1);
/// # Ok(())
/// # }
/// ```
pub fn serve<F, R>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    Serving::new(TokioListener::new(listener), server, handler)
}

/// The same for a handler that decides about each request: by its path, a cookie, who is asking.
///
/// ```no_run
/// use hybi_tokio::{Error, Incoming, Server, http::Response};
///
/// async fn decide(incoming: Incoming) -> Result<(), Error> {
///     if incoming.request().uri().path() != "/chat" {
///         let response = Response::builder().status(404).body("no such room");
///         incoming.respond(response.expect("a valid response")).await;
///         return Ok(());
///     }
///     let mut ws = incoming.accept().await?;
///     while ws.recv().await?.is_some() {}
///     Ok(())
/// }
///
/// # async fn example() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// hybi_tokio::serve_requests(listener, Server::default(), decide).await;
/// # Ok(())
/// # }
/// ```
pub fn serve_requests<F, R>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    Serving::requests(TokioListener::new(listener), server, handler)
}

/// Serves through TLS, as [`serve`] does without. The server's own origin is `https`.
///
/// ```no_run
/// use hybi_tokio::{Error, Server, tokio_rustls::TlsAcceptor};
///
/// async fn echo(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = tokio::net::TcpListener::bind("[::]:443").await?;
///     hybi_tokio::serve_tls(listener, tls, Server::default(), |mut ws| async move {
///         while let Some(message) = ws.recv().await? {
///             ws.feed(message).await?;
///         }
///         Ok::<_, Error>(())
///     })
///     .await;
///     Ok(())
/// }
/// ```
#[cfg(feature = "rustls")]
pub fn serve_tls<F, R>(
    listener: TcpListener,
    tls: TlsAcceptor,
    server: Server,
    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    Serving::new(TokioListener::tls(listener, tls), server.with_secure(true), handler)
}

/// The same through TLS for a handler that decides about each request, as that of [`serve_requests`].
///
/// ```no_run
/// use hybi_tokio::{Error, Server, tokio_rustls::TlsAcceptor};
///
/// async fn lobby(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = tokio::net::TcpListener::bind("[::]:443").await?;
///     let lobby = hybi_tokio::serve_requests_tls(listener, tls, Server::default(), |incoming| async {
///         let path = incoming.request().uri().path().to_owned();
///         incoming.accept().await?.send(path).await?;
///         Ok::<_, Error>(())
///     });
///     lobby.await;
///     Ok(())
/// }
/// ```
#[cfg(feature = "rustls")]
pub fn serve_requests_tls<F, R>(
    listener: TcpListener,
    tls: TlsAcceptor,
    server: Server,
    handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    Serving::requests(TokioListener::tls(listener, tls), server.with_secure(true), handler)
}

/// A listener of tokio, and the TLS of what it accepts: what [`Serving`] accepts from.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use hybi_tokio::{Server, Serving, TokioListener, WebSocket};
///
/// # async fn room(_ws: WebSocket) {}
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// // What `serve` makes.
/// let serving = Serving::new(TokioListener::new(listener), Server::default(), room);
/// # drop(serving);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TokioListener {
    source: Source,
    tls: Tls,
}

#[derive(Debug)]
enum Source {
    Tokio(TcpListener),
    /// At the end.
    System(std::net::TcpListener),
    /// It could not be had from tokio.
    Lost,
}

enum Tls {
    None,
    #[cfg(feature = "rustls")]
    Rustls(TlsAcceptor),
}

impl TokioListener {
    /// What comes to this listener, without TLS.
    #[must_use]
    pub const fn new(listener: TcpListener) -> Self {
        Self { source: Source::Tokio(listener), tls: Tls::None }
    }

    #[cfg(feature = "rustls")]
    /// What comes to this listener, through TLS.
    #[must_use]
    pub const fn tls(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self { source: Source::Tokio(listener), tls: Tls::Rustls(acceptor) }
    }

    fn opening(&self, stream: TcpStream) -> <Self as Accept>::Opening {
        match &self.tls {
            Tls::None => Box::pin(ready(Ok(TokioIo::new(stream.into()).into()))),
            #[cfg(feature = "rustls")]
            Tls::Rustls(acceptor) => {
                let handshake = acceptor.accept(stream);
                Box::pin(async { Ok(TokioIo::new(handshake.await?.into()).into()) })
            }
        }
    }
}

impl Accept for TokioListener {
    type Transport = TokioIo<Stream>;
    type Timer = TokioTimer;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<TokioIo<Stream>>>> + Send>>;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        let Source::Tokio(listener) = &self.source else { return pending().await };
        let (stream, address) = listener.accept().await?;
        transport::without_delay(&stream);
        Ok(Arrival::new(self.opening(stream)).of(address))
    }

    /// tokio's `accept` is pending until the reactor has heard of the listener, which the system need not wait for.
    async fn accept_queued(&mut self) -> io::Result<Arrival<Self::Opening>> {
        let listener = match mem::replace(&mut self.source, Source::Lost) {
            Source::Tokio(listener) => listener.into_std()?,
            Source::System(listener) => listener,
            Source::Lost => return pending().await,
        };
        let accepted = listener.accept();
        self.source = Source::System(listener);
        match accepted {
            Ok((stream, address)) => {
                stream.set_nonblocking(true)?;
                let stream = TcpStream::from_std(stream)?;
                transport::without_delay(&stream);
                Ok(Arrival::new(self.opening(stream)).of(address))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => pending().await,
            Err(error) => Err(error),
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // It is told of its end by other means.
        drop(tokio::spawn(task));
    }

    fn timer(&self) -> TokioTimer {
        TokioTimer::default()
    }
}

impl core::fmt::Debug for Tls {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            #[cfg(feature = "rustls")]
            Self::Rustls(_) => "Rustls",
        })
    }
}
