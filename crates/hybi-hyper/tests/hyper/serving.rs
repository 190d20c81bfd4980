//! A server that is looked after: pages and WebSockets, both versions of HTTP, one port, and an end.

use core::{net::SocketAddr, time::Duration};
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hybi_hyper::{
    Client, CloseCode, Error, Message, Server, Serving, WebSocket,
    http::{Request, Response, Version},
    serve::Drain,
};
use hybi_suite::peer::REQUEST;
use hyper::body::{Bytes, Incoming};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use crate::{
    client::{Session, frame},
    world::{echo, exchange, is_page},
};

async fn page(request: Request<Incoming>) -> Response<Full<Bytes>> {
    Response::new(format!("a page over {:?}", request.version()).into())
}

async fn serving() -> (SocketAddr, Serving) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    (address, hybi_hyper::serve(listener, Server::default(), echo, page))
}

async fn connect(address: SocketAddr) -> hybi_tokio::WebSocket {
    let uri = format!("ws://{address}/");
    hybi_tokio::connect_with(&Client::default(), &uri).await.expect("it opens").0
}

#[tokio::test]
async fn one_port_has_pages_and_websockets_over_both_versions() {
    let (address, serving) = serving().await;
    tokio::spawn(serving);
    let plain = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = exchange(address, plain, is_page).await;
    assert!(answer.ends_with("a page over HTTP/1.1"), "{answer}");
    let mut ws = connect(address).await;
    for message in [Message::from("hello"), Message::from(vec![7; 300_000])] {
        ws.send(message.clone()).await.expect("it is open");
        assert_eq!(ws.recv().await.expect("it is open"), Some(message));
    }

    let session = Session::connect(address).await;
    let request = Request::builder().version(Version::HTTP_2).uri("http://example.org/").body(());
    let (_, text) = session.ask(request.expect("a request")).await;
    assert_eq!(text, "a page over HTTP/2.0");
    let mut stream = session.open().await;
    stream.send(frame(0x81, b"hello")).await;
    stream.expect(b"\x81\x05hello").await;
    stream.send(frame(0x88, b"\x03\xe8")).await;
    stream.expect(b"\x88\x02\x03\xe8").await;
    stream.expect_end().await;
    stream.sending.send_data(frame(0, b"").slice(..0), true).expect("its half is open");
}

#[tokio::test]
async fn refusals_are_those_of_each_version() {
    let (address, serving) = serving().await;
    tokio::spawn(serving);
    let foreign = REQUEST.replace("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n");
    let answer = exchange(address, foreign.as_bytes(), is_page).await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    let newer = REQUEST.replace("Version: 13", "Version: 14");
    let answer = exchange(address, newer.as_bytes(), is_page).await;
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
    for field in ["upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13"] {
        assert!(answer.contains(&format!("\r\n{field}\r\n")), "{field} is not in {answer}");
    }
    let session = Session::connect(address).await;
    let mut request = crate::client::request();
    request.headers_mut().insert("sec-websocket-version", "14".parse().expect("a value"));
    let (answer, text) = session.ask(request).await;
    assert_eq!((answer.status().as_u16(), text.ends_with('\n')), (400, true), "{text}");
}

#[tokio::test]
async fn at_the_end_both_are_told_and_counted() {
    let (address, serving) = serving().await;
    let handle = serving.handle();
    let serving = tokio::spawn(serving);
    let mut ws = connect(address).await;
    ws.send("hello").await.expect("it is open");
    assert_eq!(ws.recv().await.expect("it is open"), Some("hello".into()));
    let session = Session::connect(address).await;
    let mut stream = session.open().await;
    stream.send(frame(0x81, b"hello")).await;
    stream.expect(b"\x81\x05hello").await;
    // One connection that became a WebSocket, and one that carries another.
    while handle.connections() > 3 {
        tokio::task::yield_now().await;
    }
    let drain = Drain::default().close_with(CloseCode::SERVICE_RESTART, "").expect("a code");
    drop(handle.drain(drain));
    assert_eq!(ws.recv().await.expect("in order"), None);
    assert_eq!(ws.close_status().map(|status| status.code()), Some(CloseCode::SERVICE_RESTART));
    stream.expect(b"\x88\x02\x03\xf4").await;
    stream.send(frame(0x88, b"\x03\xf4")).await;
    stream.expect_end().await;
    stream.sending.send_data(frame(0, b"").slice(..0), true).expect("its half is open");
    let report = serving.await.expect("no panic");
    assert_eq!((report.closed, report.lost, report.cut.len()), (2, 0, 0), "{report}");
}

#[tokio::test]
async fn a_handler_that_panics_is_told_and_takes_nothing_along() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let told = Arc::<Mutex<Vec<String>>>::default();
    let hear = told.clone();
    let handler = |mut ws: WebSocket| async move {
        let message = ws.recv().await?;
        assert_eq!(message, Some("well".into()), "not well");
        ws.send("well").await?;
        while ws.recv().await?.is_some() {}
        Ok::<_, Error>(())
    };
    let serving = hybi_hyper::serve(listener, Server::default(), handler, page)
        .on_incident(move |incident| hear.lock().expect("no panic").push(incident.to_string()));
    tokio::spawn(serving);
    let (mut well, mut other) = (connect(address).await, connect(address).await);
    other.send("other").await.expect("it is open");
    let error = other.recv().await.expect_err("it was dropped");
    assert!(matches!(error, Error::Lost), "{error:?}");
    well.send("well").await.expect("it is open");
    assert_eq!(well.recv().await.expect("it is open"), Some("well".into()));
    let told = told.lock().expect("no panic").join("\n");
    assert!(told.contains("panicked"), "{told}");
}

/// How long a connection lasts that brings this and nothing more.
async fn lasts(bytes: &[u8]) -> Duration {
    let (address, serving) = serving().await;
    tokio::spawn(serving);
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    stream.write_all(bytes).await.expect("it takes them");
    let began = Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("no reset");
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn who_brings_no_request_is_dropped_after_ten_seconds() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    // HEADERS of one byte, `:method: GET`, without END_HEADERS.
    let headers = b"\0\0\x01\x01\0\0\0\0\x01\x82";
    let endless = [&preface[..], settings, headers].concat();
    for bytes in [&b""[..], b"PRI * HTT", b"GET / HTTP/1.1\r\nHo", preface, &endless] {
        let time = lasts(bytes).await;
        assert_eq!(time.as_secs(), 10, "{}", bytes.escape_ascii());
    }
}
