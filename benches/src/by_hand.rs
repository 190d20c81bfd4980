//! The opening handshake by hand, for either end, and how many connections a process may have.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A client's opening handshake; `fields` are lines of its request, each with its line ending.
/// Returns the response head, too.
///
/// # Panics
///
/// When the server does not answer.
#[must_use]
pub fn open(server_address: &str, fields: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server_address).expect("the server");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the server");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }
    (stream, String::from_utf8(head).expect("a head"))
}

/// A server's opening handshake with [`open`], for implementations that leave it to others.
///
/// # Errors
///
/// The transport's.
pub async fn accept(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    fields: &str,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{fields}\r\n"
    );
    stream.write_all(answer.as_bytes()).await
}

/// How many connections this process may have open, as far as files go; at most `wanted`.
#[must_use]
pub fn connections(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    soft.unwrap_or(1024).saturating_sub(100).min(wanted)
}
