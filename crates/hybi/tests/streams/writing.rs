//! Messages that are written as they come: their frames, what passes between them, and how they end or do not.

use core::time::Duration;

use futures_util::{AsyncWriteExt, future::join};
use hybi::{
    Compress, Config, Connection, Error, Message, MessageKind, MessageWriter, Negotiated, Outgoing,
    Role, Sender, WebSocket,
    io::{Timer, Transport},
};
use hybi_testkit::{
    clock::ClockTimer,
    link::{Conditions, End, link},
    script::Script,
    wire::{self, Side},
    world::{World, at_most},
};

use crate::{FRAGMENT, Ws, server};

const BINARY_FRAGMENT: u8 = wire::BINARY ^ wire::FIN;

async fn write_all(ws: &mut Ws, kind: MessageKind, frame_size: usize, pieces: &[&str]) {
    let mut writer = ws.send_writer(kind).expect("it is open").frame_size(frame_size);
    for piece in pieces {
        writer.write_all(piece.as_bytes()).await.expect("it is open");
    }
    writer.finish().await.expect("it is open");
}

#[test]
fn frames_have_the_size_that_was_stated() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        // Whatever the pieces are, and with characters that are cut.
        write_all(&mut ws, MessageKind::Text, 4, &["a\u{20ac}", "\u{20ac}", "bc", "", "def"]).await;
        peer.expect(FRAGMENT, "a\u{20ac}".as_bytes()).await;
        peer.expect(0, "\u{20ac}b".as_bytes()).await;
        peer.expect(wire::CONTINUATION, b"cdef").await;
        write_all(&mut ws, MessageKind::Binary, 4, &["abcdefghi"]).await;
        peer.expect(BINARY_FRAGMENT, b"abcd").await;
        peer.expect(0, b"efgh").await;
        peer.expect(wire::CONTINUATION, b"i").await;
        // One that is short is a frame, and so is one without a byte.
        write_all(&mut ws, MessageKind::Text, 4, &["abc"]).await;
        peer.expect(wire::TEXT, b"abc").await;
        write_all(&mut ws, MessageKind::Binary, 4, &[]).await;
        peer.expect(wire::BINARY, b"").await;
        ws.send("whole").await.expect("it is open");
        peer.expect(wire::TEXT, b"whole").await;
    });
}

#[test]
fn another_size_is_for_what_is_written_from_then_on() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
        writer.write_all(b"before").await.expect("it is open");
        let mut writer = writer.frame_size(3);
        writer.write_all(b"after").await.expect("it is open");
        writer.finish().await.expect("it is open");
        peer.expect(FRAGMENT, b"before").await;
        peer.expect(0, b"aft").await;
        peer.expect(wire::CONTINUATION, b"er").await;
    });
}

#[test]
fn frames_are_64_kib_or_as_configured() {
    for (configured, size) in [(None, 65_536), (Some(1000), 1000), (Some(100_000), 65_536)] {
        let mut world = World::new();
        let config = Config::default().fragment_size(configured);
        let (mut ws, mut peer) = server(&world, config, Conditions::default());
        world.block_on(async move {
            let sending = async {
                let mut writer = ws.send_writer(MessageKind::Binary).expect("it is open");
                // At once, and a byte more than two of them.
                writer.write_all(&vec![7; 2 * size + 1]).await.expect("it is open");
                writer.finish().await.expect("it is open");
            };
            let receiving = async {
                peer.expect(BINARY_FRAGMENT, &vec![7; size]).await;
                peer.expect(0, &vec![7; size]).await;
                peer.expect(wire::CONTINUATION, &[7]).await;
            };
            join(sending, receiving).await;
        });
    }
}

#[test]
fn what_was_written_leaves_when_it_is_flushed_and_not_before() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
        writer.write_all(b"now").await.expect("it is open");
        assert!(at_most(1, peer.next_frame()).await.is_none());
        writer.flush().await.expect("it is open");
        peer.expect(FRAGMENT, b"now").await;
        // There is nothing to send: no frame says nothing.
        writer.flush().await.expect("it is open");
        writer.write_all(b"then").await.expect("it is open");
        writer.finish().await.expect("it is open");
        peer.expect(wire::CONTINUATION, b"then").await;
        // It has ended, and may be told so again.
        writer.finish().await.expect("it is open");
        assert!(matches!(writer.write_all(b"more").await, Err(Error::Closed)));
        drop(writer);
        ws.send("next").await.expect("it is open");
        peer.expect(wire::TEXT, b"next").await;
    });
}

/// A whole message or frames of one: what waits to be sent is no more than the limit, or one of them that is longer.
#[test]
fn a_writer_keeps_to_the_limit_of_what_waits() {
    let mut world = World::new();
    let config = Config::default().outbox_limit(1000);
    let (ws, mut peer) = server(&world, config, Conditions::default().capacity(100));
    let (mut sender, _receiver) = ws.split();
    world.block_on(async move {
        let looks_on = sender.clone();
        let sending = async {
            sender.feed(&[7; 5000][..]).await.expect("it is open");
            let writer = sender.send_writer(MessageKind::Binary).expect("it is open");
            let mut writer = writer.frame_size(300);
            for _ in 0..20 {
                writer.write_all(&[7; 300]).await.expect("it is open");
                let waits = looks_on.queued_bytes();
                assert!(waits <= 1000 + 4, "{waits} bytes wait");
            }
            writer.finish().await.expect("it is open");
        };
        let receiving = async {
            peer.expect(wire::BINARY, &[7; 5000]).await;
            peer.expect(BINARY_FRAGMENT, &[7; 300]).await;
            for _ in 1..20 {
                peer.expect(0, &[7; 300]).await;
            }
            peer.expect(wire::CONTINUATION, b"").await;
        };
        join(sending, receiving).await;
    });
}

#[test]
fn it_is_a_writer_of_the_futures_crates() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        let writer = ws.send_writer(MessageKind::Text).expect("it is open");
        let mut writer = writer.frame_size(3);
        // As much as makes a frame is taken at a time, and is in the caller's hands until then.
        assert_eq!(writer.write(b"ab").await.expect("it is open"), 2);
        assert_eq!(writer.write(b"cdefgh").await.expect("it is open"), 1);
        assert_eq!(writer.write(b"").await.expect("it is open"), 0);
        assert_eq!(writer.write(b"d").await.expect("it is open"), 1);
        AsyncWriteExt::flush(&mut writer).await.expect("it is open");
        peer.expect(FRAGMENT, b"abc").await;
        peer.expect(0, b"d").await;
        writer.close().await.expect("it is open");
        peer.expect(wire::CONTINUATION, b"").await;
        let error = AsyncWriteExt::write_all(&mut writer, b"x").await.expect_err("it has ended");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        assert!(matches!(inner, Some(Error::Closed)), "{error}");
    });
}

#[test]
fn pings_are_answered_between_two_frames() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
        for number in 0..3_u8 {
            peer.send_frame(wire::PING, &[number]).await;
            writer.write_all(b"part").await.expect("it is open");
            // What a writer sees comes behind what it sends.
            writer.flush().await.expect("it is open");
            writer.flush().await.expect("it is open");
            peer.expect(if number == 0 { FRAGMENT } else { 0 }, b"part").await;
            peer.expect(wire::PONG, &[number]).await;
        }
        writer.finish().await.expect("it is open");
        peer.expect(wire::CONTINUATION, b"").await;
    });
}

/// Without a flush too, and over a transport that takes all.
#[test]
fn a_writer_that_never_waits_answers_pings() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        peer.send_frame(wire::PING, b"?").await;
        let mut writer = ws.send_writer(MessageKind::Binary).expect("it is open");
        for _ in 0..8 {
            writer.write_all(&[7; 65_536]).await.expect("it is open");
        }
        let mut frames = 0;
        loop {
            let frame = peer.next_frame().await.expect("a frame");
            if frame.first == wire::PONG {
                break;
            }
            frames += 1;
        }
        assert!(frames <= 6, "after {frames} frames of 64 KiB");
        writer.finish().await.expect("it is open");
    });
}

pub(crate) type Half = Sender<End, ClockTimer>;

/// A server of ours with two senders, whose receiver is driven by a task.
pub(crate) fn halves(world: &mut World, config: Config) -> (Half, Half, Script<End>) {
    let (ws, peer) = server(world, config, Conditions::default());
    let (sender, mut receiver) = ws.split();
    world.spawn("the receiver", async move { while let Ok(Some(_)) = receiver.recv().await {} });
    let other = sender.clone();
    (sender, other, peer)
}

#[test]
fn messages_of_others_wait_for_the_end_and_control_frames_do_not() {
    let mut world = World::new();
    let (mut sender, mut other, mut peer) = halves(&mut world, Config::default());
    world.block_on(async move {
        let mut writer = sender.send_writer(MessageKind::Text).expect("it is open");
        // Until its first frame it holds nobody up.
        writer.write_all(b"one ").await.expect("it is open");
        other.send("before").await.expect("it is open");
        writer.flush().await.expect("it is open");
        let full = other.try_send("full").expect_err("a message is being written");
        assert!(matches!(full.error(), Error::Full));
        assert_eq!(full.into_message(), Some(Message::from("full")));
        other.send(Message::Ping("?".into())).await.expect("it passes");
        other.try_send(Message::Pong("!".into())).expect("it passes");
        let waiting = other.send("behind");
        let writing = async {
            writer.write_all(b"two").await.expect("it is open");
            hybi_testkit::world::pause().await;
            writer.finish().await.expect("it is open");
        };
        let (waited, ()) = join(waiting, writing).await;
        waited.expect("it is open");
        peer.expect(wire::TEXT, b"before").await;
        peer.expect(FRAGMENT, b"one ").await;
        peer.expect(wire::PING, b"?").await;
        peer.expect(wire::PONG, b"!").await;
        peer.expect(wire::CONTINUATION, b"two").await;
        peer.expect(wire::TEXT, b"behind").await;
    });
}

#[test]
fn two_writers_take_turns() {
    let mut world = World::new();
    let (mut sender, mut other, mut peer) = halves(&mut world, Config::default());
    world.block_on(async move {
        let one = async {
            let mut writer = sender.send_writer(MessageKind::Text).expect("it is open");
            for _ in 0..3 {
                writer.write_all(b"one").await.expect("it is open");
                writer.flush().await.expect("it is open");
                hybi_testkit::world::pause().await;
            }
            writer.finish().await.expect("it is open");
        };
        let two = async {
            let mut writer = other.send_writer(MessageKind::Binary).expect("it is open");
            writer.write_all(b"two").await.expect("it is open");
            writer.finish().await.expect("it is open");
        };
        join(one, two).await;
        peer.expect(FRAGMENT, b"one").await;
        peer.expect(0, b"one").await;
        peer.expect(0, b"one").await;
        peer.expect(wire::CONTINUATION, b"").await;
        peer.expect(wire::BINARY, b"two").await;
    });
}

/// Who had leave to queue a message has it still: it waits behind.
#[test]
fn a_permit_holds_while_another_writes() {
    for plain in [true, false] {
        let mut world = World::new();
        let config = Config::default().fragment_size((!plain).then_some(100));
        let (mut sender, mut other, mut peer) = halves(&mut world, config);
        world.block_on(async move {
            let permit = other.ready().await.expect("room");
            let mut writer = sender.send_writer(MessageKind::Text).expect("it is open");
            writer.write_all(b"one").await.expect("it is open");
            writer.flush().await.expect("it is open");
            permit.send("behind").expect("leave was given");
            writer.finish().await.expect("it is open");
            drop(writer);
            sender.send("last").await.expect("it is open");
            peer.expect(FRAGMENT, b"one").await;
            peer.expect(wire::CONTINUATION, b"").await;
            peer.expect(wire::TEXT, b"behind").await;
            peer.expect(wire::TEXT, b"last").await;
        });
    }
}

#[test]
fn a_dropped_writer_fails_the_connection_if_anything_was_sent() {
    for (role, side) in [(Role::Server, Side::Client), (Role::Client, Side::Server)] {
        let mut world = World::new();
        let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
        let connection = Connection::new(role, Negotiated::default(), Config::default().into());
        let mut ws: Ws = WebSocket::new(connection, near, world.clock().timer());
        let mut peer = Script::new(far, side);
        world.block_on(async move {
            let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
            writer.write_all(b"nobody knows").await.expect("it is open");
            drop(writer);
            ws.send("next").await.expect("nothing happened");
            peer.expect(wire::TEXT, b"next").await;

            let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
            writer.write_all(b"half").await.expect("it is open");
            writer.flush().await.expect("it is open");
            writer.write_all(b"lost").await.expect("it is open");
            drop(writer);
            let refused = ws.send("too late").await.expect_err("it failed");
            assert!(matches!(refused.error(), Error::Unfinished), "{refused}");
            assert_eq!(refused.into_message(), Some(Message::from("too late")));
            let receiving = ws.recv();
            let hearing = async {
                peer.expect(FRAGMENT, b"half").await;
                let told = wire::close_payload(1011, b"message abandoned");
                peer.expect(wire::CLOSE, &told).await;
                peer.end().await;
            };
            let (received, ()) = join(receiving, hearing).await;
            assert!(matches!(received, Err(Error::Unfinished)), "{received:?}");
            assert_eq!(ws.close_status().expect("it ended").sent(), Some(1011.into()));
        });
    }
}

#[test]
fn what_is_no_text_is_refused_where_it_is_written() {
    type Case<'a> = (&'a [&'a [u8]], bool, u64);
    let cases: [Case<'_>; 5] = [
        (&[b"good\xff"], false, 4),
        (&[b"good", b"more\xc3\x28"], false, 9),
        (&[b"good\xe2\x82", b"\xacab\x80"], false, 9),
        // It ends within a character.
        (&[b"good", b"\xe2\x82"], true, 6),
        (&[b"\xf0"], true, 1),
    ];
    for (pieces, ends, at) in cases {
        let mut world = World::new();
        let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
        world.block_on(async move {
            let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
            let (last, before) = pieces.split_last().expect("pieces");
            for piece in before {
                writer.write_all(piece).await.expect("right so far");
                writer.flush().await.expect("right so far");
            }
            writer.write_all(last).await.expect("it is looked at when it is a frame");
            let ended = if ends { writer.finish().await } else { writer.flush().await };
            for _ in 0..2 {
                let Err(Error::NotUtf8 { offset }) = &ended else { panic!("{ended:?}") };
                assert_eq!(*offset, at);
            }
            assert!(matches!(writer.finish().await, Err(Error::NotUtf8 { .. })), "it stays so");
            drop(writer);
            for (number, piece) in before.iter().enumerate() {
                peer.expect(if number == 0 { FRAGMENT } else { 0 }, piece).await;
            }
            if before.is_empty() {
                // The peer has nothing of it.
                ws.send("next").await.expect("nothing happened");
                peer.expect(wire::TEXT, b"next").await;
            } else {
                let refused = ws.send("next").await.expect_err("it failed");
                assert!(matches!(refused.error(), Error::Unfinished), "{refused}");
            }
        });
    }
}

#[test]
fn closing_cuts_a_message_off_and_everybody_is_told() {
    let mut world = World::new();
    let (mut sender, mut other, mut peer) = halves(&mut world, Config::default());
    let mut third = other.clone();
    world.spawn("the peer", async move {
        peer.expect(FRAGMENT, b"endless").await;
        peer.expect(wire::CLOSE, &wire::close_payload(1001, b"restart")).await;
        peer.send_frame(wire::CLOSE, &wire::close_payload(1001, b"")).await;
        assert_eq!(peer.next_frame().await, None);
        peer.end().await;
    });
    world.block_on(async move {
        let mut writer = sender.send_writer(MessageKind::Text).expect("it is open");
        writer.write_all(b"endless").await.expect("it is open");
        writer.flush().await.expect("it is open");
        let waits = third.send("waits");
        let closing = async {
            hybi_testkit::world::pause().await;
            other.close(1001.into(), "restart").await
        };
        let (waited, closed) = join(waits, closing).await;
        let refused = waited.expect_err("it is over");
        assert!(matches!(refused.error(), Error::Closed), "{refused}");
        assert_eq!(refused.into_message(), Some(Message::from("waits")), "it is given back");
        assert!(closed.expect("in order").is_clean());
        assert!(matches!(writer.finish().await, Err(Error::Closed)));
    });
}

#[test]
fn the_peers_close_frame_ends_a_message() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.spawn("the peer", async move {
        peer.expect(FRAGMENT, b"endless").await;
        peer.send_frame(wire::CLOSE, &wire::close_payload(1000, b"enough")).await;
        peer.expect(wire::CLOSE, &wire::close_payload(1000, b"enough")).await;
        peer.end().await;
    });
    world.block_on(async move {
        let mut writer = ws.send_writer(MessageKind::Text).expect("it is open");
        writer.write_all(b"endless").await.expect("it is open");
        writer.flush().await.expect("it is open");
        for _ in 0..10 {
            hybi_testkit::world::pause().await;
            // Nobody receives, so whoever sends sees it.
            if writer.flush().await.is_err() {
                break;
            }
        }
        assert!(matches!(writer.finish().await, Err(Error::Closed)));
        drop(writer);
        assert!(matches!(ws.recv().await, Ok(None)));
        assert!(ws.close_status().expect("it ended").is_clean());
    });
}

/// Whatever the peer takes, no more waits than the mark and a frame.
#[test]
fn no_more_is_queued_than_leaves_soon() {
    let mut world = World::new();
    let slow = Conditions::default().delay(Duration::from_millis(1)).capacity(1000);
    let (near, far) = link(world.clock(), slow, Conditions::default());
    let connection = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
    let ws: Ws = WebSocket::new(connection, near, world.clock().timer());
    let (mut sender, receiver) = ws.split();
    let other = sender.clone();
    let mut peer = Script::new(far, Side::Client);
    world.spawn("the peer", async move {
        let mut len = 0;
        loop {
            let frame = peer.next_frame().await.expect("a frame");
            len += frame.payload.len();
            if frame.first & wire::FIN != 0 {
                break;
            }
        }
        assert_eq!(len, 1_000_000);
    });
    world.block_on(async move {
        let mut writer = sender.send_writer(MessageKind::Binary).expect("it is open");
        let mut most = 0;
        for _ in 0..1000 {
            writer.write_all(&[7; 1000]).await.expect("it is open");
            most = most.max(other.queued_bytes());
        }
        writer.finish().await.expect("it is open");
        assert!((128 * 1024..128 * 1024 + 65_536 + 10).contains(&most), "{most}");
        drop(receiver);
    });
}

/// `write`, `flush` and `finish` are dropped after so many polls, each time, and called again.
#[test]
fn whatever_is_dropped_and_called_again_nothing_is_torn() {
    let conditions = [
        Conditions::default().capacity(5).write(3),
        Conditions::default().reluctance(1).write(1),
        Conditions::default().capacity(100).read(7).reluctance(2),
    ];
    let mut dropped = 0;
    for slow in conditions {
        for polls in 1..=4 {
            for shared in [true, false] {
                let mut world = World::new();
                let (near, far) = link(world.clock(), slow, Conditions::default());
                let negotiated = Negotiated::default();
                let connection =
                    Connection::new(Role::Server, negotiated, Config::default().into());
                let mut ws: Ws = WebSocket::new(connection, near, world.clock().timer());
                let mut peer = Script::new(far, Side::Client);
                let text = crate::long_text(40);
                let expected = text.clone();
                world.spawn("the peer", async move {
                    let mut all = Vec::new();
                    for number in 0.. {
                        let frame = peer.next_frame().await.expect("a frame");
                        assert_eq!(frame.first & 0x0f, u8::from(number == 0));
                        all.extend(frame.payload);
                        if frame.first & wire::FIN != 0 {
                            break;
                        }
                    }
                    assert_eq!(String::from_utf8(all), Ok(expected));
                    peer.expect(wire::TEXT, b"next").await;
                });
                dropped += world.block_on(async move {
                    if shared {
                        let (mut sender, receiver) = ws.split();
                        let writer = sender.send_writer(MessageKind::Text);
                        let dropped = impatient(writer.expect("open"), &text, polls).await;
                        sender.send("next").await.expect("open");
                        drop(receiver);
                        dropped
                    } else {
                        let writer = ws.send_writer(MessageKind::Text);
                        let dropped = impatient(writer.expect("open"), &text, polls).await;
                        ws.send("next").await.expect("open");
                        dropped
                    }
                });
            }
        }
    }
    assert!(dropped > 100, "{dropped}");
}

/// Writes all of it; says how many futures were dropped.
async fn impatient<T: Transport, C: Timer>(
    writer: MessageWriter<'_, T, C>,
    text: &str,
    polls: usize,
) -> usize {
    let (mut writer, mut rest, mut dropped) = (writer.frame_size(20), text.as_bytes(), 0);
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(30)];
        match at_most(polls, writer.write(piece)).await {
            Some(len) => rest = &rest[len.expect("open")..],
            None => dropped += 1,
        }
        match at_most(polls, AsyncWriteExt::flush(&mut writer)).await {
            Some(flushed) => flushed.expect("open"),
            None => dropped += 1,
        }
        hybi_testkit::world::pause().await;
    }
    loop {
        match at_most(polls, writer.finish()).await {
            Some(ended) => break ended.expect("open"),
            None => dropped += 1,
        }
        // Time goes on when all wait.
        hybi_testkit::world::pause().await;
    }
    dropped
}

#[test]
fn the_connection_alone_refuses_what_cannot_be_written() {
    let mut server = Connection::new(Role::Server, Negotiated::default(), Config::default().into());
    assert!(matches!(server.queue_piece(b"no message", false), Err(Error::Closed)));
    server.begin_message(MessageKind::Binary, Compress::Auto).expect("it is open");
    assert!(server.is_writing() && !server.has_room_for(0));
    let second = server.begin_message(MessageKind::Binary, Compress::Auto);
    assert!(matches!(second, Err(Error::Full)));
    // Nothing of it was queued, so nobody knows.
    server.abandon_message();
    assert!(!server.is_writing() && server.has_room_for(0));
    server.begin_message(MessageKind::Binary, Compress::Auto).expect("it is open");
    server.queue_piece(b"one", false).expect("it is open");
    server.queue("behind").expect("it waits");
    server.queue(Outgoing::from(&b"too"[..])).expect("it waits");
    assert_eq!(server.queued_bytes(), 5 + 14 + 6 + 14 + 3, "with what headers may need");
    assert_eq!(server.transmit_to_vec(), b"\x02\x03one");
    server.queue_piece(b"", true).expect("it is open");
    assert!(!server.is_writing());
    assert_eq!(server.transmit_to_vec(), b"\x80\0\x81\x06behind\x82\x03too");
    // What waits when the message is cut off is lost with it, and counted.
    server.begin_message(MessageKind::Binary, Compress::Auto).expect("it is open");
    server.queue_piece(b"one", false).expect("it is open");
    server.queue("lost").expect("it waits");
    server.queue(Message::Close(None)).expect("it is open");
    assert_eq!(server.transmit_to_vec(), b"\x02\x03one\x88\0");
    assert_eq!(server.discarded_bytes(), 14 + 4);
    assert!(matches!(server.queue_piece(b"two", false), Err(Error::Closed)));
    let late = server.begin_message(MessageKind::Binary, Compress::Auto);
    assert!(matches!(late, Err(Error::Closed)));
}
