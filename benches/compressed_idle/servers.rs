//! The servers: each echoes, compresses with the largest window and keeps its history.

use core::pin::Pin;

use futures_util::{SinkExt, StreamExt};
use hybi_benches::by_hand;
use hybi_tokio::{Deflate, Outgoing, WebSocket};
use tokio::{net::TcpStream, sync::broadcast::Receiver};

#[derive(Clone, Copy)]
pub(crate) enum Server {
    Hybi,
    /// Sends what it is told to, each connection for itself.
    HybiNews,
    /// The same, compressed once for all.
    HybiPrepared,
    SockudoWs,
    Yawc,
}

impl Server {
    pub(crate) fn serve(
        self,
        stream: TcpStream,
        news: Receiver<Outgoing<'static>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // A client that goes away is the only end there is. The task of each is as large as it is
        // and not as the largest.
        match self {
            Self::Hybi => Box::pin(async { drop(hybi(stream).await) }),
            Self::HybiNews | Self::HybiPrepared => {
                Box::pin(async { drop(hybi_news(stream, news).await) })
            }
            Self::SockudoWs => Box::pin(async { drop(sockudo_ws(stream).await) }),
            Self::Yawc => Box::pin(async { drop(yawc(stream).await) }),
        }
    }
}

async fn hybi(stream: TcpStream) -> Result<(), hybi_tokio::Error> {
    let mut ws = accept(stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

async fn hybi_news(
    stream: TcpStream,
    mut news: Receiver<Outgoing<'static>>,
) -> Result<(), hybi_tokio::Error> {
    let mut ws = accept(stream).await?;
    loop {
        tokio::select! {
            message = ws.recv() => match message? {
                Some(message) => ws.send(message).await?,
                None => return Ok(()),
            },
            Ok(message) = news.recv() => ws.send(message).await?,
        }
    }
}

/// At the level of the others.
async fn accept(stream: TcpStream) -> Result<WebSocket, hybi_tokio::Error> {
    let server = hybi_tokio::Server::builder().extensions(Deflate::default().level(6)).build();
    hybi_tokio::accept_with(&server, stream).await
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
