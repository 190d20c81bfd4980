//! What is offered and answered in the physical handshake, and what the place in the list means.

use hybi::{
    Client, Deflate, Error, Extensions, Server,
    extension::DeflateFrame,
    mux::{Config, Connected, Revision},
};
use hybi_testkit::{wire, world::World};

use crate::{
    alone::{REQUEST, RESPONSE, flow, multiplexed, request, response, slots},
    peer::{Heard, Peer, answer_of, frame},
    support::{ClientEnd, Setup, URI, echo},
};

/// "Hello", compressed (RFC 7692 section 7.2.3.1).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

/// What a server that knows both answers to an offer.
fn answered(offer: &'static str) -> Option<String> {
    let mut world = World::new();
    let extensions =
        Extensions::default().with(Deflate::default()).with(DeflateFrame::new(Deflate::default()));
    let server = Server::builder().extensions(extensions).build();
    let setup = Setup { server, ..Setup::default() };
    let end = setup.serve_any(&mut world);
    world.block_on(async move {
        let (_script, head) = Peer::ask_for_answer(end, offer, "").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        answer_of(&head).map(str::to_owned)
    })
}

#[test]
fn a_server_answers_by_the_place_in_the_list() {
    let table = [
        ("mux", Some("mux")),
        ("mux; quota=0", Some("mux")),
        ("mux; quota=4294967295", Some("mux")),
        // Twice counts once.
        ("mux, mux", Some("mux")),
        ("mux; quota=5, mux; quota=6", Some("mux")),
        // What is no offer of it, and the next, which is one.
        ("mux; quota=4294967296, mux", Some("mux")),
        ("mux; quota=-1", None),
        ("mux; quota=+1", None),
        ("mux; quota", None),
        ("mux; max-channels=4; flow-control", None),
        ("mux_DO_NOT_USE", None),
        // What stands before it is for the channels.
        ("permessage-deflate, mux", Some("mux")),
        ("permessage-deflate; client_max_window_bits, mux; quota=8192", Some("mux")),
        ("unknown, mux, unknown", Some("mux")),
        // What has a history, behind, and what works on frames, before, are preferred to it.
        ("mux, permessage-deflate", Some("permessage-deflate")),
        ("deflate-frame, mux", Some("deflate-frame")),
        ("mux, deflate-frame", Some("deflate-frame")),
    ];
    for (offer, answer) in table {
        assert_eq!(answered(offer).as_deref(), answer, "{offer}");
    }
}

/// What a client makes of an answer to an offer of permessage-deflate and mux.
fn taken(answer: &'static str) -> Result<&'static str, Error> {
    let mut world = World::new();
    let client = Client::builder().extensions(Deflate::default()).build().expect("valid");
    let setup = Setup { client, ..Setup::default() };
    let (sender, receiver) = std::sync::mpsc::channel();
    let end = setup.connect_one(&mut world, move |connected| async move {
        let taken = connected.map(|connected| match connected {
            Connected::Single(ws) if ws.extensions().next().is_some() => "one that compresses",
            Connected::Single(_) => "one",
            Connected::Multiplexed(_) => "many",
        });
        sender.send(taken).expect("it is awaited");
    });
    world.block_on(async move {
        let (_peer, request) = Peer::answer(end, answer, "").await;
        assert_eq!(
            answer_of(&request),
            Some("permessage-deflate; client_max_window_bits, mux; quota=65536")
        );
    });
    world.run().expect("everything ends");
    receiver.recv().expect("it is told")
}

#[test]
fn a_client_takes_the_answer_that_names_it_alone() {
    assert_eq!(taken("mux").expect("lawful"), "many");
    assert_eq!(taken("permessage-deflate").expect("lawful"), "one that compresses");
    for answer in [
        "mux; quota=5",
        "mux, mux",
        "mux, other",
        "permessage-deflate, mux",
        "mux, permessage-deflate",
        "mux_DO_NOT_USE",
    ] {
        let error = taken(answer).expect_err(answer);
        assert!(error.handshake().is_some(), "{answer}: {error:?}");
    }
}

#[test]
fn without_an_answer_there_is_one_connection() {
    let mut world = World::new();
    let end = Setup::default().connect_one(&mut world, |connected| async move {
        let Ok(Connected::Single(ws)) = connected else { panic!("{connected:?}") };
        echo(ws).await.expect("it ends in order");
    });
    world.block_on(async move {
        let (mut peer, _request) = Peer::answer_with(end, "").await;
        peer.script.send_frame(wire::TEXT, b"hello").await;
        peer.script.expect(wire::TEXT, b"hello").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

/// Setup of a server and a client that compress, or not.
fn compressing(compresses: bool) -> Setup {
    if !compresses {
        return Setup::default();
    }
    let client = Client::builder().extensions(Deflate::default()).build();
    Setup {
        server: Server::builder().extensions(Deflate::default()).build(),
        client: client.expect("valid"),
        ..Setup::default()
    }
}

#[test]
fn a_server_takes_compressed_messages_on_channel_1_after_an_offer_and_sends_none() {
    let mut world = World::new();
    let (end, _told) = compressing(true).watched_server(&mut world);
    world.block_on(async move {
        let offer = "permessage-deflate, mux; quota=1000";
        let mut peer = Peer::ask(end, offer, "", Revision::Ietf07).await;
        peer.send_frame(1, wire::TEXT | wire::RSV1, HELLO).await;
        assert_eq!(peer.hear_answer().await, frame(1, wire::TEXT, b"Hello"));
        // And both ways on a channel whose handshakes agree on it, whatever the physical one offered.
        let head =
            REQUEST.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        peer.say(&[request(2, &head), flow(2, 1000)]).await;
        let heard = peer.hear_answer().await;
        let Heard::Response { is_rejected: false, head, .. } = heard else { panic!("{heard:?}") };
        assert_eq!(answer_of(&head), Some("permessage-deflate"));
        peer.send_frame(2, wire::TEXT | wire::RSV1, HELLO).await;
        // It is as long as it is when it is compressed.
        assert_eq!(peer.hear_answer().await, frame(2, wire::TEXT, b"Hello"));
        peer.send_frame(2, wire::TEXT, &[b'a'; 300]).await;
        let heard = peer.hear_answer().await;
        let Heard::Frame { id: 2, first, payload } = heard else { panic!("{heard:?}") };
        assert_eq!(first, wire::TEXT | wire::RSV1);
        assert!(payload.len() < 20, "{} octets", payload.len());
        // It is never done on the first.
        peer.send_frame(1, wire::TEXT, &[b'a'; 300]).await;
        assert_eq!(peer.hear_answer().await, frame(1, wire::TEXT, &[b'a'; 300]));
        peer.close().await;
    });
    world.run().expect("everything ends");
}

#[test]
fn without_an_offer_compressed_messages_on_channel_1_are_an_error_there() {
    for compresses in [true, false] {
        let mut world = World::new();
        let (end, _told) = compressing(compresses).watched_server(&mut world);
        world.block_on(async move {
            let mut peer = Peer::ask(end, "mux; quota=1000", "", Revision::Ietf07).await;
            peer.send_frame(1, wire::TEXT | wire::RSV1, HELLO).await;
            peer.expect_close(1, 1002).await;
            peer.close().await;
        });
        world.run().expect("everything ends");
    }
    let mut world = World::new();
    let (end, _told) = Setup::default().watched_client(&mut world, 1);
    world.block_on(async move {
        let mut peer = Peer::serve_to(end, 1).await;
        peer.send_frame(1, wire::TEXT | wire::RSV1, HELLO).await;
        peer.expect_close(1, 1002).await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

#[test]
fn a_client_takes_compressed_messages_on_channel_1_after_an_offer_and_sends_none() {
    let mut world = World::new();
    let (end, _told) = compressing(true).watched_client(&mut world, 1);
    world.block_on(async move {
        let mut peer = Peer::serve_to(end, 1).await;
        peer.send_frame(1, wire::TEXT | wire::RSV1, HELLO).await;
        assert_eq!(peer.hear_answer().await, frame(1, wire::TEXT, b"Hello"));
        peer.expect_echo(1, &[b'a'; 300]).await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}

/// The server may have agreed to all that was asked of it, of which nothing is said either.
#[test]
fn what_a_client_asked_of_a_server_holds_on_channel_1_without_an_answer() {
    let wishes = [
        Deflate::default().peer_context_takeover(false),
        Deflate::default().peer_window_bits(9),
        Deflate::default().peer_context_takeover(false).peer_window_bits(10).own_window_bits(11),
        Deflate::default().own_context_takeover(false),
    ];
    for wish in wishes {
        let mut world = World::new();
        let client = Client::builder().extensions(wish).build().expect("valid");
        let (end, _told) = Setup { client, ..Setup::default() }.watched_client(&mut world, 1);
        world.block_on(async move {
            let mut peer = Peer::serve_to(end, 1).await;
            for _ in 0..2 {
                peer.send_frame(1, wire::TEXT | wire::RSV1, HELLO).await;
                assert_eq!(peer.hear_answer().await, frame(1, wire::TEXT, b"Hello"), "{wish:?}");
            }
            peer.close().await;
        });
        world.run().expect("everything ends");
    }
}

#[test]
fn an_extension_that_a_channel_did_not_offer_fails_everything() {
    for field in ["Sec-WebSocket-Extensions: other", "Sec-WebSocket-Protocol: other"] {
        let mut world = World::new();
        let end = Setup::default().connect_one(&mut world, |connected| async move {
            let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
            let opening = async {
                let error = opener.open_channel(URI).await.expect_err("it is against the rules");
                assert!(error.handshake().is_some(), "{error:?}");
                drop(first);
            };
            let (outcome, ()) = futures_util::future::join(driver.run(), opening).await;
            assert!(outcome.expect_err("it failed").to_string().contains("2011 (bad response)"));
        });
        world.block_on(async move {
            let (mut peer, _request) = Peer::answer(end, "mux", "").await;
            peer.say(&[flow(1, 1000), slots(1, 1000)]).await;
            assert!(matches!(peer.hear_answer().await, Heard::Request { id: 2, .. }));
            let head = RESPONSE.replace("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"));
            peer.say(&[response(2, &head)]).await;
            let heard = peer.hear_answer().await;
            assert!(matches!(heard, Heard::Drop { id: 0, code: Some(2011), .. }), "{heard:?}");
            peer.expect_physical_close(1011).await;
        });
        world.run().expect("everything ends");
    }
}

#[test]
fn the_token_is_a_choice() {
    let mut world = World::new();
    let config = Config::default().token("mux_DO_NOT_USE").expect("a token");
    let (end, _told) = Setup { config, ..Setup::default() }.watched_client(&mut world, 1);
    world.block_on(async move {
        let (mut peer, request) = Peer::answer(end, "mux_DO_NOT_USE", "").await;
        assert_eq!(answer_of(&request), Some("mux_DO_NOT_USE; quota=65536"));
        peer.say(&[flow(1, 1000)]).await;
        peer.expect_echo(1, b"hello").await;
        peer.close().await;
    });
    world.run().expect("everything ends");
}
