//! Extensions on connections within another one, where nobody masks (RFC 6455 section 5.1).

use std::sync::Arc;

use hybi::{Config, Connection, Message, Negotiated, Outgoing, Prepared, Role};

use crate::{
    wire::{self, frames},
    world::{BOTH, Kind, carry, config, json, noise, pair},
};

/// Two connections as [`pair`] gives them, of which neither masks.
fn unmasked(kind: Kind, config: &Config) -> [Connection; 2] {
    pair(kind, config).map(|masking| {
        let Negotiated { version, extensions, .. } = masking.negotiated().clone();
        let negotiated = Negotiated::new(version, None, extensions).unmasked();
        Connection::new(masking.role(), negotiated, Arc::new(config.clone()))
            .with_masking_keys(|| panic!("somebody asked for a masking key"))
    })
}

/// Short, long and in slices, of which those of noise are better sent as they are.
fn messages() -> Vec<Message> {
    let long: String = (0..400).map(json).collect();
    assert!(long.len() > 4 * 64 * 1024);
    vec![
        Message::text("Hello"),
        Message::text(json(1)),
        Message::binary(noise(20_000, 7)),
        Message::Ping("?".into()),
        Message::text(long),
        Message::binary(noise(200_000, 8)),
    ]
}

#[test]
fn every_extension_does_without_masks_in_both_directions() {
    for kind in Kind::ALL {
        for fragment_size in [None, Some(5_000)] {
            let [mut client, mut server] = unmasked(kind, &config().fragment_size(fragment_size));
            for role in BOTH {
                let (from, to) = match role {
                    Role::Client => (&mut client, &mut server),
                    Role::Server => (&mut server, &mut client),
                };
                for message in messages() {
                    from.queue(message).expect("queued");
                }
                let sent = carry(from, to);
                assert!(sent == messages(), "{kind:?} {role:?} {fragment_size:?}");
                assert_eq!(carry(to, from), [Message::Pong("?".into())], "{kind:?} {role:?}");
            }
        }
    }
}

#[test]
fn what_is_compressed_has_no_mask_on_the_wire() {
    let [mut client, mut server] = unmasked(Kind::PermessageDeflate, &config());
    for connection in [&mut client, &mut server] {
        connection.queue(json(1)).expect("queued");
        connection.queue(Outgoing::from(&Prepared::new(json(2)))).expect("queued");
        let long: String = (0..400).map(json).collect();
        connection.queue(long).expect("queued");
        connection.queue(Message::Close(None)).expect("queued");
        // What is read here are frames of a server, which has no masks.
        let sent = frames(Role::Server, &connection.transmit_to_vec());
        let firsts: Vec<_> = sent.iter().map(|frame| frame.first).collect();
        let compressed = wire::TEXT | wire::RSV1;
        assert_eq!(firsts, [compressed, compressed, compressed, wire::CLOSE]);
    }
}
