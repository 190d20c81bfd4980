//! A process with more connections than there is room for compression state: the states of those that
//! were quiet for longest make room (`Deflate::set_budget`). Alone in its process, which it crowds.
#![cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]

use std::{sync::Arc, time::Instant};

use hybi::{
    Config, Connection, Deflate, Message, Negotiated, Role, Version,
    extension::{Agreed, Extension as _},
};
use hybi_suite::allocator::{Counting, Meter};

#[global_allocator]
static COUNTING: Counting = Counting;

const MIB: usize = 1024 * 1024;

/// What permessage-deflate is between a client and a server that want nothing special.
fn agreed() -> Agreed {
    let deflate = Deflate::default();
    let offers = deflate.offers();
    deflate.accept(&offers[0]).expect("acceptable")
}

fn connection(role: Role) -> Connection {
    let negotiated = Negotiated::new(Version::RFC6455, None, vec![agreed()]);
    // None of them would park by itself.
    let config = Config::default().ping_interval(None).park_after(None);
    Connection::new(role, negotiated, Arc::new(config))
}

/// Sends a message, and lets both endpoints wait afterwards.
fn say(from: &mut Connection, to: &mut Connection, text: &str, now: Instant) {
    from.queue(text).expect("open");
    let mut wire = from.transmit_to_vec();
    let (_, event) = to.handle_input(&mut wire);
    assert_eq!(event.map(Message::from), Some(Message::text(text)));
    for connection in [from, to] {
        assert_eq!(connection.poll_timeout(|| now), None);
    }
}

#[test]
fn a_crowd_keeps_within_the_budget() {
    const PAIRS: usize = 300;
    let now = Instant::now();
    let meter = Meter::start();
    let mut pairs: Vec<_> =
        (0..PAIRS).map(|_| [connection(Role::Client), connection(Role::Server)]).collect();
    for turn in 0..4 {
        for (number, [client, server]) in pairs.iter_mut().enumerate() {
            let text = format!("{{\"turn\":{turn},\"number\":{number}}}").repeat(20);
            say(client, server, &text, now);
            say(server, client, &text, now);
        }
    }
    // Four states a pair would be 1,200, or some 250 MiB.
    assert!(meter.peak() < 32 * MIB, "{} bytes", meter.peak());
    assert!(meter.held() > 14 * MIB, "what there is room for is kept: {}", meter.held());
    assert!((14 * MIB..=16 * MIB).contains(&Deflate::budget_used()));
    drop(pairs);

    // Whoever only sends never waits here.
    let meter = Meter::start();
    let mut pairs: Vec<_> =
        (0..PAIRS).map(|_| [connection(Role::Client), connection(Role::Server)]).collect();
    for turn in 0..3 {
        for (number, [client, server]) in pairs.iter_mut().enumerate() {
            let text = format!("{{\"turn\":{turn},\"number\":{number}}}").repeat(20);
            server.queue(&*text).expect("open");
            let mut wire = server.transmit_to_vec();
            let (_, event) = client.handle_input(&mut wire);
            assert_eq!(event.map(Message::from), Some(Message::text(text)));
        }
    }
    assert!(meter.peak() < 32 * MIB, "{} bytes", meter.peak());
    drop(pairs);

    // Those that keep theirs because the peer does not end its message take no room from others.
    let mut held: Vec<_> = (0..PAIRS).map(|_| connection(Role::Server)).collect();
    for server in &mut held {
        assert!(server.handle_input(&mut b"\x42\x81\0\0\0\0\xf2".to_vec()).1.is_none());
    }
    let [mut client, mut server] = [connection(Role::Client), connection(Role::Server)];
    let text = "honest ".repeat(100);
    say(&mut client, &mut server, &text, now);
    let meter = Meter::start();
    say(&mut client, &mut server, &text, now);
    assert!(meter.held() < 10_000, "its state was there still: {}", meter.held());
    client.queue(&*text).expect("open");
    assert!(client.queued_bytes() < 30, "{} bytes", client.queued_bytes());
    // miniz_oxide has some 64 KiB for the time of a call; a state that is made again has more.
    let most = if Deflate::HAS_WINDOW_BITS { 40_000 } else { 80_000 };
    assert!(meter.peak() < most, "nothing was made again: {}", meter.peak());
}
