//! One route for both versions of HTTP (RFC 8441 section 5).

use axum::{Router, http::Version, response::Response, routing::any};
use hybi_axum::{Message, WebSocketUpgrade};

use crate::{
    client::{Session, frame, request},
    world::{connect, serve, text},
};

async fn route(ws: WebSocketUpgrade, version: Version) -> Response {
    ws.on_upgrade(move |mut ws| async move {
        while let Some(Ok(message)) = ws.recv().await {
            if let Message::Text(text) = message {
                let _ = ws.send(Message::text(format!("{version:?} {text}"))).await;
            }
        }
    })
}

#[tokio::test]
async fn one_route_answers_both_versions() {
    let address = serve(Router::new().route("/chat", any(route))).await;
    let mut ws = connect(address, "/chat").await;
    ws.send("hello").await.expect("it is open");
    assert_eq!(text(&mut ws).await, "HTTP/1.1 hello");

    let session = Session::connect(address).await;
    let mut stream = session.open().await;
    stream.send(frame(0x81, b"hello")).await;
    stream.expect(b"\x81\x0eHTTP/2.0 hello").await;
    stream.send(frame(0x88, b"\x03\xe8")).await;
    stream.expect(b"\x88\x02\x03\xe8").await;
    stream.expect_end().await;
    stream.sending.send_data(frame(0, b"").slice(..0), true).expect("its half is open");
}

#[tokio::test]
async fn rules_are_kept_there_too() {
    let address = serve(Router::new().route("/chat", any(route))).await;
    let session = Session::connect(address).await;
    for (name, value, status) in
        [("origin", "http://evil.example", 403), ("sec-websocket-version", "12", 400)]
    {
        let mut request = request();
        request.headers_mut().insert(name, value.parse().expect("a value"));
        let (answer, text) = session.ask(request).await;
        assert_eq!(answer.status(), status, "{text}");
    }
}
