//! The behaviour suite over sockets that threads wait for (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{net::TcpStream, thread};

use hybi_blocking::{BlockingTimer, Client, Connector, Error, Server, Stream, block_on};
use hybi_suite::suite::{
    self, Accepted, Connecting, Runtime, adapter::Adapter, bounded, multiplexing::Multiplexing,
};

/// What the suite runs side by side runs on threads of its own.
struct Blocking;

type Incoming = hybi::Incoming<Stream, BlockingTimer>;

impl Runtime for Blocking {
    type Accepted = Stream;
    type Connected = Stream;
    type Timer = BlockingTimer;

    fn block_on<F: Future>(future: F) -> F::Output {
        block_on(future)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(|| block_on(future));
    }

    async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
        hybi_blocking::incoming(server, stream).map(hybi_blocking::Incoming::into_inner)
    }

    async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
        let (ws, response) = hybi_blocking::connect_with(client, uri)?;
        Ok((ws.into_inner(), response))
    }
}

impl Adapter for Blocking {
    async fn accept_with(server: &Server, stream: TcpStream) -> Result<Accepted<Self>, Error> {
        hybi_blocking::accept_with(server, stream).map(hybi_blocking::WebSocket::into_inner)
    }

    async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
        hybi_blocking::accept_on(server, stream).map(drop)
    }

    #[cfg(unix)]
    async fn connect_on(client: &Client, uri: &str, stream: UnixStream) -> Result<(), Error> {
        hybi_blocking::connect_on(client, uri, stream).map(drop)
    }

    fn has_no_delay(transport: &Stream) -> bool {
        transport.tcp().nodelay().expect("TCP")
    }
}

impl Multiplexing for Blocking {
    type Dial = Connector;
}

hybi_suite::behaviour_suite!(Blocking);

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn accept_and_connect_compress() {
    bounded("accept_and_connect_compress", || {
        let accept = |stream| async {
            hybi_blocking::accept(stream).map(hybi_blocking::WebSocket::into_inner)
        };
        let connect = |uri: String| async move {
            let (ws, response) = hybi_blocking::connect(uri)?;
            Ok((ws.into_inner(), response))
        };
        suite::adapter::accept_and_connect_compress::<Blocking, _, _>(accept, connect);
    });
}

#[cfg(unix)]
#[test]
fn a_socket_without_the_option_is_accepted_all_the_same() {
    bounded(
        "a_socket_without_the_option_is_accepted_all_the_same",
        suite::adapter::a_socket_without_the_option_is_accepted_all_the_same::<Blocking>,
    );
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed() {
    let test = suite::vanishing::tells_a_peer_that_was_killed::<Blocking>;
    bounded("tells_a_peer_that_was_killed", test);
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed_before_it_read() {
    let test = suite::vanishing::tells_a_peer_that_was_killed_before_it_read::<Blocking>;
    bounded("tells_a_peer_that_was_killed_before_it_read", test);
}

#[cfg(not(feature = "rustls"))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    suite::opening::refuses_wss::<Blocking>("hybi-blocking");
}
