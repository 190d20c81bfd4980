//! What a client waits for an answer that its server sends in three parts: with Nagle's algorithm, the
//! second waits for the client to acknowledge the first, which it puts off for some 40 ms.

use core::net::SocketAddr;
use std::{
    io::{Read, Write},
    net::TcpStream as Client,
    sync::mpsc,
    thread,
    time::Instant,
};

use hybi_benches::{by_hand, median};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::servers::Ended;

pub(crate) const SHAPE: &str = "1 connection x 20 B, three sends per answer";

#[derive(Clone, Copy)]
enum Server {
    Raw,
    Hybi,
}

/// Whether the program itself sets TCP_NODELAY on the stream that it accepts.
const ROWS: [(Server, bool, &str); 4] = [
    (Server::Raw, false, "raw TCP as accepted"),
    (Server::Raw, true, "raw TCP with TCP_NODELAY"),
    (Server::Hybi, false, "hybi given the stream as it is"),
    (Server::Hybi, true, "hybi given it with TCP_NODELAY"),
];

pub(crate) fn run(test: bool) {
    println!("{SHAPE}");
    for (server, nodelay, name) in ROWS {
        let waits = exchanges(server, start(server, nodelay), if test { 1 } else { 25 });
        println!("  {name:31} {:>9.0} us until all of it is there", median(waits));
    }
}

fn start(server: Server, nodelay: bool) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            sender.send(listener.local_addr().expect("its address")).expect("a receiver");
            let (stream, _) = listener.accept().await.expect("a client");
            if nodelay {
                stream.set_nodelay(true).expect("an option of TCP");
            }
            // The client leaves in the middle.
            let _ = match server {
                Server::Raw => answer_raw(stream).await,
                Server::Hybi => answer(stream).await,
            };
        });
    });
    receiver.recv().expect("a server")
}

async fn answer_raw(mut stream: TcpStream) -> Ended {
    let mut request = vec![0; frame(true).len()];
    while stream.read_exact(&mut request).await.is_ok() {
        for _ in 0..3 {
            stream.write_all(&request).await?;
        }
    }
    Ok(())
}

async fn answer(stream: TcpStream) -> Ended {
    let mut ws = hybi_tokio::accept(stream).await?;
    while let Some(message) = ws.recv().await? {
        for _ in 0..3 {
            ws.send(message.clone()).await?;
        }
    }
    Ok(())
}

/// Microseconds of each exchange.
fn exchanges(server: Server, address: SocketAddr, count: usize) -> Vec<f64> {
    let (mut stream, part) = match server {
        Server::Raw => (Client::connect(address).expect("the server"), frame(true)),
        Server::Hybi => (by_hand::open(&address.to_string(), "").0, frame(false)),
    };
    let request = frame(true);
    let mut answer = vec![0; 3 * part.len()];
    let exchange = |_| {
        let start = Instant::now();
        stream.write_all(&request).expect("a server that reads");
        stream.read_exact(&mut answer).expect("a server that answers");
        assert!(answer == part.repeat(3), "an answer that differs from what was sent");
        start.elapsed().as_nanos() as f64 / 1000.0
    };
    (0..count).map(exchange).collect()
}

fn frame(masked: bool) -> Vec<u8> {
    let key = masked.then(|| MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
    let mut bytes = Vec::new();
    encode_frame(&mut bytes, true, Rsv::NONE, Opcode::Binary, &[b'a'; 20], key);
    bytes
}
