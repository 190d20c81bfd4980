//! The servers: each echoes, compresses at level 6 with the largest window and keeps its history.

use futures_util::{SinkExt, StreamExt};
use hybi_benches::by_hand;
use hybi_tokio::Deflate;
use tokio::net::TcpStream;

#[derive(Clone, Copy)]
pub(crate) enum Server {
    Hybi,
    SockudoWs,
    Yawc,
}

impl Server {
    pub(crate) async fn serve(self, stream: TcpStream) {
        // A client that goes away is the only end there is.
        match self {
            Self::Hybi => drop(hybi(stream).await),
            Self::SockudoWs => drop(sockudo_ws(stream).await),
            Self::Yawc => drop(yawc(stream).await),
        }
    }
}

async fn hybi(stream: TcpStream) -> Result<(), hybi_tokio::Error> {
    let server = hybi_tokio::Server::builder().extensions(Deflate::default().level(6)).build();
    let mut ws = hybi_tokio::accept_with(&server, stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

/// Its own opening handshake knows no extensions.
async fn sockudo_ws(mut stream: TcpStream) -> sockudo_ws::error::Result<()> {
    use sockudo_ws::{CompressedWebSocketStream, Config, deflate::DeflateConfig};
    by_hand::accept(&mut stream, EXTENSIONS).await?;
    let (config, deflate) = (Config::default(), DeflateConfig::default());
    let mut ws = CompressedWebSocketStream::server(stream, config, deflate);
    while let Some(message) = ws.next().await {
        ws.send(message?).await?;
    }
    Ok(())
}

/// Its own opening handshake needs an HTTP server, whose memory is not what this is about.
async fn yawc(mut stream: TcpStream) -> yawc::Result<()> {
    use yawc::{CompressionLevel, Options, Role, WebSocket};
    by_hand::accept(&mut stream, EXTENSIONS).await?;
    let options = Options::default().with_compression_level(CompressionLevel::new(6)).with_utf8();
    let extensions = Some("permessage-deflate");
    let mut ws = WebSocket::from_stream_with_extensions(stream, Role::Server, extensions, options)?;
    while let Some(frame) = ws.next().await {
        ws.send(frame).await?;
    }
    Ok(())
}

const EXTENSIONS: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
