//! How many there may be.

use core::{net::SocketAddr, time::Duration};

use hybi::{Config, Server, serve::Serving};

use crate::world::{REQUEST, SECOND, Socket, Town, echo, peer};

fn refused(answer: &str, retry_after: u32) {
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    let field = format!("\r\nretry-after: {retry_after}\r\n");
    assert!(answer.to_lowercase().contains(&field), "{answer}");
}

fn is_refused(town: &mut Town, from: SocketAddr) -> bool {
    let answer = town.ask(from, REQUEST);
    let is_refused = answer.starts_with("HTTP/1.1 503 ");
    assert!(is_refused || answer.starts_with("HTTP/1.1 101 "), "{answer}");
    is_refused
}

#[test]
fn one_more_than_there_may_be_is_told_when_to_come_back() {
    let mut town = Town::serve(echo, |serving| {
        serving.max_connections(2).retry_after(Duration::from_millis(6_001))
    });
    let [first, _second] = [0, 1].map(|n| town.client(peer(n)).expect("there is room"));
    assert_eq!(town.handle.connections(), 2);
    let answer = town.ask(peer(2), REQUEST);
    refused(&answer, 7);
    assert_eq!(town.handle.connections(), 2);
    town.settle();
    assert_eq!(
        town.incidents(),
        [
            "192.0.2.1:1002: too many connections",
            "192.0.2.1:1002: not opened: the server takes no more connections for now",
        ]
    );
    drop(first);
    town.settle();
    assert!(town.client(peer(3)).is_ok());
}

/// Two IPv4 addresses are two peers, however they are written; two of IPv6 of one network are one.
#[test]
fn one_address_has_no_more_than_its_share() {
    let mut town = Town::serve(echo, |serving| serving.max_per_address(1));
    let peers = ["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1"];
    let _all: Vec<Socket> = peers
        .map(|peer| town.client(peer.parse().expect("an address")).expect("the first of it"))
        .into();
    let same = ["192.0.2.1:2", "[::ffff:192.0.2.1]:1", "192.0.2.2:2", "[2001:db8::ffff:2]:1"];
    for peer in same {
        assert!(is_refused(&mut town, peer.parse().expect("an address")), "{peer}");
    }
    assert!(!is_refused(&mut town, "192.0.2.3:1".parse().expect("an address")));
}

/// A place is free again whatever became of who had it.
#[test]
fn places_come_back() {
    let mut town = Town::new(|listener| {
        let config = Config::default().handshake_timeout(3 * SECOND);
        let server = Server::builder().config(config).build();
        Serving::new(listener, server, echo).max_connections(1).max_per_address(1)
    });
    // One that says nothing, one that is no HTTP, one that is refused, one whose TLS never ends.
    let silent = town.port.connect(peer(0));
    town.settle();
    assert!(is_refused(&mut town, peer(1)));
    town.wait(5 * SECOND);
    drop(silent);
    assert!(town.ask(peer(2), "\x16\x03\x01\r\n\r\n").starts_with("HTTP/1.1 400 "));
    town.settle();
    assert!(town.ask(peer(3), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 426 "));
    town.settle();
    town.port.connect_without_end(peer(4));
    town.settle();
    assert_eq!(town.handle.connections(), 1);
    town.wait(4 * SECOND);
    assert_eq!(town.handle.connections(), 0);
    assert!(!is_refused(&mut town, peer(5)));
}

/// Those beyond the limit are answered up to a number, so that a flood holds no more than that.
#[test]
fn a_flood_is_bounded() {
    let mut town = Town::serve(echo, |serving| serving.max_connections(0));
    let silent: Vec<_> = (0..300).map(|n| town.port.connect(peer(n))).collect();
    town.settle();
    let dropped = silent.iter().filter(|end| end.input().has_ended()).count();
    assert_eq!(dropped, 300 - 256);
    assert_eq!(town.handle.connections(), 0);
    let told = town.incidents();
    let of = |what: &str| told.iter().filter(|told| told.ends_with(what)).count();
    assert_eq!((of("too many connections"), of("too many connections, dropped")), (256, 44));
    // They are answered when their time is over, and others after them.
    drop(silent);
    town.wait(11 * SECOND);
    let answer = town.ask(peer(0), REQUEST);
    refused(&answer, 1);
}
