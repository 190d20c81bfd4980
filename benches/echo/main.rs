//! Echo over loopback beside a bare TCP echo of the same shape: messages per second, as a ratio.
//!
//! The server has one thread and the clients another; the processor time of the server's thread
//! is shown, too, where the system tells it. A client keeps a fixed number of messages
//! in flight; each echo is checked. Rounds alternate between the servers, and medians are shown.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use core::{net::SocketAddr, time::Duration};
use std::{sync::mpsc, thread, time::Instant};

use hybi_benches::{ThreadClock, median};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
};

/// One row of the table: connections, bytes a message, messages in flight on each connection.
const SHAPES: [(usize, usize, usize); 4] =
    [(64, 20, 16), (64, 1024, 16), (64, 16 * 1024, 16), (64, 20, 1)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Raw,
    Recv,
    RecvRef,
}

const KINDS: [(Kind, &str); 3] =
    [(Kind::Raw, "raw TCP"), (Kind::Recv, "recv + feed"), (Kind::RecvRef, "recv_ref + feed")];

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    let (rounds, time) =
        if test { (1, Duration::from_millis(20)) } else { (7, Duration::from_millis(500)) };
    let servers = KINDS.map(|(kind, _)| start_server(kind));
    let clients = runtime();
    println!("echo over loopback; messages per second, medians of {rounds} rounds");
    for (connections, len, in_flight) in SHAPES {
        let mut rates = KINDS.map(|_| Vec::new());
        let mut costs = KINDS.map(|_| Vec::new());
        for _ in 0..rounds {
            for (at, (kind, _)) in KINDS.into_iter().enumerate() {
                let load = Load::new(kind, len, in_flight);
                let before = servers[at].clock.nanoseconds();
                let rate = clients.block_on(run(servers[at].address, connections, load, time));
                let spent = servers[at].clock.nanoseconds() - before;
                rates[at].push(rate);
                costs[at].push(spent / (rate * time.as_secs_f64()));
            }
        }
        println!("{connections} connections x {len} B, {in_flight} in flight");
        let (rates, costs) = (rates.map(median), costs.map(median));
        for ((rate, cost), (_, name)) in rates.iter().zip(&costs).zip(KINDS) {
            println!(
                "  {name:16} {rate:>8.0}/s {:.2} of raw   {cost:>6.0} ns of CPU, {:.2} of raw",
                rate / rates[0],
                cost / costs[0],
            );
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

struct Server {
    address: SocketAddr,
    clock: ThreadClock,
}

fn start_server(kind: Kind) -> Server {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            let clock = ThreadClock::of_this_thread();
            sender.send(Server { address, clock }).expect("a receiver");
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("an option of TCP");
                tokio::spawn(async move {
                    match kind {
                        Kind::Raw => echo_raw(stream).await.expect("a client that closes"),
                        Kind::Recv => drop(echo(stream).await),
                        Kind::RecvRef => drop(echo_ref(stream).await),
                    }
                });
            }
        });
    });
    receiver.recv().expect("a server")
}

async fn echo_raw(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len]).await?;
    }
}

async fn echo(stream: TcpStream) -> Result<(), hybi_tokio::Error> {
    let mut ws = hybi_tokio::accept(stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

async fn echo_ref(stream: TcpStream) -> Result<(), hybi_tokio::Error> {
    let mut ws = hybi_tokio::accept(stream).await?;
    while let Some(message) = ws.recv_ref().await? {
        let message = message.to_owned();
        ws.feed(message).await?;
    }
    Ok(())
}

/// What a client writes at once, and what it must read in answer.
#[derive(Clone)]
struct Load {
    websocket: bool,
    in_flight: usize,
    batch: Vec<u8>,
    answer: Vec<u8>,
}

impl Load {
    fn new(kind: Kind, len: usize, in_flight: usize) -> Self {
        let payload: Vec<u8> = (0..len).map(|at| b'a' + (at % 26) as u8).collect();
        let frames = |key| {
            let mut bytes = Vec::new();
            for _ in 0..in_flight {
                encode_frame(&mut bytes, true, Rsv::NONE, Opcode::Binary, &payload, key);
            }
            bytes
        };
        let batch = frames(Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d])));
        match kind {
            Kind::Raw => Self { websocket: false, in_flight, answer: batch.clone(), batch },
            _ => Self { websocket: true, in_flight, answer: frames(None), batch },
        }
    }
}

async fn run(address: SocketAddr, connections: usize, load: Load, time: Duration) -> f64 {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(address, load.clone(), time));
    }
    clients.join_all().await.into_iter().sum()
}

/// Messages per second of one client.
async fn client(address: SocketAddr, load: Load, time: Duration) -> f64 {
    let mut stream = TcpStream::connect(address).await.expect("a server");
    stream.set_nodelay(true).expect("an option of TCP");
    if load.websocket {
        let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Version: 13\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("a server");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
    }
    let mut answer = vec![0; load.answer.len()];
    let mut messages = 0;
    let start = Instant::now();
    while start.elapsed() < time {
        let (mut reader, mut writer) = stream.split();
        let (written, read) =
            tokio::join!(writer.write_all(&load.batch), reader.read_exact(&mut answer));
        written.expect("a server that reads");
        read.expect("a server that answers");
        assert!(answer == load.answer, "an answer that differs from what was sent");
        messages += load.in_flight;
    }
    messages as f64 / start.elapsed().as_secs_f64()
}
