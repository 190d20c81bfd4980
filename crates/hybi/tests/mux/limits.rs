//! What one channel, or one peer, can cost the others: nothing beyond its limits.

use core::time::Duration;

use futures_util::future::join;
use hybi::{
    HandshakeError,
    http::Response,
    mux::{Config, HeadLimits, Revision},
};
use hybi_suite::allocator::Meter;
use hybi_testkit::{link::Conditions, wire, world::World};

use crate::{
    alone::{REQUEST, ROLES, beside, flow, request, two_channels, watched},
    peer::{Heard, Peer},
    support::{ClientEnd, ServerEnd, Setup, URI},
};

#[test]
fn a_channel_that_no_quota_is_granted_for_ends_alone_after_its_write_timeout() {
    for role in ROLES {
        let mut world = World::new();
        let clock = world.clock().clone();
        let (end, told) = watched(&Setup::default(), role, &mut world);
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            peer.send_frame(2, wire::TEXT, &[b'a'; 2000]).await;
            let heard = peer.hear_answer().await;
            assert!(matches!(heard, Heard::Frame { id: 2, first: 0x01, .. }), "{heard:?}");
            peer.expect_echo(1, b"on and on").await;
            // And a second in which what comes is discarded.
            let begin = clock.elapsed();
            let heard = peer.hear_answer().await;
            assert!(matches!(heard, Heard::Drop { id: 2, code: Some(3000), .. }), "{heard:?}");
            assert_eq!(clock.elapsed() - begin, Duration::from_secs(31));
            peer.expect_echo(1, b"on and on").await;
            peer.close().await;
        });
        world.run().expect("everything ends");
        let seen = told.sorted();
        assert_eq!(seen[0].messages, ["before", "on and on", "on and on"]);
        assert_eq!(seen[1].error, "the peer did not read for too long");
    }
}

#[test]
fn a_refusal_with_a_long_body_is_that_of_one_channel() {
    for len in [10, 64 * 1024, 64 * 1024 + 1, 200_000] {
        let mut world = World::new();
        let (server, client) = Setup::default().open(&mut world);
        let ServerEnd { first: theirs, mut requests, driver: running, .. } = server;
        world.spawn("the server", async move {
            let refusing = async {
                while let Some(incoming) = requests.next().await {
                    let response = Response::builder().status(403).body(vec![b'.'; len]);
                    incoming.respond(response.expect("valid")).await;
                }
            };
            let echoing = crate::support::echo(theirs);
            let _ = futures_util::future::join3(running.run(), echoing, refusing).await;
        });
        world.block_on(async move {
            let ClientEnd { mut first, opener, driver, .. } = client;
            let asking = async {
                let error = opener.open_channel(URI).await.expect_err("it is refused");
                let Some(HandshakeError::Rejected(response)) = error.handshake() else {
                    panic!("{error:?}")
                };
                assert_eq!(response.status(), 403);
                assert_eq!(response.body().len(), len.min(64 * 1024));
                first.send("hello").await.expect("it is open");
                assert!(first.recv().await.expect("it is open").is_some());
                drop((first, opener));
            };
            let (outcome, ()) = join(driver.run(), asking).await;
            outcome.expect("it ends in order");
        });
        world.run().expect("everything ends");
    }
}

#[test]
fn a_request_that_is_too_large_is_refused_and_the_others_live() {
    let mut world = World::new();
    let config = Config::default().head_limits(HeadLimits::default().with_max_bytes(1000));
    let (end, _told) = Setup { config, ..Setup::default() }.watched_server(&mut world);
    world.block_on(async move {
        let mut peer = Peer::ask_for(end, 2, Revision::Ietf07).await;
        let field = format!("\r\nX: {}\r\n\r\n", "x".repeat(1000));
        peer.say(&[request(3, &REQUEST.replace("\r\n\r\n", &field)), flow(3, 1000)]).await;
        match peer.hear_answer().await {
            Heard::Response { id: 3, is_rejected: true, head } => {
                assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
            }
            heard => panic!("{heard:?}"),
        }
        peer.expect_echoes(2, b"on and on").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

#[test]
fn a_physical_message_is_as_long_as_a_peer_has_a_reason_to_send() {
    for role in ROLES {
        for beyond in [0, 1] {
            let config = Config::default().window(100_000);
            let most = config.max_physical_message();
            assert_eq!(most, 100_000 + 1024);
            let setup = Setup { config, ..Setup::default() };
            beside(&setup, role, move |mut peer| async move {
                // For nobody: what is beyond the quota of a channel is another matter.
                peer.send_frame(77, wire::BINARY, &vec![b'x'; most - 2 + beyond]).await;
                if beyond == 1 {
                    match peer.hear_answer().await {
                        Heard::Close(payload) => assert_eq!(payload[..2], [0x03, 0xf1], "1009"),
                        heard => panic!("{heard:?}"),
                    }
                    return;
                }
                peer.expect_echoes(2, b"on and on").await;
                peer.close().await;
            });
        }
    }
}

#[test]
fn a_peer_that_never_reads_makes_an_end_hold_a_window_of_each_channel() {
    const CHANNELS: u32 = 9;
    let mut world = World::new();
    let conditions = Conditions::default().capacity(16 * 1024);
    let (end, told) = Setup { conditions, ..Setup::default() }.watched_server(&mut world);
    let (peer, meter) = world.block_on(async move {
        let mut peer = Peer::ask_for(end, CHANNELS, Revision::Ietf07).await;
        let grants: Vec<_> = (1..=CHANNELS).map(|id| flow(id, 1 << 40)).collect();
        peer.say(&grants).await;
        let meter = Meter::start();
        // As much as its windows allow, which it was granted before: the echoes fill the link, and nobody reads on.
        for _ in 0..60 {
            for id in 1..=CHANNELS {
                peer.send_frame(id, wire::TEXT, &[b'x'; 1000]).await;
            }
        }
        (peer, meter)
    });
    // Until the server gives it up.
    world.run().expect("everything ends");
    assert_eq!(world.clock().elapsed(), Duration::from_secs(30));
    assert_eq!(told.sorted().len(), CHANNELS as usize);
    let held = meter.peak();
    assert!(held < 9 * 200 * 1024, "{held} octets");
    drop(peer);
}
