//! permessage-compress, and permessage-deflate by its old names: what is agreed on, and that the
//! bytes are those of permessage-deflate (draft-ietf-hybi-permessage-compression-00 to -08).

use hybi_compression::{
    Agreed, Chain, Compress, Deflate, Extensions, PermessageCompress, PermessageDeflateDraft,
};
use hybi_frame::{Limits, Role, Rsv};
use hybi_handshake::Version;
use hybi_suite::vectors::{records, wire};

use crate::agree_by_name;
use crate::support::shared::endpoint::turned;
use crate::support::{Told, agree, receive, sample, send};

/// The extension under each name it had.
fn names(deflate: Deflate) -> [Extensions; 3] {
    [
        PermessageCompress::new(deflate).into(),
        PermessageCompress::webkit(deflate).into(),
        PermessageDeflateDraft::new(deflate).into(),
    ]
}

/// What both ends agree on under each name; the client's side first.
fn agreements(client: Deflate, server: Deflate) -> [[Vec<Agreed>; 2]; 3] {
    agree_by_name(&names(client), &names(server))
}

#[test]
fn the_streams_of_permessage_deflate_mean_the_same() {
    let mut run = 0;
    for record in records("compression-permessage-deflate-frames") {
        let params = record["params"].as_object();
        if params.is_none_or(|params| !params.is_empty()) {
            continue;
        }
        let limit = record["max_message_size"].as_u64().unwrap_or(1 << 24) as usize;
        let limits = Limits::default().with_max_message(limit);
        let role = if record["receiver"] == "server" { Role::Server } else { Role::Client };
        let stream = wire(&record);
        for (role, stream) in [(role, stream.clone()), (role.peer(), turned(&stream, role))] {
            let at = usize::from(role == Role::Server);
            let deflate = Extensions::from(Deflate::default());
            let today = agree(&deflate, &deflate, Version::RFC6455);
            for size in [1, 3, stream.len()] {
                let outcome =
                    |agreed: &[Agreed]| receive(role, agreed, limits, stream.chunks(size));
                // Which is what the record says, as the tests of permessage-deflate find.
                let today = outcome(&today[at]);
                for old in agreements(Deflate::default(), Deflate::default()) {
                    assert!(outcome(&old[at]) == today, "{}: {:?}", record["id"], old[at]);
                }
            }
        }
        run += 1;
    }
    assert_eq!(run, 41);
}

/// Whether each message is compressed as if it were the first.
fn is_fresh(agreed: &[Agreed]) -> bool {
    let (message, mut chain) = (sample(600), Chain::new(agreed));
    let mut encoded = || {
        let mut out = Vec::new();
        let bits = chain.encode_message(&message, Compress::Always, &mut out);
        assert_eq!(bits, Some(Rsv::RSV1));
        out.len()
    };
    encoded() == encoded()
}

#[test]
fn each_side_keeps_to_what_was_agreed_on_and_to_what_it_wants() {
    let plain = Deflate::default();
    let (own, peer) = (plain.own_context_takeover(false), plain.peer_context_takeover(false));
    for (client, server, client_is_fresh, server_is_fresh) in [
        (plain, plain, false, false),
        (peer, plain, false, true),
        (plain, peer, true, false),
        (own, plain, true, false),
        (plain, own, false, true),
    ] {
        for [at_client, at_server] in agreements(client, server) {
            assert_eq!(is_fresh(&at_client), client_is_fresh, "{at_client:?}");
            assert_eq!(is_fresh(&at_server), server_is_fresh, "{at_server:?}");
        }
    }
}

#[cfg(feature = "zlib-rs")]
#[test]
fn nobody_looks_back_farther_than_agreed_on_or_wanted() {
    // Its second half repeats what lies farther back than 512 bytes.
    let twice = sample(600).repeat(2);
    let is_small = |agreed: &[Agreed]| {
        let mut out = Vec::new();
        Chain::new(agreed).encode_message(&twice, Compress::Always, &mut out);
        let [large, _] = &agreements(Deflate::default(), Deflate::default())[0];
        let mut best = Vec::new();
        Chain::new(large).encode_message(&twice, Compress::Always, &mut best);
        out.len() > best.len() * 5 / 4
    };
    let plain = Deflate::default();
    let (own, peer) = (plain.own_window_bits(9), plain.peer_window_bits(9));
    for (client, server, client_is_small, server_is_small) in [
        (plain, plain, false, false),
        (peer, plain, false, true),
        (plain, peer, true, false),
        (own, plain, true, false),
        (plain, own, false, true),
        // The server allows more than the client wants, of which it could not know.
        (own, plain.peer_window_bits(12), true, false),
    ] {
        for [at_client, at_server] in agreements(client, server) {
            assert_eq!(is_small(&at_client), client_is_small, "{at_client:?}");
            assert_eq!(is_small(&at_server), server_is_small, "{at_server:?}");
        }
    }
}

#[test]
fn what_either_end_sends_in_any_fragments_is_received() {
    let fresh = Deflate::default().own_context_takeover(false).peer_context_takeover(false);
    for deflate in [Deflate::default(), fresh] {
        for [at_client, at_server] in agreements(deflate, Deflate::default()) {
            for (role, sender, receiver) in
                [(Role::Client, &at_client, &at_server), (Role::Server, &at_server, &at_client)]
            {
                let (mut chain, mut wire, mut sent) = (Chain::new(sender), Vec::new(), Vec::new());
                for (len, size) in [(0, 9), (1, 9), (300, 400), (300, 1), (5000, 99)] {
                    let message = sample(len);
                    send(&mut chain, role, &message, size, false, &mut wire);
                    sent.push(Told::Binary(message));
                }
                let (events, result) =
                    receive(role.peer(), receiver, Limits::default(), [&wire[..]]);
                assert_eq!(result, Ok(()));
                assert!(events == sent, "{at_client:?}");
            }
        }
    }
}
