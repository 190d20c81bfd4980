//! The text of an error is whole, and what stands behind it (`source()`) adds to it.

use core::error::Error as StdError;
use std::io;

use hybi::{
    Client, CloseCode, CloseFrame, Config, Connection, Deadline, Error, HandshakeError, Message,
    Negotiated, OpeningError, Role, SendError, Server, Unsupported, Utf8Bytes, Version, WsUri,
    extension::AnswerError, handshake::OriginPattern, http::Request,
};

/// What a TLS library reports through an `io::Error`: an error with another behind it.
#[derive(Debug)]
struct Alert(io::Error);

impl core::fmt::Display for Alert {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the certificate is not to be trusted")
    }
}

impl StdError for Alert {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn alert() -> io::Error {
    io::Error::other(Alert(io::Error::other("it has expired")))
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// A connection that failed of what `input` does wrong.
fn broken(input: &[u8]) -> Error {
    let config = Config::default().max_message(1).max_frame(1);
    let mut server = Connection::new(Role::Server, Negotiated::default(), config.into());
    server.handle_input(&mut input.to_vec());
    server.error().cloned().expect("it fails")
}

fn not_sent(message: impl Into<hybi::Outgoing<'static>>) -> SendError {
    let config = Config::default();
    let mut server = Connection::new(Role::Server, Negotiated::default(), config.into());
    server.handle_transport_error(alert());
    server.queue(message).expect_err("the transport failed")
}

/// Each variant of the errors of all crates that has another error in it, and one of each other type.
fn samples() -> Vec<Box<dyn StdError>> {
    let request = Request::get("/").header("Host", "example.org").body(()).expect("a request");
    let handshake = Server::default().upgrade(&request).expect_err("no upgrade");
    let refusal = b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n";
    let uri: WsUri = "ws://example.org/".parse().expect("a URI");
    let refused = Client::default().handshake(&uri).handle_input(refusal).expect_err("a refusal");
    let address = ([127, 0, 0, 1], 9).into();
    let one =
        || OpeningError::Connect { host: "127.0.0.1:9".into(), attempts: vec![(address, alert())] };
    let two = || OpeningError::Connect {
        host: "localhost:9".into(),
        attempts: vec![(([0; 16], 9).into(), reset()), (address, alert())],
    };
    let errors = [
        one().into(),
        two().into(),
        OpeningError::Resolve { host: "nowhere.example".into(), error: alert() }.into(),
        OpeningError::Tls { peer: "example.org".into(), error: alert() }.into(),
        OpeningError::Handshake(alert()).into(),
        Error::from(alert()),
        Error::from(handshake.clone()),
        refused,
        Error::Lost,
        Error::Timeout(Deadline::Pong),
        Error::Closed,
        Error::Full,
        Error::NotUtf8 { offset: 3 },
        Error::Unfinished,
        Error::NotBytes,
        Error::ControlTooLong { len: 126 },
        Error::Unsupported { what: Unsupported::Binary, version: Version::HIXIE_76 },
        Error::TlsNotCompiledIn { feature: "`rustls`" },
        broken(b"\x81\x01a"),
        broken(b"\x82\x82\0\0\0\0ab"),
        CloseFrame::new(CloseCode::ABNORMAL, "").expect_err("reserved").into(),
        "http://example.org/".parse::<WsUri>().expect_err("no ws URI").into(),
        Client::builder().header("Host", "x").build().expect_err("reserved"),
    ];
    let mut samples: Vec<Box<dyn StdError>> = vec![
        Box::new(one()),
        Box::new(two()),
        Box::new(handshake),
        Box::new(HandshakeError::TimedOut),
        Box::new(not_sent("a")),
        Box::new(not_sent(Message::Close(None))),
        Box::new("http://example.org/".parse::<WsUri>().expect_err("no ws URI")),
        Box::new("a b".parse::<OriginPattern>().expect_err("no origin")),
        #[cfg(feature = "legacy")]
        Box::new("hybi-99".parse::<hybi::legacy::Draft>().expect_err("no draft")),
        Box::new(CloseFrame::new(CloseCode::NORMAL, "r".repeat(124)).expect_err("too long")),
        Box::new(Utf8Bytes::try_from(vec![0xff]).expect_err("no text")),
        Box::new(AnswerError::new("this is no answer", "RFC 7692 section 7.1")),
    ];
    samples.extend(errors.into_iter().map(|error| Box::new(error) as Box<dyn StdError>));
    samples
}

#[test]
fn what_an_error_tells_is_told_once() {
    for error in samples() {
        let mut parts = vec![error.to_string()];
        let mut behind = error.source();
        while let Some(source) = behind {
            parts.push(source.to_string());
            behind = source.source();
        }
        assert!(parts.len() <= 3, "{parts:?}");
        for (index, part) in parts.iter().enumerate() {
            assert!(!part.is_empty() && !part.contains('\n'), "{parts:?}");
            let before = &parts[..index];
            assert!(!before.iter().any(|told| told.contains(part)), "told twice: {parts:?}");
        }
        // Within a part, too: no clause stands in it twice.
        let clauses: Vec<_> = parts[0].split(": ").collect();
        for (index, clause) in clauses.iter().enumerate() {
            assert!(!clauses[..index].contains(clause), "told twice: {parts:?}");
        }
    }
}

#[test]
fn what_the_transport_reported_is_in_the_text_and_its_reason_behind_it() {
    for (error, told) in [
        (Error::from(alert()), "the transport failed"),
        (
            OpeningError::Handshake(alert()).into(),
            "the transport failed during the opening handshake",
        ),
        (
            OpeningError::Tls { peer: "example.org".into(), error: alert() }.into(),
            "TLS with example.org",
        ),
    ] {
        assert_eq!(error.to_string(), format!("{told}: the certificate is not to be trusted"));
        let behind = error.source().map(ToString::to_string);
        assert_eq!(behind.as_deref(), Some("it has expired"));
        assert!(error.io_error().is_some());
    }
}
