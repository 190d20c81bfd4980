//! WebSocket over HTTP/2 (RFC 8441) on tokio, as server and as client: many connections share one of TCP.
//!
//! A connection over HTTP/2 is the same [`hybi::WebSocket`], with the same extensions, limits and deadlines; only its
//! transport is another: a stream of HTTP/2, as the `h2` crate frames it. One port serves both versions of HTTP:
//! through TLS by what ALPN settled, and without by the first bytes of the client (prior knowledge).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), hybi::Error> {
//! use hybi::{Client, Error, Server};
//! use hybi_h2::Session;
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! tokio::spawn(hybi_h2::serve(listener, Server::default(), |mut ws| async move {
//!     while let Some(message) = ws.recv().await? {
//!         ws.feed(message).await?;
//!     }
//!     Ok::<_, Error>(())
//! }));
//!
//! // Two over one connection of HTTP/2.
//! let client = Client::default();
//! let stream = tokio::net::TcpStream::connect(address).await?;
//! let session = Session::on(&client, stream).await?.expect("the server takes WebSockets");
//! let (mut first, _response) = session.open(&client, "ws://example.org/first").await?;
//! let (mut second, _response) = session.open(&client, "ws://example.org/second").await?;
//! first.send("hello").await?;
//! second.send("hi").await?;
//! assert_eq!(second.recv().await?, Some("hi".into()));
//! assert_eq!(first.recv().await?, Some("hello".into()));
//! # Ok(())
//! # }
//! ```
//!
//! # What differs from HTTP/1.1
//!
//! - The opening handshake is an extended CONNECT, answered with 200; there is no key. Only RFC 6455 goes over HTTP/2.
//! - The end of a stream is what the end of TCP is, and `RST_STREAM` with `CANCEL` what its reset is.
//! - What one WebSocket does not read holds up none of its neighbours: the window of the connection has room for the
//!   windows of all its streams ([`Settings`]).
//! - A message may cross many `DATA` frames, whose bounds mean nothing.
//!
//! - A flush waits until what was written has been given to the stream of TCP or TLS: HTTP/2 discards what waits of a stream
//!   that is cancelled, as it is when its WebSocket is dropped.
//! - When a server ends, each WebSocket is closed first; `GOAWAY` comes behind the last of them, since there are clients that
//!   take it for the end of all. What is asked for meanwhile is refused with `REFUSED_STREAM`.
//!
//! # Limits
//!
//! Those of a connection are [`Settings`], those of its WebSockets [`hybi::Config`], and both count among those of
//! [`Serving`](hybi::serve::Serving). The `h2` crate has some of its own, which end the connection with
//! `ENHANCE_YOUR_CALM`:
//!
//! - 100 `DATA` frames without a byte but padding, over the life of a connection, but for those that end a stream;
//! - 5 `CONTINUATION` frames that do not end their block, where [`max_header_list`](Settings::max_header_list) is 16 KiB;
//! - 20 requests that were reset before they were taken, 1,024 that were refused or broken;
//! - small `DATA` frames that nobody has read, when what they lack of 256 bytes is as much as the window of the connection.
//!
//! It ends the connection, not the stream, with `PROTOCOL_ERROR` for a `WINDOW_UPDATE` of zero, and gives that code where
//! RFC 9113 has `FLOW_CONTROL_ERROR` or `FRAME_SIZE_ERROR` for settings out of range.
//!
//! # Features
//!
//! `rustls` brings TLS, by the feature of the same name of `hybi-tokio`; `rustls-native-roots` and `rustls-webpki-roots`
//! whom to trust. Without them there is prior knowledge alone.

#![forbid(unsafe_code)]

#[cfg_attr(not(feature = "rustls"), path = "no_alpn.rs")]
mod alpn;
mod cause;
mod connector;
mod io;
mod keep_alive;
mod serving;
mod session;
mod settings;
mod sniff;
mod stream;
mod underway;

pub use connector::Connector;
pub use io::EitherIo;
pub use serving::{Http2Listener, Serving, serve, serve_requests};
#[cfg(feature = "rustls")]
pub use serving::{serve_requests_tls, serve_tls};
pub use session::Session;
pub use settings::Settings;
pub use sniff::Sniffed;
pub use stream::Http2Io;

/// A connection over either version of HTTP.
///
/// ```
/// use hybi_h2::{EitherIo, WebSocket};
///
/// fn is_http2(ws: &WebSocket) -> bool {
///     matches!(ws.transport(), EitherIo::Http2(_))
/// }
/// ```
pub type WebSocket = hybi::WebSocket<EitherIo, hybi_tokio::TokioTimer>;

/// A request over either version of HTTP that waits to be answered; see [`hybi::Incoming`].
///
/// ```no_run
/// use hybi::{Error, Server};
/// use hybi_h2::Incoming;
///
/// async fn decide(incoming: Incoming) -> Result<(), Error> {
///     println!("{:?} asks for {}", incoming.request().version(), incoming.request().uri().path());
///     incoming.accept().await?.send("welcome").await?;
///     Ok(())
/// }
///
/// # async fn example() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// hybi_h2::serve_requests(listener, Server::default(), decide).await;
/// # Ok(())
/// # }
/// ```
pub type Incoming = hybi::Incoming<EitherIo, hybi_tokio::TokioTimer>;

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
