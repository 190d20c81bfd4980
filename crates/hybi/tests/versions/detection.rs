//! Which version a request speaks, where it does not say: the first byte decides, or who speaks first.

use hybi::{Error, HandshakeError, Message, Server, Version, opening};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        link::{End, Far, Manners, link},
        tasks::{poll_at_most, run},
    },
    world::server,
};

type Socket = hybi::WebSocket<End, ClockTimer>;

/// The request of the vectors, with this value of `Sec-WebSocket-Draft`.
fn request(draft: Option<u8>) -> Vec<u8> {
    let draft = draft.map_or_else(String::new, |value| format!("Sec-WebSocket-Draft: {value}\r\n"));
    let head = format!(
        "GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n{draft}\
         Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n"
    );
    [head.as_bytes(), b"^n:ds[4U"].concat()
}

/// A server that has answered the request, and the other end of its link.
fn accepted(server: &Server, draft: Option<u8>) -> (Socket, Far) {
    let (end, far) = link(Manners::PLAIN);
    far.put(&request(draft));
    let timer = Clock::new().timer();
    let deadline = hybi::io::Timer::now(&timer) + core::time::Duration::from_secs(10);
    let socket = run(opening::accept_on(server, end, timer, deadline), || {}).expect("accepted");
    let answer = far.take(usize::MAX);
    assert!(answer.starts_with(b"HTTP/1.1 101 WebSocket Protocol Handshake\r\n"));
    assert!(answer.ends_with(b"\r\n\r\n8jKS'y:G*Co,Wxa-"));
    (socket, far)
}

const HIXIE_HELLO: &[u8] = b"\0hello\xff";
const HYBI_HELLO: &[u8] = b"\x04\x05hello";

/// Versions enabled, the draft that the request names, the first bytes, and what is spoken.
type Case = (&'static [Version], Option<u8>, &'static [u8], Version);

const CASES: [Case; 12] = [
    (&Version::ALL, None, HIXIE_HELLO, Version::HIXIE_76),
    (&Version::ALL, None, HYBI_HELLO, Version::HYBI_01),
    (&Version::ALL, Some(0), HIXIE_HELLO, Version::HIXIE_76),
    (&Version::ALL, Some(1), HYBI_HELLO, Version::HYBI_01),
    (&Version::ALL, Some(1), HIXIE_HELLO, Version::HIXIE_76),
    (&Version::ALL, Some(2), HYBI_HELLO, Version::HYBI_03),
    (&Version::ALL, Some(2), HIXIE_HELLO, Version::HIXIE_76),
    (&Version::ALL, Some(3), HYBI_HELLO, Version::HYBI_03),
    (&[Version::HYBI_02, Version::HIXIE_76], Some(2), HYBI_HELLO, Version::HYBI_02),
    (&[Version::HIXIE_76], None, HIXIE_HELLO, Version::HIXIE_76),
    (&[Version::HYBI_01], None, HYBI_HELLO, Version::HYBI_01),
    (&[Version::HYBI_01], Some(1), HYBI_HELLO, Version::HYBI_01),
];

#[test]
fn the_first_byte_decides() {
    for (enabled, draft, hello, spoken) in CASES {
        let what = format!("{enabled:?} {draft:?} {hello:x?}");
        let server = server(enabled.iter().copied());
        let (mut socket, far) = accepted(&server, draft);
        far.put(hello);
        let received = run(socket.recv(), || {}).expect("open");
        assert_eq!(received, Some(Message::text("hello")), "{what}");
        assert_eq!(socket.version(), spoken, "{what}");
        assert_eq!(socket.capabilities().binary, spoken != Version::HIXIE_76, "{what}");
        run(socket.send("hello"), || {}).expect("open");
        assert_eq!(far.take(usize::MAX), hello, "{what}: answered in kind");
    }
}

#[test]
fn where_only_one_is_possible_other_bytes_break_its_rules() {
    for (enabled, hello) in [(Version::HYBI_01, HIXIE_HELLO), (Version::HYBI_03, &b"\xff\0"[..])] {
        let draft = (enabled == Version::HYBI_03).then_some(2);
        let (mut socket, far) = accepted(&server([enabled]), draft);
        far.put(hello);
        far.end();
        let error = run(socket.recv(), || {}).expect_err("a broken rule");
        assert!(matches!(error, Error::Protocol(_)), "{enabled:?}: {error}");
    }
}

#[test]
fn a_server_that_speaks_first_goes_by_the_request_alone() {
    for (draft, spoken, hello) in [
        (None, Version::HIXIE_76, HIXIE_HELLO),
        (Some(0), Version::HIXIE_76, HIXIE_HELLO),
        (Some(1), Version::HYBI_01, HYBI_HELLO),
        (Some(2), Version::HYBI_03, HYBI_HELLO),
    ] {
        let (mut socket, far) = accepted(&server(Version::ALL), draft);
        assert_eq!(socket.version(), spoken, "{draft:?}");
        run(socket.send("hello"), || {}).expect("open");
        assert_eq!(far.take(usize::MAX), hello, "{draft:?}");
        far.put(hello);
        let received = run(socket.recv(), || {}).expect("open");
        assert_eq!(received, Some(Message::text("hello")), "{draft:?}");
        assert_eq!(socket.version(), spoken, "{draft:?}");
    }
}

#[test]
fn requests_that_select_nothing_are_refused_with_the_versions_there_are() {
    use Version as V;
    for (enabled, draft, status, list) in [
        // No document has these.
        (&V::ALL[..], Some(4), 426, "13, 8, 7, 6, 5, 4"),
        (&V::ALL, Some(200), 426, "13, 8, 7, 6, 5, 4"),
        (&[V::RFC6455], None, 426, "13"),
        (&[V::RFC6455], Some(2), 426, "13"),
        (&[V::RFC6455, V::HIXIE_75], None, 426, "13"),
        (&[V::HYBI_08, V::HYBI_03], None, 426, "8"),
        (&[V::HYBI_06, V::HIXIE_76], Some(2), 426, "6"),
        (&[V::HIXIE_76], Some(1), 426, ""),
    ] {
        let what = format!("{enabled:?} {draft:?}");
        let (end, far) = link(Manners::PLAIN);
        far.put(&request(draft));
        far.end();
        let timer = Clock::new().timer();
        let deadline = hybi::io::Timer::now(&timer) + core::time::Duration::from_secs(10);
        let server = server(enabled.iter().copied());
        let refused = run(opening::accept_on(&server, end, timer, deadline), || {});
        let error = refused.expect_err(&what);
        let answered = error.handshake().and_then(HandshakeError::status);
        assert_eq!(answered.map(|answered| answered.as_u16()), Some(status), "{what}: {error}");
        let answer = String::from_utf8(far.take(usize::MAX)).expect("text");
        let listed = answer.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Version: "));
        assert_eq!(listed.unwrap_or_default(), list, "{what}: {answer}");
    }
}

/// A keep-alive ping would be what decides, and may not be understood.
#[test]
fn nobody_is_pinged_before_the_version_is_known() {
    use hybi::{Config, Connection, Negotiated, Role, legacy::Terms};
    for (version, other, hello) in [
        (Version::HYBI_03, Version::HIXIE_76, HIXIE_HELLO),
        (Version::HIXIE_76, Version::HYBI_01, HYBI_HELLO),
    ] {
        let terms = Terms::new(version).expect("it needs no key").or(other);
        let negotiated = Negotiated::default().with_terms(terms);
        let mut own = Connection::new(Role::Server, negotiated, Config::default().into());
        let mut now = std::time::Instant::now();
        for _ in 0..10 {
            now = own.poll_timeout(|| now).expect("it will have to ask later");
            own.handle_timeout(now);
            assert_eq!(own.transmit_to_vec(), b"", "{version:?}");
        }
        assert_eq!(crate::world::input(&mut own, hello), [Message::text("hello")]);
        assert_eq!(own.negotiated().version, other);
        now = own.poll_timeout(|| now).expect("the timer that was set before");
        own.handle_timeout(now);
        now = own.poll_timeout(|| now).unwrap_or(now);
        own.handle_timeout(now);
        let pinged = !own.transmit_to_vec().is_empty();
        assert_eq!(pinged, other == Version::HYBI_01, "{version:?}");
    }
}

#[test]
fn the_challenge_that_breaks_off_is_named() {
    let (end, far) = link(Manners::PLAIN);
    let request = request(None);
    far.put(&request[..request.len() - 3]);
    far.end();
    let timer = Clock::new().timer();
    let deadline = hybi::io::Timer::now(&timer) + core::time::Duration::from_secs(10);
    let refused =
        run(opening::accept_on(&server([Version::HIXIE_76]), end, timer, deadline), || {});
    let error = refused.expect_err("eight bytes are due");
    assert!(
        matches!(error.handshake(), Some(HandshakeError::UnexpectedEof { received: 5 })),
        "{error}"
    );
}

#[test]
fn the_order_of_hixie_75_may_be_asked_for() {
    let request = b"GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
        X-Proxy: here\r\nHost: a\r\nOrigin: http://a\r\n\r\n";
    for (order, accepted) in
        [(hybi::legacy::FieldOrder::Any, true), (hybi::legacy::FieldOrder::Fixed, false)]
    {
        let server = Server::builder().versions([Version::HIXIE_75]).hixie_75_fields(order).build();
        let (end, far) = link(Manners::PLAIN);
        far.put(request);
        if !accepted {
            far.end();
        }
        let timer = Clock::new().timer();
        let deadline = hybi::io::Timer::now(&timer) + core::time::Duration::from_secs(10);
        let outcome = run(opening::accept_on(&server, end, timer, deadline), || {});
        assert_eq!(outcome.is_ok(), accepted, "{order:?}");
    }
}

/// Some proxies hold the eight bytes back until they have seen a 101.
#[test]
fn the_head_of_the_answer_does_not_wait_for_the_challenge() {
    let (end, far) = link(Manners::PLAIN);
    let request = request(None);
    let (head, challenge) = request.split_at(request.len() - 8);
    far.put(head);
    let timer = Clock::new().timer();
    let deadline = hybi::io::Timer::now(&timer) + core::time::Duration::from_secs(10);
    let server = server([Version::HIXIE_76]);
    let mut accepting = Box::pin(opening::accept_on(&server, end, timer, deadline));
    let task = crate::support::tasks::Task::new();
    assert!(task.poll(accepting.as_mut()).is_pending());
    let answer = far.take(usize::MAX);
    assert!(answer.ends_with(b"\r\n\r\n"), "the whole head and nothing more");
    for byte in &challenge[..7] {
        far.put(&[*byte]);
        assert!(task.poll(accepting.as_mut()).is_pending());
        assert_eq!(far.take(usize::MAX), b"");
    }
    // A frame may follow at once.
    far.put(&[&challenge[7..], HIXIE_HELLO].concat());
    let mut socket =
        poll_at_most(10, accepting.as_mut(), || {}).expect("an end").expect("accepted");
    assert_eq!(far.take(usize::MAX), b"8jKS'y:G*Co,Wxa-");
    assert_eq!(run(socket.recv(), || {}).expect("open"), Some(Message::text("hello")));
}
