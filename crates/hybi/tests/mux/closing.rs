//! How channels and the physical connection are closed: by errors of RFC 6455, by both ends, and when no quota is left.

use core::time::Duration;

use hybi::CloseCode;
use hybi_testkit::{link, wire, world::World};

use crate::{
    alone::{ROLES, beside, two_channels, watched},
    peer::{Heard, Peer},
    support::Setup,
};

#[test]
fn errors_of_rfc_6455_close_their_channel_and_the_others_live() {
    type Frames = &'static [(u8, &'static [u8])];
    let table: [(u16, Frames); 13] = [
        (1002, &[(0xc1, b"x")]),
        (1002, &[(0xa1, b"x")]),
        (1002, &[(0x91, b"x")]),
        (1002, &[(0xc9, b"x")]),
        (1002, &[(0x83, b"x")]),
        (1002, &[(0x8f, b"")]),
        (1002, &[(0x89, &[b'.'; 126])]),
        (1002, &[(0x09, &[b'.'; 100]), (0x80, &[b'.'; 26])]),
        (1002, &[(0x88, b"\x03")]),
        (1002, &[(0x88, b"\x03\xee")]),
        (1007, &[(0x88, b"\x03\xe8\xff")]),
        (1007, &[(0x81, b"\xff")]),
        (1007, &[(0x01, b"\xe2\x82"), (0x80, b"x")]),
    ];
    for role in ROLES {
        for (code, frames) in table {
            let told = beside(&Setup::default(), role, move |mut peer| async move {
                for (first, payload) in frames {
                    peer.send_frame(2, *first, payload).await;
                }
                peer.expect_close(2, code).await;
                peer.send_frame(2, wire::CLOSE, &code.to_be_bytes()).await;
                peer.expect_echo_past_drops(1, b"on and on").await;
                peer.close().await;
            });
            let seen = told.sorted();
            assert_eq!(seen[0].messages, ["before", "on and on"], "{frames:?}");
            assert!(!seen[1].error.is_empty(), "{frames:?}");
        }
    }
}

#[test]
fn a_close_frame_that_no_quota_is_granted_for_becomes_a_drop() {
    for (role, used_up) in ROLES.into_iter().flat_map(|role| [0, 1].map(|left| (role, left))) {
        let mut world = World::new();
        let clock = world.clock().clone();
        let (end, _told) = watched(&Setup::default(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            // It had 1000, of which the echo before took seven.
            peer.expect_echo(2, &vec![b'a'; 992 - used_up]).await;
            peer.send_frame(2, 0xf1, b"x").await;
            // The close time-out, and a second in which what comes is discarded.
            let begin = clock.elapsed();
            peer.expect_drop(2, 3000, "").await;
            assert_eq!(clock.elapsed() - begin, Duration::from_secs(6));
            peer.expect_echo(1, b"on and on").await;
            peer.close().await;
        });
        world.run().expect("everything ends");
    }
}

#[test]
fn an_empty_physical_close_is_answered_with_1000() {
    for role in ROLES {
        beside(&Setup::default(), role, |mut peer| async move {
            peer.script.send_frame(wire::CLOSE, b"").await;
            assert_eq!(peer.hear_answer().await, Heard::Close(vec![3, 0xe8]));
            assert_eq!(peer.hear().await, Heard::Ended);
        });
    }
}

#[test]
fn a_ping_and_a_close_behind_our_close_are_no_error() {
    for role in ROLES {
        let told = beside(&Setup::default(), role, |mut peer| async move {
            peer.send_frame(2, wire::TEXT, b"close").await;
            peer.expect_close(2, u16::from(CloseCode::NORMAL)).await;
            peer.send_frame(2, wire::TEXT, b".on its way").await;
            peer.send_frame(2, wire::PING, b"p").await;
            peer.send_frame(2, wire::CLOSE, &[3, 0xe8]).await;
            peer.expect_echo_past_drops(1, b"on and on").await;
            peer.close().await;
        });
        let seen = &told.sorted()[1];
        assert_eq!((&*seen.error, seen.code), ("", 1000));
    }
}

#[test]
fn whatever_ends_the_physical_connection_ends_all_channels_with_1006() {
    /// Ends the connection.
    type Ending = fn(&mut Peer);
    let endings: [Ending; 2] = [
        |peer| link::reset(peer.script.transport()),
        |peer| peer.script.transport().output().end(),
    ];
    for (role, ending) in ROLES.into_iter().flat_map(|role| endings.map(|ending| (role, ending))) {
        let told = beside(&Setup::default(), role, move |mut peer| async move {
            peer.send_frame(1, wire::TEXT, b".first").await;
            peer.send_frame(2, wire::TEXT, b".second").await;
            peer.expect_echoes(2, b"on and on").await;
            ending(&mut peer);
        });
        let seen = told.sorted();
        assert_eq!(seen[0].messages, ["before", ".first", "on and on"]);
        assert_eq!(seen[1].messages, ["before", ".second", "on and on"]);
        for seen in seen {
            let error = "the transport failed: the physical connection ended";
            assert_eq!((&*seen.error, seen.code), (error, 1006));
        }
    }
}
