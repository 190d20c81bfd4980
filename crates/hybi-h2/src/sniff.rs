//! Sniffed: a stream of which the first bytes were read to tell the version of HTTP (RFC 9113 section 3.4).

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, IoSlice};

use bytes::{Bytes, BytesMut};
use hybi_tokio::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What a client of HTTP/2 says first. No request of HTTP/1 begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream of TCP, plain or through TLS, with what was read of it already.
#[derive(Debug)]
pub struct Sniffed {
    begin: Bytes,
    stream: Stream,
}

/// Which version of HTTP is spoken on a stream.
pub(crate) enum Spoken {
    Http1(Sniffed),
    Http2(Sniffed),
}

impl Sniffed {
    /// A stream of which nothing was read.
    pub(crate) const fn new(stream: Stream) -> Self {
        Self { begin: Bytes::new(), stream }
    }

    /// The stream, for its addresses and options.
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Finds out what the peer speaks: through TLS it was settled; otherwise its first bytes tell.
    pub(crate) async fn of(stream: Stream) -> io::Result<Spoken> {
        if !matches!(stream, Stream::Plain(_)) {
            let is_http2 = stream.alpn_protocol() == Some(b"h2");
            let stream = Self::new(stream);
            return Ok(if is_http2 { Spoken::Http2(stream) } else { Spoken::Http1(stream) });
        }
        let mut stream = stream;
        let mut begin = BytesMut::with_capacity(PREFACE.len());
        while PREFACE.starts_with(&begin) && begin.len() < PREFACE.len() {
            let left = PREFACE.len() - begin.len();
            if (&mut stream).take(left as u64).read_buf(&mut begin).await? == 0 {
                break;
            }
        }
        let is_http2 = begin == PREFACE;
        let stream = Self { begin: begin.freeze(), stream };
        Ok(if is_http2 { Spoken::Http2(stream) } else { Spoken::Http1(stream) })
    }
}

impl AsyncRead for Sniffed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begin.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let len = self.begin.len().min(buffer.remaining());
        buffer.put_slice(&self.begin.split_to(len));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sniffed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
