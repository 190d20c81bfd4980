//! The attacks, one each: what is sent, and what is not read (RFC 6455 section 10.4).

use core::time::Duration;
use std::io;

use hybi_suite::hostile::{
    Block, REQUEST, bomb, empty_blocks, filled, flood, fragments, stream_bomb,
};
use hybi_testkit::wire::{self, BINARY, PING, RSV1, Side, TEXT};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

use crate::{server::MAX_MESSAGE, sockets::Target};

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attack {
    // Before there is a connection.
    Churn,
    Silence,
    HeadTrickle,
    HeadFlood,
    ListFields,
    HeadGarbage,
    HeadReset,
    TlsSilence,
    TlsGarbage,
    TlsReset,
    // Frames.
    Pings,
    EmptyMessages,
    EmptyFragments,
    DeclaredLength,
    HalfAFrame,
    Garbage,
    BrokenAndOn,
    NoAnswerToPing,
    NoAnswerToClose,
    UnreadOutput,
    SlowReader,
    ResetInMessage,
    ResetIdle,
    EndInMessage,
    TlsResetInMessage,
    // Extensions.
    Bombs,
    StreamBomb,
    StoredBlocks,
    FixedBlocks,
    DynamicBlocks,
    // Old versions.
    HixieEndless,
    HixieDigits,
    HixieWithoutKey,
}

/// The extensions whose messages or frames are compressed.
const COMPRESSING: [&str; 6] = [
    "permessage-deflate",
    "permessage-compress; method=deflate",
    "x-webkit-permessage-compress; method=deflate",
    "perframe-compress; method=deflate",
    "deflate-frame",
    "x-webkit-deflate-frame",
];

const HIXIE_75: &str = "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
    Host: a.example\r\nOrigin: http://a.example\r\n\r\n";

const HIXIE_76: &str = "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: WebSocket\r\n\
    Connection: Upgrade\r\nOrigin: http://a.example\r\n\
    Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n";

impl Attack {
    pub(crate) const ALL: [Self; 33] = [
        Self::Churn,
        Self::Silence,
        Self::HeadTrickle,
        Self::HeadFlood,
        Self::ListFields,
        Self::HeadGarbage,
        Self::HeadReset,
        Self::TlsSilence,
        Self::TlsGarbage,
        Self::TlsReset,
        Self::Pings,
        Self::EmptyMessages,
        Self::EmptyFragments,
        Self::DeclaredLength,
        Self::HalfAFrame,
        Self::Garbage,
        Self::BrokenAndOn,
        Self::NoAnswerToPing,
        Self::NoAnswerToClose,
        Self::UnreadOutput,
        Self::SlowReader,
        Self::ResetInMessage,
        Self::ResetIdle,
        Self::EndInMessage,
        Self::TlsResetInMessage,
        Self::Bombs,
        Self::StreamBomb,
        Self::StoredBlocks,
        Self::FixedBlocks,
        Self::DynamicBlocks,
        Self::HixieEndless,
        Self::HixieDigits,
        Self::HixieWithoutKey,
    ];

    /// Does it once. The server may reset the connection at any time, but [`NotOpened`] is a failure of the server.
    pub(crate) async fn run(self, target: &Target) -> io::Result<()> {
        match self {
            Self::Churn => {
                for _ in 0..20 {
                    drop(target.connect().await?);
                    drop(open(target, "").await?);
                }
                Ok(())
            }
            Self::Silence => until_end(target.connect().await?).await,
            Self::HeadTrickle => {
                let mut stream = target.connect().await?;
                for byte in filled(REQUEST, "Cookie: ", "x", 4000) {
                    stream.write_all(&[byte]).await?;
                    time::sleep(Duration::from_millis(50)).await;
                }
                until_end(stream).await
            }
            Self::HeadFlood => {
                let head = filled(REQUEST, "Cookie: ", "x", 300_000);
                both(target.connect().await?, &head).await
            }
            Self::ListFields => {
                for field in ["Connection: a", "Upgrade: a", "Sec-WebSocket-Extensions: a"] {
                    let head = filled(REQUEST, field, ",b", 16_000);
                    both(target.connect().await?, &head).await?;
                }
                Ok(())
            }
            Self::HeadGarbage => both(target.connect().await?, &garbage(4000)).await,
            Self::HeadReset => {
                let mut stream = target.connect().await?;
                stream.write_all(&REQUEST.as_bytes()[..100]).await?;
                reset(&stream)
            }
            Self::TlsSilence => until_end(target.connect_tls_port().await?).await,
            Self::TlsGarbage => both(target.connect_tls_port().await?, &garbage(4000)).await,
            Self::TlsReset => {
                let stream = target.connect_tls().await?;
                reset(stream.get_ref().0)
            }
            Self::Pings => {
                let mut stream = open(target, "").await?;
                stream.write_all(&flood(PING, &[b'p'; 125], 2 * MAX_MESSAGE)).await?;
                stream.write_all(&flood(PING, b"", MAX_MESSAGE / 4)).await
            }
            Self::EmptyMessages => {
                let mut stream = open(target, "").await?;
                stream.write_all(&flood(TEXT, b"", MAX_MESSAGE / 4)).await
            }
            Self::EmptyFragments => both(open(target, "").await?, &fragments(b"", 66_000)).await,
            Self::DeclaredLength => {
                both(open(target, "").await?, &wire::header(Side::Client, BINARY, 1 << 40)).await
            }
            Self::HalfAFrame => {
                let mut frame = wire::header(Side::Client, BINARY, MAX_MESSAGE as u64);
                frame.extend([0; 20_000]);
                both(open(target, "").await?, &frame).await
            }
            Self::Garbage => both(open(target, "").await?, &garbage(100_000)).await,
            Self::BrokenAndOn => {
                let mut bytes = vec![0xff];
                bytes.extend(garbage(3 * MAX_MESSAGE));
                both(open(target, "").await?, &bytes).await
            }
            Self::NoAnswerToPing => until_end(open(target, "").await?).await,
            Self::NoAnswerToClose => {
                let mut stream = open(target, "").await?;
                // A text that asks for a Close frame.
                let goodbye = crate::server::GOODBYE.as_bytes();
                stream.write_all(&wire::frame(Side::Client, TEXT, goodbye)).await?;
                until_end(stream).await
            }
            Self::UnreadOutput => {
                let mut stream = open(target, "").await?;
                let message = flood(BINARY, &[7; 60_000], 60_000);
                // It ends by reset, as soon as the server takes no more.
                loop {
                    stream.write_all(&message).await?;
                }
            }
            Self::SlowReader => {
                let mut stream = open(target, "").await?;
                stream.write_all(&flood(BINARY, &[7; 200_000], 1)).await?;
                let mut few = [0; 64];
                for _ in 0..100 {
                    stream.read_exact(&mut few).await?;
                    time::sleep(Duration::from_millis(30)).await;
                }
                Ok(())
            }
            Self::ResetInMessage => {
                let stream = half_a_message(open(target, "").await?).await?;
                reset(&stream)
            }
            Self::ResetIdle => reset(&open(target, "").await?),
            Self::EndInMessage => {
                let mut stream = half_a_message(open(target, "").await?).await?;
                stream.shutdown().await?;
                until_end(stream).await
            }
            Self::TlsResetInMessage => {
                let stream = open_on(target.connect_tls().await?, REQUEST).await?;
                reset(half_a_message(stream).await?.get_ref().0)
            }
            Self::Bombs => {
                let bomb = wire::frame(Side::Client, BINARY | RSV1, &bomb(8 * MAX_MESSAGE));
                for extension in COMPRESSING {
                    both(open(target, extension).await?, &bomb).await?;
                }
                Ok(())
            }
            Self::StreamBomb => {
                let head = REQUEST.replace("Version: 13", "Version: 8");
                let head = format!("{head}Sec-WebSocket-Extensions: deflate-stream\r\n");
                let stream = open_on(target.connect().await?, &head).await?;
                let header = wire::header(Side::Client, BINARY, MAX_MESSAGE as u64);
                let mut bytes = stream_bomb(&header, MAX_MESSAGE);
                // What follows are frames of zeros, which are continuations of nothing.
                bytes.extend(stream_bomb(b"", 8 * MAX_MESSAGE));
                both(stream, &bytes).await
            }
            Self::StoredBlocks => blocks(target, Block::Stored).await,
            Self::FixedBlocks => blocks(target, Block::Fixed).await,
            Self::DynamicBlocks => blocks(target, Block::Dynamic).await,
            Self::HixieEndless => {
                let mut bytes = vec![0];
                bytes.extend(vec![b'x'; 2 * MAX_MESSAGE]);
                both(answered(target.connect().await?, HIXIE_75.as_bytes()).await?, &bytes).await
            }
            Self::HixieDigits => {
                let stream = answered(target.connect().await?, HIXIE_75.as_bytes()).await?;
                both(stream, &[0xff; 100]).await
            }
            Self::HixieWithoutKey => both(target.connect().await?, HIXIE_76.as_bytes()).await,
        }
    }
}

/// The server did not let a client in, whose request was in order.
#[derive(Debug)]
pub(crate) struct NotOpened(io::Error);

impl core::fmt::Display for NotOpened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "not opened: {}", self.0)
    }
}

impl core::error::Error for NotOpened {}

/// A connection of version 13, with an extension or none.
async fn open(target: &Target, extension: &str) -> io::Result<TcpStream> {
    let field = match extension {
        "" => String::new(),
        name => format!("Sec-WebSocket-Extensions: {name}\r\n"),
    };
    open_on(target.connect().await?, &format!("{REQUEST}{field}")).await
}

async fn open_on<S: AsyncRead + AsyncWrite + Unpin>(stream: S, head: &str) -> io::Result<S> {
    answered(stream, format!("{head}\r\n").as_bytes()).await
}

/// Sends a request and reads the head of the answer.
async fn answered<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, head: &[u8]) -> io::Result<S> {
    let mut answer = Vec::new();
    let asking = async {
        stream.write_all(head).await?;
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        Ok(())
    };
    asking.await.map_err(|error| io::Error::other(NotOpened(error)))?;
    if !answer.starts_with(b"HTTP/1.1 101 ") {
        let answer = io::Error::other(String::from_utf8_lossy(&answer).into_owned());
        return Err(io::Error::other(NotOpened(answer)));
    }
    Ok(stream)
}

/// As soon as the stream is dropped.
fn reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

async fn half_a_message<S: AsyncWrite + Unpin>(mut stream: S) -> io::Result<S> {
    let frame = wire::frame(Side::Client, BINARY, &[7; 100_000]);
    stream.write_all(&frame[..50_000]).await?;
    stream.flush().await?;
    Ok(stream)
}

async fn blocks(target: &Target, block: Block) -> io::Result<()> {
    let payload = empty_blocks(block, MAX_MESSAGE + MAX_MESSAGE / 4);
    let bytes = wire::frame(Side::Client, BINARY | RSV1, &payload);
    both(open(target, "permessage-deflate").await?, &bytes).await
}

/// Sends bytes, reads what comes meanwhile, and stays until the server is done.
async fn both(stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    let (mut reading, mut writing) = stream.into_split();
    let sending = async {
        // It may be refused before its end.
        let _ = writing.write_all(bytes).await;
    };
    let (ended, ()) = tokio::join!(discard(&mut reading), sending);
    ended
}

async fn until_end(mut stream: TcpStream) -> io::Result<()> {
    discard(&mut stream).await
}

async fn discard(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    while stream.read(&mut chunk).await? > 0 {}
    Ok(())
}

/// Bytes that mean nothing, other ones each time.
fn garbage(len: usize) -> Vec<u8> {
    let mut state = std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64 | 1);
    let bytes = (0..len).map(|_| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 56) as u8
    });
    bytes.collect()
}
