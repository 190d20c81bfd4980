//! The servers: each echoes, with the largest window and takeover, at a level of its own. Each has a
//! thread for itself.

use std::{io, net, sync::mpsc, thread};

use futures_util::{SinkExt, StreamExt};
use hybi_benches::{ThreadClock, by_hand};
use hybi_tokio::{Deflate, Extensions};
use tokio::{net::TcpListener, net::TcpStream, runtime::Builder};

#[derive(Clone, Copy)]
pub(crate) enum Server {
    /// As it comes.
    Hybi,
    HybiAt(u8),
    SockudoWs(u32),
    Yawc(u32),
    HybiWithout,
    Tungstenite,
}

/// Where a server is, and what its thread has spent.
pub(crate) struct Address {
    pub(crate) socket: String,
    pub(crate) clock: ThreadClock,
}

impl Server {
    pub(crate) const ALL: [Self; 8] = [
        Self::Hybi,
        Self::HybiAt(6),
        Self::SockudoWs(1),
        Self::SockudoWs(6),
        Self::Yawc(1),
        Self::Yawc(6),
        Self::HybiWithout,
        Self::Tungstenite,
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Hybi => "hybi".to_owned(),
            Self::HybiAt(level) => format!("hybi, level {level}"),
            Self::SockudoWs(level) => format!("sockudo-ws, level {level}"),
            Self::Yawc(level) => format!("yawc, level {level}"),
            Self::HybiWithout => "hybi, no extension".to_owned(),
            Self::Tungstenite => "tungstenite, which has none".to_owned(),
        }
    }

    pub(crate) fn compresses(self) -> bool {
        !matches!(self, Self::HybiWithout | Self::Tungstenite)
    }

    /// Whether it is done with the longest noise in a moment.
    pub(crate) fn is_quick(self) -> bool {
        matches!(self, Self::Hybi | Self::HybiWithout | Self::Tungstenite)
    }

    /// Starts it on a thread of its own.
    pub(crate) fn start(self) -> Address {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let listener = net::TcpListener::bind("127.0.0.1:0").expect("a port");
            let socket = listener.local_addr().expect("its address").to_string();
            let address = Address { socket, clock: ThreadClock::of_this_thread() };
            sender.send(address).expect("a receiver");
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(self.serve(listener));
        });
        receiver.recv().expect("a server")
    }

    async fn serve(self, listener: net::TcpListener) {
        listener.set_nonblocking(true).expect("an option");
        let listener = TcpListener::from_std(listener).expect("a listener");
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("an option of TCP");
            // A client that goes away is the only end there is.
            match self {
                Self::Hybi => drop(hybi(stream, Extensions::default()).await),
                Self::HybiAt(level) => drop(hybi(stream, Deflate::default().level(level)).await),
                Self::HybiWithout => drop(hybi(stream, Extensions::none()).await),
                Self::SockudoWs(level) => drop(sockudo_ws(stream, level).await),
                Self::Yawc(level) => drop(yawc(stream, level).await),
                Self::Tungstenite => drop(tungstenite(stream).await),
            }
        }
    }
}

async fn hybi(
    stream: TcpStream,
    extensions: impl Into<Extensions>,
) -> Result<(), hybi_tokio::Error> {
    let server = hybi_tokio::Server::builder().extensions(extensions).build();
    let mut ws = hybi_tokio::accept_with(&server, stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

/// Its own opening handshake knows no extensions.
async fn sockudo_ws(mut stream: TcpStream, level: u32) -> sockudo_ws::error::Result<()> {
    use sockudo_ws::{CompressedWebSocketStream, Config, deflate::DeflateConfig};
    by_hand::accept(&mut stream, EXTENSIONS).await?;
    let deflate = DeflateConfig { compression_level: level, ..DeflateConfig::default() };
    let mut ws = CompressedWebSocketStream::server(stream, Config::default(), deflate);
    while let Some(message) = ws.next().await {
        ws.send(message?).await?;
    }
    Ok(())
}

/// Its own opening handshake needs an HTTP server.
async fn yawc(mut stream: TcpStream, level: u32) -> yawc::Result<()> {
    use yawc::{CompressionLevel, Options, Role, WebSocket};
    by_hand::accept(&mut stream, EXTENSIONS).await?;
    let options = Options::default()
        .with_compression_level(CompressionLevel::new(level))
        .with_max_payload_read(2 << 20);
    let extensions = Some("permessage-deflate");
    let mut ws = WebSocket::from_stream_with_extensions(stream, Role::Server, extensions, options)?;
    while let Some(frame) = ws.next().await {
        ws.send(frame).await?;
    }
    Ok(())
}

/// It waits for its stream, which has the thread for itself.
async fn tungstenite(mut stream: TcpStream) -> Result<(), Box<tungstenite::Error>> {
    use tungstenite::{WebSocket, protocol::Role};
    let open = async {
        by_hand::accept(&mut stream, "").await?;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok::<_, io::Error>(stream)
    };
    let stream = open.await.map_err(|error| Box::new(error.into()))?;
    let mut ws = WebSocket::from_raw_socket(stream, Role::Server, None);
    loop {
        let message = ws.read()?;
        ws.send(message)?;
    }
}

const EXTENSIONS: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
