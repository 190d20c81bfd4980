//! Transport over the sockets of std, or any others that the system can wait for.

use core::task::{Context, Poll};
use std::{
    io::{self, IoSlice, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use hybi::io::Transport;
use rustix::{
    event::PollFlags,
    net::{Shutdown, shutdown},
};

use crate::{
    descriptor::{self, AsFd},
    reactor,
};

/// A socket that a [`WebSocket`](crate::WebSocket) can be over: those of std, and whatever else is a socket to the
/// system and can be read and written by reference.
///
/// What can only be read and written, such as a stream of a TLS library, is none: nobody could wait for it and for
/// something else at the same time.
///
/// ```
/// use hybi_blocking::{Error, Socket, Server};
///
/// fn echo<S: Socket>(stream: S) -> Result<(), Error> {
///     let mut ws = hybi_blocking::accept_on(&Server::default(), stream)?;
///     while let Some(message) = ws.recv()? {
///         ws.feed(message)?;
///     }
///     Ok(())
/// }
/// ```
pub trait Socket: AsFd + Send + Sync + 'static {
    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if nothing is, or whatever the system reports.
    fn read_now(&self, chunk: &mut [u8]) -> io::Result<usize>;

    /// Writes what there is room for.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if there is none, or whatever the system reports.
    fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends the sending half. Provided is what the system does of this name to a socket.
    ///
    /// # Errors
    ///
    /// Whatever the system reports.
    fn shut_down(&self) -> io::Result<()> {
        Ok(shutdown(descriptor::borrow(self), Shutdown::Write)?)
    }
}

impl<S: AsFd + Send + Sync + 'static> Socket for S
where
    for<'a> &'a S: Read + Write,
{
    fn read_now(&self, chunk: &mut [u8]) -> io::Result<usize> {
        let mut this = self;
        this.read(chunk)
    }

    fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut this = self;
        match slices {
            [slice] => this.write(slice),
            slices => this.write_vectored(slices),
        }
    }
}

/// A socket as a [`Transport`], to be polled within [`block_on`](crate::block_on).
///
/// ```no_run
/// use std::net::TcpStream;
/// use hybi_blocking::{BlockingIo, BlockingTimer, Client, block_on, opening};
///
/// // What `hybi_blocking::connect_on` does, from the parts.
/// let stream = BlockingIo::new(TcpStream::connect("127.0.0.1:8080")?)?;
/// let client = Client::default();
/// let (timer, deadline) = opening::begin::<BlockingTimer>(client.config());
/// let uri = "ws://127.0.0.1:8080/";
/// let (ws, _response) = block_on(opening::connect_on(&client, uri, stream, timer, deadline))?;
/// # let _ = ws;
/// # Ok::<(), hybi_blocking::Error>(())
/// ```
#[derive(Debug)]
pub struct BlockingIo<S>(Arc<S>);

impl<S: Socket> BlockingIo<S> {
    /// Wraps a socket, which does not block any more from now on; nor do others that share it, as those of
    /// `try_clone` do.
    ///
    /// # Errors
    ///
    /// Whatever the system reports.
    pub fn new(stream: S) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(descriptor::borrow(&stream), true)?;
        Ok(Self(Arc::new(stream)))
    }

    /// The socket.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.0
    }

    pub(crate) const fn socket(&self) -> &Arc<S> {
        &self.0
    }

    pub(crate) fn read<T>(&self, mut read: impl FnMut(&S) -> io::Result<T>) -> Poll<io::Result<T>> {
        self.when(PollFlags::IN, &mut read)
    }

    pub(crate) fn write<T>(
        &self,
        mut write: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.when(PollFlags::OUT, &mut write)
    }

    /// Does it now, or notes what it waits for.
    fn when<T>(
        &self,
        what: PollFlags,
        work: &mut dyn FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match work(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return reactor::wait_for(&self.0, what);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Ends the sending half.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.0.shut_down()
    }
}

impl<S: Socket> Transport for BlockingIo<S> {
    fn poll_read(&mut self, _: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.read(|socket| socket.read_now(chunk))
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(|socket| socket.write_now(slices))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end())
    }
}

/// Frames are written whole; holding back the last piece of one only adds delay. Where it cannot be had, as
/// on a socket that is none of TCP, delay is all that comes of it.
pub(crate) fn without_delay(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}
