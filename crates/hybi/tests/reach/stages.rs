//! Stages: which there were on the way, in which order, and how long each took.

use core::{future::pending, time::Duration};
use std::sync::{Arc, Mutex};

use hybi::{Client, ClientBuilder, opening::Stage};
use hybi_testkit::world::World;

use crate::network::{Host, MILLISECOND, Network, SECOND, accept, wait};

const PROXY: &str = "192.0.2.9:443";
const SERVER: &str = "192.0.2.1:443";

type Told = Arc<Mutex<Vec<(Stage, Duration)>>>;

fn observed(client: ClientBuilder) -> (Client, Told) {
    let told = Told::default();
    let telling = told.clone();
    let client = client
        .on_stage(move |stage, took| telling.lock().expect("not poisoned").push((stage, took)));
    (client.build().expect("lawful"), told)
}

/// What is told of connecting to `uri`, which succeeds: to a server, or a proxy in front of it, both of whom take their time.
fn told(client: ClientBuilder, uri: &str) -> Vec<(Stage, u128)> {
    let mut world = World::new();
    let network = Network::new(&world);
    network.name("server.example", &["192.0.2.7:443", SERVER]).name("proxy.example", &[PROXY]);
    network.host("192.0.2.7:443", Host::Silent);
    for address in [SERVER, PROXY] {
        network.host(address, Host::Listens(5 * MILLISECOND));
        let (there, clock) = (network.clone(), world.clock().clone());
        world.spawn(format!("host at {address}"), async move {
            let mut script = there.accept(address).await;
            if address == PROXY {
                script.read_head().await;
                wait(&clock, 3 * SECOND).await;
                script.send("HTTP/1.1 200 Connection established\r\n\r\n").await;
            }
            let request = script.read_head().await;
            wait(&clock, SECOND).await;
            accept(&mut script, &request).await;
            pending::<()>().await;
        });
    }
    network.tls_takes(2 * SECOND);
    let (client, told) = observed(client);
    let (opened, _) = network.connect(&mut world, client, uri);
    opened.expect("it is connected");
    let told = told.lock().expect("not poisoned");
    told.iter().map(|(stage, took)| (*stage, took.as_millis())).collect()
}

#[test]
fn each_is_told_once_it_is_over() {
    let direct = |lookup: &[(Stage, u128)], connect| {
        let rest = [(Stage::Connect, connect), (Stage::Tls, 2000), (Stage::Handshake, 1000)];
        [lookup, &rest].concat()
    };
    // The second address had its head start to wait for.
    let lookup = [(Stage::Lookup, 0)];
    assert_eq!(told(Client::builder(), "wss://server.example/"), direct(&lookup, 255));
    assert_eq!(told(Client::builder(), "wss://192.0.2.1/"), direct(&[], 5));
    let plain = [(Stage::Connect, 5), (Stage::Handshake, 1000)];
    assert_eq!(told(Client::builder(), "ws://192.0.2.1:443/"), plain);
    let by_proxy = Client::builder().proxy("https://proxy.example:443");
    let expected = [
        (Stage::Lookup, 0),
        (Stage::Connect, 5),
        (Stage::Tls, 2000),
        (Stage::Proxy, 3000),
        (Stage::Tls, 2000),
        (Stage::Handshake, 1000),
    ];
    let told = told(by_proxy, "wss://server.example/");
    assert_eq!(told, expected);
}

/// Also what failed took its time, and no stage is told that was not begun.
#[test]
fn what_failed_is_told_as_well() {
    for (host, expected) in [
        ("nowhere.example", &[(Stage::Lookup, 0)][..]),
        ("silent.example", &[(Stage::Lookup, 10_000)]),
        ("dead.example", &[(Stage::Lookup, 0), (Stage::Connect, 10_000)]),
    ] {
        let mut world = World::new();
        let network = Network::new(&world);
        network.name("dead.example", &["192.0.2.3:80"]).host("192.0.2.3:80", Host::Silent);
        let (client, told) = observed(Client::builder());
        let (opened, _) = network.connect(&mut world, client, format!("ws://{host}/"));
        opened.expect_err("nobody is there");
        let told = told.lock().expect("not poisoned");
        let told: Vec<_> = told.iter().map(|(stage, took)| (*stage, took.as_millis())).collect();
        assert_eq!(told, expected, "{host}");
    }
}
