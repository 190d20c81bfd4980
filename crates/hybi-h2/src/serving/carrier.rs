//! A connection of HTTP/2 as server: what its streams ask for, and when it is over.

use core::{
    mem,
    task::{Context, Poll},
};
use std::io;

use h2::{RecvStream, server::SendResponse};
use hybi::{handshake::Protocol, opening::Requested, serve::Carrier};
use tokio::time::Instant;

use crate::{
    EitherIo, Http2Io, Settings,
    keep_alive::{Finding, KeepAlive},
    sniff::Replayed,
    stream::io_error,
    underway::Payload,
};

/// A connection of HTTP/2 whose preface has come.
pub(super) struct Connection {
    frames: h2::server::Connection<Replayed, Payload>,
    keep_alive: KeepAlive,
    settings: Settings,
    /// Since when there has been no stream.
    idle_since: Option<Instant>,
}

impl Connection {
    pub(super) async fn accept(stream: Replayed, settings: Settings) -> io::Result<Self> {
        let mut frames = settings.server().handshake(stream).await.map_err(io_error)?;
        // It is there to be taken once.
        let pings = frames.ping_pong().ok_or(io::ErrorKind::Unsupported)?;
        let keep_alive = KeepAlive::new(pings, settings);
        Ok(Self { frames, keep_alive, settings, idle_since: Some(Instant::now()) })
    }

    /// Lets it go in order if nobody has used it for long.
    fn judge_idleness(&mut self) {
        if self.frames.has_streams() {
            self.idle_since = None;
            return;
        }
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.settings.idle_time() {
            self.frames.graceful_shutdown();
        }
    }
}

impl Carrier<EitherIo> for Connection {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Requested<EitherIo>>> {
        loop {
            match self.frames.poll_accept(cx) {
                Poll::Ready(Some(Ok(asked))) => {
                    self.idle_since = None;
                    return Poll::Ready(Some(requested(asked)));
                }
                // What it fails of was told to the peer; each stream has its own error.
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            match self.keep_alive.poll(cx) {
                Poll::Ready(Finding::Alive) => self.judge_idleness(),
                Poll::Ready(Finding::Gone) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn close(&mut self) {
        self.frames.graceful_shutdown();
    }
}

/// A request as the layers below know it: without what belongs to HTTP/2, and with its `:protocol`.
fn requested(
    (request, answer): (http::Request<RecvStream>, SendResponse<Payload>),
) -> Requested<EitherIo> {
    let (mut head, receiving) = request.into_parts();
    let extensions = mem::take(&mut head.extensions);
    if let Some(protocol) = extensions.get::<h2::ext::Protocol>() {
        head.extensions.insert(Protocol::new(protocol.as_str()));
    }
    let stream = Http2Io::asked(receiving, answer);
    Requested::new(http::Request::from_parts(head, ()), EitherIo::Http2(stream))
}
