//! `TCP_NODELAY` is set on what comes from a listener, and its absence hurts nobody.

use std::net::TcpStream as Socket;

use async_std::{
    net::{TcpListener, TcpStream},
    task::{block_on, spawn},
};
use hybi_async_std::{Client, Server, WebSocket};
use hybi_testkit::suite::bounded;

/// What a listener accepted from a client of ours, which goes on by itself.
async fn accepted() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    spawn(async move {
        let (mut ws, _) = hybi_async_std::connect_with(&Client::default(), &uri).await.unwrap();
        assert!(has_no_delay(&ws));
        ws.recv().await
    });
    let (stream, _) = listener.accept().await.unwrap();
    assert!(!stream.nodelay().unwrap(), "else this test shows nothing");
    stream
}

fn has_no_delay(ws: &WebSocket) -> bool {
    ws.transport().get_ref().nodelay().unwrap()
}

#[test]
fn what_is_accepted_has_no_delay() {
    bounded("what_is_accepted_has_no_delay", || {
        block_on(async {
            let server = Server::default();
            #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
            assert!(has_no_delay(&hybi_async_std::accept(accepted().await).await.unwrap()));
            let accepting = hybi_async_std::accept_with(&server, accepted().await);
            assert!(has_no_delay(&accepting.await.unwrap()));
            let incoming = hybi_async_std::incoming(&server, accepted().await).await.unwrap();
            assert!(incoming.transport().get_ref().nodelay().unwrap());
            // A stream of the caller's making is left as it is.
            let accepting = hybi_async_std::accept_on(&server, accepted().await);
            assert!(!has_no_delay(&accepting.await.unwrap()));
        });
    });
}

/// A socket that has no such option.
#[cfg(unix)]
#[test]
fn a_socket_without_the_option_is_accepted_all_the_same() {
    use std::os::{fd::OwnedFd, unix::net::UnixStream};
    bounded("a_socket_without_the_option_is_accepted_all_the_same", || {
        block_on(async {
            let (near, far) = UnixStream::pair().unwrap();
            let near = Socket::from(OwnedFd::from(near));
            near.set_nodelay(true).expect_err("no TCP");
            let client = spawn(async move {
                let client = Client::default();
                let far = async_std::os::unix::net::UnixStream::from(far);
                hybi_async_std::connect_on(&client, "ws://localhost/", far).await
            });
            hybi_async_std::accept_with(&Server::default(), TcpStream::from(near)).await.unwrap();
            client.await.unwrap();
        });
    });
}
