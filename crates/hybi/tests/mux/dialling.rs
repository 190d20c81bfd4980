//! Connecting as an adapter does, accepting with an answer of one's own, and what is shown of the handles.

use core::{convert::Infallible, net::SocketAddr};
use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, PoisonError},
};

use futures_util::future::{Either, select, try_join};
use hybi::{
    Client, CloseCode, Error, OpeningError, Server, WsUri,
    io::Timer as _,
    mux::{self, Accepted, Config, Connected},
    opening::{self, Dial},
};
use hybi_testkit::{
    clock::{Clock, ClockTimer},
    link::{Conditions, End, link},
    script::Script,
    wire::Side,
    world::World,
};

use crate::support::{URI, echo};

/// A runtime that has so many links, each of which is connected to once.
struct Once {
    ends: Mutex<VecDeque<End>>,
    clock: Clock,
}

impl Once {
    fn new(world: &World, ends: impl IntoIterator<Item = End>) -> Self {
        let ends = Mutex::new(ends.into_iter().collect());
        Self { ends, clock: world.clock().clone() }
    }
}

impl Dial for Once {
    type Tls = Infallible;
    type Transport = End;
    type Timer = ClockTimer;

    fn timer(&self) -> ClockTimer {
        self.clock.timer()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert!(host.ends_with("example.org") && port == 80, "{host}:{port}");
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }

    async fn connect(&self, _address: SocketAddr) -> io::Result<End> {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.pop_front().ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
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
    let dial = Once::new(&world, [near]);
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
    let dial = Once::new(&world, []);
    world.block_on(async move {
        let client = Client::default();
        let error = mux::connect(dial, &client, &Config::default(), URI).await;
        let Err(Error::Opening(step)) = error else { panic!("nobody is there") };
        assert!(matches!(&*step, OpeningError::Connect { attempts, .. } if attempts.len() == 1));
    });
}

/// Neither the connection nor any of its channels takes credentials to another origin.
#[test]
fn a_redirect_is_followed_without_credentials() {
    let mut world = World::new();
    let links = [(); 2].map(|()| link(world.clock(), Conditions::default(), Conditions::default()));
    let [(near, first), (next, second)] = links;
    let dial = Once::new(&world, [near, next]);
    let clock = world.clock().clone();
    world.block_on(async move {
        let server = Server::default();
        let redirecting = async {
            let mut script = Script::new(first, Side::Server);
            let request = script.read_head().await;
            assert!(request.contains("Cookie: a=1\r\n"), "{request}");
            script
                .send(
                    "HTTP/1.1 307 Elsewhere\r\nLocation: //other.example.org/there\r\n\
                     Content-Length: 0\r\n\r\n",
                )
                .await;
            let timer = clock.timer();
            let deadline = server.config().handshake_deadline(timer.now());
            let incoming = opening::incoming_on(&server, second, timer, deadline).await?;
            let request = incoming.request();
            assert_eq!((request.uri().path(), request.headers().get("Cookie")), ("/there", None));
            mux::accept(incoming, &Config::default(), move || clock.timer()).await
        };
        let client = Client::builder().header("Cookie", "a=1").follow_redirects(1);
        let (client, config) = (client.build().expect("lawful"), Config::default());
        let connecting = mux::connect(dial, &client, &config, URI);
        let (accepted, (connected, _response)) =
            try_join(redirecting, connecting).await.expect("both are willing");
        let (Accepted::Multiplexed(mut server), Connected::Multiplexed(client)) =
            (accepted, connected)
        else {
            panic!("they did not agree");
        };
        let asking = client.opener.open_channel("ws://other.example.org/more");
        let answering = async {
            let incoming = server.requests.next().await.expect("a channel is asked for");
            assert_eq!(incoming.request().headers().get("Cookie"), None);
            incoming.accept().await
        };
        let driving = try_join(server.driver.run(), client.driver.run());
        match select(Box::pin(driving), Box::pin(try_join(asking, answering))).await {
            Either::Left(_) => panic!("the connection ended"),
            Either::Right((opened, _)) => drop(opened.expect("both are willing")),
        }
    });
}
