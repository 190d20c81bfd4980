//! The behaviour suite over async-std (RFC 6455 sections 4 to 8).

use core::future::Future;
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

use async_std::task;
use hybi_async_std::{
    AsyncStdIo, AsyncStdTimer, Client, Error, Incoming, Server, Stream, WebSocket,
};
use hybi_suite::suite::{
    self, Connecting, Runtime, adapter::Adapter, bounded, multiplexing::Multiplexing,
    serving::Serves,
};

struct AsyncStd;

impl Runtime for AsyncStd {
    type Accepted = AsyncStdIo<Stream>;
    type Connected = AsyncStdIo<Stream>;
    type Timer = AsyncStdTimer;

    fn block_on<F: Future>(future: F) -> F::Output {
        task::block_on(future)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        task::spawn(future);
    }

    async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
        hybi_async_std::incoming(server, tcp(stream)).await
    }

    async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
        hybi_async_std::connect_with(client, uri).await
    }
}

fn tcp(stream: TcpStream) -> async_std::net::TcpStream {
    stream.into()
}

impl Adapter for AsyncStd {
    async fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
        hybi_async_std::accept_with(server, tcp(stream)).await
    }

    async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
        hybi_async_std::accept_on(server, tcp(stream)).await.map(drop)
    }

    #[cfg(unix)]
    async fn connect_on(client: &Client, uri: &str, stream: UnixStream) -> Result<(), Error> {
        let stream = async_std::os::unix::net::UnixStream::from(stream);
        hybi_async_std::connect_on(client, uri, stream).await.map(drop)
    }

    fn has_no_delay(transport: &AsyncStdIo<Stream>) -> bool {
        transport.get_ref().tcp().nodelay().expect("TCP")
    }
}

impl Serves for AsyncStd {
    type Listener = hybi_async_std::AsyncStdListener;

    fn serve<F>(
        listener: TcpListener,
        server: Server,
        handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
    ) -> hybi_async_std::Serving
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let listener = async_std::net::TcpListener::from(listener);
        hybi_async_std::serve(listener, server, handler)
    }

    fn accepts_without_delay(transport: &AsyncStdIo<Stream>) -> bool {
        Self::has_no_delay(transport)
    }
}

impl Multiplexing for AsyncStd {
    type Dial = hybi_async_std::Connector;
}

hybi_suite::behaviour_suite!(AsyncStd);
hybi_suite::serving_suite!(AsyncStd);

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn accept_and_connect_compress() {
    bounded("accept_and_connect_compress", || {
        let accept = async |stream| hybi_async_std::accept(tcp(stream)).await;
        suite::adapter::accept_and_connect_compress::<AsyncStd, _, _>(
            accept,
            hybi_async_std::connect,
        );
    });
}

#[cfg(unix)]
#[test]
fn a_socket_without_the_option_is_accepted_all_the_same() {
    bounded(
        "a_socket_without_the_option_is_accepted_all_the_same",
        suite::adapter::a_socket_without_the_option_is_accepted_all_the_same::<AsyncStd>,
    );
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed() {
    let test = suite::vanishing::tells_a_peer_that_was_killed::<AsyncStd>;
    bounded("tells_a_peer_that_was_killed", test);
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed_before_it_read() {
    let test = suite::vanishing::tells_a_peer_that_was_killed_before_it_read::<AsyncStd>;
    bounded("tells_a_peer_that_was_killed_before_it_read", test);
}

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    suite::opening::refuses_wss::<AsyncStd>("hybi-async-std");
}
