//! What was settled when two implementations were measured (section 10 of the notes): a test for each point.

use futures_util::future::{join, join3};
use hybi::{
    HandshakeError,
    mux::{Config, Revision},
};
use hybi_testkit::{wire, world::World};

use crate::{
    alone::{
        REQUEST, RESPONSE, ROLES, Told, beside, flow, multiplexed, refusal, request, response,
        slots, two_channels, watched,
    },
    peer::{Heard, Peer, frame},
    support::{ClientEnd, Setup, URI},
};

fn window(octets: u64) -> Setup {
    Setup { config: Config::default().window(octets), ..Setup::default() }
}

// 1

#[test]
fn a_client_says_in_its_offer_what_may_be_sent_to_it() {
    let mut world = World::new();
    let (end, _told) = window(300).watched_client(&mut world, 1);
    world.block_on(async move {
        let (mut peer, request) = Peer::answer(end, "mux", "").await;
        assert!(request.contains("\r\nSec-WebSocket-Extensions: mux; quota=300\r\n"), "{request}");
        // All of it, before anything was said. It says nothing of quota until that came, nor does it send anything.
        peer.send_frame(1, wire::TEXT, &[b'a'; 299]).await;
        assert_eq!(peer.hear().await, Heard::Flow { id: 1, quota: 300 });
        peer.say(&[flow(1, 1000)]).await;
        assert_eq!(peer.hear().await, frame(1, wire::TEXT, &[b'a'; 299]));
        peer.close().await;
    });
    world.run().expect("everything ends");
}

#[test]
fn a_server_sends_what_the_offer_says_and_no_more() {
    let mut world = World::new();
    let (end, _told) = Setup::default().watched_server(&mut world);
    world.block_on(async move {
        let mut peer = Peer::ask(end, "mux; quota=4", "", Revision::Ietf07).await;
        peer.send_frame(1, wire::TEXT, b"hello").await;
        assert_eq!(peer.hear_answer().await, frame(1, wire::TEXT ^ wire::FIN, b"hel"));
        peer.say(&[flow(1, 2)]).await;
        assert_eq!(peer.hear_answer().await, frame(1, wire::CONTINUATION, b"lo"));
        peer.close().await;
    });
    world.run().expect("everything ends");
}

// 3

#[test]
fn a_server_gives_a_slot_back_for_each_channel_that_ended_or_was_refused() {
    let mut world = World::new();
    let config = Config::default().max_channels(1).window(777);
    let (end, _told) = Setup { config, ..Setup::default() }.watched_server(&mut world);
    world.block_on(async move {
        let mut peer = Peer::ask(end, "mux; quota=1000", "", Revision::Ietf07).await;
        let slot = Heard::Slots { slots: 1, quota: 777, is_fallback: false };
        assert_eq!(peer.hear_more_than_quota().await, slot);
        // Closed in order, dropped by the peer, by the application, and refused.
        for id in 2..6 {
            peer.say(&[request(id, REQUEST), flow(id, 1000)]).await;
            assert!(matches!(peer.hear_more_than_quota().await, Heard::Response { .. }));
            match id {
                2 => {
                    peer.send_frame(id, wire::CLOSE, &[3, 0xe8]).await;
                    let answer = peer.hear_more_than_quota().await;
                    assert_eq!(answer, frame(id, wire::CLOSE, &[3, 0xe8]));
                }
                3 => {
                    peer.send_drop(id, 1000, "").await;
                    let heard = peer.hear_more_than_quota().await;
                    assert!(matches!(heard, Heard::Drop { id: 3, code: Some(3008), .. }));
                }
                4 => {
                    peer.send_frame(id, wire::TEXT, b"leave").await;
                    let heard = peer.hear_more_than_quota().await;
                    assert!(matches!(heard, Heard::Drop { id: 4, code: Some(3000), .. }));
                }
                _ => {
                    peer.send_frame(id, wire::TEXT, b"drop 4002").await;
                    let heard = peer.hear_more_than_quota().await;
                    assert!(matches!(heard, Heard::Drop { id: 5, code: Some(4002), .. }));
                }
            }
            assert_eq!(peer.hear_more_than_quota().await, slot, "after channel {id}");
        }
        peer.say(&[request(6, "GET /echo HTTP/1.1\r\n\r\n")]).await;
        assert!(matches!(peer.hear().await, Heard::Response { is_rejected: true, .. }));
        assert_eq!(peer.hear_more_than_quota().await, slot);
        peer.close().await;
    });
    world.run().expect("everything ends");
}

#[test]
fn a_client_without_a_slot_waits_for_one() {
    let mut world = World::new();
    let end = Setup::default().connect_one(&mut world, |connected| async move {
        let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
        let second = async {
            let (ws, _response) = opener.open_channel(URI).await.expect("a slot comes in time");
            Told::default().watch(ws).await.expect("it never fails");
        };
        let (outcome, first, ()) = join3(driver.run(), Told::default().watch(first), second).await;
        outcome.and(first).expect("it ends in order");
    });
    world.block_on(async move {
        let (mut peer, _request) = Peer::answer(end, "mux", "").await;
        peer.say(&[flow(1, 1000)]).await;
        peer.expect_echo(1, b"hello").await;
        peer.expect_echo(1, b"still nothing").await;
        // A count, and no list.
        peer.say(&[slots((1 << 63) - 1, (1 << 63) - 1)]).await;
        assert!(matches!(peer.hear_answer().await, Heard::Request { id: 2, .. }));
        peer.say(&[response(2, RESPONSE)]).await;
        peer.expect_echo(2, b"hello").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

// 4

#[test]
fn outer_messages_are_never_fragmented_and_may_come_in_fragments() {
    for role in ROLES {
        beside(&Setup::default(), role, |mut peer| async move {
            peer.say(&[flow(1, 1 << 20)]).await;
            let message = [&b"\x01\x82"[..], &[b'x'; 50_000]].concat();
            let (front, back) = message.split_at(20_000);
            peer.script.send_frame(wire::BINARY ^ wire::FIN, front).await;
            peer.script.send_frame(wire::PING, b"now").await;
            peer.script.send_frame(wire::CONTINUATION, back).await;
            let mut echoed = 0;
            while echoed < 50_000 {
                let frame = peer.script.next_frame().await.expect("it goes on");
                match frame.first {
                    wire::PONG => assert_eq!(frame.payload, b"now"),
                    // No other is there, so none is a fragment.
                    wire::BINARY if frame.payload[0] == 1 => echoed += frame.payload.len() - 2,
                    wire::BINARY => assert_eq!(frame.payload[0], 0),
                    first => panic!("{first:#04x}"),
                }
            }
            peer.close().await;
        });
    }
}

// 5

#[test]
fn nobody_waits_for_an_acknowledgement() {
    let mut world = World::new();
    let config = Config::default().max_channels(1);
    let (end, _told) = Setup { config, ..Setup::default() }.watched_server(&mut world);
    world.block_on(async move {
        let mut peer = Peer::ask_for(end, 2, Revision::Ietf07).await;
        peer.send_frame(2, wire::TEXT, b"leave").await;
        peer.expect_drop(2, 3000, "").await;
        // The slot comes, although nothing was said to that; the id may be used again at once.
        assert!(matches!(peer.hear_more_than_quota().await, Heard::Slots { slots: 1, .. }));
        peer.say(&[request(2, REQUEST), flow(2, 1000)]).await;
        assert!(matches!(peer.hear_answer().await, Heard::Response { is_rejected: false, .. }));
        peer.expect_echo(2, b"again").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

// 8

/// A client whose second channel is refused with this, and the id that it asks for next.
fn refused(heads: &'static [&'static str]) -> HandshakeError {
    let mut world = World::new();
    let (sender, receiver) = std::sync::mpsc::channel();
    let end = Setup::default().connect_one(&mut world, move |connected| async move {
        let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
        let opening = async {
            let error = opener.open_channel(URI).await.expect_err("it is refused");
            let error = error.handshake().cloned();
            sender.send(error.expect("by the server")).expect("it is awaited");
            let (ws, _response) = opener.open_channel(URI).await.expect("it is not refused");
            assert_eq!(ws.transport().id().get(), 3);
            Told::default().watch(ws).await.expect("it never fails");
            drop(first);
        };
        let (outcome, ()) = join(driver.run(), opening).await;
        outcome.expect("it ends in order");
    });
    world.block_on(async move {
        let (mut peer, _request) = Peer::answer(end, "mux", "").await;
        peer.say(&[flow(1, 1000), slots(5, 1000)]).await;
        assert!(matches!(peer.hear_answer().await, Heard::Request { id: 2, .. }));
        for head in heads {
            peer.say(&[refusal(2, head)]).await;
        }
        assert!(matches!(peer.hear_answer().await, Heard::Request { id: 3, .. }));
        // Of channels that are open, or that nobody asked for, as well.
        peer.say(&[response(3, RESPONSE), refusal(3, heads[0]), refusal(1, heads[0])]).await;
        peer.say(&[refusal(4, heads[0]), refusal(0, heads[0])]).await;
        peer.expect_echo(3, b"it is open").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
    receiver.recv().expect("it is told")
}

#[test]
fn a_refusal_may_come_twice_and_its_id_is_not_used_again() {
    const NOT_FOUND: &str =
        "HTTP/1.1 404 Not Found\r\nX-Reason: none\r\nContent-Length: 7\r\n\r\nno such";
    let HandshakeError::Rejected(response) = refused(&[NOT_FOUND, NOT_FOUND]) else {
        panic!("it is a refusal")
    };
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["x-reason"], "none");
    assert_eq!(response.body(), b"no such");
}

// 9

#[test]
fn what_is_said_of_unknown_channels_is_ignored() {
    for role in ROLES {
        beside(&Setup::default(), role, |mut peer| async move {
            peer.say(&[flow(77, 5), flow(77, (1 << 63) - 1), flow(77, (1 << 63) - 1), flow(0, 5)])
                .await;
            peer.say(&[flow(1, 0), flow(2, 0), flow(77, 0)]).await;
            peer.send_drop(77, 3007, "").await;
            peer.send_frame(77, wire::TEXT, b"hello").await;
            peer.send_frame(77, 0x83, b"hello").await;
            peer.expect_echoes(2, b"on and on").await;
            peer.close().await;
        });
    }
}

#[test]
fn quota_before_the_request_is_void_and_behind_it_counts() {
    let mut world = World::new();
    let (end, _told) = Setup::default().watched_server(&mut world);
    world.block_on(async move {
        let mut peer = Peer::ask(end, "mux; quota=1000", "", Revision::Ietf07).await;
        peer.say(&[flow(2, 100), request(2, REQUEST)]).await;
        assert!(matches!(peer.hear_answer().await, Heard::Response { id: 2, .. }));
        peer.send_frame(2, wire::TEXT, b"hello").await;
        peer.expect_echo(1, b"hello").await;
        peer.say(&[flow(2, 6)]).await;
        assert_eq!(peer.hear_answer().await, frame(2, wire::TEXT, b"hello"));
        peer.say(&[request(3, REQUEST), flow(3, 6)]).await;
        assert!(matches!(peer.hear_answer().await, Heard::Response { id: 3, .. }));
        peer.expect_echo(3, b"hello").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

#[test]
fn a_client_grants_quota_behind_its_request_in_the_same_message() {
    let mut world = World::new();
    let (end, _told) = window(4000).watched_client(&mut world, 2);
    world.block_on(async move {
        let (mut peer, _request) = Peer::answer(end, "mux", "").await;
        peer.say(&[slots(1, 0)]).await;
        let message = peer.script.next_frame().await.expect("the request").payload;
        let heard = crate::peer::heard(&message, Revision::Ietf07);
        assert!(matches!(heard[0], Heard::Request { id: 2, .. }), "{heard:?}");
        assert_eq!(heard[1..], [Heard::Flow { id: 2, quota: 4000 }]);
        peer.say(&[response(2, RESPONSE)]).await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

// 10

#[test]
fn quota_is_returned_while_a_message_is_gathered() {
    for role in ROLES {
        beside(&window(1000), role, |mut peer| async move {
            peer.say(&[flow(1, 100_000)]).await;
            // The echo of one message took seven octets, and is not worth a FlowControl.
            let mut quota = 1000 - 7_u64;
            for at in 0..40 {
                while quota < 501 {
                    match peer.hear().await {
                        Heard::Flow { id: 1, quota: more } => quota += more,
                        heard => panic!("{heard:?}"),
                    }
                }
                let first = if at == 0 { 0x02 } else { 0x00 };
                peer.send_frame(1, first, &[b'x'; 500]).await;
                quota -= 500 + u64::from(at == 0);
            }
            peer.send_frame(1, 0x80, b"").await;
            let mut echoed = 0;
            while echoed < 20_000 {
                match peer.hear().await {
                    Heard::Flow { id: 1, .. } => {}
                    Heard::Frame { id: 1, payload, .. } => echoed += payload.len(),
                    heard => panic!("{heard:?}"),
                }
            }
            peer.close().await;
        });
    }
}

#[test]
fn quota_is_held_back_while_messages_wait_and_is_exact() {
    for (role, beyond) in ROLES.into_iter().flat_map(|role| [0, 1].map(|beyond| (role, beyond))) {
        let mut world = World::new();
        let (end, told) = watched(&window(1000), role, &mut world);
        let resume = told.clone();
        world.block_on(async move {
            let mut peer = two_channels(role, end).await;
            let begin = peer.granted(2);
            // What its connection has read with that is not held back.
            peer.send_frame(2, wire::TEXT, b"pause").await;
            peer.expect_echo(1, b"on and on").await;
            peer.send_frame(2, wire::TEXT, &[b'b'; 99]).await;
            peer.send_frame(2, wire::TEXT, &[b'c'; 799]).await;
            peer.expect_echo(1, b"on and on").await;
            // Both wait, and what came before was not worth it.
            assert_eq!(peer.granted(2), begin);
            let left = 1000 - (7 + 6 + 100 + 800);
            peer.send_frame(2, wire::TEXT, &vec![b'd'; left - 1 + beyond]).await;
            if beyond == 1 {
                peer.expect_drop(2, 3005, "more on a channel than was granted").await;
            }
            peer.expect_echo(1, b"on and on").await;
            resume.resume();
            if beyond == 0 {
                // What is taken is granted.
                for (byte, len) in [(b'b', 99), (b'c', 799), (b'd', left - 1)] {
                    let mut echoed = Vec::new();
                    while echoed.len() < len {
                        match peer.hear_more_than_quota().await {
                            Heard::Frame { id: 2, payload, .. } => echoed.extend(payload),
                            heard => panic!("{heard:?}"),
                        }
                        peer.say(&[flow(2, 100)]).await;
                    }
                    assert_eq!(echoed, vec![byte; len]);
                }
                assert_eq!(peer.granted(2) - begin, 1000);
            }
            peer.close().await;
        });
        world.run().expect("everything ends");
        let seen = &told.sorted()[1];
        // What came in time is read, whatever became of the channel.
        let lens: Vec<_> = seen.messages.iter().map(String::len).collect();
        let all = [6, 5, 99, 799, 86];
        assert_eq!(lens, all[..all.len() - beyond]);
    }
}

// 11

#[test]
fn a_request_that_is_none_is_refused_with_400() {
    let heads = ["", "hello", "GET\r\n\r\n", "GET /echo HTTP/1.1\r\nHost: a\r\n", "\0\r\n\r\n"];
    for head in heads {
        let mut world = World::new();
        let (end, _told) = Setup::default().watched_server(&mut world);
        world.block_on(async move {
            let mut peer = Peer::ask_for(end, 1, Revision::Ietf07).await;
            peer.say(&[request(2, head), flow(2, 1000)]).await;
            match peer.hear_answer().await {
                Heard::Response { id: 2, is_rejected: true, head: refusal } => {
                    assert!(refusal.starts_with("HTTP/1.1 400 "), "{head:?}: {refusal}");
                }
                heard => panic!("{head:?}: {heard:?}"),
            }
            // Its id is free.
            peer.say(&[request(2, REQUEST), flow(2, 1000)]).await;
            assert!(matches!(peer.hear_answer().await, Heard::Response { is_rejected: false, .. }));
            peer.expect_echoes(2, b"on and on").await;
            peer.close().await;
        });
        world.run().expect("everything ends");
    }
}

#[test]
fn a_message_of_channel_0_without_a_block_says_nothing() {
    for role in ROLES {
        beside(&Setup::default(), role, |mut peer| async move {
            peer.send(&[0]).await;
            peer.expect_echoes(2, b"on and on").await;
            peer.close().await;
        });
    }
}

#[test]
fn an_acceptance_that_is_none_fails_everything() {
    let heads = [
        "HTTP/1.1 404 Not Found\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n",
        "hello",
        "",
    ];
    for head in heads {
        let mut world = World::new();
        let (end, _told) = Setup::default().refused_client(&mut world);
        world.block_on(async move {
            let (mut peer, _request) = Peer::answer(end, "mux", "").await;
            peer.say(&[flow(1, 1000), slots(1, 1000)]).await;
            assert!(matches!(peer.hear_answer().await, Heard::Request { id: 2, .. }));
            peer.say(&[response(2, head)]).await;
            let reason =
                "response for a channel that is none, or is not awaited, at octet 1 of the message";
            peer.expect_failure(2011, reason).await;
        });
        world.run().expect("everything ends");
    }
    // And a refusal that says that it is none.
    let mut world = World::new();
    let (end, _told) = Setup::default().refused_client(&mut world);
    world.block_on(async move {
        let (mut peer, _request) = Peer::answer(end, "mux", "").await;
        peer.say(&[flow(1, 1000), slots(1, 1000)]).await;
        assert!(matches!(peer.hear_answer().await, Heard::Request { id: 2, .. }));
        peer.say(&[refusal(2, RESPONSE)]).await;
        let heard = peer.hear_answer().await;
        assert!(matches!(heard, Heard::Drop { id: 0, code: Some(2011), .. }), "{heard:?}");
        peer.expect_physical_close(1011).await;
    });
    world.run().expect("everything ends");
}

// 12

#[test]
fn with_a_quota_of_one_a_message_waits_for_two_and_an_empty_one_leaves() {
    for role in ROLES {
        beside(&Setup::default(), role, |mut peer| async move {
            // 1000 - 7 - 992 = 1.
            peer.expect_echo(2, &[b'a'; 991]).await;
            peer.send_frame(2, wire::TEXT, b"xy").await;
            peer.expect_echo(1, b"on and on").await;
            peer.say(&[flow(2, 1)]).await;
            assert_eq!(peer.hear_answer().await, frame(2, wire::TEXT ^ wire::FIN, b"x"));
            peer.say(&[flow(2, 1)]).await;
            assert_eq!(peer.hear_answer().await, frame(2, wire::CONTINUATION, b"y"));
            // Nothing is left for an empty one, and then what it costs.
            peer.send_frame(2, wire::TEXT, b"").await;
            peer.expect_echo(1, b"on and on").await;
            peer.say(&[flow(2, 1)]).await;
            assert_eq!(peer.hear_answer().await, frame(2, wire::TEXT, b""));
            // As a Close frame without a code.
            peer.send_frame(2, wire::CLOSE, b"").await;
            peer.expect_echo(1, b"on and on").await;
            peer.say(&[flow(2, 1)]).await;
            assert_eq!(peer.hear_answer().await, frame(2, wire::CLOSE, b""));
            peer.close().await;
        });
    }
}

#[test]
fn a_control_frame_is_cut_to_the_quota() {
    for role in ROLES {
        beside(&Setup::default(), role, |mut peer| async move {
            peer.expect_echo(2, &[b'a'; 988]).await;
            peer.send_frame(2, wire::PING, b"hello").await;
            assert_eq!(peer.hear_answer().await, frame(2, wire::PONG ^ wire::FIN, b"hel"));
            // In fragments on the way here, within a message that is in fragments.
            peer.send_frame(2, wire::TEXT ^ wire::FIN, b"a").await;
            peer.send_frame(2, wire::PING ^ wire::FIN, b"p").await;
            peer.send_frame(2, wire::CONTINUATION, b"q").await;
            peer.send_frame(2, wire::CONTINUATION, b"b").await;
            peer.say(&[flow(2, 1000)]).await;
            assert_eq!(peer.hear_answer().await, frame(2, wire::CONTINUATION, b"lo"));
            assert_eq!(peer.hear_answer().await, frame(2, wire::PONG, b"pq"));
            assert_eq!(peer.hear_answer().await, frame(2, wire::TEXT, b"ab"));
            peer.close().await;
        });
    }
}
