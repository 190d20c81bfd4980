//! The two ways to have many conversations with one peer.

use core::net::SocketAddr;
use std::{sync::mpsc, thread};

use futures_util::future::join_all;
use hybi::{
    WebSocket,
    io::{Timer, Transport},
    mux::{self, Accepted, Channel, Config, Connected},
};
use hybi_benches::ThreadClock;
use hybi_tokio::{Client, Connector, Error, Server, TokioIo, TokioTimer};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// A connection for each conversation, or one for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Connections,
    Channels,
}

/// Who talks, and how much at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) talking: usize,
    pub(crate) depth: usize,
}

/// Both ends, each with a thread: the server's is one of its own, the client's that which asks.
pub(crate) struct Running {
    runtime: Runtime,
    clients: Clients,
    server: ThreadClock,
}

enum Clients {
    Connections(Vec<WebSocket<TokioIo<hybi_tokio::Stream>, TokioTimer>>),
    Channels(Vec<WebSocket<Channel, TokioTimer>>),
}

impl Running {
    pub(crate) fn new(way: Way, crowd: usize) -> Self {
        let (address, server) = serve(crowd);
        let runtime = runtime();
        let clients = runtime.block_on(connect(way, address, crowd));
        Self { runtime, clients, server }
    }

    /// Has so many messages of this size echoed; gives what one took, in nanoseconds of both threads.
    pub(crate) fn echo(&mut self, load: Load, size: usize, messages: usize) -> f64 {
        let client = ThreadClock::of_this_thread();
        let now = || client.nanoseconds() + self.server.nanoseconds();
        let before = now();
        let each = messages / load.talking;
        match &mut self.clients {
            Clients::Connections(all) => {
                self.runtime.block_on(talk(&mut all[..load.talking], load.depth, size, each));
            }
            Clients::Channels(all) => {
                self.runtime.block_on(talk(&mut all[..load.talking], load.depth, size, each));
            }
        }
        (now() - before) / (each * load.talking) as f64
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A server on a thread of its own, which echoes.
pub(crate) fn serve(crowd: usize) -> (SocketAddr, ThreadClock) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            sender.send((address, ThreadClock::of_this_thread())).expect("somebody waits");
            let config = Config::default().max_channels(crowd as u32).openings_per_second(u32::MAX);
            loop {
                let (stream, _) = listener.accept().await.expect("a client");
                let config = config.clone();
                tokio::spawn(async move { accept(stream, &config).await });
            }
        });
    });
    receiver.recv().expect("the server starts")
}

async fn accept(stream: tokio::net::TcpStream, config: &Config) -> Result<(), Error> {
    let incoming = hybi_tokio::incoming(&Server::default(), stream).await?;
    match mux::accept(incoming, config, TokioTimer::default).await? {
        Accepted::Single(ws) => echo(ws).await,
        Accepted::Multiplexed(mux) => {
            let mut requests = mux.requests;
            tokio::spawn(mux.driver.run());
            tokio::spawn(echo(mux.first));
            while let Some(incoming) = requests.next().await {
                tokio::spawn(async move { echo(incoming.accept().await?).await });
            }
            Ok(())
        }
    }
}

async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

async fn connect(way: Way, address: SocketAddr, crowd: usize) -> Clients {
    let uri = format!("ws://{address}/");
    let client = Client::default();
    match way {
        Way::Connections => {
            let mut all = Vec::new();
            for _ in 0..crowd {
                let connected = Connector::new().connect(&client, &uri).await;
                all.push(connected.expect("a server").0);
            }
            Clients::Connections(all)
        }
        Way::Channels => Clients::Channels(channels(&client, &uri, crowd).await),
    }
}

/// So many channels of one connection.
pub(crate) async fn channels(
    client: &Client,
    uri: &str,
    crowd: usize,
) -> Vec<WebSocket<Channel, TokioTimer>> {
    let config = Config::default();
    let connected = mux::connect(Connector::new(), client, &config, uri).await;
    let Connected::Multiplexed(mux) = connected.expect("a server").0 else {
        panic!("it multiplexes");
    };
    tokio::spawn(mux.driver.run());
    let mut all = vec![mux.first];
    while all.len() < crowd {
        all.push(mux.opener.open_channel(uri).await.expect("there are slots").0);
    }
    all
}

async fn talk<T: Transport, C: Timer>(
    all: &mut [WebSocket<T, C>],
    depth: usize,
    size: usize,
    each: usize,
) {
    let payload = &vec![b'x'; size];
    join_all(all.iter_mut().map(|ws| async move {
        for _ in 0..each / depth {
            for _ in 0..depth {
                ws.feed(&payload[..]).await.expect("it is open");
            }
            for _ in 0..depth {
                let message = ws.recv().await.expect("it is open").expect("an echo");
                assert_eq!(message.len(), size);
            }
        }
    }))
    .await;
}
