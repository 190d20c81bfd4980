//! Parking: a connection that goes quiet gives its compression state back, and nobody notices
//! (`Config::park_after`).

use core::{pin::pin, time::Duration};
use std::time::Instant;

use futures_util::StreamExt as _;
use hybi::{Config, Connection, Deflate, Message, Outgoing, WebSocket};
use hybi_suite::allocator::Meter;

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::Task,
    },
    wire::{BINARY, CONTINUATION, FIN, RSV1, frame},
    world::{BOTH, Kind, carry, config, feed, json, pair, tick, wait},
};

const QUIET: Duration = Duration::from_secs(10);
const KIB: usize = 1024;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Connections whose state is measured, and their peers. The budget of states is large enough for
/// those of all tests together.
struct Crowd {
    pairs: Vec<[Connection; 2]>,
    meter: Meter,
    now: Instant,
    number: usize,
}

/// Of each role.
const CONNECTIONS: usize = 8;
/// What they hold at least while they are active: compressors of 250 KiB.
const ACTIVE: usize = 2 * CONNECTIONS * 250 * KIB;
/// What is left when they are parked: what the thread keeps for the next, and the histories.
const PARKED: usize = ACTIVE / 2;

impl Crowd {
    fn new(kind: Kind, config: &Config) -> Self {
        Deflate::set_budget(1 << 30);
        let meter = Meter::start();
        let pairs = (0..CONNECTIONS).map(|_| pair(kind, config)).collect();
        Self { pairs, meter, now: Instant::now(), number: 0 }
    }

    /// A message each way, on each.
    fn talk(&mut self) {
        self.number += 1;
        for [client, server] in &mut self.pairs {
            for _ in 0..2 {
                client.queue(json(self.number)).expect("open");
                server.queue(json(self.number)).expect("open");
                assert_eq!(carry(client, server), [Message::text(json(self.number))]);
                assert_eq!(carry(server, client), [Message::text(json(self.number))]);
            }
        }
        self.pass(Duration::ZERO);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for connection in self.pairs.iter_mut().flatten() {
            tick(connection, self.now);
        }
    }

    #[track_caller]
    fn expect_active(&self) {
        assert!(self.meter.held() > ACTIVE, "{} bytes", self.meter.held());
    }

    #[track_caller]
    fn expect_parked(&mut self) {
        assert!(self.meter.held() < PARKED, "{} bytes", self.meter.held());
        for connection in self.pairs.iter_mut().flatten() {
            assert_eq!(connection.poll_timeout(|| self.now), None, "nothing is left to do");
        }
    }
}

#[test]
fn a_quiet_connection_is_parked_after_one_to_two_times() {
    for kind in [Kind::PermessageDeflate, Kind::DeflateFrame, Kind::DeflateStream] {
        let mut crowd = Crowd::new(kind, &config().park_after(Some(QUIET)));
        assert!(crowd.meter.held() < 64 * KIB, "made when they are needed: {}", crowd.meter.held());
        for turn in 0..3 {
            crowd.talk();
            crowd.expect_active();
            crowd.pass(QUIET - millis(1));
            crowd.expect_active();
            // A message just before the time is up counts from then on.
            crowd.talk();
            crowd.pass(millis(1));
            crowd.expect_active();
            crowd.pass(QUIET - millis(1));
            crowd.expect_active();
            crowd.pass(millis(1));
            crowd.expect_parked();
            crowd.pass(QUIET * 100 * turn);
            crowd.expect_parked();
        }
    }
}

#[test]
fn a_connection_in_use_is_not_parked() {
    let mut crowd = Crowd::new(Kind::PermessageDeflate, &config().park_after(Some(QUIET)));
    for _ in 0..30 {
        crowd.talk();
        crowd.pass(QUIET * 9 / 10);
        crowd.expect_active();
    }
}

#[test]
fn parking_can_be_turned_off() {
    let mut crowd = Crowd::new(Kind::PermessageDeflate, &config().park_after(None));
    crowd.talk();
    crowd.pass(QUIET * 10_000);
    crowd.expect_active();
}

/// What the application keeps of a connection that ended is not its state.
#[test]
fn a_connection_that_ended_has_no_state() {
    for kind in [Kind::PermessageDeflate, Kind::DeflateFrame, Kind::DeflateStream] {
        for failed in [false, true] {
            let mut crowd = Crowd::new(kind, &config().park_after(Some(QUIET)));
            crowd.talk();
            crowd.expect_active();
            for [client, server] in &mut crowd.pairs {
                if failed {
                    server.handle_transport_error(std::io::ErrorKind::ConnectionReset.into());
                    client.handle_eof();
                } else {
                    client.queue(Message::Close(None)).expect("open");
                    carry(client, server);
                    carry(server, client);
                    assert!(client.close_status().is_some_and(|status| status.is_clean()));
                }
                assert_eq!(client.negotiated().extensions.len(), 1, "still known");
            }
            assert!(crowd.meter.held() < PARKED, "{kind:?} {failed}: {}", crowd.meter.held());
        }
    }
}

/// Control frames pass by the compressor, so they wake nothing and leave nothing to be parked.
#[test]
fn pings_wake_nothing() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let [mut client, mut server] = pair(kind, &config().park_after(Some(QUIET)));
        let now = Instant::now();
        client.queue(Message::Ping("?".into())).expect("open");
        assert_eq!(carry(&mut client, &mut server), [Message::Ping("?".into())]);
        assert_eq!(carry(&mut server, &mut client), [Message::Pong("?".into())]);
        for connection in [&mut client, &mut server] {
            assert_eq!(connection.poll_timeout(|| now), None, "{kind:?}");
        }
    }
}

/// After parking, what is sent is as small as before: the history is there.
#[test]
fn messages_refer_back_to_those_before() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let mut both = pair(kind, &config().park_after(Some(QUIET)));
            if role == hybi::Role::Server {
                both.reverse();
            }
            let [own, peer] = &mut both;
            let mut now = Instant::now();
            let mut lengths = Vec::new();
            for _ in 0..5 {
                own.queue(json(1)).expect("open");
                lengths.push(own.queued_bytes());
                assert_eq!(carry(own, peer), [Message::text(json(1))], "{kind:?}");
                wait(own, now, QUIET * 3);
                now = wait(peer, now, QUIET * 3);
            }
            assert!(lengths[1..].iter().all(|len| *len < lengths[0] / 3), "{lengths:?}");
        }
    }
}

/// The limit of the window is the limit of what is kept.
#[cfg(feature = "compression")] // The library of the other feature has one window.
#[test]
fn a_small_window_is_respected_by_what_is_kept() {
    let narrow = Deflate::default().own_window_bits(9).peer_window_bits(9);
    let config = config().park_after(Some(QUIET));
    let crate::world::Opened { mut client, mut server, .. } =
        crate::world::agreed(Kind::PermessageDeflate, narrow, narrow, &config);
    let mut now = Instant::now();
    for number in 0..20 {
        client.queue(json(number)).expect("open");
        assert_eq!(carry(&mut client, &mut server), [Message::text(json(number))]);
        server.queue(json(number + 1)).expect("open");
        assert_eq!(carry(&mut server, &mut client), [Message::text(json(number + 1))]);
        wait(&mut client, now, QUIET * 3);
        now = wait(&mut server, now, QUIET * 3);
    }
}

/// However long the peer takes over a message, and wherever it paused.
#[test]
fn a_message_in_progress_survives_any_pause() {
    for kind in Kind::ALL {
        for role in BOTH {
            let config = config().park_after(Some(QUIET)).fragment_size(Some(70));
            let messages: Vec<_> = (0..3).map(|n| Message::text(&json(n)[..200])).collect();
            let prepare = || {
                let mut both = pair(kind, &config);
                if role == hybi::Role::Client {
                    both.reverse();
                }
                let [mut peer, own] = both;
                for message in &messages {
                    peer.queue(message.clone()).expect("open");
                }
                (peer.transmit_to_vec(), own)
            };
            let len = prepare().0.len();
            assert!(len > 100, "{kind:?}: {len}");
            for cut in 0..len {
                let (wire, mut own) = prepare();
                let cut = cut.min(wire.len());
                let mut received = feed(&mut own, &wire[..cut]);
                let now = wait(&mut own, Instant::now(), QUIET * 3);
                received.extend(feed(&mut own, &wire[cut..]));
                wait(&mut own, now, QUIET * 3);
                assert_eq!(received, messages, "{kind:?} {role:?} after {cut} bytes");
            }
        }
    }
}

/// Between the fragments of a message, with something sent at each pause.
#[test]
fn both_directions_park_apart() {
    let config = config().park_after(Some(QUIET));
    for kind in [Kind::PermessageDeflate, Kind::PermessageCompress] {
        let [mut client, mut server] = pair(kind, &config);
        let mut now = Instant::now();
        client.queue(Outgoing::from(vec![7; 1000])).expect("open");
        let whole = crate::wire::frames(client.role(), &client.transmit_to_vec());
        let (front, back) = whole[0].payload.split_at(3);
        let first = frame(client.role(), BINARY ^ FIN | RSV1, front);
        assert_eq!(feed(&mut server, &first), []);
        for number in 0..3 {
            now = wait(&mut server, now, QUIET * 3);
            server.queue(json(number)).expect("open");
            assert_eq!(carry(&mut server, &mut client), [Message::text(json(number))]);
        }
        let last = frame(client.role(), CONTINUATION, back);
        assert_eq!(feed(&mut server, &last), [Message::binary(vec![7; 1000])]);
    }
}

/// One task waits to receive, from before there was anything to park; another sends.
#[test]
fn what_one_task_sends_is_parked_by_the_one_that_waits() {
    let config = config().ping_interval(None).park_after(Some(QUIET));
    let [own, _] = pair(Kind::PermessageDeflate, &config);
    let clock = Clock::new();
    let (end, _far) = link(Manners::PLAIN);
    let (mut sink, mut stream) = WebSocket::new(own, end, clock.timer()).split();
    let (sender, receiver) = (Task::new(), Task::new());
    assert!(receiver.poll(pin!(stream.next())).is_pending());
    assert_eq!(clock.next_deadline(), None);

    assert!(sender.poll(pin!(sink.send(json(1)))).is_ready());
    for _ in 0..4 {
        assert!(receiver.wakes() > 0, "there is a deadline to keep");
        assert!(receiver.poll(pin!(stream.next())).is_pending());
        if clock.next_deadline().is_none() {
            break;
        }
        clock.advance(QUIET);
    }
    assert_eq!(clock.next_deadline(), None, "nothing is left to park");
}
