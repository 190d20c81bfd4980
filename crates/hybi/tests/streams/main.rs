//! Messages as they come, which nobody gathers: pieces, what is skipped, limits, failures.

mod behind;
mod pieces;
mod tunnel;
mod writing;

use core::time::Duration;

use futures_util::{AsyncReadExt, StreamExt};
use hybi::{
    Config, Connection, Deflate, Error, Extensions, Message, MessageKind, Negotiated, Role,
    Version, WebSocket, frame::Violation,
};
use hybi_testkit::{
    clock::ClockTimer,
    link::{Conditions, End, link},
    script::Script,
    wire::{self, Side},
    world::{World, at_most},
};

type Ws = WebSocket<End, ClockTimer>;

/// A server of ours in the world, and its peer, which is written out.
fn server(world: &World, config: Config, conditions: Conditions) -> (Ws, Script<End>) {
    let (near, far) = link(world.clock(), conditions, conditions);
    let connection = Connection::new(Role::Server, Negotiated::default(), config.into());
    let ws = WebSocket::new(connection, near, world.clock().timer());
    (ws, Script::new(far, Side::Client))
}

/// All that is left of the next message, and how many pieces it was.
async fn read(ws: &mut Ws) -> Result<(Vec<u8>, usize), Error> {
    let mut reader = ws.recv_reader().await?.expect("a message");
    let is_text = reader.kind() == MessageKind::Text;
    let (mut all, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = reader.next_piece().await? {
        assert!(!piece.is_empty());
        assert!(!is_text || core::str::from_utf8(&piece).is_ok(), "a character is cut");
        all.extend_from_slice(&piece);
        pieces += 1;
    }
    Ok((all, pieces))
}

const FRAGMENT: u8 = wire::TEXT ^ wire::FIN;

fn long_text(len: usize) -> String {
    "a\u{e9}\u{20ac}\u{1f600}".chars().cycle().take(len).collect()
}

#[test]
fn messages_come_as_they_are_whatever_the_frames_and_the_reads() {
    let text = long_text(3000);
    for read_size in [1, 2, 3, 7, 1000, usize::MAX] {
        for fragment in [1, 10, 999, 100_000] {
            let mut world = World::new();
            let conditions = Conditions::default().read(read_size);
            let (mut ws, mut peer) = server(&world, Config::default(), conditions);
            let sent = text.clone();
            world.spawn("the peer", async move {
                let pieces: Vec<_> = sent.as_bytes().chunks(fragment).collect();
                for (at, piece) in pieces.iter().enumerate() {
                    let opcode = if at == 0 { FRAGMENT } else { 0 };
                    let fin = if at + 1 == pieces.len() { wire::FIN } else { 0 };
                    peer.send_frame(opcode | fin, piece).await;
                }
                peer.send_frame(wire::BINARY, b"").await;
                peer.send_frame(wire::BINARY, b"\x01\x02\x03").await;
                peer.send_frame(wire::TEXT, b"whole").await;
            });
            let text = text.clone();
            world.block_on(async move {
                let (all, _) = read(&mut ws).await.expect("lawful");
                assert_eq!(all, text.as_bytes());
                assert_eq!(read(&mut ws).await.expect("lawful"), (Vec::new(), 0));
                let (all, _) = read(&mut ws).await.expect("lawful");
                assert_eq!(all, b"\x01\x02\x03");
                assert_eq!(ws.recv().await.expect("lawful"), Some(Message::from("whole")));
            });
        }
    }
}

#[test]
fn pieces_are_given_as_soon_as_they_come() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        // The header of a frame of 100 bytes, and a byte of them at a time.
        peer.send(wire::header(Side::Client, wire::BINARY, 100)).await;
        peer.send(b"\x37").await;
        let mut reader = ws.recv_reader().await.expect("lawful").expect("a message");
        assert_eq!(reader.kind(), MessageKind::Binary);
        assert_eq!(reader.next_piece().await.expect("lawful").as_deref(), Some(&b"\0"[..]));
        for byte in [b"\xfa", b"\x21", b"\x3d"] {
            assert!(at_most(2, reader.next_piece()).await.is_none());
            peer.send(byte).await;
            assert_eq!(reader.next_piece().await.expect("lawful").as_deref(), Some(&b"\0"[..]));
        }
    });
}

#[test]
fn limits_are_for_what_is_gathered_alone() {
    let mut world = World::new();
    let config = Config::default().max_message(1000).max_frame(1000).max_fragments(3);
    let (mut ws, mut peer) = server(&world, config, Conditions::default());
    world.block_on(async move {
        peer.send_frame(wire::BINARY, &[7; 1_000_000]).await;
        let (all, pieces) = read(&mut ws).await.expect("no limit");
        assert_eq!(all, [7; 1_000_000]);
        assert!(pieces > 3, "{pieces}");
        peer.send_frame(FRAGMENT, b"").await;
        for _ in 0..10 {
            peer.send_frame(0, &[b'x'; 900]).await;
        }
        peer.send_frame(wire::CONTINUATION, b"").await;
        assert_eq!(read(&mut ws).await.expect("no limit").0, [b'x'; 9000]);
        // The next one is wanted whole.
        peer.send_frame(wire::BINARY, &[7; 1000]).await;
        assert_eq!(ws.recv().await.expect("within"), Some(Message::binary(vec![7; 1000])));
        peer.send_frame(wire::BINARY, &[7; 1001]).await;
        let error = ws.recv().await.expect_err("beyond");
        let Error::Protocol(error) = error else { panic!("{error}") };
        assert_eq!(error.violation(), Violation::FrameTooLarge { size: 1001, limit: 1000 });
    });
}

#[test]
fn what_is_not_read_is_skipped() {
    for taken in 0..4 {
        let mut world = World::new();
        let config = Config::default().max_message(1000);
        let (mut ws, mut peer) = server(&world, config, Conditions::default().read(5000));
        world.spawn("the peer", async move {
            peer.send_frame(FRAGMENT, "\u{20ac}".repeat(10_000).as_bytes()).await;
            peer.send_frame(wire::PING, b"p").await;
            peer.send_frame(wire::CONTINUATION, &[b'x'; 100_000]).await;
            peer.send_frame(wire::TEXT, b"next").await;
            peer.expect(wire::PONG, b"p").await;
        });
        world.block_on(async move {
            let mut reader = ws.recv_reader().await.expect("lawful").expect("a message");
            for _ in 0..taken {
                reader.next_piece().await.expect("lawful").expect("more");
            }
            drop(reader);
            assert_eq!(ws.recv().await.expect("lawful"), Some(Message::from("next")));
        });
    }
}

#[test]
fn what_is_no_text_fails_where_it_comes() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        peer.send_frame(FRAGMENT, b"good\xc3").await;
        let mut reader = ws.recv_reader().await.expect("lawful").expect("a message");
        assert_eq!(reader.next_piece().await.expect("lawful").as_deref(), Some(&b"good"[..]));
        peer.send_frame(wire::CONTINUATION, b"(").await;
        for _ in 0..2 {
            let Err(Error::Protocol(error)) = reader.next_piece().await else { panic!("no text") };
            assert_eq!(error.violation(), Violation::InvalidUtf8);
        }
        drop(reader);
        assert!(matches!(ws.recv().await, Err(Error::Protocol(_))));
    });
}

#[test]
fn who_goes_away_without_a_message_leaves_it_to_be_whole() {
    let mut world = World::new();
    let config = Config::default().max_message(1000);
    let (mut ws, mut peer) = server(&world, config, Conditions::default());
    world.block_on(async move {
        assert!(at_most(2, ws.recv_reader()).await.is_none());
        // A frame without any of its payload is no piece yet.
        peer.send(wire::header(Side::Client, wire::BINARY, 4)).await;
        assert!(at_most(2, ws.recv_reader()).await.is_none());
        peer.send(b"\x37\xfa\x21\x3d").await;
        assert_eq!(ws.recv().await.expect("lawful"), Some(Message::binary(vec![0; 4])));
        // Nor may one be gathered that is beyond the limit.
        peer.send(wire::header(Side::Client, wire::BINARY, 1001)).await;
        assert!(at_most(2, ws.recv_reader()).await.is_none());
        let Err(Error::Protocol(error)) = ws.recv().await else { panic!("beyond") };
        assert_eq!(error.violation(), Violation::MessageTooLarge { size: 1001, limit: 1000 });
    });
}

#[test]
fn a_message_that_was_being_gathered_goes_on_in_pieces() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        peer.send_frame(FRAGMENT, b"one ").await;
        assert!(at_most(2, ws.recv()).await.is_none());
        peer.send_frame(wire::CONTINUATION, b"two").await;
        let mut reader = ws.recv_reader().await.expect("lawful").expect("a message");
        let mut all = String::new();
        reader.read_to_string(&mut all).await.expect("lawful");
        assert_eq!(all, "one two");
    });
}

#[test]
fn the_end_of_the_connection_within_a_message_is_told() {
    let mut world = World::new();
    let (mut ws, mut peer) = server(&world, Config::default(), Conditions::default());
    world.block_on(async move {
        peer.send_frame(FRAGMENT, b"begun").await;
        peer.end().await;
        let mut reader = ws.recv_reader().await.expect("lawful").expect("a message");
        assert_eq!(reader.next().await.expect("a piece").expect("lawful"), "begun");
        assert!(matches!(reader.next().await, Some(Err(Error::Lost))));
        assert!(reader.next().await.is_none());
    });
}

#[test]
fn what_was_compressed_is_inflated_on_the_way() {
    let mut world = World::new();
    let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
    let offers = [hybi::extension::ExtensionOffer::new("permessage-deflate").expect("a token")];
    let agreed = Extensions::from(Deflate::default()).accept(&offers, Version::RFC6455);
    let end = |role, transport, config: Config| {
        let negotiated = Negotiated::new(Version::RFC6455, None, agreed.clone());
        let connection = Connection::new(role, negotiated, config.into());
        WebSocket::new(connection, transport, world.clock().timer())
    };
    let mut ws: Ws = end(Role::Server, near, Config::default().max_message(1000));
    let mut client: Ws = end(Role::Client, far, Config::default().fragment_size(Some(5000)));
    let text = long_text(500_000);
    let sent = Message::text(text.clone());
    world.spawn("the client", async move {
        client.send(sent.clone()).await.expect("it is open");
        client.send(sent).await.expect("it is open");
        client.send("next").await.expect("it is open");
    });
    world.block_on(async move {
        let (all, pieces) = read(&mut ws).await.expect("lawful");
        assert_eq!(all, text.as_bytes());
        assert!(pieces > 3, "{pieces}");
        // The history of the codec is of what is skipped as well.
        drop(ws.recv_reader().await.expect("lawful").expect("a message"));
        assert_eq!(ws.recv().await.expect("lawful"), Some(Message::from("next")));
    });
}

#[test]
fn the_other_half_sends_meanwhile() {
    let mut world = World::new();
    let slow = Conditions::default().delay(Duration::from_secs(1)).read(10);
    let (ws, mut peer) = server(&world, Config::default(), slow);
    let (mut sender, mut receiver) = ws.split();
    world.spawn("the sender", async move {
        for number in 0..5_u8 {
            sender.send(&[number][..]).await.expect("it is open");
        }
    });
    world.spawn("the peer", async move {
        peer.send_frame(wire::BINARY, &[9; 1000]).await;
        for number in 0..5 {
            peer.expect(wire::BINARY, &[number]).await;
        }
    });
    world.block_on(async move {
        let mut reader = receiver.recv_reader().await.expect("lawful").expect("a message");
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.expect("lawful");
        assert_eq!(all, [9; 1000]);
    });
}
