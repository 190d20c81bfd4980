//! Servers that are looked after: limits, accepts that fail, an end in order.

use core::{future::ready, pin::Pin};
use std::io;

use async_std::net::{TcpListener, TcpStream};
use hybi::{
    Server,
    serve::{Accept, Arrival, Opened, Outcome},
};

#[cfg(feature = "rustls")]
use crate::TlsAcceptor;
use crate::{AsyncStdIo, AsyncStdTimer, Incoming, Stream, WebSocket, transport};

/// A server at work on async-std; see [`hybi::serve::Serving`].
///
/// ```no_run
/// use std::time::Duration;
/// use hybi_async_std::{Server, Serving, WebSocket, serve::Drain};
///
/// async fn room(mut ws: WebSocket) {
///     while let Ok(Some(message)) = ws.recv().await {
///         let _ = ws.feed(message).await;
///     }
/// }
///
/// # async fn signal() {}
/// # async fn example() -> std::io::Result<()> {
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let serving: Serving = hybi_async_std::serve(listener, Server::default(), room)
///     .max_connections(5_000)
///     .max_per_address(50)
///     .on_incident(|incident| eprintln!("{incident}"));
/// let handle = serving.handle();
/// async_std::task::spawn(async move {
///     signal().await;
///     handle.drain(Drain::default().over(Duration::from_secs(10))).await
/// });
/// println!("{}", serving.await);
/// # Ok(())
/// # }
/// ```
pub type Serving = hybi::serve::Serving<AsyncStdListener>;

/// Serves what comes to this listener, and gives each connection to `handler` in a task of its own, until its
/// [handle](hybi::serve::Serving::handle) says that this is the end.
///
/// Its options, and what is looked after without any, are those of [`Serving`](hybi::serve::Serving).
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use hybi_async_std::{Client, Error, Server, serve::Drain};
///
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("ws://{}/", listener.local_addr()?);
/// let serving = hybi_async_std::serve(listener, Server::default(), |mut ws| async move {
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok::<_, Error>(())
/// });
/// let handle = serving.handle();
/// async_std::task::spawn(serving);
///
/// let (mut ws, _response) = hybi_async_std::connect_with(&Client::default(), &uri).await?;
/// ws.send("hello").await?;
/// assert_eq!(ws.recv().await?, Some("hello".into()));
///
/// let end = handle.drain(Drain::default());
/// // The peer is told, and agrees.
/// assert_eq!(ws.recv().await?, None);
/// assert_eq!(end.await.closed, 1);
/// # Ok(())
/// # })
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
    Serving::new(AsyncStdListener::plain(listener), server, handler)
}

/// The same for a handler that decides about each request: by its path, a cookie, who is asking.
///
/// ```no_run
/// use hybi_async_std::{Error, Incoming, Server, http::Response};
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
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:8080").await?;
/// hybi_async_std::serve_requests(listener, Server::default(), decide).await;
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
    Serving::requests(AsyncStdListener::plain(listener), server, handler)
}

/// Serves through TLS, as [`serve`] does without. The server's own origin is `https`.
///
/// ```no_run
/// use hybi_async_std::{Error, Server, TlsAcceptor};
///
/// async fn echo(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = async_std::net::TcpListener::bind("[::]:443").await?;
///     hybi_async_std::serve_tls(listener, tls, Server::default(), |mut ws| async move {
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
    Serving::new(AsyncStdListener::tls(listener, tls), server.with_secure(true), handler)
}

/// The same through TLS for a handler that decides about each request, as that of [`serve_requests`].
///
/// ```no_run
/// use hybi_async_std::{Error, Server, TlsAcceptor};
///
/// async fn lobby(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = async_std::net::TcpListener::bind("[::]:443").await?;
///     let lobby = hybi_async_std::serve_requests_tls(listener, tls, Server::default(), |incoming| async {
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
    Serving::requests(AsyncStdListener::tls(listener, tls), server.with_secure(true), handler)
}

/// A listener of async-std, and the TLS of what it accepts: what [`Serving`] accepts from.
#[derive(Debug)]
pub struct AsyncStdListener {
    listener: TcpListener,
    tls: Tls,
}

enum Tls {
    None,
    #[cfg(feature = "rustls")]
    Rustls(TlsAcceptor),
}

impl AsyncStdListener {
    fn plain(listener: TcpListener) -> Self {
        Self { listener, tls: Tls::None }
    }

    #[cfg(feature = "rustls")]
    fn tls(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self { listener, tls: Tls::Rustls(acceptor) }
    }

    fn opening(&self, stream: TcpStream) -> <Self as Accept>::Opening {
        match &self.tls {
            Tls::None => Box::pin(ready(Ok(AsyncStdIo::new(stream.into()).into()))),
            #[cfg(feature = "rustls")]
            Tls::Rustls(acceptor) => {
                let handshake = acceptor.accept(stream);
                Box::pin(async { Ok(AsyncStdIo::new(handshake.await?.into()).into()) })
            }
        }
    }
}

impl Accept for AsyncStdListener {
    type Transport = AsyncStdIo<Stream>;
    type Timer = AsyncStdTimer;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<AsyncStdIo<Stream>>>> + Send>>;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        let (stream, address) = self.listener.accept().await?;
        transport::without_delay(&stream);
        Ok(Arrival::new(self.opening(stream)).of(address))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // It is told of its end by other means.
        drop(async_std::task::spawn(task));
    }

    fn timer(&self) -> AsyncStdTimer {
        AsyncStdTimer::default()
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
