//! The end at its edges: no time at all, more than any clock has, and who is told of it when nobody is waited for.

use core::{cell::RefCell, time::Duration};
use std::rc::Rc;

use hybi::{
    Config, Error, HandshakeError, HostPolicy, Server,
    serve::{Cut, Drain, Incident, Serving, Stage},
};
use hybi_testkit::{script::Script, wire::Side};

use crate::world::{REQUEST, SECOND, Socket, Town, echo, peer, wait};

/// Nobody can be answered in there, so it holds up the end no longer than somebody who asks for nothing.
#[test]
fn a_tls_that_is_not_over_is_not_waited_for() {
    let mut town = Town::serve(echo, |serving| serving);
    town.port.connect_without_end(peer(0));
    town.wait(SECOND);
    drop(town.handle.drain(Drain::default()));
    let (when, report) = town.report();
    assert_eq!(when, 2 * SECOND);
    assert_eq!((report.cut.len(), report.lost, report.refused), (0, 0, 0), "{report}");
    let told = "192.0.2.1:1000: not opened: TLS with the client: took too long";
    assert_eq!(town.incidents(), [told]);

    let mut town = Town::serve(echo, |serving| serving);
    town.port.connect_without_end(peer(0));
    town.settle();
    drop(town.handle.drain(Drain::default().deadline(SECOND / 2)));
    let (when, report) = town.report();
    assert_eq!(when, SECOND / 2);
    assert!(matches!(report.cut[..], [Cut { stage: Stage::Opening, .. }]), "{report:?}");
}

/// `Duration::MAX` says "no limit" here as everywhere.
#[test]
fn no_time_is_too_long() {
    let mut town = Town::serve(echo, |serving| serving);
    let mut clients: Vec<_> = [0, 1].map(|n| town.client(peer(n)).expect("there is room")).into();
    let mut asks = Script::new(town.port.connect(peer(2)), Side::Client);
    let asks = town.world.block_on(async move {
        asks.send(&REQUEST[..9]).await;
        asks
    });
    town.settle();
    let how = Drain::default().deadline(Duration::MAX).over(Duration::MAX);
    drop(town.handle.drain(how.retry_after(Duration::MAX)));
    let answer = town.world.block_on(async move {
        let mut asks = asks;
        asks.send(&REQUEST[9..]).await;
        asks.read_head().await
    });
    let expected = format!("\r\nretry-after: {}\r\n", u64::MAX);
    assert!(answer.to_lowercase().contains(&expected), "{answer}");
    let mut second = clients.pop().expect("two");
    let mut first = clients.pop().expect("two");
    let received = town.world.block_on(async move { first.recv().await });
    assert_eq!(received.expect("in order"), None);
    town.wait(SECOND);
    assert_eq!(town.handle.connections(), 1);
    assert!(town.report.borrow().is_none());
    let echoed = town.world.block_on(async move {
        second.send("still there?").await?;
        let echoed = second.recv().await?;
        drop(second);
        Ok::<_, Error>(echoed)
    });
    assert_eq!(echoed.expect("open"), Some("still there?".into()));
    let (_, report) = town.report();
    assert_eq!((report.closed, report.lost, report.cut.len()), (1, 1, 0), "{report}");
}

/// Whoever is cut while open is told why, also those whose turn never came.
#[test]
fn who_is_cut_while_open_is_told() {
    for cut_at_once in [false, true] {
        let mut town = Town::serve(echo, |serving| serving);
        let seen = Rc::<RefCell<Vec<_>>>::default();
        for n in 0..5 {
            let mut client = town.client(peer(n)).expect("there is room");
            let seen = seen.clone();
            town.world.spawn(format!("client {n}"), async move {
                let ended = client.recv().await;
                let status = client.close_status().expect("it is over");
                seen.borrow_mut().push((n, ended, status.code().as_u16()));
            });
        }
        town.settle();
        let draining = town.handle.drain(Drain::default().deadline(match cut_at_once {
            true => 10 * SECOND,
            false => Duration::ZERO,
        }));
        drop(draining);
        if cut_at_once {
            town.handle.cut();
        }
        let (when, report) = town.report();
        assert_eq!(when, Duration::ZERO);
        let open = |cut: &Cut| cut.stage == Stage::Open;
        assert_eq!(report.cut.iter().filter(|cut| open(cut)).count(), 5, "{report:?}");
        town.settle();
        let seen = seen.borrow();
        assert_eq!(seen.len(), 5);
        for (n, ended, code) in seen.iter() {
            assert_eq!(*code, 1001, "{n}: {ended:?}");
        }
    }
}

/// What is told of a request that no handler saw is told when it is decided, with all that is known of it: the peer may
/// read the answer slowly, and be cut meanwhile.
#[test]
fn a_refusal_is_told_before_it_is_read() {
    let say = |incident: &Incident<'_>| match incident {
        Incident::NotOpened { peer, error, request, .. } => {
            let status = error.handshake().and_then(HandshakeError::status);
            let target = request.map(|request| request.uri().to_string());
            format!("{:?} {status:?} {target:?}", peer.map(|peer| peer.port()))
        }
        incident => incident.to_string(),
    };
    let mut town = Town::heard_by(
        |listener| {
            let hosts = HostPolicy::List(vec!["example.org".parse().expect("a pattern")]);
            let config = Config::default().handshake_timeout(60 * SECOND);
            let server = Server::builder().hosts(hosts).config(config).build();
            Serving::new(listener, server, echo)
        },
        say,
    );
    let elsewhere = REQUEST.replace("example.org", "example.net");
    let requests = [
        (elsewhere.as_str(), " 421 "),
        ("GET /page HTTP/1.1\r\nHost: example.org\r\n\r\n", " 426 "),
        ("nonsense\r\n\r\n", " 400 "),
        (&REQUEST[..9], " 503 "),
    ];
    for (n, (request, then)) in (0..).zip(requests) {
        let request = request.to_owned();
        let mut script = Script::new(town.port.connect(peer(n)), Side::Client);
        let clock = town.world.clock().clone();
        town.world.spawn(format!("client {n}"), async move {
            script.send(request).await;
            assert!(script.read_head().await.contains(then), "{n}");
            // It stays.
            wait(clock.timer(), 60 * SECOND).await;
        });
    }
    town.settle();
    drop(town.handle.drain(Drain::default().deadline(SECOND + SECOND / 10)));
    let _ = town.report();
    let mut incidents = town.incidents();
    incidents.sort();
    assert_eq!(
        incidents,
        [
            "Some(1000) Some(421) Some(\"/garden\")",
            "Some(1001) Some(426) Some(\"/page\")",
            "Some(1002) Some(400) None",
            "Some(1003) Some(503) None",
        ]
    );
}

/// A peer that subscribes and says more behind that, which nobody will read: whoever only sends from then on is closed
/// all the same, after a second.
#[test]
fn what_nobody_reads_puts_off_no_end() {
    let mut town = Town::new(|listener| {
        let clock = listener.clock();
        Serving::new(listener, Server::default(), move |mut ws: Socket| {
            let clock = clock.clone();
            async move {
                let subscribed = ws.recv().await?;
                assert_eq!(subscribed, Some("subscribe".into()));
                while ws.send("news").await.is_ok() {
                    wait(clock.timer(), SECOND / 10).await;
                }
                while ws.recv().await?.is_some() {}
                Ok::<_, Error>(())
            }
        })
    });
    let mut client = town.client(peer(0)).expect("there is room");
    let mut client = town.world.block_on(async move {
        client.feed("subscribe").await.expect("open");
        client.feed("and more").await.expect("open");
        client.flush().await.expect("open");
        client
    });
    town.wait(SECOND);
    let began = town.world.clock().elapsed();
    drop(town.handle.drain(Drain::default()));
    let code = town.world.block_on(async move {
        while client.recv().await.expect("in order").is_some() {}
        client.close_status().expect("it is over").code().as_u16()
    });
    assert_eq!(code, 1001);
    let (when, report) = town.report();
    assert_eq!((report.closed, report.cut.len()), (1, 0), "{report}");
    assert!(when - began < 2 * SECOND, "{:?}", when - began);
}
