//! Who waits is woken: the world polls nobody else.

use core::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join;
use hybi::{CloseCode, Error, mux::Config};
use hybi_testkit::world::{World, pause};

use crate::support::{ClientEnd, Setup, URI, Ws, serve};

/// Closes, and expects that the peer does as well.
async fn close(mut ws: Ws) -> Result<(), Error> {
    let status = ws.close(CloseCode::NORMAL, "").await?;
    assert_eq!(status.code(), CloseCode::NORMAL);
    Ok(())
}

#[test]
fn a_slot_comes_back_when_a_channel_is_let_go() {
    let mut world = World::new();
    let setup = Setup { config: Config::default().max_channels(1), ..Setup::default() };
    let (server, client) = setup.open(&mut world);
    // Channels that the server's application keeps when they are over.
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keeping = kept.clone();
    serve(&mut world, server, move |mut ws| {
        let kept = keeping.clone();
        async move {
            assert_eq!(ws.recv().await?, None);
            kept.borrow_mut().push(ws);
            Ok(())
        }
    });
    let ClientEnd { first, opener, driver, .. } = client;
    world.spawn("the client's driver", async move {
        driver.run().await.expect("it ends in order");
    });
    let clock = world.clock().clone();
    world.block_on(async move {
        for _ in 0..3 {
            let (ws, _) = opener.open_channel(URI).await.expect("there is a slot");
            close(ws).await.expect("it is open");
            // Everything is at rest by then.
            let (opened, ()) = join(opener.open_channel(URI), async {
                for _ in 0..100 {
                    pause().await;
                }
                assert_eq!(kept.borrow().len(), 1);
                kept.borrow_mut().clear();
            })
            .await;
            close(opened.expect("there is a slot").0).await.expect("it is open");
            kept.borrow_mut().clear();
        }
        // Slots come a hundred a second.
        assert_eq!(clock.elapsed().as_millis(), 50);
        join(close(first), async { drop(opener) }).await.0.expect("it is open");
        kept.borrow_mut().clear();
    });
    world.run().expect("everything ends");
}
