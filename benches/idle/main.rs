//! Memory of an idle connection under tokio: bytes allocated per connection, server side only.
//!
//! The clients live in a second process (this program again), so that only the server's
//! allocations are counted, all of them: task, connection, timer, the runtime's registration.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering},
};
use std::{
    alloc::System,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};

use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use tokio::{io::AsyncReadExt, net::TcpListener};

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    // `--test` only wants to know that the answers are right. Each connection takes a descriptor
    // in either process.
    let test = std::env::args().any(|argument| argument == "--test");
    let connections = descriptors().saturating_sub(100).min(if test { 200 } else { 10_000 });
    if let Ok(address) = std::env::var("HYBI_BENCH_CLIENTS") {
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

/// How many files a process may have open.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(1024)
}

async fn measure(name: &str, kind: Kind, connections: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(std::env::args().skip(1))
        .env("HYBI_BENCH_CLIENTS", &address)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second process");
    let mut commands = child.stdin.take().expect("its input");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let (sender, mut replies) = tokio::sync::mpsc::channel(1);
    // The replies are waited for on another thread while this one serves.
    std::thread::spawn(move || {
        output.lines().map_while(Result::ok).all(|line| sender.blocking_send(line).is_ok())
    });
    tokio::task::yield_now().await;
    let before = ALLOCATED.load(Ordering::Relaxed);
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
        writeln!(commands, "{step}").expect("the second process");
        assert_eq!(replies.recv().await.as_deref(), Some("done"));
        let bytes = ALLOCATED.load(Ordering::Relaxed).saturating_sub(before);
        println!("  {name:10} after {step:12} {:>6} B a connection", bytes / connections);
    }
    child.kill().expect("the second process");
    child.wait().expect("its end");
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
    let mut streams: Vec<TcpStream> = (0..connections)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("the server");
            let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                Sec-WebSocket-Version: 13\r\n\r\n";
            stream.write_all(request.as_bytes()).expect("the server");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("an answer");
                head.extend(byte);
            }
            stream
        })
        .collect();
    let payload = vec![7; 64 * 1024];
    let mut message = Vec::new();
    let key = MaskingKey::from_bytes([1, 2, 3, 4]);
    encode_frame(&mut message, true, Rsv::NONE, Opcode::Binary, &payload, Some(key));
    let mut answer = vec![0; message.len() - 4];
    for line in std::io::stdin().lines() {
        if line.expect("a command") != "opening" {
            for stream in &mut streams {
                stream.write_all(&message).expect("the server");
                stream.read_exact(&mut answer).expect("an echo");
                assert!(answer.ends_with(&payload), "an echo that differs");
            }
        }
        println!("done");
    }
}
