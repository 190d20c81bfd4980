//! What a server answers to requests of all kinds (RFC 8441 section 5), asked by the `h2` crate.

use h2::ext::Protocol;
use http::{Request, Response, Version};
use hybi::{Client, Error, HandshakeError, Server};
use hybi_h2::Incoming;

use crate::peer::{self, ask, connect, listen, opening, read, serve_echo, session};

const ACCEPT: &str = "sec-websocket-accept";

#[tokio::test]
async fn a_request_without_its_version_is_accepted() {
    let requests = connect(serve_echo(Server::default()).await).await;
    let mut request = opening();
    request.headers_mut().unwrap().clear();
    let (response, _) = ask(&requests, request).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key(ACCEPT));
}

#[tokio::test]
async fn a_key_is_answered_if_it_came() {
    let requests = connect(serve_echo(Server::default()).await).await;
    let (response, _) = ask(&requests, opening()).await;
    assert_eq!(response.headers().get(ACCEPT), None);
    // The key of RFC 6455 section 1.3 and its answer.
    let request = opening().header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let (response, _) = ask(&requests, request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_its_status() {
    let requests = connect(serve_echo(Server::default()).await).await;
    let key = "sec-websocket-key";
    let mut other_version = opening();
    other_version.headers_mut().unwrap().insert("sec-websocket-version", 8.into());
    let other_protocol = opening().extension(Protocol::from_static("webtransport"));
    let two_keys = "dGhlIHNhbXBsZSBub25jZQ==";
    let refused = [
        (other_version, 400),
        (other_protocol, 501),
        (opening().header("origin", "http://attacker.example"), 403),
        (opening().header(key, "short"), 400),
        (opening().header(key, two_keys).header(key, two_keys), 400),
        (opening().header("sec-websocket-version", "13"), 400),
        (opening().header("sec-websocket-extensions", "a;;"), 400),
    ];
    for (request, status) in refused {
        let told = format!("{request:?}");
        let (response, _sending) = ask(&requests, request).await;
        assert_eq!(response.status(), status, "{told}");
        let version = response.headers().get("sec-websocket-version").cloned();
        assert_eq!(version.is_some(), told.contains("\"8\""), "{told}");
        assert!(version.is_none_or(|version| version == "13"));
        for name in ["connection", "upgrade", "transfer-encoding", "keep-alive"] {
            assert!(!response.headers().contains_key(name), "{told}");
        }
        read(response.into_body()).await;
    }
    // None of them has cost the connection.
    assert_eq!(ask(&requests, opening()).await.0.status(), 200);
}

#[tokio::test]
async fn its_own_origin_is_taken() {
    let requests = connect(serve_echo(Server::default()).await).await;
    let (response, _) = ask(&requests, opening().header("origin", "http://example.org")).await;
    assert_eq!(response.status(), 200);
}

async fn lobby(incoming: Incoming) -> Result<(), Error> {
    match incoming.request().uri().path() {
        "/open" => peer::echo(incoming.accept().await?).await,
        "/closed" => {
            let refusal = Response::builder().status(403).body("members only").unwrap();
            incoming.respond(refusal).await;
            Ok(())
        }
        _ => {
            incoming.respond(Response::builder().status(404).body("").unwrap()).await;
            Ok(())
        }
    }
}

#[tokio::test]
async fn a_handler_decides_by_the_path_and_the_client_has_the_whole_answer() {
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve_requests(listener, Server::default(), lobby));
    let session = session(address).await;
    let client = Client::default();
    for (path, status, body) in [("closed", 403, "members only"), ("nowhere", 404, "")] {
        let refused = session.open(&client, format!("ws://example.org/{path}")).await.unwrap_err();
        let Some(HandshakeError::Rejected(response)) = refused.handshake() else {
            panic!("{refused}")
        };
        assert_eq!(response.status(), status);
        assert_eq!(response.body(), body.as_bytes());
    }
    session.open(&client, "ws://example.org/open").await.unwrap();
}

#[tokio::test]
async fn a_plain_request_is_answered_as_one() {
    let (listener, address) = listen().await;
    let serving = hybi_h2::serve(listener, Server::default(), peer::echo);
    tokio::spawn(serving.plain_http(|request| async move {
        Response::new(format!("{} {}", request.method(), request.uri().path()))
    }));
    let requests = connect(address).await;
    let get = Request::get("http://example.org/health").version(Version::HTTP_2);
    let mut ready = requests.clone().ready().await.unwrap();
    let (answer, _) = ready.send_request(get.body(()).unwrap(), true).unwrap();
    let response = answer.await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(read(response.into_body()).await, b"GET /health");
    assert_eq!(ask(&requests, opening()).await.0.status(), 200);
}
