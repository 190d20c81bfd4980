//! A client that asks for other versions when a server refuses one (RFC 6455 section 4.4).

use core::{cell::RefCell, future::poll_fn, mem, pin::pin, task::Poll};

use futures_util::future::{Either, select};
use hybi::{Client, Error, HandshakeError, OpeningError, Version, opening};

use crate::{
    support::{
        clock::Clock,
        link::{End, Manners, link_both},
        tasks::run,
    },
    world::{Socket, server},
};

/// Connects to a server of these versions; gives the outcome and how often it connected.
fn connect(client: &Client, versions: &[Version]) -> (Result<Socket, Error>, usize) {
    let clock = Clock::new();
    let server = server(versions.iter().copied());
    let waiting: RefCell<Vec<End>> = RefCell::default();
    let attempts = RefCell::new(0);
    let deadline = client.config().handshake_deadline(clock.now());
    let uri = "ws://example.org/";
    let connecting = opening::connect_anew(client, uri, deadline, || async {
        let (near, far) = link_both(Manners::PLAIN, Manners::PLAIN);
        waiting.borrow_mut().push(far);
        *attempts.borrow_mut() += 1;
        Ok((near, clock.timer()))
    });
    let serving = async {
        // Kept, so that no end is torn down under its client.
        let mut served = Vec::new();
        loop {
            let next = waiting.borrow_mut().pop();
            if let Some(end) = next {
                let (timer, deadline) = (clock.timer(), deadline);
                served.push(opening::accept_on(&server, end, timer, deadline).await);
            }
            once_more().await;
        }
    };
    let outcome = {
        let (connecting, serving) = (pin!(connecting), pin!(serving));
        match run(select(connecting, serving), || {}) {
            Either::Left((opened, _)) => opened.map(|(socket, _)| socket),
            Either::Right(((), _)) => unreachable!("it serves for ever"),
        }
    };
    let attempts = *attempts.borrow();
    (outcome, attempts)
}

/// Lets others go on first.
async fn once_more() {
    let mut polled = false;
    poll_fn(|cx| {
        if mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn falling_back(to: impl IntoIterator<Item = Version>) -> Client {
    Client::builder().fallback(to).build().expect("versions that are spoken")
}

#[test]
fn without_being_told_to_nobody_falls_back() {
    let (outcome, attempts) = connect(&Client::default(), &[Version::HYBI_08]);
    assert!(outcome.is_err());
    assert_eq!(attempts, 1);
}

#[test]
fn the_first_version_that_the_server_lists_is_next() {
    let client = falling_back([Version::HYBI_08, Version::HYBI_06, Version::HYBI_04]);
    for (offered, spoken) in [
        (&[Version::RFC6455][..], Version::RFC6455),
        (&[Version::HYBI_08], Version::HYBI_08),
        (&[Version::HYBI_04, Version::HYBI_06], Version::HYBI_06),
        (&[Version::HYBI_04], Version::HYBI_04),
    ] {
        let (outcome, attempts) = connect(&client, offered);
        assert_eq!(outcome.expect("a version in common").version(), spoken);
        assert_eq!(attempts, 1 + usize::from(spoken != Version::RFC6455), "{offered:?}");
    }
}

#[test]
fn attempts_are_bounded_by_the_versions() {
    let (outcome, attempts) =
        connect(&falling_back([Version::HYBI_08, Version::HYBI_07]), &[Version::HYBI_05]);
    let error = outcome.expect_err("nothing in common");
    assert_eq!(
        error.handshake().map(HandshakeError::versions_offered),
        Some(vec![Version::HYBI_05])
    );
    assert_eq!(attempts, 1, "the list said that no other would do");

    // No list can name these.
    let (outcome, attempts) = connect(&falling_back(Version::ALL), &[Version::HIXIE_75]);
    assert_eq!(outcome.expect("the last").version(), Version::HIXIE_75);
    assert_eq!(attempts, 11);
}

#[test]
fn refusals_that_are_not_about_the_version_end_it() {
    let client = falling_back([Version::HYBI_08]);
    for (answer, next) in [
        ("400 Bad Request", true),
        ("426 Upgrade Required", true),
        ("501 Not Implemented", true),
        ("505 HTTP Version Not Supported", true),
        ("200 OK", false),
        ("500 Internal Server Error", false),
        ("401 Unauthorized", false),
        ("403 Forbidden", false),
        ("404 Not Found", false),
        ("302 Found", false),
        ("503 Service Unavailable", false),
        // As hixie-75 servers answer whatever was asked.
        ("101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade", true),
        ("101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade", false),
        // It lists what was asked for, so that something else is the matter.
        ("400 Bad Request\r\nSec-WebSocket-Version: 13, 8", false),
    ] {
        let mut attempt = client.handshake(&"ws://example.org/".parse().expect("a URI"));
        let response = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
        let error = attempt.handle_input(response.as_bytes()).expect_err("refused");
        assert_eq!(client.fall_back(&error).is_some(), next, "{answer}");
    }
    let mut attempt = client.handshake(&"ws://example.org/".parse().expect("a URI"));
    let error = attempt.handle_eof();
    assert_eq!(client.fall_back(&error).map(|next| next.version()), Some(Version::HYBI_08));
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    assert!(client.fall_back(&reset.into()).is_some());
    let reset = std::io::ErrorKind::ConnectionReset.into();
    assert!(client.fall_back(&OpeningError::Handshake(reset).into()).is_some());
    // Nobody was asked for any version.
    let peer = String::from("example.org");
    let tls = OpeningError::Tls { peer, error: std::io::ErrorKind::ConnectionReset.into() };
    assert!(client.fall_back(&tls.into()).is_none());
    assert!(client.fall_back(&Error::Timeout(hybi::Deadline::Handshake)).is_none());
}

#[test]
fn a_list_split_over_fields_counts_whatever_the_status() {
    let client = falling_back([Version::HYBI_07, Version::HYBI_08]);
    let mut attempt = client.handshake(&"ws://example.org/".parse().expect("a URI"));
    let response = b"HTTP/1.1 403 Forbidden\r\nSec-WebSocket-Version: 5\r\n\
        Sec-WebSocket-Version: 9, 8\r\nContent-Length: 0\r\n\r\n";
    let error = attempt.handle_input(response).expect_err("refused");
    let next = client.fall_back(&error).expect("8 is listed");
    assert_eq!(next.version(), Version::HYBI_08);
    assert!(next.fall_back(&error).is_none(), "7 is not");
}

#[test]
fn a_list_is_remembered_and_goes_before_what_no_list_can_name() {
    let refused = |client: &Client, list: &str| {
        let mut attempt = client.handshake(&"ws://example.org/".parse().expect("a URI"));
        let list = format!("Sec-WebSocket-Version: {list}\r\nContent-Length: 0");
        let response = format!("HTTP/1.1 426 Upgrade Required\r\n{list}\r\n\r\n");
        attempt.handle_input(response.as_bytes()).expect_err("refused")
    };
    let lost = |client: &Client| {
        client.handshake(&"ws://example.org/".parse().expect("a URI")).handle_eof()
    };
    let client =
        falling_back([Version::HIXIE_76, Version::HYBI_08, Version::HYBI_07, Version::HYBI_06]);
    let next = client.fall_back(&refused(&client, "7, 6")).expect("7 is listed");
    assert_eq!(next.version(), Version::HYBI_07);
    let next = next.fall_back(&lost(&next)).expect("more are left");
    assert_eq!(next.version(), Version::HIXIE_76, "in the caller's order, without a list");
    let next = next.fall_back(&lost(&next)).expect("6 was listed");
    assert_eq!(next.version(), Version::HYBI_06);
    assert!(next.fall_back(&lost(&next)).is_none(), "8 was not listed");
}

#[test]
fn no_version_is_asked_for_twice_and_none_under_the_name_of_another() {
    let client = Client::builder().version(Version::HYBI_03).version_header("3").fallback([
        Version::HYBI_03,
        Version::HYBI_08,
        Version::HYBI_08,
    ]);
    let client = client.build().expect("versions that are spoken");
    let lost = client.handshake(&"ws://example.org/".parse().expect("a URI")).handle_eof();
    let next = client.fall_back(&lost).expect("one is left");
    assert_eq!(next.version(), Version::HYBI_08);
    let handshake = next.handshake(&"ws://example.org/".parse().expect("a URI"));
    let request = String::from_utf8_lossy(handshake.request_bytes()).into_owned();
    assert!(request.contains("\r\nSec-WebSocket-Version: 8\r\n"), "{request}");
    assert!(next.fall_back(&lost).is_none());
}
