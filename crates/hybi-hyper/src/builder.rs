//! What hyper is to be told so that WebSockets are at home in it (RFC 9113 section 6.5, RFC 8441 section 3).

use core::time::Duration;

use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto,
};

/// How many streams of HTTP/2 a client may have open at a time, and so how many WebSockets over one connection.
const STREAMS: u32 = 128;

/// How many bytes of one stream may have come that nobody has read.
const WINDOW: u32 = 128 * 1024;

/// How long the head of a request may take.
pub(crate) const HEAD: Duration = Duration::from_secs(10);

/// How often a client of HTTP/2 is asked whether it is still there, and how long it has to answer.
const PING: Duration = Duration::from_secs(20);

/// hyper's server of HTTP/1.1 and HTTP/2 with what WebSockets need of it; all of it can be set anew.
///
/// - Over HTTP/2 it says that it knows extended CONNECT, without which no client asks for a WebSocket there.
/// - The window of a connection of HTTP/2 is as large as those of its 128 streams together, 128 KiB each. With windows of
///   one size, which is hyper's default, a single WebSocket that is not read stalls all others of its connection. So one
///   client can have the server hold 16 MiB; [`builder_with`] takes other numbers.
/// - The head of a request over HTTP/1.1 has 10 s, and a client of HTTP/2 is to answer a ping every 20 s within 20 s: that
///   finds those who vanished, and header fields that do not end.
///
/// What hyper and h2 leave undone: nobody looks at how long the first bytes take that tell the version of HTTP, which
/// [`serve`](crate::serve()) does; and a stream whose peer takes nothing stays open until the connection ends, even when its
/// WebSocket is gone.
///
/// ```
/// use core::convert::Infallible;
/// use http_body_util::Full;
/// use hybi_hyper::http::Response;
/// use hyper::{body::Bytes, service::service_fn};
/// use hyper_util::rt::TokioIo;
///
/// async fn connection(stream: tokio::net::TcpStream) {
///     let service = service_fn(|_| async {
///         Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("a page")))
///     });
///     let http = hybi_hyper::builder();
///     let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
/// }
/// ```
#[must_use]
pub fn builder() -> auto::Builder<TokioExecutor> {
    builder_with(STREAMS, WINDOW)
}

/// The same with other numbers for HTTP/2: how many streams a client may have open at a time, and how many bytes of one
/// may have come that its WebSocket has not read, 65,535 at the least. One client can have the server hold the product of
/// both, up to 2 GiB.
///
/// ```
/// // Few WebSockets, with much data each.
/// let http = hybi_hyper::builder_with(16, 1024 * 1024);
/// # let _ = http;
/// ```
#[must_use]
pub fn builder_with(max_streams: u32, stream_window: u32) -> auto::Builder<TokioExecutor> {
    // A window has no more (RFC 9113 section 6.9.1), and begins with so much.
    const MOST: u32 = (1 << 31) - 1;
    let stream_window = stream_window.clamp(65_535, MOST);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_concurrent_streams(max_streams)
        .initial_stream_window_size(stream_window)
        .initial_connection_window_size(stream_window.saturating_mul(max_streams.max(1)).min(MOST))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
