//! Redirects: what the second server receives, and where none leads.

use core::{cell::RefCell, future::pending};
use std::rc::Rc;

use hybi::{Client, Error, RedirectError, Request, Version, handshake::UriError};
use hybi_testkit::world::World;

use crate::network::{Network, SECOND, wait};

const FIRST: &str = "192.0.2.1:80";
const SECOND_HOST: &str = "192.0.2.2:80";

/// A server that redirects everybody who comes, for as long as the test lasts.
fn redirects(
    world: &mut World,
    network: &Network,
    address: &'static str,
    answer: String,
) -> Rc<RefCell<Vec<String>>> {
    let seen = Rc::<RefCell<Vec<String>>>::default();
    let (there, requests) = (network.clone(), seen.clone());
    world.spawn(format!("redirects at {address}"), async move {
        let mut all = Vec::new();
        for _ in 0..100 {
            let mut script = there.accept(address).await;
            let request = script.read_head().await;
            requests.borrow_mut().push(request);
            script.send(&answer).await;
            all.push(script);
        }
        pending::<()>().await;
    });
    seen
}

fn to(location: &str) -> String {
    answer(307, location)
}

fn answer(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

fn network(world: &World) -> Network {
    let network = Network::new(world);
    network.listens("first.example", FIRST).listens("second.example", SECOND_HOST);
    network
}

fn following(most: u8) -> Client {
    let client = Client::builder().header("X-Kept", "1").follow_redirects(most);
    client.build().expect("lawful")
}

/// Where a redirect with this status and location leads from `ws://user:secret@first.example/a/b?c`, and the request
/// that arrives there.
fn second_request(location: &str, status: u16) -> String {
    let mut world = World::new();
    let network = network(&world);
    let answer = answer(status, location);
    redirects(&mut world, &network, FIRST, answer);
    let seen = network.serve(&mut world, SECOND_HOST);
    let request = Request::from("ws://user:secret@first.example/a/b?c")
        .header("Cookie", "session=1")
        .subprotocol("chat");
    let (outcome, _) = network.connect(&mut world, following(1), request);
    outcome.map(drop).unwrap_or_else(|error| panic!("{location}: {error}"));
    seen.take()
}

#[test]
fn to_another_origin_go_no_credentials() {
    for location in ["ws://second.example/x", "http://second.example/x", "//second.example/x#part"]
    {
        let request = second_request(location, 307);
        assert!(request.starts_with("GET /x HTTP/1.1\r\nHost: second.example\r\n"), "{request}");
        assert!(request.contains("X-Kept: 1\r\n"), "{request}");
        assert!(request.contains("Sec-WebSocket-Protocol: chat\r\n"), "{request}");
        for secret in ["Cookie", "Authorization", "session", "secret"] {
            assert!(!request.contains(secret), "{request}");
        }
    }
}

#[test]
fn all_redirects_are_followed_and_nothing_else() {
    for status in [301, 302, 303, 307, 308] {
        second_request("ws://second.example/", status);
    }
    for status in [300, 304, 305, 306, 309, 200, 401] {
        let mut world = World::new();
        let network = network(&world);
        let answer = answer(status, "ws://second.example/");
        redirects(&mut world, &network, FIRST, answer);
        let (outcome, _) = network.connect(&mut world, following(5), "ws://first.example/");
        let error = outcome.expect_err("it is none");
        assert_eq!(error.response().map(|response| response.status().as_u16()), Some(status));
    }
}

#[test]
fn within_an_origin_everything_is_kept() {
    let mut world = World::new();
    let network = network(&world);
    let seen = redirects(&mut world, &network, FIRST, to("../hall?d"));
    let request =
        Request::from("ws://user:secret@first.example/a/b?c").header("Cookie", "session=1");
    let (outcome, _) = network.connect(&mut world, following(1), request);
    assert!(matches!(outcome, Err(Error::Redirect(_))));
    let seen = seen.borrow();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].starts_with("GET /hall?d HTTP/1.1\r\nHost: first.example\r\n"), "{}", seen[1]);
    for kept in
        ["Cookie: session=1\r\n", "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n", "X-Kept: 1\r\n"]
    {
        assert!(seen[1].contains(kept), "{}", seen[1]);
    }
}

#[test]
fn none_is_followed_unless_asked_for() {
    let mut world = World::new();
    let network = network(&world);
    redirects(&mut world, &network, FIRST, to("ws://second.example/"));
    let (outcome, _) = network.connect(&mut world, Client::default(), "ws://first.example/");
    let error = outcome.expect_err("a refusal");
    let response = error.response().expect("the whole answer");
    assert_eq!(
        (response.status().as_u16(), response.headers()["location"].as_bytes()),
        (307, &b"ws://second.example/"[..])
    );
}

#[test]
fn one_too_many_is_told() {
    for most in [1, 5] {
        let mut world = World::new();
        let network = network(&world);
        let seen = redirects(&mut world, &network, FIRST, to("/again"));
        let (outcome, _) = network.connect(&mut world, following(most), "ws://first.example/");
        let error = outcome.expect_err("for ever");
        let Error::Redirect(why) = &error else { panic!("{error:?}") };
        assert_eq!(**why, RedirectError::TooMany { followed: most });
        assert_eq!(seen.borrow().len(), usize::from(most) + 1);
    }
}

#[test]
fn what_was_encrypted_stays_so() {
    for (location, to_uri) in [
        ("ws://second.example/x", "ws://second.example/x"),
        ("http://first.example/", "ws://first.example/"),
    ] {
        let mut world = World::new();
        let network = Network::new(&world);
        network.listens("first.example", "192.0.2.1:443");
        redirects(&mut world, &network, "192.0.2.1:443", to(location));
        let (outcome, _) = network.connect(&mut world, following(5), "wss://first.example/");
        let error = outcome.expect_err("unsafe");
        let Error::Redirect(why) = &error else { panic!("{error:?}") };
        assert_eq!(**why, RedirectError::Downgrade { to: to_uri.parse().expect("a URI") });
        assert_eq!(network.done().len(), 3, "{:?}", network.done());
    }
}

#[test]
fn a_location_that_leads_nowhere_is_told() {
    for (location, expected) in [
        ("ftp://second.example/", UriError::Scheme),
        ("ws://", UriError::Host),
        ("ws://a:0/", UriError::Port),
        ("/a b", UriError::Character { offset: 2 }),
        ("https://a/b c", UriError::Character { offset: 11 }),
        ("//a/b c", UriError::Character { offset: 5 }),
    ] {
        let mut world = World::new();
        let network = network(&world);
        redirects(&mut world, &network, FIRST, to(location));
        let (outcome, _) = network.connect(&mut world, following(5), "ws://first.example/");
        let error = outcome.expect_err("nowhere");
        let Error::Redirect(why) = &error else { panic!("{error:?}") };
        let RedirectError::Location { location: told, error } = &**why else { panic!("{why:?}") };
        assert_eq!((told.as_str(), *error), (location, expected));
    }
}

/// Which of several is meant, nobody knows: a cache or a filter on the way may have judged another.
#[test]
fn several_locations_are_none() {
    for second in ["ws://second.example/", "/x"] {
        let mut world = World::new();
        let network = network(&world);
        let answer = to(&format!("ws://second.example/\r\nLocation: {second}"));
        let seen = redirects(&mut world, &network, FIRST, answer);
        let (outcome, _) = network.connect(&mut world, following(5), "ws://first.example/");
        let error = outcome.expect_err("ambiguous");
        let Error::Redirect(why) = &error else { panic!("{error:?}") };
        assert_eq!(**why, RedirectError::Ambiguous { locations: 2 });
        assert_eq!(error.to_string(), "the server redirects to 2 places at once");
        assert_eq!((seen.borrow().len(), network.done().len()), (1, 2), "{:?}", network.done());
    }
}

/// A log has no business with the secrets of whoever a server names.
#[test]
fn user_info_in_a_location_is_not_told() {
    for location in ["ftp://user:secret@second.example/x", "//user:secret@second.example:0/x"] {
        let mut world = World::new();
        let network = network(&world);
        redirects(&mut world, &network, FIRST, to(location));
        let (outcome, _) = network.connect(&mut world, following(5), "ws://first.example/");
        let error = outcome.expect_err("nowhere");
        for told in [error.to_string(), format!("{error:?}")] {
            assert!(told.contains("//second.example"), "{told}");
            assert!(!told.contains("secret") && !told.contains("user"), "{told}");
        }
    }
}

/// Redirects have no time of their own.
#[test]
fn one_deadline_is_for_all() {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    let clock = world.clock().clone();
    world.spawn("slow", async move {
        let mut all = Vec::new();
        for n in 0..20 {
            let mut script = there.accept(FIRST).await;
            script.read_head().await;
            wait(&clock, 3 * SECOND).await;
            let _ = script.try_send(to(&format!("/{n}"))).await;
            all.push(script);
        }
        pending::<()>().await;
    });
    let (outcome, time) = network.connect(&mut world, following(20), "ws://first.example/");
    assert!(outcome.expect_err("too slow").is_timeout());
    assert_eq!(time, 10 * SECOND);
}

/// `Location` of the same origin is as often a whole URI as a path.
#[test]
fn a_whole_uri_within_an_origin_keeps_everything() {
    for location in
        ["ws://first.example/hall", "http://FIRST.example:80/hall", "//first.example/hall"]
    {
        let mut world = World::new();
        let network = network(&world);
        let seen = redirects(&mut world, &network, FIRST, to(location));
        let (outcome, _) =
            network.connect(&mut world, following(1), "ws://user:secret@first.example/");
        assert!(matches!(outcome, Err(Error::Redirect(_))));
        let seen = seen.borrow();
        assert!(seen[1].contains("Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{}", seen[1]);
    }
}

/// Whom to be is not for a server to say.
#[test]
fn user_info_in_a_location_goes_nowhere() {
    let request = second_request("ws://other:words@second.example/x", 307);
    assert!(!request.contains("Authorization"), "{request}");
}

/// A server that wants another version, and redirects whoever asks for that.
#[test]
fn a_redirect_is_followed_after_another_version_was_asked_for() {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    world.spawn("first", async move {
        let mut script = there.accept(FIRST).await;
        script.read_head().await;
        script
            .send(
                "HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 8\r\nContent-Length: 0\r\n\r\n",
            )
            .await;
        let mut script = there.accept(FIRST).await;
        let request = script.read_head().await;
        assert!(request.contains("Sec-WebSocket-Version: 8\r\n"), "{request}");
        script.send(to("ws://second.example/x")).await;
        pending::<()>().await;
    });
    let seen = network.serve(&mut world, SECOND_HOST);
    let client = Client::builder().fallback([Version::HYBI_08]).follow_redirects(1);
    let (outcome, _) =
        network.connect(&mut world, client.build().expect("lawful"), "ws://first.example/");
    outcome.map(drop).expect("it is followed");
    assert!(seen.borrow().starts_with("GET /x HTTP/1.1\r\n"));
}

/// A redirect is one, whatever versions it lists: where it leads is where to ask.
#[test]
fn a_redirect_that_lists_versions_is_followed() {
    let mut world = World::new();
    let network = network(&world);
    let listing = to("ws://second.example/x\r\nSec-WebSocket-Version: 8");
    let first = redirects(&mut world, &network, FIRST, listing);
    network.serve(&mut world, SECOND_HOST);
    let client = Client::builder().fallback([Version::HYBI_08]).follow_redirects(1);
    let (outcome, _) =
        network.connect(&mut world, client.build().expect("lawful"), "ws://first.example/");
    outcome.map(drop).expect("it is followed");
    assert_eq!(first.borrow().len(), 1);
}
