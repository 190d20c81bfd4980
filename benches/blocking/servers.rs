//! The servers: each has one connection, on a thread of its own.

use core::net::SocketAddr;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use hybi_benches::ThreadClock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// What was read is written, whatever it is.
    Raw,
    Blocking,
    Tungstenite,
    Tokio,
}

/// The first is what all are held against.
pub(crate) const SERVERS: [(Server, &str); 4] = [
    (Server::Raw, "raw TCP of std"),
    (Server::Blocking, "hybi-blocking recv + feed"),
    (Server::Tungstenite, "tungstenite read + send"),
    (Server::Tokio, "hybi-tokio recv + feed"),
];

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    /// Of its thread.
    pub(crate) clock: ThreadClock,
}

impl Running {
    pub(crate) fn start(server: Server) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = listener.local_addr().expect("its address");
            let clock = ThreadClock::of_this_thread();
            sender.send(Self { server, address, clock }).expect("a receiver");
            let (stream, _) = listener.accept().expect("a client");
            stream.set_nodelay(true).expect("an option of TCP");
            // The client leaves in the middle.
            let _ = server.echo(stream);
        });
        receiver.recv().expect("a server")
    }
}

type Ended = Result<(), Box<dyn core::error::Error + Send + Sync>>;

impl Server {
    fn echo(self, stream: TcpStream) -> Ended {
        match self {
            Self::Raw => echo_raw(stream),
            Self::Blocking => {
                let server = hybi_blocking::Server::default();
                let mut ws = hybi_blocking::accept_with(&server, stream)?;
                while let Some(message) = ws.recv()? {
                    ws.feed(message)?;
                }
                Ok(())
            }
            Self::Tungstenite => {
                let mut stream = stream;
                accept_by_hand(&mut stream)?;
                let role = tungstenite::protocol::Role::Server;
                let mut ws = tungstenite::WebSocket::from_raw_socket(stream, role, None);
                loop {
                    let message = ws.read()?;
                    ws.send(message)?;
                }
            }
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    stream.set_nonblocking(true)?;
                    let stream = tokio::net::TcpStream::from_std(stream)?;
                    let server = hybi_tokio::Server::default();
                    let mut ws = hybi_tokio::accept_with(&server, stream).await?;
                    while let Some(message) = ws.recv().await? {
                        ws.feed(message).await?;
                    }
                    Ok(())
                })
            }
        }
    }
}

fn echo_raw(mut stream: TcpStream) -> Ended {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len])?;
    }
}

/// The handshake is not what is measured, and this is a feature that tungstenite would bring.
fn accept_by_hand(stream: &mut TcpStream) -> Ended {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    Ok(stream.write_all(answer.as_bytes())?)
}
