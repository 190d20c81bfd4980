//! The opening handshake, permessage-deflate agreed on, beside a bare exchange of as many bytes on
//! TCP: processor time of the server's thread for each connection, from accepting it to its end, as
//! a ratio.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use core::net::SocketAddr;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc,
    thread,
};

use hybi_benches::{ThreadClock, median};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::Builder,
};

/// What a browser sends, without its cookies.
const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n\
    Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) \
    AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\n\
    Origin: http://127.0.0.1\r\nSec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    let (rounds, connections) = if test { (1, 10) } else { (11, 1000) };
    let servers = [start_server(false), start_server(true)];
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for ((address, clock), costs) in servers.iter().zip(&mut costs) {
            let before = clock.nanoseconds();
            (0..connections).for_each(|_| connect(*address));
            costs.push((clock.nanoseconds() - before) / f64::from(connections));
        }
    }
    let [raw, ours] = costs.map(median);
    println!("opening handshake, server CPU a connection, medians of {rounds} rounds");
    println!("  bare TCP  {raw:>7.0} ns");
    println!("  WebSocket {ours:>7.0} ns, {:.2} of bare TCP", ours / raw);
}

fn connect(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).expect("a server");
    stream.write_all(REQUEST.as_bytes()).expect("a server that reads");
    let mut answer = vec![0; ANSWER.len()];
    stream.read_exact(&mut answer).expect("an answer");
    assert!(answer.eq_ignore_ascii_case(ANSWER.as_bytes()), "another answer");
}

fn start_server(websocket: bool) -> (SocketAddr, ThreadClock) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            sender.send((address, ThreadClock::of_this_thread())).expect("a receiver");
            while let Ok((stream, _)) = listener.accept().await {
                if websocket {
                    tokio::spawn(serve(stream));
                } else {
                    tokio::spawn(serve_raw(stream));
                }
            }
        });
    });
    receiver.recv().expect("a server")
}

async fn serve(stream: tokio::net::TcpStream) -> Result<(), hybi_tokio::Error> {
    let mut ws = hybi_tokio::accept(stream).await?;
    while ws.recv().await?.is_some() {}
    Ok(())
}

async fn serve_raw(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 1024];
    stream.read_exact(&mut buffer[..REQUEST.len()]).await?;
    stream.write_all(ANSWER.as_bytes()).await?;
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
