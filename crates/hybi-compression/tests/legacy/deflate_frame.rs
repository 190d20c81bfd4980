//! deflate-frame under its three names: the captured and computed streams, cut everywhere, and what
//! our endpoints send each other (draft-tyoshino-hybi-websocket-perframe-deflate-02 to -05).

use hybi_compression::{
    Agreed, Chain, Compress, Deflate, DeflateFrame, Extensions, PerframeCompress,
};
use hybi_frame::{Limits, Role, Rsv};
use hybi_handshake::Version;
use hybi_suite::vectors::{cuts, hex, payload, records, wire};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::agree_by_name;
use crate::support::shared::endpoint::turned;
use crate::support::{Told, receive, sample, send};

/// The extension under each name it had.
fn names(deflate: Deflate) -> [Extensions; 3] {
    [
        DeflateFrame::new(deflate).into(),
        DeflateFrame::webkit(deflate).into(),
        PerframeCompress::new(deflate).into(),
    ]
}

/// What both ends agree on under each name; the client's side first.
fn agreements(client: Deflate, server: Deflate) -> [[Vec<Agreed>; 2]; 3] {
    agree_by_name(&names(client), &names(server))
}

/// What the receiver of a record agreed on under each name.
fn receivers(record: &Value, role: Role) -> Vec<Vec<Agreed>> {
    let params = &record["params"];
    if params.is_null() {
        return vec![Vec::new()];
    }
    // What binds the sender is what its peer asks of it.
    let mut deflate = Deflate::default();
    if let Some(bits) = params["sender_max_window_bits"].as_u64() {
        deflate = deflate.peer_window_bits(bits as u8);
    }
    deflate = deflate.peer_context_takeover(params["sender_no_context_takeover"] != true);
    let (client, server) = (names(Deflate::default()), names(Deflate::default()));
    let bound = names(deflate);
    let agreed = |name: usize| match role {
        Role::Client => {
            let answer = server[name].offers(Version::RFC6455);
            bound[name].confirm(&answer, Version::RFC6455).expect("a lawful answer")
        }
        Role::Server => {
            bound[name].accept(&client[name].offers(Version::RFC6455), Version::RFC6455)
        }
    };
    [0, 1, 2].map(agreed).into()
}

fn is(event: &Told, expected: &Value) -> bool {
    match (event, expected["type"].as_str().expect("type")) {
        (Told::Text(text), "text") => text.as_bytes() == payload(expected),
        (Told::Binary(bytes), "binary") if expected["sha256"].is_string() => {
            let sum = Sha256::digest(bytes);
            bytes.len() as u64 == expected["len"]
                && sum[..] == hex(expected["sha256"].as_str().unwrap())
        }
        (Told::Binary(bytes), "binary") | (Told::Ping(bytes), "ping") => {
            *bytes == payload(expected)
        }
        (Told::Close(Some(close), _), "close") => {
            u64::from(close.code().as_u16()) == expected["code"]
                && close.reason().as_str() == expected["reason"]
        }
        _ => false,
    }
}

#[test]
fn vectors_at_every_cut_under_every_name_and_from_either_end() {
    let vectors = records("compression-deflate-frame-frames");
    assert_eq!(vectors.len(), 20);
    for record in vectors {
        let id = &record["id"];
        let role = if record["receiver"] == "server" { Role::Server } else { Role::Client };
        let stream = wire(&record);
        for (role, stream) in [(role, stream.clone()), (role.peer(), turned(&stream, role))] {
            for agreed in receivers(&record, role) {
                let check = |chunks: Vec<&[u8]>, cut: usize| {
                    let (events, result) = receive(role, &agreed, Limits::default(), chunks);
                    let expected = record["events"].as_array().expect("events");
                    assert_eq!(events.len(), expected.len(), "{id} cut at {cut}: {result:?}");
                    for (event, expected) in events.iter().zip(expected) {
                        assert!(is(event, expected), "{id} cut at {cut}: {event:?}");
                    }
                    let codes = match &record["error"]["close_code"] {
                        Value::Null => vec![],
                        Value::Array(codes) => codes.clone(),
                        code => vec![code.clone()],
                    };
                    match result {
                        Ok(()) => assert!(codes.is_empty(), "{id} cut at {cut}: no failure"),
                        Err(error) => {
                            let code = Value::from(error.close_code().as_u16());
                            assert!(codes.contains(&code), "{id} cut at {cut}: {error}");
                        }
                    }
                };
                check(vec![&stream], 0);
                for cut in cuts(stream.len(), true) {
                    check(vec![&stream[..cut], &stream[cut..]], cut);
                }
                check(stream.chunks(1).collect(), usize::MAX);
            }
        }
    }
}

#[test]
fn what_either_end_sends_in_any_fragments_is_received() {
    let windows = Deflate::default().own_window_bits(9).peer_window_bits(8);
    let limits = [
        Deflate::default(),
        Deflate::default().own_context_takeover(false),
        if Deflate::HAS_WINDOW_BITS { windows } else { Deflate::default().level(9) },
        Deflate::default().peer_context_takeover(false).level(1),
    ];
    for (client, server) in limits.into_iter().flat_map(|one| limits.map(|other| (one, other))) {
        for [at_client, at_server] in agreements(client, server) {
            for (role, sender, receiver) in
                [(Role::Client, &at_client, &at_server), (Role::Server, &at_server, &at_client)]
            {
                let mut chain = Chain::new(sender);
                let (mut wire, mut sent) = (Vec::new(), Vec::new());
                for (len, size) in [(0, 9), (1, 9), (300, 400), (300, 7), (5000, 999), (300, 300)] {
                    for mixed in [false, true] {
                        let message = sample(len);
                        send(&mut chain, role, &message, size, mixed, &mut wire);
                        sent.push(Told::Binary(message));
                        // Nobody notices.
                        chain.park();
                    }
                }
                let (events, result) =
                    receive(role.peer(), receiver, Limits::default(), [&wire[..]]);
                assert_eq!(result, Ok(()));
                assert!(events == sent, "{at_client:?}");
            }
        }
    }
}

/// The bytes that a chain makes of one frame.
fn encoded(chain: &mut Chain, payload: &[u8]) -> usize {
    let mut out = Vec::new();
    assert_eq!(chain.encode_frame(payload, Compress::Always, &mut out), Some(Rsv::RSV1));
    out.len()
}

#[test]
fn each_side_is_bound_by_what_the_other_asks() {
    let message = sample(600);
    let fresh = |agreed: &[Agreed]| {
        let mut chain = Chain::new(agreed);
        encoded(&mut chain, &message) == encoded(&mut chain, &message)
    };
    let plain = Deflate::default();
    let (own, peer) = (plain.own_context_takeover(false), plain.peer_context_takeover(false));
    for (client, server, client_is_fresh, server_is_fresh) in [
        (plain, plain, false, false),
        (peer, plain, false, true),
        (plain, peer, true, false),
        // What it wants of itself, nobody has to be told.
        (own, plain, true, false),
        (plain, own, false, true),
    ] {
        for [at_client, at_server] in agreements(client, server) {
            assert_eq!(fresh(&at_client), client_is_fresh, "{at_client:?}");
            assert_eq!(fresh(&at_server), server_is_fresh, "{at_server:?}");
        }
    }
}

#[cfg(feature = "zlib-rs")]
#[test]
fn each_side_looks_back_no_farther_than_the_other_asks() {
    // Its second half repeats what lies farther back than 512 bytes.
    let message = sample(600);
    let twice = message.repeat(2);
    let small = Deflate::default().peer_window_bits(9);
    for [at_client, at_server] in agreements(small, Deflate::default()) {
        let (client, server) = (
            encoded(&mut Chain::new(&at_client), &twice),
            encoded(&mut Chain::new(&at_server), &twice),
        );
        assert!(server > client * 5 / 4, "{server} with the window of the offer, {client} without");
    }
    for [at_client, at_server] in agreements(Deflate::default(), small) {
        let (client, server) = (
            encoded(&mut Chain::new(&at_client), &twice),
            encoded(&mut Chain::new(&at_server), &twice),
        );
        assert!(
            client > server * 5 / 4,
            "{client} with the window of the answer, {server} without"
        );
    }
}

#[test]
fn an_empty_frame_with_the_bit_is_empty_and_leaves_the_history_alone() {
    for [at_client, _] in agreements(Deflate::default(), Deflate::default()) {
        // "Hello"; nothing; "Hello" by reference to the first; a message of nothing but empty frames.
        let wire = hex("c107f248cdc9c90700c100c105f200110000410040008000");
        let (events, result) = receive(Role::Client, &at_client, Limits::default(), [&wire[..]]);
        assert_eq!(result, Ok(()));
        assert_eq!(events, ["Hello", "", "Hello", ""].map(|text| Told::Text(text.to_owned())));
    }
}

#[test]
fn empty_frames_are_sent_without_the_bit() {
    for [at_client, at_server] in agreements(Deflate::default(), Deflate::default()) {
        for agreed in [at_client, at_server] {
            let mut out = Vec::new();
            assert_eq!(Chain::new(&agreed).encode_frame(&[], Compress::Always, &mut out), None);
            assert!(out.is_empty());
        }
    }
}
