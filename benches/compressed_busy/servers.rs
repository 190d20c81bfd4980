//! The servers: each compresses with the largest window and keeps its history, at one level.

use futures_util::{SinkExt, StreamExt};
use hybi_benches::by_hand;
use hybi_tokio::{Deflate, Message, Server as HybiServer, Utf8Bytes, WebSocket};
use sockudo_ws::{CompressedWebSocketStream, Config, deflate::DeflateConfig};
use tokio::net::TcpStream;
use yawc::{CompressionLevel, Options, Role, frame::Frame};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// With this budget for states, in bytes.
    Hybi(usize),
    SockudoWs,
    Yawc,
}

/// An open connection of one of them.
pub(crate) enum Open {
    Hybi(Box<WebSocket>),
    SockudoWs(Box<CompressedWebSocketStream<TcpStream>>),
    Yawc(Box<yawc::WebSocket<TcpStream>>),
}

impl Server {
    /// The opening handshakes of the others know no extensions, or need an HTTP server.
    pub(crate) async fn accept(self, mut stream: TcpStream, level: u8) -> Open {
        stream.set_nodelay(true).expect("an option of TCP");
        if !matches!(self, Self::Hybi(_)) {
            by_hand::accept(&mut stream, EXTENSIONS).await.expect("a client");
        }
        match self {
            Self::Hybi(_) => {
                let server =
                    HybiServer::builder().extensions(Deflate::default().level(level)).build();
                let ws = hybi_tokio::accept_with(&server, stream).await.expect("a client");
                Open::Hybi(Box::new(ws))
            }
            Self::SockudoWs => {
                let deflate =
                    DeflateConfig { compression_level: level.into(), ..DeflateConfig::default() };
                let config = Config::default();
                let ws = CompressedWebSocketStream::server(stream, config, deflate);
                Open::SockudoWs(Box::new(ws))
            }
            Self::Yawc => {
                let level = CompressionLevel::new(level.into());
                let options = Options::default().with_compression_level(level).with_utf8();
                let (role, extensions) = (Role::Server, Some("permessage-deflate"));
                let ws =
                    yawc::WebSocket::from_stream_with_extensions(stream, role, extensions, options);
                Open::Yawc(Box::new(ws.expect("its own extension")))
            }
        }
    }
}

impl Open {
    pub(crate) async fn send(&mut self, text: &Utf8Bytes) {
        match self {
            Self::Hybi(ws) => ws.send(Message::Text(text.clone())).await.expect("a client"),
            Self::SockudoWs(ws) => {
                let bytes = text.clone().into_bytes();
                ws.send(sockudo_ws::Message::Text(bytes)).await.expect("a client");
            }
            Self::Yawc(ws) => {
                let bytes = text.clone().into_bytes();
                ws.send(Frame::text(bytes)).await.expect("a client");
            }
        }
    }

    /// Sends everything back, until the client goes away.
    pub(crate) async fn echo(self) {
        match self {
            Self::Hybi(mut ws) => {
                while let Ok(Some(message)) = ws.recv().await {
                    if ws.send(message).await.is_err() {
                        return;
                    }
                }
            }
            Self::SockudoWs(mut ws) => {
                while let Some(Ok(message)) = ws.next().await {
                    if ws.send(message).await.is_err() {
                        return;
                    }
                }
            }
            Self::Yawc(mut ws) => {
                while let Some(frame) = ws.next().await {
                    if ws.send(frame).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

const EXTENSIONS: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
