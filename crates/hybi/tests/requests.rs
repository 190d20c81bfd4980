//! What a client asks for where, as strings, URIs and prepared requests (RFC 6455 section 4.1).

use hybi::{
    Client, Error, Request, WsUri,
    handshake::{FieldError, HeadLimits, UriError},
    http::{self, Uri},
};
use hybi_handshake::ServerHandshake;

/// The request of `client` for this, as a server reads it.
fn read(client: &Client, request: impl Into<Request>) -> http::Request<()> {
    let (client, uri) = client.prepare(request).expect("nothing wrong with it");
    let handshake = client.handshake(&uri);
    let mut server = ServerHandshake::new(HeadLimits::default());
    let (_, request) = server.handle_input(handshake.request_bytes()).expect("a head");
    request.expect("a whole one")
}

fn mistake(request: impl Into<Request>) -> Error {
    Client::default().prepare(request).expect_err("a mistake")
}

fn values<'a>(request: &'a http::Request<()>, name: &str) -> Vec<&'a str> {
    request.headers().get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
}

#[test]
fn whatever_names_a_place_will_do() {
    const URI: &str = "ws://example.org:8080/chat?room=1";
    let client = Client::default();
    let ws: WsUri = URI.parse().expect("a URI");
    let owned = URI.to_owned();
    let http: Uri = URI.parse().expect("a URI");
    let whole = http::Request::get(URI).body(()).expect("a request");
    for request in [
        read(&client, URI),
        read(&client, &owned),
        read(&client, owned),
        read(&client, &ws),
        read(&client, ws.clone()),
        read(&client, &http),
        read(&client, http.clone()),
        read(&client, whole),
    ] {
        assert_eq!(request.uri(), "/chat?room=1");
        assert_eq!(values(&request, "Host"), ["example.org:8080"]);
    }
}

#[test]
fn a_connection_asks_for_more_than_its_client() {
    let client = Client::builder()
        .header("User-Agent", "example/1.0")
        .header("Authorization", "Bearer 1")
        .header("X-Tag", "of the client")
        .origin("http://example.org")
        .subprotocol("chat.v1")
        .build()
        .expect("nothing wrong with it");
    let request = Request::from("ws://example.org/")
        .header("Authorization", "Bearer 2")
        .header("X-Tag", "one")
        .header("x-tag", "two")
        .origin("http://other.example")
        .subprotocol("chat.v3")
        .subprotocol("chat.v2");
    let asked = read(&client, request);
    assert_eq!(values(&asked, "User-Agent"), ["example/1.0"]);
    assert_eq!(values(&asked, "Authorization"), ["Bearer 2"]);
    assert_eq!(values(&asked, "X-Tag"), ["one", "two"]);
    assert_eq!(values(&asked, "Origin"), ["http://other.example"]);
    assert_eq!(values(&asked, "Sec-WebSocket-Protocol"), ["chat.v3, chat.v2"]);

    // The client is as it was.
    let asked = read(&client, "ws://example.org/");
    assert_eq!(values(&asked, "Authorization"), ["Bearer 1"]);
    assert_eq!(values(&asked, "X-Tag"), ["of the client"]);
    assert_eq!(values(&asked, "Origin"), ["http://example.org"]);
    assert_eq!(values(&asked, "Sec-WebSocket-Protocol"), ["chat.v1"]);
}

#[test]
fn a_request_of_the_http_crate_brings_its_fields() {
    let request = http::Request::get("ws://example.org/chat")
        .header("Cookie", "session=1")
        .header("Sec-WebSocket-Protocol", "chat.v2, chat.v1")
        .header("Origin", "http://example.org")
        .body(())
        .expect("a request");
    let asked = read(&Client::default(), request);
    assert_eq!(values(&asked, "Cookie"), ["session=1"]);
    assert_eq!(values(&asked, "Origin"), ["http://example.org"]);
    assert_eq!(values(&asked, "Sec-WebSocket-Protocol"), ["chat.v2, chat.v1"]);
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_is() {
    let uri = |error: Error| matches!(error, Error::Uri(UriError::HttpScheme));
    assert!(uri(mistake("http://example.org/")));
    assert!(uri(mistake("http://example.org/".parse::<Uri>().expect("a URI"))));
    assert!(matches!(mistake("/chat".parse::<Uri>().expect("a path")), Error::Uri(_)));

    let field = |request: Request| match mistake(request) {
        Error::Field(error) => error,
        error => panic!("{error}"),
    };
    let here = || Request::from("ws://example.org/");
    assert_eq!(field(here().header("Host", "elsewhere")), FieldError::Reserved);
    assert_eq!(field(here().header("Sec-WebSocket-Key", "mine")), FieldError::Reserved);
    assert_eq!(field(here().header("a name", "x")), FieldError::InvalidName);
    assert_eq!(field(here().header("X-A", "x\r\nX-B: y")), FieldError::InvalidValue);
    assert_eq!(field(here().origin("x\n")), FieldError::InvalidValue);
    assert_eq!(field(here().subprotocol("a,b")), FieldError::NotAToken);
    let twice = here().subprotocol("a").subprotocol("a").header("a name", "x");
    assert_eq!(field(twice), FieldError::DuplicateSubprotocol);

    let post = http::Request::post("ws://example.org/").body(()).expect("a request");
    assert_eq!(field(post.into()), FieldError::NotGet);
    let owned = http::Request::get("ws://example.org/").header("Upgrade", "websocket").body(());
    assert_eq!(field(owned.expect("a request").into()), FieldError::Reserved);
}
