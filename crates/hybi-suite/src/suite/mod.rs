//! The behaviour suite: what both ends of a connection see, written once and run over every runtime
//! (RFC 6455 sections 4 to 8).
//!
//! An adapter implements [`list::Executor`] and calls [`behaviour_suite!`](crate::behaviour_suite); each test then
//! appears by its name in that crate, once for TCP and once for TLS.

#![expect(clippy::missing_panics_doc, reason = "these are tests: panicking is how they fail")]

pub mod adapter;
pub mod as_they_come;
pub mod bad_frames;
pub mod bad_requests;
pub mod bad_responses;
pub mod closing;
pub mod compression;
pub mod control;
pub mod fairness;
pub mod faults;
pub mod list;
pub mod messages;
pub mod multiplexing;
pub mod nested;
pub mod network;
pub mod opening;
pub mod reaching;
pub mod sending;
pub mod serving;
pub mod sinks;
pub mod streams;
pub mod vanishing;
pub mod versions;

use core::{fmt, future::Future, time::Duration};
use std::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use hybi::{
    Client, ClientBuilder, Config, Error, Incoming, Server, WebSocket,
    http::Response,
    io::{Timer, Transport},
};

use crate::peer::{Address, Through, listen};

/// What the suite needs of a runtime and its adapter.
pub trait Runtime: Send + Sync + 'static {
    /// The transport over a TCP stream that was accepted.
    type Accepted: Transport + Send + 'static;
    /// The transport that `connect` makes.
    type Connected: Transport + Send + 'static;
    /// The timer.
    type Timer: Timer + Send + 'static;

    /// What is between both ends.
    const THROUGH: Through;

    /// Runs a future to its end on this thread.
    fn block_on<F: Future>(future: F) -> F::Output;

    /// Runs a future beside others, until [`block_on`](Self::block_on) ends: whoever wants its result awaits it there.
    fn spawn(future: impl Future<Output = ()> + Send + 'static);

    /// The adapter's function of this name, on a stream of its runtime.
    fn incoming(
        server: &Server,
        stream: TcpStream,
    ) -> impl Future<Output = Result<Incoming<Self::Accepted, Self::Timer>, Error>> + Send;

    /// The adapter's function of this name.
    fn connect_with(client: &Client, uri: &str) -> impl Future<Output = Connecting<Self>> + Send;
}

/// What connecting gives.
pub type Connecting<R> = Result<(Connected<R>, Response<()>), Error>;
/// A connection that a server accepted.
pub type Accepted<R> = WebSocket<<R as Runtime>::Accepted, <R as Runtime>::Timer>;
/// A connection that a client opened.
pub type Connected<R> = WebSocket<<R as Runtime>::Connected, <R as Runtime>::Timer>;

/// The longest that a test may take: a bound on hangs.
const TEST_TIME: Duration = Duration::from_secs(60);

/// More bytes than the kernel buffers of one connection hold, so that sending them blocks while
/// the peer does not read.
pub const MORE_THAN_BUFFERS: usize = 16 * 1024 * 1024;

/// Runs a test; one that hangs fails under its name.
///
/// # Panics
///
/// When the test does, or takes too long.
pub fn bounded(name: &str, test: fn()) {
    let (done, wait) = mpsc::channel();
    let runner = thread::Builder::new().name(name.to_owned()).spawn(move || {
        test();
        let _ = done.send(());
    });
    let runner = runner.expect("a thread");
    match wait.recv_timeout(TEST_TIME) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} hangs"),
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => {
            if let Err(panic) = runner.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// An endpoint under test, running on a thread of its own while the test plays its peer.
#[derive(Debug)]
pub struct Running<O>(thread::JoinHandle<O>);

impl<O> Running<O> {
    /// What the endpoint came to.
    ///
    /// # Panics
    ///
    /// As the endpoint did.
    pub fn join(self) -> O {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Runs what `start` makes on the runtime.
pub fn run<R: Runtime, F: Future<Output: Send + 'static>>(
    start: impl FnOnce() -> F + Send + 'static,
) -> Running<F::Output> {
    Running(thread::spawn(|| R::block_on(start())))
}

/// A listener for servers of this runtime, and where its clients find it.
pub fn listen_for<R: Runtime>() -> (TcpListener, Address) {
    let (listener, socket) = listen();
    (listener, Address::new(socket, R::THROUGH))
}

/// The URI of a server.
pub fn uri<R: Runtime>(address: impl fmt::Display) -> String {
    format!("{}://{address}/", R::THROUGH.ws())
}

/// Runs a server that reads one request and gives it to `app`.
pub fn serve_request<R, F>(
    server: Server,
    app: impl FnOnce(Result<Incoming<R::Accepted, R::Timer>, Error>) -> F + Send + 'static,
) -> (Address, Running<F::Output>)
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    let (listener, address) = listen_for::<R>();
    let running = run::<R, _>(move || async move {
        let (stream, _) = listener.accept().expect("a client");
        app(R::incoming(&server, stream).await).await
    });
    (address, running)
}

/// Runs a server that accepts one connection and gives it to `app`.
pub fn serve<R, F>(
    config: Config,
    app: impl FnOnce(Accepted<R>) -> F + Send + 'static,
) -> (Address, Running<F::Output>)
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    serve_as::<R, _>(Server::builder().config(config).build(), app)
}

/// The same with other rules.
pub fn serve_as<R, F>(
    server: Server,
    app: impl FnOnce(Accepted<R>) -> F + Send + 'static,
) -> (Address, Running<F::Output>)
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    serve_request::<R, _>(server, |incoming| async {
        let incoming = incoming.expect("a request");
        app(incoming.accept().await.expect("a request that can be accepted")).await
    })
}

/// Runs a server that accepts one connection and sends every message back, up to the end.
pub fn serve_echo<R: Runtime>(config: Config) -> (Address, Running<Outcome>) {
    serve::<R, _>(config, echo)
}

/// Runs a client that opens one connection and gives it to `app`.
pub fn connect<R, F>(
    address: impl fmt::Display + Send + 'static,
    config: Config,
    app: impl FnOnce(Connected<R>) -> F + Send + 'static,
) -> Running<F::Output>
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    connect_as::<R, _>(address, Client::builder().config(config), app)
}

/// The same with more that the client asks for.
pub fn connect_as<R, F>(
    address: impl fmt::Display + Send + 'static,
    client: ClientBuilder,
    app: impl FnOnce(Connected<R>) -> F + Send + 'static,
) -> Running<F::Output>
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    run::<R, _>(move || async move {
        let client = client.build().expect("a client");
        let connecting = R::connect_with(&client, &uri::<R>(address)).await;
        app(connecting.expect("a server that accepts").0).await
    })
}

/// How a connection ended, as its application saw it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The error that ended it, if not in order.
    pub error: Option<Error>,
    /// What `close_status` says.
    pub status: hybi::CloseStatus,
}

/// Sends every message back, up to the end; every call after the end has to answer as the first.
pub async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Outcome {
    let error = loop {
        match ws.recv().await {
            Ok(Some(message)) => {
                if let Err(error) = ws.feed(message).await {
                    break Some(error.into());
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    for _ in 0..3 {
        let again = ws.recv().await;
        match (&error, &again) {
            (None, Ok(None)) => {}
            (Some(first), Err(again)) if first.to_string() == again.to_string() => {}
            _ => panic!("first {error:?}, then {again:?}"),
        }
    }
    let status = ws.close_status().expect("a connection that ended has a status");
    Outcome { error, status }
}
