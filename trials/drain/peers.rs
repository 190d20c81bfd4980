//! The peers: some answer, of which half are busy, and some are silent.

use core::{net::SocketAddr, time::Duration};
use std::time::Instant;

use hybi_tokio::{Client, CloseCode, WebSocket};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

/// A busy peer sends as often.
const BUSY: Duration = Duration::from_millis(100);

/// All of them.
pub(crate) struct Peers {
    honest: Vec<JoinHandle<Seen>>,
    silent: Vec<TcpStream>,
}

/// What an honest peer saw of the end.
pub(crate) struct Seen {
    /// As which it connected, silent ones included.
    pub(crate) number: usize,
    pub(crate) when: Instant,
    /// Why that was not an end in order.
    pub(crate) error: Option<String>,
}

impl Peers {
    /// Connects one after the other; the silent ones are spread evenly.
    pub(crate) async fn connect(address: SocketAddr, honest: usize, silent: usize) -> Self {
        let mut peers = Self { honest: Vec::new(), silent: Vec::new() };
        let client = Client::default();
        let uri = format!("ws://{address}/");
        let every = (honest + silent) / silent;
        for number in 0..honest + silent {
            if number % every == every - 1 && peers.silent.len() < silent {
                peers.silent.push(connect_by_hand(address).await);
                continue;
            }
            let connected = hybi_tokio::connect_with(&client, &uri).await;
            let (ws, _response) = connected.expect("there is room");
            let is_busy = peers.honest.len().is_multiple_of(2);
            peers.honest.push(tokio::spawn(until_the_end(ws, number, is_busy)));
        }
        peers
    }

    /// What the honest ones saw, in the order in which they connected.
    pub(crate) async fn seen(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for honest in self.honest.drain(..) {
            seen.push(honest.await.expect("no panic"));
        }
        seen
    }

    /// The addresses of the silent ones.
    pub(crate) fn silent(&self) -> Vec<SocketAddr> {
        self.silent.iter().map(|stream| stream.local_addr().expect("TCP")).collect()
    }
}

async fn until_the_end(mut ws: WebSocket, number: usize, is_busy: bool) -> Seen {
    let mut ticks = interval(BUSY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        tokio::select! {
            received = ws.recv() => match received {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            },
            // A message that comes too late is not taken, which is no fault.
            _ = ticks.tick(), if is_busy => drop(ws.send("are you there?").await),
        }
    };
    let when = Instant::now();
    let status = ws.close_status();
    let in_order = status
        .as_ref()
        .is_some_and(|status| status.is_clean() && status.code() == CloseCode::SERVICE_RESTART);
    let error = ended.or_else(|| (!in_order).then(|| format!("{status:?}")));
    Seen { number, when, error }
}

async fn connect_by_hand(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("there is room");
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("it is read");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}
