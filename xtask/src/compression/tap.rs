//! A tap between two endpoints on the loopback address: passes every byte on and keeps it, so
//! that what was agreed and what it cost are read off the wire and not taken from an endpoint.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

/// A listening tap. Its threads end with their connections, or with the program.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) address: SocketAddr,
    connections: Receiver<Result<Connection, String>>,
}

/// What went through an ended connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// The heads of the opening handshake.
    pub(super) request: String,
    pub(super) response: String,
    /// What came after them.
    pub(super) from_client: Vec<u8>,
    pub(super) from_server: Vec<u8>,
}

impl Tap {
    /// Begins to pass connections on to the server at `url`.
    pub(super) fn start(url: &str) -> Result<Self, String> {
        let server = url.strip_prefix("ws://").and_then(|address| address.parse().ok());
        let server: SocketAddr = server.ok_or_else(|| format!("no address: {url}"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(|error| format!("no port for a tap: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (sender, connections) = mpsc::channel();
        thread::spawn(move || {
            for client in listener.incoming() {
                let sender = sender.clone();
                thread::spawn(move || {
                    let passed = client.and_then(|client| pass(client, server));
                    // Nobody waits for what comes after the last check.
                    let _ = sender.send(passed.map_err(|error| format!("tap: {error}")));
                });
            }
        });
        Ok(Self { address, connections })
    }

    /// The address as a server prints its own.
    pub(super) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The next connection that became a WebSocket and ended.
    pub(super) fn next(&self, within: Duration) -> Result<Connection, String> {
        loop {
            let ended = self.connections.recv_timeout(within);
            let connection = ended.map_err(|_| "no connection ended in time".to_owned())??;
            if connection.response.starts_with("HTTP/1.1 101 ") {
                return Ok(connection);
            }
        }
    }
}

impl Connection {
    fn new(from_client: Vec<u8>, from_server: Vec<u8>) -> Self {
        let (request, from_client) = split_head(from_client);
        let (response, from_server) = split_head(from_server);
        Self { request, response, from_client, from_server }
    }

    /// What the server agreed to; empty if nothing.
    pub(super) fn agreed(&self) -> &str {
        field(&self.response, "sec-websocket-extensions")
    }

    /// What the client offered.
    pub(super) fn offered(&self) -> &str {
        field(&self.request, "sec-websocket-extensions")
    }
}

fn split_head(mut bytes: Vec<u8>) -> (String, Vec<u8>) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let rest = bytes.split_off(end.map_or(bytes.len(), |end| end + 4));
    (String::from_utf8_lossy(&bytes).into_owned(), rest)
}

/// The first field of this name.
fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    values.next().map_or("", |(_, value)| value.trim())
}

fn pass(client: TcpStream, server: SocketAddr) -> std::io::Result<Connection> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let up = pump(client.try_clone()?, server.try_clone()?);
    let down = pump(server, client);
    let lost = |_| std::io::Error::other("a thread of the tap ended early");
    Ok(Connection::new(up.join().map_err(lost)?, down.join().map_err(lost)?))
}

/// Passes on until the end of what comes in, or until it cannot be passed on any more: an end that
/// one of them meant for the other is theirs to see and to judge.
fn pump(mut from: TcpStream, mut to: TcpStream) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut passed = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            passed.extend_from_slice(&buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                let _ = from.shutdown(Shutdown::Read);
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
        passed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_what_follows_are_told_apart() {
        let request = b"GET / HTTP/1.1\r\nSec-WebSocket-Extensions: a; b\r\n\r\n\x81\x00";
        let response = b"HTTP/1.1 101 Yes\r\nsec-websocket-extensions:a\r\n\r\n";
        let connection = Connection::new(request.to_vec(), response.to_vec());
        assert_eq!(connection.offered(), "a; b");
        assert_eq!(connection.agreed(), "a");
        assert_eq!((&*connection.from_client, &*connection.from_server), (&[0x81, 0][..], &[][..]));
    }

    #[test]
    fn bytes_go_both_ways_and_are_kept() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let tap = Tap::start(&format!("ws://{}", server.local_addr().expect("bound")));
        let tap = tap.expect("a port");
        let mut client = TcpStream::connect(tap.address).expect("listens");
        let (mut server, _) = server.accept().expect("connected");
        server.write_all(b"HTTP/1.1 101 Yes\r\n\r\nto the client").expect("passed on");
        client.write_all(b"GET / HTTP/1.1\r\n\r\nto the server").expect("passed on");
        client.shutdown(Shutdown::Write).expect("open");
        let mut got = String::new();
        server.read_to_string(&mut got).expect("an end");
        assert!(got.ends_with("to the server"));
        drop(server);
        let connection = tap.next(Duration::from_secs(20)).expect("ended");
        assert_eq!(connection.from_client, b"to the server");
        assert_eq!(connection.from_server, b"to the client");
    }
}
