//! The behaviour suite over tokio (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::LazyLock,
};

use hybi_suite::suite::{
    self, Connecting, Runtime, adapter::Adapter, bounded, multiplexing::Multiplexing,
    serving::Serves,
};
use hybi_tokio::{Client, Error, Incoming, Server, Stream, TokioIo, TokioTimer, WebSocket};
use tokio::runtime::{self, Runtime as Threads};

struct Tokio;

static THREADS: LazyLock<Threads> = LazyLock::new(|| {
    runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

impl Runtime for Tokio {
    type Accepted = TokioIo<Stream>;
    type Connected = TokioIo<Stream>;
    type Timer = TokioTimer;

    fn block_on<F: Future>(future: F) -> F::Output {
        THREADS.block_on(future)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(future);
    }

    async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
        hybi_tokio::incoming(server, tcp(stream)?).await
    }

    async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
        hybi_tokio::connect_with(client, uri).await
    }
}

fn tcp(stream: TcpStream) -> io::Result<tokio::net::TcpStream> {
    stream.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(stream)
}

impl Adapter for Tokio {
    async fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
        hybi_tokio::accept_with(server, tcp(stream)?).await
    }

    async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
        hybi_tokio::accept_on(server, tcp(stream)?).await.map(drop)
    }

    #[cfg(unix)]
    async fn connect_on(client: &Client, uri: &str, stream: UnixStream) -> Result<(), Error> {
        stream.set_nonblocking(true)?;
        let stream = tokio::net::UnixStream::from_std(stream)?;
        hybi_tokio::connect_on(client, uri, stream).await.map(drop)
    }

    fn has_no_delay(transport: &TokioIo<Stream>) -> bool {
        transport.get_ref().tcp().nodelay().expect("TCP")
    }
}

impl Serves for Tokio {
    type Listener = hybi_tokio::TokioListener;

    fn serve<F>(
        listener: TcpListener,
        server: Server,
        handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
    ) -> hybi_tokio::Serving
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
        hybi_tokio::serve(listener, server, handler)
    }

    fn accepts_without_delay(transport: &TokioIo<Stream>) -> bool {
        Self::has_no_delay(transport)
    }
}

impl Multiplexing for Tokio {
    type Dial = hybi_tokio::Connector;
}

hybi_suite::behaviour_suite!(Tokio);
hybi_suite::serving_suite!(Tokio);

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn accept_and_connect_compress() {
    bounded("accept_and_connect_compress", || {
        let accept = async |stream| hybi_tokio::accept(tcp(stream)?).await;
        suite::adapter::accept_and_connect_compress::<Tokio, _, _>(accept, hybi_tokio::connect);
    });
}

#[cfg(unix)]
#[test]
fn a_socket_without_the_option_is_accepted_all_the_same() {
    bounded(
        "a_socket_without_the_option_is_accepted_all_the_same",
        suite::adapter::a_socket_without_the_option_is_accepted_all_the_same::<Tokio>,
    );
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed() {
    let test = suite::vanishing::tells_a_peer_that_was_killed::<Tokio>;
    bounded("tells_a_peer_that_was_killed", test);
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed_before_it_read() {
    let test = suite::vanishing::tells_a_peer_that_was_killed_before_it_read::<Tokio>;
    bounded("tells_a_peer_that_was_killed_before_it_read", test);
}

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    suite::opening::refuses_wss::<Tokio>("hybi-tokio");
}
