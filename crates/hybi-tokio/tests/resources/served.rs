//! What a connection of a server that is looked after holds beside one of a loop by hand.

use core::net::SocketAddr;
use std::thread;

use hybi_suite::{
    allocator::Meter,
    peer::{Peer, listen},
    suite::bounded,
};
use hybi_testkit::wire::TEXT;
use hybi_tokio::{Config, Error, Server, WebSocket};
use tokio::{net::TcpListener, sync::mpsc::unbounded_channel};

use crate::memory::block_on;

const CONNECTIONS: usize = 200;

async fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

/// A client that has had an echo.
fn client(address: SocketAddr) -> Peer {
    let mut peer = Peer::open(address);
    peer.send_frame(TEXT, b"hello");
    peer.expect(TEXT, b"hello");
    peer
}

/// What each connection holds that is idle, its task included; `start` has the server begin.
fn idle(start: impl FnOnce(TcpListener, Server) + Send + 'static) -> usize {
    let (listener, address) = listen();
    let (tell, mut told) = unbounded_channel();
    let server = thread::spawn(move || {
        block_on(async move {
            listener.set_nonblocking(true).expect("a socket");
            let listener = TcpListener::from_std(listener).expect("a runtime");
            let config = Config::default().ping_interval(None);
            start(listener, Server::builder().config(config).build());
            // What is made once was made for these.
            told.recv().await.expect("some clients");
            let meter = Meter::start();
            told.recv().await.expect("all clients");
            meter.held() / CONNECTIONS
        })
    });
    let mut peers: Vec<_> = (0..CONNECTIONS).map(|_| client(address)).collect();
    tell.send(()).expect("the server waits");
    peers.extend((0..CONNECTIONS).map(|_| client(address)));
    tell.send(()).expect("the server waits");
    server.join().expect("no panic")
}

#[test]
fn being_looked_after_costs_a_connection_half_a_kilobyte() {
    bounded("being_looked_after_costs_a_connection_half_a_kilobyte", || {
        let by_hand = idle(|listener, server| {
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("a client");
                    let server = server.clone();
                    tokio::spawn(async move {
                        let ws = hybi_tokio::accept_with(&server, stream).await?;
                        echo(ws).await
                    });
                }
            });
        });
        let served = idle(|listener, server| {
            tokio::spawn(hybi_tokio::serve(listener, server, echo));
        });
        assert!(served < by_hand + 512, "{served} bytes each, {by_hand} by hand");
    });
}
