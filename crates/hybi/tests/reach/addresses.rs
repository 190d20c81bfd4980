//! Several addresses: none that leads nowhere costs more than its head start (RFC 8305).

use core::time::Duration;
use std::io::ErrorKind;

use hybi::{Client, Error, OpeningError};
use hybi_testkit::world::World;

use crate::network::{Host, MILLISECOND, Network, SECOND};

const REFUSED: Host = Host::Fails(Duration::ZERO, ErrorKind::ConnectionRefused);

/// How a client fares with these hosts, in the order of the lookup: whether it is connected, after how many
/// milliseconds, and which addresses it tried when.
fn fares(hosts: Vec<(&'static str, Host)>) -> (bool, u128, Vec<(u128, String)>) {
    let mut world = World::new();
    let network = Network::new(&world);
    let addresses: Vec<&str> = hosts.iter().map(|(address, _)| *address).collect();
    network.name("example.org", &addresses);
    for (address, host) in hosts {
        if matches!(host, Host::Listens(_)) {
            network.serve(&mut world, address);
        }
        network.host(address, host);
    }
    let (outcome, time) = network.connect(&mut world, Client::default(), "ws://example.org/");
    let mut done = network.timed();
    assert_eq!(done.remove(0), (0, "look up example.org:80".to_owned()));
    let tried = done.into_iter().map(|(when, what)| (when, what.replace("connect ", "")));
    (outcome.is_ok(), time.as_millis(), tried.collect())
}

fn tried(attempts: &[(u128, &str)]) -> Vec<(u128, String)> {
    attempts.iter().map(|(when, address)| (*when, (*address).to_owned())).collect()
}

#[test]
fn one_that_leads_nowhere_costs_its_head_start() {
    let hosts =
        vec![("[2001:db8::1]:80", Host::Silent), ("192.0.2.1:80", Host::Listens(MILLISECOND))];
    let expected = tried(&[(0, "[2001:db8::1]:80"), (250, "192.0.2.1:80")]);
    assert_eq!(fares(hosts), (true, 251, expected));
}

#[test]
fn one_that_refuses_costs_nothing() {
    let hosts = vec![
        ("192.0.2.1:80", REFUSED),
        ("192.0.2.2:80", Host::Fails(30 * MILLISECOND, ErrorKind::HostUnreachable)),
        ("192.0.2.3:80", Host::Listens(5 * MILLISECOND)),
    ];
    let expected = tried(&[(0, "192.0.2.1:80"), (0, "192.0.2.2:80"), (30, "192.0.2.3:80")]);
    assert_eq!(fares(hosts), (true, 35, expected));
}

#[test]
fn the_families_take_turns_and_keep_their_order() {
    let six = ["[2001:db8::1]:80", "[2001:db8::2]:80", "[2001:db8::3]:80"];
    let hosts = vec![
        (six[0], REFUSED),
        (six[1], REFUSED),
        (six[2], REFUSED),
        ("192.0.2.1:80", REFUSED),
        ("192.0.2.2:80", Host::Listens(Duration::ZERO)),
    ];
    let expected = tried(&[(0, six[0]), (0, "192.0.2.1:80"), (0, six[1]), (0, "192.0.2.2:80")]);
    assert_eq!(fares(hosts), (true, 0, expected));
}

/// One that was late is still good, as long as no other was there before.
#[test]
fn whoever_connects_first_has_it() {
    let hosts = vec![
        ("192.0.2.1:80", Host::Listens(300 * MILLISECOND)),
        ("[2001:db8::1]:80", Host::Listens(100 * MILLISECOND)),
    ];
    let expected = tried(&[(0, "192.0.2.1:80"), (250, "[2001:db8::1]:80")]);
    assert_eq!(fares(hosts), (true, 300, expected));
}

#[test]
fn all_that_failed_are_told_with_their_causes() {
    let mut world = World::new();
    let network = Network::new(&world);
    network
        .name("example.org", &["192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"])
        .host("192.0.2.1:80", REFUSED)
        .host("192.0.2.2:80", Host::Silent)
        .host("[2001:db8::1]:80", Host::Fails(SECOND, ErrorKind::HostUnreachable));
    let client = Client::builder().connect_timeout(3 * SECOND).build().expect("lawful");
    let (outcome, time) = network.connect(&mut world, client, "ws://example.org/");
    let error = outcome.expect_err("nobody is there");
    assert_eq!(time, 3 * SECOND);
    let Error::Opening(step) = &error else { panic!("{error:?}") };
    let OpeningError::Connect { attempts, .. } = &**step else { panic!("{error:?}") };
    let attempts: Vec<_> =
        attempts.iter().map(|(address, error)| (address.to_string(), error.kind())).collect();
    assert_eq!(
        attempts,
        [
            ("192.0.2.1:80".to_owned(), ErrorKind::ConnectionRefused),
            ("[2001:db8::1]:80".to_owned(), ErrorKind::HostUnreachable),
            ("192.0.2.2:80".to_owned(), ErrorKind::TimedOut),
        ]
    );
    assert!(error.is_timeout());
}

/// A name with a thousand addresses holds no thousand sockets: one more each quarter of a second, until the deadline.
#[test]
fn a_name_with_many_addresses_is_bounded_by_the_deadline() {
    let hosts: Vec<(&'static str, Host)> =
        (1..=200_u8).map(|n| (&*format!("192.0.2.{n}:80").leak(), Host::Silent)).collect();
    let (is_open, time, tried) = fares(hosts);
    assert!(!is_open);
    assert_eq!((time, tried.len()), (10_000, 40));
}
