//! What was captured of pywebsocket and its client, said again to a server of ours.

use hybi::mux::{Config, Revision};
use hybi_suite::vectors::{hex, records};
use hybi_testkit::world::World;

use crate::{
    peer::{Heard, Peer, heard},
    support::{Setup, echo},
};

/// The captured session in this revision, in which a server of ours is asked what pywebsocket's was. Quota is left
/// out of what is compared: pywebsocket grants that of each frame at once, and we half a window at a time.
fn replay(id: &str, revision: Revision) -> Vec<Heard> {
    let records = records("mux-sessions");
    let record = records.iter().find(|record| record["id"] == id).expect("it is there").clone();
    let mut world = World::new();
    let config = Config::default().token("mux_DO_NOT_USE").expect("a token");
    let config = config.revision(revision).max_channels(64).window(8192);
    let setup = Setup { config, ..Setup::default() };
    let end = setup.serve_one(&mut world, echo);
    world.block_on(async move {
        let mut peer = Peer::ask(end, "mux_DO_NOT_USE; quota=0", "", revision).await;
        let mut differing = Vec::new();
        for step in record["steps"].as_array().expect("a list") {
            let Some(payload) = step["payload_hex"].as_str().map(hex) else { continue };
            if step["dir"] == "c2s" {
                peer.send(&payload).await;
                continue;
            }
            let expected = match step["opcode"].as_u64() {
                Some(8) => vec![Heard::Close(payload)],
                _ => heard(&payload, revision),
            };
            for expected in expected {
                if matches!(expected, Heard::Flow { .. }) {
                    continue;
                }
                let heard = peer.hear_more_than_quota().await;
                if heard != expected {
                    differing.push(heard);
                }
            }
        }
        differing
    })
}

#[test]
fn the_session_of_ietf_07() {
    // The rest is the same to the octet: both responses, all frames, and the answer to a DropChannel.
    assert_eq!(
        replay("session-ietf-07", Revision::Ietf07),
        [
            Heard::Drop {
                id: 0,
                code: Some(2010),
                reason: "AddChannelRequest in the unknown encoding 2, at octet 1 of the message"
                    .to_owned(),
            },
            // pywebsocket's threads race here, and 1000 is what it says by accident.
            Heard::Close(vec![0x03, 0xf3]),
        ]
    );
}

#[test]
fn the_session_of_ietf_03() {
    assert_eq!(replay("session-ietf-03", Revision::Ietf03), []);
}
