//! Servers that are looked after: limits, accepts that fail, an end in order.

use core::{future::ready, pin::Pin};
use std::{io, sync::Arc};

use async_net::{TcpListener, TcpStream};
use hybi::{
    Server,
    serve::{Accept, Arrival, Opened, Outcome},
};
use smol::Executor;

#[cfg(feature = "rustls")]
use crate::TlsAcceptor;
use crate::{Incoming, SmolIo, SmolTimer, Stream, WebSocket, transport};

/// A server at work on smol; see [`hybi::serve::Serving`].
///
/// ```no_run
/// use std::time::Duration;
/// use hybi_smol::{Server, Serving, WebSocket, serve::Drain};
///
/// async fn room(mut ws: WebSocket) {
///     while let Ok(Some(message)) = ws.recv().await {
///         let _ = ws.feed(message).await;
///     }
/// }
///
/// # async fn signal() {}
/// # async fn example() -> std::io::Result<()> {
/// let listener = smol::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let serving: Serving = hybi_smol::serve(listener, Server::default(), room)
///     .max_connections(5_000)
///     .max_per_address(50)
///     .on_incident(|incident| eprintln!("{incident}"));
/// let handle = serving.handle();
/// smol::spawn(async move {
///     signal().await;
///     handle.drain(Drain::default().over(Duration::from_secs(10))).await
/// })
/// .detach();
/// println!("{}", serving.await);
/// # Ok(())
/// # }
/// ```
pub type Serving = hybi::serve::Serving<SmolListener>;

/// Serves what comes to this listener, and gives each connection to `handler` in a task of its own, until its
/// [handle](hybi::serve::Serving::handle) says that this is the end.
///
/// Its options, and what is looked after without any, are those of [`Serving`](hybi::serve::Serving).
///
/// ```
/// # fn main() -> Result<(), hybi_smol::Error> {
/// # smol::block_on(async {
/// use hybi_smol::{Client, Error, Server, serve::Drain};
///
/// let listener = smol::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("ws://{}/", listener.local_addr()?);
/// let serving = hybi_smol::serve(listener, Server::default(), |mut ws| async move {
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok::<_, Error>(())
/// });
/// let handle = serving.handle();
/// smol::spawn(serving).detach();
///
/// let (mut ws, _response) = hybi_smol::connect_with(&Client::default(), &uri).await?;
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
    Serving::new(SmolListener::new(listener), server, handler)
}

/// The same for a handler that decides about each request: by its path, a cookie, who is asking.
///
/// ```no_run
/// use hybi_smol::{Error, Incoming, Server, http::Response};
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
/// let listener = smol::net::TcpListener::bind("127.0.0.1:8080").await?;
/// hybi_smol::serve_requests(listener, Server::default(), decide).await;
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
    Serving::requests(SmolListener::new(listener), server, handler)
}

/// Serves through TLS, as [`serve`] does without. The server's own origin is `https`.
///
/// ```no_run
/// use hybi_smol::{Error, Server, TlsAcceptor};
///
/// async fn echo(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = smol::net::TcpListener::bind("[::]:443").await?;
///     hybi_smol::serve_tls(listener, tls, Server::default(), |mut ws| async move {
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
    Serving::new(SmolListener::new(listener).with_tls(tls), server.with_secure(true), handler)
}

/// The same through TLS for a handler that decides about each request, as that of [`serve_requests`].
///
/// ```no_run
/// use hybi_smol::{Error, Server, TlsAcceptor};
///
/// async fn lobby(tls: TlsAcceptor) -> std::io::Result<()> {
///     let listener = smol::net::TcpListener::bind("[::]:443").await?;
///     let lobby = hybi_smol::serve_requests_tls(listener, tls, Server::default(), |incoming| async {
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
    Serving::requests(SmolListener::new(listener).with_tls(tls), server.with_secure(true), handler)
}

/// A listener of smol, the TLS of what it accepts, and where tasks run: what [`Serving`] accepts from.
///
/// [`serve`] and its kin run each connection by [`smol::spawn`], on threads of which there is one unless
/// `SMOL_THREADS` says otherwise. On an executor of your own:
///
/// ```no_run
/// use std::sync::Arc;
/// use hybi_smol::{Server, Serving, SmolListener, WebSocket};
/// use smol::{Executor, net::TcpListener};
///
/// async fn room(mut ws: WebSocket) {
///     while let Ok(Some(message)) = ws.recv().await {
///         let _ = ws.feed(message).await;
///     }
/// }
///
/// # fn main() -> std::io::Result<()> {
/// let executor = Arc::new(Executor::new());
/// smol::block_on(executor.run(async {
///     let listener = SmolListener::new(TcpListener::bind("127.0.0.1:8080").await?);
///     let listener = listener.on(executor.clone());
///     println!("{}", Serving::new(listener, Server::default(), room).await);
///     Ok(())
/// }))
/// # }
/// ```
#[derive(Debug)]
pub struct SmolListener {
    listener: TcpListener,
    tls: Tls,
    executor: Option<Arc<Executor<'static>>>,
}

enum Tls {
    None,
    #[cfg(feature = "rustls")]
    Rustls(TlsAcceptor),
}

impl SmolListener {
    /// What comes to this listener, without TLS, on smol's own executor.
    #[must_use]
    pub fn new(listener: TcpListener) -> Self {
        Self { listener, tls: Tls::None, executor: None }
    }

    /// The same through TLS. Give it a server that [is secure](Server::with_secure).
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn with_tls(self, acceptor: TlsAcceptor) -> Self {
        Self { tls: Tls::Rustls(acceptor), ..self }
    }

    /// The same on this executor, which somebody has to run.
    #[must_use]
    pub fn on(self, executor: Arc<Executor<'static>>) -> Self {
        Self { executor: Some(executor), ..self }
    }

    fn opening(&self, stream: TcpStream) -> <Self as Accept>::Opening {
        match &self.tls {
            Tls::None => Box::pin(ready(Ok(SmolIo::new(stream.into()).into()))),
            #[cfg(feature = "rustls")]
            Tls::Rustls(acceptor) => {
                let handshake = acceptor.accept(stream);
                Box::pin(async { Ok(SmolIo::new(handshake.await?.into()).into()) })
            }
        }
    }
}

impl Accept for SmolListener {
    type Transport = SmolIo<Stream>;
    type Timer = SmolTimer;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<SmolIo<Stream>>>> + Send>>;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        let (stream, address) = self.listener.accept().await?;
        transport::without_delay(&stream);
        Ok(Arrival::new(self.opening(stream)).of(address))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match &self.executor {
            Some(executor) => executor.spawn(task).detach(),
            None => smol::spawn(task).detach(),
        }
    }

    fn timer(&self) -> SmolTimer {
        SmolTimer::default()
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
