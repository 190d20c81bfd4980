//! Memory of an idle connection under tokio: bytes allocated per connection, server side only.
//!
//! The clients live in a second process, so that only the server's allocations are counted, all
//! of them: task, connection, timer, the runtime's registration.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use hybi_benches::{
    allocated::Counting,
    by_hand,
    second_process::{SecondProcess, obey, server_address},
};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use tokio::{io::AsyncReadExt, net::TcpListener};

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

fn main() {
    // `--test` only wants to know that the answers are right. Each connection takes a descriptor
    // in either process.
    let test = std::env::args().any(|argument| argument == "--test");
    let connections = by_hand::connections(if test { 200 } else { 10_000 });
    if let Some(address) = server_address() {
        return clients(&address, connections);
    }
    println!("memory of an idle connection, {connections} open, server side");
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    for (name, kind) in [("bare TCP", Kind::Raw), ("WebSocket", Kind::WebSocket)] {
        runtime().expect("a runtime").block_on(measure(name, kind, connections));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A task that waits for one byte: what tokio needs whatever is on top.
    Raw,
    WebSocket,
}

async fn measure(name: &str, kind: Kind, connections: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let mut clients = SecondProcess::start(&address);
    tokio::task::yield_now().await;
    let before = ALLOCATOR.now();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await.expect("a client");
        match kind {
            Kind::Raw => drop(tokio::spawn(answer_raw(stream))),
            Kind::WebSocket => drop(tokio::spawn(echo(stream))),
        }
    }
    let steps: &[&str] = match kind {
        Kind::Raw => &["opening"],
        Kind::WebSocket => &["opening", "1 x 64 KiB"],
    };
    for step in steps {
        assert_eq!(clients.ask(step).await, "done");
        let bytes = ALLOCATOR.now().saturating_sub(before);
        println!("  {name:10} after {step:12} {:>6} B a connection", bytes / connections);
    }
}

async fn echo(stream: tokio::net::TcpStream) -> Result<(), hybi_tokio::Error> {
    let mut ws = hybi_tokio::accept(stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

/// Answers the opening handshake and then only waits.
async fn answer_raw(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    stream.writable().await?;
    stream.try_write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
    while stream.read_u8().await.is_ok() {}
    Ok(())
}

/// The second process: opens the connections, then does as it is told.
fn clients(address: &str, connections: usize) {
    let mut streams: Vec<TcpStream> =
        (0..connections).map(|_| by_hand::open(address, "").0).collect();
    let payload = vec![7; 64 * 1024];
    let mut message = Vec::new();
    let key = MaskingKey::from_bytes([1, 2, 3, 4]);
    encode_frame(&mut message, true, Rsv::NONE, Opcode::Binary, &payload, Some(key));
    let mut answer = vec![0; message.len() - 4];
    obey(|command| {
        if command != "opening" {
            for stream in &mut streams {
                stream.write_all(&message).expect("the server");
                stream.read_exact(&mut answer).expect("an echo");
                assert!(answer.ends_with(&payload), "an echo that differs");
            }
        }
        "done".into()
    });
}
