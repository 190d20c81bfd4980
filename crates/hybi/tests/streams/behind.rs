//! What waits behind a message that is written as it comes.

use core::{cell::Cell, time::Duration};

use futures_util::{SinkExt, future::join};
use hybi::{Config, Error, Message, MessageKind};
use hybi_testkit::{
    wire,
    world::{World, pause},
};

use crate::{FRAGMENT, writing::halves};

/// What was flushed is with the transport, whoever ends the wait, and how.
#[test]
fn a_flush_waits_for_what_waits_behind_a_message() {
    for as_sink in [false, true] {
        for ends_well in [true, false] {
            let mut world = World::new();
            let (mut sender, mut other, mut peer) = halves(&mut world, Config::default());
            world.block_on(async move {
                let permit = other.ready().await.expect("room");
                let mut writer = sender.send_writer(MessageKind::Text).expect("it is open");
                writer.write_all(b"one").await.expect("it is open");
                writer.flush().await.expect("it is open");
                permit.send("behind").expect("leave was given");
                writer.flush().await.expect("nothing of its own waits");
                let (flushes, ended) = (Cell::new(true), Cell::new(false));
                let flushing = async {
                    let flushed = if as_sink {
                        SinkExt::<Message>::flush(&mut other).await
                    } else {
                        other.flush().await
                    };
                    flushes.set(false);
                    assert!(ended.get(), "it left in the middle of another");
                    flushed
                };
                let ending = async {
                    for _ in 0..3 {
                        pause().await;
                    }
                    assert!(flushes.get());
                    ended.set(true);
                    if ends_well {
                        writer.finish().await.expect("it is open");
                    }
                    drop(writer);
                };
                let (flushed, ()) = join(flushing, ending).await;
                peer.expect(FRAGMENT, b"one").await;
                if ends_well {
                    flushed.expect("it has left");
                    peer.expect(wire::CONTINUATION, b"").await;
                    peer.expect(wire::TEXT, b"behind").await;
                } else {
                    assert!(matches!(flushed, Err(Error::Unfinished)), "{flushed:?}");
                }
            });
        }
    }
}

/// What waits behind a message that may never end holds up no answer.
#[test]
fn the_peers_close_frame_is_answered_at_once() {
    let mut world = World::new();
    let (mut sender, mut other, mut peer) = halves(&mut world, Config::default());
    let clock = world.clock().clone();
    world.block_on(async move {
        let permit = other.ready().await.expect("room");
        let mut writer = sender.send_writer(MessageKind::Text).expect("it is open");
        writer.write_all(b"one").await.expect("it is open");
        writer.flush().await.expect("it is open");
        permit.send("behind").expect("leave was given");
        peer.expect(FRAGMENT, b"one").await;
        let goodbye = wire::close_payload(1000, b"");
        peer.send_frame(wire::CLOSE, &goodbye).await;
        peer.expect(wire::CLOSE, &goodbye).await;
        assert_eq!(clock.elapsed(), Duration::ZERO);
        assert!(matches!(writer.finish().await, Err(Error::Closed)));
        assert!(matches!(other.flush().await, Err(Error::Closed)), "it was not sent");
    });
}
