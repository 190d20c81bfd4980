//! What the feature `compression` adds: two functions that compress, and nothing to any other.

use core::future::Future;

use async_std::{
    net::{TcpListener, TcpStream},
    task::block_on,
};
use futures_util::future::try_join;
use hybi_async_std::{Client, Error, Server, WebSocket, http::Response};
use hybi_testkit::suite::bounded;

/// What both ends of a connection use that is made by these two.
fn in_use<A, C>(
    accept: impl FnOnce(TcpStream) -> A,
    connect: impl FnOnce(String) -> C,
) -> [usize; 2]
where
    A: Future<Output = Result<WebSocket, Error>>,
    C: Future<Output = Result<(WebSocket, Response<()>), Error>>,
{
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("ws://{}/", listener.local_addr().unwrap());
        let accepting = async { accept(listener.accept().await?.0).await };
        let (accepted, (connected, _)) = try_join(accepting, connect(uri)).await.unwrap();
        [accepted, connected].map(|ws| ws.extensions().count())
    })
}

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn connect_and_accept_compress() {
    bounded("connect_and_accept_compress", || {
        assert_eq!(in_use(hybi_async_std::accept, hybi_async_std::connect), [1, 1]);
    });
}

#[test]
fn clients_and_servers_of_ones_own_compress_if_they_say_so() {
    bounded("clients_and_servers_of_ones_own_compress_if_they_say_so", || {
        let in_use = |client: Client, server: Server| {
            in_use(
                async move |stream| hybi_async_std::accept_with(&server, stream).await,
                async move |uri| hybi_async_std::connect_with(&client, uri).await,
            )
        };
        assert_eq!(in_use(Client::default(), Server::default()), [0, 0]);
        // Compiled in by another package of this build, where not by this one.
        assert_eq!(in_use(Client::compressing(), Server::default()), [0, 0]);
        assert_eq!(in_use(Client::default(), Server::compressing()), [0, 0]);
        assert_eq!(in_use(Client::compressing(), Server::compressing()), [1, 1]);
    });
}
