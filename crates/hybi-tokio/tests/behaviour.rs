//! The behaviour suite over tokio (RFC 6455 sections 4 to 8).

use core::future::Future;
use std::{net::TcpStream, sync::LazyLock};

use hybi_testkit::suite::{Connecting, Runtime};
use hybi_tokio::{Client, Error, Incoming, Server, Stream, TokioIo, TokioTimer};
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
        stream.set_nonblocking(true)?;
        hybi_tokio::incoming(server, tokio::net::TcpStream::from_std(stream)?).await
    }

    async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
        hybi_tokio::connect_with(client, uri).await
    }
}

hybi_testkit::behaviour_suite!(Tokio);

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    hybi_testkit::suite::opening::refuses_wss::<Tokio>("hybi-tokio");
}
