//! Channels of one connection, on tasks and threads of their own.

use futures_util::{
    FutureExt as _,
    future::{RemoteHandle, join_all},
};
use hybi::{
    Client, CloseCode, Error, Message, Server, WebSocket,
    io::{Timer, Transport},
    mux::{self, Accepted, Config, Connected},
    opening::Dial,
};

use super::{Runtime, serve_request, uri};

/// How many channels there are, with the first.
const CHANNELS: usize = 20;

/// An adapter that can be told to connect without a client's help.
pub trait Multiplexing: Runtime<Timer: Default> {
    /// What connects; the one of the adapter.
    type Dial: Dial<Transport = Self::Connected, Timer = Self::Timer> + Send + Sync + 'static;

    /// It, as it is without a client's help.
    fn dial() -> Self::Dial;
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
    R::block_on(async {
        let uri = uri::<R>(address);
        let client = Client::default();
        let connecting = mux::connect(R::dial(), &client, &Config::default(), &uri).await;
        let Connected::Multiplexed(mux) = connecting.expect("a server").0 else {
            panic!("it multiplexes");
        };
        let (opener, driver) = (mux.opener, mux.driver);
        let driving = spawn::<R>(async { driver.run().await.expect("it ends in order") });
        let mut all = vec![driving, talk::<R, _, _>(mux.first)];
        for _ in 1..CHANNELS {
            let (ws, _) = opener.open_channel(&uri).await.expect("a slot");
            all.push(talk::<R, _, _>(ws));
        }
        drop(opener);
        join_all(all).await;
    });
    server.join().expect("it ends in order");
}

async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

/// Runs a future on a task; its end is awaited with what this gives.
fn spawn<R: Runtime>(future: impl Future<Output = ()> + Send + 'static) -> RemoteHandle<()> {
    let (task, end) = future.remote_handle();
    R::spawn(task);
    end
}

/// Has messages echoed on a task.
fn talk<R: Runtime, T, C>(mut ws: WebSocket<T, C>) -> RemoteHandle<()>
where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    spawn::<R>(async move {
        for len in [0, 1, 125, 126, 70_000, 65_536, 200_000, 3].into_iter().chain(0..100) {
            let message = Message::binary(vec![len as u8; len]);
            ws.send(message.clone()).await.expect("it is open");
            assert_eq!(ws.recv().await.expect("it is open"), Some(message));
        }
        ws.close(CloseCode::NORMAL, "").await.expect("it is open");
    })
}
