//! What a peer granted is what is sent, to the octet.

use hybi::mux::{Config, Revision};
use hybi_mux::ControlBlock;
use hybi_testkit::{wire, world::World};

use crate::{
    peer::{Peer, channel, frame},
    support::{Setup, echo},
};

/// What comes of "hello" when 4 octets are granted, and then 100.
fn cut(revision: Revision, first: &'static [u8], rest: &'static [u8]) {
    let mut world = World::new();
    let setup = Setup { config: Config::default().revision(revision), ..Setup::default() };
    let end = setup.serve_one(&mut world, echo);
    world.block_on(async move {
        let mut peer = Peer::ask(end, "mux", "", revision).await;
        let grant = |quota| ControlBlock::FlowControl { channel: channel(1), quota };
        peer.say(&[grant(4)]).await;
        peer.send_frame(1, wire::TEXT, b"hello").await;
        assert_eq!(peer.hear_frame().await, frame(1, wire::TEXT ^ wire::FIN, first));
        peer.say(&[grant(100)]).await;
        assert_eq!(peer.hear_frame().await, frame(1, wire::CONTINUATION, rest));
    });
}

#[test]
fn a_message_costs_one_octet_from_ietf_07_on() {
    cut(Revision::Ietf07, b"hel", b"lo");
    cut(Revision::Ietf05, b"hell", b"o");
    cut(Revision::Ietf03, b"hell", b"o");
}
