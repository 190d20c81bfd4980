//! A connection of HTTP/2 as server: what its streams ask for, and when it is over.

#[cfg(test)]
mod faults;

use core::{
    mem,
    task::{Context, Poll},
};
use std::io;

use h2::{RecvStream, server::SendResponse};
use hybi::{handshake::Protocol, opening::Requested, serve::Carrier};
use hybi_tokio::Socket;
use tokio::time::Instant;

use crate::{
    EitherIo, Http2Io, Settings,
    cause::{Cause, io_error},
    keep_alive::{Finding, KeepAlive},
    underway::Payload,
};

/// A connection of HTTP/2 whose preface has come.
pub(super) struct Connection<S> {
    frames: h2::server::Connection<S, Payload>,
    keep_alive: KeepAlive,
    settings: Settings,
    phase: Phase,
    cause: Cause,
}

/// How far a connection is from its end.
enum Phase {
    /// There are streams, for all that is known.
    Busy,
    /// There has been none since then.
    Idle(Instant),
    /// Nobody wants more of it. GOAWAY comes behind the last word of each stream, since there are clients that take it for
    /// the end of all.
    Closing,
    /// GOAWAY left then, and a ping whose answer says that the peer knows.
    GoingAway(Instant),
}

impl<S: Socket> Connection<S> {
    pub(super) async fn accept(stream: S, settings: Settings) -> io::Result<Self> {
        let mut frames = settings.server().handshake(stream).await.map_err(io_error)?;
        // It is there to be taken once.
        let pings = frames.ping_pong().ok_or(io::ErrorKind::Unsupported)?;
        let keep_alive = KeepAlive::new(pings, settings);
        let (phase, cause) = (Phase::Idle(Instant::now()), Cause::default());
        Ok(Self { frames, keep_alive, settings, phase, cause })
    }

    /// Lets it go in order if nobody has used it for long; false if that is over, whether or not the peer knows.
    fn judge_idleness(&mut self) -> bool {
        let now = Instant::now();
        let (_, patience) = self.settings.ping_times();
        match self.phase {
            Phase::GoingAway(since) if !self.frames.has_streams() => {
                return now.duration_since(since) < patience;
            }
            Phase::Closing | Phase::GoingAway(_) => {}
            Phase::Busy | Phase::Idle(_) if self.frames.has_streams() => self.phase = Phase::Busy,
            Phase::Busy => self.phase = Phase::Idle(now),
            Phase::Idle(since) if now.duration_since(since) < self.settings.idle_time() => {}
            Phase::Idle(_) => self.go_away(),
        }
        true
    }

    fn go_away(&mut self) {
        self.frames.graceful_shutdown();
        self.phase = Phase::GoingAway(Instant::now());
    }
}

impl<S: Socket + Send> Carrier<EitherIo> for Connection<S> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Requested<EitherIo>>> {
        loop {
            match self.frames.poll_accept(cx) {
                Poll::Ready(Some(Ok(asked))) => {
                    if let Phase::Idle(_) = self.phase {
                        self.phase = Phase::Busy;
                    }
                    return Poll::Ready(Some(requested(asked, &self.cause)));
                }
                // What it fails of was told to the peer.
                Poll::Ready(Some(Err(error))) => {
                    self.cause.failed(error);
                    return Poll::Ready(None);
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            if matches!(self.phase, Phase::Closing) && !self.frames.has_streams() {
                self.go_away();
                continue;
            }
            match self.keep_alive.poll(cx) {
                Poll::Ready(Finding::Alive) if self.judge_idleness() => {}
                Poll::Ready(Finding::Alive) => return Poll::Ready(None),
                Poll::Ready(Finding::Gone) => {
                    self.cause.gone();
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn close(&mut self) {
        if !matches!(self.phase, Phase::GoingAway(_)) {
            self.phase = Phase::Closing;
        }
    }
}

/// A request as the layers below know it: without what belongs to HTTP/2, and with its `:protocol`.
fn requested(
    (request, answer): (http::Request<RecvStream>, SendResponse<Payload>),
    cause: &Cause,
) -> Requested<EitherIo> {
    let (mut head, receiving) = request.into_parts();
    let extensions = mem::take(&mut head.extensions);
    if let Some(protocol) = extensions.get::<h2::ext::Protocol>() {
        head.extensions.insert(Protocol::new(protocol.as_str()));
    }
    let stream = Http2Io::asked(receiving, answer, cause.clone());
    Requested::new(http::Request::from_parts(head, ()), EitherIo::Http2(stream))
}
