//! Several listeners of one server, and what it has for a log of accesses.

use core::time::Duration;

use hybi::{
    Config, HostPolicy, Server,
    serve::{Arrival, Drain, Incident, Serving},
};
use hybi_testkit::{link::Conditions, script::Script, wire::Side};

use crate::world::{REQUEST, SECOND, Town, echo, open, peer};

fn for_host(host: &str) -> Server {
    let hosts = HostPolicy::List(vec![host.parse().expect("a pattern")]);
    Server::builder().hosts(hosts).build()
}

/// One limit and one end for all, and to each its own rules.
#[test]
fn each_has_its_own_rules_and_all_have_one_limit_and_one_end() {
    let mut town = Town::new(|listener| {
        Serving::new(listener, for_host("example.org"), echo).max_connections(2)
    });
    let by = |town: &Town, host: &str| {
        let server = for_host(host);
        town.port.connect_as(Conditions::default(), |opening| {
            Arrival::new(opening).of(peer(1)).judged_by(server)
        })
    };
    let answer = |town: &mut Town, stream| {
        town.world.block_on(async move {
            let mut script = Script::new(stream, Side::Client);
            script.send(REQUEST).await;
            script.read_head().await
        })
    };
    // The request is for example.org.
    let inner = by(&town, "inner.example.org");
    assert!(answer(&mut town, inner).starts_with("HTTP/1.1 421 "));
    let timer = town.world.clock().timer();
    let stream = by(&town, "example.org");
    let first = town.world.block_on(open(stream, timer)).expect("its host");
    let second = town.client(peer(2)).expect("the server's host");
    let third = by(&town, "example.org");
    assert!(answer(&mut town, third).starts_with("HTTP/1.1 503 "));

    drop(town.handle.drain(Drain::default()));
    for mut ws in [first, second] {
        let received = town.world.block_on(async move { ws.recv().await });
        assert_eq!(received.expect("in order"), None);
    }
    let (_, report) = town.report();
    assert_eq!((report.closed, report.cut.len()), (2, 0), "{report}");
}

/// Where the handler sees nothing of a request, whoever keeps a log is told: who, what, how answered, how long.
#[test]
fn what_no_handler_saw_can_be_logged() {
    let say = |incident: &Incident<'_>| match incident {
        Incident::NotOpened { peer, error, request, accepted_at, .. } => {
            let status = error.handshake().and_then(hybi::HandshakeError::status);
            let request = request.map(|request| format!("{} {}", request.method(), request.uri()));
            let peer = peer.map_or(0, |peer| peer.port());
            format!("{peer} {request:?} {status:?} {:?}", accepted_at.elapsed() < SECOND)
        }
        incident => incident.to_string(),
    };
    let mut town = Town::heard_by(
        |listener| {
            let config = Config::default().handshake_timeout(3 * SECOND);
            let server = Server::builder().config(config).build();
            Serving::new(listener, server, echo).max_connections(1)
        },
        say,
    );
    assert!(town.ask(peer(0), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n").contains(" 426 "));
    town.settle();
    assert!(town.ask(peer(1), "nonsense\r\n\r\n").contains(" 400 "));
    town.settle();
    let _first = town.client(peer(2)).expect("there is room");
    assert!(town.ask(peer(3), REQUEST).contains(" 503 "));
    town.settle();
    assert_eq!(
        town.incidents(),
        [
            "1000 Some(\"GET /plain\") Some(426) true",
            "1001 None Some(400) true",
            "192.0.2.1:1003: too many connections",
            "1003 Some(\"GET /garden\") Some(503) true",
        ]
    );
    town.wait(Duration::ZERO);
}
