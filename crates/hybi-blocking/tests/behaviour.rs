//! The behaviour suite over sockets that threads wait for (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{net::TcpStream, thread};

use hybi_blocking::{BlockingTimer, Client, Connector, Error, Server, Stream, block_on};
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
use hybi_suite::suite::adapter::Compressing;
use hybi_suite::{
    peer::Through,
    suite::{Accepted, Connecting, Runtime, adapter::Adapter, multiplexing::Multiplexing},
};

/// What the suite runs side by side runs on threads of its own.
struct Blocking;

type Incoming = hybi::Incoming<Stream, BlockingTimer>;

impl Runtime for Blocking {
    type Accepted = Stream;
    type Connected = Stream;
    type Timer = BlockingTimer;

    const THROUGH: Through = Through::Tcp;

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

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
impl Compressing for Blocking {
    async fn accept(stream: TcpStream) -> Result<Accepted<Self>, Error> {
        hybi_blocking::accept(stream).map(hybi_blocking::WebSocket::into_inner)
    }

    async fn connect(uri: String) -> Connecting<Self> {
        let (ws, response) = hybi_blocking::connect(uri)?;
        Ok((ws.into_inner(), response))
    }
}

impl Multiplexing for Blocking {
    type Dial = Connector;

    fn dial() -> Connector {
        Connector::new()
    }
}

mod tcp {
    use super::Blocking as Over;

    hybi_suite::behaviour_suite!(@tests);
}

#[cfg(not(feature = "rustls"))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    hybi_suite::suite::opening::refuses_wss::<Blocking>("hybi-blocking");
}
