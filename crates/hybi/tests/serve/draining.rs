//! The end: in order and at a rate, and in any case.

use core::{
    cell::RefCell,
    future::pending,
    num::NonZero,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{rc::Rc, sync::Arc};

use hybi::{
    CloseCode, Config, Error, Server,
    serve::{Cut, Drain, Serving, Stage},
};
use hybi_testkit::{link::Conditions, script::Script, wire::Side};

use crate::world::{REQUEST, SECOND, Socket, Town, echo, open, peer, wait};

fn per_second(connections: u32) -> Drain {
    Drain::default().per_second(NonZero::new(connections).expect("not zero"))
}

fn drain(town: &Town, drain: Drain) {
    // What it gives need not be polled.
    drop(town.handle.drain(drain));
}

/// A server whose connections wait so long for the peer's Close frame.
fn with_close_timeout(time: Duration) -> Town {
    Town::new(|listener| {
        let config = Config::default().close_timeout(time);
        Serving::new(listener, Server::builder().config(config).build(), echo)
    })
}

/// Who saw the Close frame when, and which.
type Seen = Rc<RefCell<Vec<(u16, Duration, CloseCode, String)>>>;

/// Clients that connect one after the other and stay until they are sent away.
fn crowd(town: &mut Town, clients: u16) -> Seen {
    let seen = Seen::default();
    for n in 0..clients {
        let mut client = town.client(peer(n)).expect("there is room");
        let (seen, clock) = (seen.clone(), town.world.clock().clone());
        town.world.spawn(format!("client {n}"), async move {
            let ended = client.recv().await;
            assert!(matches!(ended, Ok(None)), "{n}: {ended:?}");
            let status = client.close_status().expect("it is over");
            assert!(status.is_clean(), "{n}");
            let entry = (n, clock.elapsed(), status.code(), status.reason().to_owned());
            seen.borrow_mut().push(entry);
        });
    }
    seen
}

#[test]
fn connections_are_closed_in_order_and_at_the_rate() {
    for clients in [1, 7, 1000] {
        let mut town = Town::serve(echo, |serving| serving);
        let seen = crowd(&mut town, clients);
        town.wait(3 * SECOND);
        assert!(seen.borrow().is_empty());
        let how = per_second(200).close_with(CloseCode::SERVICE_RESTART, "new version");
        drain(&town, how.expect("a code for servers"));
        let (when, report) = town.report();
        assert_eq!(report.closed, usize::from(clients));
        assert_eq!((report.lost, report.refused, report.cut.len()), (0, 0, 0));
        let step = SECOND / 200;
        let last = 3 * SECOND + step * u32::from(clients - 1);
        assert!(when >= last && when <= last + SECOND / 100, "{when:?}");
        town.settle();
        let expected: Vec<_> = (0..clients)
            .map(|n| {
                let time = 3 * SECOND + step * u32::from(n);
                (n, time, CloseCode::SERVICE_RESTART, "new version".to_owned())
            })
            .collect();
        assert_eq!(*seen.borrow(), expected);
        assert!(town.port.is_closed());
    }
}

#[test]
fn a_window_is_divided_evenly() {
    let mut town = Town::serve(echo, |serving| serving);
    let seen = crowd(&mut town, 40);
    drain(&town, Drain::default().over(10 * SECOND));
    let _ = town.report();
    town.settle();
    let times: Vec<_> = seen.borrow().iter().map(|(_, time, ..)| *time).collect();
    let expected: Vec<_> = (0..40).map(|n| 10 * SECOND / 40 * n).collect();
    assert_eq!(times, expected);
    assert!(seen.borrow().iter().all(|(_, _, code, _)| *code == CloseCode::GOING_AWAY));
}

#[test]
fn all_at_once_if_so_wanted() {
    let mut town = Town::serve(echo, |serving| serving);
    let seen = crowd(&mut town, 40);
    drain(&town, Drain::default().over(Duration::ZERO));
    let (_, report) = town.report();
    town.settle();
    assert_eq!(report.closed, 40);
    assert!(seen.borrow().iter().all(|(_, time, ..)| time.is_zero()));
}

#[test]
fn nobody_there_is_the_end() {
    let mut town = Town::serve(echo, |serving| serving);
    town.wait(SECOND);
    drain(&town, Drain::default());
    assert_eq!(town.report().0, SECOND);
    assert!(town.port.is_closed() && town.handle.is_draining());
}

/// Asked before it was ever polled.
#[test]
fn the_end_may_come_first() {
    let mut town = Town::serve(echo, |serving| serving);
    drain(&town, Drain::default());
    assert_eq!(town.report().0, Duration::ZERO);
}

/// Messages in hand are answered first; a peer that sends without a pause does not put the end off.
#[test]
fn a_busy_connection_finishes_what_it_has_in_hand() {
    let mut town = Town::serve(
        |mut ws: Socket| async move {
            while let Some(message) = ws.recv().await? {
                ws.send(message).await?;
            }
            Ok::<_, Error>(())
        },
        |serving| serving,
    );
    let slow = Conditions::default().delay(SECOND / 10);
    let (stream, timer) = (town.port.connect_by(slow, peer(0)), town.world.clock().timer());
    let mut client = town.world.block_on(open(stream, timer)).expect("there is room");
    let counts = Rc::new(RefCell::new((0_u32, 0_u32)));
    let counting = counts.clone();
    let clock = town.world.clock().clone();
    town.world.spawn("busy", async move {
        let mut next = 0;
        loop {
            // Five at a time, and no more than twenty without an answer.
            for _ in 0..5 {
                if client.send(next.to_string()).await.is_ok() {
                    next += 1;
                }
            }
            counting.borrow_mut().0 = next;
            for _ in 0..5 {
                match client.recv().await.expect("in order") {
                    Some(message) => {
                        let at = counting.borrow().1;
                        assert_eq!(message.as_text(), Some(at.to_string().as_str()));
                        counting.borrow_mut().1 += 1;
                    }
                    None => return,
                }
            }
            wait(clock.timer(), SECOND / 100).await;
        }
    });
    town.wait(5 * SECOND);
    drain(&town, Drain::default());
    let (_, report) = town.report();
    assert_eq!((report.closed, report.lost, report.cut.len()), (1, 0, 0));
    town.settle();
    let (sent, answered) = *counts.borrow();
    assert!(answered >= 20 && answered <= sent, "{answered} of {sent}");
}

/// Requests that come while it ends: on its way, not begun, not yet accepted, and one that a handler thinks about.
#[test]
fn requests_get_503() {
    let mut town = Town::new(|listener| {
        Serving::requests(listener, Server::default(), |incoming| async move {
            // It thinks until the second bell.
            hybi_testkit::world::pause().await;
            echo(incoming.accept().await?).await
        })
    });
    let answers = Rc::new(RefCell::new(Vec::new()));
    let half = REQUEST.len() / 2;
    // What each says before, and what after.
    let cases =
        [("half", &REQUEST[..half], &REQUEST[half..]), ("nothing", "", REQUEST), ("never", "", "")];
    for (n, (name, before, after)) in (0..).zip(cases) {
        let mut script = Script::new(town.port.connect(peer(n)), Side::Client);
        let (answers, clock) = (answers.clone(), town.world.clock().clone());
        town.world.spawn(name, async move {
            script.send(before).await;
            wait(clock.timer(), 2 * SECOND).await;
            script.send(after).await;
            let answer = script.read_head().await;
            answers.borrow_mut().push((name, clock.elapsed(), answer));
            script.end().await;
        });
    }
    town.wait(2 * SECOND - SECOND / 100);
    let queued = town.port.connect(peer(3));
    let how = Drain::default().retry_after(Duration::from_millis(2500));
    drain(&town, how);
    let (answering, clock) = (answers.clone(), town.world.clock().clone());
    town.world.spawn("queued", async move {
        let mut script = Script::new(queued, Side::Client);
        script.send(REQUEST).await;
        let answer = script.read_head().await;
        answering.borrow_mut().push(("queued", clock.elapsed(), answer));
        script.end().await;
    });
    let (when, report) = town.report();
    assert_eq!((report.refused, report.closed, report.lost), (4, 0, 0));
    assert!(report.cut.is_empty(), "{report:?}");
    town.settle();
    let answers = answers.borrow();
    let times: Vec<_> = answers.iter().map(|(name, time, _)| (*name, time.as_millis())).collect();
    // Who never asks is told after a second, and is not waited for any longer.
    assert_eq!(times, [("queued", 1990), ("half", 2000), ("nothing", 2000), ("never", 2990)]);
    assert!(when <= 4 * SECOND, "{when:?}");
    for (name, _, answer) in answers.iter() {
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{name}: {answer}");
        assert!(answer.to_lowercase().contains("\r\nretry-after: 3\r\n"), "{name}: {answer}");
    }
}

/// A handler that is still deciding when the end is asked for: its `accept` refuses.
#[test]
fn a_request_that_is_thought_about_gets_503() {
    let bell = Arc::new(AtomicBool::new(false));
    let rings = bell.clone();
    let mut town = Town::new(|listener| {
        Serving::requests(listener, Server::default(), move |incoming| {
            let bell = rings.clone();
            async move {
                while !bell.load(Ordering::Relaxed) {
                    hybi_testkit::world::pause().await;
                }
                echo(incoming.accept().await?).await
            }
        })
    });
    let mut script = Script::new(town.port.connect(peer(0)), Side::Client);
    let script = town.world.block_on(async move {
        script.send(REQUEST).await;
        for _ in 0..20 {
            hybi_testkit::world::pause().await;
        }
        script
    });
    drain(&town, Drain::default());
    bell.store(true, Ordering::Relaxed);
    let answer = town.world.block_on(async move {
        let mut script = script;
        script.read_head().await
    });
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(town.report().1.refused, 1);
}

/// Opens a connection and says nothing from then on: no answer to any Close frame.
fn silent(town: &mut Town, n: u16) -> Script<hybi_testkit::link::End> {
    let stream = town.port.connect(peer(n));
    town.world.block_on(async move {
        let mut script = Script::new(stream, Side::Client);
        script.send(REQUEST).await;
        assert!(script.read_head().await.starts_with("HTTP/1.1 101 "));
        script
    })
}

#[test]
fn silent_peers_are_cut_at_the_deadline_and_named() {
    let mut town = with_close_timeout(600 * SECOND);
    let mut kept = Vec::new();
    let seen = crowd(&mut town, 10);
    for n in [20, 21, 22] {
        kept.push(silent(&mut town, n));
    }
    drain(&town, per_second(100).deadline(10 * SECOND));
    let (when, report) = town.report();
    assert_eq!(when.as_secs(), 10);
    assert_eq!((report.closed, report.lost), (10, 0));
    let expected = [20, 21, 22].map(|n| {
        (Some(peer(n)), Stage::Closing, format!("{}: cut in the closing handshake", peer(n)))
    });
    let cut: Vec<_> = report.cut.iter().map(|cut| (cut.peer, cut.stage, cut.to_string())).collect();
    assert_eq!(cut, expected);
    assert_eq!(seen.borrow().len(), 10);
    // Told they were.
    for mut script in kept {
        town.world.block_on(async move {
            script.expect(0x88, b"\x03\xe9server going away").await;
        });
    }
}

/// The deadline of the connection itself is nearer: they are named all the same, and not waited for.
#[test]
fn silent_peers_are_named_whoever_cut_them() {
    let mut town = with_close_timeout(2 * SECOND);
    let _kept = silent(&mut town, 20);
    drain(&town, Drain::default());
    let (when, report) = town.report();
    assert_eq!(when.as_secs(), 2);
    assert_eq!(report.closed, 0);
    assert!(matches!(report.cut[..], [Cut { stage: Stage::Closing, .. }]), "{report:?}");
}

/// Notes that it was dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Handlers that do not look at the connection, and one that never returns: each is cut, named, and dropped.
#[test]
fn whatever_hangs_is_cut() {
    let dropped = Arc::<AtomicUsize>::default();
    let guards = dropped.clone();
    let mut town = Town::serve(
        move |mut ws: Socket| {
            let guard = Guard(guards.clone());
            async move {
                let _guard = guard;
                let first = ws.recv().await;
                if matches!(first, Ok(Some(_))) {
                    // It waits for something else for ever.
                    pending::<()>().await;
                }
                drop(ws);
                pending::<()>().await;
            }
        },
        |serving| serving,
    );
    let mut deaf = town.client(peer(0)).expect("there is room");
    let mut deaf = town.world.block_on(async move {
        deaf.send("think about that").await.expect("open");
        deaf
    });
    let polite = town.client(peer(1)).expect("there is room");
    let mut polite_one = polite;
    town.world.spawn("polite", async move {
        assert!(matches!(polite_one.recv().await, Ok(None)));
    });
    town.wait(SECOND);
    drain(&town, Drain::default().deadline(5 * SECOND));
    let (when, report) = town.report();
    assert_eq!(when, 6 * SECOND);
    let cut: Vec<_> = report.cut.iter().map(|cut| (cut.peer, cut.stage)).collect();
    let expected = [(0, Stage::Open), (1, Stage::Ended)].map(|(n, stage)| (Some(peer(n)), stage));
    assert_eq!(cut, expected);
    assert_eq!((report.closed, report.lost), (0, 0));
    assert_eq!(dropped.load(Ordering::Relaxed), 2, "handlers are dropped");
    let ended = town.world.block_on(async move { deaf.recv().await });
    assert!(matches!(ended, Err(Error::Lost | Error::Transport(_))), "{ended:?}");
}

/// A peer that vanished, and a handler that drops its connection, are not cut.
#[test]
fn who_is_lost_is_counted() {
    let mut town = Town::serve(
        |mut ws: Socket| async move {
            match ws.recv().await {
                // It answers nothing and leaves.
                Ok(Some(_)) => {}
                _ => drop(ws),
            }
        },
        |serving| serving,
    );
    let gone = town.client(peer(0)).expect("there is room");
    let mut rude = town.client(peer(1)).expect("there is room");
    let _stays = silent(&mut town, 2);
    drain(&town, per_second(1).deadline(20 * SECOND));
    drop(gone);
    town.settle();
    town.world.block_on(async move {
        let _ = rude.send("leave").await;
        let _ = rude.recv().await;
    });
    let (_, report) = town.report();
    assert_eq!((report.closed, report.lost, report.cut.len()), (0, 2, 1), "{report}");
}

/// The second signal.
#[test]
fn what_is_left_may_be_cut_now() {
    let mut town = with_close_timeout(600 * SECOND);
    let _kept = silent(&mut town, 0);
    drain(&town, Drain::default().deadline(3600 * SECOND));
    town.wait(SECOND);
    town.handle.cut();
    let (when, report) = town.report();
    assert_eq!((when, report.cut.len()), (SECOND, 1));
    // Of a server that nobody asked to end before.
    let mut town = Town::serve(echo, |serving| serving);
    let _client = town.client(peer(0)).expect("there is room");
    town.handle.cut();
    let (when, report) = town.report();
    assert_eq!(when, Duration::ZERO);
    assert!(matches!(report.cut[..], [Cut { stage: Stage::Open, .. }]), "{report:?}");
}

/// Whoever waits for the end is told, if nobody serves any more: everything is cut.
#[test]
fn a_server_that_is_dropped_has_ended() {
    let mut town = with_close_timeout(600 * SECOND);
    let mut client = town.client(peer(0)).expect("there is room");
    let waiting = [town.handle.drain(Drain::default()), town.handle.drain(Drain::default())];
    let later = town.handle.clone();
    town.abandon();
    assert!(town.port.is_closed());
    for waiting in waiting {
        let report = town.world.block_on(waiting);
        assert_eq!(report.cut.len(), 1);
    }
    let report = town.world.block_on(async move { later.drain(Drain::default()).await });
    assert_eq!(report.cut.len(), 1);
    let ended = town.world.block_on(async move { client.recv().await });
    assert!(matches!(ended, Err(Error::Lost | Error::Transport(_))), "{ended:?}");
    assert_eq!(town.handle.connections(), 0);
}

/// Only the first call says how.
#[test]
fn the_first_call_says_how() {
    let mut town = Town::serve(echo, |serving| serving);
    let seen = crowd(&mut town, 3);
    drain(&town, per_second(1));
    drain(&town, per_second(1000));
    let _ = town.report();
    town.settle();
    let times: Vec<_> = seen.borrow().iter().map(|(_, time, ..)| time.as_secs()).collect();
    assert_eq!(times, [0, 1, 2]);
}

#[test]
fn what_no_server_may_say_is_refused() {
    let long = "x".repeat(124);
    for (code, reason) in [(CloseCode::ABNORMAL, ""), (CloseCode::GOING_AWAY, long.as_str())] {
        let error = Drain::default().close_with(code, reason).expect_err("it may not be sent");
        assert!(matches!(error, Error::CloseFrame(_)), "{error}");
    }
}
