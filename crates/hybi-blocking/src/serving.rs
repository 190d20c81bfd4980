//! Servers that are looked after, with a thread for each connection: limits, accepts that fail, an end in order.

use core::{
    future::{poll_fn, ready},
    net::SocketAddr,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
    time::Duration,
};
use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use hybi::{
    Server, http,
    serve::{Accept, Arrival, Cutter, Drained, Handle, Incident, Opened, Outcome},
};
#[cfg(feature = "rustls")]
use hybi_tls::rustls::ServerConfig;
use rustix::event::PollFlags;

use crate::{BlockingIo, BlockingTimer, Incoming, Stream, WebSocket, block_on, reactor, transport};

/// A server with a thread for each connection, which [`run`](Self::run) runs; see [`serve`].
///
/// ```no_run
/// use std::{net::TcpListener, thread, time::Duration};
/// use hybi_blocking::{Server, WebSocket, serve::Drain};
///
/// fn room(ws: WebSocket) {
///     for message in ws {
///         println!("{message:?}");
///     }
/// }
///
/// # fn wait_for_signal() {}
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:8080")?;
/// let serving = hybi_blocking::serve(listener, Server::default(), room)
///     .max_connections(1_000)
///     .max_per_address(50)
///     .on_incident(|incident| eprintln!("{incident}"));
/// let handle = serving.handle();
/// thread::spawn(move || {
///     wait_for_signal();
///     // It begins with the call; who waits for it is the thread that serves.
///     drop(handle.drain(Drain::default().over(Duration::from_secs(10))));
/// });
/// println!("{}", serving.run());
/// # Ok(())
/// # }
/// ```
///
/// # What is looked after
///
/// All that [`hybi::serve::Serving`] tells of, on threads: a handler that panics ends its own connection, an accept that
/// fails is waited after, who is beyond the limits is answered with 503.
///
/// A connection for which the system starts no thread is dropped without an answer. That is
/// [told](Incident::NotAccepted) as an accept that failed, and waited after like one. Choose
/// [`max_connections`](Self::max_connections) so that it does not come to that: a thread takes one descriptor beside that
/// of its connection, addresses for its stack ([`stack_size`](Self::stack_size)) and as much memory as it ever used of
/// that.
///
/// # The end
///
/// [`Handle::drain`] wakes the threads that wait for their connections. What is cut at the deadline ends for whoever waits
/// for it: `recv`, `send` and all else of the connection give an error, on whichever thread. A handler that does not look
/// at its connection cannot be ended: it is waited for one second more, and its thread is left behind then.
#[derive(Debug)]
#[must_use = "nothing is served until it is run"]
pub struct Serving {
    inner: hybi::serve::Serving<Listener>,
    stack_size: Arc<AtomicUsize>,
}

impl Serving {
    fn new(
        listener: TcpListener,
        tls: Tls,
        serving: impl FnOnce(Listener) -> hybi::serve::Serving<Listener>,
    ) -> Self {
        let stack_size = Arc::new(AtomicUsize::new(DEFAULT));
        let listener = Listener {
            socket: Arc::new(listener),
            tls,
            stack_size: stack_size.clone(),
            unstarted: Mutex::new(None),
        };
        Self { inner: serving(listener), stack_size }
    }

    /// Serves on this thread until the [handle](Self::handle) says that this is the end, and to the end of all connections;
    /// what became of those.
    pub fn run(self) -> Drained {
        block_on(self.inner)
    }

    /// A handle to ask and to end it by, from any thread. [`Handle::drain`] gives what waits for the end, by
    /// [`block_on`], for those who want to; [`run`](Self::run) tells the same.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.inner.handle()
    }

    /// Sets how many connections there may be, and so how many threads; 10,000 by default. Each needs two descriptors, of
    /// which systems allow a process 1,024 unless told otherwise.
    pub fn max_connections(self, connections: usize) -> Self {
        self.with(|inner| inner.max_connections(connections))
    }

    /// Sets how many connections of one address there may be; any number by default. IPv6 addresses are counted by
    /// their network of 64 bits, which is what one subscriber has. Behind a proxy, all have its address.
    pub fn max_per_address(self, connections: usize) -> Self {
        self.with(|inner| inner.max_per_address(connections))
    }

    /// Sets the `Retry-After` of those that are beyond these limits, in whole seconds, rounded up; 1 by default.
    pub fn retry_after(self, time: Duration) -> Self {
        self.with(|inner| inner.retry_after(time))
    }

    /// Sets how large the stack of a connection's thread is, in bytes, as [`thread::Builder::stack_size`] does; by default
    /// it is that of std, 2 MiB of addresses. What this crate and TLS need is less than 64 KiB; the rest is the handler's.
    pub fn stack_size(self, bytes: usize) -> Self {
        self.stack_size.store(bytes, Ordering::Relaxed);
        self
    }

    /// Hands requests that ask for no WebSocket to `answer`, on the thread of their connection: a page, a health check.
    /// Without it they are refused with 426, or given to the handler of [`serve_requests`].
    ///
    /// ```
    /// use hybi_blocking::{Serving, http::Response};
    ///
    /// fn with_health(serving: Serving) -> Serving {
    ///     serving.plain_http(|request| {
    ///         let (status, body) = match request.uri().path() {
    ///             "/healthz" => (200, "ok\n"),
    ///             _ => (404, "only WebSockets here\n"),
    ///         };
    ///         Response::builder().status(status).body(body).expect("a valid response")
    ///     })
    /// }
    /// ```
    pub fn plain_http<B: AsRef<[u8]> + Send + 'static>(
        self,
        answer: impl Fn(http::Request<()>) -> http::Response<B> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.plain_http(move |request| ready(answer(request))))
    }

    /// Has `listener` told what happens that nobody else is told: accepts that failed, refusals, errors and panics of
    /// handlers. Without it nothing is said of them, but what the panic hook says.
    pub fn on_incident(self, listener: impl Fn(&Incident<'_>) + Send + Sync + 'static) -> Self {
        self.with(|inner| inner.on_incident(listener))
    }

    fn with(
        self,
        change: impl FnOnce(hybi::serve::Serving<Listener>) -> hybi::serve::Serving<Listener>,
    ) -> Self {
        Self { inner: change(self.inner), ..self }
    }
}

/// Serves what comes to this listener with a thread for each connection, called `hybi-connection`, which gives the
/// connection to `handler`; until its [handle](Serving::handle) says that this is the end.
///
/// It costs an idle connection a thread: two descriptors, and some 34 KB of memory, nearly all of it stack (Linux, a
/// thousand of them). The thread that calls
/// [`run`](Serving::run) accepts, and there is no other one. The options, and what is looked after without any, are those of
/// [`Serving`].
///
/// ```
/// use std::{net::TcpListener, thread};
/// use hybi_blocking::{Client, Error, Server, block_on, serve::Drain};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let uri = format!("ws://{}/", listener.local_addr()?);
/// let serving = hybi_blocking::serve(listener, Server::default(), |mut ws| {
///     while let Some(message) = ws.recv()? {
///         ws.feed(message)?;
///     }
///     Ok::<_, Error>(())
/// });
/// let handle = serving.handle();
/// let running = thread::spawn(|| serving.run());
///
/// let (mut ws, _response) = hybi_blocking::connect_with(&Client::default(), &uri)?;
/// ws.send("hello")?;
/// assert_eq!(ws.recv()?, Some("hello".into()));
///
/// let end = handle.drain(Drain::default());
/// // The peer is told, and agrees.
/// assert_eq!(ws.recv()?, None);
/// assert_eq!(block_on(end).closed, 1);
/// assert_eq!(running.join().expect("no panic").closed, 1);
/// # Ok::<(), Error>(())
/// ```
pub fn serve<R: Outcome + 'static>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(WebSocket) -> R + Send + Sync + 'static,
) -> Serving {
    Serving::new(listener, Tls::None, |listener| connections(listener, server, handler))
}

/// The same for a handler that decides about each request: by its path, a cookie, who is asking.
///
/// ```no_run
/// use hybi_blocking::{Error, Incoming, Server, http::Response};
///
/// fn decide(incoming: Incoming) -> Result<(), Error> {
///     if incoming.request().uri().path() != "/chat" {
///         let response = Response::builder().status(404).body("no such room");
///         incoming.respond(response.expect("a valid response"));
///         return Ok(());
///     }
///     let mut ws = incoming.accept()?;
///     while ws.recv()?.is_some() {}
///     Ok(())
/// }
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
/// hybi_blocking::serve_requests(listener, Server::default(), decide).run();
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn serve_requests<R: Outcome + 'static>(
    listener: TcpListener,
    server: Server,
    handler: impl Fn(Incoming) -> R + Send + Sync + 'static,
) -> Serving {
    Serving::new(listener, Tls::None, |listener| requests(listener, server, handler))
}

/// Serves through TLS, with a thread for each connection, as [`serve`] does without. The server's own origin is `https`.
///
/// ```no_run
/// use std::{net::TcpListener, sync::Arc};
/// use hybi_blocking::{Error, Server, rustls::ServerConfig};
///
/// fn echo(config: Arc<ServerConfig>) -> std::io::Result<()> {
///     let listener = TcpListener::bind("[::]:443")?;
///     let serving = hybi_blocking::serve_tls(listener, config, Server::default(), |mut ws| {
///         while let Some(message) = ws.recv()? {
///             ws.feed(message)?;
///         }
///         Ok::<_, Error>(())
///     });
///     serving.run();
///     Ok(())
/// }
/// ```
#[cfg(feature = "rustls")]
pub fn serve_tls<R: Outcome + 'static>(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    server: Server,
    handler: impl Fn(WebSocket) -> R + Send + Sync + 'static,
) -> Serving {
    let server = server.with_secure(true);
    Serving::new(listener, Tls::Rustls(config), |listener| connections(listener, server, handler))
}

/// The same through TLS for a handler that decides about each request, as that of [`serve_requests`].
///
/// ```no_run
/// use std::{net::TcpListener, sync::Arc};
/// use hybi_blocking::{Error, Server, rustls::ServerConfig};
///
/// fn lobby(config: Arc<ServerConfig>) -> std::io::Result<()> {
///     let listener = TcpListener::bind("[::]:443")?;
///     let server = Server::default();
///     let lobby = hybi_blocking::serve_requests_tls(listener, config, server, |incoming| {
///         let path = incoming.request().uri().path().to_owned();
///         incoming.accept()?.send(path)?;
///         Ok::<_, Error>(())
///     });
///     lobby.run();
///     Ok(())
/// }
/// ```
#[cfg(feature = "rustls")]
pub fn serve_requests_tls<R: Outcome + 'static>(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    server: Server,
    handler: impl Fn(Incoming) -> R + Send + Sync + 'static,
) -> Serving {
    let server = server.with_secure(true);
    Serving::new(listener, Tls::Rustls(config), |listener| requests(listener, server, handler))
}

/// Handlers that are called within the one step of a future, which takes as long as they do.
fn connections<R: Outcome + 'static>(
    listener: Listener,
    server: Server,
    handler: impl Fn(WebSocket) -> R + Send + Sync + 'static,
) -> hybi::serve::Serving<Listener> {
    let handler = Arc::new(handler);
    hybi::serve::Serving::new(listener, server, move |ws| {
        let handler = handler.clone();
        async move { handler(ws.into()) }
    })
}

fn requests<R: Outcome + 'static>(
    listener: Listener,
    server: Server,
    handler: impl Fn(Incoming) -> R + Send + Sync + 'static,
) -> hybi::serve::Serving<Listener> {
    let handler = Arc::new(handler);
    hybi::serve::Serving::requests(listener, server, move |incoming| {
        let handler = handler.clone();
        async move { handler(Incoming::from(incoming)) }
    })
}

/// What is accepted from, and what starts the threads.
struct Listener {
    socket: Arc<TcpListener>,
    tls: Tls,
    stack_size: Arc<AtomicUsize>,
    /// Why the last connection has no thread.
    unstarted: Mutex<Option<io::Error>>,
}

/// The stack that std gives a thread.
const DEFAULT: usize = 0;

enum Tls {
    None,
    #[cfg(feature = "rustls")]
    Rustls(Arc<ServerConfig>),
}

impl Listener {
    fn poll_accept(&self) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        loop {
            match self.socket.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return reactor::wait_for(&self.socket, PollFlags::IN);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn opening(&self, stream: TcpStream) -> <Self as Accept>::Opening {
        let stream = BlockingIo::new(stream);
        match &self.tls {
            Tls::None => Box::pin(ready(stream.map(|stream| Stream::from(stream).into()))),
            #[cfg(feature = "rustls")]
            Tls::Rustls(config) => {
                let config = config.clone();
                Box::pin(async move { Ok(crate::tls::accept(&config, stream?).await?.into()) })
            }
        }
    }
}

impl Accept for Listener {
    type Transport = Stream;
    type Timer = BlockingTimer;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<Stream>>> + Send>>;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        let unstarted = self.unstarted.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = unstarted.take() {
            return Err(error);
        }
        // Others may have the same socket.
        self.socket.set_nonblocking(true)?;
        let (stream, address) = poll_fn(|_| self.poll_accept()).await?;
        transport::without_delay(&stream);
        Ok(Arrival::new(self.opening(stream)).of(address))
    }

    /// What finds no thread is dropped; that is an error of the next accept, so that it is told and waited after.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut thread = thread::Builder::new().name("hybi-connection".to_owned());
        let stack_size = self.stack_size.load(Ordering::Relaxed);
        if stack_size != DEFAULT {
            thread = thread.stack_size(stack_size);
        }
        if let Err(error) = thread.spawn(|| block_on(task)) {
            // Of another kind: it is no error of one stream.
            let error = format!("no thread for a connection, which was dropped: {error}");
            let mut unstarted = self.unstarted.lock().unwrap_or_else(PoisonError::into_inner);
            *unstarted = Some(io::Error::other(error));
        }
    }

    /// All who wait for the socket are woken, and find it at its end.
    fn cutter(transport: &Stream) -> Option<Cutter> {
        // Whoever drops the connection closes it.
        let socket = Arc::downgrade(transport.socket());
        Some(Box::new(move || {
            if let Some(socket) = socket.upgrade() {
                let _ = socket.shutdown(Shutdown::Both);
            }
        }))
    }

    fn timer(&self) -> BlockingTimer {
        BlockingTimer::default()
    }
}

impl Drop for Listener {
    /// It closes now, and not when its thread has waited once more.
    fn drop(&mut self) {
        reactor::wait_no_more_for(&self.socket);
    }
}
