//! A relay between the versions of HTTP: what comes over one goes on over the other, and the bytes of WebSockets as they
//! are. So a peer that speaks HTTP/1.1 alone judges one that speaks HTTP/2.
//!
//! The first argument is the version that it goes on in, `1.1` or `2`, and the second is where to. It prints where it
//! listens, and passes requests and answers on as they are but for what belongs to a version (RFC 8441 section 5): nothing
//! here knows frames of WebSocket.

#![expect(clippy::print_stdout, reason = "this is how it tells where it is")]

mod copying;
mod http1;
mod http2;

use core::net::SocketAddr;

use http::HeaderMap;
use tokio::net::TcpListener;

/// Whatever ends a connection: both of its sides are dropped then, which resets them.
type Failure = Box<dyn core::error::Error + Send + Sync>;

/// The fields of an opening handshake that mean the same in both versions.
const FIELDS: [&str; 5] = [
    "origin",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "user-agent",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or_else(|| format!("{what} is missing"));
    let version = argument("a version")?;
    let server: SocketAddr = argument("an address")?.parse()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    match &*version {
        "1.1" => http2::to_http1(&listener, server).await,
        "2" => http1::to_http2(&listener, server).await,
        other => Err(format!("no version: {other}").into()),
    }
}

/// The fields that go on.
fn passed_on(fields: &HeaderMap) -> HeaderMap {
    let passed = fields.iter().filter(|(name, _)| FIELDS.contains(&name.as_str()));
    passed.map(|(name, value)| (name.clone(), value.clone())).collect()
}
