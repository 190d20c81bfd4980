//! Servers of both versions of HTTP on one port.

mod carrier;

use core::pin::Pin;
use std::io;

use hybi::{
    Server,
    serve::{Accept, Arrival, Opened, Outcome},
};
use hybi_tokio::{Stream, TokioIo, TokioListener, TokioTimer};
use tokio::net::TcpListener;

use crate::{
    EitherIo, Incoming, Settings, WebSocket,
    sniff::{Sniffed, Spoken},
};
use carrier::Connection;

/// A server of both versions of HTTP at work; see [`hybi::serve::Serving`].
///
/// ```no_run
/// use hybi::{Server, serve::Drain};
/// use hybi_h2::{Serving, WebSocket};
///
/// # async fn signal() {}
/// # async fn example() -> std::io::Result<()> {
/// async fn room(mut ws: WebSocket) {
///     while let Ok(Some(message)) = ws.recv().await {
///         let _ = ws.feed(message).await;
///     }
/// }
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let serving: Serving = hybi_h2::serve(listener, Server::default(), room).max_connections(5_000);
/// let handle = serving.handle();
/// tokio::spawn(async move {
///     signal().await;
///     handle.drain(Drain::default()).await
/// });
/// println!("{}", serving.await);
/// # Ok(())
/// # }
/// ```
pub type Serving = hybi::serve::Serving<Http2Listener>;

/// Serves what comes to this listener, over HTTP/1.1 or, by prior knowledge, over HTTP/2, and gives each WebSocket to
/// `handler` in a task of its own. The [crate](crate) has an example.
///
/// Its options, and what is looked after without any, are those of [`Serving`](hybi::serve::Serving); a connection of
/// HTTP/2 counts as one, beside its WebSockets.
pub fn serve<F, R>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    Serving::new(Http2Listener::new(TokioListener::new(listener)), server, handler)
}

/// The same for a handler that decides about each request: by its path, a cookie, who is asking. [`Incoming`] has an
/// example.
pub fn serve_requests<F, R>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    Serving::requests(Http2Listener::new(TokioListener::new(listener)), server, handler)
}

/// Serves through TLS, where ALPN tells the version of HTTP: the configuration is to have `h2` and `http/1.1` among its
/// `alpn_protocols`, in this order. The server's own origin is `https`.
///
/// ```no_run
/// use std::{io, sync::Arc};
/// use hybi::{Error, Server};
/// use hybi_tokio::{TlsAcceptor, rustls};
///
/// async fn echo(mut tls: rustls::ServerConfig) -> io::Result<()> {
///     tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
///     let tls = TlsAcceptor::from(Arc::new(tls));
///     let listener = tokio::net::TcpListener::bind("[::]:443").await?;
///     hybi_h2::serve_tls(listener, tls, Server::default(), |mut ws| async move {
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
    tls: hybi_tokio::TlsAcceptor,
    server: Server,
    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    let listener = Http2Listener::new(TokioListener::tls(listener, tls));
    Serving::new(listener, server.with_secure(true), handler)
}

/// The same through TLS for a handler that decides about each request.
///
/// ```no_run
/// use hybi::{Error, Server};
/// use hybi_tokio::TlsAcceptor;
///
/// async fn lobby(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = tokio::net::TcpListener::bind("[::]:443").await?;
///     let lobby = hybi_h2::serve_requests_tls(listener, tls, Server::default(), |incoming| async {
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
    tls: hybi_tokio::TlsAcceptor,
    server: Server,
    handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
{
    let listener = Http2Listener::new(TokioListener::tls(listener, tls));
    Serving::requests(listener, server.with_secure(true), handler)
}

/// A listener whose clients may speak either version of HTTP: what [`Serving`] accepts from.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use hybi::Server;
/// use hybi_h2::{Http2Listener, Serving, Settings, WebSocket};
/// use hybi_tokio::TokioListener;
///
/// # async fn room(_ws: WebSocket) {}
/// let listener = TokioListener::new(tokio::net::TcpListener::bind("127.0.0.1:0").await?);
/// let listener = Http2Listener::new(listener).settings(Settings::default().max_streams(16));
/// let serving = Serving::new(listener, Server::default(), room);
/// # drop(serving);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Http2Listener<L = TokioListener> {
    listener: L,
    settings: Settings,
}

impl<L> Http2Listener<L> {
    /// What comes to this listener, with default [`Settings`] for HTTP/2.
    pub fn new(listener: L) -> Self {
        Self { listener, settings: Settings::default() }
    }

    /// Sets the limits of each connection of HTTP/2.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    fn arrival<O>(&self, arrival: Arrival<O>) -> Arrival<Opening>
    where
        O: Future<Output = io::Result<Opened<TokioIo<Stream>>>> + Send + 'static,
    {
        let settings = self.settings;
        arrival.map(|opening| -> Opening {
            Box::pin(async move {
                match opening.await? {
                    Opened::Single(stream) => open(stream.into_inner(), settings).await,
                    Opened::Carrier(_) => Err(io::ErrorKind::Unsupported.into()),
                }
            })
        })
    }
}

type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<EitherIo>>> + Send>>;

async fn open(stream: Stream, settings: Settings) -> io::Result<Opened<EitherIo>> {
    Ok(match Sniffed::of(stream).await? {
        Spoken::Http1(stream) => EitherIo::Http1(TokioIo::new(stream)).into(),
        Spoken::Http2(stream) => {
            Opened::Carrier(Box::new(Connection::accept(stream, settings).await?))
        }
    })
}

impl<L> Accept for Http2Listener<L>
where
    L: Accept<Transport = TokioIo<Stream>, Timer = TokioTimer>,
{
    type Transport = EitherIo;
    type Timer = TokioTimer;
    type Opening = Opening;

    async fn accept(&mut self) -> io::Result<Arrival<Opening>> {
        let arrival = self.listener.accept().await?;
        Ok(self.arrival(arrival))
    }

    async fn accept_queued(&mut self) -> io::Result<Arrival<Opening>> {
        let arrival = self.listener.accept_queued().await?;
        Ok(self.arrival(arrival))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.listener.spawn(task);
    }

    fn timer(&self) -> TokioTimer {
        self.listener.timer()
    }
}
