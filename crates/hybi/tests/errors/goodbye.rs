//! A peer that leaves TLS without a close_notify, which a stream reports as `UnexpectedEof`, is as one
//! that ends TCP: in each phase, role and adapter trait (RFC 6455 sections 4.1 and 7.1).

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, ErrorKind};

use futures_io::{AsyncRead, AsyncWrite};
use hybi::{
    Client, CloseCode, Config, Connection, Error, HandshakeError, Message, Negotiated, Role,
    Server, Version, WebSocket,
    io::{FuturesIo, Timer},
    opening::{connect_on, incoming_on},
};

use crate::support::{clock::Clock, tasks::run};

/// A TLS stream: what the peer had sent before it left, and how that is noticed when reading and
/// writing.
#[derive(Debug)]
struct Left {
    input: Vec<u8>,
    end: Result<(), ErrorKind>,
    write: Result<(), ErrorKind>,
}

impl Left {
    fn without_goodbye(input: &[u8]) -> FuturesIo<Self> {
        Self { input: input.to_vec(), end: Err(ErrorKind::UnexpectedEof), write: Ok(()) }.into()
    }
}

impl From<Left> for FuturesIo<Left> {
    fn from(left: Left) -> Self {
        Self::new(left)
    }
}

impl AsyncRead for Left {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.input.is_empty() {
            return Poll::Ready(self.end.map(|()| 0).map_err(io::Error::from));
        }
        let len = self.input.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.input[..len]);
        self.input.drain(..len);
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Left {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write.map(|()| bytes.len()).map_err(io::Error::from))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.write.map_err(io::Error::from))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.write.map_err(io::Error::from))
    }
}

fn open(role: Role, version: Version, left: Left) -> WebSocket<FuturesIo<Left>, impl Timer> {
    let mut negotiated = Negotiated::default();
    negotiated.version = version;
    let connection = Connection::new(role, negotiated, Config::default().into());
    WebSocket::new(connection, left.into(), Clock::new().timer())
}

/// A frame of the peer of `role` with a mask of zeros.
fn frame(role: Role, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u8;
    let head: &[u8] = match role {
        Role::Client => &[0x80 | opcode, len],
        Role::Server => &[0x80 | opcode, 0x80 | len, 0, 0, 0, 0],
    };
    [head, payload].concat()
}

#[test]
fn while_opening_it_is_the_end_of_the_handshake() {
    let cut = b"HTTP/1.1 101 Switching";
    let timer = Clock::new().timer();
    let deadline =
        timer.now() + Config::default().handshake_deadline(timer.now()).duration_since(timer.now());
    let (client, uri) = (Client::default(), "wss://example.org/");
    let opened = connect_on(&client, uri, Left::without_goodbye(cut), timer, deadline);
    let error = run(opened, || {}).map(|_| ()).expect_err("half a response");
    let received = cut.len();
    assert!(
        matches!(error.handshake(), Some(HandshakeError::UnexpectedEof { received: at }) if *at == received),
        "{error}"
    );

    let cut = b"GET / HTTP/1.1\r\nHost";
    let timer = Clock::new().timer();
    let server = Server::default();
    let opened = incoming_on(&server, Left::without_goodbye(cut), timer, deadline);
    let error = run(opened, || {}).map(|_| ()).expect_err("half a request");
    let received = cut.len();
    assert!(
        matches!(error.handshake(), Some(HandshakeError::UnexpectedEof { received: at }) if *at == received),
        "{error}"
    );
}

#[test]
fn an_open_connection_is_lost() {
    for role in [Role::Client, Role::Server] {
        for input in [vec![], frame(role, 1, b"hi"), frame(role, 1, b"cut off")[..4].to_vec()] {
            let whole = input.ends_with(b"hi");
            let end = Err(ErrorKind::UnexpectedEof);
            let mut ws = open(role, Version::RFC6455, Left { input, end, write: Ok(()) });
            run(
                async {
                    if whole {
                        assert_eq!(ws.recv().await.expect("a message"), Some(Message::from("hi")));
                    }
                    for _ in 0..2 {
                        let error = ws.recv().await.expect_err("no Close frame came");
                        assert!(matches!(error, Error::Lost), "{role:?}: {error}");
                    }
                    let status = ws.close_status().expect("it is over");
                    assert_eq!((status.code(), status.is_clean()), (CloseCode::ABNORMAL, false));
                },
                || {},
            );
        }
    }
}

#[test]
fn a_closing_handshake_without_an_answer_is_lost() {
    for role in [Role::Client, Role::Server] {
        let left = Left { input: vec![], end: Err(ErrorKind::UnexpectedEof), write: Ok(()) };
        let mut ws = open(role, Version::RFC6455, left);
        run(
            async {
                let status = ws.close(CloseCode::NORMAL, "").await.expect("no error");
                assert_eq!((status.code(), status.is_clean()), (CloseCode::ABNORMAL, false));
                let error = ws.recv().await.expect_err("no Close frame came");
                assert!(matches!(error, Error::Lost), "{role:?}: {error}");
            },
            || {},
        );
    }
}

/// Whatever the transport does behind the peer's Close frame.
#[test]
fn behind_the_peers_close_no_end_is_an_error() {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ends = [Ok(()), Err(UnexpectedEof), Err(ConnectionReset), Err(ConnectionAborted)];
    let writes = [Ok(()), Err(BrokenPipe), Err(ConnectionReset), Err(ConnectionAborted)];
    for role in [Role::Client, Role::Server] {
        for version in [Version::RFC6455, Version::HYBI_08] {
            for (end, write) in ends.iter().flat_map(|end| writes.map(|write| (*end, write))) {
                let input = frame(role, 8, b"\x03\xe9bye");
                let mut ws = open(role, version, Left { input, end, write });
                run(
                    async {
                        let over = ws.recv().await;
                        assert!(matches!(over, Ok(None)), "{role:?} {end:?} {write:?}: {over:?}");
                        let status = ws.close_status().expect("it is over");
                        assert_eq!((status.code().as_u16(), status.reason()), (1001, "bye"));
                        assert_eq!(status.is_clean(), write.is_ok(), "whether our answer left");
                    },
                    || {},
                );
            }
        }
    }
}
