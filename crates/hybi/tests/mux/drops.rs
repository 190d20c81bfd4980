//! Each code of a DropChannel, as a peer hears it, and what the applications of all channels see of it.

use hybi::{
    Role,
    mux::{Config, DropCode, Revision},
};
use hybi_mux::{ControlBlock, DropReason, HandshakeEncoding};
use hybi_testkit::{wire, world::World};

use crate::{
    alone::{
        REQUEST, RESPONSE, Seen, Told, delta, flow, request, response, slots, two_channels, watched,
    },
    peer::{Heard, Peer, channel},
    support::Setup,
};

/// What a peer does wrong, and what it hears.
struct Row {
    code: u16,
    reason: &'static str,
    /// A message of the physical connection.
    message: Vec<u8>,
}

fn row(code: u16, reason: &'static str, message: &[u8]) -> Row {
    Row { code, reason, message: message.to_vec() }
}

/// A message of blocks.
fn blocks(blocks: &[ControlBlock<'_>]) -> Vec<u8> {
    let mut message = vec![0];
    for block in blocks {
        block.encode(Revision::Ietf07, &mut message).expect("the revision has it");
    }
    message
}

/// What is wrong whoever says it.
fn of_both() -> Vec<Row> {
    vec![
        row(2002, "message without a whole channel id, at octet 0 of the message", b""),
        row(2002, "message without a whole channel id, at octet 0 of the message", b"\xe0\x20"),
        row(
            2002,
            "channel id that is longer than it needs to be, at octet 0 of the message",
            b"\x80\x01\x81x",
        ),
        row(2003, "message of a channel without a frame, at octet 1 of the message", b"\x01"),
        row(2003, "message of a channel without a frame, at octet 1 of the message", b"\x05"),
        row(2004, "control block of the unknown kind 5, at octet 1 of the message", b"\0\xa0"),
        row(
            2004,
            "control block of the unknown kind 7, at octet 4 of the message",
            b"\0\x40\x01\x05\xe0",
        ),
        row(
            2005,
            "control block with the bits 0x01 set, which are for nothing, at octet 1 of the message",
            b"\0\x41\x01\x05",
        ),
        row(
            2005,
            "control block without a whole channel id, or with one that is too long, at octet 2 of the message",
            b"\0\x40\x80\x01\x05",
        ),
        row(
            2005,
            "control block that ends within a number, at octet 3 of the message",
            b"\0\x40\x01\x7e\x01",
        ),
        row(
            2005,
            "DropChannel with a reason of one octet, at octet 4 of the message",
            b"\0\x60\x02\x01\x03",
        ),
        row(
            2010,
            "AddChannelRequest in the unknown encoding 2, at octet 1 of the message",
            b"\0\x02\x02\x00",
        ),
        row(
            2012,
            "AddChannelResponse in the unknown encoding 3, at octet 1 of the message",
            b"\0\x23\x02\x00",
        ),
    ]
}

fn of_clients() -> Vec<Row> {
    let exists = "request for channel 2, which is there, at octet 1 of the message";
    let first = "request for channel 1, which is there, at octet 1 of the message";
    let control = "request for channel 0, which is there, at octet 1 of the message";
    let none = "request for a channel that is none, at octet 1 of the message";
    let no_method = delta(3, "GET\r\n\r\n");
    vec![
        row(
            2005,
            "control block of the kind 1 from the end that does not send it, at octet 1 of the message",
            &blocks(&[response(2, REQUEST)]),
        ),
        row(
            2005,
            "control block of the kind 4 from the end that does not send it, at octet 1 of the message",
            &blocks(&[slots(1, 1)]),
        ),
        row(2006, exists, &blocks(&[request(2, REQUEST)])),
        row(2006, first, &blocks(&[request(1, REQUEST)])),
        row(2006, control, &blocks(&[request(0, REQUEST)])),
        // One slot was used, and one is left.
        row(
            2007,
            "request for a channel without a slot, at octet 64 of the message",
            &blocks(&[request(3, REQUEST), request(4, REQUEST)]),
        ),
        row(2009, none, &blocks(&[no_method])),
    ]
}

fn of_servers() -> Vec<Row> {
    let bad = "response for a channel that is none, or is not awaited, at octet 1 of the message";
    let in_delta = ControlBlock::AddChannelResponse {
        channel: channel(2),
        is_rejected: false,
        encoding: HandshakeEncoding::Delta,
        handshake: b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    };
    vec![
        row(
            2005,
            "control block of the kind 0 from the end that does not send it, at octet 1 of the message",
            &blocks(&[request(3, REQUEST)]),
        ),
        row(
            2008,
            "more slots for channels than can be counted, at octet 1 of the message",
            &blocks(&[slots((1 << 63) - 1, 1)]),
        ),
        row(2011, bad, &blocks(&[response(2, RESPONSE)])),
        row(
            2012,
            "AddChannelResponse in the unknown encoding 1, at octet 1 of the message",
            &blocks(&[in_delta]),
        ),
    ]
}

/// What each of two channels saw, which both echoed before and then took what was not echoed.
fn assert_told(told: &Told, ends: [&str; 2]) {
    let messages = |last: &str| ["before", last].map(str::to_owned).to_vec();
    let seen = |id: u32, error: &str| Seen {
        id,
        messages: messages(if id == 1 { ".first" } else { ".second" }),
        error: error.to_owned(),
        code: 1006,
    };
    assert_eq!(told.sorted(), [seen(1, ends[0]), seen(2, ends[1])]);
}

/// What an application is told of it.
fn meaning(code: u16) -> String {
    let meaning = DropCode::new(code).meaning();
    meaning.map_or_else(|| code.to_string(), |meaning| format!("{code} ({meaning})"))
}

/// A message for each channel, which comes before whatever follows.
async fn say_something(peer: &mut Peer) {
    peer.send_frame(1, wire::TEXT, b".first").await;
    peer.send_frame(2, wire::TEXT, b".second").await;
}

fn setup() -> Setup {
    Setup { config: Config::default().max_channels(2).window(1000), ..Setup::default() }
}

#[test]
fn what_a_peer_breaks_fails_the_physical_connection_and_all_channels() {
    for (role, of_one) in [(Role::Server, of_clients()), (Role::Client, of_servers())] {
        for Row { code, reason, message } in of_both().into_iter().chain(of_one) {
            let mut world = World::new();
            let (end, told) = watched(&setup(), role, &mut world);
            world.block_on(async move {
                let mut peer = two_channels(role, end).await;
                say_something(&mut peer).await;
                peer.send(&message).await;
                // It is ignored, as everything is from here on.
                peer.send_frame(1, wire::TEXT, b"behind").await;
                peer.expect_failure(code, reason).await;
            });
            world.run().expect("everything ends");
            let error = format!(
                "the transport failed: the physical connection was failed: {}: {reason}",
                meaning(code)
            );
            assert_told(&told, [&error, &error]);
        }
    }
}

#[test]
fn a_text_message_fails_the_physical_connection() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let (end, told) = watched(&setup(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            say_something(&mut peer).await;
            peer.script.send_frame(wire::TEXT, b"\x01\x01x").await;
            peer.expect_failure(2001, "text message").await;
        });
        world.run().expect("everything ends");
        let error = "the transport failed: the physical connection was failed: \
                     2001 (invalid encapsulating message): text message";
        assert_told(&told, [error, error]);
    }
}

#[test]
fn an_application_fails_the_physical_connection() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let (end, told) = watched(&setup(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            peer.send_frame(1, wire::TEXT, b".first").await;
            peer.send_frame(2, wire::TEXT, b"fail 2000").await;
            peer.expect_failure(2000, "as you wish").await;
        });
        world.run().expect("everything ends");
        let seen = told.sorted();
        let error = "the transport failed: the physical connection was failed: \
                     2000 (physical connection failed): as you wish";
        assert_eq!(seen.iter().map(|seen| &*seen.error).collect::<Vec<_>>(), [error, error]);
        assert_eq!(seen[0].messages, ["before", ".first"]);
    }
}

/// What a peer does wrong on channel 2 alone, and what it hears.
fn of_channels() -> Vec<Row> {
    let too_much = [&b"\x02\x81"[..], &[b'.'; 1000]].concat();
    vec![
        row(3005, "more on a channel than was granted", &too_much),
        row(
            3006,
            "more granted on a channel than can be counted",
            &blocks(&[flow(2, (1 << 63) - 1)]),
        ),
        row(3009, "continuation frame that may not come here", b"\x02\x80x"),
    ]
}

#[test]
fn what_a_peer_breaks_on_a_channel_drops_that_alone() {
    for role in [Role::Server, Role::Client] {
        for Row { code, reason, message } in of_channels() {
            let mut world = World::new();
            let (end, told) = watched(&setup(), role, &mut world);
            world.block_on(async move {
                let mut peer = two_channels(role, end).await;
                say_something(&mut peer).await;
                peer.send(&message).await;
                // Nobody hears it.
                peer.send_frame(2, wire::TEXT, b"behind").await;
                peer.expect_drop(2, code, reason).await;
                peer.send_drop(2, 3008, "").await;
                peer.expect_echo(1, b"before").await;
                peer.close().await;
            });
            world.run().expect("everything ends");
            let error = format!(
                "the transport failed: the channel was dropped: {}: {reason}",
                meaning(code)
            );
            let seen = told.sorted();
            assert_eq!(seen[0].messages, ["before", ".first", "before"]);
            assert_eq!(seen[0].error, "the transport failed: the physical connection ended");
            assert_eq!((&*seen[1].error, seen[1].code), (&*error, 1006));
            assert_eq!(seen[1].messages, ["before", ".second"]);
        }
    }
}

#[test]
fn what_a_peer_drops_is_acknowledged() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let (end, told) = watched(&setup(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            say_something(&mut peer).await;
            peer.send_drop(2, 3007, "it is late").await;
            peer.expect_drop(2, 3008, "").await;
            // Again, and another that there never was: nothing is said to it.
            peer.send_drop(2, 3007, "it is late").await;
            peer.send_drop(77, 3007, "it is late").await;
            // Without a code.
            peer.say(&[ControlBlock::DropChannel {
                channel: channel(1),
                reason: DropReason::None,
            }])
            .await;
            peer.expect_drop(1, 3008, "").await;
            peer.close().await;
        });
        world.run().expect("everything ends");
        let dropped = "the transport failed: the peer dropped the channel";
        assert_told(&told, [dropped, &format!("{dropped}: 3007 (idle timeout): it is late")]);
    }
}

#[test]
fn what_a_peer_fails_is_failed() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let (end, told) = watched(&setup(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            say_something(&mut peer).await;
            peer.send_drop(0, 2005, "what was that?").await;
            let heard = peer.hear_answer().await;
            assert!(matches!(heard, Heard::Close(_)), "{heard:?}");
            peer.script.send_frame(wire::CLOSE, &wire::close_payload(1011, b"")).await;
            assert_eq!(peer.hear().await, Heard::Ended);
        });
        world.run().expect("everything ends");
        let error = "the transport failed: the peer failed the physical connection: \
                     2005 (invalid control block): what was that?";
        assert_told(&told, [error, error]);
    }
}

#[test]
fn an_application_drops_its_channel_with_any_code() {
    let codes = (3000..=3010).chain([4001, 4002]);
    for (role, code) in [Role::Server, Role::Client]
        .into_iter()
        .flat_map(|role| codes.clone().map(move |code| (role, code)))
    {
        let mut world = World::new();
        let (end, told) = watched(&setup(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            peer.send_frame(2, wire::TEXT, format!("drop {code}").as_bytes()).await;
            peer.expect_drop(2, code, "as you wish").await;
            peer.send_drop(2, 3008, "").await;
            peer.expect_echo(1, b"on and on").await;
            peer.close().await;
        });
        world.run().expect("everything ends");
        let seen = told.sorted();
        let error = format!(
            "the transport failed: the channel was dropped: {}: as you wish",
            meaning(code)
        );
        assert_eq!((&*seen[1].error, seen[1].code), (&*error, 1006));
    }
}

#[test]
fn an_application_that_leaves_drops_its_channel() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let (end, told) = watched(&setup(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            peer.send_frame(2, wire::TEXT, b"leave").await;
            peer.expect_drop(2, 3000, "").await;
            peer.expect_echo(1, b"on and on").await;
            peer.close().await;
        });
        world.run().expect("everything ends");
        assert_eq!(told.sorted()[0].messages, ["before", "on and on"]);
    }
}
