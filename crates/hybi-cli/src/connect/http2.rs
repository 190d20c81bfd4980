//! Opening over HTTP/2, or not at all (RFC 8441 section 5).

use std::time::Instant;

use hybi::{Client, Error};
use hybi_h2::{Session, Settings};
use tokio::time::timeout_at;

use super::dial::Dialler;
use super::open::{Opened, Reached, handshake_failure, not_followed, too_late};
use super::times::Stopwatch;
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::log;
use crate::stream::Stream;

const HINT: &str = "the server may not speak HTTP/2; --http 1.1 does without";

/// Connects by the deadline, and again for each redirect that is followed.
pub(super) async fn open(
    args: &ConnectArgs,
    mut client: Client,
    dialler: &Dialler<'_>,
    stopwatch: &Stopwatch,
    deadline: Instant,
) -> Result<Reached, Failure> {
    let mut uri = args.url.uri.clone();
    loop {
        let stream = dialler.reach(&client, &uri, deadline).await?;
        if uri.is_secure() && !has_settled(&stream) {
            let why = "TLS did not settle on it";
            return Err(Failure::new(Status::BadHandshake, "no HTTP/2", why).hint(HINT));
        }
        let session = Session::with(&client, Settings::default(), stream);
        let session = timeout_at(deadline.into(), session).await.map_err(|_| too_late(args))?;
        let session = session.map_err(|error| match error {
            Error::Opening(_) => handshake_failure(args, &error).hint(HINT),
            error => handshake_failure(args, &error),
        })?;
        let Some(session) = session else {
            let why = "the server takes no WebSockets over HTTP/2";
            let failure = Failure::new(Status::BadHandshake, "no extended CONNECT", why);
            return Err(failure.hint("--http 1.1 asks for one by an upgrade"));
        };
        let opening = session.open(&client, uri.clone());
        let answered = timeout_at(deadline.into(), opening).await.map_err(|_| too_late(args))?;
        let error = match answered {
            Ok((ws, response)) => {
                let opened = Opened { ws, response, uri, times: stopwatch.take() };
                return Ok(Reached::Http2(Box::new(opened)));
            }
            Err(error) => error,
        };
        let next = client.redirect(&uri, &error).map_err(|why| not_followed(&why))?;
        (client, uri) = next.ok_or_else(|| handshake_failure(args, &error))?;
        log::info(format_args!("redirected to {uri}"));
    }
}

fn has_settled(stream: &Stream) -> bool {
    match stream {
        Stream::Tcp(stream) => stream.alpn_protocol() == Some(b"h2"),
        Stream::Unix(_) => false,
    }
}
