//! A server of hyper on a free port, and peers that write bytes.

use core::{convert::Infallible, net::SocketAddr};

use http_body_util::Full;
use hybi_hyper::{
    WebSocket,
    http::{Request, Response},
};
use hyper::{
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(crate) type Answer = Response<Full<Bytes>>;

/// A server over both versions of HTTP that answers each request so.
pub(crate) async fn serve(
    answer: impl Fn(Request<Incoming>) -> Answer + Clone + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async { Ok::<_, Infallible>(answer) }
            });
            tokio::spawn(async {
                let http = hybi_hyper::builder();
                http.serve_connection_with_upgrades(TokioIo::new(stream), service).await
            });
        }
    });
    address
}

/// Sends everything back, to the end.
pub(crate) async fn echo(mut ws: WebSocket) -> Result<(), hybi_hyper::Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

/// Sends `bytes`, and gives what comes until that is `enough`.
pub(crate) async fn exchange(
    address: SocketAddr,
    bytes: &[u8],
    enough: impl Fn(&[u8]) -> bool,
) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    stream.write_all(bytes).await.expect("it takes them");
    let mut came = Vec::new();
    while !enough(&came) {
        let read = stream.read_buf(&mut came).await.expect("no reset");
        assert!(read > 0, "the end behind {}", came.escape_ascii());
    }
    String::from_utf8_lossy(&came).into_owned()
}

/// Whether this is a whole response with a body.
pub(crate) fn is_page(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}
