//! A peer made of bytes: frames of HTTP/2, lawful or not (RFC 9113 section 4), independent of the code under test.

use core::net::SocketAddr;
use std::io;

use hybi_testkit::wire::{self, Side, TEXT};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const STREAM_CLOSED: u32 = 5;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// Entries of SETTINGS.
pub(crate) const ENABLE_PUSH: u16 = 2;
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(crate) const MAX_FRAME_SIZE: u16 = 5;
pub(crate) const ENABLE_CONNECT_PROTOCOL: u16 = 8;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The code of `RST_STREAM`, or of `GOAWAY`.
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    pub(crate) fn is_end(&self) -> bool {
        self.flags & END_STREAM != 0
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// An entry of SETTINGS.
pub(crate) fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// Fields as literals without indexing, by HPACK.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.extend([0, name.len() as u8]);
        block.extend(name.as_bytes());
        block.push(value.len() as u8);
        block.extend(value.as_bytes());
    }
    block
}

/// The block of a request that opens a WebSocket.
pub(crate) fn connect_block() -> Vec<u8> {
    block(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "example.org"),
        ("sec-websocket-version", "13"),
    ])
}

pub(crate) fn connect_frame(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &connect_block())
}

/// The status of the first answer of a connection, of those that are looked for (RFC 7541 appendices A and B).
pub(crate) fn status(answer: &Frame) -> u16 {
    assert_eq!(answer.kind, HEADERS, "{answer:?}");
    match answer.payload[..] {
        [0x88, ..] => 200,
        [0x48, 0x83, 0x6c, 0x0c, 0xff, ..] => 503,
        ref block => panic!("a status that begins with {block:x?}"),
    }
}

/// A `WINDOW_UPDATE` of a stream, or of the connection.
pub(crate) fn window_update(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

/// `DATA` with so much padding behind it.
pub(crate) fn padded(flags: u8, stream: u32, payload: &[u8], padding: u8) -> Vec<u8> {
    let mut all = vec![padding];
    all.extend(payload);
    all.extend(vec![0; usize::from(padding)]);
    frame(DATA, PADDED | flags, stream, &all)
}

/// A connection, of which settings and pings are answered while it is read.
pub(crate) struct Raw<S = TcpStream>(S);

impl Raw {
    /// A client that has said its preface, with these settings.
    pub(crate) async fn client(address: SocketAddr, settings: &[u8]) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self(stream);
        raw.write(PREFACE).await;
        raw.write(&frame(SETTINGS, 0, 0, settings)).await;
        raw
    }

    /// The address that the server knows it by.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The same with an open WebSocket, on stream 1.
    pub(crate) async fn open(address: SocketAddr, settings: &[u8]) -> Self {
        let mut raw = Self::client(address, settings).await;
        raw.ask(1).await;
        raw
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// A server whose client has said its preface, with these settings.
    pub(crate) async fn server(mut stream: S, settings: &[u8]) -> Self {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        assert_eq!(preface, PREFACE);
        let mut raw = Self(stream);
        raw.write(&frame(SETTINGS, 0, 0, settings)).await;
        raw
    }

    /// A peer that has gone is known by what is read.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.try_write(bytes).await;
    }

    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    pub(crate) async fn data(&mut self, stream: u32, payload: &[u8]) {
        self.write(&frame(DATA, 0, stream, payload)).await;
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let read = self.read().await?;
        if read.flags & ACK == 0 {
            match read.kind {
                SETTINGS => self.write(&frame(SETTINGS, ACK, 0, &[])).await,
                PING => self.write(&frame(PING, ACK, 0, &read.payload)).await,
                _ => {}
            }
        }
        Some(read)
    }

    /// The same, and nothing is answered.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; len as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of this stream but for windows.
    pub(crate) async fn of(&mut self, stream: u32) -> Frame {
        loop {
            let next = self.next().await.expect("a frame");
            assert_ne!(next.kind, GOAWAY, "{next:?}");
            if next.stream == stream && next.kind != WINDOW_UPDATE {
                return next;
            }
        }
    }

    /// The bytes of this stream up to its end, which is to be `END_STREAM`.
    pub(crate) async fn rest(&mut self, stream: u32) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let next = self.of(stream).await;
            assert_eq!(next.kind, DATA, "{next:?}");
            all.extend_from_slice(&next.payload);
            if next.is_end() {
                return all;
            }
        }
    }

    /// Gives away each frame that comes by the time that a ping is answered.
    async fn each_until_pong(&mut self, mut take: impl FnMut(Frame)) {
        self.write(&frame(PING, 0, 0, b"are you?")).await;
        loop {
            let next = self.next().await.expect("a pong");
            if next.kind == PING && next.payload == b"are you?" {
                return;
            }
            take(next);
        }
    }

    /// What has come of this stream by the time that a ping is answered.
    pub(crate) async fn until_pong(&mut self, stream: u32) -> Vec<Frame> {
        let mut all = Vec::new();
        self.each_until_pong(|next| {
            if next.stream == stream && next.kind != WINDOW_UPDATE {
                all.push(next);
            }
        })
        .await;
        all
    }

    /// The kinds of all frames that come by the time that a ping is answered.
    pub(crate) async fn kinds_until_pong(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.each_until_pong(|next| all.push(next.kind)).await;
        all
    }

    /// Opens one more WebSocket on this stream.
    pub(crate) async fn ask(&mut self, stream: u32) {
        self.write(&connect_frame(stream)).await;
        let answer = self.of(stream).await;
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, 0x88), "200");
    }

    /// Says something on this stream of a server that echoes, and hears it again.
    pub(crate) async fn echo(&mut self, stream: u32) {
        self.data(stream, &wire::frame(Side::Client, TEXT, b"hello")).await;
        let answer = self.of(stream).await;
        assert_eq!((answer.kind, &answer.payload[2..]), (DATA, &b"hello"[..]), "{answer:?}");
    }

    /// Reads to the end of the connection; the code of the last GOAWAY, if there was one.
    pub(crate) async fn end(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(next) = self.next().await {
            if next.kind == GOAWAY {
                code = Some(next.code());
            }
        }
        code
    }
}
