//! The behaviour suite over smol (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io,
    net::{TcpListener, TcpStream},
};

use hybi_smol::{Client, Error, Incoming, Server, SmolIo, SmolTimer, Stream, WebSocket};
use hybi_suite::suite::{
    self, Connecting, Runtime, adapter::Adapter, bounded, multiplexing::Multiplexing,
    serving::Serves,
};

struct Smol;

impl Runtime for Smol {
    type Accepted = SmolIo<Stream>;
    type Connected = SmolIo<Stream>;
    type Timer = SmolTimer;

    fn block_on<F: Future>(future: F) -> F::Output {
        smol::block_on(future)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(future).detach();
    }

    async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
        hybi_smol::incoming(server, tcp(stream)?).await
    }

    async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
        hybi_smol::connect_with(client, uri).await
    }
}

fn tcp(stream: TcpStream) -> io::Result<smol::net::TcpStream> {
    stream.try_into()
}

impl Adapter for Smol {
    async fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
        hybi_smol::accept_with(server, tcp(stream)?).await
    }

    async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
        hybi_smol::accept_on(server, tcp(stream)?).await.map(drop)
    }

    #[cfg(unix)]
    async fn connect_on(client: &Client, uri: &str, stream: UnixStream) -> Result<(), Error> {
        let stream = smol::net::unix::UnixStream::try_from(stream)?;
        hybi_smol::connect_on(client, uri, stream).await.map(drop)
    }

    fn has_no_delay(transport: &SmolIo<Stream>) -> bool {
        transport.get_ref().tcp().nodelay().expect("TCP")
    }
}

impl Serves for Smol {
    type Listener = hybi_smol::SmolListener;

    fn serve<F>(
        listener: TcpListener,
        server: Server,
        handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
    ) -> hybi_smol::Serving
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let listener = smol::net::TcpListener::try_from(listener).expect("a reactor");
        hybi_smol::serve(listener, server, handler)
    }

    fn accepts_without_delay(transport: &SmolIo<Stream>) -> bool {
        Self::has_no_delay(transport)
    }
}

impl Multiplexing for Smol {
    type Dial = hybi_smol::Connector;
}

hybi_suite::behaviour_suite!(Smol);
hybi_suite::serving_suite!(Smol);

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn accept_and_connect_compress() {
    bounded("accept_and_connect_compress", || {
        let accept = async |stream| hybi_smol::accept(tcp(stream)?).await;
        suite::adapter::accept_and_connect_compress::<Smol, _, _>(accept, hybi_smol::connect);
    });
}

#[cfg(unix)]
#[test]
fn a_socket_without_the_option_is_accepted_all_the_same() {
    bounded(
        "a_socket_without_the_option_is_accepted_all_the_same",
        suite::adapter::a_socket_without_the_option_is_accepted_all_the_same::<Smol>,
    );
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed() {
    let test = suite::vanishing::tells_a_peer_that_was_killed::<Smol>;
    bounded("tells_a_peer_that_was_killed", test);
}

#[cfg(unix)]
#[test]
fn tells_a_peer_that_was_killed_before_it_read() {
    let test = suite::vanishing::tells_a_peer_that_was_killed_before_it_read::<Smol>;
    bounded("tells_a_peer_that_was_killed_before_it_read", test);
}

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    suite::opening::refuses_wss::<Smol>("hybi-smol");
}
