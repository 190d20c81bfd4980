//! Connecting as an adapter does, accepting with an answer of one's own, and what is shown of the handles.

use core::{convert::Infallible, net::SocketAddr};
use std::{
    io,
    sync::{Mutex, PoisonError},
};

use futures_util::future::try_join;
use hybi::{
    Client, CloseCode, Error, OpeningError, Server, WsUri,
    io::Timer as _,
    mux::{self, Accepted, Config, Connected},
    opening::{self, Dial},
};
use hybi_testkit::{
    clock::{Clock, ClockTimer},
    link::{Conditions, End, link},
    world::World,
};

use crate::support::{URI, echo};

/// A runtime that has one link, which is connected to once.
struct Once {
    end: Mutex<Option<End>>,
    clock: Clock,
}

impl Dial for Once {
    type Tls = Infallible;
    type Transport = End;
    type Timer = ClockTimer;

    fn timer(&self) -> ClockTimer {
        self.clock.timer()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!((host, port), ("example.org", 80));
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }

    async fn connect(&self, _address: SocketAddr) -> io::Result<End> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.take().ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }

    fn tls(&self, _uri: &WsUri) -> Result<Option<Infallible>, Error> {
        Ok(None)
    }

    async fn secure(&self, tls: Infallible, _: End) -> io::Result<End> {
        match tls {}
    }
}

#[test]
fn channels_are_asked_for_over_what_is_dialled() {
    let mut world = World::new();
    let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
    let dial = Once { end: Mutex::new(Some(near)), clock: world.clock().clone() };
    let clock = world.clock().clone();
    world.block_on(async move {
        let server = Server::default();
        let accepting = async {
            let timer = clock.timer();
            let deadline = server.config().handshake_deadline(timer.now());
            let incoming = opening::incoming_on(&server, far, timer, deadline).await?;
            let accepted = incoming.check()?.with_header("X-Answer", "own")?;
            let config = Config::default();
            mux::accept_as(incoming, accepted, &config, move || clock.timer()).await
        };
        let client = Client::default();
        let config = Config::default();
        let connecting = mux::connect(dial, &client, &config, URI);
        let (accepted, (connected, response)) =
            try_join(accepting, connecting).await.expect("both are willing");
        assert_eq!(response.headers()["x-answer"], "own");
        let (Accepted::Multiplexed(server), Connected::Multiplexed(mut client)) =
            (accepted, connected)
        else {
            panic!("they did not agree");
        };
        assert!(format!("{:?}", server.requests).starts_with("Requests { server: "));
        assert!(format!("{:?}", client.opener).starts_with("Opener { client: "));
        drop((server.requests, client.opener));
        let talking = async {
            client.first.send("hello").await?;
            assert_eq!(client.first.recv().await?, Some("hello".into()));
            client.first.close(CloseCode::NORMAL, "").await?;
            drop(client.first);
            Ok(())
        };
        // Whoever let everything go ends the connection.
        let all = try_join(
            try_join(server.driver.run(), echo(server.first)),
            try_join(client.driver.run(), talking),
        );
        all.await.expect("it ends in order");
    });
}

#[test]
fn nobody_is_there() {
    let mut world = World::new();
    let dial = Once { end: Mutex::new(None), clock: world.clock().clone() };
    world.block_on(async move {
        let client = Client::default();
        let error = mux::connect(dial, &client, &Config::default(), URI).await;
        let Err(Error::Opening(step)) = error else { panic!("nobody is there") };
        assert!(matches!(&*step, OpeningError::Connect { attempts, .. } if attempts.len() == 1));
    });
}
