//! The behaviour suite over async-std (RFC 6455 sections 4 to 8).

use core::future::Future;
use std::net::TcpStream;

use async_std::task;
use hybi_async_std::{AsyncStdIo, AsyncStdTimer, Client, Error, Incoming, Server, Stream};
use hybi_testkit::suite::{Connecting, Runtime};

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
        hybi_async_std::incoming(server, async_std::net::TcpStream::from(stream)).await
    }

    async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
        hybi_async_std::connect_with(client, uri).await
    }
}

hybi_testkit::behaviour_suite!(AsyncStd);

#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    hybi_testkit::suite::opening::refuses_wss::<AsyncStd>("hybi-tokio");
}
