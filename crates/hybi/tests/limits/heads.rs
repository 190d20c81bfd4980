//! How large the heads of the opening handshake may be, how many names their lists may have, and how much
//! is read of a refusal (RFC 9112, RFC 6455 section 4).

use core::{pin::pin, task::Poll};

use hybi::{
    Client, Config, Error, HandshakeError, Version, WebSocket,
    handshake::HeadLimits,
    opening::{accept_on, connect_on},
};

use crate::{
    opening::{answer, client, server, uri},
    support::{
        clock::{Clock, ClockTimer},
        link::{End, Far, Manners, link},
        tasks::{Task, run},
    },
};

type Opened = Result<WebSocket<End, ClockTimer>, Error>;

/// The length of a head and the number of its fields.
fn measure(bytes: &[u8]) -> (usize, usize) {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
    let lines = bytes[..end].split(|byte| *byte == b'\n').count();
    // The start line, the blank line, and nothing behind it.
    (end, lines - 3)
}

/// What a server of this version with these limits makes of a request, and its refusal if it refuses.
fn ask(version: Version, limits: HeadLimits, request: &[u8]) -> (Opened, Vec<u8>) {
    let clock = Clock::new();
    let (end, far) = link(Manners::PLAIN);
    far.put(request);
    far.end();
    let server = server(version, Config::default().head_limits(limits));
    let deadline = server.config().handshake_deadline(clock.now());
    let opened = run(accept_on(&server, end, clock.timer(), deadline), || {});
    (opened, far.take(usize::MAX))
}

/// What a client makes of an answer, which is made of its request.
fn told(client: &Client, answer: impl FnOnce(&Far) -> Vec<u8>) -> Opened {
    let clock = Clock::new();
    let (end, far) = link(Manners::PLAIN);
    let deadline = client.config().handshake_deadline(clock.now());
    let mut opening = pin!(connect_on(client, uri(), end, clock.timer(), deadline));
    let task = Task::new();
    assert!(task.poll(opening.as_mut()).is_pending());
    far.put(&answer(&far));
    match task.poll(opening.as_mut()) {
        Poll::Ready(opened) => opened.map(|(socket, _)| socket),
        Poll::Pending => panic!("all of the answer has come"),
    }
}

/// What is wrong with a head, and the status that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Bytes,
    Fields,
    Names,
}

fn wrong(opened: &Opened) -> Option<Wrong> {
    match opened.as_ref().err()?.handshake() {
        Some(HandshakeError::HeadTooLarge { .. }) => Some(Wrong::Bytes),
        Some(HandshakeError::TooManyFields { .. }) => Some(Wrong::Fields),
        Some(HandshakeError::TooManyNames { .. }) => Some(Wrong::Names),
        other => panic!("{other:?} {opened:?}"),
    }
}

/// The limits that just fit a head, and those that just do not.
fn around((bytes, fields): (usize, usize)) -> [(HeadLimits, Option<Wrong>); 4] {
    let limits = HeadLimits::default();
    [
        (limits.with_max_bytes(bytes), None),
        (limits.with_max_bytes(bytes - 1), Some(Wrong::Bytes)),
        (limits.with_max_fields(fields), None),
        (limits.with_max_fields(fields - 1), Some(Wrong::Fields)),
    ]
}

#[test]
fn the_head_of_a_request_is_limited_in_bytes_and_fields() {
    for version in Version::ALL {
        let request = client(version, Config::default()).handshake(&uri()).request_bytes().to_vec();
        for (limits, expected) in around(measure(&request)) {
            let (opened, answer) = ask(version, limits, &request);
            assert_eq!(wrong(&opened), expected, "{version:?} {limits:?}");
            let status: &[u8] =
                if expected.is_some() { b"HTTP/1.1 431 " } else { b"HTTP/1.1 101 " };
            assert!(answer.starts_with(status), "{version:?} {limits:?}");
        }
    }
}

#[test]
fn the_head_of_an_answer_is_limited_in_bytes_and_fields() {
    for version in Version::ALL {
        let request = client(version, Config::default()).handshake(&uri()).request_bytes().to_vec();
        // As long for each request, whatever its key.
        for (limits, expected) in around(measure(&answer(version, &request))) {
            let client = client(version, Config::default().head_limits(limits));
            let opened = told(&client, |far| answer(version, &far.take(usize::MAX)));
            assert_eq!(wrong(&opened), expected, "{version:?} {limits:?}");
        }
    }
}

/// hixie-75 has one name there, which may hold anything.
#[test]
fn a_list_of_subprotocols_in_a_request_has_at_most_100_names() {
    for version in Version::ALL.into_iter().filter(|version| *version != Version::HIXIE_75) {
        for (names, expected) in [(100, None), (101, Some(Wrong::Names))] {
            let mut offering = Client::builder().version(version);
            for name in 0..names {
                offering = offering.subprotocol(&format!("n{name}"));
            }
            let offering = offering.build().expect("a client");
            let request = offering.handshake(&uri()).request_bytes().to_vec();
            let (opened, _) = ask(version, HeadLimits::default(), &request);
            assert_eq!(wrong(&opened), expected, "{version:?}: {names} names");
        }
    }
}

/// A field of an answer, put in front of the others of its head.
fn with_field(answer: &[u8], line: &str) -> Vec<u8> {
    let start = answer.iter().position(|byte| *byte == b'\n').expect("a start line") + 1;
    [&answer[..start], line.as_bytes(), b"\r\n", &answer[start..]].concat()
}

/// From hybi-04 on there are extensions. None was offered, which is looked at only in a list that is lawful.
#[test]
fn a_list_of_extensions_has_at_most_100_names_in_both_directions() {
    for version in Version::ALL.into_iter().filter(|version| *version >= Version::HYBI_04) {
        for (names, expected) in [(100, None), (101, Some(Wrong::Names))] {
            let line = format!("Sec-WebSocket-Extensions: {}", vec!["x"; names].join(", "));
            let request = client(version, Config::default()).handshake(&uri());
            let request = with_field(request.request_bytes(), &line);
            let (opened, _) = ask(version, HeadLimits::default(), &request);
            assert_eq!(wrong(&opened), expected, "{version:?}: {names} names offered");

            let client = client(version, Config::default());
            let opened =
                told(&client, |far| with_field(&answer(version, &far.take(usize::MAX)), &line));
            match opened.as_ref().err().and_then(Error::handshake) {
                Some(HandshakeError::ExtensionNotOffered) => assert_eq!(expected, None),
                _ => assert_eq!(wrong(&opened), expected, "{version:?}: {names} names chosen"),
            }
        }
    }
}

#[test]
fn of_the_body_of_a_refusal_64_kib_are_kept() {
    const KEPT: usize = 64 * 1024;
    for version in Version::ALL {
        for (len, truncated) in [(KEPT, false), (KEPT + 1, true)] {
            for chunked in [false, true] {
                let body = "x".repeat(len);
                let refusal = if chunked {
                    let coding = "Transfer-Encoding: chunked";
                    format!("HTTP/1.1 404 No\r\n{coding}\r\n\r\n{len:x}\r\n{body}\r\n0\r\n\r\n")
                } else {
                    format!("HTTP/1.1 404 No\r\nContent-Length: {len}\r\n\r\n{body}")
                };
                let opened = told(&client(version, Config::default()), |_| refusal.into_bytes());
                let error = opened.expect_err("a refusal");
                let refusal = error.handshake().expect("it is one");
                let kept = error.response().expect("a response").body().len();
                let seen = (kept, refusal.body_truncated());
                assert_eq!(seen, (KEPT, truncated), "{version:?}, chunked: {chunked}");
            }
        }
    }
}
