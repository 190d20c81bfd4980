//! Servers of ours to be asked, and a client of the `h2` crate to ask them.

use core::net::SocketAddr;

use bytes::Bytes;
use h2::{Ping, RecvStream, SendStream, client::SendRequest, ext::Protocol};
use http::{Method, Request, Response, Version, request};
use hybi::{Client, Config, Error, Server};
use hybi_h2::{Http2Listener, Serving, Session, Settings, WebSocket};
use hybi_tokio::TokioListener;
use tokio::net::{TcpListener, TcpStream};

pub(crate) async fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server that echoes, with these settings.
pub(crate) async fn echoing(server: Server, settings: Settings) -> (Serving, SocketAddr) {
    let (listener, address) = listen().await;
    let listener = Http2Listener::new(TokioListener::new(listener)).settings(settings);
    (Serving::new(listener, server, echo), address)
}

/// The same at work.
pub(crate) async fn serve_echo(server: Server) -> SocketAddr {
    let (serving, address) = echoing(server, Settings::default()).await;
    tokio::spawn(serving);
    address
}

pub(crate) fn with(config: Config) -> Server {
    Server::builder().config(config).build()
}

pub(crate) async fn session(address: SocketAddr) -> Session {
    let stream = TcpStream::connect(address).await.unwrap();
    let session = Session::on(&Client::default(), stream).await.unwrap();
    session.expect("a server that takes WebSockets")
}

pub(crate) async fn open(session: &Session) -> WebSocket {
    session.open(&Client::default(), "ws://example.org/").await.unwrap().0
}

pub(crate) const URL: &str = "http://example.org/chat";

/// What opens a WebSocket.
pub(crate) fn opening() -> request::Builder {
    let version = "sec-websocket-version";
    Request::builder()
        .method(Method::CONNECT)
        .version(Version::HTTP_2)
        .uri(URL)
        .extension(Protocol::from_static("websocket"))
        .header(version, "13")
}

/// A connection of `h2` to a server whose settings have come.
pub(crate) async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (requests, mut connection) = h2::client::handshake(stream).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    pings.ping(Ping::opaque()).await.unwrap();
    assert!(requests.is_extended_connect_protocol_enabled());
    requests
}

pub(crate) async fn ask(
    requests: &SendRequest<Bytes>,
    request: request::Builder,
) -> (Response<RecvStream>, SendStream<Bytes>) {
    let mut requests = requests.clone().ready().await.unwrap();
    let (answer, sending) = requests.send_request(request.body(()).unwrap(), false).unwrap();
    (answer.await.unwrap(), sending)
}

/// All that comes until the end of a stream.
pub(crate) async fn read(mut body: RecvStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    all
}
