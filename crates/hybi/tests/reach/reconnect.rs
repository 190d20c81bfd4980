//! A client that comes back: when, how often, with what, and when no more.

use core::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use std::{
    io::ErrorKind,
    sync::{Arc, Mutex},
};

use hybi::{
    Client, Error, Request,
    io::Timer as _,
    reconnect::{Attempt, Backoff, Ended, GaveUp, Pause, Reconnecting},
};
use hybi_testkit::{
    link::End,
    script::Script,
    wire::{CLOSE, close_payload},
    world::World,
};

use crate::network::{Host, Network, SECOND, answer, wait};

const ADDRESS: &str = "192.0.2.1:80";
const URI: &str = "ws://news.example/";

/// What the server does with one client after the other.
#[derive(Clone, Copy)]
enum Turn {
    /// Answers with this status and these fields.
    Refuse(&'static str),
    /// Accepts, and breaks off after this time.
    Break(Duration),
    /// Accepts, and closes so after this time.
    Close(u16, Duration),
}

/// A server that takes turns, the last of them over and over.
fn serve(world: &mut World, network: &Network, turns: &'static [Turn]) {
    network.listens("news.example", ADDRESS);
    let (there, clock) = (network.clone(), world.clock().clone());
    world.spawn("server", async move {
        let last = turns[turns.len() - 1];
        for turn in turns.iter().copied().chain(core::iter::repeat_n(last, 1000)) {
            let mut script = there.accept(ADDRESS).await;
            take_turn(&mut script, turn, &clock).await;
        }
    });
}

async fn take_turn(script: &mut Script<End>, turn: Turn, clock: &hybi_testkit::clock::Clock) {
    match turn {
        Turn::Refuse(answer) => {
            script.read_head().await;
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            let _ = script.try_send(answer).await;
        }
        Turn::Break(after) => {
            answer(script).await;
            wait(clock, after).await;
        }
        Turn::Close(code, after) => {
            answer(script).await;
            wait(clock, after).await;
            script.send_frame(CLOSE, &close_payload(code, b"")).await;
            let _ = script.next_frame().await;
        }
    }
}

/// Plays a client for this long: the seconds of its attempts, rounded down, and why it gave up if it did.
fn play(turns: &'static [Turn], backoff: Backoff, time: Duration) -> (Vec<f64>, Option<GaveUp>) {
    let mut world = World::new();
    let network = Network::new(&world);
    serve(&mut world, &network, turns);
    let mut reconnecting =
        Reconnecting::new(network.clone(), Client::default(), URI).backoff(backoff);
    let clock = world.clock().clone();
    let gave_up = world.block_on(async move {
        let playing = async {
            loop {
                let (mut ws, _) = match reconnecting.connect().await {
                    Ok(connected) => connected,
                    Err(why) => return why,
                };
                while let Ok(Some(_)) = ws.recv().await {}
                reconnecting.ended(ws.close_status());
            }
        };
        let mut timer = clock.timer();
        let until = timer.now() + time;
        let mut playing = pin!(playing);
        poll_fn(|cx| match playing.as_mut().poll(cx) {
            Poll::Ready(why) => Poll::Ready(Some(why)),
            Poll::Pending => timer.poll_until(cx, until).map(|()| None),
        })
        .await
    });
    let tried = network.timed().into_iter().filter(|(_, what)| what.starts_with("connect"));
    (tried.map(|(when, _)| when as f64 / 1000.0).collect(), gave_up)
}

fn between(pauses: &[f64], bounds: &[(f64, f64)]) {
    assert!(pauses.len() >= bounds.len(), "{pauses:?}");
    for (pause, (least, most)) in pauses.iter().zip(bounds) {
        assert!((*least..=*most).contains(pause), "{pauses:?}: {least} to {most}");
    }
}

fn pauses(tried: &[f64]) -> Vec<f64> {
    tried.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn the_first_attempt_is_at_once_and_the_pauses_grow() {
    let refusals = &[Turn::Refuse("503 Busy")];
    let (tried, gave_up) = play(refusals, Backoff::default(), 3600 * SECOND);
    assert!(gave_up.is_none());
    assert!(tried[0] < 0.001, "{tried:?}");
    let windows = [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0];
    between(&pauses(&tried), &windows.map(|most| (0.0, most + 0.01)));
    // An hour of pauses of half a minute, more or less.
    assert!((60..=240).contains(&tried.len()), "{}", tried.len());
}

/// An end in order is followed by the same pauses as any other: it is no reason to be asked again at once.
#[test]
fn a_server_that_closes_everybody_is_not_asked_at_once() {
    for turns in [
        &[Turn::Close(1000, Duration::ZERO)][..],
        &[Turn::Close(1001, Duration::ZERO)],
        &[Turn::Break(Duration::ZERO)],
    ] {
        let (tried, gave_up) = play(turns, Backoff::default(), 600 * SECOND);
        assert!(gave_up.is_none());
        assert!((8..=80).contains(&tried.len()), "{}", tried.len());
    }
}

#[test]
fn what_the_peer_asks_for_is_waited_for() {
    let first = |turns, bounds: (f64, f64)| {
        let (tried, _) = play(turns, Backoff::default(), 300 * SECOND);
        between(&pauses(&tried)[..1], &[bounds]);
    };
    first(&[Turn::Refuse("503 Busy\r\nRetry-After: 7")], (7.0, 12.01));
    first(&[Turn::Refuse("429 Slow\r\nRetry-After: 100")], (100.0, 105.01));
    // A date, which needs a clock of the day, is not asked for here.
    first(&[Turn::Refuse("503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT")], (0.0, 5.01));
    first(&[Turn::Close(1012, Duration::ZERO)], (5.0, 30.01));
    first(&[Turn::Close(1013, Duration::ZERO)], (60.0, 65.01));
    let mut backoff = Backoff::default();
    let ever = error("503 Busy\r\nRetry-After: 99999999999");
    assert_eq!(backoff.failed(&ever, 0.0), Pause::For(3600 * SECOND));
}

/// What a client gets that is answered so.
fn error(answer: &str) -> Error {
    let mut handshake = Client::default().handshake(&URI.parse().expect("a URI"));
    let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
    handshake.handle_input(answer.as_bytes()).expect_err("a refusal")
}

#[test]
fn what_will_not_change_ends_it_unless_told_otherwise() {
    for turns in [
        &[Turn::Refuse("401 Unauthorized")][..],
        &[Turn::Refuse("403 Forbidden")],
        &[Turn::Refuse("404 Not Found")],
        &[Turn::Refuse("503 Busy"), Turn::Refuse("410 Gone")],
        &[Turn::Close(1008, Duration::ZERO)],
    ] {
        let (tried, gave_up) = play(turns, Backoff::default(), 600 * SECOND);
        let why = gave_up.expect("it will not change");
        assert_eq!(tried.len(), turns.len(), "{why}");
        match turns[turns.len() - 1] {
            Turn::Refuse(_) => assert!(matches!(why, GaveUp::Failed(Error::Handshake(_))), "{why}"),
            _ => assert!(matches!(&why, GaveUp::Closed(status) if status.code().as_u16() == 1008)),
        }
        let (tried, gave_up) = play(turns, Backoff::default().persistent(true), 600 * SECOND);
        assert!(gave_up.is_none() && tried.len() > 5, "{}", tried.len());
    }
    for status in ["408 X", "421 X", "425 X", "429 X", "500 X", "502 X", "503 X", "200 X"] {
        let pause = Backoff::default().failed(&error(status), 0.5);
        assert_eq!(pause, Pause::For(2500 * crate::network::MILLISECOND), "{status}");
    }
}

/// Of a proxy as well: it is not asked for ever with credentials that it does not take.
#[test]
fn a_proxy_that_will_not_change_ends_it() {
    for (said, is_over) in [
        ("HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", false),
    ] {
        let mut world = World::new();
        let network = Network::new(&world);
        network.listens("proxy", "192.0.2.9:1080");
        let there = network.clone();
        world.spawn("proxy", async move {
            for _ in 0..2 {
                let mut script = there.accept("192.0.2.9:1080").await;
                script.read_head().await;
                script.send(said).await;
                if is_over {
                    return;
                }
            }
        });
        let client = Client::builder().proxy("http://proxy").build().expect("lawful");
        let mut reconnecting =
            Reconnecting::new(network.clone(), client, URI).backoff(Backoff::default().attempts(2));
        let why = world.block_on(async move {
            reconnecting.connect().await.map(drop).expect_err("no tunnel")
        });
        assert!(matches!(why, GaveUp::Failed(Error::Opening(_))), "{why}");
        let tried = network.done().iter().filter(|what| what.starts_with("connect")).count();
        assert_eq!(tried, if is_over { 1 } else { 2 }, "{said}");
    }
}

/// Of several addresses all have to be beyond hope.
#[test]
fn a_proxy_that_may_not_connect_anywhere_ends_it() {
    for (replies, attempts) in [([2, 2], 1), ([2, 4], 2), ([3, 2], 2)] {
        let mut world = World::new();
        let network = Network::new(&world);
        network.listens("proxy", "192.0.2.9:1080");
        network.name("news.example", &["192.0.2.1:80", "192.0.2.2:80"]);
        let there = network.clone();
        world.spawn("proxy", async move {
            for reply in replies.into_iter().cycle() {
                let mut script = there.accept("192.0.2.9:1080").await;
                script.read_bytes(3).await;
                script.send([5, 0]).await;
                script.read_bytes(10).await;
                script.send([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await;
            }
        });
        let client = Client::builder().proxy("socks5://proxy").build().expect("lawful");
        let mut reconnecting =
            Reconnecting::new(network.clone(), client, URI).backoff(Backoff::default().attempts(2));
        world.block_on(async move {
            reconnecting.connect().await.map(drop).expect_err("no tunnel");
        });
        let tried = network.done().iter().filter(|what| what.starts_with("connect")).count();
        assert_eq!(tried, 2 * attempts, "{replies:?}");
    }
}

/// What cannot be sent is not tried, however persistent.
#[test]
fn a_request_that_cannot_be_sent_ends_it() {
    let mut world = World::new();
    let network = Network::new(&world);
    let mut reconnecting =
        Reconnecting::new(network.clone(), Client::default(), "http://news.example/")
            .backoff(Backoff::default().persistent(true));
    let (first, again) = world.block_on(async move {
        let first = reconnecting.connect().await.map(drop).expect_err("no URI");
        (first, reconnecting.connect().await.map(drop).expect_err("it is sticky"))
    });
    assert!(matches!(first, GaveUp::Failed(Error::Uri(_))), "{first}");
    assert_eq!(first.to_string(), again.to_string());
    assert_eq!(network.done(), [""; 0]);
}

#[test]
fn so_many_attempts_and_no_more() {
    let (tried, gave_up) =
        play(&[Turn::Refuse("503 Busy")], Backoff::default().attempts(4), 3600 * SECOND);
    assert!(matches!(gave_up, Some(GaveUp::Failed(_))));
    assert_eq!(tried.len(), 4);
    let (tried, gave_up) =
        play(&[Turn::Break(Duration::ZERO)], Backoff::default().attempts(3), 3600 * SECOND);
    assert!(matches!(gave_up, Some(GaveUp::Lost)));
    assert_eq!(tried.len(), 3);
    // One that lasts begins anew: there is no end of them.
    const LASTING: &[Turn] = &[Turn::Break(Duration::from_secs(15))];
    let (tried, gave_up) =
        play(LASTING, Backoff::default().attempts(2).longest(15 * SECOND), 3600 * SECOND);
    assert!(gave_up.is_none() && tried.len() > 20, "{}", tried.len());
}

#[test]
fn the_pauses_are_those_of_the_table() {
    let mut backoff = Backoff::default().first(SECOND).longest(8 * SECOND);
    let lost = Ended::new(None, Duration::ZERO);
    let mut seconds = |chance| match backoff.ended(&lost, chance) {
        Pause::For(time) => time.as_secs_f64(),
        Pause::Never => panic!("for ever"),
    };
    assert_eq!(
        [1.0, 1.0, 0.5, 0.0, 1.0, 2.0, -1.0].map(&mut seconds),
        [1.0, 2.0, 2.0, 0.0, 8.0, 8.0, 0.0]
    );
    let lasted = Ended::new(None, 8 * SECOND);
    assert_eq!(backoff.ended(&lasted, 1.0), Pause::For(SECOND));
}

/// A connection that lasted is no attempt that failed, and neither is what came before it.
#[test]
fn a_connection_that_lasted_counts_for_nothing() {
    const LASTING: &[Turn] = &[Turn::Break(Duration::from_secs(15))];
    let backoff = Backoff::default().attempts(1).longest(15 * SECOND);
    let (tried, gave_up) = play(LASTING, backoff, 3600 * SECOND);
    assert!(gave_up.is_none() && tried.len() > 20, "{}", tried.len());
    let mut backoff = Backoff::default().first(SECOND).attempts(2);
    let lasted = Ended::new(None, 60 * SECOND);
    assert_eq!(backoff.ended(&lasted, 1.0), Pause::For(SECOND));
    assert_eq!(backoff.failed(&Error::Lost, 1.0), Pause::For(2 * SECOND));
    assert_eq!(backoff.failed(&Error::Lost, 1.0), Pause::Never);
}

#[test]
fn no_time_and_no_chance_is_too_great() {
    let of = |first, longest| Backoff::default().first(first).longest(longest);
    let most = Duration::MAX;
    let closed = Ended::new(None, Duration::ZERO);
    for chance in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0, 1.0] {
        for (first, longest) in [(most, most), (SECOND, most), (most, SECOND)] {
            let mut backoff = of(first, longest);
            for _ in 0..100 {
                let pause = backoff.ended(&closed, chance);
                assert!(matches!(pause, Pause::For(time) if time <= longest), "{chance} {pause:?}");
                let busy = error("503 Busy\r\nRetry-After: 7");
                let pause = backoff.failed(&busy, chance);
                assert!(matches!(pause, Pause::For(time) if time >= 7 * SECOND), "{pause:?}");
            }
        }
    }
    let never = of(most, most);
    let (tried, gave_up) = play(&[Turn::Refuse("503 Busy")], never.clone(), 3600 * SECOND);
    assert!(gave_up.is_none() && tried.len() == 1, "{tried:?}");
    let (tried, gave_up) = play(&[Turn::Close(1013, Duration::ZERO)], never, 3600 * SECOND);
    assert!(gave_up.is_none() && tried.len() == 1, "{tried:?}");
}

/// A thousand that lost their server at the same moment do not come back at the same moment.
#[test]
fn nobody_comes_back_in_step() {
    let mut world = World::new();
    let network = Network::new(&world);
    network.name("news.example", &[ADDRESS]);
    network.host(ADDRESS, Host::Fails(Duration::ZERO, ErrorKind::ConnectionRefused));
    for n in 0..1000 {
        let mut reconnecting = Reconnecting::new(network.clone(), Client::default(), URI)
            .backoff(Backoff::default().attempts(2));
        world.spawn(format!("client {n}"), async move {
            let gave_up = reconnecting.connect().await.map(drop).expect_err("nobody is there");
            assert!(matches!(gave_up, GaveUp::Failed(Error::Opening(_))), "{gave_up}");
        });
    }
    world.run().expect("all give up");
    let tried = network.timed().into_iter().filter(|(_, what)| what.starts_with("connect"));
    let second: Vec<u128> = tried.map(|(when, _)| when).filter(|when| *when > 0).collect();
    assert!((950..=1000).contains(&second.len()), "{}", second.len());
    // Twenty are to be expected in each tenth of a second.
    for begin in (0..5000).step_by(100) {
        let at_once = second.iter().filter(|when| (begin..begin + 100).contains(*when)).count();
        assert!(at_once < 80, "{at_once} within 100 ms");
    }
}

#[test]
fn each_attempt_has_a_request_of_its_own() {
    let mut world = World::new();
    let network = Network::new(&world);
    network.listens("news.example", ADDRESS);
    let (there, tokens) = (network.clone(), Arc::<Mutex<Vec<String>>>::default());
    let seen = tokens.clone();
    world.spawn("server", async move {
        for turn in [Turn::Refuse("503 Busy"), Turn::Break(Duration::ZERO), Turn::Refuse("403 No")]
        {
            let mut script = there.accept(ADDRESS).await;
            let head = match turn {
                Turn::Break(_) => answer(&mut script).await,
                _ => script.read_head().await,
            };
            let token = head.lines().find_map(|line| line.strip_prefix("Token: "));
            seen.lock().expect("no panic").push(token.expect("a token").to_owned());
            if let Turn::Refuse(answer) = turn {
                script.send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n")).await;
            }
        }
    });
    let make = |Attempt { failed, connections, .. }: Attempt| async move {
        Request::from(URI).header("Token", &format!("{connections} {failed}"))
    };
    let mut reconnecting = Reconnecting::with_requests(network.clone(), Client::default(), make);
    world.block_on(async move {
        let (mut ws, _) = reconnecting.connect().await.expect("the second attempt");
        ws.recv().await.expect_err("it breaks");
        // Nobody said that it ended.
        reconnecting.connect().await.map(drop).expect_err("the fourth is the last");
    });
    assert_eq!(*tokens.lock().expect("no panic"), ["0 0", "0 1", "1 0"]);
}

/// Whoever gives up waiting, over and over, does not make it any shorter, nor longer.
#[test]
fn a_pause_goes_on_where_it_was() {
    let mut world = World::new();
    let network = Network::new(&world);
    network.name("news.example", &[ADDRESS]);
    network.host(ADDRESS, Host::Fails(Duration::ZERO, ErrorKind::ConnectionRefused));
    let backoff = Backoff::default().first(60 * SECOND).attempts(2);
    let mut reconnecting =
        Reconnecting::new(network.clone(), Client::default(), URI).backoff(backoff);
    let clock = world.clock().clone();
    world.block_on(async move {
        for _ in 0..10_000 {
            let mut timer = clock.timer();
            let until = timer.now() + 10 * crate::network::MILLISECOND;
            let mut connecting = pin!(reconnecting.connect());
            let is_over = poll_fn(|cx| match connecting.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(outcome.is_err()),
                Poll::Pending => timer.poll_until(cx, until).map(|()| false),
            });
            if is_over.await {
                return;
            }
        }
        panic!("the pause has no end");
    });
    let tried: Vec<_> =
        network.timed().into_iter().filter(|(_, what)| what.starts_with("connect")).collect();
    assert_eq!(tried.len(), 2, "{tried:?}");
}
