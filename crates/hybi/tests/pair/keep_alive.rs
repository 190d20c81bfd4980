//! Deadlines on an open connection, with the clock advanced by hand: keep-alive, idling, writing
//! (RFC 6455 sections 5.5.2 and 5.5.3).

use core::time::Duration;

use hybi::{CloseCode, Config, Message, Role, State, Version};

use crate::world::{BOTH, Pair, connection};

const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_millis(1);

fn quiet() -> Config {
    Config::default().ping_interval(None)
}

/// A pair of which only `role` sends pings, every 20 s with 10 s to answer.
fn pinging(role: Role) -> Pair {
    let config = Config::default().ping_interval(Some(SECOND * 20)).ping_timeout(SECOND * 10);
    let of = |one: Role| if one == role { config.clone() } else { quiet() };
    let make = |one| connection(one, Version::RFC6455, of(one));
    Pair::between(make(Role::Client), make(Role::Server))
}

fn pings(events: &[Message]) -> usize {
    events.iter().filter(|event| matches!(event, Message::Ping(_))).count()
}

/// `Duration::MAX` is how a caller says "no limit".
#[test]
fn the_longest_duration_is_no_limit_and_no_overflow() {
    let config = Config::default()
        .handshake_timeout(Duration::MAX)
        .ping_interval(Some(Duration::MAX))
        .ping_timeout(Duration::MAX)
        .idle_timeout(Some(Duration::MAX))
        .write_timeout(Some(Duration::MAX))
        .close_timeout(Duration::MAX)
        .end_timeout(Duration::MAX);
    let mut pair = Pair::with(config.clone());
    let (now, year) = (pair.now, SECOND * 365 * 24 * 60 * 60);
    assert!(config.handshake_deadline(now) > now + year);
    let (own, _) = pair.seen_by(Role::Client);
    assert!(own.deadline(now) > Some(now + year));
    own.connection.transmit_blocked();
    own.close(1000, "");
    assert!(own.deadline(now) > Some(now + year));
    own.connection.handle_timeout(now + year);
    assert_eq!(own.state(), State::Closing);
}

#[test]
fn silence_brings_pings_and_answers_keep_the_connection() {
    for role in BOTH {
        let mut pair = pinging(role);
        pair.advance(SECOND * 20 - INSTANT);
        assert_eq!(pings(&pair.seen_by(role).1.events), 0, "{role:?}: too early");
        pair.advance(INSTANT);
        assert_eq!(pings(&pair.seen_by(role).1.events), 1, "{role:?}");
        assert_eq!(pair.seen_by(role).1.events, [Message::Ping("".into())]);

        pair.advance(SECOND * 600);
        let (own, peer) = pair.seen_by(role);
        assert_eq!((own.state(), peer.state()), (State::Open, State::Open));
        assert_eq!(pings(&peer.events), 31, "each 20 s, for 620 s");
        assert_eq!(own.events.len(), 31, "each was answered");
    }
}

#[test]
fn a_busy_connection_sends_no_ping() {
    for role in BOTH {
        let mut pair = pinging(role);
        for _ in 0..60 {
            pair.seen_by(role).1.queue("busy");
            pair.advance(SECOND * 10);
        }
        let (own, peer) = pair.seen_by(role);
        assert_eq!(own.events.len(), 60);
        assert_eq!(pings(&peer.events), 0, "{role:?}");
    }
}

/// What we send says nothing about the peer.
#[test]
fn a_connection_that_only_sends_pings_as_well() {
    for role in BOTH {
        let mut pair = pinging(role);
        for _ in 0..8 {
            pair.seen_by(role).0.queue("out");
            pair.advance(SECOND * 5);
        }
        assert_eq!(pings(&pair.seen_by(role).1.events), 2, "{role:?}: each 20 s, for 40 s");
    }
}

#[test]
fn a_ping_leaves_between_half_an_interval_and_one_after_the_last_byte() {
    for heard_at in 1..20 {
        let mut pair = pinging(Role::Server);
        pair.advance(SECOND * heard_at);
        pair.client.queue("heard");
        let mut waited = Duration::ZERO;
        while pings(&pair.client.events) == 0 {
            assert!(waited < SECOND * 100, "no ping after {heard_at} s");
            pair.advance(SECOND);
            waited += SECOND;
        }
        assert!((SECOND * 10..=SECOND * 20).contains(&waited), "{waited:?} after {heard_at} s");
    }
}

/// Whenever it was last heard: also when it vanishes right behind an answer.
#[test]
fn a_peer_that_vanishes_is_noticed_within_the_interval_and_the_timeout() {
    for (interval, timeout) in [(20, 10), (20, 20), (10, 30), (60, 2)] {
        for vanishes_at in 0..130 {
            let config = Config::default().ping_interval(Some(SECOND * interval));
            let config = config.ping_timeout(SECOND * timeout);
            let make = |role, config| connection(role, Version::RFC6455, config);
            let mut pair = Pair::between(make(Role::Client, quiet()), make(Role::Server, config));
            pair.advance(SECOND * vanishes_at);
            pair.up.latency = SECOND * 3_600;
            let mut silent = 0;
            while pair.server.state() == State::Open {
                pair.advance(SECOND);
                silent += 1;
                assert!(silent <= interval + timeout, "{interval}, {timeout}: at {vanishes_at} s");
            }
        }
    }
}

#[test]
fn a_peer_that_does_not_answer_is_failed_with_1011() {
    for role in BOTH {
        let mut pair = pinging(role);
        pair.wire_from(role.peer()).latency = SECOND * 3_600;
        pair.advance(SECOND * 30 - INSTANT);
        assert_eq!(pair.seen_by(role).0.state(), State::Open, "{role:?}");
        pair.advance(INSTANT);
        let (own, peer) = pair.seen_by(role);
        assert_eq!(own.error().as_deref(), Some("the peer did not answer a ping in time"));
        assert_eq!(own.state(), State::Closing);
        assert_eq!(own.status().sent(), Some(CloseCode::INTERNAL_ERROR));
        assert_eq!(own.status().code(), CloseCode::ABNORMAL, "nothing came from the peer");
        assert!(!own.status().is_clean());
        assert_eq!(peer.status().code(), CloseCode::INTERNAL_ERROR, "the peer was told");
        pair.advance(SECOND);
        assert_eq!(pair.seen_by(role).0.state(), State::Closed, "{role:?}: after the drain time");
    }
}

/// Anything that is heard in time will do: a Pong, another message, or half of one.
#[test]
fn any_byte_in_time_is_an_answer() {
    let mut pair = pinging(Role::Server);
    pair.up.latency = SECOND * 3_600;
    pair.advance(SECOND * 29);
    assert_eq!(pings(&pair.client.events), 1);
    pair.server.input(b"\x81");
    pair.advance(SECOND * 5);
    assert_eq!(pair.server.state(), State::Open);
}

#[test]
fn the_drafts_say_1001_where_they_have_no_1011() {
    for version in [Version::HYBI_07, Version::HYBI_08] {
        let mut server = connection(Role::Server, version, Config::default());
        let start = std::time::Instant::now();
        for seconds in [0, 10, 20, 30, 40] {
            let now = start + SECOND * seconds;
            let _ = server.poll_timeout(|| now);
            server.handle_timeout(now);
        }
        assert_eq!(
            server.transmit_to_vec(),
            b"\x89\x00\x88\x0e\x03\xe9ping timeout",
            "{version:?}"
        );
    }
}

#[test]
fn without_deadlines_the_clock_is_never_asked_twice() {
    let config = quiet().write_timeout(None);
    let mut server = connection(Role::Server, Version::RFC6455, config);
    assert_eq!(server.poll_timeout(std::time::Instant::now), None);
    server.transmit_blocked();
    assert_eq!(server.poll_timeout(|| panic!("the clock is asked")), None);

    let mut server = connection(Role::Server, Version::RFC6455, Config::default());
    let now = std::time::Instant::now();
    let deadline = server.poll_timeout(|| now);
    assert_eq!(deadline, Some(now + SECOND * 10));
    server.queue(Message::text("work")).expect("queued");
    let _ = server.transmit_to_vec();
    let _ = server.handle_input(&mut b"\x81\x80\0\0\0\0".to_vec());
    assert_eq!(server.poll_timeout(|| panic!("the clock is asked")), deadline);
}

#[test]
fn an_idle_peer_is_failed_with_1001() {
    for role in BOTH {
        let config = Config::default().idle_timeout(Some(SECOND * 60));
        let mut pair = Pair::with(config);
        pair.client.queue(Message::Ping("1".into()));
        pair.advance(SECOND * 60 - INSTANT);
        assert_eq!(pair.seen_by(role).0.state(), State::Open, "pings alone do not count, nor end");
        pair.advance(INSTANT);
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.error().as_deref(), Some("the peer sent no message for too long"));
        assert_eq!(own.status().sent(), Some(CloseCode::GOING_AWAY));
    }
}

#[test]
fn messages_put_the_idle_deadline_off_by_at_most_a_quarter_more() {
    for heard_at in [1, 14, 16, 44, 59] {
        let config = quiet().idle_timeout(Some(SECOND * 60));
        let make = |role, config| connection(role, Version::RFC6455, config);
        let mut pair = Pair::between(make(Role::Client, quiet()), make(Role::Server, config));
        pair.advance(SECOND * heard_at);
        pair.client.queue("here");
        pair.advance(SECOND * 60 - INSTANT);
        assert_eq!(pair.server.state(), State::Open, "message at {heard_at} s");
        pair.advance(SECOND * 15 + INSTANT);
        assert_ne!(pair.server.state(), State::Open, "message at {heard_at} s");
        assert_eq!(pair.client.status().code(), CloseCode::GOING_AWAY, "the peer was told");
    }
}

#[test]
fn a_peer_that_never_reads_is_given_up_at_the_write_deadline() {
    for role in BOTH {
        let mut pair = Pair::with(quiet().write_timeout(Some(SECOND * 30)));
        pair.wire_from(role).room = 5;
        pair.seen_by(role).0.queue(vec![0; 100]);
        pair.advance(SECOND * 30 - INSTANT);
        assert_eq!(pair.seen_by(role).0.state(), State::Open);
        pair.advance(INSTANT);
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.error().as_deref(), Some("the peer did not read for too long"));
        assert_eq!(own.state(), State::Closed, "{role:?}: there is no way to tell the peer");
        assert_eq!(own.status().sent(), None);
        assert_eq!(own.connection.queued_bytes(), 0);
    }
}

#[test]
fn any_progress_puts_the_write_deadline_off() {
    let mut pair = Pair::with(quiet().write_timeout(Some(SECOND * 30)));
    pair.down.room = 5;
    pair.server.queue(vec![0; 10]);
    for _ in 0..6 {
        pair.advance(SECOND * 20);
        pair.down.room += 1;
    }
    pair.advance(SECOND * 29);
    assert_eq!(pair.server.state(), State::Open);
    pair.down.room += 1;
    pair.advance(SECOND * 3_600);
    assert_eq!(pair.server.state(), State::Open, "all was sent: nothing waits");
    assert_eq!(pair.client.events, [Message::from(vec![0; 10])]);
}

#[test]
fn the_write_deadline_counts_while_closing_too() {
    let config = quiet().write_timeout(Some(SECOND * 2)).close_timeout(SECOND * 60);
    let mut pair = Pair::with(config);
    pair.server.close(1000, "");
    pair.down.room = 1;
    pair.advance(SECOND * 2);
    assert_eq!(pair.server.state(), State::Closed);
    assert_eq!(pair.server.error().as_deref(), Some("the peer did not read for too long"));
    assert!(!pair.server.status().is_clean());
}
