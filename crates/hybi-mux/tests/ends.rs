//! Channels that end in whatever state, keys that are used again, and what is told of both.

mod support;

use core::time::Duration;
use std::time::Instant;

use hybi_mux::{
    CannotOpen, ChannelKey, Config, ControlBlock, DropCode, DropReason, Ended, Endpoint, Event,
    Read, Revision,
};

use crate::support::{Pair, RESPONSE, blocks, channel, frame};

fn events(endpoint: &mut Endpoint) -> Vec<Event> {
    core::iter::from_fn(|| endpoint.poll_event()).collect()
}

#[test]
fn a_channel_that_is_let_go_while_it_waits_for_quota_is_dropped() {
    let mut pair = Pair::new(Config::default());
    let (ours, _theirs) = pair.open(2);
    // All of its quota, and more.
    let message = [&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], &[b'x'; 65_536]].concat();
    let mut rest = &message[..];
    loop {
        let written = pair.client.write(ours, rest).expect("it is open");
        rest = &rest[written..];
        pair.move_messages();
        if written == 0 {
            break;
        }
    }
    pair.client.release(ours);
    let mut message = Vec::new();
    assert!(pair.client.poll_message(pair.now, &mut message));
    let reason = DropReason::Code(DropCode::LOGICAL_CHANNEL_FAILED, "");
    let drop = ControlBlock::DropChannel { channel: channel(2), reason };
    assert_eq!(message, blocks(Revision::Ietf07, &[drop]));
    assert_eq!(pair.client.channels(), 1);
}

#[test]
fn what_was_flushed_leaves_before_the_channel_is_dropped() {
    let mut pair = Pair::new(Config::default());
    let (ours, theirs) = pair.open(2);
    assert_eq!(pair.client.write(ours, b"\x81\x02hi"), Ok(4));
    assert_eq!(pair.client.is_flushed(ours), Ok(true));
    pair.client.release(ours);
    pair.move_messages();
    let mut octets = [0; 16];
    assert_eq!(pair.server.read(theirs, &mut octets), Read::Octets(4));
    assert!(matches!(
        pair.server.read(theirs, &mut octets),
        Read::End(Ended::DroppedByPeer { .. })
    ));
}

#[test]
fn a_request_that_is_given_up_gives_its_slot_back() {
    let end: [fn(&mut Endpoint, ChannelKey); 2] = [
        |client, key| client.release(key),
        |client, key| {
            client.drop_channel(key, DropCode::BUSY, "");
            client.drop_channel(key, DropCode::BUSY, "");
            client.release(key);
        },
    ];
    for end in end {
        let mut pair = Pair::new(Config::default().max_channels(1));
        let key = pair.client.open(None).expect("there is a slot");
        assert_eq!(pair.client.open(None), Err(CannotOpen::NoSlot));
        assert_eq!(pair.client.write(key, b"GET / HTTP/1.1\r\n"), Ok(16));
        events(&mut pair.client);
        end(&mut pair.client, key);
        assert_eq!(events(&mut pair.client), [Event::Slots]);
        assert!(!pair.client.has_output(), "nothing was said of it");
        let key = pair.client.open(None).expect("there is a slot again");
        assert_eq!(pair.client.open(None), Err(CannotOpen::NoSlot));
        assert_eq!(pair.client.id(key), channel(3));
    }
}

/// How many of the first frames that leave are of each of two channels, which both have more than enough.
fn shares(server: &mut Endpoint, now: Instant) -> [usize; 2] {
    let mut shares = [0; 2];
    for _ in 0..40 {
        let mut message = Vec::new();
        assert!(server.poll_message(now, &mut message));
        match message[0] {
            2 => shares[0] += message.len(),
            9 => shares[1] += message.len(),
            _ => {}
        }
    }
    shares
}

#[test]
fn a_key_that_is_used_again_has_one_turn_in_a_round() {
    let config = Config::default().window(1 << 22).queue_limit(1 << 22).max_channels(2);
    let mut pair = Pair::new(config.openings_per_second(u32::MAX));
    let large = [&b"\x82\x7f\0\0\0\0\0\x10\0\0"[..], &[b'x'; 1 << 20]].concat();
    let (_, two) = pair.open(2);
    assert!(pair.server.write(two, &large).is_ok());
    for id in 3..10 {
        // It waits for its turn when its client drops it, and its key is that of the next.
        let key = loop {
            pair.now += Duration::from_secs(1);
            if let Ok(key) = pair.client.open(Some(channel(id))) {
                break key;
            }
            let mut message = Vec::new();
            assert!(pair.server.poll_message(pair.now, &mut message));
            pair.client.handle_message(&message).expect("lawful");
        };
        let theirs = pair.ask(key);
        assert_eq!(pair.server.write(theirs, RESPONSE), Ok(RESPONSE.len()));
        assert!(pair.server.write(theirs, &large).is_ok());
        if id == 9 {
            break;
        }
        pair.client.release(key);
        pair.client_says();
        pair.server.release(theirs);
    }
    let [of_two, of_nine] = shares(&mut pair.server, pair.now);
    assert!(of_two.abs_diff(of_nine) <= 20_000, "{of_two} and {of_nine}");
}

#[test]
fn a_reason_that_comes_is_kept_up_to_123_octets() {
    let mut pair = Pair::new(Config::default());
    let (ours, _theirs) = pair.open(2);
    let reason = "é".repeat(30_000);
    for id in [2, 0] {
        let reason = DropReason::Code(DropCode::BUSY, &reason);
        let drop = ControlBlock::DropChannel { channel: channel(id), reason };
        pair.client.handle_message(&blocks(Revision::Ietf07, &[drop])).expect("lawful");
    }
    let kept = "é".repeat(61);
    let (code, reason) = (Some(DropCode::BUSY), kept);
    let dropped = Ended::DroppedByPeer { code, reason: reason.clone() };
    assert_eq!(pair.client.read(ours, &mut [0]), Read::End(dropped));
    let failed = Ended::PhysicalFailedByPeer { code, reason };
    assert_eq!(pair.client.read(pair.first.0, &mut [0]), Read::End(failed.clone()));
    assert_eq!(pair.client.ended(), Some(&failed));
}

#[test]
fn slots_come_at_the_rate_and_time_goes_on_between() {
    for per_second in [1, 3, 100, 1_000_000_000, u32::MAX] {
        let config = Config::default().max_channels(2).openings_per_second(per_second);
        let mut pair = Pair::new(config);
        for id in 2..20 {
            // The burst, and then as many as the time that passed made.
            let key = loop {
                match pair.client.open(Some(channel(id))) {
                    Ok(key) => break key,
                    Err(CannotOpen::NoSlot) => {}
                    Err(error) => panic!("{error}"),
                }
                let at = pair.server.next_slots_at(pair.now).expect("one is owed");
                assert!(at > pair.now, "nobody waits for what is over");
                let each = (Duration::from_secs(1) / per_second).max(Duration::from_nanos(1));
                assert!(at <= pair.now + each);
                // No earlier.
                pair.now = at - Duration::from_nanos(1);
                pair.move_messages();
                if each > Duration::from_nanos(1) {
                    assert_eq!(pair.client.open(Some(channel(id))), Err(CannotOpen::NoSlot));
                }
                pair.now = at;
                pair.move_messages();
            };
            let theirs = pair.ask_and_accept(key);
            pair.client.release(key);
            pair.move_messages();
            pair.server.release(theirs);
            pair.move_messages();
        }
    }
}

#[test]
fn nothing_is_told_of_a_channel_that_is_gone() {
    let mut pair = Pair::new(Config::default());
    let (ours, _theirs) = pair.open(2);
    assert_eq!(pair.client.read(ours, &mut [0]), Read::Wait);
    events(&mut pair.client);
    let reason = DropReason::None;
    let drop = ControlBlock::DropChannel { channel: channel(2), reason };
    pair.client.handle_message(&blocks(Revision::Ietf07, &[drop])).expect("lawful");
    pair.client.release(ours);
    assert_eq!(events(&mut pair.client), []);
}

/// Does everything that can be done with a channel, whatever became of it.
fn exercise(endpoint: &mut Endpoint, key: ChannelKey) {
    let _ = endpoint.id(key);
    let _ = endpoint.read(key, &mut [0; 100]);
    let _ = endpoint.write(key, b"\x81\x01x");
    let _ = endpoint.is_flushed(key);
    endpoint.shut_down(key);
    endpoint.drop_channel(key, DropCode::BUSY, "");
    let _ = endpoint.read(key, &mut [0; 100]);
    let _ = endpoint.write(key, b"\x81\x01x");
    let _ = endpoint.is_flushed(key);
}

#[test]
fn handles_outlive_whatever_their_connection_fails_of() {
    let ends: [fn(&mut Endpoint); 5] = [
        |endpoint| endpoint.end(),
        |endpoint| endpoint.fail(DropCode::PHYSICAL_CONNECTION_FAILED, "why"),
        |endpoint| assert!(endpoint.handle_message(b"").is_err()),
        |endpoint| assert!(endpoint.handle_message(b"\0\x60\x00\x00").is_ok()),
        |endpoint| endpoint.handle_text(),
    ];
    for end in ends {
        let mut pair = Pair::new(Config::default());
        let mut ours = vec![pair.first.0];
        let mut theirs = vec![pair.first.1];
        // Open, closing in either direction, closed, refused, asked for and not answered, and being written.
        for id in 2..7 {
            let (our, their) = pair.open(id);
            ours.push(our);
            theirs.push(their);
            if matches!(id, 3 | 5) {
                pair.client.write(our, b"\x88\x00").expect("it is open");
            }
            if matches!(id, 4 | 5) {
                pair.server.write(their, b"\x88\x00").expect("it is open");
            }
            pair.move_messages();
        }
        for id in [7, 8] {
            let our = pair.client.open(Some(channel(id))).expect("there is a slot");
            let their = pair.ask(our);
            if id == 7 {
                pair.server.write(their, b"HTTP/1.1 404 No\r\n\r\n").expect("it may be refused");
                pair.server.shut_down(their);
                pair.move_messages();
            }
            ours.push(our);
            theirs.push(their);
        }
        let last = pair.client.open(None).expect("there is a slot");
        pair.client.write(last, b"GET").expect("it begins");
        ours.push(last);
        for (endpoint, keys) in [(&mut pair.client, ours), (&mut pair.server, theirs)] {
            end(endpoint);
            // And again, of something else.
            endpoint.fail(DropCode::BUSY, "");
            let len = keys.len();
            for (at, key) in keys.into_iter().enumerate() {
                if at % 2 == 0 {
                    exercise(endpoint, key);
                }
                endpoint.release(key);
                assert_eq!(endpoint.channels(), len - at - 1);
            }
            // Everything is over, and nothing is said but that.
            let _ = endpoint.handle_message(&frame(1, 0x81, b"x"));
            let mut message = Vec::new();
            while endpoint.poll_message(pair.now, &mut message) {}
            assert!(!endpoint.has_output() && message.len() < 200, "{message:02x?}");
            assert!(matches!(
                endpoint.open(None),
                Err(CannotOpen::Over(_) | CannotOpen::NotAClient)
            ));
            assert_eq!(endpoint.next_slots_at(pair.now), None);
        }
    }
}
