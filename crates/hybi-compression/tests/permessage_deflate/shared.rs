//! Messages encoded once and sent to many.

use hybi_compression::{Compress, Deflate, EncodingKey};

use crate::support::endpoint::{Endpoint, pair};
use crate::support::text::{Random, noise, record};

/// Sends the encoding that others were sent as well.
fn send_shared(sender: &mut Endpoint, payload: &[u8], encoded: &[u8]) -> Vec<u8> {
    let rsv = sender.chain.sent_shared(payload);
    sender.frames(Some(rsv), encoded, usize::MAX)
}

fn key(endpoint: &mut Endpoint) -> Option<EncodingKey> {
    endpoint.chain.shared_encoding(&record(2000, 1), Compress::Auto)
}

/// A key is for what is to be compressed at all.
#[test]
fn what_is_not_compressed_is_not_shared() {
    let (_, mut server) = pair(Deflate::default(), Deflate::default().min_size(100));
    let mut key =
        |len: usize, compress| server.chain.shared_encoding(&vec![b'a'; len], compress).is_some();
    assert!(key(100, Compress::Auto) && !key(99, Compress::Auto));
    assert!(key(99, Compress::Always) && !key(0, Compress::Always));
    assert!(!key(2000, Compress::Never));
}

#[test]
fn one_encoding_serves_connections_that_agreed_on_the_same() {
    let deflate = Deflate::default();
    let clients = [deflate, deflate.peer_context_takeover(false), deflate.own_window_bits(9)];
    let mut pairs: Vec<_> = clients.into_iter().map(|client| pair(client, deflate)).collect();
    let keys: Vec<_> = pairs.iter_mut().map(|(_, server)| key(server)).collect();
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");

    let payload = record(2000, 1);
    let mut encodings = pairs.iter_mut().map(|(_, server)| {
        let mut out = Vec::new();
        assert!(server.chain.encode_shared(&payload, &mut out));
        out
    });
    let first = encodings.next().expect("an encoding");
    assert!(first.len() < payload.len() && encodings.all(|other| other == first));

    for (client, server) in &mut pairs {
        let wire = send_shared(server, &payload, &first);
        assert_eq!(client.receive_one(&wire), payload);
    }
}

#[test]
fn what_is_compressed_otherwise_has_another_key() {
    let key_of = |deflate: Deflate| {
        let (_, mut server) = pair(Deflate::default(), deflate);
        key(&mut server).expect("a key")
    };
    let deflate = Deflate::default();
    assert_ne!(key_of(deflate), key_of(deflate.level(9)));
    if Deflate::HAS_WINDOW_BITS {
        assert_ne!(key_of(deflate), key_of(deflate.own_window_bits(10)));
    }
    assert_eq!(key_of(deflate), key_of(deflate.own_context_takeover(false)));
    // Without an extension there is nothing to encode.
    let (_, mut plain) = pair(hybi_compression::Extensions::none(), deflate);
    assert_eq!(key(&mut plain), None);
}

#[test]
fn what_is_better_sent_as_it_is_has_no_encoding() {
    let (_, mut server) = pair(Deflate::default(), Deflate::default());
    for payload in [&noise(500, 2)[..], b"x"] {
        let mut out = b"before".to_vec();
        assert!(!server.chain.encode_shared(payload, &mut out));
        assert_eq!(out, b"before");
    }
}

#[test]
fn shared_and_ordinary_messages_mix() {
    let configurations = [
        Deflate::default(),
        Deflate::default().own_context_takeover(false),
        Deflate::default().own_window_bits(9),
        Deflate::default().own_window_bits(8).level(9),
    ];
    for deflate in configurations {
        let (mut client, mut server) = pair(Deflate::default(), deflate);
        let mut random = Random::new(7);
        for seed in 0..200 {
            let len = 200 + random.next() as usize % 3000;
            let payload = record(len, seed % 5);
            let wire = match random.next() % 4 {
                0 | 1 => {
                    let mut out = Vec::new();
                    assert!(server.chain.encode_shared(&payload, &mut out));
                    send_shared(&mut server, &payload, &out)
                }
                2 => server.send(&payload, Compress::Always, 500),
                _ => server.send(&payload, Compress::Never, 500),
            };
            assert!(client.receive_one(&wire) == payload, "{deflate:?} {seed}");
            if random.next().is_multiple_of(3) {
                server.chain.park();
            }
            if random.next().is_multiple_of(3) {
                client.chain.park();
            }
        }
    }
}

/// The encoding itself depends on nothing but the payload.
#[test]
fn the_encoding_of_a_payload_is_always_the_same() {
    let (_, mut server) = pair(Deflate::default(), Deflate::default());
    let payload = record(1000, 1);
    let encode = |server: &mut Endpoint| {
        let mut out = Vec::new();
        assert!(server.chain.encode_shared(&payload, &mut out));
        out
    };
    let first = encode(&mut server);
    for seed in 0..5 {
        server.send(&record(3000, seed), Compress::Always, usize::MAX);
        assert_eq!(encode(&mut server), first);
        server.chain.park();
        assert_eq!(encode(&mut server), first);
    }
}
