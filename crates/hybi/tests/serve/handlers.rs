//! What handlers may do: fail, panic, decide about the request.

use core::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::sync::{Arc, Mutex};

use hybi::{Error, Server, http::Response, serve::Serving};

use crate::world::{REQUEST, Socket, Town, echo, peer};

/// It ends its own connection, is told, and its place is free; others go on.
#[test]
fn a_panic_ends_one_connection() {
    let mut town = Town::serve(
        |mut ws: Socket| async move {
            while let Some(message) = ws.recv().await? {
                assert!(message.as_text() != Some("bang"), "at the word");
                ws.send(message).await?;
            }
            Ok::<_, Error>(())
        },
        |serving| serving,
    );
    let mut other = town.client(peer(0)).expect("there is room");
    let mut loud = town.client(peer(1)).expect("there is room");
    let answer = town.world.block_on(async move {
        loud.send("bang").await.expect("open");
        loud.recv().await
    });
    assert!(matches!(answer, Err(Error::Lost | Error::Transport(_))), "{answer:?}");
    assert_eq!(town.incidents(), ["192.0.2.1:1001: the handler panicked: at the word"]);
    assert_eq!(town.handle.connections(), 1);
    let answer = town.world.block_on(async move {
        other.send("still there?").await?;
        other.recv().await
    });
    assert_eq!(answer.expect("open"), Some("still there?".into()));
}

/// The same where making the handler's future panics.
#[test]
fn a_panic_before_anything_else_ends_one_connection() {
    let calls = AtomicUsize::new(0);
    let mut town = Town::serve(
        move |ws: Socket| {
            assert!(calls.fetch_add(1, Ordering::Relaxed) > 0, "the first");
            echo(ws)
        },
        |serving| serving,
    );
    let _first = town.client(peer(0));
    town.settle();
    assert_eq!(town.incidents(), ["192.0.2.1:1000: the handler panicked: the first"]);
    assert!(town.client(peer(1)).is_ok());
    assert_eq!(town.handle.connections(), 1);
}

#[test]
fn an_error_is_told_and_nothing_is() {
    let mut town = Town::serve(|_: Socket| async { Err("no time") }, |serving| serving);
    let _client = town.client(peer(0)).expect("there is room");
    town.settle();
    assert_eq!(town.incidents(), ["192.0.2.1:1000: no time"]);
    let mut town = Town::serve(|_: Socket| async {}, |serving| serving);
    let _client = town.client(peer(0)).expect("there is room");
    town.settle();
    assert_eq!(town.incidents(), [""; 0]);
    assert_eq!(town.handle.connections(), 0);
}

#[test]
fn a_refused_request_is_told() {
    let mut town = Town::serve(echo, |serving| serving);
    let answer = town.ask(peer(0), "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    town.settle();
    let told = ["192.0.2.1:1000: not opened: this resource is for WebSocket clients"];
    assert_eq!(town.incidents(), told);
}

#[test]
fn plain_requests_have_a_function() {
    let mut town = Town::serve(echo, |serving| {
        serving.plain_http(|request| async move {
            let status = if request.uri().path() == "/healthz" { 200 } else { 404 };
            Response::builder().status(status).body("a body").expect("a valid response")
        })
    });
    for (path, status) in [("/healthz", "200"), ("/other", "404")] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: example.org\r\n\r\n");
        let answer = town.ask(peer(0), request.leak());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    assert!(town.client(peer(1)).is_ok());
    assert_eq!(town.incidents(), [""; 0]);
}

/// By path, with what the peer's address is at hand.
#[test]
fn a_handler_may_decide_about_the_request() {
    let peers = Arc::<Mutex<Vec<Option<SocketAddr>>>>::default();
    let seen = peers.clone();
    let mut town = Town::new(|listener| {
        Serving::requests(listener, Server::default(), move |incoming| {
            seen.lock().expect("no panic").push(incoming.peer());
            async move {
                if incoming.request().uri().path() == "/garden" {
                    return echo(incoming.accept().await?).await;
                }
                let response = Response::builder().status(404).body("no such room");
                incoming.respond(response.expect("a valid response")).await;
                Ok(())
            }
        })
    });
    assert!(town.client(peer(0)).is_ok());
    let request = "GET /cellar HTTP/1.1\r\nHost: example.org\r\n\r\n";
    assert!(town.ask(peer(1), request).starts_with("HTTP/1.1 404 "));
    assert!(town.ask(peer(2), REQUEST).starts_with("HTTP/1.1 101 "));
    assert_eq!(*peers.lock().expect("no panic"), [0, 1, 2].map(|n| Some(peer(n))));
}
