//! From a URI to an open WebSocket.

use std::time::Instant;

use async_std::net::{TcpStream, ToSocketAddrs};
use futures_io::{AsyncRead, AsyncWrite};
use hybi::{Client, Error, WsUri, io::Timer, opening};

use crate::{AsyncStdIo, AsyncStdTimer, WebSocket};

/// What [`connect`] connects through.
pub type Stream = TcpStream;

/// Connects to a `ws` URI.
///
/// Returns the connection and the server's response, whose header fields may be of interest.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_async_std::Error> {
/// let (mut ws, response) = hybi_async_std::connect("ws://127.0.0.1:8080/echo").await?;
/// println!("served by {:?}", response.headers().get("Server"));
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Uri`]; [`Error::Opening`] if nobody is there; [`Error::Handshake`] if the server
/// refused (the whole response is in the error) or broke a rule; [`Error::Timeout`];
/// [`Error::TlsNotCompiledIn`] for `wss`.
pub async fn connect(uri: &str) -> Result<(WebSocket, http::Response<()>), Error> {
    connect_with(&Client::default(), uri).await
}

/// Connects to a `ws` URI as `client` says.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_async_std::Error> {
/// use hybi_async_std::Client;
///
/// let client = Client::builder()
///     .header("Authorization", "Bearer 1234")
///     .subprotocol("chat.v2")
///     .build()?;
/// let (ws, _response) =
///     hybi_async_std::connect_with(&client, "ws://127.0.0.1:8080/chat").await?;
/// assert_eq!(ws.subprotocol(), Some("chat.v2"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`connect`].
pub async fn connect_with(
    client: &Client,
    uri: &str,
) -> Result<(WebSocket, http::Response<()>), Error> {
    let uri: WsUri = uri.parse()?;
    if uri.is_secure() {
        return Err(Error::TlsNotCompiledIn {
            feature: "`rustls-webpki-roots` of `hybi-tokio`; `hybi-async-std` has no TLS yet, but \
                      takes a TLS stream of yours in `client`",
        });
    }
    let deadline = client.config().handshake_deadline(AsyncStdTimer::default().now());
    let connect = || async {
        let mut timer = AsyncStdTimer::default();
        let stream = tcp(&uri, &mut timer, deadline).await?;
        Ok((AsyncStdIo::new(stream), timer))
    };
    opening::connect(client, &uri, deadline, connect).await
}

/// Opens a WebSocket on a stream of the caller's making: through a proxy, a Unix socket, TLS.
///
/// ```no_run
/// # #[cfg(unix)]
/// # async fn example() -> Result<(), hybi_async_std::Error> {
/// use async_std::os::unix::net::UnixStream;
/// use hybi_async_std::Client;
///
/// let stream = UnixStream::connect("/run/chat.socket").await?;
/// let client = Client::default();
/// let (mut ws, _response) = hybi_async_std::client(&client, "ws://localhost/chat", stream).await?;
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`connect`].
pub async fn client<S>(
    client: &Client,
    uri: &str,
    stream: S,
) -> Result<(WebSocket<S>, http::Response<()>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let uri: WsUri = uri.parse()?;
    let timer = AsyncStdTimer::default();
    let deadline = client.config().handshake_deadline(timer.now());
    opening::open_client(client, &uri, AsyncStdIo::new(stream), timer, deadline).await
}

async fn tcp(
    uri: &WsUri,
    timer: &mut AsyncStdTimer,
    deadline: Instant,
) -> Result<TcpStream, Error> {
    let host = (uri.host(), uri.port());
    opening::dial(host, timer, deadline, host.to_socket_addrs(), |address| async move {
        let stream = TcpStream::connect(address).await?;
        // Frames are written whole; holding back the last piece of one only adds delay.
        stream.set_nodelay(true)?;
        Ok(stream)
    })
    .await
}
