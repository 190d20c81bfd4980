//! A server that is looked after, for pages and WebSockets over both versions of HTTP on one port.

mod carrier;

use core::pin::Pin;
use std::{error, io, sync::Arc};

use hybi::{
    Server,
    bytes::Bytes,
    http::{Request, Response},
    serve::{Accept, Arrival, Opened, Outcome},
};
use hybi_tokio::{Stream, TokioIo, TokioListener, TokioTimer};
use hyper::body::{Body, Incoming};
use tokio::net::TcpListener;

use crate::{HyperIo, WebSocket};
use carrier::Connection;

/// A server on hyper at work; see [`hybi::serve::Serving`].
pub type Serving = hybi::serve::Serving<HyperListener>;

/// Serves what comes to this listener, over HTTP/1.1 and, by prior knowledge, over HTTP/2: each WebSocket is given to
/// `handler` in a task of its own, and every other request to `pages`.
///
/// Options, and what is looked after without any, are those of [`Serving`](hybi::serve::Serving): limits, deadlines,
/// panics of handlers, and an end in order, at which requests that are being answered are waited for. A connection counts
/// as one until it has become a WebSocket, or beside its WebSockets over HTTP/2. One that brings no request within 10 s is
/// dropped; so is one beyond the limits, without an answer. hyper is told what [`builder`](crate::builder) does.
///
/// Versions before hybi-04 answer in a way that no framework can, so they get none here. What decides about each request is
/// `Serving::requests` over a [`HyperListener`], as is TLS.
///
/// ```no_run
/// use http_body_util::Full;
/// use hybi_hyper::{Error, Server, http::Response, serve::Drain};
/// use hyper::body::Bytes;
///
/// # async fn signal() {}
/// # #[tokio::main]
/// # async fn main() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let serving = hybi_hyper::serve(
///     listener,
///     Server::default(),
///     |mut ws| async move {
///         while let Some(message) = ws.recv().await? {
///             ws.feed(message).await?;
///         }
///         Ok::<_, Error>(())
///     },
///     |request| async move {
///         Response::new(Full::<Bytes>::from(format!("no WebSocket at {}\n", request.uri())))
///     },
/// );
/// let handle = serving.handle();
/// tokio::spawn(async move {
///     signal().await;
///     handle.drain(Drain::default()).await
/// });
/// println!("{}", serving.await);
/// # Ok(())
/// # }
/// ```
pub fn serve<F, R, G, B>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
    pages: impl Fn(Request<Incoming>) -> G + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = R> + Send + 'static,
    R: Outcome,
    G: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn error::Error + Send + Sync>>>
        + From<Bytes>
        + Send
        + 'static,
{
    Serving::new(HyperListener::new(TokioListener::new(listener), pages), server, handler)
}

/// A listener whose connections hyper reads: what [`Serving`] accepts from.
///
/// Through TLS, the configuration is to have `h2` and `http/1.1` among its `alpn_protocols`, in this order.
///
/// ```
/// use http_body_util::Full;
/// use hybi_hyper::{HyperListener, Server, Serving, http::Response};
/// use hybi_tokio::TokioListener;
/// use hyper::body::Bytes;
///
/// /// A handler that decides about each request.
/// fn lobby(listener: TokioListener) -> Serving {
///     let pages = |_| async { Response::new(Full::<Bytes>::from("only WebSockets here\n")) };
///     Serving::requests(HyperListener::new(listener, pages), Server::default(), |incoming| async {
///         let path = incoming.request().uri().path().to_owned();
///         incoming.accept().await?.send(path).await?;
///         Ok::<_, hybi_hyper::Error>(())
///     })
/// }
/// ```
pub struct HyperListener {
    listener: TokioListener,
    connection: Arc<dyn Fn(Stream) -> Opened<HyperIo> + Send + Sync>,
}

impl HyperListener {
    /// What comes to this listener; requests that ask for no WebSocket are answered by `pages`.
    pub fn new<G, B>(
        listener: TokioListener,
        pages: impl Fn(Request<Incoming>) -> G + Send + Sync + 'static,
    ) -> Self
    where
        G: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data: Send, Error: Into<Box<dyn error::Error + Send + Sync>>>
            + From<Bytes>
            + Send
            + 'static,
    {
        let (pages, http) = (Arc::new(pages), crate::builder());
        let connection =
            move |stream| Opened::Carrier(Box::new(Connection::new(&http, stream, pages.clone())));
        Self { listener, connection: Arc::new(connection) }
    }

    fn arrival<O>(&self, arrival: Arrival<O>) -> Arrival<Opening>
    where
        O: Future<Output = io::Result<Opened<TokioIo<Stream>>>> + Send + 'static,
    {
        let connection = self.connection.clone();
        arrival.map(|opening| -> Opening {
            Box::pin(async move {
                match opening.await? {
                    Opened::Single(stream) => Ok(connection(stream.into_inner())),
                    Opened::Carrier(_) => Err(io::ErrorKind::Unsupported.into()),
                }
            })
        })
    }
}

type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<HyperIo>>> + Send>>;

impl Accept for HyperListener {
    type Transport = HyperIo;
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

impl core::fmt::Debug for HyperListener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HyperListener").field("listener", &self.listener).finish_non_exhaustive()
    }
}
