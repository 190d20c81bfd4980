//! deflate-stream: every byte in one stream, which either makes sense or does not, and in which a few
//! bytes may be very many frames (draft-ietf-hybi-thewebsocketprotocol-10 section 9.2.1).

use core::{cell::Cell, pin::pin, task::Poll, time::Duration};
use std::rc::Rc;

use hybi::{Connection, Deadline, Error, Message, Role, State, WebSocket, frame::Violation};
use hybi_suite::allocator::Meter;

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        source::{Output, Source},
        tasks::{Task, run},
    },
    wire::{CLOSE, Deflater, Inflater, PING, TEXT, frame, frames},
    world::{BOTH, Kind, carry, config, endpoint, feed, json, noise, pair},
};

const KIB: usize = 1024;

fn own(role: Role) -> Connection {
    endpoint(Kind::DeflateStream, role, &config())
}

/// Everything is in the stream, control frames and Close frames too, and a client masks before.
#[test]
fn every_byte_is_in_the_stream() {
    for role in BOTH {
        let mut own = own(role);
        let mut inflater = Inflater::new();
        for message in [Message::text(json(1)), Message::Ping("?".into()), Message::text(json(1))] {
            own.queue(message.clone()).expect("open");
            // What was queued can be read as soon as it is sent.
            let sent = frames(role, &inflater.stream(&own.transmit_to_vec()));
            let [frame] = &sent[..] else { panic!("{sent:?}") };
            assert_eq!(frame.payload, message.as_bytes());
            assert_eq!(frame.first & 0x70, 0, "no bits");
        }
        own.queue(Message::Close(None)).expect("open");
        let sent = frames(role, &inflater.stream(&own.transmit_to_vec()));
        assert_eq!((sent.len(), sent[0].first), (1, CLOSE));
    }
}

/// Nothing can be told to a peer whose stream makes no sense: the transport is dropped.
#[test]
fn a_stream_that_makes_no_sense_ends_without_a_word() {
    let hello = |role: Role| frame(role.peer(), TEXT, b"Hello");
    for role in BOTH {
        for before in [0, 1, 3] {
            for garbage in [&b"\x07"[..], b"\xff\xff\xff\xff", b"\x00\x01\x00\x00\x00x"] {
                for step in [1, 3, usize::MAX] {
                    let mut own = own(role);
                    own.queue("never sent").expect("open");
                    let mut deflater = Deflater::new();
                    let mut wire = deflater.flushed(&hello(role).repeat(before));
                    wire.extend(garbage);
                    wire.extend(noise(100, 1));
                    let mut events = Vec::new();
                    for chunk in wire.chunks(step) {
                        events.extend(feed(&mut own, chunk));
                    }
                    assert_eq!(events, vec![Message::text("Hello"); before]);
                    let Some(Error::Protocol(error)) = own.error() else {
                        panic!("{:?}", own.error())
                    };
                    assert!(matches!(error.violation(), Violation::Extension(_)), "{error}");
                    assert_eq!(own.state(), State::Closed);
                    assert!(own.transmit_to_vec().is_empty(), "not a byte");
                    let status = own.close_status().expect("a status");
                    assert_eq!((status.sent(), u16::from(status.code())), (None, 1006));
                }
            }
        }
    }
}

/// A broken frame in a stream that makes sense is answered, in the stream.
#[test]
fn a_broken_frame_is_answered() {
    for role in BOTH {
        for (bad, code) in [
            (frame(role, TEXT, b"Hello"), 1002),
            (frame(role.peer(), 0x83, b""), 1002),
            (frame(role.peer(), TEXT | 0x40, b""), 1002),
            (frame(role.peer(), TEXT, b"\xff"), 1007),
        ] {
            let mut own = own(role);
            let mut wire = Deflater::new().flushed(&bad);
            wire.extend(noise(2_000, 1));
            assert_eq!(feed(&mut own, &wire), []);
            assert_eq!(own.state(), State::Closing);
            let sent = frames(role, &Inflater::new().stream(&own.transmit_to_vec()));
            let [close] = &sent[..] else { panic!("{sent:?}") };
            let told = u16::from_be_bytes(*close.payload.first_chunk().expect("a code"));
            assert_eq!((close.first, told), (CLOSE, code));
        }
    }
}

/// Whatever a peer flushes behind its Close frame is no matter.
#[test]
fn what_comes_behind_the_close_frame_is_discarded() {
    for role in BOTH {
        let mut own = own(role);
        let mut wire = Deflater::new().flushed(&frame(role.peer(), CLOSE, b""));
        wire.extend(b"\x00\x00\x00\xff\xff\xff\xff\xff\xff");
        assert_eq!(feed(&mut own, &wire), [Message::Close(None)]);
        assert_eq!(feed(&mut own, b"\xff\xff\xff"), []);
        let sent = frames(role, &Inflater::new().stream(&own.transmit_to_vec()));
        assert_eq!((sent.len(), sent[0].first), (1, CLOSE));
        own.handle_eof();
        assert!(own.error().is_none());
        assert!(own.close_status().is_some_and(|status| status.is_clean()));
    }
}

/// Blocks with nothing in them are no frames: they cost the time to read them and nothing else.
#[test]
fn empty_blocks_pass_by() {
    for role in BOTH {
        let mut own = own(role);
        let mut peer = Deflater::new();
        let hello = frame(role.peer(), TEXT, b"Hello");
        let (front, back) = hello.split_at(3);
        assert_eq!(feed(&mut own, &peer.flushed(front)), []);
        let blocks = [0x00, 0x00, 0x00, 0xff, 0xff].repeat(10_000);
        let meter = Meter::start();
        for _ in 0..20 {
            assert_eq!(feed(&mut own, &blocks), []);
        }
        assert!(meter.peak() < 200 * KIB, "{} bytes", meter.peak());
        assert_eq!(feed(&mut own, &peer.flushed(back)), [Message::text("Hello")]);
    }
}

/// As many Pings as a chunk has room for, a thousand times over.
fn pings(role: Role) -> Vec<u8> {
    let pings = frame(role.peer(), PING, b"").repeat(100_000);
    let mut deflater = Deflater::new();
    let (first, next) = (deflater.flushed(&pings), deflater.flushed(&pings));
    [first, next.repeat(9)].concat()
}

#[test]
fn pings_by_the_million_are_answered_within_bounds() {
    for role in BOTH {
        let mut wire = pings(role);
        assert!(wire.len() < 16 * KIB, "{} bytes", wire.len());
        let mut own = own(role);
        let meter = Meter::start();
        let (mut at, mut count) = (0, 0);
        while at < wire.len() {
            let (consumed, event) = own.handle_input(&mut wire[at..]);
            count += usize::from(event.is_some());
            at += consumed;
        }
        assert_eq!(count, 1_000_000);
        assert!(own.queued_bytes() < 100 * KIB, "{} bytes of answers", own.queued_bytes());
        assert!(meter.peak() < 1024 * KIB, "{} bytes", meter.peak());
        // The last is answered, whatever became of the others.
        let sent = frames(role, &Inflater::new().stream(&own.transmit_to_vec()));
        assert!(!sent.is_empty() && sent.iter().all(|frame| frame.first == 0x8a));
    }
}

#[test]
fn every_ping_is_answered_while_they_are_few() {
    for role in BOTH {
        let mut own = own(role);
        let few = frame(role.peer(), PING, b"").repeat(100);
        assert_eq!(feed(&mut own, &Deflater::new().flushed(&few)).len(), 100);
        let sent = frames(role, &Inflater::new().stream(&own.transmit_to_vec()));
        assert_eq!(sent.len(), 100);
    }
}

/// Each chunk stands for a million Pings.
#[test]
fn a_flood_neither_keeps_the_thread_nor_outlives_a_deadline() {
    for output in Output::BOTH {
        let (chunk, reads) = (pings(Role::Server), Rc::new(Cell::new(0)));
        let counted = reads.clone();
        let flood = Source::new(output, move |space| {
            counted.set(counted.get() + 1);
            space[..chunk.len()].copy_from_slice(&chunk);
            chunk.len()
        });
        let clock = Clock::new();
        let config = config().idle_timeout(Some(Duration::from_secs(60))).write_timeout(None);
        let connection = endpoint(Kind::DeflateStream, Role::Server, &config);
        let mut socket = WebSocket::new(connection, flood, clock.timer());
        let task = Task::new();
        let meter = Meter::start();
        let (mut polls, mut seconds) = (0, 0);
        let error = loop {
            let before = reads.get();
            match task.poll(pin!(socket.recv())) {
                Poll::Ready(outcome) => break outcome.expect_err("no message ever came"),
                Poll::Pending => assert!(task.wakes() > 0, "there is more, so it wakes itself"),
            }
            // Once the connection has failed, input is discarded as it comes.
            let busy = socket.close_status().is_none();
            let read = reads.get() - before;
            assert!(!busy || read <= 2, "{read} reads: a poll is not the place for so many frames");
            polls += 1;
            clock.advance(Duration::from_secs(30));
            seconds += 30;
            assert!(seconds < 300, "the deadline passed long ago");
        };
        assert!(matches!(error, Error::Timeout(Deadline::Idle)), "{error}");
        assert!(polls > 1, "{polls} polls");
        assert!(meter.peak() < 1024 * KIB, "{} bytes", meter.peak());
    }
}

/// Long messages both ways, in chunks of any size.
#[test]
fn chunks_may_be_of_any_size() {
    for step in [1, 7, 100, 4_096] {
        let [mut client, mut server] = pair(Kind::DeflateStream, &config());
        let messages = [Message::text(json(1).repeat(20)), Message::binary(noise(5_000, 1))];
        for message in &messages {
            client.queue(message.clone()).expect("open");
        }
        let mut received = Vec::new();
        for chunk in client.transmit_to_vec().chunks(step) {
            received.extend(feed(&mut server, chunk));
        }
        assert!(received == messages, "{step}");
        server.queue(json(2)).expect("open");
        assert_eq!(carry(&mut server, &mut client), [Message::text(json(2))]);
    }
}

/// Whoever only sends looks at what comes next, and leaves it to who receives.
#[test]
fn what_was_looked_at_is_decoded_once() {
    for role in BOTH {
        let (end, far) = link(Manners::PLAIN);
        let mut peer = endpoint(Kind::DeflateStream, role.peer(), &config());
        let mut socket = WebSocket::new(own(role), end, Clock::new().timer());
        let message = Message::binary(noise(60_000, 7));
        peer.queue(message.clone()).expect("open");
        far.put(&peer.transmit_to_vec());
        for _ in 0..4 {
            run(socket.send("out"), || {}).expect("open");
        }
        let received = run(socket.recv(), || {});
        assert!(matches!(received, Ok(Some(received)) if received == message), "{role:?}");
    }
}

/// A few bytes may stand for megabytes: no single call takes them all in.
#[test]
fn one_call_decodes_a_bounded_part() {
    for role in BOTH {
        let len = 8 << 20;
        let mut wire = Deflater::new().flushed(&frame(role.peer(), 0x82, &vec![0; len]));
        let mut own = own(role);
        let (mut at, mut calls) = (0, 0);
        let event = loop {
            let (consumed, event) = own.handle_input(&mut wire[at..]);
            calls += 1;
            at += consumed;
            assert!(consumed > 0 || event.is_some(), "no progress");
            if event.is_some() {
                break event;
            }
        };
        assert_eq!(event.map(Message::from), Some(Message::binary(vec![0; len])), "{role:?}");
        assert!(calls >= len / (256 * KIB), "{role:?}: {calls} calls");
    }
}
