//! A client among servers that refuse, redirect, know no WebSockets over HTTP/2, or say nothing.

use core::time::Duration;

use hybi::{Client, Config, Deadline, Error, Server};
use hybi_h2::{Connector, Session};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::Instant,
};

use crate::{
    peer::{echo, listen, serve_echo},
    raw::{END_HEADERS, HEADERS, Raw, SETTINGS, frame, setting},
};

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn client() -> Client {
    let config = Config::default().handshake_timeout(TEN_SECONDS);
    Client::builder().config(config).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_without_the_setting_is_known_at_once_and_asked_nothing() {
    let (near, far) = duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let mut raw = Raw::server(far, &[]).await;
        let mut kinds = Vec::new();
        while let Some(frame) = raw.next().await {
            kinds.push(frame.kind);
        }
        kinds
    });
    let begun = Instant::now();
    assert!(Session::on(&client(), near).await.unwrap().is_none());
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let kinds = server.await.unwrap();
    assert!(kinds.contains(&SETTINGS) && !kinds.contains(&HEADERS), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_with_the_setting_is_asked_without_waiting_for_its_pong() {
    let (near, far) = duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let mut raw = Raw::server(far, &setting(8, 1)).await;
        // Nothing is answered, the ping neither.
        loop {
            let next = raw.read().await.unwrap();
            if next.kind == HEADERS {
                break;
            }
        }
        raw.write(&frame(HEADERS, END_HEADERS, 1, &[0x88])).await;
        // Twenty seconds later it is over.
        while raw.read().await.is_some() {}
    });
    let begun = Instant::now();
    let session = Session::on(&client(), near).await.unwrap().unwrap();
    let mut ws = session.open(&client(), "ws://example.org/").await.unwrap().0;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    ws.recv().await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 20);
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_without_settings_is_left_at_the_deadline() {
    let (near, _far) = duplex(64 * 1024);
    let begun = Instant::now();
    let error = Session::on(&client(), near).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error:?}");
    assert_eq!(begun.elapsed(), TEN_SECONDS);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_answered_is_given_up_at_the_deadline() {
    let (near, far) = duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let mut raw = Raw::server(far, &setting(8, 1)).await;
        assert_eq!(raw.of(1).await.kind, HEADERS);
        raw.of(1).await
    });
    let session = Session::on(&client(), near).await.unwrap().unwrap();
    let begun = Instant::now();
    let error = session.open(&client(), "ws://example.org/").await.unwrap_err();
    assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error:?}");
    assert_eq!(begun.elapsed(), TEN_SECONDS);
    let reset = server.await.unwrap();
    assert_eq!((reset.kind, reset.code()), (crate::raw::RST_STREAM, 8));
}

#[tokio::test]
async fn what_is_asked_for_has_all_of_a_uri_and_neither_key_nor_upgrade() {
    let (near, far) = duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let mut connection = h2::server::Builder::new()
            .enable_connect_protocol()
            .handshake::<_, bytes::Bytes>(far)
            .await
            .unwrap();
        let (request, mut answer) = connection.accept().await.unwrap().unwrap();
        let answered = answer.send_response(http::Response::new(()), true);
        answered.unwrap();
        tokio::spawn(async move { while connection.accept().await.is_some() {} });
        request.map(drop)
    });
    let session = Session::on(&client(), near).await.unwrap().unwrap();
    let asking = Client::builder().subprotocol("chat").build().unwrap();
    session.open(&asking, "wss://example.org:8443/chat?a=b").await.unwrap();
    let request = server.await.unwrap();
    assert_eq!(request.method(), "CONNECT");
    assert_eq!(request.uri(), "https://example.org:8443/chat?a=b");
    let protocol = request.extensions().get::<h2::ext::Protocol>().unwrap();
    assert_eq!(protocol.as_str(), "websocket");
    let mut names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["sec-websocket-protocol", "sec-websocket-version"]);
}

#[tokio::test]
async fn what_knows_none_over_http_2_is_connected_to_anew_for_http_1() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        // The first takes HTTP/2, but no WebSockets there.
        let (stream, _) = listener.accept().await.unwrap();
        let mut raw = Raw::server(stream, &[]).await;
        assert_eq!(raw.end().await.unwrap_or(0), 0);
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut begin = vec![0; 3];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(begin, b"GET");
        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let connector = Connector::new().prior_knowledge();
    let uri = format!("ws://{address}/");
    let error = connector.connect(&client(), uri).await.unwrap_err();
    assert_eq!(error.response().unwrap().status(), 404);
    server.await.unwrap();
}

#[tokio::test]
async fn redirects_are_followed_from_stream_to_stream() {
    let target = serve_echo(Server::default()).await;
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve_requests(
        listener,
        Server::default(),
        move |incoming| async move {
            let response = http::Response::builder().status(307);
            let response = response.header("location", format!("ws://{target}/there"));
            incoming.respond(response.body("").unwrap()).await;
        },
    ));
    let client = Client::builder().follow_redirects(1).build().unwrap();
    let connector = Connector::new().prior_knowledge();
    let uri = format!("ws://{address}/");
    let (mut ws, response) = connector.connect(&client, &uri).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    ws.send("hello").await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), Some("hello".into()));
    let refused = connector.connect(&Client::default(), &uri).await.unwrap_err();
    assert_eq!(refused.response().unwrap().status(), 307);
}

#[tokio::test]
async fn a_proxy_is_spoken_to_in_http_1_and_the_server_behind_it_in_http_2() {
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve(listener, Server::default(), echo));
    let (listener, proxy) = listen().await;
    let asked = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(b"HTTP/1.1 200 \r\n\r\n").await.unwrap();
        let mut server = tokio::net::TcpStream::connect(address).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        String::from_utf8(head).unwrap()
    });
    let client = Client::builder().proxy(&format!("http://{proxy}")).build().unwrap();
    let connector = Connector::new().prior_knowledge();
    let (mut ws, response) = connector.connect(&client, format!("ws://{address}/")).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    ws.send("hello").await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), Some("hello".into()));
    let head = asked.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT {address} HTTP/1.1\r\n")), "{head}");
}
