//! Messages as streams of bytes: read as they come, sent as they are written.

use core::{future::poll_fn, pin::Pin};
use std::io::{self, Read, Write};

use futures_io::{AsyncRead as _, AsyncWrite as _};
use hybi::{Compress, Error, MessageKind, bytes::Bytes, io::Transport};

use crate::{BlockingTimer, Stream, block_on};

/// A message that is read as it comes; see [`hybi::MessageReader`].
///
/// ```
/// use std::{fs::File, io};
/// use hybi_blocking::{Error, WebSocket};
///
/// /// Saves the next message, of whatever length.
/// fn save(ws: &mut WebSocket, mut file: File) -> Result<(), Error> {
///     if let Some(mut reader) = ws.recv_reader()? {
///         io::copy(&mut reader, &mut file)?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct MessageReader<'a, T: Transport = Stream>(hybi::MessageReader<'a, T, BlockingTimer>);

impl<'a, T: Transport> MessageReader<'a, T> {
    pub(crate) fn new(inner: hybi::MessageReader<'a, T, BlockingTimer>) -> Self {
        Self(inner)
    }

    /// Whether it is text.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.0.kind()
    }

    /// The next piece; `None` is the end of the message.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`](crate::WebSocket::recv).
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        block_on(self.0.next_piece())
    }
}

impl<T: Transport> Read for MessageReader<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        block_on(poll_fn(|cx| Pin::new(&mut self.0).poll_read(cx, buffer)))
    }
}

/// A message that is sent as it is written; see [`hybi::MessageWriter`].
///
/// ```
/// use std::{fs::File, io};
/// use hybi_blocking::{Error, MessageKind, WebSocket};
///
/// /// Sends a file as one message, of whatever length.
/// fn send(ws: &mut WebSocket, mut file: File) -> Result<(), Error> {
///     let mut writer = ws.send_writer(MessageKind::Binary)?;
///     io::copy(&mut file, &mut writer)?;
///     writer.finish()
/// }
/// ```
#[derive(Debug)]
pub struct MessageWriter<'a, T: Transport = Stream>(hybi::MessageWriter<'a, T, BlockingTimer>);

impl<'a, T: Transport> MessageWriter<'a, T> {
    pub(crate) fn new(inner: hybi::MessageWriter<'a, T, BlockingTimer>) -> Self {
        Self(inner)
    }

    /// Sets how long its frames are.
    #[must_use]
    pub fn frame_size(self, bytes: usize) -> Self {
        Self(self.0.frame_size(bytes))
    }

    /// Sets whether it is compressed.
    #[must_use]
    pub fn compress(self, compress: Compress) -> Self {
        Self(self.0.compress(compress))
    }

    /// Ends the message. One that is dropped before that fails the connection.
    ///
    /// # Errors
    ///
    /// As [`hybi::MessageWriter::finish`].
    pub fn finish(mut self) -> Result<(), Error> {
        block_on(self.0.finish())
    }
}

impl<T: Transport> Write for MessageWriter<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        block_on(poll_fn(|cx| Pin::new(&mut self.0).poll_write(cx, bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        block_on(poll_fn(|cx| Pin::new(&mut self.0).poll_flush(cx)))
    }
}
