//! What is said on channels arrives, whole and in order.

use futures_util::future::{join_all, try_join};
use hybi::{CloseCode, Deflate, Error, Message, Server, mux::Config};
use hybi_testkit::{link::Conditions, world::World};

use crate::support::{ClientEnd, Setup, URI, Ws, echo, serve};

#[test]
fn the_first_channel_and_another_are_echoed_and_closed() {
    let mut world = World::new();
    let (server, client) = Setup::default().open(&mut world);
    serve(&mut world, server, echo);
    let ClientEnd { mut first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
    world.block_on(async move {
        first.send("hello").await.expect("it is open");
        assert_eq!(first.recv().await.expect("it is open"), Some(Message::from("hello")));
        let (mut second, response) = opener.open_channel(URI).await.expect("there are slots");
        assert_eq!(response.status(), 101);
        second.send("hello again").await.expect("it is open");
        assert_eq!(second.recv().await.expect("it is open"), Some(Message::from("hello again")));
        let status = second.close(CloseCode::NORMAL, "bye").await.expect("it is open");
        assert_eq!(status.code(), CloseCode::NORMAL);
        let status = first.close(CloseCode::NORMAL, "").await.expect("it is open");
        assert_eq!(status.code(), CloseCode::NORMAL);
    });
    world.run().expect("everything ends");
}

/// Sends and receives at the same time, so that both windows are full.
async fn exchange(ws: Ws, messages: Vec<Message>) -> Result<Ws, Error> {
    let (mut sender, mut receiver) = ws.split();
    let sending = async {
        for message in &messages {
            sender.send(message.clone()).await?;
        }
        Ok::<_, Error>(())
    };
    let receiving = async {
        for message in &messages {
            assert_eq!(receiver.recv().await?.as_ref(), Some(message));
        }
        Ok::<_, Error>(())
    };
    try_join(sending, receiving).await?;
    Ok(receiver.reunite(sender).expect("the two halves of one"))
}

fn messages(of: u8) -> Vec<Message> {
    let lens = [0, 1, 125, 126, 255, 256, 257, 8_000, 65_535, 65_536, 100_000, 300_000, 3];
    (lens.iter().enumerate())
        .map(|(at, &len)| {
            if at % 2 == 0 {
                Message::text(
                    "abcdefgh".chars().cycle().skip(of.into()).take(len).collect::<String>(),
                )
            } else {
                Message::binary((0..len).map(|at| at as u8 ^ of).collect::<Vec<u8>>())
            }
        })
        .collect()
}

/// Six channels with messages many times as long as the windows.
fn messages_beyond_the_windows(setup: &Setup) {
    let mut world = World::new();
    let (server, client) = setup.open(&mut world);
    serve(&mut world, server, echo);
    let ClientEnd { first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
    world.block_on(async move {
        let mut channels = vec![first];
        for _ in 0..5 {
            channels.push(opener.open_channel(URI).await.expect("there are slots").0);
        }
        let talks = channels.into_iter().enumerate().map(|(at, ws)| async move {
            let mut ws = exchange(ws, messages(at as u8)).await.expect("it is open");
            ws.close(CloseCode::NORMAL, "").await.expect("it is open");
        });
        join_all(talks).await;
    });
    world.run().expect("everything ends");
}

#[test]
fn messages_are_longer_than_the_windows() {
    for window in [256, 257, 1000, 65_536] {
        messages_beyond_the_windows(&Setup {
            config: Config::default().window(window),
            ..Setup::default()
        });
    }
}

#[test]
fn queues_are_as_short_as_can_be() {
    messages_beyond_the_windows(&Setup {
        config: Config::default().queue_limit(0).window(2000),
        ..Setup::default()
    });
}

#[test]
fn the_link_is_narrow() {
    messages_beyond_the_windows(&Setup {
        conditions: Conditions::default().capacity(3000).read(700).write(900),
        ..Setup::default()
    });
}

#[test]
fn the_link_is_slow() {
    messages_beyond_the_windows(&Setup {
        conditions: Conditions::default()
            .delay(core::time::Duration::from_millis(10))
            .capacity(64 * 1024),
        ..Setup::default()
    });
}

#[test]
fn channels_compress_each_for_itself() {
    let mut world = World::new();
    let setup = Setup {
        server: Server::builder().extensions(Deflate::default()).build(),
        client: hybi::Client::builder().extensions(Deflate::default()).build().expect("valid"),
        ..Setup::default()
    };
    let (server, client) = setup.open(&mut world);
    assert_eq!(server.first.extensions().count(), 1);
    serve(&mut world, server, echo);
    let ClientEnd { first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
    world.block_on(async move {
        let (second, response) = opener.open_channel(URI).await.expect("there are slots");
        assert_eq!(response.headers()["sec-websocket-extensions"], "permessage-deflate");
        for ws in [exchange(second, messages(1)).await, exchange(first, messages(2)).await] {
            let mut ws = ws.expect("it is open");
            ws.close(CloseCode::NORMAL, "").await.expect("it is open");
        }
    });
    world.run().expect("everything ends");
}
