//! The two small traits that an adapter implements for its runtime: transport and timer.

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::{
    io::{self, IoSlice},
    time::Instant,
};

use bytes::BufMut;
use futures_io::{AsyncRead, AsyncWrite};

use super::pool::{self, ThreadChunk};
use crate::connection::share_output;

/// The bytes underneath a connection: a TCP or TLS stream, or anything like it.
///
/// Reading and writing may be pending at the same time on different tasks.
///
/// ```
/// use std::{
///     io::{self, IoSlice, Read, Write},
///     net::{Shutdown, TcpStream},
///     task::{Context, Poll},
///     time::Instant,
/// };
/// use hybi::io::{Timer, Transport};
///
/// /// A non-blocking `TcpStream` that asks again and again: the simplest runtime is none.
/// struct Busy(TcpStream);
///
/// fn again<T>(cx: &mut Context<'_>, result: io::Result<T>) -> Poll<io::Result<T>> {
///     match result {
///         Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
///             // A runtime would wake the task when the socket is ready.
///             cx.waker().wake_by_ref();
///             Poll::Pending
///         }
///         result => Poll::Ready(result),
///     }
/// }
///
/// impl Transport for Busy {
///     fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
///         again(cx, self.0.read(chunk))
///     }
///     fn poll_write(
///         &mut self,
///         cx: &mut Context<'_>,
///         slices: &[IoSlice<'_>],
///     ) -> Poll<io::Result<usize>> {
///         again(cx, self.0.write_vectored(slices))
///     }
///     fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         again(cx, self.0.flush())
///     }
///     fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         Poll::Ready(self.0.shutdown(Shutdown::Write))
///     }
/// }
///
/// struct Clock;
///
/// impl Timer for Clock {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///     fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
///         if Instant::now() >= deadline {
///             return Poll::Ready(());
///         }
///         cx.waker().wake_by_ref();
///         Poll::Pending
///     }
/// }
///
/// // A server on it, and a client.
/// # use futures_util::FutureExt;
/// use hybi::{Client, Error, Message, Server, opening};
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let transport = |stream: TcpStream| stream.set_nonblocking(true).map(|()| Busy(stream));
/// let ours = transport(TcpStream::connect(listener.local_addr()?)?)?;
/// let theirs = transport(listener.accept()?.0)?;
///
/// let (server, client) = (Server::default(), Client::default());
/// let serving = async {
///     let deadline = server.config().handshake_deadline(Clock.now());
///     let mut ws = opening::accept_on(&server, theirs, Clock, deadline).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.send(message).await?;
///     }
///     Ok::<_, Error>(())
/// };
/// let asking = async {
///     let deadline = client.config().handshake_deadline(Clock.now());
///     let uri = "ws://example.org/";
///     let (mut ws, _response) = opening::connect_on(&client, uri, ours, Clock, deadline).await?;
///     ws.send("hello").await?;
///     assert_eq!(ws.recv().await?, Some(Message::from("hello")));
///     ws.close(hybi::CloseCode::NORMAL, "").await?;
///     Ok::<_, Error>(())
/// };
/// # let mut both = std::pin::pin!(futures_util::future::try_join(serving, asking));
/// # let mut cx = Context::from_waker(std::task::Waker::noop());
/// # loop {
/// #     if let Poll::Ready(result) = both.poll_unpin(&mut cx) {
/// #         result?;
/// #         break;
/// #     }
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transport: Unpin {
    /// Reads into the front of `chunk`; `Ok(0)` is the end of input.
    ///
    /// # Errors
    ///
    /// Whatever the transport reports; the connection is over then. [`io::ErrorKind::UnexpectedEof`],
    /// by which TLS tells that the peer left without a close_notify, counts as an end of input that
    /// the peer did not announce.
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Reads and appends to `buffer`, no more than it has room for; `Ok(0)` is the end of input.
    ///
    /// Meant for runtimes that can read into uninitialised space, so that a large message is
    /// neither zeroed nor copied. An adapter without that leaves it out: the provided version
    /// reads through a chunk that the thread lends.
    ///
    /// # Errors
    ///
    /// As [`poll_read`](Self::poll_read).
    fn poll_read_direct<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        let mut chunk = ThreadChunk::borrow();
        let space = chunk.room(1);
        let len = space.len().min(buffer.remaining_mut());
        let read = ready!(self.poll_read(cx, &mut space[..len]))?;
        buffer.put_slice(&space[..read]);
        Poll::Ready(Ok(read))
    }

    /// Writes from the front of `slices`, in order; returns how many bytes were taken.
    ///
    /// # Errors
    ///
    /// As [`poll_read`](Self::poll_read).
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// Hands everything written to the network.
    ///
    /// # Errors
    ///
    /// As [`poll_read`](Self::poll_read).
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the sending half, after what was written: TLS says goodbye, TCP sends its FIN.
    /// Reading goes on.
    ///
    /// # Errors
    ///
    /// As [`poll_read`](Self::poll_read).
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// The one timer of a connection; [`Transport`] has an example of one.
pub trait Timer: Unpin {
    /// The time now, on the clock that [`poll_until`](Self::poll_until) waits by.
    fn now(&self) -> Instant;

    /// Waits until `deadline`. A deadline that differs from the last call's replaces it.
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()>;
}

/// Leaves the buffers that this thread keeps for its next messages to whichever thread of the process needs some next.
///
/// Buffers belong to threads, since those are few and busy where connections are many and idle. Where a thread waits for
/// one connection alone, an adapter calls this before it does, so that an idle connection holds none there either.
/// What is left is for all threads, up to 32 blocks of 130 KiB for input, as many buffers for output of 128 KiB at the most,
/// and eight states of each codec; so a message costs a thread that waits for each no allocation.
///
/// ```
/// use std::{io, time::Duration};
///
/// /// Waits in the operating system.
/// fn wait(poll: impl FnOnce(Option<Duration>) -> io::Result<()>) -> io::Result<()> {
///     hybi::io::share_buffers();
///     poll(None)
/// }
/// # wait(|_| Ok(()))?;
/// # Ok::<(), io::Error>(())
/// ```
pub fn share_buffers() {
    pool::share();
    share_output();
    hybi_compression::share_buffers();
    #[cfg(feature = "mux")]
    hybi_mux::release_buffers();
}

/// Any stream with the futures-io traits as a [`Transport`]: what async-std and smol give.
///
/// ```
/// use futures_io::{AsyncRead, AsyncWrite};
/// use hybi::{Error, Server, WebSocket, io::{FuturesIo, Timer}, opening};
///
/// async fn accept<S, C>(stream: S, timer: C) -> Result<WebSocket<FuturesIo<S>, C>, Error>
/// where
///     S: AsyncRead + AsyncWrite + Unpin,
///     C: Timer,
/// {
///     let server = Server::default();
///     let deadline = server.config().handshake_deadline(timer.now());
///     opening::accept_on(&server, FuturesIo::new(stream), timer, deadline).await
/// }
/// ```
#[derive(Debug)]
pub struct FuturesIo<S>(S);

impl<S> FuturesIo<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self(stream)
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.0
    }

    /// The stream, back.
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for FuturesIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, chunk)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [slice] => Pin::new(&mut self.0).poll_write(cx, slice),
            slices => Pin::new(&mut self.0).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
