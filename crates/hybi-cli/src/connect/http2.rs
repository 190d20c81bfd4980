//! Opening over HTTP/2, or not at all (RFC 8441 section 5).

use core::fmt;
use std::io;
use std::time::Instant;

use http::Response;
use hybi::{Client, Deadline, Error, OpeningError, WsUri};
use hybi_h2::{Session, Settings, WebSocket};
use hybi_tokio::Stream;
use tokio::time::timeout_at;

use crate::exit::{Failure, Status};

/// What a server that was reached lacks, so that it is not asked.
#[derive(Clone, Copy, Debug)]
enum Lack {
    Http2,
    ExtendedConnect,
}

/// Asks the server at the other end, by the deadline.
pub(super) async fn ask(
    client: &Client,
    uri: &WsUri,
    stream: Stream,
    deadline: Instant,
) -> Result<(WebSocket, Response<()>), Error> {
    if uri.is_secure() && stream.alpn_protocol() != Some(b"h2") {
        return Err(Lack::Http2.into());
    }
    let asking = async {
        let session = Session::with(client, Settings::default(), stream).await?;
        session.ok_or(Lack::ExtendedConnect)?.open(client, uri.clone()).await
    };
    let answered = timeout_at(deadline.into(), asking).await;
    answered.unwrap_or(Err(Error::Timeout(Deadline::Handshake)))
}

/// What HTTP/2 failed of, if it is that.
pub(super) fn failure(error: &io::Error) -> Failure {
    let lack = error.get_ref().and_then(|cause| cause.downcast_ref());
    let (status, what, hint) = match lack {
        Some(Lack::ExtendedConnect) => {
            (Status::BadHandshake, "no extended CONNECT", "--http 1.1 asks for one by an upgrade")
        }
        Some(Lack::Http2) => (Status::BadHandshake, "no HTTP/2", MAY_NOT_SPEAK),
        None => (Status::Connect, "opening handshake failed", MAY_NOT_SPEAK),
    };
    Failure::new(status, what, error).hint(hint)
}

const MAY_NOT_SPEAK: &str = "the server may not speak HTTP/2; --http 1.1 does without";

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http2 => "TLS did not settle on it",
            Self::ExtendedConnect => "the server takes no WebSockets over HTTP/2",
        })
    }
}

impl core::error::Error for Lack {}

impl From<Lack> for Error {
    fn from(lack: Lack) -> Self {
        let error = io::Error::new(io::ErrorKind::Unsupported, lack);
        OpeningError::Handshake(error).into()
    }
}
