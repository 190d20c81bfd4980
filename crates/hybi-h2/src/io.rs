//! EitherIo: the transport of a WebSocket over either version of HTTP.

use core::task::{Context, Poll};
use std::io::{self, IoSlice};

use bytes::BufMut;
use hybi::{io::Transport, opening::Respond};
use hybi_tokio::TokioIo;

use crate::{Http2Io, Sniffed};

/// What a WebSocket is over, whichever version of HTTP its client speaks: TCP or TLS of its own, or a stream among others.
#[derive(Debug)]
#[non_exhaustive]
pub enum EitherIo {
    /// After an upgrade in HTTP/1.1.
    Http1(TokioIo<Sniffed>),
    /// After an extended CONNECT in HTTP/2.
    Http2(Http2Io),
}

macro_rules! either {
    ($this:expr, $transport:ident => $call:expr) => {
        match $this {
            Self::Http1($transport) => $call,
            Self::Http2($transport) => $call,
        }
    };
}

impl Transport for EitherIo {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        either!(self, transport => transport.poll_read(cx, chunk))
    }

    fn poll_read_direct<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        either!(self, transport => transport.poll_read_direct(cx, buffer))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, transport => transport.poll_write(cx, slices))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, transport => transport.poll_flush(cx))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, transport => transport.poll_shutdown(cx))
    }
}

impl Respond for EitherIo {
    fn respond(&mut self, head: http::Response<()>) -> io::Result<()> {
        match self {
            Self::Http2(stream) => stream.respond(head),
            // Over HTTP/1.1 the head is in the bytes.
            Self::Http1(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
