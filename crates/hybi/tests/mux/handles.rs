//! Whoever waits is woken, whatever ends what is waited for, and futures may be dropped at any moment.

use core::cell::Cell;
use std::rc::Rc;

use futures_util::future::{Either, join, join_all, join3, select};
use hybi::{Error, mux::Config};
use hybi_testkit::world::{World, at_most, pause};

use crate::{
    alone::{RESPONSE, Told, flow, multiplexed, response, slots},
    peer::{Heard, Peer},
    support::{ClientEnd, ServerEnd, Setup, URI, echo, serve},
};

/// Nothing is polled here that was not woken: whoever slept on would be told as one that nobody ever wakes.
#[test]
fn everybody_is_woken_when_nobody_drives_any_more() {
    let mut world = World::new();
    let config = Config::default().max_channels(0);
    let (server, client) = Setup { config, ..Setup::default() }.open(&mut world);
    let ServerEnd { first: theirs, mut requests, driver: running, .. } = server;
    let ClientEnd { first, opener, driver, .. } = client;
    let ended = Rc::new(Cell::new(0));
    let end = || {
        let ended = ended.clone();
        move || ended.set(ended.get() + 1)
    };
    let (mut sender, mut receiver) = first.split();
    let told = end();
    world.spawn("who receives", async move {
        let error = receiver.recv().await.expect_err("it ends");
        assert!(error.to_string().contains("the physical connection ended"), "{error}");
        told();
    });
    let told = end();
    world.spawn("who sends", async move {
        // Until its queues are full, since nobody reads.
        let error = loop {
            if let Err(error) = sender.send(vec![0; 100_000]).await {
                break Error::from(error);
            }
        };
        assert!(error.to_string().contains("the physical connection ended"), "{error}");
        told();
    });
    let told = end();
    world.spawn("who waits for a slot", async move {
        let error = opener.open_channel(URI).await.expect_err("it ends");
        assert!(matches!(error, Error::Opening(_)), "{error:?}");
        told();
    });
    let told = end();
    world.spawn("who waits for requests", async move {
        assert!(requests.next().await.is_none());
        told();
    });
    world.block_on(async move {
        // Both run for a while, in which no time passes, and then nobody does.
        let running = Box::pin(join(driver.run(), running.run()));
        let waiting = Box::pin(async {
            for _ in 0..100 {
                pause().await;
            }
        });
        let Either::Right(((), running)) = select(running, waiting).await else {
            panic!("they end by themselves");
        };
        drop(running);
    });
    world.run().expect("everybody is woken");
    assert_eq!(ended.get(), 4);
    drop(theirs);
}

#[test]
fn a_slot_goes_to_whoever_still_waits_for_it() {
    for dropped in [0, 1, 2] {
        let mut world = World::new();
        let end = Setup::default().connect_one(&mut world, move |connected| async move {
            let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
            let opener = &opener;
            let opening = async {
                // Three wait; one of them for so long and no longer.
                let waiting = (0..3).map(|at| async move {
                    let opening = opener.open_channel(URI);
                    if at == dropped {
                        return at_most(2, opening).await.is_some();
                    }
                    opening.await.is_ok()
                });
                let opened = join_all(waiting).await;
                assert_eq!(opened.iter().filter(|opened| **opened).count(), 2);
            };
            let outcome = join3(driver.run(), opening, Told::default().watch(first)).await;
            outcome.0.expect("it ends in order");
        });
        world.block_on(async move {
            let (mut peer, _request) = Peer::answer(end, "mux", "").await;
            peer.say(&[flow(1, 1000)]).await;
            peer.expect_echo(1, b"they wait").await;
            peer.expect_echo(1, b"one of them no more").await;
            for _ in 0..2 {
                peer.say(&[slots(1, 1000)]).await;
                let heard = peer.hear_answer().await;
                let Heard::Request { id, .. } = heard else { panic!("{heard:?}") };
                peer.say(&[response(id, RESPONSE)]).await;
                peer.expect_drop(id, 3000, "").await;
            }
            peer.close().await;
        });
        world.run().expect("everything ends");
    }
}

/// However far opening a channel came when its future was dropped, nothing is left of it at either end.
#[test]
fn opening_a_channel_may_be_given_up_at_any_moment() {
    let mut given_up = 0;
    for polls in 1..12 {
        let mut world = World::new();
        let config = Config::default().max_channels(1).openings_per_second(1000);
        let (server, client) = Setup { config, ..Setup::default() }.open(&mut world);
        serve(&mut world, server, echo);
        let is_given_up = world.block_on(async move {
            let ClientEnd { mut first, opener, driver, .. } = client;
            let opening = async {
                pause().await;
                let is_given_up = at_most(polls, opener.open_channel(URI)).await.is_none();
                // The one slot comes back.
                for _ in 0..3 {
                    let (mut second, _response) =
                        opener.open_channel(URI).await.expect("there is a slot again");
                    second.send("hello").await.expect("it is open");
                    assert!(second.recv().await.expect("it is open").is_some());
                }
                first.send("hello").await.expect("it is open");
                assert!(first.recv().await.expect("it is open").is_some());
                drop((first, opener));
                is_given_up
            };
            let (outcome, is_given_up) = join(driver.run(), opening).await;
            outcome.expect("it ends in order");
            is_given_up
        });
        world.run().expect("everything ends");
        given_up += u32::from(is_given_up);
    }
    assert!((1..11).contains(&given_up), "{given_up} of 11");
}
