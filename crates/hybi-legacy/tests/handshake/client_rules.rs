//! What a client sends in each version before hybi-07, and what it makes of the answer.

use hybi_handshake::{ClientRequest, HandshakeError, HeadLimits, Version};
use hybi_legacy::ClientHandshake;

use crate::support::{
    HIXIE, REQUEST_75, REQUEST_76, RESPONSE_75, RESPONSE_76, Seen, WITH_TWO_KEYS, client,
    generator, policy, receive, serve, with_line,
};

const RESPONSE_04: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Nonce: H+cNj5elaybfGIQv1esl2w==\r\n\
    \r\n";

fn handshake(request: &ClientRequest, draft: Option<u8>) -> ClientHandshake {
    let mut request = request.clone();
    if let Some(draft) = draft {
        request = request.version_header(&draft.to_string()).expect("a value");
    }
    ClientHandshake::new(&request, &mut generator(5), HeadLimits::default())
        .expect("an old version")
}

/// The client of one of the examples.
fn example(response: &str) -> ClientHandshake {
    match response {
        RESPONSE_75 => client(&Seen::new(REQUEST_75.as_bytes()), Version::HIXIE_75, false),
        RESPONSE_76 => client(&Seen::new(REQUEST_76.as_bytes()), Version::HIXIE_76, false),
        _ => {
            let uri = "ws://example.com/demo".parse().unwrap();
            let request = ClientRequest::new(uri).version(Version::HYBI_04);
            let mut random = |out: &mut [u8]| out.copy_from_slice(b"the sample nonce");
            ClientHandshake::new(&request, &mut random, HeadLimits::default()).expect("hybi-04")
        }
    }
}

const EXAMPLES: [&str; 3] = [RESPONSE_75, RESPONSE_76, RESPONSE_04];

#[test]
fn the_origin_is_that_of_the_uri_unless_named() {
    for version in HIXIE {
        for (uri, named, expected) in [
            ("ws://Example.com/demo", None, "http://example.com"),
            ("ws://example.com:80/", None, "http://example.com"),
            ("ws://example.com:8080/", None, "http://example.com:8080"),
            ("wss://example.com/", None, "https://example.com"),
            ("wss://example.com:80/", None, "https://example.com:80"),
            ("ws://[::1]:9/", None, "http://[::1]:9"),
            ("ws://example.com/", Some("null"), "null"),
            ("ws://example.com/", Some(""), "http://example.com"),
            ("ws://example.com/", Some("https://Page.example "), "https://page.example"),
        ] {
            let mut request = ClientRequest::new(uri.parse().unwrap()).version(version);
            if let Some(origin) = named {
                request = request.origin(origin).unwrap();
            }
            let sent = handshake(&request, None);
            let sent = Seen::new(sent.request_bytes());
            assert_eq!(sent.field("origin"), Some(expected), "{uri} {named:?} in {version}");
        }
    }
    for version in [Version::HYBI_04, Version::HYBI_05, Version::HYBI_06] {
        let request = ClientRequest::new("ws://example.com/".parse().unwrap()).version(version);
        let sent = handshake(&request, None);
        assert_eq!(Seen::new(sent.request_bytes()).field("sec-websocket-origin"), None);
        let sent = handshake(&request.origin("http://a").unwrap(), None);
        let origin =
            Seen::new(sent.request_bytes()).field("sec-websocket-origin").map(str::to_owned);
        assert_eq!(origin.as_deref(), Some("http://a"));
    }
}

#[test]
fn the_draft_that_a_client_names_can_be_replaced() {
    for (version, given, expected) in [
        (Version::HIXIE_75, None, None),
        (Version::HIXIE_75, Some(2), None),
        (Version::HIXIE_76, None, None),
        (Version::HIXIE_76, Some(0), Some("0")),
        (Version::HIXIE_76, Some(2), Some("2")),
        (Version::HYBI_01, None, Some("1")),
        (Version::HYBI_02, None, Some("2")),
        (Version::HYBI_03, None, Some("2")),
        (Version::HYBI_03, Some(3), Some("3")),
        (Version::HYBI_04, Some(3), None),
        (Version::HYBI_06, None, None),
    ] {
        let request = ClientRequest::new("ws://example.com/".parse().unwrap()).version(version);
        let client = handshake(&request, given);
        let sent = Seen::new(client.request_bytes());
        assert_eq!(sent.field("sec-websocket-draft"), expected, "{version}, {given:?}");
        let number = given.or_else(|| version.number()).filter(|_| version.is_in_field());
        let number = number.map(|number| number.to_string());
        assert_eq!(sent.field("sec-websocket-version"), number.as_deref(), "{version}, {given:?}");
    }
}

#[test]
fn fields_of_the_application_are_sent_and_never_printed() {
    for version in Version::ALL.into_iter().filter(|version| *version < Version::HYBI_07) {
        let request = ClientRequest::new("ws://user:secret@example.com/".parse().unwrap())
            .version(version)
            .header("Cookie", "a=secret")
            .unwrap()
            .header("Cookie", "b=secret")
            .unwrap();
        let client = handshake(&request, None);
        let sent = Seen::new(client.request_bytes());
        let cookies: Vec<_> = sent.fields.iter().filter(|field| field.0 == "cookie").collect();
        assert_eq!(
            cookies.iter().map(|field| &*field.1).collect::<Vec<_>>(),
            ["a=secret", "b=secret"]
        );
        assert_eq!(sent.field("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
        let text = client.request_bytes().escape_ascii().to_string();
        assert!(text.find("a=secret") < text.find("b=secret"), "in the order given");
        assert!(!format!("{client:?}").contains("secret"));
    }
}

#[test]
fn every_rule_for_responses_has_its_error() {
    let twice = |line: &str| format!("{line}\r\n{line}");
    let first_lines = "the response does not begin with the three lines of the draft";
    for (response, start, line, error) in [
        (
            RESPONSE_75,
            "HTTP",
            "HTTP/1.0 101 Web Socket Protocol Handshake",
            "a 101 is a response of HTTP/1.1",
        ),
        (
            RESPONSE_76,
            "HTTP",
            "HTTP/1.0 101 WebSocket Protocol Handshake",
            "a 101 is a response of HTTP/1.1",
        ),
        (RESPONSE_75, "HTTP", "HTTP/1.1 101 WebSocket Protocol Handshake", first_lines),
        (RESPONSE_75, "HTTP", "HTTP/1.1 101 Web Socket Protocol Handshake ", first_lines),
        (RESPONSE_75, "Upgrade", "upgrade: WebSocket", first_lines),
        (RESPONSE_75, "Upgrade", "Upgrade: websocket", first_lines),
        (RESPONSE_75, "Upgrade", "Upgrade:  WebSocket", first_lines),
        (RESPONSE_75, "Connection", "Connection: upgrade", first_lines),
        (RESPONSE_75, "Connection", "", first_lines),
        (
            RESPONSE_75,
            "HTTP",
            "HTTP/1.1 101 Web Socket Protocol Handshake\r\nServer: a",
            first_lines,
        ),
        (RESPONSE_75, "WebSocket-O", "", "WebSocket-Origin does not repeat the origin"),
        (
            RESPONSE_75,
            "WebSocket-O",
            "WebSocket-Origin: http://EXAMPLE.com",
            "WebSocket-Origin does not repeat the origin",
        ),
        (
            RESPONSE_75,
            "WebSocket-O",
            &twice("WebSocket-Origin: http://example.com"),
            "WebSocket-Origin occurs more than once",
        ),
        (RESPONSE_75, "WebSocket-L", "", "WebSocket-Location does not repeat the URI"),
        (
            RESPONSE_75,
            "WebSocket-L",
            "WebSocket-Location: wss://example.com/demo",
            "WebSocket-Location does not repeat the URI",
        ),
        (
            RESPONSE_75,
            "WebSocket-L",
            "WebSocket-Location: ws://example.com:80/demo",
            "WebSocket-Location does not repeat the URI",
        ),
        (
            RESPONSE_75,
            "WebSocket-O",
            "WebSocket-Origin: http://example.com\r\nWebSocket-Protocol: a",
            "the server chose a subprotocol that was not offered",
        ),
        (RESPONSE_76, "Upgrade", "", "Upgrade in the response is not websocket"),
        (
            RESPONSE_76,
            "Upgrade",
            "Upgrade: WebSocket, h2c",
            "Upgrade in the response is not websocket",
        ),
        (RESPONSE_76, "Upgrade", &twice("Upgrade: WebSocket"), "Upgrade occurs more than once"),
        (RESPONSE_76, "Connection", "", "Connection in the response is not Upgrade"),
        (
            RESPONSE_76,
            "Connection",
            "Connection: keep-alive, Upgrade",
            "Connection in the response is not Upgrade",
        ),
        (
            RESPONSE_76,
            "Connection",
            &twice("Connection: Upgrade"),
            "Connection occurs more than once",
        ),
        (RESPONSE_76, "Sec-WebSocket-O", "", "Sec-WebSocket-Origin does not repeat the origin"),
        (
            RESPONSE_76,
            "Sec-WebSocket-O",
            &twice("Sec-WebSocket-Origin: http://example.com"),
            "Sec-WebSocket-Origin occurs more than once",
        ),
        (RESPONSE_76, "Sec-WebSocket-L", "", "Sec-WebSocket-Location does not repeat the URI"),
        (
            RESPONSE_76,
            "Sec-WebSocket-L",
            &twice("Sec-WebSocket-Location: ws://example.com/demo"),
            "Sec-WebSocket-Location occurs more than once",
        ),
        (
            RESPONSE_76,
            "Upgrade",
            "Upgrade: WebSocket\r\nSec-WebSocket-Protocol: a",
            "the server chose a subprotocol that was not offered",
        ),
        (RESPONSE_04, "Sec-WebSocket-N", "", "Sec-WebSocket-Nonce is missing"),
        (
            RESPONSE_04,
            "Sec-WebSocket-N",
            "Sec-WebSocket-Nonce:",
            "Sec-WebSocket-Nonce is not base64 of 16 bytes",
        ),
        (
            RESPONSE_04,
            "Sec-WebSocket-N",
            "Sec-WebSocket-Nonce: H+cNj5elaybfGIQv1esl",
            "Sec-WebSocket-Nonce is not base64 of 16 bytes",
        ),
        (
            RESPONSE_04,
            "Sec-WebSocket-N",
            "Sec-WebSocket-Nonce: H+cNj5elaybfGIQv1esl2w",
            "Sec-WebSocket-Nonce is not base64 of 16 bytes",
        ),
        (
            RESPONSE_04,
            "Sec-WebSocket-N",
            "Sec-WebSocket-Nonce: H-cNj5elaybfGIQv1esl2w==",
            "Sec-WebSocket-Nonce is not base64 of 16 bytes",
        ),
        (
            RESPONSE_04,
            "Sec-WebSocket-N",
            &twice("Sec-WebSocket-Nonce: H+cNj5elaybfGIQv1esl2w=="),
            "Sec-WebSocket-Nonce occurs more than once",
        ),
        (
            RESPONSE_04,
            "Sec-WebSocket-A",
            "Sec-WebSocket-Accept: x",
            "Sec-WebSocket-Accept does not answer the key",
        ),
    ] {
        let mut client = example(response);
        let broken = with_line(response, start, line);
        let result = receive(&mut client, [broken.as_bytes()]);
        let failed = result.unwrap_err();
        assert_eq!(failed.to_string(), error, "{line}");
        if response != RESPONSE_04 {
            // No rule of a later document, and none for clients.
            assert!(!failed.section().starts_with("RFC 6455 §4"), "{error}: {}", failed.section());
            let of_client = matches!(failed, HandshakeError::Draft(rule) if rule.by_client);
            assert!(!of_client, "{error}");
        }
        // And again, whatever comes.
        assert_eq!(client.handle_input(response.as_bytes()).unwrap_err().to_string(), error);
        assert_eq!(client.handle_eof().to_string(), error);
    }
}

#[test]
fn what_servers_do_is_borne() {
    for (response, start, line) in [
        (RESPONSE_75, "WebSocket-O", "websocket-origin:http://example.com\r\nServer: old"),
        (
            RESPONSE_75,
            "WebSocket-L",
            "WebSocket-Location:   ws://example.com/demo\r\nWebSocket-Protocol:",
        ),
        (RESPONSE_76, "HTTP", "HTTP/1.1 101 Anything"),
        (RESPONSE_76, "HTTP", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Anything"),
        (RESPONSE_76, "Upgrade", "UPGRADE:websocket"),
        (RESPONSE_76, "Connection", "connection: UPGRADE\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d"),
        (RESPONSE_76, "Upgrade", "Upgrade: WebSocket\r\nSec-WebSocket-Protocol:"),
        (RESPONSE_04, "Connection", "Connection: keep-alive, Upgrade"),
        // Loose bits at the end are the server's to choose: the text counts.
        (RESPONSE_04, "Sec-WebSocket-N", "Sec-WebSocket-Nonce: H+cNj5elaybfGIQv1esl2x=="),
    ] {
        let changed = with_line(response, start, line);
        let result = receive(&mut example(response), [changed.as_bytes()]);
        assert!(result.is_ok(), "{line}: {result:?}");
    }
}

/// It knows nothing of the socket, nor of the scheme that names it.
#[test]
fn a_server_behind_a_unix_socket_repeats_where_it_believes_to_be() {
    let uri = "ws+unix:/run/demo.socket:/demo".parse().unwrap();
    let request = ClientRequest::new(uri).version(Version::HIXIE_75);
    let response = RESPONSE_75.replace("example.com", "localhost");
    let result = receive(&mut handshake(&request, None), [response.as_bytes()]);
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn every_byte_of_the_answer_counts() {
    let head = RESPONSE_76.len() - 16;
    for at in 0..16 {
        let mut response = RESPONSE_76.as_bytes().to_vec();
        response[head + at] ^= 0x20;
        let error = receive(&mut example(RESPONSE_76), response.chunks(1)).unwrap_err();
        assert!(matches!(error, HandshakeError::Draft(rule) if rule.rule.contains("sixteen")));
        assert_eq!(error.status(), None, "a server broke it");
    }
}

#[test]
fn a_client_takes_what_it_asked_for_and_nothing_else() {
    let asked = |version, names: &[&str], answered: Option<&str>| {
        let mut request = ClientRequest::new("ws://example.com/".parse().unwrap()).version(version);
        for name in names {
            request = request.subprotocol(name).unwrap();
        }
        let mut client = handshake(&request, None);
        // A server that knows none, so that the field can be put in by hand.
        let sent = client.request_bytes().to_vec();
        let answer = serve(&policy([version]), [&*sent]).unwrap().0;
        let field = if version == Version::HIXIE_75 { "" } else { "Sec-" };
        let line = format!("Connection: Upgrade\r\n{field}WebSocket-Protocol: ");
        let at = answer.windows(21).position(|line| line == b"Connection: Upgrade\r\n").unwrap();
        let mut changed = answer.clone();
        if let Some(answered) = answered {
            changed.splice(at..at + 19, format!("{line}{answered}").into_bytes());
        }
        let result = receive(&mut client, [&*changed]);
        result.map(|(accepted, ..)| accepted.subprotocol).map_err(|error| error.to_string())
    };
    let chosen = |name: &str| Ok(Some(name.to_owned()));
    let other = Err("the server chose a subprotocol that was not offered".to_owned());
    for version in WITH_TWO_KEYS {
        let none = Err("the server accepted none of the subprotocols".to_owned());
        assert_eq!(asked(version, &[], None), Ok(None));
        assert_eq!(asked(version, &["a"], Some("a")), chosen("a"));
        assert_eq!(asked(version, &["a", "b"], Some("b")), chosen("b"));
        assert_eq!(asked(version, &["a", "b"], Some("a b")), chosen("a b"));
        assert_eq!(asked(version, &["a", "b"], Some("b a")), other);
        assert_eq!(asked(version, &["a"], Some("A")), other);
        assert_eq!(asked(version, &["a"], None), none);
        assert_eq!(asked(version, &["a"], Some("")), none);
        assert_eq!(asked(version, &[], Some("a")), other);
    }
    let none = Err("the server did not accept the subprotocol".to_owned());
    assert_eq!(asked(Version::HIXIE_75, &["a"], Some("a")), chosen("a"));
    assert_eq!(asked(Version::HIXIE_75, &["a"], None), none);
    assert_eq!(
        asked(Version::HIXIE_75, &["a", "b"], Some("b")),
        other,
        "only the first was asked for"
    );
    assert_eq!(asked(Version::HIXIE_75, &[], Some("a")), other);
}

#[test]
fn a_rejection_is_told_with_its_body_in_every_version() {
    let rejection = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\
        Sec-WebSocket-Version: 13\r\nContent-Length: 4\r\n\r\nwho?";
    for response in EXAMPLES {
        for step in [1, rejection.len()] {
            let error = receive(&mut example(response), rejection.chunks(step)).unwrap_err();
            assert_eq!(error.versions_offered(), [Version::RFC6455]);
            let HandshakeError::Rejected(response) = error else { panic!("{error}") };
            assert_eq!((response.status().as_u16(), &**response.body()), (401, &b"who?"[..]));
        }
        let mut client = example(response);
        assert!(client.give_up().is_none(), "nothing has come");
        let (head, body) = rejection.split_at(rejection.len() - 4);
        assert!(client.handle_input(&head[..head.len() - 1]).unwrap().1.is_none());
        assert!(!client.is_rejection(), "a byte of the head is missing");
        assert!(client.handle_input(&[&head[head.len() - 1..], &body[..2]].concat()).is_ok());
        assert!(client.is_rejection());
        let error = client.give_up().expect("the head has come");
        assert!(error.body_truncated());
        assert!(matches!(error, HandshakeError::Rejected(_)), "{error}");
        assert!(matches!(client.handle_eof(), HandshakeError::Rejected(_)));
    }
}

/// Requests may hold credentials.
#[test]
fn a_handshake_shows_where_it_stands_and_nothing_of_the_request() {
    for response in EXAMPLES {
        let mut client = example(response);
        let shown = |client: &_, state: &str| {
            let shown = format!("{client:?}");
            assert!(shown.starts_with("ClientHandshake") && shown.contains(state), "{shown}");
            assert!(!shown.contains("GET"), "{shown}");
        };
        shown(&client, "waiting");
        let _ = client.handle_input(response.as_bytes()).expect("accepted");
        shown(&client, "accepted");
        let mut client = example(response);
        client.handle_eof();
        shown(&client, "failed");
    }
}

#[test]
fn the_end_of_the_transport_is_no_answer() {
    for response in EXAMPLES {
        for end in 0..response.len() {
            let mut client = example(response);
            let error = receive(&mut client, [&response.as_bytes()[..end]]).unwrap_err();
            assert!(matches!(error, HandshakeError::UnexpectedEof { .. }), "{end}: {error}");
            assert!(client.handle_input(response.as_bytes()).is_err(), "it stays so");
        }
    }
}

#[test]
fn nothing_is_taken_behind_the_handshake() {
    for response in EXAMPLES {
        let mut client = example(response);
        assert!(client.handle_input(response.as_bytes()).unwrap().1.is_some());
        assert_eq!(client.handle_input(b"\x00frame\xff").unwrap().0, 0);
    }
}

#[test]
fn heads_are_bounded_in_every_version() {
    for version in Version::ALL.into_iter().filter(|version| *version < Version::HYBI_07) {
        let request = ClientRequest::new("ws://example.com/".parse().unwrap()).version(version);
        let limits = HeadLimits::default().with_max_bytes(1000).with_max_fields(10);
        let client =
            || ClientHandshake::new(&request, &mut generator(1), limits).expect("an old version");
        let long = format!("HTTP/1.1 101 {}", "x".repeat(1000));
        let error = client().handle_input(long.as_bytes()).unwrap_err();
        assert!(matches!(error, HandshakeError::HeadTooLarge { limit: 1000 }), "{error}");
        let many = format!("HTTP/1.1 101 x\r\n{}", "a: b\r\n".repeat(11));
        let error = client().handle_input(many.as_bytes()).unwrap_err();
        assert!(matches!(error, HandshakeError::TooManyFields { limit: 10 }), "{error}");
    }
}
