//! What a version lacks is told beforehand, and asking for it is an error that gives the message back.

use core::time::Duration;
use std::time::Instant;

use hybi::{CloseCode, CloseFrame, Config, Error, Message, Role, State, Unsupported, Version};

use crate::{
    support::{link::Manners, tasks::run},
    world::{client, connection, input, old, open, server},
};

const HIXIE: [Version; 2] = [Version::HIXIE_75, Version::HIXIE_76];

#[test]
fn capabilities_grow_with_the_versions() {
    for version in Version::ALL {
        let own = connection(Role::Client, version, Config::default()).capabilities();
        let hixie = HIXIE.contains(&version);
        assert_eq!((own.binary, own.ping, own.fragments), (!hixie, !hixie, !hixie), "{version:?}");
        assert_eq!(own.closing_handshake, version != Version::HIXIE_75, "{version:?}");
        assert_eq!(own.extensions, version >= Version::HYBI_04, "{version:?}");
        assert_eq!(own.close_codes, version >= Version::HYBI_06, "{version:?}");
    }
}

#[test]
fn asking_for_what_is_missing_gives_the_message_back_and_sends_nothing() {
    let close = |code, reason| {
        Message::Close(Some(CloseFrame::new(code, reason).expect("a code of RFC 6455")))
    };
    for version in old() {
        let own = connection(Role::Server, version, Config::default());
        let (hixie, codes) = (HIXIE.contains(&version), own.capabilities().close_codes);
        for (message, what, lacks) in [
            (Message::binary(vec![1, 2]), Unsupported::Binary, hixie),
            (Message::Ping("a".into()), Unsupported::Ping, hixie),
            (Message::Pong("a".into()), Unsupported::Ping, hixie),
            (close(CloseCode::GOING_AWAY, ""), Unsupported::CloseCode, !codes),
            (close(CloseCode::NORMAL, "done"), Unsupported::CloseCode, !codes),
            // It says no more than a Close frame does.
            (close(CloseCode::NORMAL, ""), Unsupported::CloseCode, false),
        ] {
            let mut own = connection(Role::Server, version, Config::default());
            let sent = own.queue(message.clone());
            assert_eq!(sent.is_err(), lacks, "{version:?} {message:?}");
            let Err(refused) = sent else { continue };
            let Error::Unsupported { what: lacking, version: spoken } = *refused.error() else {
                panic!("{version:?}: {refused}");
            };
            assert_eq!((lacking, spoken), (what, version));
            assert_eq!(refused.into_message(), Some(message));
            assert_eq!((own.transmit_to_vec(), own.state()), (Vec::new(), State::Open));
        }
    }
}

#[test]
fn closing_with_a_code_that_cannot_be_sent_leaves_the_connection_open() {
    for version in old().filter(|version| *version < Version::HYBI_06) {
        let version = if version == Version::HYBI_02 { Version::HYBI_03 } else { version };
        let (opened, accepted) = open(&client(version), &server([version]), Manners::PLAIN);
        let (mut own, _peer) = (opened.expect("opened"), accepted.expect("accepted"));
        let refused = run(own.close(CloseCode::GOING_AWAY, "restarting"), || {});
        assert!(matches!(refused, Err(Error::Unsupported { .. })), "{version:?}");
        assert_eq!(own.state(), State::Open, "{version:?}");
    }
}

/// There is nothing to ask a silent peer with, so silence says nothing; only idling can be limited.
#[test]
fn hixie_sends_no_pings_and_keeps_silent_peers_unless_they_idle_too_long() {
    let hour = Duration::from_secs(3600);
    for version in HIXIE {
        for idle in [None, Some(Duration::from_secs(600))] {
            let config = Config::default().idle_timeout(idle);
            let mut own = connection(Role::Server, version, config);
            let mut now = Instant::now();
            let end = now + hour;
            while let Some(deadline) = own.poll_timeout(|| now).filter(|at| *at < end) {
                now = deadline;
                own.handle_timeout(now);
                if own.state() != State::Open {
                    break;
                }
                assert_eq!(own.transmit_to_vec(), b"", "{version:?}");
            }
            assert_eq!(own.state() == State::Open, idle.is_none(), "{version:?} {idle:?}");
        }
    }
}

#[test]
fn the_others_ask_silent_peers() {
    for version in old().filter(|version| !HIXIE.contains(version)) {
        let mut own = connection(Role::Server, version, Config::default());
        let mut peer = connection(Role::Client, version, Config::default());
        let now = Instant::now();
        // Half an interval to notice what came, and half of one to ask.
        for _ in 0..2 {
            let deadline = own.poll_timeout(|| now).expect("a deadline");
            own.handle_timeout(deadline);
        }
        let asked = input(&mut peer, &own.transmit_to_vec());
        assert_eq!(asked, [Message::Ping("".into())], "{version:?}");
        assert_eq!(input(&mut own, &peer.transmit_to_vec()), [Message::Pong("".into())]);
    }
}

#[test]
fn messages_are_cut_into_fragments_where_there_are_any() {
    for version in old() {
        let config = Config::default().fragment_size(Some(4));
        let mut own = connection(Role::Client, version, config);
        let mut peer = connection(Role::Server, version, Config::default());
        own.queue("0123456789").expect("open");
        let wire = own.transmit_to_vec();
        assert_eq!(input(&mut peer, &wire), [Message::text("0123456789")], "{version:?}");
        let expected = match version {
            Version::HIXIE_75 | Version::HIXIE_76 => 12,
            Version::HYBI_01 | Version::HYBI_02 | Version::HYBI_03 => 3 * 2 + 10,
            _ => 3 * (4 + 2) + 10,
        };
        assert_eq!(wire.len(), expected, "{version:?}");
    }
}
