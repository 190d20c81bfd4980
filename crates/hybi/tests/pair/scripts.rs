//! Random scripts: whatever two endpoints send, in whatever pieces and with whatever delays,
//! arrives equal and in order (RFC 6455 section 5).

use core::time::Duration;

use hybi::{Config, Message, State};
use proptest::{collection::vec, prelude::*};

use crate::world::{BOTH, Pair};

#[derive(Clone, Debug)]
enum Step {
    Queue(Message),
    /// Opens the wire for this many bytes more.
    Room(usize),
    Drive,
    Wait(u16),
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        4 => "\\PC{0,60}".prop_map(Message::text),
        4 => vec(any::<u8>(), 0..400).prop_map(Message::from),
        1 => (0_usize..40_000, any::<u8>()).prop_map(|(len, byte)| Message::from(vec![byte; len])),
        1 => vec(any::<u8>(), 0..=125).prop_map(|payload| Message::Ping(payload.into())),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => message().prop_map(Step::Queue),
        2 => (0_usize..2_000).prop_map(Step::Room),
        2 => Just(Step::Drive),
        1 => (0_u16..500).prop_map(Step::Wait),
    ]
}

fn is_no_pong(message: &&Message) -> bool {
    !matches!(message, Message::Pong(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_queued_arrives(
        script in vec((any::<bool>(), step()), 0..40),
        chunks in (1_usize..700, 1_usize..700),
        latency in 0_u64..900,
        fragment in proptest::option::of(1_usize..300),
    ) {
        let config = Config::default().fragment_size(fragment).ping_interval(None);
        let mut pair = Pair::with(config);
        (pair.up.chunk, pair.down.chunk) = chunks;
        pair.down.latency = Duration::from_millis(latency);
        (pair.up.room, pair.down.room) = (0, 0);
        let mut sent = [Vec::new(), Vec::new()];
        for (server, step) in script {
            let role = BOTH[usize::from(server)];
            match step {
                Step::Queue(message) => {
                    sent[usize::from(server)].push(message.clone());
                    pair.seen_by(role).0.queue(message);
                }
                Step::Room(len) => pair.wire_from(role).room += len,
                Step::Drive => pair.drive(),
                Step::Wait(time) => pair.advance(Duration::from_millis(time.into())),
            }
        }
        (pair.up.room, pair.down.room) = (usize::MAX, usize::MAX);
        pair.advance(Duration::from_secs(2));

        for (role, sent) in BOTH.into_iter().zip(&sent) {
            let (own, peer) = pair.seen_by(role);
            let received: Vec<_> = peer.events.iter().filter(is_no_pong).collect();
            prop_assert!(received.into_iter().eq(sent), "what the {:?} sent", role);

            // Pings may be answered by one Pong for several, but the last answer is to the last.
            let is_ping = |message: &&Message| matches!(message, Message::Ping(_));
            let last_ping = sent.iter().rfind(is_ping);
            let last_pong = own.events.iter().rfind(|event| !is_no_pong(event));
            prop_assert_eq!(last_ping.map(Message::as_bytes), last_pong.map(Message::as_bytes));
        }

        pair.client.close(1000, "done");
        pair.run_to_the_end();
        prop_assert!(pair.client.status().is_clean() && pair.server.status().is_clean());
        let status = pair.server.status();
        prop_assert_eq!(status.reason(), "done");
        prop_assert_eq!(pair.client.state(), State::Closed);
    }
}
