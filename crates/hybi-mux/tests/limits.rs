//! Each limit of a `Config`, with something just within it and something just beyond it, at both ends.

mod support;

use core::time::Duration;

use hybi_mux::{
    CannotOpen, Config, ControlBlock, DropCode, Ended, Endpoint, HandshakeEncoding, HeadLimits,
    MuxViolation, Read, Revision,
};

use crate::support::{FIELDS, Pair, REQUEST, blocks, channel, frame};

/// The end of each role, with a first channel.
fn both(config: &Config) -> [(Endpoint, hybi_mux::ChannelKey); 2] {
    [Endpoint::client(config.clone(), FIELDS), Endpoint::server(config.clone(), FIELDS, 0)]
}

#[test]
fn a_window_is_what_may_come_before_it_is_read() {
    // What is set, and what that is.
    for (set, window) in [(0, 256), (255, 256), (256, 256), (257, 257), (70_000, 70_000)] {
        let config = Config::default().window(set);
        assert_eq!(config.offer().to_string(), format!("mux; quota={window}"));
        for beyond in [0, 1] {
            for (mut ours, first) in both(&config) {
                let payload = vec![b'x'; window - 1 + beyond];
                let taken = ours.handle_message(&frame(1, 0x82, &payload));
                assert_eq!(taken.is_err(), beyond == 1, "{window}");
                let mut octets = vec![0; 100_000];
                let read = ours.read(first, &mut octets);
                if beyond == 0 {
                    assert!(matches!(read, Read::Octets(len) if len > window));
                    // It was read, so it may come again.
                    ours.handle_message(&frame(1, 0x82, &payload)).expect("it was granted");
                } else {
                    let (code, reason) =
                        (DropCode::SEND_QUOTA_VIOLATION, MuxViolation::QuotaViolation);
                    let reason = reason.to_string();
                    assert_eq!(read, Read::End(Ended::Dropped { code, reason }));
                }
            }
        }
    }
    let most = Config::default().window(u64::MAX).offer().to_string();
    assert_eq!(most, "mux; quota=4294967295");
}

#[test]
fn a_queue_takes_as_much_as_its_limit() {
    for (set, limit) in [(0, 64), (63, 64), (64, 64), (65, 65), (1000, 1000)] {
        for (mut ours, first) in both(&Config::default().queue_limit(set)) {
            // Nothing was granted, so nothing leaves.
            let message = [&b"\x82\x7e\x08\x00"[..], &[b'x'; 2048]].concat();
            assert_eq!(ours.write(first, &message), Ok(limit));
            assert_eq!(ours.write(first, &message[limit..]), Ok(0));
            let flow = ControlBlock::FlowControl { channel: channel(1), quota: 2 };
            ours.handle_message(&blocks(Revision::Ietf07, &[flow])).expect("lawful");
            let mut out = Vec::new();
            let now = std::time::Instant::now();
            while ours.poll_message(now, &mut out) {}
            // The header left, and an octet of payload.
            assert_eq!(ours.write(first, &message[limit..]), Ok(5));
        }
    }
}

#[test]
fn a_server_lets_a_client_have_as_many_channels() {
    for most in [0, 1, 2, 64] {
        let mut pair = Pair::new(Config::default().max_channels(most));
        for id in 0..most {
            pair.open(id + 2);
        }
        assert_eq!(pair.client.open(None), Err(CannotOpen::NoSlot));
        assert_eq!(pair.server.channels(), 1 + most as usize);
        // A client that asks nevertheless.
        let (encoding, handshake) = (HandshakeEncoding::Identity, REQUEST);
        let request = ControlBlock::AddChannelRequest { channel: channel(99), encoding, handshake };
        let error = pair.server.handle_message(&blocks(Revision::Ietf07, &[request]));
        assert_eq!(error.expect_err("it has no slot").violation(), MuxViolation::NoSlot);
    }
}

#[test]
fn slots_are_given_back_at_a_rate() {
    for (set, per_second) in [(0, 1), (1, 1), (100, 100)] {
        let mut pair = Pair::new(Config::default().max_channels(1).openings_per_second(set));
        let (ours, theirs) = pair.open(2);
        pair.client.release(ours);
        pair.move_messages();
        pair.server.release(theirs);
        pair.move_messages();
        // The one that came at once is made again by then, and the one behind it is not.
        let each = Duration::from_secs(1) / per_second;
        let end = pair.now + each;
        pair.now = end - Duration::from_nanos(1);
        pair.move_messages();
        assert_eq!(pair.client.open(Some(channel(3))), Err(CannotOpen::NoSlot));
        pair.now = end;
        pair.move_messages();
        assert!(pair.client.open(Some(channel(3))).is_ok());
    }
}

/// What a server answers to a request with a head of so many octets, and so many fields beside its host.
fn asked(
    limits: HeadLimits,
    octets: usize,
    fields: usize,
    encoding: HandshakeEncoding,
) -> Option<u16> {
    let (mut server, _) = Endpoint::server(Config::default().head_limits(limits), FIELDS, 0);
    let now = std::time::Instant::now();
    let mut message = Vec::new();
    while server.poll_message(now, &mut message) {}
    let mut head = "GET / HTTP/1.1\r\nHost: a\r\n".to_owned();
    head.push_str(&"X: y\r\n".repeat(fields - 1));
    let rest = octets - head.len() - "Y: \r\n\r\n".len();
    head.push_str(&format!("Y: {}\r\n\r\n", "y".repeat(rest)));
    assert_eq!(head.len(), octets);
    let handshake = head.as_bytes();
    let request = ControlBlock::AddChannelRequest { channel: channel(2), encoding, handshake };
    let taken = server.handle_message(&blocks(Revision::Ietf07, &[request]));
    if let Err(error) = taken {
        assert_eq!(error.violation(), MuxViolation::BadRequest);
        return Some(0);
    }
    if server.next_request().is_some() {
        return None;
    }
    message.clear();
    assert!(server.poll_message(now, &mut message));
    let text = String::from_utf8_lossy(&message).into_owned();
    let (_, status) = text.split_once("HTTP/1.1 ").expect("a refusal");
    Some(status[..3].parse().expect("a status"))
}

#[test]
fn a_request_is_as_large_as_a_head_may_be() {
    let identity = HandshakeEncoding::Identity;
    // What every request for a channel says and this one leaves out is added, and counts.
    let added = "Upgrade: websocket\r\nSec-WebSocket-Key: aHliaSBsZWF2ZXMgaXQuLg==\r\n\
        Sec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n";
    let limits = HeadLimits::default().with_max_bytes(1000).with_max_fields(20);
    let most = 1000 - added.len();
    assert_eq!(asked(limits, most, 3, identity), None);
    assert_eq!(asked(limits, most + 1, 3, identity), Some(431));
    assert_eq!(asked(limits, 1000, 3, identity), Some(431));
    assert_eq!(asked(limits, 1001, 3, identity), Some(431));
    assert_eq!(asked(limits, 100_000, 3, identity), Some(431));
    // Its host is one, and four are added.
    assert_eq!(asked(limits, 500, 15, identity), None);
    assert_eq!(asked(limits, 500, 16, identity), Some(431));
    assert_eq!(asked(limits, 500, 21, identity), Some(431));
    // A delta is as large as what comes of it, and if that is none, the ends do not agree.
    let delta = HandshakeEncoding::Delta;
    assert_eq!(asked(limits, most, 3, delta), None);
    assert_eq!(asked(limits, most + 1, 3, delta), Some(0));
}

#[test]
fn a_name_is_a_token() {
    assert_eq!(Config::default().token("x").expect("a token").name(), "x");
    for name in ["", "a b", "a;b", "a,b", "\u{e9}"] {
        assert!(Config::default().token(name).is_err(), "{name:?}");
    }
}
