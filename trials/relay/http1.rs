//! The side that speaks HTTP/1.1, as server.

use core::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use h2::{Ping, client, ext::Protocol};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use hybi_handshake::accept_key;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{Failure, copying, passed_on};

/// Passes each upgrade on as an extended CONNECT, all over one connection.
pub(crate) async fn to_http2(listener: &TcpListener, server: SocketAddr) -> Result<(), Failure> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (requests, mut connection) = client::handshake(stream).await?;
    let mut pings = connection.ping_pong().ok_or("it is there to be taken once")?;
    let driven = tokio::spawn(connection);
    // Its settings are in its first frame, and frames are answered in their order.
    pings.ping(Ping::opaque()).await?;
    let accepting = async {
        loop {
            let (tcp, _) = listener.accept().await?;
            tokio::spawn(relay(tcp, server, requests.clone()));
        }
    };
    tokio::select! {
        accepted = accepting => accepted,
        // Nothing goes on without it.
        ended = driven => Ok(ended??),
    }
}

async fn relay(
    mut tcp: TcpStream,
    server: SocketAddr,
    requests: client::SendRequest<Bytes>,
) -> Result<(), Failure> {
    tcp.set_nodelay(true)?;
    let Head { line, fields, rest } = read_head(&mut tcp).await?;
    let target = line.split(' ').nth(1).ok_or("no target")?;
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = Uri::builder()
        .scheme("http")
        .authority(server.to_string())
        .path_and_query(target)
        .build()?;
    *request.headers_mut() = passed_on(&fields);
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let (answer, sending) = requests.ready().await?.send_request(request, false)?;
    let (answer, receiving) = answer.await?.into_parts();
    if answer.status != StatusCode::OK {
        let refusal = format!("HTTP/1.1 {}\r\nConnection: close\r\n\r\n", answer.status);
        return Ok(tcp.write_all(refusal.as_bytes()).await?);
    }
    let key = fields.get("sec-websocket-key").ok_or("no key")?.to_str()?;
    let mut head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
        accept_key(key)
    );
    write_fields(&mut head, &passed_on(&answer.headers))?;
    tcp.write_all(head.as_bytes()).await?;
    copying::both_ways(tcp, rest, (sending, receiving)).await
}

/// A head of HTTP/1.1, and what came behind it.
pub(crate) struct Head {
    pub(crate) line: String,
    pub(crate) fields: HeaderMap,
    pub(crate) rest: BytesMut,
}

pub(crate) async fn read_head(tcp: &mut TcpStream) -> Result<Head, Failure> {
    const END: &[u8] = b"\r\n\r\n";
    let mut came = BytesMut::new();
    let end = loop {
        if let Some(end) = came.windows(END.len()).position(|window| window == END) {
            break end;
        }
        if tcp.read_buf(&mut came).await? == 0 {
            return Err("a head that does not end".into());
        }
    };
    let head = came.split_to(end + END.len());
    let mut lines = core::str::from_utf8(&head[..end])?.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let mut fields = HeaderMap::new();
    for field in lines {
        let (name, value) = field.split_once(':').ok_or("a field without a colon")?;
        let value = HeaderValue::from_str(value.trim())?;
        fields.append(HeaderName::from_bytes(name.as_bytes())?, value);
    }
    Ok(Head { line, fields, rest: came })
}

/// Writes the fields of a head, and its end.
pub(crate) fn write_fields(head: &mut String, fields: &HeaderMap) -> Result<(), Failure> {
    for (name, value) in fields {
        head.push_str(&format!("{name}: {}\r\n", value.to_str()?));
    }
    head.push_str("\r\n");
    Ok(())
}
