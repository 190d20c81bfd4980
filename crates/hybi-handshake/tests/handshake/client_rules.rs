//! Each rule that a server's 101 can break, and what the client makes of it (RFC 6455 §4.1).

use hybi_handshake::{
    ClientAccepted, ClientHandshake, ClientRequest, ExtensionOffer, FieldError, HandshakeError,
    HeadLimits, Version,
};

use crate::support::{NONCE, RESPONSE, Seen, receive, with_line};

fn request() -> ClientRequest {
    ClientRequest::new("ws://example.org/chat".parse().unwrap())
}

fn answer(request: &ClientRequest, response: &str) -> Result<ClientAccepted, HandshakeError> {
    let mut client = ClientHandshake::new(request, NONCE, HeadLimits::default());
    receive(&mut client, [response.as_bytes()])
}

/// Asserts that a client fails the handshake, and of which rule.
macro_rules! fails {
    ($response:expr, $error:pat, $section:expr) => {{
        let error = answer(&request(), &$response).unwrap_err();
        assert!(matches!(error, $error), "{error:?}");
        assert_eq!(error.section(), $section);
        assert_eq!(error.status(), None, "no server ever sends this");
    }};
}

#[test]
fn a_response_that_breaks_no_rule_is_accepted() {
    let accepted = answer(&request(), RESPONSE).unwrap();
    assert_eq!(accepted.version, Version::RFC6455);
    assert_eq!((accepted.subprotocol, accepted.extensions), (None, vec![]));
    assert_eq!(accepted.response.headers().len(), 3);
}

#[test]
fn response_item_1_another_status_is_handed_over() {
    let response =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno";
    let error = answer(&request(), response).unwrap_err();
    assert_eq!(error.section(), "RFC 6455 §4.1 response item 1");
    let HandshakeError::Rejected(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Basic");
    assert_eq!(response.body(), b"no");
}

#[test]
fn response_item_2_upgrade_is_websocket() {
    for line in ["", "Upgrade: h2c", "Upgrade: websocket, h2c", "Upgrade:"] {
        let response = with_line(RESPONSE, "Upgrade", line);
        fails!(response, HandshakeError::ResponseUpgrade, "RFC 6455 §4.1 response item 2");
    }
}

#[test]
fn response_item_3_connection_lists_upgrade() {
    for line in ["", "Connection: close", "Connection:"] {
        let response = with_line(RESPONSE, "Connection", line);
        fails!(response, HandshakeError::ResponseConnection, "RFC 6455 §4.1 response item 3");
    }
    let response = with_line(RESPONSE, "Connection", "Connection: keep-alive, upgrade");
    assert!(answer(&request(), &response).is_ok());
}

#[test]
fn response_item_4_accept_is_present() {
    let response = with_line(RESPONSE, "Sec-WebSocket-Accept", "");
    fails!(response, HandshakeError::MissingAccept, "RFC 6455 §4.1 response item 4");
}

#[test]
fn response_item_4_accept_answers_the_key() {
    for value in [
        "",
        "C/0nmHhBztSRGR1CwL6Tf4ZjwpY=",
        "S3PPLMBITXAQ9KYGZZHZRBK+XOO=",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
    ] {
        let line = format!("Sec-WebSocket-Accept: {value}");
        let response = with_line(RESPONSE, "Sec-WebSocket-Accept", &line);
        fails!(response, HandshakeError::AcceptMismatch, "RFC 6455 §4.1 response item 4");
    }
}

#[test]
fn response_item_5_extensions_were_offered() {
    let response =
        with_line(RESPONSE, "Upgrade", "Upgrade: websocket\r\nSec-WebSocket-Extensions: a, b; x=1");
    fails!(response, HandshakeError::ExtensionNotOffered, "RFC 6455 §4.1 response item 5");
    let offer = |name| ExtensionOffer::new(name).unwrap();
    let request = request().extension(offer("b")).extension(offer("a"));
    let accepted = answer(&request, &response).unwrap();
    let names: Vec<_> = accepted.extensions.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a", "b; x=1"], "in the order of the server");
}

#[test]
fn response_item_6_the_subprotocol_was_offered() {
    let response =
        with_line(RESPONSE, "Upgrade", "Upgrade: websocket\r\nSec-WebSocket-Protocol: b");
    fails!(response, HandshakeError::SubprotocolNotOffered, "RFC 6455 §4.1 response item 6");
    let request = request().subprotocol("a").unwrap().subprotocol("b").unwrap();
    assert_eq!(answer(&request, &response).unwrap().subprotocol.as_deref(), Some("b"));
    // Names of subprotocols are compared with regard to case.
    let upper = with_line(&response, "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: B");
    assert!(matches!(answer(&request, &upper), Err(HandshakeError::SubprotocolNotOffered)));
    for value in ["a, b", "a b", ",b", "b,", "a,", ",", "\"b\""] {
        let line = format!("Sec-WebSocket-Protocol: {value}");
        let many = with_line(&response, "Sec-WebSocket-Protocol", &line);
        let error = answer(&request, &many).unwrap_err();
        assert!(matches!(error, HandshakeError::MalformedSubprotocol), "{value}: {error}");
    }
}

#[test]
fn an_empty_list_in_a_response_is_as_none() {
    let request = request().subprotocol("a").unwrap().extension(ExtensionOffer::new("x").unwrap());
    for line in ["Sec-WebSocket-Protocol:", "Sec-WebSocket-Extensions: \t"] {
        let response = with_line(RESPONSE, "Upgrade", &format!("Upgrade: websocket\r\n{line}"));
        let accepted = answer(&request, &response).expect(line);
        assert_eq!((accepted.subprotocol, accepted.extensions), (None, vec![]), "{line}");
    }
}

#[test]
fn a_list_in_a_response_has_at_most_100_names() {
    let answered = |list: &str| {
        let line = format!("Upgrade: websocket\r\nSec-WebSocket-Extensions: {list}");
        let request = request().extension(ExtensionOffer::new("x").unwrap());
        answer(&request, &with_line(RESPONSE, "Upgrade", &line))
    };
    for unit in ["x,", "x;y,", ";y", ","] {
        let names = if unit == "x;y," { 50 } else { 100 };
        let list = |count: usize| format!("x{}", unit.repeat(count)).replace("xx", "x");
        assert!(answered(&list(names - 1)).is_ok(), "{unit}");
        let error = answered(&list(names)).unwrap_err();
        let HandshakeError::TooManyNames { field } = error else { panic!("{unit}: {error}") };
        assert_eq!((field, error.section()), ("Sec-WebSocket-Extensions", "RFC 9110 §5.4"));
    }
    let versions = with_line(RESPONSE, "HTTP", "HTTP/1.1 426 No\r\nContent-Length: 0");
    let list = format!("Upgrade: h\r\nSec-WebSocket-Version: {}", "8,".repeat(5000));
    let error = answer(&request(), &with_line(&versions, "Upgrade", &list)).unwrap_err();
    assert_eq!(error.versions_offered().len(), HeadLimits::MAX_NAMES);
}

#[test]
fn fields_that_may_occur_once_do() {
    for (line, name) in [
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Accept"),
        ("Upgrade: websocket", "Upgrade"),
        ("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol"),
    ] {
        let response = with_line(RESPONSE, "Connection", &format!("Connection: Upgrade\r\n{line}"));
        let error = answer(&request().subprotocol("a").unwrap(), &response).unwrap_err();
        assert!(matches!(error, HandshakeError::DuplicateField { name: found } if found == name));
    }
}

#[test]
fn a_101_of_another_http_is_refused() {
    for version in ["HTTP/1.0", "HTTP/1.2"] {
        let response = RESPONSE.replacen("HTTP/1.1", version, 1);
        fails!(response, HandshakeError::ResponseHttpVersion, "RFC 9110 §15.2");
    }
}

#[test]
fn interim_responses_are_skipped_within_the_limit() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    assert!(answer(&request(), &format!("{interim}{RESPONSE}")).is_ok());
    let error = answer(&request(), &interim.repeat(300)).unwrap_err();
    assert!(matches!(error, HandshakeError::HeadTooLarge { limit: 16_384 }), "{error:?}");
}

#[test]
fn bytes_after_the_head_are_left_for_the_framing() {
    let stream = format!("{RESPONSE}\u{1}\u{5}Hello");
    let mut client = ClientHandshake::new(&request(), NONCE, HeadLimits::default());
    let (consumed, accepted) = client.handle_input(stream.as_bytes()).unwrap();
    assert_eq!((consumed, accepted.is_some()), (RESPONSE.len(), true));
    assert_eq!(client.handle_input(b"more").unwrap().0, 0);
}

#[test]
fn errors_are_sticky() {
    let mut client = ClientHandshake::new(&request(), NONCE, HeadLimits::default());
    let broken = RESPONSE.replacen("s3p", "S3P", 1);
    for chunk in [broken.as_bytes(), RESPONSE.as_bytes(), b""] {
        assert!(matches!(client.handle_input(chunk), Err(HandshakeError::AcceptMismatch)));
    }
    assert!(matches!(client.handle_eof(), HandshakeError::AcceptMismatch));
}

#[test]
fn an_end_inside_the_head_is_told_with_its_place() {
    let mut client = ClientHandshake::new(&request(), NONCE, HeadLimits::default());
    assert!(client.handle_input(&RESPONSE.as_bytes()[..30]).unwrap().1.is_none());
    let error = client.handle_eof();
    assert!(matches!(error, HandshakeError::UnexpectedEof { received: 30 }));
    assert_eq!((error.offset(), error.section()), (Some(30), "RFC 9112 §8"));
    assert!(client.handle_input(RESPONSE.as_bytes()).is_err());
}

#[test]
fn the_request_is_spelt_as_in_the_rfc() {
    let request = ClientRequest::new("ws://user:pw@example.org:8080/chat?x".parse().unwrap())
        .header("x-note", "1")
        .unwrap()
        .header("COOKIE", "a=b")
        .unwrap()
        .header("Cookie", "c=d")
        .unwrap()
        .origin("http://example.org")
        .unwrap()
        .subprotocol("v2")
        .unwrap()
        .subprotocol("v1")
        .unwrap()
        .extension(ExtensionOffer::new("foo").unwrap().with_param("bar", Some("1")).unwrap());
    let client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
    let expected = "GET /chat?x HTTP/1.1\r\n\
        Host: example.org:8080\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Protocol: v2, v1\r\n\
        Sec-WebSocket-Extensions: foo; bar=1\r\n\
        Origin: http://example.org\r\n\
        Authorization: Basic dXNlcjpwdw==\r\n\
        X-Note: 1\r\n\
        Cookie: a=b\r\n\
        Cookie: c=d\r\n\
        \r\n";
    assert_eq!(core::str::from_utf8(client.request_bytes()), Ok(expected));
    for shown in [format!("{request:?}"), format!("{client:?}")] {
        assert!(
            !shown.contains("dXNlcjpwdw") && !shown.contains("a=b") && !shown.contains("pw"),
            "{shown}"
        );
    }
}

#[test]
fn credentials_of_the_application_win_over_those_of_the_uri() {
    let request = ClientRequest::new("ws://user@example.org/".parse().unwrap())
        .header("Authorization", "Bearer t")
        .unwrap();
    let client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
    assert_eq!(Seen::new(client.request_bytes()).field("authorization"), Some("Bearer t"));
}

#[test]
fn fields_of_the_handshake_cannot_be_set() {
    for name in [
        "Host",
        "upgrade",
        "Connection",
        "Sec-WebSocket-Key",
        "sec-websocket-anything",
        "WebSocket-Protocol",
        "websocket-origin",
        "WebSocket-Location",
        "WebSocket-Anything",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        assert_eq!(request().header(name, "x").unwrap_err(), FieldError::Reserved, "{name}");
    }
    for name in ["", "a b", "a:", "a\r\nb", "\u{e9}"] {
        assert_eq!(request().header(name, "x").unwrap_err(), FieldError::InvalidName, "{name:?}");
    }
    for value in ["a\r\nHost: b", "a\nb", "a\rb", "a\0b", "\u{7f}"] {
        assert_eq!(
            request().header("X", value).unwrap_err(),
            FieldError::InvalidValue,
            "{value:?}"
        );
        assert_eq!(request().origin(value).unwrap_err(), FieldError::InvalidValue, "{value:?}");
    }
    for name in ["", "a b", "a,b", "a\r\n"] {
        assert_eq!(request().subprotocol(name).unwrap_err(), FieldError::NotAToken, "{name:?}");
    }
    let twice = request().subprotocol("a").unwrap().subprotocol("a");
    assert_eq!(twice.unwrap_err(), FieldError::DuplicateSubprotocol);
}

#[test]
fn a_handshake_shows_where_it_stands() {
    let mut client = ClientHandshake::new(&request(), NONCE, HeadLimits::default());
    assert!(format!("{client:?}").contains("waiting"));
    assert!(receive(&mut client, [RESPONSE.as_bytes()]).is_ok());
    assert!(format!("{client:?}").contains("accepted"));
    let mut client = ClientHandshake::new(&request(), NONCE, HeadLimits::default());
    client.handle_eof();
    assert!(format!("{client:?}").contains("failed"));
}
