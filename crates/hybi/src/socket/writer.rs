//! MessageWriter: a message that is sent as it comes, which nobody holds whole.

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io;

use futures_io::AsyncWrite;
use hybi_compression::{Chain, Compress};

use super::{
    access::{Access, Way},
    driver::{Driver, Patience},
    io::{Timer, Transport},
    wakers::Half,
};
use crate::connection::{Connection, Error, MessageKind};

/// A message that is sent as it comes, in as many frames as it takes, so that it may be longer than memory
/// (RFC 6455 section 5.4). `send_writer` of a [`WebSocket`](super::WebSocket) or a [`Sender`](super::Sender) gives it.
///
/// What is written is gathered up to the [size of a frame](Self::frame_size); [`flush`](Self::flush) sends what is
/// there before. Text is checked, and compressed on the way is what was agreed to be, if the first frame suggests
/// that it pays. Pings are answered between two frames; messages of other senders wait until the end.
///
/// It is an [`AsyncWrite`] of the futures crates, whose `close` is [`finish`](Self::finish). Errors are an
/// [`Error`](crate::Error) within the [`io::Error`].
///
/// # Dropping
///
/// A message that has begun to leave cannot be taken back. A writer that is dropped before it
/// [finished](Self::finish) fails the connection with [`Error::Unfinished`](crate::Error::Unfinished) and code 1011,
/// rather than let the peer take a part for the whole. If no frame was queued yet, nothing happens, and what was
/// written goes nowhere.
///
/// ```
/// use futures_util::{AsyncRead, io};
/// use hybi::{MessageKind, WebSocket, io::{Timer, Transport}};
///
/// /// Sends a file as one message, be it longer than memory.
/// async fn upload<T: Transport, C: Timer>(
///     ws: &mut WebSocket<T, C>,
///     file: impl AsyncRead + Unpin,
/// ) -> std::io::Result<u64> {
///     let mut writer = ws.send_writer(MessageKind::Binary)?;
///     let len = io::copy(file, &mut writer).await?;
///     writer.finish().await?;
///     Ok(len)
/// }
/// ```
#[derive(Debug)]
pub struct MessageWriter<'a, T: Transport, C: Timer> {
    way: Way<'a, T, C>,
    half: Half,
    writing: Writing,
}

/// A message that is being written, without a way to the connection.
#[derive(Debug)]
pub(super) struct Writing {
    kind: MessageKind,
    compress: Compress,
    frame_size: usize,
    /// What was written and is in no frame yet.
    gathered: Vec<u8>,
    stage: Stage,
}

/// How far the message has come.
#[derive(Clone, Debug)]
enum Stage {
    /// Nothing of it is queued, and others may still send.
    Unbegun,
    /// A frame of it is queued, and its last one is not.
    Begun,
    /// All of it is queued.
    Finished,
    /// It will never be whole.
    Failed(Error),
}

/// Whether a frame is the last of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    No,
    Message,
}

impl<'a, T: Transport, C: Timer> MessageWriter<'a, T, C> {
    pub(super) fn new(
        mut way: Way<'a, T, C>,
        half: Half,
        kind: MessageKind,
    ) -> Result<Self, Error> {
        let writing = way.with(|driver| Writing::new(&driver.connection, kind))?;
        Ok(Self { way, half, writing })
    }

    /// Sets how many bytes of payload a frame has, before compression: from 1 to 64 KiB; what is beyond counts as
    /// the nearest. By default it is [`Config::fragment_size`](crate::Config::fragment_size), or 64 KiB.
    ///
    /// So much is held, and a ping waits no longer than two of them take. Smaller ones cost more. In the middle of a
    /// message it is for what is written from then on.
    #[must_use]
    pub fn frame_size(mut self, bytes: usize) -> Self {
        self.writing.frame_size = bytes.clamp(1, FRAME_SIZE);
        self
    }

    /// Sets whether the message is compressed, where that was agreed on with the peer;
    /// [`Compress::Auto`] by default, which looks at the first frame.
    #[must_use]
    pub fn compress(mut self, compress: Compress) -> Self {
        self.writing.compress = compress;
        self
    }

    /// Writes all of these bytes. They leave when a frame is full, or with [`flush`](Self::flush).
    ///
    /// If dropped before completion, a part of them may be written, without saying how many. `write` of the futures
    /// crates says it, and so loses nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotUtf8`] once a text went wrong, which cannot go on then; [`Error::Closed`] once a Close frame was
    /// sent or received, or after the [end](Self::finish) of the message; or the error that ended the connection.
    /// Every further call answers the same.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let Self { way, half, writing } = self;
            let len = poll_fn(|cx| writing.poll_gather(way, cx, *half, bytes)).await?;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    /// Sends what was written, in a frame of its own: when this returns, its bytes are with the transport.
    ///
    /// Cancel safe: call it again.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub async fn flush(&mut self) -> Result<(), Error> {
        let Self { way, half, writing } = self;
        poll_fn(|cx| writing.poll_flush(way, cx, *half)).await
    }

    /// Ends the message: sends what was written, as its last frame.
    ///
    /// Cancel safe: call it again. Only [dropping](Self#dropping) the writer gives up, so it is not taken by
    /// this: drop it behind this, or end its block, to go on with the connection.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all). [`Error::NotUtf8`] also if a text ends within a character.
    pub async fn finish(&mut self) -> Result<(), Error> {
        let Self { way, half, writing } = self;
        poll_fn(|cx| writing.poll_finish(way, cx, *half, Patience::UntilClosed)).await
    }
}

impl Writing {
    pub(super) fn new(connection: &Connection, kind: MessageKind) -> Result<Self, Error> {
        connection.may_begin_message()?;
        let frame_size =
            connection.config().fragment_size.unwrap_or(FRAME_SIZE).clamp(1, FRAME_SIZE);
        let (gathered, stage) = (Vec::new(), Stage::Unbegun);
        Ok(Self { kind, compress: Compress::Auto, frame_size, gathered, stage })
    }

    /// Takes bytes from the front, one at least if there is any.
    pub(super) fn poll_gather<T: Transport, C: Timer>(
        &mut self,
        access: &mut impl Access<T, C>,
        cx: &Context<'_>,
        half: Half,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        // It may have been more before another size was set.
        if self.gathered.len() >= self.frame_size {
            ready!(self.poll_frame(access, cx, half, Ends::No))?;
        }
        self.may_write()?;
        // A whole frame need not be gathered.
        if self.gathered.is_empty() && bytes.len() >= self.frame_size {
            let frame = &bytes[..self.frame_size];
            ready!(self.poll_queue(access, cx, half, frame, Ends::No))?;
            return Poll::Ready(Ok(frame.len()));
        }
        let len = bytes.len().min(self.frame_size - self.gathered.len());
        self.gathered.extend_from_slice(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    /// Whether the message may go on.
    fn may_write(&self) -> Result<(), Error> {
        match &self.stage {
            Stage::Unbegun | Stage::Begun => Ok(()),
            Stage::Finished => Err(Error::Closed),
            Stage::Failed(error) => Err(error.clone()),
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// Queues what was gathered.
    fn poll_frame<T: Transport, C: Timer>(
        &mut self,
        access: &mut impl Access<T, C>,
        cx: &Context<'_>,
        half: Half,
        ends: Ends,
    ) -> Poll<Result<(), Error>> {
        let gathered = core::mem::take(&mut self.gathered);
        let polled = self.poll_queue(access, cx, half, &gathered, ends);
        self.gathered = gathered;
        if let Poll::Ready(Ok(())) = polled {
            self.gathered.clear();
        }
        polled
    }

    /// Queues a frame when there is room for it, and when no other message is on its way.
    fn poll_queue<T: Transport, C: Timer>(
        &mut self,
        access: &mut impl Access<T, C>,
        cx: &Context<'_>,
        half: Half,
        frame: &[u8],
        ends: Ends,
    ) -> Poll<Result<(), Error>> {
        self.may_write()?;
        let queued = ready!(access.with(|driver| {
            if let Stage::Unbegun = self.stage {
                ready!(poll_begin(driver, cx, half, self.kind, self.compress))?;
                self.stage = Stage::Begun;
            }
            ready!(driver.poll_piece_room(cx, half, frame.len(), Patience::UntilClosed))?;
            driver.connection.queue_piece(frame, ends == Ends::Message)?;
            if ends == Ends::Message {
                driver.wakers.call_others(half);
            }
            Poll::Ready(Ok::<_, Error>(()))
        }));
        match &queued {
            Ok(()) if ends == Ends::Message => self.stage = Stage::Finished,
            Ok(()) => {}
            // The message cannot go on, which the peer is to know if it has some of it.
            Err(error) => {
                self.give_up(access, half);
                self.stage = Stage::Failed(error.clone());
                self.gathered = Vec::new();
            }
        }
        Poll::Ready(queued)
    }

    fn give_up<T: Transport, C: Timer>(&self, access: &mut impl Access<T, C>, half: Half) {
        if let Stage::Begun = self.stage {
            access.with(|driver| {
                driver.connection.abandon_message();
                driver.wakers.call_others(half);
            });
        }
    }

    pub(super) fn poll_flush<T: Transport, C: Timer>(
        &mut self,
        access: &mut impl Access<T, C>,
        cx: &Context<'_>,
        half: Half,
    ) -> Poll<Result<(), Error>> {
        if !self.gathered.is_empty() {
            ready!(self.poll_frame(access, cx, half, Ends::No))?;
        }
        if let Stage::Failed(error) = &self.stage {
            return Poll::Ready(Err(error.clone()));
        }
        access.with(|driver| driver.poll_flush(cx, half, Patience::UntilClosed))
    }

    /// Queues the last frame, and sends what is queued with this patience.
    pub(super) fn poll_finish<T: Transport, C: Timer>(
        &mut self,
        access: &mut impl Access<T, C>,
        cx: &Context<'_>,
        half: Half,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        if !self.is_finished() {
            ready!(self.poll_frame(access, cx, half, Ends::Message))?;
            self.gathered = Vec::new();
        }
        access.with(|driver| driver.poll_flush(cx, half, patience))
    }
}

/// Begins the message once no other is on its way.
fn poll_begin<T: Transport, C: Timer>(
    driver: &mut Driver<T, C>,
    cx: &Context<'_>,
    half: Half,
    kind: MessageKind,
    compress: Compress,
) -> Poll<Result<(), Error>> {
    let is_free = |connection: &Connection| !connection.is_writing() && !connection.is_encoding();
    ready!(driver.poll_room(cx, half, is_free, Patience::UntilClosed))?;
    Poll::Ready(driver.connection.begin_message(kind, compress))
}

/// A message without its end is none.
impl<T: Transport, C: Timer> Drop for MessageWriter<'_, T, C> {
    fn drop(&mut self) {
        self.writing.give_up(&mut self.way, self.half);
    }
}

/// Writes gather up to a frame; flushing sends what there is; closing ends the message.
impl<T: Transport, C: Timer> AsyncWrite for MessageWriter<'_, T, C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { way, half, writing } = &mut *self;
        if bytes.is_empty() {
            return Poll::Ready(writing.may_write().map(|()| 0).map_err(io::Error::from));
        }
        writing.poll_gather(way, cx, *half, bytes).map_err(io::Error::from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { way, half, writing } = &mut *self;
        writing.poll_flush(way, cx, *half).map_err(io::Error::from)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { way, half, writing } = &mut *self;
        writing.poll_finish(way, cx, *half, Patience::UntilClosed).map_err(io::Error::from)
    }
}

/// The most that a frame has, and what it has unless told otherwise: as much as codecs take at once.
const FRAME_SIZE: usize = Chain::ENCODE_SLICE;
