//! Two multiplexed ends in one world.

use core::{
    future::{Future, poll_fn},
    task::Poll,
};
use std::rc::Rc;

use futures_util::{
    future::{LocalBoxFuture, join, try_join},
    stream::{FuturesUnordered, StreamExt},
};
use hybi::{
    Client, Error, Incoming, Server, WebSocket,
    io::{Timer as _, Transport},
    mux::{
        self, Accepted, Channel, Config, Connected, MultiplexedClient, MultiplexedServer, Requests,
    },
    opening,
};
use hybi_testkit::{
    clock::ClockTimer,
    link::{Conditions, End, link},
    world::World,
};

pub(crate) type Ws = WebSocket<Channel, ClockTimer>;
pub(crate) type ServerEnd = MultiplexedServer<End, ClockTimer>;
pub(crate) type ClientEnd = MultiplexedClient<End, ClockTimer>;

pub(crate) const URI: &str = "ws://example.org/echo";

/// The two ends of a connection and what they were made with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) config: Config,
    pub(crate) conditions: Conditions,
}

impl Setup {
    /// Opens the connection; both ends agree to multiplex.
    pub(crate) fn open(&self, world: &mut World) -> (ServerEnd, ClientEnd) {
        let (near, far) = link(world.clock(), self.conditions, self.conditions);
        self.open_over(world, near, far)
    }

    /// The same over these ends of a link, the client's first.
    pub(crate) fn open_over<T: Transport + 'static>(
        &self,
        world: &mut World,
        near: T,
        far: T,
    ) -> (MultiplexedServer<T, ClockTimer>, MultiplexedClient<T, ClockTimer>) {
        let Self { server, client, config, .. } = self.clone();
        let (ours, theirs) = (world.clock().clone(), world.clock().clone());
        let config_of_client = config.clone();
        world.block_on(async move {
            let accepting = async {
                let timer = theirs.timer();
                let deadline = server.config().handshake_deadline(timer.now());
                let incoming = opening::incoming_on(&server, far, timer, deadline).await?;
                mux::accept(incoming, &config, move || theirs.timer()).await
            };
            let deadline = client.config().handshake_deadline(ours.now());
            let timers = move || ours.timer();
            let connecting =
                mux::connect_on(&client, &config_of_client, URI, near, timers, deadline);
            let (accepted, (connected, _response)) =
                try_join(accepting, connecting).await.expect("both are willing");
            let (Accepted::Multiplexed(server), Connected::Multiplexed(client)) =
                (accepted, connected)
            else {
                panic!("they did not agree");
            };
            (server, client)
        })
    }
}

impl Setup {
    /// A server in the world that serves one connection, and the other end of that.
    pub(crate) fn serve_one<F: Future<Output = Result<(), Error>> + 'static>(
        &self,
        world: &mut World,
        serve: impl Fn(Ws) -> F + 'static,
    ) -> End {
        self.accept_one(world, |accepted| async {
            let Accepted::Multiplexed(end) = accepted.expect("a lawful request") else {
                panic!("no channels were asked for");
            };
            let ServerEnd { first, requests, driver, .. } = end;
            let _ = join(driver.run(), serve_all(first, requests, serve)).await;
        })
    }

    /// A server in the world that accepts one connection, multiplexed or not, and the other end of that.
    pub(crate) fn accept_one<F: Future<Output = ()> + 'static>(
        &self,
        world: &mut World,
        then: impl FnOnce(Result<Accepted<End, ClockTimer>, Error>) -> F + 'static,
    ) -> End {
        let Self { server, config, conditions, .. } = self.clone();
        let (near, far) = link(world.clock(), conditions, conditions);
        let clock = world.clock().clone();
        world.spawn("the server", async move {
            let timer = clock.timer();
            let deadline = server.config().handshake_deadline(timer.now());
            let incoming = opening::incoming_on(&server, far, timer, deadline).await;
            let incoming = incoming.expect("a request");
            then(mux::accept(incoming, &config, move || clock.timer()).await).await;
        });
        near
    }
}

/// Echoes until the end.
pub(crate) async fn echo<T: Transport>(mut ws: WebSocket<T, ClockTimer>) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

/// Runs the server's end in the world: each channel is served by `serve`, and all of them at the same time.
pub(crate) fn serve<T: Transport + 'static, F: Future<Output = Result<(), Error>> + 'static>(
    world: &mut World,
    end: MultiplexedServer<T, ClockTimer>,
    serve: impl Fn(Ws) -> F + 'static,
) {
    let MultiplexedServer { first, requests, driver, .. } = end;
    world.spawn("the server's driver", async move {
        let _ = driver.run().await;
    });
    world.spawn("the server", serve_all(first, requests, serve));
}

async fn serve_all<F: Future<Output = Result<(), Error>> + 'static>(
    first: Ws,
    requests: Requests<ClockTimer>,
    serve: impl Fn(Ws) -> F + 'static,
) {
    let serve = Rc::new(serve);
    let mut serving: FuturesUnordered<LocalBoxFuture<'static, Result<(), Error>>> =
        FuturesUnordered::new();
    serving.push(Box::pin(serve(first)));
    let mut asking = Some(Box::pin(next_of(requests)));
    poll_fn(|cx| {
        while let Some(next) = &mut asking
            && let Poll::Ready((incoming, requests)) = next.as_mut().poll(cx)
        {
            asking = None;
            if let Some(incoming) = incoming {
                let serve = serve.clone();
                serving.push(Box::pin(async move { serve(incoming.accept().await?).await }));
                asking = Some(Box::pin(next_of(requests)));
            }
        }
        loop {
            match serving.poll_next_unpin(cx) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) if asking.is_none() => return Poll::Ready(()),
                _ => return Poll::Pending,
            }
        }
    })
    .await;
}

type Asked = (Option<Incoming<Channel, ClockTimer>>, Requests<ClockTimer>);

async fn next_of(mut requests: Requests<ClockTimer>) -> Asked {
    (requests.next().await, requests)
}
