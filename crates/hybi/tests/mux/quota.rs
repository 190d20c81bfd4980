//! What a peer granted is what is sent, to the octet.

use hybi::{
    CloseCode, Message,
    mux::{Config, Revision},
};
use hybi_mux::ControlBlock;
use hybi_testkit::{link::Conditions, wire, world::World};

use crate::{
    peer::{Peer, channel, frame},
    support::{ClientEnd, Setup, echo, serve},
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

/// A peer that is slow makes progress, and time-outs are for those who make none: a window of 256 octets on a link of 400 ms
/// each way takes 3 minutes for one message.
#[test]
fn a_slow_channel_is_not_a_blocked_one() {
    let mut world = World::new();
    let delay = core::time::Duration::from_millis(400);
    let (config, conditions) = (Config::default().window(256), Conditions::default().delay(delay));
    let (server, client) = Setup { config, conditions, ..Setup::default() }.open(&mut world);
    serve(&mut world, server, echo);
    let ClientEnd { mut first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
    let began = world.clock().elapsed();
    world.block_on(async move {
        let message = Message::binary(vec![7; 70_000]);
        first.send(message.clone()).await.expect("it goes on");
        assert_eq!(first.recv().await.expect("it goes on"), Some(message));
        first.close(CloseCode::NORMAL, "").await.expect("it is open");
        drop(opener);
    });
    assert!((world.clock().elapsed() - began).as_secs() > 180);
}
