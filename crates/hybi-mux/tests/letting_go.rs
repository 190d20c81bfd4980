//! What becomes of a channel that its application lets go.

use std::time::Instant;

use hybi_mux::{CannotOpen, ChannelKey, Config, DropCode, Ended, Endpoint, Event, Read};

/// A server whose first channel may send `quota`, with nothing to say.
fn server_with(quota: u64) -> (Endpoint, ChannelKey) {
    let (mut server, first) = Endpoint::server(Config::default(), b"Host: a\r\n", quota);
    messages(&mut server);
    (server, first)
}

/// All that an end has to send.
fn messages(end: &mut Endpoint) -> Vec<Vec<u8>> {
    let now = Instant::now();
    let next = || {
        let mut message = Vec::new();
        end.poll_message(now, &mut message).then_some(message)
    };
    core::iter::from_fn(next).collect()
}

/// Channel 1 is dropped with 3000.
const DROPPED: &[u8] = b"\0\x60\x01\x02\x0b\xb8";

#[test]
fn one_that_has_no_quota_for_what_it_has_is_dropped() {
    let (mut server, first) = server_with(0);
    assert_eq!(server.write(first, b"\x82\x03abc"), Ok(5));
    server.release(first);
    assert_eq!(messages(&mut server), [DROPPED]);
    assert_eq!(server.channels(), 0);

    // It waited for quota before, and for no turn.
    let (mut server, first) = server_with(0);
    assert_eq!(server.write(first, b"\x82\x03abc"), Ok(5));
    assert_eq!(messages(&mut server).len(), 0);
    server.release(first);
    assert_eq!(messages(&mut server), [DROPPED]);
    assert_eq!(server.channels(), 0);
}

#[test]
fn one_that_was_not_asked_for_leaves_its_slot() {
    let let_go: [fn(&mut Endpoint, ChannelKey); 2] = [
        |client, key| client.release(key),
        |client, key| client.drop_channel(key, DropCode::BUSY, ""),
    ];
    for let_go in let_go {
        let (mut client, _) = Endpoint::client(Config::default(), b"Host: a\r\n");
        // One slot.
        client.handle_message(b"\0\x80\x01\x7d").expect("lawful");
        let key = client.open(None).expect("there is one");
        assert_eq!(client.open(None), Err(CannotOpen::NoSlot));
        let_go(&mut client, key);
        assert!(client.open(None).is_ok());
    }
}

/// Channel 2 is asked for.
const ASKED: &[u8] = b"\0\0\x02\x1bGET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn behind_the_last_slot_none_is_given_back() {
    let (mut server, _) = server_with(0);
    server.handle_message(ASKED).expect("lawful");
    server.stop_slots();
    assert_eq!(messages(&mut server), [b"\0\x81\0\0"], "the last, of none");
    let (key, _) = server.next_request().expect("it came");
    server.release(key);
    let said = messages(&mut server);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with(b"\0\x30\x02"), "it is refused, and that is all: {said:?}");
    assert_eq!(server.next_slots_at(Instant::now()), None);
}

#[test]
fn behind_its_end_no_quota_is_granted() {
    // Close frames go both ways, and what came before is read.
    let (mut server, first) = server_with(100);
    assert_eq!(server.write(first, b"\x88\0"), Ok(2));
    assert_eq!(messages(&mut server), [b"\x01\x88"]);
    let message = [&b"\x01\x82"[..], &[b'm'; 60_000]].concat();
    server.handle_message(&message).expect("lawful");
    while let Read::Octets(_) = server.read(first, &mut [0; 4096]) {}
    server.handle_message(b"\x01\x88").expect("lawful");
    assert_eq!(server.read(first, &mut [0; 2]), Read::Octets(2));
    assert_eq!(server.read(first, &mut [0; 2]), Read::End(Ended::InOrder));
    assert!(messages(&mut server).is_empty());
}

#[test]
fn who_reads_is_told_that_the_same_end_refuses() {
    let (mut server, _) = server_with(0);
    server.handle_message(ASKED).expect("lawful");
    let (key, _) = server.next_request().expect("it came");
    assert_eq!(server.read(key, &mut [0]), Read::Wait);
    let refusal = b"HTTP/1.1 404 Not Found\r\n\r\n";
    assert_eq!(server.write(key, refusal), Ok(refusal.len()));
    while server.poll_event().is_some() {}
    server.shut_down(key);
    assert_eq!(server.poll_event(), Some(Event::Readable(key)));
    assert_eq!(server.read(key, &mut [0]), Read::End(Ended::Refused));
}

#[test]
fn the_end_comes_behind_both_close_frames() {
    let (mut server, first) = server_with(0);
    server.handle_message(b"\x01\x88").expect("lawful");
    assert_eq!(server.read(first, &mut [0; 2]), Read::Octets(2));
    // What is answered waits for quota, and would be lost with the channel of who sees the end before.
    assert_eq!(server.write(first, b"\x88\0"), Ok(2));
    assert!(messages(&mut server).is_empty());
    assert_eq!(server.read(first, &mut [0; 2]), Read::Wait);
    while server.poll_event().is_some() {}
    server.handle_message(b"\0\x40\x01\x05").expect("lawful");
    assert_eq!(messages(&mut server), [b"\x01\x88"]);
    assert_eq!(server.poll_event(), Some(Event::Readable(first)));
    assert_eq!(server.read(first, &mut [0; 2]), Read::End(Ended::InOrder));
}
