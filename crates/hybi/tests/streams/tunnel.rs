//! A connection as a stream of bytes: what becomes of writes, flushes and ends, and what is no end.

use core::time::Duration;
use std::io::ErrorKind;

use futures_util::{
    AsyncReadExt, AsyncWriteExt,
    future::{join, join3},
    io::copy,
};
use hybi::{ByteStream, Config, Connection, Error, Negotiated, Role, WebSocket};
use hybi_testkit::{
    clock::ClockTimer,
    link::{Conditions, End, link},
    script::Script,
    wire,
    world::{World, pause},
};

use crate::{Ws, server};

type Stream = ByteStream<End, ClockTimer>;

const BINARY_FRAGMENT: u8 = wire::BINARY ^ wire::FIN;

/// A stream of a server's, and its peer.
fn scripted(world: &World, make: impl FnOnce(Ws) -> Stream) -> (Stream, Script<End>) {
    let (ws, peer) = server(world, Config::default(), Conditions::default());
    (make(ws), peer)
}

fn endless(ws: Ws) -> Stream {
    ByteStream::endless(ws).expect("it has fragments")
}

/// Both ends of a tunnel.
fn tunnel(world: &World, conditions: Conditions, make: fn(Ws) -> Stream) -> (Stream, Stream) {
    let (near, far) = link(world.clock(), conditions, conditions);
    let end = |role, transport| {
        let negotiated = Negotiated::default();
        let connection = Connection::new(role, negotiated, Config::default().into());
        make(WebSocket::new(connection, transport, world.clock().timer()))
    };
    (end(Role::Client, near), end(Role::Server, far))
}

const BOTH: [fn(Ws) -> Stream; 2] = [ByteStream::of_messages, endless];

#[test]
fn each_write_is_a_message_or_all_are_one() {
    let mut world = World::new();
    let (mut stream, mut peer) = scripted(&world, ByteStream::of_messages);
    let (mut other, mut far) = scripted(&world, endless);
    world.block_on(async move {
        stream.write_all(b"one").await.expect("open");
        stream.write_all(b"two").await.expect("open");
        assert_eq!(stream.write(b"").await.expect("open"), 0);
        stream.flush().await.expect("open");
        peer.expect(wire::BINARY, b"one").await;
        peer.expect(wire::BINARY, b"two").await;
        let (written, ()) = join(stream.write(&[7; 100_000]), async {}).await;
        assert_eq!(written.expect("open"), 65_536, "a message has no more");
        stream.close().await.expect("open");
        peer.expect(wire::BINARY, &[7; 65_536]).await;
        peer.expect(wire::CLOSE, &wire::close_payload(1000, b"")).await;
        let error = stream.write(b"late").await.expect_err("it has ended");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);

        other.write_all(b"one").await.expect("open");
        other.write_all(b"two").await.expect("open");
        other.flush().await.expect("open");
        far.expect(BINARY_FRAGMENT, b"onetwo").await;
        other.write_all(b"three").await.expect("open");
        other.close().await.expect("open");
        far.expect(wire::CONTINUATION, b"three").await;
        let error = other.write(b"late").await.expect_err("it has ended");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        // The connection has not, until the peer's message has.
        far.send_frame(wire::BINARY, b"answer").await;
        let mut answer = String::new();
        other.read_to_string(&mut answer).await.expect("open");
        assert_eq!(answer, "answer");
        other.close().await.expect("open");
        far.expect(wire::CLOSE, &wire::close_payload(1000, b"")).await;
    });
}

#[test]
fn messages_may_come_in_any_frames() {
    for make in BOTH {
        let mut world = World::new();
        let (mut stream, mut peer) = scripted(&world, make);
        world.block_on(async move {
            peer.send_frame(BINARY_FRAGMENT, b"ab").await;
            peer.send_frame(wire::PING, b"?").await;
            peer.send_frame(0, b"").await;
            peer.send_frame(0, b"c").await;
            let mut some = [0; 2];
            stream.read_exact(&mut some).await.expect("open");
            assert_eq!(&some, b"ab");
            stream.read_exact(&mut some[..1]).await.expect("open");
            assert_eq!(&some, b"cb");
            peer.expect(wire::PONG, b"?").await;
            assert_eq!(stream.read(&mut []).await.expect("open"), 0);
        });
    }
}

/// One asks, ends its direction, and hears an answer that is made from all of that.
#[test]
fn a_direction_that_has_ended_leaves_the_other() {
    for make in BOTH {
        for conditions in [Conditions::default(), Conditions::default().read(1).write(3)] {
            let mut world = World::new();
            let (mut client, mut server) = tunnel(&world, conditions, make);
            world.spawn("the server", async move {
                let mut question = Vec::new();
                server.read_to_end(&mut question).await.expect("an end");
                question.reverse();
                server.write_all(&question).await.expect("it may still answer");
                server.flush().await.expect("it may still answer");
                pause().await;
                server.write_all(b"!").await.expect("it may still answer");
                server.close().await.expect("it may still answer");
                assert_eq!(server.read(&mut [0]).await.expect("it stays so"), 0);
            });
            world.block_on(async move {
                client.write_all(b"abc").await.expect("open");
                client.close().await.expect("open");
                let mut answer = String::new();
                client.read_to_string(&mut answer).await.expect("an end");
                assert_eq!(answer, "cba!");
                client.close().await.expect("an end");
            });
        }
    }
}

/// The peer has all, ended its own direction before and says goodbye, while our transport still flushes.
#[test]
fn a_goodbye_may_overtake_the_end_of_a_flush() {
    let mut world = World::new();
    let (mut stream, mut peer) = scripted(&world, endless);
    world.block_on(async move {
        peer.send_frame(wire::BINARY, b"question").await;
        let mut question = String::new();
        stream.read_to_string(&mut question).await.expect("open");
        stream.write_all(b"answer").await.expect("open");
        let wire = peer.transport().input();
        wire.hold_flush(true);
        let hearing = async {
            peer.expect(wire::BINARY, b"answer").await;
            peer.send_frame(wire::CLOSE, &wire::close_payload(1000, b"")).await;
            for _ in 0..3 {
                pause().await;
            }
            wire.hold_flush(false);
            peer.expect(wire::CLOSE, &wire::close_payload(1000, b"")).await;
        };
        let (closed, ()) = join(stream.close(), hearing).await;
        closed.expect("all of it was sent");
    });
}

/// What a proxy does: both directions at once, through `split` and `copy`.
#[test]
fn both_directions_at_once() {
    for make in BOTH {
        let mut world = World::new();
        let slow = Conditions::default().delay(Duration::from_millis(1)).capacity(5000);
        let (client, server) = tunnel(&world, slow, make);
        world.spawn("an echo", async move {
            let (reading, mut writing) = server.split();
            assert_eq!(copy(reading, &mut writing).await.expect("open"), 300_000);
            writing.close().await.expect("open");
        });
        world.block_on(async move {
            let (mut reading, mut writing) = client.split();
            let bytes: Vec<_> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
            let mut echoed = Vec::new();
            let (wrote, read, ()) = join3(
                async {
                    for piece in bytes.chunks(7000) {
                        writing.write_all(piece).await?;
                        writing.flush().await?;
                    }
                    writing.close().await
                },
                reading.read_to_end(&mut echoed),
                async {},
            )
            .await;
            wrote.expect("open");
            read.expect("open");
            assert!(echoed == bytes, "{}", echoed.len());
        });
    }
}

#[test]
fn what_is_no_end_is_an_error() {
    /// What the peer does, whether it is an end of messages, and what is read otherwise.
    enum Happens {
        Vanishes,
        ClosesWithinAMessage,
        Closes,
    }
    for (at, make) in BOTH.into_iter().enumerate() {
        for happens in [Happens::Vanishes, Happens::ClosesWithinAMessage, Happens::Closes] {
            let mut world = World::new();
            let (mut stream, mut peer) = scripted(&world, make);
            world.block_on(async move {
                let ends = at == 0 && matches!(happens, Happens::Closes);
                match happens {
                    Happens::Vanishes => {
                        peer.send_frame(BINARY_FRAGMENT, b"part").await;
                        peer.end().await;
                    }
                    Happens::ClosesWithinAMessage => {
                        peer.send_frame(BINARY_FRAGMENT, b"part").await;
                        peer.send_frame(wire::CLOSE, &wire::close_payload(1000, b"")).await;
                    }
                    Happens::Closes => {
                        peer.send_frame(wire::BINARY ^ [0, wire::FIN][at], b"part").await;
                        peer.send_frame(wire::CLOSE, &wire::close_payload(1000, b"")).await;
                    }
                }
                let mut all = Vec::new();
                let read = stream.read_to_end(&mut all).await;
                assert_eq!(all, b"part", "what came is not lost");
                match read {
                    Ok(_) => assert!(ends),
                    Err(error) => {
                        assert!(!ends);
                        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
                        let again = stream.read(&mut [0]).await.expect_err("it stays so");
                        assert_eq!(again.kind(), ErrorKind::UnexpectedEof);
                    }
                }
            });
        }
    }
}

#[test]
fn text_is_refused_with_1003() {
    for make in BOTH {
        let mut world = World::new();
        let (mut stream, mut peer) = scripted(&world, make);
        world.block_on(async move {
            peer.send_frame(wire::TEXT, b"hello").await;
            for _ in 0..2 {
                let error = stream.read(&mut [0; 10]).await.expect_err("it is text");
                assert_eq!(error.kind(), ErrorKind::InvalidData);
                let inner = error.downcast::<Error>().expect("an error of ours");
                assert!(matches!(inner, Error::NotBytes), "{inner}");
            }
            let error = stream.flush().await.expect_err("it failed");
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            peer.expect(wire::CLOSE, &wire::close_payload(1003, b"text")).await;
        });
    }
}

/// Whoever gets an error drops the stream, as `copy` does.
#[test]
fn the_peer_is_told_before_an_error_is() {
    for make in BOTH {
        for first in [wire::TEXT, wire::TEXT ^ wire::FIN, BINARY_FRAGMENT] {
            let mut world = World::new();
            let (mut stream, mut peer) = scripted(&world, make);
            world.block_on(async move {
                peer.send_frame(first, b"a part").await;
                let goodbye = wire::close_payload(1000, b"");
                let (told, kind) = if first == BINARY_FRAGMENT {
                    peer.send_frame(wire::CLOSE, &goodbye).await;
                    (goodbye, ErrorKind::UnexpectedEof)
                } else {
                    (wire::close_payload(1003, b"text"), ErrorKind::InvalidData)
                };
                let reading = async move { stream.read_to_end(&mut Vec::new()).await };
                let hearing = async {
                    peer.expect(wire::CLOSE, &told).await;
                    peer.end().await;
                };
                let (read, ()) = join(reading, hearing).await;
                assert_eq!(read.expect_err("it is no end").kind(), kind);
            });
        }
    }
}

#[test]
fn who_only_writes_answers_pings() {
    for make in BOTH {
        let mut world = World::new();
        let (mut stream, mut peer) = scripted(&world, make);
        world.block_on(async move {
            peer.send_frame(wire::PING, b"?").await;
            for _ in 0..3 {
                stream.write_all(b"x").await.expect("open");
                stream.flush().await.expect("open");
            }
            let mut frames = Vec::new();
            for _ in 0..4 {
                frames.push(peer.next_frame().await.expect("a frame").first);
            }
            assert!(frames.contains(&wire::PONG), "{frames:?}");
        });
    }
}

/// The peer's Close frame is answered after the time that there is for an answer, whoever still writes.
#[test]
fn a_half_that_stays_open_is_cut_off_in_the_end() {
    let mut world = World::new();
    let (mut stream, mut peer) = scripted(&world, ByteStream::of_messages);
    let clock = world.clock().clone();
    world.block_on(async move {
        peer.send_frame(wire::CLOSE, &wire::close_payload(1000, b"")).await;
        assert_eq!(stream.read(&mut [0]).await.expect("an end"), 0);
        stream.write_all(b"still").await.expect("it may");
        stream.flush().await.expect("it may");
        peer.expect(wire::BINARY, b"still").await;
        clock.advance(Duration::from_secs(6));
        let mut refused = None;
        for _ in 0..3 {
            refused = refused.or(stream.write_all(b"late").await.err());
            refused = refused.or(stream.flush().await.err());
        }
        assert_eq!(refused.expect("it is over").kind(), ErrorKind::BrokenPipe);
    });
}
