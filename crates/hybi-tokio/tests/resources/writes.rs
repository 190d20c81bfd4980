//! How often a connection asks the transport to write (RFC 6455 section 5 says nothing of it; speed
//! does).

use core::{
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};
use std::{
    io::{self, IoSlice},
    sync::Arc,
};

use hybi_suite::{peer::REQUEST, suite::bounded};
use hybi_testkit::wire::{self, Side, TEXT};
use hybi_tokio::{Error, Server};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};

use crate::memory::block_on;

/// A stream that counts the writes asked of it.
struct Counting {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[test]
fn what_one_read_brought_is_answered_with_one_write() {
    bounded("what_one_read_brought_is_answered_with_one_write", || {
        block_on(async {
            let (mut peer, stream) = duplex(1024 * 1024);
            let writes = Arc::new(AtomicUsize::new(0));
            let counting = Counting { stream, writes: writes.clone() };
            let server = tokio::spawn(async move {
                let mut ws = hybi_tokio::accept_on(&Server::default(), counting).await?;
                while let Some(message) = ws.recv().await? {
                    ws.feed(message).await?;
                }
                Ok::<_, Error>(())
            });
            peer.write_all(REQUEST.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(peer.read_u8().await.unwrap());
            }
            let before = writes.load(Ordering::Relaxed);
            let frames = wire::frame(Side::Client, TEXT, b"twenty bytes of text").repeat(1000);
            let echoes = wire::frame(Side::Server, TEXT, b"twenty bytes of text").repeat(1000);
            assert!(frames.len() < 64 * 1024, "one read");
            peer.write_all(&frames).await.unwrap();
            let mut answer = vec![0; echoes.len()];
            peer.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, echoes);
            assert_eq!(writes.load(Ordering::Relaxed) - before, 1);
            drop(peer);
            assert!(matches!(server.await.unwrap(), Err(Error::Lost)));
        })
    });
}
