//! The time of each step: its own, within that of all of them.

use core::{future::pending, time::Duration};

use hybi::{Client, ClientBuilder};
use hybi_testkit::world::World;

use crate::network::{Host, Network, SECOND};

const PROXY: &str = "192.0.2.9:1080";

/// After how many seconds a client gives up that goes to `uri`, and what it says.
fn gives_up(set: impl Fn(ClientBuilder) -> ClientBuilder, uri: &str, tls: u64) -> (u64, String) {
    let mut world = World::new();
    let network = Network::new(&world);
    network.listens("quiet.example", "192.0.2.1:80").listens("proxy", PROXY);
    network.listens("secure.example", "192.0.2.1:443");
    network.name("dead.example", &["192.0.2.3:80"]).host("192.0.2.3:80", Host::Silent);
    network.tls_takes(Duration::from_secs(tls));
    for address in ["192.0.2.1:80", PROXY, "192.0.2.1:443"] {
        let there = network.clone();
        world.spawn(format!("quiet at {address}"), async move {
            let script = there.accept(address).await;
            pending::<()>().await;
            drop(script);
        });
    }
    let client = set(Client::builder()).build().expect("lawful");
    let (outcome, time) = network.connect(&mut world, client, uri);
    let error = outcome.expect_err("nobody answers");
    assert!(error.is_timeout(), "{error}");
    (time.as_secs(), error.to_string())
}

#[test]
fn each_has_its_own() {
    let all = |client: ClientBuilder| {
        let client = client.connect_timeout(SECOND).proxy_timeout(2 * SECOND);
        client.tls_timeout(3 * SECOND).answer_timeout(4 * SECOND)
    };
    let proxied = |client: ClientBuilder| all(client).proxy("http://proxy");
    for (uri, tls, time, said) in [
        ("ws://silent.example/", 0, 1, "resolving silent.example: took too long"),
        ("ws://dead.example/", 0, 1, "connecting to dead.example:80: 192.0.2.3:80: took too long"),
        ("wss://secure.example/", 9, 3, "TLS with secure.example: took too long"),
        ("ws://quiet.example/", 0, 4, "the opening handshake took too long"),
        ("wss://secure.example/", 2, 6, "the opening handshake took too long"),
    ] {
        assert_eq!(gives_up(all, uri, tls), (time, said.to_owned()), "{uri}");
    }
    let (time, said) = gives_up(proxied, "ws://quiet.example/", 0);
    assert_eq!(
        (time, &*said),
        (2, "proxy http://proxy:1080: the connection with it failed: took too long")
    );
}

#[test]
fn that_of_all_is_above_them() {
    let long = |client: ClientBuilder| {
        let client = client.connect_timeout(60 * SECOND).answer_timeout(60 * SECOND);
        client.tls_timeout(60 * SECOND).proxy_timeout(60 * SECOND)
    };
    for uri in ["ws://silent.example/", "ws://dead.example/", "ws://quiet.example/"] {
        assert_eq!(gives_up(long, uri, 0).0, 10, "{uri}");
    }
    assert_eq!(gives_up(long, "wss://secure.example/", 9).0, 10);
    assert_eq!(gives_up(|client| long(client).proxy("proxy"), "ws://quiet.example/", 0).0, 10);
}

/// `Duration::MAX` is how a caller says "no limit".
#[test]
fn no_time_is_too_long() {
    let max = |client: ClientBuilder| {
        let client = client.connect_timeout(Duration::MAX).answer_timeout(Duration::MAX);
        client.tls_timeout(Duration::MAX).proxy_timeout(Duration::MAX)
    };
    assert_eq!(gives_up(max, "ws://quiet.example/", 0).0, 10);
    assert_eq!(gives_up(max, "wss://secure.example/", 9).0, 10);
    assert_eq!(gives_up(|client| max(client).proxy("proxy"), "ws://quiet.example/", 0).0, 10);
}

/// Without any time for it, no address is tried, and that is told as what it is.
#[test]
fn no_time_at_all_is_a_time_too_short() {
    let none = |client: ClientBuilder| client.connect_timeout(Duration::ZERO);
    assert_eq!(
        gives_up(none, "ws://quiet.example/", 0),
        (0, "connecting to quiet.example:80: 192.0.2.1:80: took too long".to_owned())
    );
}
