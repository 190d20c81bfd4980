//! What a connection counts: what one end has sent is what the other has received, and when which number moves.

use core::time::Duration;
use std::time::Instant;

use hybi::{
    Compress, Config, Connection, Event, Message, MessageKind, Negotiated, Prepared, Role, Version,
    frame::Gathering,
};

use crate::support::versions::{BOTH, connection, quiet};

/// Takes in all that waits to be sent at the other end, in reads of this many bytes.
fn carry(from: &mut Connection, to: &mut Connection, read: usize) {
    let mut wire = from.transmit_to_vec();
    for chunk in wire.chunks_mut(read) {
        let mut at = 0;
        while at < chunk.len() {
            let (consumed, event) = to.handle_input(&mut chunk[at..]);
            drop(event.map(Event::into_owned));
            at += consumed;
        }
        drop(to.take_piece());
    }
}

/// Messages of every size and kind that the version has, in every way.
fn talk(own: &mut Connection, peer: &mut Connection, read: usize) {
    let capabilities = own.capabilities();
    for len in [0, 1, 20, 125, 126, 5000, 9000, 70_000, 200_000] {
        let text = "All work and no play ".repeat(len / 21 + 1);
        own.queue(&text[..len]).expect("open");
        own.queue(Message::text(&text[..len])).expect("open");
        own.queue(Prepared::new(&text[..len])).expect("open");
        if capabilities.binary {
            own.queue(vec![7; len]).expect("open");
        }
        if capabilities.ping {
            own.queue(Message::Ping("?".into())).expect("open");
        }
        carry(own, peer, read);
        if capabilities.fragments {
            own.begin_message(MessageKind::Binary, Compress::Auto).expect("open");
            for piece in text.as_bytes()[..len].chunks(3000) {
                own.queue_piece(piece, false).expect("open");
            }
            own.queue_piece(b"", true).expect("open");
            peer.set_gathering(Gathering::Pieces);
            carry(own, peer, read);
            peer.set_gathering(Gathering::Whole);
        }
        let error = peer.error().map(ToString::to_string);
        assert_eq!(error, None, "{len} {read} {:?}", own.negotiated());
        // The answers to pings.
        carry(peer, own, read);
    }
}

fn same_at_both_ends(own: &Connection, peer: &Connection, what: &str) {
    let (sent, received) = (own.stats().sent, peer.stats().received);
    assert_eq!(sent, received, "{what}");
    assert!(sent.messages >= 27 && sent.frames >= sent.messages, "{what}: {sent:?}");
    assert_eq!(peer.stats().sent, own.stats().received, "{what}: answers");
    assert_eq!(own.stats().queued_bytes, 0, "{what}");
}

#[test]
fn what_is_sent_is_what_is_received_in_every_version() {
    for version in Version::ALL {
        for role in BOTH {
            for (read, fragments) in [(usize::MAX, None), (1, Some(5000)), (4000, None)] {
                let config = quiet().fragment_size(fragments);
                let mut own = connection(role, version, config.clone());
                let mut peer = connection(role.peer(), version, config);
                talk(&mut own, &mut peer, read);
                same_at_both_ends(&own, &peer, &format!("{version:?} {role:?} {read}"));
                let sent = own.stats().sent;
                assert_eq!(sent.payload_bytes, sent.framed_bytes, "nothing is compressed");
            }
        }
    }
}

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn what_is_compressed_counts_as_both() {
    use hybi::{
        Deflate, Extensions,
        extension::{DeflateFrame, DeflateStream, ExtensionOffer, PermessageCompress},
    };

    let offers = |name: &str| [ExtensionOffer::new(name).expect("a token")];
    let kinds: [(&str, Extensions); 4] = [
        ("permessage-deflate", Deflate::default().into()),
        ("deflate-frame", DeflateFrame::new(Deflate::default()).into()),
        ("permessage-compress", PermessageCompress::new(Deflate::default()).into()),
        ("deflate-stream", DeflateStream::new(Deflate::default()).into()),
    ];
    for (name, extensions) in kinds {
        let version = if name == "deflate-stream" { Version::HYBI_08 } else { Version::RFC6455 };
        let mut offers = offers(name);
        if name == "permessage-compress" {
            offers = extensions.offers(version).try_into().expect("one offer");
        }
        let agreed = extensions.accept(&offers, version);
        assert_eq!(agreed.len(), 1, "{name}");
        for role in BOTH {
            for (read, fragments) in [(usize::MAX, None), (3, Some(1000))] {
                let config = quiet().fragment_size(fragments);
                let [mut own, mut peer] = [role, role.peer()].map(|role| {
                    let negotiated = Negotiated::new(version, None, agreed.clone());
                    Connection::new(role, negotiated, config.clone().into())
                });
                talk(&mut own, &mut peer, read);
                same_at_both_ends(&own, &peer, &format!("{name} {role:?} {read}"));
                let sent = own.stats().sent;
                let over_all = name == "deflate-stream";
                assert_eq!(sent.payload_bytes == sent.framed_bytes, over_all, "{name}: {sent:?}");
                assert!(sent.wire_bytes < sent.payload_bytes / 4, "{name}: {sent:?}");
                // So it is when all is over and the codecs are gone, but for what stands behind the last frame.
                let before = peer.stats().received.wire_bytes;
                own.queue(Message::Close(None)).expect("open");
                carry(&mut own, &mut peer, read);
                carry(&mut peer, &mut own, read);
                assert!(own.close_status().is_some_and(|status| status.is_clean()), "{name}");
                let (sent, received) = (own.stats().sent, peer.stats().received);
                assert!((before..=sent.wire_bytes).contains(&received.wire_bytes), "{received:?}");
                assert_eq!(sent.frames, received.frames, "{name}");
            }
        }
    }
}

#[test]
fn each_number_moves_when_it_says() {
    let [mut server, mut client] = [Role::Server, Role::Client]
        .map(|role| Connection::new(role, Negotiated::default(), quiet().into()));
    server.queue("hello").expect("open");
    let stats = server.stats();
    assert_eq!((stats.sent.messages, stats.sent.frames, stats.sent.payload_bytes), (1, 1, 5));
    assert_eq!((stats.sent.wire_bytes, stats.queued_bytes), (0, 7), "it has not left");
    let wire = server.transmit_to_vec();
    let stats = server.stats();
    assert_eq!((stats.sent.wire_bytes, stats.queued_bytes), (7, 0));
    let mut first = wire[..4].to_vec();
    assert_eq!(client.handle_input(&mut first).0, 4);
    let received = client.stats().received;
    assert_eq!((received.messages, received.frames, received.wire_bytes), (0, 0, 4));
    assert_eq!(received.payload_bytes, 2, "so much came of it");
    let mut rest = wire[4..].to_vec();
    let _ = client.handle_input(&mut rest);
    let received = client.stats().received;
    assert_eq!((received.messages, received.frames, received.wire_bytes), (1, 1, 7));
    // Control frames are frames and no messages.
    client.queue(Message::Close(None)).expect("open");
    let sent = client.stats().sent;
    assert_eq!((sent.messages, sent.frames, sent.framed_bytes), (0, 1, 0));
}

#[test]
fn the_round_trip_is_that_of_the_last_ping_that_was_answered() {
    let second = Duration::from_secs(1);
    let config = Config::default().ping_interval(Some(20 * second)).ping_timeout(20 * second);
    let mut server = Connection::new(Role::Server, Negotiated::default(), config.into());
    let mut client = Connection::new(Role::Client, Negotiated::default(), quiet().into());
    let mut now = Instant::now();
    assert_eq!(server.stats().round_trip, None);
    for trip in [3, 7] {
        // Nothing is heard, until the peer is asked.
        let asked = loop {
            now = server.poll_timeout(|| now).expect("a deadline").max(now);
            server.handle_timeout(now);
            let wire = server.transmit_to_vec();
            if !wire.is_empty() {
                break wire;
            }
        };
        let _ = client.handle_input(&mut asked.clone());
        let mut answer = client.transmit_to_vec();
        now += trip * second;
        let _ = server.handle_input(&mut answer);
        let _ = server.poll_timeout(|| now);
        assert_eq!(server.stats().round_trip, Some(trip * second));
        // A Pong that nobody asked for says nothing.
        client.queue(Message::Pong("!".into())).expect("open");
        let mut unasked = client.transmit_to_vec();
        now += second;
        let _ = server.handle_input(&mut unasked);
        let _ = server.poll_timeout(|| now);
        assert_eq!(server.stats().round_trip, Some(trip * second));
    }
}
