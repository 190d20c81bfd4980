//! Channels of one connection, on tasks and threads of their own.

use std::sync::mpsc;

use hybi::{
    Client, CloseCode, Error, Message, Server, WebSocket,
    io::{Timer, Transport},
    mux::{self, Accepted, Config, Connected},
    opening::Dial,
};

use super::{Runtime, serve_request};
use crate::peer::PATIENCE;

/// How many channels there are, with the first.
const CHANNELS: usize = 20;

/// An adapter that can be told to connect without a client's help.
pub trait Multiplexing: Runtime<Timer: Default> {
    /// What connects; the default one of the adapter.
    type Dial: Dial<Transport = Self::Connected, Timer = Self::Timer>
        + Default
        + Send
        + Sync
        + 'static;
}

/// Each channel is served on a task of its own, and each is used on one of its own at the other end: messages longer
/// than the window, and many short ones, all at the same time, whole and in order.
pub fn channels_are_on_tasks_of_their_own<R: Multiplexing>() {
    let (address, server) = serve_request::<R, _>(Server::default(), |incoming| async {
        let incoming = incoming.expect("a request");
        let accepted = mux::accept(incoming, &Config::default(), R::Timer::default).await;
        let Accepted::Multiplexed(mux) = accepted.expect("a lawful request") else {
            panic!("it asks for channels");
        };
        let (mut requests, driver) = (mux.requests, mux.driver);
        R::spawn(async move { assert!(echo(mux.first).await.is_ok()) });
        R::spawn(async move {
            while let Some(incoming) = requests.next().await {
                R::spawn(async move {
                    let ws = incoming.accept().await.expect("it may");
                    assert!(echo(ws).await.is_ok());
                });
            }
        });
        driver.run().await
    });
    let all = R::block_on(async {
        let uri = format!("ws://{address}/");
        let client = Client::default();
        let connecting = mux::connect(R::Dial::default(), &client, &Config::default(), &uri).await;
        let Connected::Multiplexed(mux) = connecting.expect("a server").0 else {
            panic!("it multiplexes");
        };
        let (opener, driver) = (mux.opener, mux.driver);
        let (done, wait) = mpsc::channel();
        let running = done.clone();
        R::spawn(async move {
            driver.run().await.expect("it ends in order");
            let _ = running.send(());
        });
        talk::<R, _, _>(mux.first, done.clone());
        for _ in 1..CHANNELS {
            let (ws, _) = opener.open_channel(&uri).await.expect("a slot");
            talk::<R, _, _>(ws, done.clone());
        }
        drop((opener, done));
        wait
    });
    // And the driver.
    for _ in 0..=CHANNELS {
        all.recv_timeout(PATIENCE).expect("all of them come to their end");
    }
    server.join().expect("it ends in order");
}

async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

/// Has messages echoed on a task, and then says that it is done.
fn talk<R: Runtime, T, C>(mut ws: WebSocket<T, C>, done: mpsc::Sender<()>)
where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    R::spawn(async move {
        for len in [0, 1, 125, 126, 70_000, 65_536, 200_000, 3].into_iter().chain(0..100) {
            let message = Message::binary(vec![len as u8; len]);
            ws.send(message.clone()).await.expect("it is open");
            assert_eq!(ws.recv().await.expect("it is open"), Some(message));
        }
        ws.close(CloseCode::NORMAL, "").await.expect("it is open");
        let _ = done.send(());
    });
}
