//! The side that speaks HTTP/2, as server.

use core::net::SocketAddr;

use bytes::Bytes;
use h2::{RecvStream, ext::Protocol, server};
use http::{Method, Request, Response, StatusCode};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use crate::{
    Failure, copying,
    http1::{read_head, write_fields},
    passed_on,
};

/// Any key: who answers it is judged elsewhere.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Passes each extended CONNECT on as an upgrade, over a connection of its own.
pub(crate) async fn to_http1(listener: &TcpListener, server: SocketAddr) -> Result<(), Failure> {
    loop {
        let (tcp, _) = listener.accept().await?;
        tokio::spawn(serve(tcp, server));
    }
}

async fn serve(tcp: TcpStream, server: SocketAddr) -> Result<(), Failure> {
    tcp.set_nodelay(true)?;
    let mut connection = server::Builder::new().enable_connect_protocol().handshake(tcp).await?;
    while let Some(asked) = connection.accept().await {
        let (request, answer) = asked?;
        tokio::spawn(relay(request, answer, server));
    }
    Ok(())
}

async fn relay(
    request: Request<RecvStream>,
    mut answer: server::SendResponse<Bytes>,
    server: SocketAddr,
) -> Result<(), Failure> {
    let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
    if (request.method(), protocol) != (&Method::CONNECT, Some("websocket")) {
        answer.send_response(refusal(StatusCode::NOT_IMPLEMENTED), true)?;
        return Ok(());
    }
    let mut tcp = TcpStream::connect(server).await?;
    tcp.set_nodelay(true)?;
    let target = request.uri().path_and_query().ok_or("no target")?;
    let mut head = format!(
        "GET {target} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n"
    );
    write_fields(&mut head, &passed_on(request.headers()))?;
    tcp.write_all(head.as_bytes()).await?;
    let response = read_head(&mut tcp).await?;
    if response.line.split(' ').nth(1) != Some("101") {
        answer.send_response(refusal(StatusCode::BAD_GATEWAY), true)?;
        return Ok(());
    }
    let mut accepted = Response::new(());
    *accepted.headers_mut() = passed_on(&response.fields);
    let sending = answer.send_response(accepted, false)?;
    copying::both_ways(tcp, response.rest, (sending, request.into_body())).await
}

fn refusal(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
}
