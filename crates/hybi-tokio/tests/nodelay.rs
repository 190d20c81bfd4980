//! `TCP_NODELAY` is set on what comes from a listener, and its absence hurts nobody.

use core::future::Future;
use std::net::TcpStream as Socket;

use hybi_testkit::suite::bounded;
use hybi_tokio::{Client, Server, WebSocket};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
};

fn block_on(test: impl Future<Output = ()>) {
    let mut runtime = runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

/// What a listener accepted from a client of ours, which goes on by itself.
async fn accepted() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut ws, _) = hybi_tokio::connect_with(&Client::default(), &uri).await.unwrap();
        assert!(has_no_delay(&ws));
        ws.recv().await
    });
    let (stream, _) = listener.accept().await.unwrap();
    assert!(!stream.nodelay().unwrap(), "else this test shows nothing");
    stream
}

fn has_no_delay(ws: &WebSocket) -> bool {
    ws.transport().get_ref().tcp().nodelay().unwrap()
}

#[test]
fn what_is_accepted_has_no_delay() {
    bounded("what_is_accepted_has_no_delay", || {
        block_on(async {
            let server = Server::default();
            #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
            assert!(has_no_delay(&hybi_tokio::accept(accepted().await).await.unwrap()));
            assert!(has_no_delay(
                &hybi_tokio::accept_with(&server, accepted().await).await.unwrap()
            ));
            let incoming = hybi_tokio::incoming(&server, accepted().await).await.unwrap();
            assert!(incoming.transport().get_ref().tcp().nodelay().unwrap());
            // A stream of the caller's making is left as it is.
            let ws = hybi_tokio::accept_on(&server, accepted().await).await.unwrap();
            assert!(!ws.transport().get_ref().nodelay().unwrap());
        })
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
            near.set_nonblocking(true).unwrap();
            near.set_nodelay(true).expect_err("no TCP");
            far.set_nonblocking(true).unwrap();
            let (client, server) = (Client::default(), Server::default());
            let far = tokio::net::UnixStream::from_std(far).unwrap();
            let (accepted, connected) = tokio::join!(
                hybi_tokio::accept_with(&server, TcpStream::from_std(near).unwrap()),
                hybi_tokio::connect_on(&client, "ws://localhost/", far),
            );
            accepted.unwrap();
            connected.unwrap();
        })
    });
}

#[cfg(all(unix, feature = "rustls"))]
#[test]
fn there_is_no_delay_before_tls_begins() {
    use std::{os::fd::AsFd, sync::Arc};

    use hybi_tokio::{
        rustls::{
            ServerConfig, crypto::ring::default_provider, server::ResolvesServerCertUsingSni,
        },
        tokio_rustls::TlsAcceptor,
    };
    bounded("there_is_no_delay_before_tls_begins", || {
        block_on(async {
            let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
            let (server, acceptor) = (Server::default(), TlsAcceptor::from(Arc::new(config)));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            // A client that says nothing.
            let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let same = Socket::from(stream.as_fd().try_clone_to_owned().unwrap());
            assert!(!same.nodelay().unwrap(), "else this test shows nothing");
            let accepting = Box::pin(hybi_tokio::accept_tls(&server, &acceptor, stream));
            assert!(futures_util::FutureExt::now_or_never(accepting).is_none());
            assert!(same.nodelay().unwrap());
        })
    });
}
