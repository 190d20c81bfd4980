//! What connections hold, quiet and busy.

use hybi_compression::{Compress, Deflate};
use hybi_testkit::allocator::Meter;

use crate::support::endpoint::{Endpoint, pair};
use crate::support::text::{noise, record};

fn exchange(client: &mut Endpoint, server: &mut Endpoint, messages: u64, bytes: usize) {
    for seed in 0..messages {
        let message = record(bytes, seed);
        let wire = client.send(&message, Compress::Auto, usize::MAX);
        assert!(server.receive_one(&wire) == message);
        let wire = server.send(&message, Compress::Auto, usize::MAX);
        assert!(client.receive_one(&wire) == message);
    }
}

/// Ten messages of 1 KiB each way: what is kept of both ends of many such connections.
#[test]
fn a_parked_connection_costs_a_few_kilobytes() {
    // What a thread keeps for all of them is there before.
    let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
    exchange(&mut client, &mut server, 10, 1024);
    client.chain.park();
    server.chain.park();

    let meter = Meter::start();
    let mut pairs = Vec::new();
    for _ in 0..50 {
        let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
        exchange(&mut client, &mut server, 10, 1024);
        client.chain.park();
        server.chain.park();
        pairs.push((client, server));
    }
    let each = meter.held() / 100;
    assert!(each < 12 * 1024, "{each} bytes an endpoint");
    // They are still connections.
    for (client, server) in &mut pairs {
        exchange(client, server, 2, 1024);
        client.chain.park();
        server.chain.park();
    }
    let each = meter.held() / 100;
    assert!(each < 16 * 1024, "{each} bytes an endpoint, later");
}

/// Whatever was exchanged, parked there are no more than two windows of it.
#[test]
fn a_parked_connection_keeps_no_more_than_its_windows() {
    let small = if Deflate::HAS_WINDOW_BITS { 9 } else { 15 };
    for (bits, most) in [(15, 2 * (32 << 10)), (small, 2 << small)] {
        let deflate = Deflate::default().own_window_bits(bits).peer_window_bits(bits);
        let (mut client, mut server) = pair(deflate, deflate);
        exchange(&mut client, &mut server, 3, 1024);
        client.chain.park();
        server.chain.park();
        drop((client, server));

        let (mut client, mut server) = pair(deflate, deflate);
        let meter = Meter::start();
        for seed in 0..20 {
            let noise = noise(10_000, seed);
            let wire = client.send(&noise, Compress::Always, usize::MAX);
            assert!(server.receive_one(&wire) == noise);
            let wire = server.send(&noise, Compress::Always, usize::MAX);
            assert!(client.receive_one(&wire) == noise);
        }
        client.chain.park();
        server.chain.park();
        let held = meter.held();
        assert!(held < 2 * most + 4096, "{bits} bits: {held}");
    }
}

/// States are few however many connections there are: past some number, each is told to give its
/// own back whenever it waits.
#[test]
fn many_connections_share_few_states() {
    let meter = Meter::start();
    let mut pairs: Vec<_> =
        (0..400).map(|_| pair(Deflate::default(), Deflate::default())).collect();
    for _ in 0..2 {
        for (client, server) in &mut pairs {
            exchange(client, server, 1, 1024);
            for end in [client, server] {
                if end.chain.should_park_now() {
                    end.chain.park();
                }
            }
        }
    }
    let active = pairs.iter().filter(|(client, _)| client.chain.is_active()).count();
    assert!((10..150).contains(&active), "{active}");
    assert!(meter.peak() < 120 << 20, "{}", meter.peak());
}

/// States come back to the thread and serve the next connection: nothing is made for it.
#[test]
fn states_are_used_again() {
    let deflate = Deflate::default();
    let (mut client, mut server) = pair(deflate, deflate);
    exchange(&mut client, &mut server, 3, 1024);
    drop((client, server));
    let (mut client, mut server) = pair(deflate, deflate);
    let meter = Meter::start();
    exchange(&mut client, &mut server, 3, 1024);
    assert!(meter.peak() < 100 << 10, "{}", meter.peak());
    drop((client, server));

    let deflate = deflate.own_context_takeover(false).peer_context_takeover(false);
    let (mut client, mut server) = pair(deflate, deflate);
    exchange(&mut client, &mut server, 3, 1024);
    let meter = Meter::start();
    exchange(&mut client, &mut server, 3, 1024);
    assert!(meter.peak() < 100 << 10 && meter.held() < 1024, "{} {}", meter.peak(), meter.held());
}
