//! On the way to a connection: which step failed, of what, and at which address.

use core::{future::pending, net::SocketAddr, pin::pin, time::Duration};
use std::{io, time::Instant};

use hybi::{Error, io::Timer, opening};

use crate::support::{
    clock::{Clock, ClockTimer},
    tasks::poll_at_most,
};

const FIRST: &str = "[::1]:80";
const SECOND: &str = "127.0.0.1:80";

/// What an address does.
#[derive(Clone, Copy, Debug)]
enum Address {
    Refuses,
    Resets,
    IsSilent,
    Connects,
}

/// What comes of dialling `host`, whose lookup gives `addresses`, on a clock that goes on by itself.
fn dial(host: &str, addresses: io::Result<Vec<(&str, Address)>>) -> Result<SocketAddr, Error> {
    let clock = Clock::new();
    let mut timer = clock.timer();
    let deadline = timer.now() + Duration::from_secs(10);
    let known: Vec<(SocketAddr, Address)> = addresses
        .as_ref()
        .map(|all| all.iter().map(|(name, does)| (name.parse().unwrap(), *does)).collect())
        .unwrap_or_default();
    let found: Vec<_> = known.iter().map(|(address, _)| *address).collect();
    let connect = |address| {
        let does = known.iter().find(|(known, _)| *known == address).map(|(_, does)| *does);
        async move {
            match does.expect("one of those that were found") {
                Address::Connects => Ok(address),
                Address::Refuses => Err(io::ErrorKind::ConnectionRefused.into()),
                Address::Resets => Err(io::ErrorKind::ConnectionReset.into()),
                Address::IsSilent => pending().await,
            }
        }
    };
    let lookup = async { addresses.map(|_| found) };
    let dialling = pin!(opening::dial((host, 80), &mut timer, deadline, lookup, connect));
    poll_at_most(10, dialling, || clock.advance(Duration::from_secs(10))).expect("an end")
}

#[test]
fn a_name_without_an_address_is_named() {
    let error = dial("nowhere.example", Err(io::Error::other("no such name"))).unwrap_err();
    assert_eq!(error.to_string(), "resolving nowhere.example: no such name");
    let error = dial("nowhere.example", Ok(Vec::new())).unwrap_err();
    assert_eq!(error.to_string(), "resolving nowhere.example: the name has no address");
    assert!(error.is_closed() && !error.is_timeout());
}

#[test]
fn addresses_are_tried_in_turn_and_each_failure_is_told() {
    use Address::{Connects, IsSilent, Refuses, Resets};
    let connected = dial("example.org", Ok(vec![(FIRST, Refuses), (SECOND, Connects)]));
    assert_eq!(connected.unwrap(), SECOND.parse().unwrap());

    let error = dial("example.org", Ok(vec![(FIRST, Refuses), (SECOND, Resets)])).unwrap_err();
    let told = "connecting to example.org:80: [::1]:80: connection refused; \
                127.0.0.1:80: connection reset";
    assert_eq!(error.to_string(), told);
    assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::ConnectionReset));

    // Time is over for all of them together.
    let late = dial("example.org", Ok(vec![(FIRST, IsSilent), (SECOND, Connects)])).unwrap_err();
    assert_eq!(late.to_string(), "connecting to example.org:80: [::1]:80: took too long");
    assert!(late.is_timeout() && !late.is_closed());
}

#[test]
fn an_address_given_as_such_is_not_told_twice() {
    for (host, address, shown) in
        [("127.0.0.1", SECOND, "127.0.0.1:80"), ("::1", FIRST, "[::1]:80")]
    {
        let error = dial(host, Ok(vec![(address, Address::Refuses)])).unwrap_err();
        assert_eq!(error.to_string(), format!("connecting to {shown}: connection refused"));
    }
}

/// What comes of a step on a clock that goes on by itself.
fn late<T>(step: impl AsyncFnOnce(&mut ClockTimer, Instant) -> Result<T, Error>) -> Error {
    let clock = Clock::new();
    let mut timer = clock.timer();
    let deadline = timer.now() + Duration::from_secs(10);
    let step = pin!(step(&mut timer, deadline));
    let done = poll_at_most(10, step, || clock.advance(Duration::from_secs(10)));
    let Err(error) = done.expect("an end") else { panic!("it is never done") };
    assert!(error.is_timeout() && !error.is_closed(), "{error}");
    error
}

#[test]
fn lookups_and_tls_that_take_too_long_say_so() {
    let resolving = late(async |timer, deadline| {
        let lookup = pending::<io::Result<Vec<SocketAddr>>>();
        let connect = |_| async { Ok(()) };
        opening::dial(("example.org", 80), timer, deadline, lookup, connect).await
    });
    assert_eq!(resolving.to_string(), "resolving example.org: took too long");

    let securing = late(async |timer, deadline| {
        opening::tls("example.org", timer, deadline, pending::<io::Result<()>>()).await
    });
    assert_eq!(securing.to_string(), "TLS with example.org: took too long");
}
