//! Requests for channels: what the rules of a server say of each, and those that say what differs from another.

use core::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join;
use hybi::{
    Client, Error, HandshakeError, HostPolicy, Incoming, OriginPolicy, Request, Server,
    http::Response,
    io::Timer as _,
    mux::{self, Accepted, Channel, Config, HandshakeEncoding, Requests},
    opening,
};
use hybi_testkit::{
    clock::ClockTimer,
    link::{End, link},
    world::World,
};

use crate::{
    alone::{RESPONSE, delta, flow, multiplexed, request, response, slots},
    peer::{Heard, Peer},
    support::{ClientEnd, ServerEnd, Setup, URI, Ws},
};

/// What an application is asked for: a line for each channel.
type Asked = Rc<RefCell<Vec<String>>>;

/// The target of a request, and those of its fields that begin with an X.
fn line(incoming: &Incoming<Channel, ClockTimer>) -> String {
    let request = incoming.request();
    let fields = request.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-"));
    let fields = fields.map(|(name, value)| format!(" {name}={}", value.to_str().expect("text")));
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    let fields = fields.concat();
    format!("{}{fields}", request.uri())
}

/// Accepts channels, with a field of its own, but those for `/no`.
async fn judge(mut requests: Requests<ClockTimer>, asked: Asked) {
    let mut channels: Vec<Ws> = Vec::new();
    while let Some(incoming) = requests.next().await {
        asked.borrow_mut().push(line(&incoming));
        if incoming.request().uri().path() == "/no" {
            let response = Response::builder().status(404).header("X-Reason", "none");
            incoming.respond(response.body("no such channel").expect("valid")).await;
            continue;
        }
        let Ok(accepted) = incoming.check() else {
            incoming.accept().await.expect_err("it is against its rules");
            continue;
        };
        let accepted = accepted.with_header("X-Served", "yes").expect("valid");
        channels.push(incoming.accept_as(accepted).await.expect("it was checked"));
    }
}

/// A server in the world that judges requests, and the other end of its connection.
fn judging(setup: &Setup, world: &mut World, asked: &Asked) -> End {
    let Setup { server, config, conditions, .. } = setup.clone();
    let (near, far) = link(world.clock(), conditions, conditions);
    let (clock, asked) = (world.clock().clone(), asked.clone());
    world.spawn("the server", async move {
        let timer = clock.timer();
        let deadline = server.config().handshake_deadline(timer.now());
        let incoming = opening::incoming_on(&server, far, timer, deadline).await;
        let accepted =
            mux::accept(incoming.expect("a request"), &config, move || clock.timer()).await;
        let Ok(Accepted::Multiplexed(end)) = accepted else { panic!("{accepted:?}") };
        let ServerEnd { first, requests, driver, .. } = end;
        let _ = join(driver.run(), judge(requests, asked)).await;
        drop(first);
    });
    near
}

#[test]
fn a_delta_says_what_differs_from_the_newest_request_that_was_accepted_and_was_none() {
    const ACCEPTED: bool = false;
    const REFUSED: bool = true;
    let mut world = World::new();
    let asked = Asked::default();
    let end = judging(&Setup::default(), &mut world, &asked);
    world.block_on(async move {
        let fields = "X-A: 1\r\nX-B: 2\r\nX-M: one\r\nX-M: two\r\n";
        let offer = "permessage-deflate, mux; quota=1000";
        let mut peer = Peer::ask(end, offer, fields, mux::Revision::Ietf07).await;
        let table = [
            (delta(2, "GET /same HTTP/1.1\r\n\r\n"), ACCEPTED),
            (
                delta(3, "GET /other HTTP/1.1\r\nX-A: 9\r\nx-b:\r\nX-C: 3\r\nX-M: 4\r\n\r\n"),
                ACCEPTED,
            ),
            // A delta is no base.
            (delta(4, "GET /same HTTP/1.1\r\n\r\n"), ACCEPTED),
            // Nor is what was refused, by the application or for what it is.
            (request(5, "GET /no HTTP/1.1\r\nHost: a\r\nX-A: 5\r\n\r\n"), REFUSED),
            (request(6, "GET /none HTTP/1.1\r\nX-A: 6\r\n\r\n"), REFUSED),
            (delta(7, "GET /no HTTP/1.1\r\n\r\n"), REFUSED),
            (delta(8, "GET /same HTTP/1.1\r\n\r\n"), ACCEPTED),
            (request(9, "GET /base HTTP/1.1\r\nHost: b\r\nX-A: 7\r\n\r\n"), ACCEPTED),
            (delta(10, "GET /new HTTP/1.1\r\nX-B: 8\r\n\r\n"), ACCEPTED),
        ];
        for (request, refused) in table {
            peer.say(&[request]).await;
            match peer.hear_answer().await {
                Heard::Response { is_rejected, head, .. } => {
                    assert_eq!(is_rejected, refused, "{request:?}: {head}");
                }
                heard => panic!("{request:?}: {heard:?}"),
            }
        }
        peer.close().await;
    });
    world.run().expect("everything ends");
    let same = "/same x-a=1 x-b=2 x-m=one x-m=two";
    assert_eq!(
        *asked.borrow(),
        [
            same,
            "/other x-a=9 x-c=3 x-m=4",
            same,
            "/no x-a=5",
            "/no x-a=1 x-b=2 x-m=one x-m=two",
            same,
            "/base x-a=7",
            "/new x-a=7 x-b=8",
        ]
    );
}

#[test]
fn a_delta_without_what_a_request_needs_fails_everything() {
    let mut world = World::new();
    let end = judging(&Setup::default(), &mut world, &Asked::default());
    world.block_on(async move {
        let mut peer = Peer::ask(end, "mux", "", mux::Revision::Ietf07).await;
        peer.say(&[delta(2, "GET / HTTP/1.1\r\nHost:\r\n\r\n")]).await;
        peer.expect_failure(2009, "request for a channel that is none, at octet 1 of the message")
            .await;
    });
    world.run().expect("everything ends");
}

/// What a client of ours asks for, and what a server of ours is asked for.
async fn ask_for_some(end: ClientEnd) {
    let ClientEnd { first, opener, driver, .. } = end;
    let asking = async {
        let uri = "ws://example.org/other";
        let plain = opener.open_channel(uri).await.expect("it is accepted");
        assert_eq!(plain.1.headers()["x-served"], "yes");
        // What is in all requests, another value in its place, one more, and one that is empty.
        let more = Request::from(uri).header("X-B", "9").header("X-M", "4").header("X-E", "");
        let more = opener.open_channel(more).await.expect("it is accepted");
        let error = opener.open_channel("ws://example.org/no").await.expect_err("it is refused");
        let Some(HandshakeError::Rejected(response)) = error.handshake() else {
            panic!("{error:?}")
        };
        assert_eq!(
            (response.status().as_u16(), &response.body()[..]),
            (404, &b"no such channel"[..])
        );
        assert_eq!(response.headers()["x-reason"], "none");
        let after = opener.open_channel(URI).await.expect("it is accepted");
        let ids = [&first, &plain.0, &more.0, &after.0].map(|ws| ws.transport().id().get());
        assert_eq!(ids, [1, 2, 3, 5], "an id that was refused is not used again");
        drop((first, opener));
    };
    let (outcome, ()) = join(driver.run(), asking).await;
    outcome.expect("it ends in order");
}

#[test]
fn a_client_asks_in_both_encodings_for_the_same() {
    for encoding in [HandshakeEncoding::Identity, HandshakeEncoding::Delta] {
        let mut world = World::new();
        let config = Config::default().requests(encoding);
        let client = Client::builder().header("X-A", "1").header("X-B", "2");
        let client = client.build().expect("valid");
        let setup = Setup { config, client, ..Setup::default() };
        let asked = Asked::default();
        let (server, client) = setup.open(&mut world);
        let ServerEnd { first, requests, driver, .. } = server;
        let judging = judge(requests, asked.clone());
        world.spawn("the server", async move {
            let _ = join(driver.run(), judging).await;
            drop(first);
        });
        world.block_on(ask_for_some(client));
        world.run().expect("everything ends");
        // An empty one a delta cannot say.
        let empty = if encoding == HandshakeEncoding::Identity { " x-e=" } else { "" };
        assert_eq!(
            *asked.borrow(),
            [
                "/other x-a=1 x-b=2",
                &format!("/other x-a=1 x-b=9{empty} x-m=4"),
                "/no x-a=1 x-b=2",
                "/echo x-a=1 x-b=2",
            ],
            "{encoding:?}"
        );
    }
}

#[test]
fn a_client_says_in_a_delta_what_differs_and_no_more() {
    let mut world = World::new();
    let config = Config::default().requests(HandshakeEncoding::Delta);
    let client = Client::builder().header("X-A", "1").build().expect("valid");
    let end = Setup { config, client, ..Setup::default() }.connect_one(
        &mut world,
        |connected| async move {
            let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
            let asking = async {
                let one = opener.open_channel(URI).await.expect("it is accepted");
                let request = Request::from("ws://other.example/x").header("X-B", "2");
                let two = opener.open_channel(request).await.expect("it is accepted");
                drop((first, one, two, opener));
            };
            let (outcome, ()) = join(driver.run(), asking).await;
            outcome.expect("it ends in order");
        },
    );
    world.block_on(async move {
        let (mut peer, _request) = Peer::answer(end, "mux", "").await;
        peer.say(&[flow(1, 1000), slots(2, 1000)]).await;
        let heads = [
            "GET /echo HTTP/1.1\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: other.example\r\nX-B: 2\r\n\r\n",
        ];
        for (id, head) in (2..).zip(heads) {
            let (encoding, head) = (HandshakeEncoding::Delta, head.to_owned());
            assert_eq!(peer.hear_answer().await, Heard::Request { id, encoding, head });
            peer.say(&[response(id, RESPONSE)]).await;
        }
        for id in 1..4 {
            peer.expect_drop(id, 3000, "").await;
        }
        peer.expect_physical_close(1000).await;
    });
    world.run().expect("everything ends");
}

#[test]
fn what_the_first_request_asks_for_is_not_asked_for_again() {
    for encoding in [HandshakeEncoding::Identity, HandshakeEncoding::Delta] {
        let mut world = World::new();
        let config = Config::default().requests(encoding);
        let asked = Asked::default();
        let end =
            judging(&Setup { config: config.clone(), ..Setup::default() }, &mut world, &asked);
        let clock = world.clock().clone();
        world.block_on(async move {
            let client = Client::default();
            let request = Request::from(URI).header("X-First", "1");
            let deadline = client.config().handshake_deadline(clock.now());
            let timers = move || clock.timer();
            let connected = mux::connect_on(&client, &config, request, end, timers, deadline).await;
            let ClientEnd { first, opener, driver, .. } =
                multiplexed(connected.map(|(connected, _response)| connected));
            let asking = async {
                let channel = opener.open_channel(URI).await.expect("it is accepted");
                drop((channel, opener, first));
            };
            let (outcome, ()) = join(driver.run(), asking).await;
            outcome.expect("it ends in order");
        });
        world.run().expect("everything ends");
        assert_eq!(*asked.borrow(), ["/echo"], "{encoding:?}");
    }
}

/// The status that a server with rules refuses a request for a channel with, if it does.
fn refused_with(request: Request) -> Result<Option<String>, u16> {
    let mut world = World::new();
    let server = Server::builder()
        .hosts(HostPolicy::List(
            ["example.org", "example.net"].map(|host| host.parse().expect("valid")).to_vec(),
        ))
        .origins(OriginPolicy::SameOrNone)
        .subprotocols(["chat.v2", "chat.v1"])
        .build();
    let (server, client) = Setup { server, ..Setup::default() }.open(&mut world);
    let ServerEnd { first: theirs, requests, driver: running, .. } = server;
    world.spawn("the server", async move {
        let _ = join(running.run(), judge(requests, Asked::default())).await;
        drop(theirs);
    });
    let outcome = world.block_on(async move {
        let ClientEnd { first, opener, driver, .. } = client;
        let opening = async {
            let opened = opener.open_channel(request).await;
            drop((first, opener));
            match opened {
                Ok((ws, _response)) => Ok(ws.subprotocol().map(str::to_owned)),
                Err(error) => match error.handshake() {
                    Some(HandshakeError::Rejected(response)) => Err(response.status().as_u16()),
                    _ => panic!("{error:?}"),
                },
            }
        };
        let (outcome, opened) = join(driver.run(), opening).await;
        outcome.expect("it ends in order");
        opened
    });
    world.run().expect("everything ends");
    outcome
}

#[test]
fn the_rules_of_a_server_are_for_each_channel() {
    let chat = |names: &[&str]| {
        names.iter().fold(Request::from(URI), |request, name| request.subprotocol(name))
    };
    let table = [
        (Request::from(URI), Ok(None)),
        (Request::from("ws://example.net/"), Ok(None)),
        (Request::from("ws://example.com/"), Err(421)),
        (Request::from(URI).origin("http://example.org"), Ok(None)),
        (Request::from(URI).origin("http://example.com"), Err(403)),
        (chat(&["chat.v1", "chat.v2"]), Ok(Some("chat.v2".to_owned()))),
        (chat(&["other"]), Ok(None)),
    ];
    for (at, (request, outcome)) in table.into_iter().enumerate() {
        assert_eq!(refused_with(request), outcome, "row {at}");
    }
}

#[test]
fn whoever_asks_for_what_cannot_be_asked_for_fails_alone() {
    let mut world = World::new();
    let (server, client) = Setup::default().open(&mut world);
    crate::support::serve(&mut world, server, crate::support::echo);
    world.block_on(async move {
        let ClientEnd { mut first, opener, driver, .. } = client;
        let asking = async {
            let error = opener.open_channel("not a URI").await.expect_err("it is none");
            assert!(matches!(error, Error::Uri(_)), "{error:?}");
            let request = Request::from(URI).header("Upgrade", "other");
            let error = opener.open_channel(request).await.expect_err("it may not say so");
            assert!(matches!(error, Error::Field(_)), "{error:?}");
            // Neither a slot nor an id is lost to it for long: there are 64.
            for _ in 0..200 {
                opener.open_channel("not a URI").await.expect_err("it is none");
            }
            let (second, _response) = opener.open_channel(URI).await.expect("it is accepted");
            first.send("hello").await.expect("it is open");
            assert!(first.recv().await.expect("it is open").is_some());
            drop((first, second, opener));
        };
        let (outcome, ()) = join(driver.run(), asking).await;
        outcome.expect("it ends in order");
    });
    world.run().expect("everything ends");
}

#[test]
fn nobody_accepts_and_the_client_waits_no_longer_than_for_a_handshake() {
    let mut world = World::new();
    let clock = world.clock().clone();
    let (server, client) = Setup::default().open(&mut world);
    let ServerEnd { first: theirs, requests, driver: running, .. } = server;
    world.spawn("the server", async move {
        let _ = running.run().await;
        drop((theirs, requests));
    });
    world.block_on(async move {
        let ClientEnd { first, opener, driver, .. } = client;
        let asking = async {
            let asking = [opener.open_channel(URI), opener.open_channel(URI)];
            for outcome in futures_util::future::join_all(asking).await {
                let error = outcome.expect_err("nobody looks");
                assert!(matches!(error, Error::Timeout(_)), "{error:?}");
            }
            assert_eq!(clock.elapsed().as_secs(), 10);
            drop((first, opener));
        };
        let (outcome, ()) = join(driver.run(), asking).await;
        outcome.expect("it ends in order");
    });
    world.run().expect("everything ends");
}

/// A client that says something on the first channel, at which the server lets its requests go, and then asks for as many
/// channels as it had slots for.
#[test]
fn a_server_that_takes_no_more_requests_refuses_with_503_and_says_so() {
    let mut world = World::new();
    let config = Config::default().max_channels(3);
    let (server, client) = Setup { config, ..Setup::default() }.open(&mut world);
    let ServerEnd { first: mut theirs, requests, driver: running, .. } = server;
    world.spawn("the server", async move {
        let echoing = async {
            let mut requests = Some(requests);
            while let Ok(Some(message)) = theirs.recv().await {
                requests = None;
                theirs.send(message).await.expect("it is open");
            }
            drop(requests);
        };
        let _ = join(running.run(), echoing).await;
    });
    world.block_on(async move {
        let ClientEnd { mut first, opener, driver, .. } = client;
        let asking = async {
            for _ in 0..3 {
                first.send("hello").await.expect("it is open");
                assert!(first.recv().await.expect("it is open").is_some());
                let error = opener.open_channel(URI).await.expect_err("it is refused");
                let Some(HandshakeError::Rejected(response)) = error.handshake() else {
                    panic!("{error:?}")
                };
                assert_eq!(response.status(), 503);
            }
            let error = opener.open_channel(URI).await.expect_err("there is no slot");
            let text = "the server grants no more channels here";
            assert!(matches!(error, Error::Opening(_)), "{error:?}");
            assert!(error.to_string().contains(text), "{error}");
            drop((first, opener));
        };
        let (outcome, ()) = join(driver.run(), asking).await;
        outcome.expect("it ends in order");
    });
    world.run().expect("everything ends");
}
