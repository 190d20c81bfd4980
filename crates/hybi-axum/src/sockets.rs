//! Sockets: what all WebSockets of a router have in common, and their end in order.

use core::{
    fmt,
    future::{Ready, pending},
    net::SocketAddr,
};
use std::{
    io,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use hybi::{
    Config, HandshakeError, Server,
    io::Timer as _,
    serve::{Accept, Arrival, Drain, Draining, Guest, Handle, Opened, Serving},
};
use hybi_hyper::HyperIo;
use hybi_tokio::TokioTimer;

/// Which requests the WebSockets of a router are accepted from, how many of them, and how they come to an end.
///
/// It is an [`Extension`](axum::Extension) of a router or of one route; without it, requests are judged by
/// [`Server::default`]. What axum lets go of at its end are requests, and not WebSockets: those are told here.
///
/// ```no_run
/// use axum::{Extension, Router, response::Response, routing::any};
/// use hybi_axum::{OriginPolicy, Server, Sockets, WebSocketUpgrade, serve::Drain};
///
/// async fn echo(ws: WebSocketUpgrade) -> Response {
///     ws.on_upgrade(|mut ws| async move {
///         while let Some(Ok(message)) = ws.recv().await {
///             if ws.send(message).await.is_err() {
///                 return;
///             }
///         }
///     })
/// }
///
/// # async fn signal() {}
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origins = OriginPolicy::List(vec!["https://*.example.org".parse()?]);
/// let sockets = Sockets::new(Server::builder().origins(origins).build()).max_connections(5_000);
/// let app = Router::new().route("/echo", any(echo)).layer(Extension(sockets.clone()));
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let ending = async move {
///     signal().await;
///     println!("{}", sockets.drain(Drain::default()).await);
/// };
/// axum::serve(listener, app).with_graceful_shutdown(ending).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sockets(Arc<Inner>);

struct Inner {
    server: Server,
    handle: Handle,
    /// Until somebody needs it.
    serving: Mutex<Option<Serving<Nobody>>>,
}

impl Sockets {
    /// Accepts what `server` does. Pings and pongs are shown, as axum's own are.
    #[must_use]
    pub fn new(server: Server) -> Self {
        let serving = Serving::new(Nobody, Server::default(), |_ws| async {});
        let (server, handle) = (showing(server), serving.handle());
        Self(Arc::new(Inner { server, handle, serving: Mutex::new(Some(serving)) }))
    }

    /// Sets how many there may be; 10,000 by default. Others are answered with 503 and `Retry-After`.
    #[must_use]
    pub fn max_connections(self, connections: usize) -> Self {
        {
            let mut serving = self.0.serving();
            *serving = serving.take().map(|serving| serving.max_connections(connections));
        }
        self
    }

    /// Brings all of them to an end in order: they are closed at a rate, and cut at the deadline; requests get 503 from
    /// now on. It begins with this call; what comes back gives the report and need not be polled.
    ///
    /// # Panics
    ///
    /// When it is called outside of a runtime of tokio.
    pub fn drain(&self, drain: Drain) -> Draining {
        self.0.start();
        self.0.handle.drain(drain)
    }

    /// Cuts what is left, now.
    ///
    /// # Panics
    ///
    /// When it is called outside of a runtime of tokio.
    pub fn cut(&self) {
        self.0.start();
        self.0.handle.cut();
    }

    /// Whether the end was asked for: what a health check says to those who send clients here.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.handle.is_draining()
    }

    /// How many there are, those in their opening handshake included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.handle.connections()
    }

    pub(crate) fn server(&self) -> &Server {
        &self.0.server
    }

    /// Takes one in, before it is answered.
    pub(crate) fn admit(&self, peer: Option<SocketAddr>) -> Result<Guest, HandshakeError> {
        self.0.start();
        self.0.handle.admit(peer, TokioTimer::default().now())
    }
}

impl Inner {
    fn serving(&self) -> std::sync::MutexGuard<'_, Option<Serving<Nobody>>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) {
        if let Some(serving) = self.serving().take() {
            drop(tokio::spawn(serving));
        }
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("handle", &self.0.handle).finish_non_exhaustive()
    }
}

/// Programs for axum look for pongs, and find out by them who is still there.
fn showing(server: Server) -> Server {
    let config = Config::clone(server.config()).show_control_frames(true);
    server.with_config(config)
}

/// Who judges where nobody else does.
pub(crate) fn by_default() -> Server {
    static DEFAULT: LazyLock<Server> = LazyLock::new(|| showing(Server::default()));
    DEFAULT.clone()
}

/// A listener to which nobody comes: axum has one.
struct Nobody;

impl Accept for Nobody {
    type Transport = HyperIo;
    type Timer = TokioTimer;
    type Opening = Ready<io::Result<Opened<HyperIo>>>;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        pending().await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }

    fn timer(&self) -> TokioTimer {
        TokioTimer::default()
    }
}
