//! Each client with each server: what matches is spoken, everything else is refused, and nobody waits
//! for ever.

use futures_util::future::join;
use hybi::{CloseCode, Error, HandshakeError, HostPolicy, Message, OriginPolicy, Server, Version};

use crate::{
    support::{link::Manners, tasks::run, ways::Receives},
    world::{BYTE_BY_BYTE, Socket, client, open, server},
};

/// What a connection is used for: messages both ways, and the end.
fn converse(asking: &mut Socket, answering: &mut Socket, version: Version, receives: Receives) {
    let mut messages = vec![
        Message::text("hello"),
        Message::text(""),
        Message::text("κόσμε 漢字 \u{10ffff}"),
        Message::text("a".repeat(125)),
        Message::text("b".repeat(126)),
        Message::text("c".repeat(70_000)),
    ];
    assert_eq!(asking.capabilities(), answering.capabilities());
    if asking.capabilities().binary {
        messages.push(Message::binary(vec![0, 0xff, 0x80, 0x7f]));
        messages.push(Message::binary(vec![7; 9_000]));
    }
    let sending = async {
        for message in &messages {
            asking.send(message.clone()).await.expect("open");
            let echoed = receives.next(asking).await.expect("open");
            assert_eq!(echoed.as_ref(), Some(message), "{version:?} {receives:?}");
        }
        asking.close(CloseCode::NORMAL, "").await.expect("an end")
    };
    let echoing = async {
        while let Some(message) = receives.next(answering).await.expect("an end in order") {
            answering.feed(message).await.expect("open");
        }
        let status = answering.close_status().expect("it ended");
        (status.code(), status.is_clean())
    };
    let (asked, (answered, in_order)) = run(join(sending, echoing), || {});
    let code = if version >= Version::HYBI_06 { CloseCode::NORMAL } else { CloseCode::NO_STATUS };
    assert_eq!((asked.code(), answered), (code, code), "{version:?}");
    assert!(asked.is_clean() && in_order, "{version:?}: {asked:?}");
    assert_eq!(asking.version(), version);
    assert_eq!(answering.version(), version);
}

/// Each way to receive, over a transport that gives messages whole and over one that never does.
fn ways() -> impl Iterator<Item = (Manners, Receives)> {
    let all = [Manners::PLAIN, BYTE_BY_BYTE].into_iter();
    all.flat_map(|manners| Receives::ALL.map(|receives| (manners, receives)))
}

#[test]
fn one_server_speaks_every_version_also_byte_by_byte() {
    let server = server(Version::ALL);
    for (manners, receives) in ways() {
        for version in Version::ALL {
            let (asking, answering) = open(&client(version), &server, manners);
            // Its clients say the same as those of hybi-03, which is preferred then.
            let spoken = if version == Version::HYBI_02 { Version::HYBI_03 } else { version };
            let mut answering = answering.unwrap_or_else(|error| panic!("{version:?}: {error}"));
            let mut asking = asking.unwrap_or_else(|error| panic!("{version:?}: {error}"));
            if spoken == version {
                converse(&mut asking, &mut answering, version, receives);
            } else {
                assert_eq!(answering.version(), spoken);
            }
        }
    }
}

/// Whether a server of `offered` alone takes a client of `asked`.
fn matches(asked: Version, offered: Version) -> bool {
    let drafts_of_two = [Version::HYBI_02, Version::HYBI_03];
    asked == offered || drafts_of_two.contains(&asked) && drafts_of_two.contains(&offered)
}

#[test]
fn each_client_meets_each_server() {
    let all = Version::ALL.into_iter().flat_map(|asked| Receives::ALL.map(|way| (asked, way)));
    for (asked, receives) in all {
        for offered in Version::ALL {
            let what = format!("{asked:?} asked of {offered:?}, {receives:?}");
            let (opened, accepted) = open(&client(asked), &server([offered]), Manners::PLAIN);
            if matches(asked, offered) {
                let (mut opened, mut accepted) = (opened.expect(&what), accepted.expect(&what));
                if asked == offered {
                    converse(&mut opened, &mut accepted, asked, receives);
                }
                continue;
            }
            if (asked, offered) == (Version::HIXIE_76, Version::HYBI_01) {
                // Both may come without a word about it, so only the first byte tells.
                part_at_the_first_byte(opened.expect(&what), accepted.expect(&what));
                continue;
            }
            let refused = accepted.expect_err(&what);
            let status = refused.handshake().and_then(HandshakeError::status).expect(&what);
            let Err(Error::Handshake(error)) = opened else { panic!("{what}: not refused") };
            let HandshakeError::Rejected(response) = &*error else { panic!("{what}: {error}") };
            assert_eq!(response.status(), status, "{what}");
            assert!([400, 426].contains(&status.as_u16()), "{what}: {status}");
            let listed = response.headers().get("sec-websocket-version");
            let listed = listed.map(|list| list.to_str().expect("text").to_owned());
            assert_eq!(listed, offered.is_in_field().then(|| offered.to_string()), "{what}");
        }
    }
}

fn part_at_the_first_byte(mut opened: Socket, mut accepted: Socket) {
    let asking = async {
        opened.send("hello").await.expect("open");
        opened.recv().await
    };
    let (asked, answered) = run(join(asking, accepted.recv()), || {});
    assert!(matches!(answered, Err(Error::Protocol(_))), "{answered:?}");
    assert!(asked.is_err(), "{asked:?}");
}

#[test]
fn clients_of_two_that_are_taken_for_three_get_along_with_it() {
    for (asked, offered) in
        [(Version::HYBI_02, Version::HYBI_03), (Version::HYBI_03, Version::HYBI_02)]
    {
        let (opened, accepted) = open(&client(asked), &server([offered]), Manners::PLAIN);
        let (mut opened, mut accepted) = (opened.expect("opened"), accepted.expect("accepted"));
        let echo = async {
            let message = accepted.recv().await.expect("open").expect("a message");
            accepted.send(message).await.expect("open");
            assert_eq!(accepted.recv().await.expect("an end in order"), None);
        };
        let ask = async {
            opened.send("hello").await.expect("open");
            assert_eq!(opened.recv().await.expect("open"), Some(Message::text("hello")));
            opened.close(CloseCode::NORMAL, "").await.expect("an end")
        };
        let (status, ()) = run(join(ask, echo), || {});
        assert!(status.is_clean(), "{status:?}");
    }
}

/// Keys and nonces are from the system's generator, anew for each connection.
#[test]
fn no_two_handshakes_are_alike() {
    let uri = "ws://example.org/".parse().expect("a URI");
    for version in Version::ALL.into_iter().filter(|version| *version != Version::HIXIE_75) {
        let requests = [(); 2].map(|()| {
            let handshake = client(version).handshake(&uri);
            let bytes = handshake.request_bytes();
            let (head, challenge) = match version < Version::HYBI_04 {
                true => bytes.split_at(bytes.len() - 8),
                false => (bytes, &b""[..]),
            };
            let head = String::from_utf8(head.to_vec()).expect("text");
            let mut keys: Vec<_> =
                head.lines().filter(|line| line.contains("-Key")).map(str::to_owned).collect();
            keys.sort_unstable();
            (keys, challenge.to_vec())
        });
        let [(keys, challenge), (other_keys, other_challenge)] = requests;
        assert_eq!(keys.len(), if version < Version::HYBI_04 { 2 } else { 1 });
        assert!(keys.iter().zip(&other_keys).all(|(key, other)| key != other), "{version:?}");
        assert!(challenge.is_empty() || challenge != other_challenge, "{version:?}");
    }
    let nonces = [(); 2].map(|()| {
        let request = http::Request::get("/")
            .header("Host", "example.org")
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "4")
            .body(())
            .expect("a request");
        let (response, _) = server([Version::HYBI_04]).upgrade(&request).expect("accepted");
        response.headers()["sec-websocket-nonce"].clone()
    });
    assert_ne!(nonces[0], nonces[1]);
}

/// Whichever way an application names it, the origin is sent once, under the version's name for it.
#[test]
fn an_origin_among_the_fields_is_the_origin() {
    let uri = "ws://example.org/".parse().expect("a URI");
    for version in Version::ALL {
        let client = hybi::Client::builder().version(version).header("Origin", "http://a").build();
        let handshake = client.expect("a client").handshake(&uri);
        let request = String::from_utf8_lossy(handshake.request_bytes()).into_owned();
        let origins: Vec<_> = request.lines().filter(|line| line.contains("Origin: ")).collect();
        let field = if (Version::HYBI_04..=Version::HYBI_08).contains(&version) {
            "Sec-WebSocket-Origin"
        } else {
            "Origin"
        };
        assert_eq!(origins, [format!("{field}: http://a")], "{version:?}");
    }
}

#[test]
fn a_refusal_that_ends_with_the_transport_is_handed_over_in_every_version() {
    for version in Version::ALL {
        let uri = "ws://example.org/".parse().expect("a URI");
        let mut handshake = client(version).handshake(&uri);
        let page = b"HTTP/1.1 404 Not Found\r\n\r\nno such room";
        let (consumed, accepted) = handshake.handle_input(page).expect("not yet at its end");
        assert!(consumed == page.len() && accepted.is_none());
        let error = handshake.handle_eof();
        let Some(HandshakeError::Rejected(response)) = error.handshake() else {
            panic!("{version:?}: {error}");
        };
        assert_eq!((response.status().as_u16(), &response.body()[..]), (404, &b"no such room"[..]));
    }
}

#[test]
fn subprotocols_origins_and_locations_fit_in_every_version() {
    for version in Version::ALL {
        let asking = hybi::Client::builder()
            .version(version)
            .subprotocol("chat.v2")
            .origin("http://page.example")
            .build()
            .expect("a client");
        let allowed = "http://page.example".parse().expect("a pattern");
        let answering = |origins| {
            Server::builder().versions([version]).subprotocols(["chat.v2"]).origins(origins).build()
        };
        let (opened, accepted) =
            open(&asking, &answering(OriginPolicy::List(vec![allowed])), Manners::PLAIN);
        for socket in [opened, accepted] {
            let socket = socket.unwrap_or_else(|error| panic!("{version:?}: {error}"));
            assert_eq!(socket.subprotocol(), Some("chat.v2"), "{version:?}");
        }
        let (_, refused) = open(&asking, &answering(OriginPolicy::default()), Manners::PLAIN);
        let refused = refused.expect_err("a foreign page");
        assert!(
            matches!(refused.handshake(), Some(HandshakeError::Origin(_))),
            "{version:?}: {refused}"
        );
    }
}

#[test]
fn only_hosts_of_the_list_are_served_in_every_version() {
    for version in Version::ALL {
        let asking = hybi::Client::builder().version(version).build().expect("a client");
        let answering = |host: &str| {
            let hosts = HostPolicy::List(vec![host.parse().expect("a host")]);
            Server::builder().versions([version]).origins(OriginPolicy::Any).hosts(hosts).build()
        };
        let (_, accepted) = open(&asking, &answering("*"), Manners::PLAIN);
        accepted.unwrap_or_else(|error| panic!("{version:?}: {error}"));
        let (opened, refused) = open(&asking, &answering("other.example"), Manners::PLAIN);
        let refused = refused.expect_err("another host");
        let refusal = refused.handshake().expect("a refusal").response();
        assert_eq!(refusal.status(), 421, "{version:?}: {refused}");
        let refused = opened.expect_err("told so");
        let Some(HandshakeError::Rejected(told)) = refused.handshake() else { panic!("{refused}") };
        assert_eq!(told.status(), 421, "{version:?}");
    }
}
