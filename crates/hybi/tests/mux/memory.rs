//! What channels hold when nobody reads: what was granted, what queues may hold, and no more.

use core::{future::poll_fn, time::Duration};

use futures_util::future::join_all;
use hybi::{Client, Config as Choice, Error, Message, Server, io::Timer as _, mux::Config};
use hybi_suite::allocator::Meter;
use hybi_testkit::world::World;

use crate::support::{ClientEnd, Setup, URI, Ws, serve};

const CHANNELS: u32 = 100;
const WINDOW: usize = 64 * 1024;
const QUEUE: usize = 48 * 1024;
const OUTBOX: usize = 16 * 1024;
/// What each queue may have beyond what is in it, since it lies in blocks of this size; and so may all else of a channel.
const BLOCK: usize = 16 * 1024;
const MESSAGE: usize = 512;

/// Says messages as long as anybody takes more, and hears none.
async fn deaf(ws: Ws) -> Result<(), Error> {
    let (mut sender, _receiver) = ws.split();
    loop {
        sender.feed(Message::binary(vec![b'm'; MESSAGE])).await?;
    }
}

#[test]
fn nobody_reads_and_both_ends_hold_what_they_may() {
    let mut world = World::new();
    let config = Config::default().max_channels(CHANNELS - 1).window(WINDOW as u64);
    let choice = Choice::default().outbox_limit(OUTBOX).write_timeout(None);
    let setup = Setup {
        server: Server::builder().config(choice.clone()).build(),
        client: Client::builder().config(choice).build().expect("valid"),
        config: config.queue_limit(QUEUE),
        ..Setup::default()
    };
    let (server, client) = setup.open(&mut world);
    let meter = Meter::start();
    serve(&mut world, server, deaf);
    let ClientEnd { first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it goes on");
    });
    world.spawn("the client", async move {
        let others = join_all((1..CHANNELS).map(|_| opener.open_channel(URI))).await;
        let others = others.into_iter().map(|opened| opened.expect("there are slots").0);
        join_all([first].into_iter().chain(others).map(deaf)).await;
    });
    let mut timer = world.clock().timer();
    // By then nothing moves any more.
    let later = timer.now() + Duration::from_secs(10);
    world.block_on(async move {
        poll_fn(|cx| timer.poll_until(cx, later)).await;
    });
    // The connection has read a window, of which its application took nothing, and what it read was granted again.
    let full = 2 * WINDOW + QUEUE + OUTBOX;
    let held = meter.held() / (2 * CHANNELS as usize);
    let most = full + WINDOW / 32 + 4 * BLOCK;
    assert!((full..most).contains(&held), "{held} bytes for each, and not {full}");
    let peak = meter.peak() / (2 * CHANNELS as usize);
    assert!(peak < most, "{peak} bytes for each, and not {full}");
}
