//! Transports in memory: one that reads the same stream for ever, and takes what is written.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads give `stream` over and over; writes are kept if asked for.
#[derive(Debug)]
pub struct Memory<'a> {
    stream: &'a [u8],
    at: usize,
    /// What was written, unless that is not wanted.
    pub written: Option<Vec<u8>>,
}

impl<'a> Memory<'a> {
    /// A peer that sends `stream` without end.
    #[must_use]
    pub fn reading(stream: &'a [u8]) -> Self {
        Self { stream, at: 0, written: None }
    }

    /// A peer that takes all that is written; `keep` says whether it can be looked at.
    #[must_use]
    pub fn writing(keep: bool) -> Self {
        Self { stream: &[], at: 0, written: keep.then(Vec::new) }
    }

    /// The next bytes of the stream, at most `limit`.
    pub fn next_bytes(&mut self, limit: usize) -> &'a [u8] {
        if self.at == self.stream.len() {
            self.at = 0;
        }
        let rest = &self.stream[self.at..];
        let bytes = &rest[..rest.len().min(limit)];
        self.at += bytes.len();
        bytes
    }
}

impl Read for Memory<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next_bytes(into.len());
        into[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(written) = &mut self.written {
            written.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Memory<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = self.next_bytes(into.remaining());
        into.put_slice(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut total = 0;
        for slice in slices {
            total += self.write(slice)?;
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
