//! Memory of an idle connection under tokio, server side only: what is allocated and what is resident,
//! block by block, and what the largest of them is made of.
//!
//! `cargo bench -p hybi-benches --bench idle -- 50000` opens more than 10,000, as far as `ulimit -n` goes.
//!
//! The clients live in a second process, so that only the server's allocations are counted, all
//! of them: task, connection, timer, the runtime's registration.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod sizes;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use hybi_benches::{
    allocated::{Counting, resident},
    by_hand,
    second_process::{SecondProcess, obey, part_of, server_address},
};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use tokio::{io::AsyncReadExt, net::TcpListener};

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

fn main() {
    // `--test` only wants to know that the answers are right. Each connection takes a descriptor
    // in either process.
    let test = std::env::args().any(|argument| argument == "--test");
    let asked = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let connections = by_hand::connections(if test { 200 } else { asked });
    if let Some(address) = server_address() {
        return clients(&address, connections);
    }
    let title = "memory of an idle connection, server side; bytes a connection";
    let Some(part) = part_of(KINDS.len(), title) else { return sizes::print() };
    let (name, kind) = KINDS[part];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(measure(name, kind, connections));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A task that waits for one byte: what tokio needs whatever is on top.
    Raw,
    WebSocket,
}

/// How many connections one address may have, as far as ports of clients go.
const PORTS: usize = 20_000;

const KINDS: [(&str, Kind); 2] = [("bare TCP", Kind::Raw), ("WebSocket", Kind::WebSocket)];

async fn measure(name: &str, kind: Kind, connections: usize) {
    let mut listeners = Vec::new();
    for host in 1..=connections.div_ceil(PORTS) {
        listeners.push(TcpListener::bind(format!("127.0.0.{host}:0")).await.expect("a port"));
    }
    let address = |listener: &TcpListener| listener.local_addr().expect("its address").to_string();
    let addresses: Vec<_> = listeners.iter().map(address).collect();
    let mut clients = SecondProcess::start(&addresses.join(" "));
    tokio::task::yield_now().await;
    let (before, blocks_before) = ((ALLOCATOR.now(), resident()), ALLOCATOR.blocks());
    for at in 0..connections {
        let (stream, _) = listeners[at % listeners.len()].accept().await.expect("a client");
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
        let each = |now: usize, before: usize| now.saturating_sub(before) / connections;
        println!(
            "  {name:10} {connections:>5} open, after {step:12} {:>5} allocated | {:>5} resident",
            each(ALLOCATOR.now(), before.0),
            each(resident(), before.1),
        );
    }
    print_blocks(&blocks_before, &ALLOCATOR.blocks(), connections);
}

/// The blocks that there is one of for most connections, and what the system's allocator makes of
/// all blocks up to a page: glibc's takes a word more, sixteen bytes at a time, and 32 at least.
/// What is resident beyond that is what it loses to the alignment of tokio's two blocks, task and
/// registration, to 128 bytes: a program that does nothing but allocate such blocks has it, too.
fn print_blocks(before: &[usize], now: &[usize], connections: usize) {
    print!("    blocks:");
    let mut taken = 0;
    for (size, (now, before)) in now.iter().zip(before).enumerate().skip(1) {
        let more = now.saturating_sub(*before);
        taken += more * (size + 8).next_multiple_of(16).max(32);
        if more * 2 > connections {
            print!(" {:.2} of {size} B,", more as f64 / connections as f64);
        }
    }
    println!(" which take {} with what the allocator adds", taken / connections);
}

pub(crate) async fn echo(stream: tokio::net::TcpStream) -> Result<(), hybi_tokio::Error> {
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
fn clients(addresses: &str, connections: usize) {
    let addresses = addresses.split(' ').cycle().take(connections);
    let mut streams: Vec<TcpStream> =
        addresses.map(|address| by_hand::open(address, "").0).collect();
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
