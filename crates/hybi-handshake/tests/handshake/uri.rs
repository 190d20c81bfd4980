//! `ws` and `wss` URIs (RFC 6455 §3).

use hybi_handshake::{
    ClientHandshake, ClientRequest, HeadLimits, ServerHandshake, UriError, WsUri,
};

#[test]
fn uris_come_apart_into_host_port_and_resource() {
    for (text, secure, host, port, resource, host_header) in [
        ("ws://example.org", false, "example.org", 80, "/", "example.org"),
        ("wss://example.org", true, "example.org", 443, "/", "example.org"),
        ("WSS://EXAMPLE.org/Chat", true, "example.org", 443, "/Chat", "example.org"),
        ("ws://example.org:80/", false, "example.org", 80, "/", "example.org"),
        ("ws://example.org:443/", false, "example.org", 443, "/", "example.org:443"),
        (
            "wss://example.org:8443/a/b?c=d&e",
            true,
            "example.org",
            8443,
            "/a/b?c=d&e",
            "example.org:8443",
        ),
        ("ws://example.org?q", false, "example.org", 80, "/?q", "example.org"),
        ("ws://example.org:/x", false, "example.org", 80, "/x", "example.org"),
        ("ws://127.0.0.1:9001/", false, "127.0.0.1", 9001, "/", "127.0.0.1:9001"),
        ("ws://[::1]:9001/", false, "::1", 9001, "/", "[::1]:9001"),
        ("wss://[2001:DB8::1]", true, "2001:db8::1", 443, "/", "[2001:db8::1]"),
        (
            "ws://xn--bcher-kva.example/",
            false,
            "xn--bcher-kva.example",
            80,
            "/",
            "xn--bcher-kva.example",
        ),
        ("ws://a/%23?u=http://b/@c:1", false, "a", 80, "/%23?u=http://b/@c:1", "a"),
        ("ws://user:pass@example.org/", false, "example.org", 80, "/", "example.org"),
    ] {
        let uri: WsUri = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (uri.is_secure(), uri.host(), uri.port(), uri.resource(), &*uri.host_header()),
            (secure, host, port, resource, host_header),
            "{text}"
        );
        assert_eq!(uri.to_string().parse::<WsUri>().unwrap().to_string(), uri.to_string());
    }
}

#[test]
fn what_a_uri_may_hold_a_server_reads() {
    for byte in 0..0x80_u8 {
        for resource in [format!("/{}", char::from(byte)), format!("/?{}", char::from(byte))] {
            let Ok(uri) = format!("ws://a{resource}").parse() else { continue };
            let request = ClientRequest::new(uri);
            let client =
                ClientHandshake::new(&request, *b"the sample nonce", HeadLimits::default());
            let mut server = ServerHandshake::new(HeadLimits::default());
            let read = server.handle_input(client.request_bytes());
            let request = read.ok().and_then(|(_, request)| request);
            let target = request.and_then(|request| request.uri().path_and_query().cloned());
            assert_eq!(target.as_ref().map(|target| target.as_str()), Some(&*resource));
        }
    }
    let in_path = "ws://a/`".parse::<WsUri>();
    assert_eq!(in_path, Err(UriError::Character { offset: 7 }));
    assert_eq!("ws://a/?`".parse::<WsUri>().unwrap().resource(), "/?`");
}

#[test]
fn what_is_no_websocket_uri_is_refused_with_the_reason() {
    for (text, expected) in [
        ("http://example.org/", UriError::HttpScheme),
        ("HTTPS://example.org/", UriError::HttpScheme),
        ("ftp://example.org/", UriError::Scheme),
        ("example.org/chat", UriError::Scheme),
        ("ws:/example.org", UriError::Scheme),
        ("", UriError::Scheme),
        ("ws://example.org/#top", UriError::Fragment),
        ("ws://example.org#", UriError::Fragment),
        ("ws://", UriError::Host),
        ("ws:///chat", UriError::Host),
        ("ws://:80/", UriError::Host),
        ("ws://exa mple.org/", UriError::Host),
        ("ws://b\u{fc}cher.example/", UriError::Host),
        ("ws://[::1/", UriError::Host),
        ("ws://[::1]x/", UriError::Host),
        ("ws://[example.org]/", UriError::Host),
        ("ws://good.example\\@evil.example/", UriError::UserInfo),
        ("ws://evil.example\r\nX: y/", UriError::Host),
        ("ws://example.org:0/", UriError::Port),
        ("ws://example.org:65536/", UriError::Port),
        ("ws://example.org:+80/", UriError::Port),
        ("ws://example.org:80:80/", UriError::Port),
        ("ws://us%er@example.org/", UriError::UserInfo),
        ("ws://us%3@example.org/", UriError::UserInfo),
        ("ws://example.org/a b", UriError::Character { offset: 18 }),
        ("ws://example.org/\u{e9}", UriError::Character { offset: 17 }),
        ("ws://example.org/a\r\nX: y", UriError::Character { offset: 18 }),
        ("ws://example.org/\0", UriError::Character { offset: 17 }),
    ] {
        assert_eq!(text.parse::<WsUri>(), Err(expected), "{text:?}");
    }
}

#[test]
fn a_unix_socket_has_a_path_and_behind_it_a_resource() {
    for (text, path, resource, printed) in [
        ("ws+unix:/run/a.socket:/chat?x=1:2", "/run/a.socket", "/chat?x=1:2", ""),
        ("WS+Unix:/run/a.socket", "/run/a.socket", "/", "ws+unix:/run/a.socket:/"),
        ("ws+unix:///run/a.socket:/", "/run/a.socket", "/", "ws+unix:/run/a.socket:/"),
        ("ws+unix:./a b\u{fc}%20#?.socket:/x", "./a b\u{fc}%20#?.socket", "/x", ""),
        ("ws+unix:a:/", "a", "/", ""),
    ] {
        let uri: WsUri = text.parse().expect("a URI");
        assert_eq!((uri.unix_socket(), uri.resource()), (Some(path), resource), "{text}");
        assert_eq!((uri.host(), uri.port(), uri.is_secure()), ("localhost", 80, false));
        assert_eq!(uri.host_header(), "localhost");
        let printed = if printed.is_empty() { text } else { printed };
        assert_eq!(uri.to_string(), printed);
        assert_eq!(printed.parse(), Ok(uri));
    }
    for (text, expected) in [
        ("ws+unix:", UriError::UnixSocket),
        ("ws+unix::/", UriError::UnixSocket),
        ("ws+unix:/a:", UriError::UnixSocket),
        ("ws+unix:/a:b", UriError::UnixSocket),
        ("ws+unix://host/a:/", UriError::UnixSocket),
        ("ws+unix://a", UriError::UnixSocket),
        ("ws+unix:////a:/", UriError::UnixSocket),
        ("ws+unix:/a\0b:/", UriError::UnixSocket),
        ("ws+unix:/a\nb:/", UriError::UnixSocket),
        ("ws+unix:/a:/#x", UriError::Fragment),
        ("ws+unix:/a:/b c", UriError::Character { offset: 13 }),
        ("ws+unix:///a:/b c", UriError::Character { offset: 15 }),
        ("wss+unix:/a:/", UriError::Scheme),
    ] {
        assert_eq!(text.parse::<WsUri>(), Err(expected), "{text:?}");
    }
}

#[test]
fn user_info_becomes_basic_credentials_and_is_never_printed() {
    for (text, expected) in [
        ("ws://Aladdin:open%20sesame@example.org/", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("ws://user@example.org/", "Basic dXNlcjo="),
        ("ws://user:a%3Ab%40c@example.org/", "Basic dXNlcjphOmJAYw=="),
    ] {
        let uri: WsUri = text.parse().unwrap();
        let value = uri.basic_authorization().expect("credentials");
        assert_eq!(value.to_str().unwrap(), expected);
        assert!(value.is_sensitive());
        for shown in [uri.to_string(), format!("{uri:?}")] {
            assert!(!shown.contains("user") && !shown.contains("Aladdin"), "{shown}");
        }
    }
    assert_eq!("ws://example.org".parse::<WsUri>().unwrap().basic_authorization(), None);
}

#[test]
fn an_http_type_converts() {
    let uri = http::Uri::from_static("wss://example.org/chat?x=1");
    assert_eq!(WsUri::try_from(&uri).unwrap().to_string(), "wss://example.org/chat?x=1");
    let uri = http::Uri::from_static("/chat");
    assert_eq!(WsUri::try_from(&uri), Err(UriError::Scheme));
}
