//! What errors and other values say of themselves.

use std::io;

use bytes::Bytes;
use hybi::{
    CloseCode, Config, Connection, Deadline, Error, HandshakeError, Message, MessageRef,
    Negotiated, Outgoing, Role, Unsupported, Utf8Bytes, Version, handshake::HeadLimits,
};

#[test]
fn a_deadline_says_which_it_was_and_what_the_peer_is_told() {
    let deadlines = [
        (Deadline::Handshake, "the opening handshake took too long", None),
        (
            Deadline::Pong,
            "the peer did not answer a ping in time",
            Some((CloseCode::INTERNAL_ERROR, "ping timeout")),
        ),
        (
            Deadline::Idle,
            "the peer sent no message for too long",
            Some((CloseCode::GOING_AWAY, "idle timeout")),
        ),
        (Deadline::Write, "the peer did not read for too long", None),
        (Deadline::Close, "the peer did not answer the Close frame in time", None),
    ];
    for (deadline, words, told) in deadlines {
        let error = Error::Timeout(deadline);
        assert_eq!(deadline.to_string(), words);
        assert_eq!(error.close_code(), told.map(|(code, _)| code), "{deadline}");
        assert_eq!(error.close_reason().as_deref(), told.map(|(_, reason)| reason), "{deadline}");
        assert!(error.is_timeout() && !error.is_closed(), "{deadline}");
        assert!(error.handshake().is_none() && error.response().is_none(), "{deadline}");
    }
}

#[test]
fn an_end_is_told_from_a_broken_rule() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    for error in [Error::Closed, Error::Lost, Error::Transport(reset().into())] {
        assert!(error.is_closed() && !error.is_timeout(), "{error}");
        assert_eq!((error.close_code(), error.close_reason()), (None, None), "{error}");
    }
    for error in [Error::Full, HandshakeError::MissingKey.into()] {
        assert!(!error.is_closed() && !error.is_timeout(), "{error}");
        assert_eq!((error.close_code(), error.close_reason()), (None, None), "{error}");
    }
    let error = Error::from(HandshakeError::MissingKey);
    assert!(matches!(error.handshake(), Some(HandshakeError::MissingKey)));
    assert!(error.response().is_none(), "nobody answered");
}

#[test]
fn what_a_version_lacks_is_told_in_words() {
    let words = [
        (Unsupported::Binary, "binary messages"),
        (Unsupported::Ping, "pings and pongs"),
        (Unsupported::CloseCode, "close codes and reasons"),
    ];
    for (what, words) in words {
        assert_eq!(what.to_string(), words);
        let error = Error::Unsupported { what, version: Version::HIXIE_76 };
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("hixie-76"), "{error}");
    }
}

#[test]
fn messages_are_made_of_what_they_carry_and_give_it_back() {
    let text = Message::from(Utf8Bytes::from_static("ab"));
    assert_eq!(text, Message::text("ab"));
    let bytes = Bytes::from_static(b"ab");
    let carriers = [
        text,
        Message::from(bytes.clone()),
        Message::Ping(bytes.clone()),
        Message::Pong(bytes.clone()),
    ];
    for message in carriers {
        assert!(!message.is_empty(), "{message:?}");
        assert_eq!(message.into_bytes(), bytes);
    }
    assert!(Message::text("").is_empty());
    assert!(Message::Close(None).is_empty());
    assert_eq!(Message::Close(None).into_bytes(), Bytes::new());
    let lent = [
        (MessageRef::Text("ab"), Message::text("ab")),
        (MessageRef::Binary(b"ab"), Message::from(bytes.clone())),
        (MessageRef::Ping(b"ab"), Message::Ping(bytes.clone())),
        (MessageRef::Pong(b"ab"), Message::Pong(bytes)),
    ];
    for (lent, owned) in lent {
        assert_eq!(lent.to_owned(), owned);
    }
}

#[test]
fn what_is_lent_is_queued_as_what_is_given_away() {
    let wire = |outgoing: Outgoing<'_>| {
        let negotiated = Negotiated::default();
        let mut server = Connection::new(Role::Server, negotiated, Config::default().into());
        server.queue(outgoing).expect("queued");
        server.transmit_to_vec()
    };
    for message in [
        MessageRef::Text("ab"),
        MessageRef::Binary(b"ab"),
        MessageRef::Ping(b"ab"),
        MessageRef::Pong(b"ab"),
    ] {
        assert_eq!(wire(message.into()), wire(message.to_owned().into()), "{message:?}");
    }
    assert_eq!(wire(b"ab".into()), wire(Message::from(Bytes::from_static(b"ab")).into()));
}

#[test]
fn a_connection_shows_where_it_stands_and_what_is_sent_shows_itself() {
    let config = Config::default().head_limits(HeadLimits::default());
    let mut server = Connection::new(Role::Server, Negotiated::default(), config.into());
    server.queue("ab").expect("queued");
    let shown = format!("{server:?}");
    for part in ["role: Server", "state: Open", "queued_bytes: 4", "error: None"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(format!("{:?}", Outgoing::from("ab")).contains("\"ab\""));
    let owned = Outgoing::from(Message::text("ab"));
    assert!(format!("{owned:?}").contains("\"ab\""));
}
