//! Client to server and back, for each version (RFC 6455 §1.3).

use hybi_handshake::{
    ClientHandshake, ClientRequest, ExtensionOffer, FieldError, HeadLimits, ServerAccepted,
    ServerHandshake, ServerPolicy, Version, write_response,
};
use proptest::prelude::*;

use crate::support::{VERSIONS, receive};

fn server_side(policy: &ServerPolicy, bytes: &[u8]) -> ServerAccepted {
    let mut server = ServerHandshake::new(HeadLimits::default());
    let (consumed, request) = server.handle_input(bytes).unwrap();
    assert_eq!(consumed, bytes.len());
    policy.check(&request.expect("complete")).unwrap()
}

#[test]
fn each_version_opens_with_origin_subprotocol_and_extension() {
    let offer = ExtensionOffer::new("foo").unwrap();
    for version in VERSIONS.into_iter().chain([5, 6].map(Version::new)) {
        let request = ClientRequest::new("ws://example.org:8080/chat".parse().unwrap())
            .version(version)
            .origin("http://example.org:8080")
            .unwrap()
            .subprotocol("b")
            .unwrap()
            .subprotocol("a")
            .unwrap()
            .extension(offer.clone().with_param("x", None).unwrap())
            .extension(offer.clone());
        let mut client = ClientHandshake::new(&request, [7; 16], HeadLimits::default());
        let policy = ServerPolicy::new().with_versions([version]).with_subprotocols(["a", "b"]);
        let accepted = server_side(&policy, client.request_bytes());
        assert_eq!(accepted.version, version);
        assert_eq!(accepted.subprotocols, ["b", "a"]);
        assert_eq!(accepted.offers.len(), 2);
        let accepted = accepted
            .with_extensions([offer.clone()])
            .with_header("Set-Cookie", "a=b")
            .unwrap()
            .with_header("Set-Cookie", "c=d")
            .unwrap();
        assert_eq!(accepted.extensions(), core::slice::from_ref(&offer));
        let mut answer = Vec::new();
        write_response(&accepted.response(), b"", &mut answer);
        let accepted = receive(&mut client, [&*answer]).unwrap();
        assert_eq!(accepted.version, version);
        assert_eq!(accepted.subprotocol.as_deref(), Some("a"));
        assert_eq!(accepted.extensions, core::slice::from_ref(&offer));
        let cookies: Vec<_> = accepted.response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=b", "c=d"]);
    }
}

#[test]
fn an_application_chooses_the_subprotocol_among_the_offers() {
    let request =
        ClientRequest::new("ws://example.org/".parse().unwrap()).subprotocol("a").unwrap();
    let client = ClientHandshake::new(&request, [7; 16], HeadLimits::default());
    let accepted = server_side(&ServerPolicy::new(), client.request_bytes());
    assert_eq!(accepted.subprotocol, None);
    let refused = accepted.clone().with_subprotocol(Some("b")).unwrap_err();
    assert_eq!(refused, FieldError::SubprotocolNotOffered);
    let response = accepted.clone().with_subprotocol(Some("a")).unwrap().response();
    assert_eq!(response.headers()["sec-websocket-protocol"], "a");
    let none = accepted.with_subprotocol(Some("a")).unwrap().with_subprotocol(None).unwrap();
    assert!(!none.response().headers().contains_key("sec-websocket-protocol"));
}

#[test]
fn an_application_cannot_overwrite_the_fields_of_the_handshake() {
    let request = ClientRequest::new("ws://example.org/".parse().unwrap());
    let client = ClientHandshake::new(&request, [7; 16], HeadLimits::default());
    let accepted = server_side(&ServerPolicy::new(), client.request_bytes());
    for name in ["Sec-WebSocket-Accept", "Upgrade", "Connection", "Content-Length"] {
        let refused = accepted.clone().with_header(name, "x").unwrap_err();
        assert_eq!(refused, FieldError::Reserved, "{name}");
    }
}

#[test]
fn the_response_is_spelt_as_in_the_rfc() {
    let request = ClientRequest::new("ws://example.org/".parse().unwrap());
    let client = ClientHandshake::new(&request, *b"the sample nonce", HeadLimits::default());
    let accepted = server_side(&ServerPolicy::new(), client.request_bytes());
    let mut answer = Vec::new();
    write_response(&accepted.response(), b"ignored", &mut answer);
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
    assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert!(answer.ends_with("\r\n\r\n"), "no body, no length: {answer}");
    assert!(!answer.contains("Content-Length"));
}

proptest! {
    #[test]
    fn any_nonce_is_answered(nonce in any::<[u8; 16]>(), cut in 0..100usize) {
        let request = ClientRequest::new("wss://example.org/".parse().unwrap());
        let mut client = ClientHandshake::new(&request, nonce, HeadLimits::default());
        let accepted = server_side(&ServerPolicy::new(), client.request_bytes());
        let mut answer = Vec::new();
        write_response(&accepted.response(), b"", &mut answer);
        prop_assert!(receive(&mut client, [&answer[..cut], &answer[cut..]]).is_ok());
    }
}
