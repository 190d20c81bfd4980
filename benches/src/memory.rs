//! Transports in memory: one that reads the same stream for ever, and takes what is written.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, Read, Write};
use std::time::Instant;

use hybi_tokio::bytes::BufMut;
use hybi_tokio::io::{Timer, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads give `stream` over and over; writes are kept if asked for.
#[derive(Debug)]
pub struct Memory<'a> {
    stream: &'a [u8],
    at: usize,
    /// The most that one read gives.
    most: usize,
    /// What was written, unless that is not wanted.
    pub written: Option<Vec<u8>>,
}

impl<'a> Memory<'a> {
    /// A peer that sends `stream` without end.
    #[must_use]
    pub fn reading(stream: &'a [u8]) -> Self {
        Self { stream, at: 0, most: usize::MAX, written: None }
    }

    /// A peer that takes all that is written; `keep` says whether it can be looked at.
    #[must_use]
    pub fn writing(keep: bool) -> Self {
        Self { written: keep.then(Vec::new), ..Self::reading(&[]) }
    }

    /// Gives no more than `most` bytes a read.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The next bytes of the stream, at most `limit`.
    pub fn next_bytes(&mut self, limit: usize) -> &'a [u8] {
        if self.at == self.stream.len() {
            self.at = 0;
        }
        let rest = &self.stream[self.at..];
        let bytes = &rest[..rest.len().min(limit).min(self.most)];
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

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        slices.iter().map(|slice| self.write(slice)).sum()
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
        // A peer without a stream says nothing, and does not leave.
        if self.stream.is_empty() {
            return Poll::Pending;
        }
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
        Poll::Ready(self.write_vectored(slices))
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

/// Without any runtime in between.
impl Transport for Memory<'_> {
    fn poll_read(&mut self, _: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        // A peer without a stream says nothing, and does not leave.
        if self.stream.is_empty() { Poll::Pending } else { Poll::Ready(self.read(chunk)) }
    }

    fn poll_read_direct<B: BufMut>(
        &mut self,
        _: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        let bytes = self.next_bytes(buffer.remaining_mut());
        buffer.put_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_vectored(slices))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Still(Instant);

impl Default for Still {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Timer for Still {
    fn now(&self) -> Instant {
        self.0
    }

    fn poll_until(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}
