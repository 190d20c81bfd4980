//! Channels of a server that is looked after: each counts, and each is closed in order.

use std::sync::{Arc, Mutex};

use futures_util::{StreamExt as _, future::join3, stream};
use hybi::{
    Client, Error, Server, WebSocket,
    mux::{self, Accepted, Channel, Config, Connected, MultiplexedClient, MultiplexedServer},
    serve::{Drain, Serving},
};
use hybi_testkit::{clock::ClockTimer, link::End};

use crate::world::{SECOND, Site, Town, peer};

type Ws = WebSocket<Channel, ClockTimer>;

const URI: &str = "ws://example.org/garden";

async fn echo(mut ws: Ws) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

/// A server with channels, which are echoes.
fn town(change: impl FnOnce(Site) -> Site) -> Town {
    Town::new(|listener| {
        // A handler's timers are as the listener's.
        let clock = listener.clock();
        change(Serving::requests(listener, Server::default(), move |incoming| {
            let clock = clock.clone();
            async move {
                let accepted =
                    mux::accept(incoming, &Config::default(), move || clock.timer()).await?;
                let Accepted::Multiplexed(MultiplexedServer { first, requests, driver, .. }) =
                    accepted
                else {
                    panic!("no channels were asked for");
                };
                let kept = Arc::new(Mutex::new(None));
                let asked = stream::unfold(requests, move |mut requests| {
                    let kept = kept.clone();
                    async move {
                        if let Some(incoming) = requests.next().await {
                            return Some((incoming, requests));
                        }
                        // That no more are wanted is known without its end.
                        *kept.lock().expect("no panic") = Some(requests);
                        None
                    }
                });
                let accepting = asked.for_each_concurrent(None, |incoming| async {
                    if let Ok(ws) = incoming.accept().await {
                        // Clients may drop theirs.
                        let _ = echo(ws).await;
                    }
                });
                let (driven, first, ()) = join3(driver.run(), echo(first), accepting).await;
                driven.and(first)
            }
        }))
    })
}

/// A client with its first channel and so many more, whose driver runs.
fn client(town: &mut Town, n: u16, more: usize) -> (Vec<Ws>, Arc<mux::Opener<ClockTimer>>) {
    let (stream, clock) = (town.port.connect(peer(n)), town.world.clock().clone());
    let timers = move || clock.timer();
    let deadline = town.world.clock().now() + 60 * SECOND;
    let connected = town.world.block_on(async move {
        let (client, config) = (Client::default(), Config::default());
        mux::connect_on(&client, &config, URI, stream, timers, deadline).await
    });
    let (connected, _) = connected.expect("both are willing");
    let Connected::Multiplexed(MultiplexedClient { first, opener, driver, .. }) = connected else {
        panic!("they did not agree");
    };
    spawn_driver(town, driver);
    let opener = Arc::new(opener);
    let mut channels = vec![first];
    for _ in 0..more {
        let opener = opener.clone();
        let opened = town.world.block_on(async move { opener.open_channel(URI).await });
        channels.push(opened.expect("there is room").0);
    }
    (channels, opener)
}

fn spawn_driver(town: &mut Town, driver: mux::Driver<End, ClockTimer>) {
    town.world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
}

#[test]
fn each_counts_for_as_long_as_it_is_there() {
    let mut town = town(|serving| serving.max_connections(4));
    let (mut channels, opener) = client(&mut town, 0, 2);
    assert_eq!(town.handle.connections(), 3);
    let (others, _opener) = client(&mut town, 1, 0);
    assert_eq!((others.len(), town.handle.connections()), (1, 4));

    let refused = town.world.block_on({
        let opener = opener.clone();
        async move { opener.open_channel(URI).await }
    });
    let refused = refused.expect_err("there is no room");
    assert!(refused.to_string().contains("503"), "{refused}");
    town.settle();
    assert_eq!(town.incidents(), ["192.0.2.1:1000: too many connections"]);

    drop(channels.pop());
    town.settle();
    assert_eq!(town.handle.connections(), 3);
    let opened = town.world.block_on(async move { opener.open_channel(URI).await }).map(|_| ());
    opened.expect("there is room again");
}

/// Each is told, also those whose opener is kept; the connection ends with the last of them.
#[test]
fn each_is_closed_in_order_at_the_end() {
    let mut town = town(|serving| serving);
    let (channels, _opener) = client(&mut town, 0, 3);
    let began = town.world.clock().elapsed();
    drop(town.handle.drain(Drain::default()));
    for mut ws in channels {
        let (ws, received) = town.world.block_on(async move {
            let received = ws.recv().await;
            (ws, received)
        });
        assert_eq!(received.expect("in order"), None);
        let status = ws.close_status().expect("it is over");
        assert_eq!(
            (status.code().as_u16(), status.reason(), status.is_clean()),
            (1001, "server going away", true)
        );
    }
    let (when, report) = town.report();
    assert_eq!((report.closed, report.lost, report.cut.len()), (4, 0, 0), "{report}");
    assert!(when - began < SECOND, "{:?}", when - began);
    assert_eq!(town.incidents(), [""; 0]);
}
