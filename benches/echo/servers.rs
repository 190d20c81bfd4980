//! The servers: each on a thread and a runtime of its own, all on the first core, of which one is
//! busy at a time.

use core::net::SocketAddr;
use std::{io, sync::mpsc, thread};

use fastwebsockets::{FragmentCollector, OpCode};
use futures_util::{SinkExt, StreamExt};
use hybi_benches::{ThreadClock, by_hand};
use hybi_tokio::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

use crate::generator::pin_to_first_core;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// What was read is written, whatever it is.
    Raw,
    Recv,
    Answer,
    Split,
    SplitRef,
    RecvNoKeepAlive,
    TokioTungstenite,
    TokioTungsteniteForward,
    TokioWebsockets,
    Fastwebsockets,
    SockudoWs,
}

/// The peers as their examples use them. The first is what all are held against.
pub(crate) const SERVERS: [(Server, &str); 11] = [
    (Server::Raw, "raw TCP"),
    (Server::Recv, "hybi recv + feed"),
    (Server::Answer, "hybi recv_to_answer + feed"),
    (Server::Split, "hybi halves, recv + feed"),
    (Server::SplitRef, "hybi halves, recv_ref + feed"),
    (Server::RecvNoKeepAlive, "hybi recv + feed, no keep-alive"),
    (Server::TokioTungstenite, "tokio-tungstenite next + send"),
    (Server::TokioTungsteniteForward, "tokio-tungstenite forward"),
    (Server::TokioWebsockets, "tokio-websockets next + send"),
    (Server::Fastwebsockets, "fastwebsockets"),
    (Server::SockudoWs, "sockudo-ws next + send"),
];

/// One that accepts connections.
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
            pin_to_first_core();
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("its address");
                let clock = ThreadClock::of_this_thread();
                sender.send(Self { server, address, clock }).expect("a receiver");
                while let Ok((stream, _)) = listener.accept().await {
                    stream.set_nodelay(true).expect("an option of TCP");
                    // The clients leave in the middle.
                    tokio::spawn(async move { server.echo(stream).await });
                }
            });
        });
        receiver.recv().expect("a server")
    }
}

pub(crate) type Ended = Result<(), Box<dyn core::error::Error + Send + Sync>>;

impl Server {
    async fn echo(self, stream: TcpStream) -> Ended {
        match self {
            Self::Raw => Ok(echo_raw(stream).await?),
            Self::Recv => echo(stream, Config::default()).await,
            Self::Answer => answer(stream).await,
            Self::Split => echo_split(stream).await,
            Self::SplitRef => echo_split_ref(stream).await,
            Self::RecvNoKeepAlive => echo(stream, Config::default().ping_interval(None)).await,
            peer => peer.echo_as_peer(stream).await,
        }
    }

    /// The opening handshakes of the others are not what is measured, and some need an HTTP server.
    async fn echo_as_peer(self, mut stream: TcpStream) -> Ended {
        by_hand::accept(&mut stream, "").await?;
        match self {
            Self::TokioTungstenite => {
                let mut ws = tungstenite(stream).await;
                while let Some(message) = ws.next().await {
                    ws.send(message?).await?;
                }
            }
            Self::TokioTungsteniteForward => {
                let (writer, reader) = tungstenite(stream).await.split();
                reader.forward(writer).await?;
            }
            Self::TokioWebsockets => {
                let mut ws = tokio_websockets::ServerBuilder::new().serve(stream);
                while let Some(message) = ws.next().await {
                    ws.send(message?).await?;
                }
            }
            Self::Fastwebsockets => {
                let role = fastwebsockets::Role::Server;
                let ws = fastwebsockets::WebSocket::after_handshake(stream, role);
                let mut ws = FragmentCollector::new(ws);
                loop {
                    let frame = ws.read_frame().await?;
                    match frame.opcode {
                        OpCode::Close => break,
                        OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
                        _ => {}
                    }
                }
            }
            Self::SockudoWs => {
                let mut ws = sockudo_ws::WebSocketStream::server(stream, Default::default());
                while let Some(message) = ws.next().await {
                    ws.send(message?).await?;
                }
            }
            Self::Raw
            | Self::Recv
            | Self::Answer
            | Self::Split
            | Self::SplitRef
            | Self::RecvNoKeepAlive => unreachable!("no peer"),
        }
        Ok(())
    }
}

async fn echo_raw(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..len]).await?;
    }
}

async fn echo(stream: TcpStream, config: Config) -> Ended {
    let server = hybi_tokio::Server::builder().config(config).build();
    let mut ws = hybi_tokio::accept_with(&server, stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

/// Each message is sent while it is lent.
async fn answer(stream: TcpStream) -> Ended {
    let mut ws = hybi_tokio::accept(stream).await?;
    while let Some((message, mut answering)) = ws.recv_to_answer().await? {
        answering.feed(message).await?;
    }
    Ok(())
}

/// One task has both halves, so that what differs is what they cost.
async fn echo_split(stream: TcpStream) -> Ended {
    let (mut sender, mut receiver) = hybi_tokio::accept(stream).await?.split();
    while let Some(message) = receiver.recv().await? {
        sender.feed(message).await?;
    }
    Ok(())
}

async fn echo_split_ref(stream: TcpStream) -> Ended {
    let (mut sender, mut receiver) = hybi_tokio::accept(stream).await?.split();
    while let Some(message) = receiver.recv_ref().await? {
        sender.feed(message).await?;
    }
    Ok(())
}

async fn tungstenite(stream: TcpStream) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let role = tungstenite::protocol::Role::Server;
    tokio_tungstenite::WebSocketStream::from_raw_socket(stream, role, None).await
}
