//! ByteStream: a whole connection as a stream of bytes, for tunnels.

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io;

use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use hybi_frame::{CloseCode, CloseFrame};

use super::{
    WebSocket,
    access::Access,
    driver::{Driver, Patience, Takes},
    io::{Timer, Transport},
    permit::HALF,
    reader::{Piece, poll_piece},
    sending,
    wakers::Half,
    writer::Writing,
};
use crate::connection::{CloseStatus, Connection, Error, MessageKind};

/// A whole connection as a stream of bytes, for what wants one and has to go through a WebSocket: another protocol,
/// a tunnel.
///
/// It is [`AsyncRead`] and [`AsyncWrite`] of the futures crates, whose `split` and `copy` take it. Messages are
/// binary, and may come in any frames; text is an error, and fails the connection with code 1003.
///
/// There are two ways to lay a stream into messages, about which the peers have to agree beforehand:
///
/// | | [`of_messages`](Self::of_messages) | [`endless`](Self::endless) |
/// |---|---|---|
/// | what is written | a message each, of 64 KiB at most | one message, in frames of 64 KiB at most |
/// | when it leaves | with a flush, or when 128 KiB wait | the same |
/// | end of output (`close`) | our Close frame, code 1000 | the end of the message |
/// | end of input | the peer's Close frame | the end of the peer's message |
/// | when one direction has ended | the other goes on for [`Config::close_timeout`](crate::Config::close_timeout) at most | the other goes on |
/// | the whole is over | when both Close frames were sent | when both messages have ended, and a `close` behind that says goodbye |
///
/// A transport that ends without these is an error, [`UnexpectedEof`](io::ErrorKind::UnexpectedEof): nothing is taken
/// for the end that may be a part. Errors are an [`Error`](crate::Error) within the [`io::Error`].
///
/// Deadlines and pings are as ever; messages may have any length. Pings are answered while either direction is used.
///
/// ```
/// use futures_util::{AsyncReadExt, AsyncWriteExt};
/// use hybi::{ByteStream, WebSocket, io::{Timer, Transport}};
///
/// /// Asks and hears the answer, by a protocol that ends each with the end of the stream.
/// async fn ask<T, C>(ws: WebSocket<T, C>) -> std::io::Result<Vec<u8>>
/// where
///     T: Transport + Unpin,
///     C: Timer + Unpin,
/// {
///     let mut stream = ByteStream::endless(ws)?;
///     stream.write_all(b"what time is it?").await?;
///     stream.close().await?;
///     let mut answer = Vec::new();
///     stream.read_to_end(&mut answer).await?;
///     Ok(answer)
/// }
/// ```
#[derive(Debug)]
pub struct ByteStream<T, C> {
    driver: Driver<T, C>,
    /// What came and was not read.
    unread: Bytes,
    input: Input,
    output: Output,
}

/// What is to come.
#[derive(Debug)]
enum Input {
    More,
    /// All of it has come.
    Ended,
    Failed(Error),
}

/// How what is written becomes messages.
#[derive(Debug)]
enum Output {
    /// One each.
    Messages,
    /// One in all.
    Endless(Writing),
}

impl<T: Transport, C: Timer> ByteStream<T, C> {
    /// A stream in which each write is a message, and whose end is that of the connection.
    pub fn of_messages(ws: WebSocket<T, C>) -> Self {
        Self::new(ws, Output::Messages)
    }

    /// A stream in which each direction is a single message.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] in a version without [fragments](crate::Capabilities::fragments), [`Error::Closed`] once a
    /// Close frame was sent or received, or the error that ended the connection.
    pub fn endless(ws: WebSocket<T, C>) -> Result<Self, Error> {
        let writing = Writing::new(&ws.driver.connection, MessageKind::Binary)?;
        Ok(Self::new(ws, Output::Endless(writing)))
    }

    fn new(mut ws: WebSocket<T, C>, output: Output) -> Self {
        ws.held.give_back(&mut ws.driver);
        let WebSocket { driver, .. } = ws;
        Self { driver, unread: Bytes::new(), input: Input::More, output }
    }

    /// How the connection is ending or ended; `None` while it is open.
    #[must_use]
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.driver.connection.close_status()
    }

    /// Takes in what comes, until there is something to read; ready with nothing at the end.
    fn poll_input(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        while self.unread.is_empty() {
            match &self.input {
                Input::More => {}
                Input::Ended => break,
                Input::Failed(error) => return Poll::Ready(Err(error.clone())),
            }
            let took = ready!(poll_piece(&mut self.driver, cx, Takes::Bytes));
            self.input = match (took, &self.output) {
                (Ok(Some(Piece::Part { kind: MessageKind::Binary, bytes })), _)
                | (Ok(Some(Piece::Last { kind: MessageKind::Binary, bytes })), Output::Messages) => {
                    self.unread = bytes;
                    Input::More
                }
                (Ok(Some(Piece::Last { kind: MessageKind::Binary, bytes })), _) => {
                    self.unread = bytes;
                    Input::Ended
                }
                // The error is told when the peer was.
                (Ok(Some(_)), _) => {
                    self.end_with(Connection::refuse_text);
                    Input::More
                }
                (Ok(None), Output::Messages)
                    if self.driver.connection.kind_in_progress().is_none() =>
                {
                    Input::Ended
                }
                // The peer closed within its message, or before it, and waits for our answer to that.
                (Ok(None), _) if self.driver.connection.owes_close() => {
                    self.end_with(Connection::answer_close);
                    Input::More
                }
                (Ok(None), _) => Input::Failed(Error::Lost),
                (Err(error), _) => Input::Failed(error),
            };
        }
        Poll::Ready(Ok(()))
    }

    /// Ends our direction with that of the peer.
    fn end_with(&mut self, end: impl FnOnce(&mut Connection)) {
        self.driver.with(|driver| {
            end(&mut driver.connection);
            driver.wakers.call_others(Half::Receive);
        });
    }

    fn poll_output(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let Self { driver, output, .. } = self;
        match output {
            Output::Messages => driver.with(|driver| {
                let message = &bytes[..bytes.len().min(MESSAGE)];
                ready!(driver.poll_piece_room(cx, HALF, message.len(), Patience::HalfClosed))?;
                sending::queue(driver, HALF, message.into())?;
                driver.write_early(cx, HALF);
                Poll::Ready(Ok(message.len()))
            }),
            Output::Endless(writing) => writing.poll_gather(driver, cx, HALF, bytes),
        }
    }

    fn poll_sent(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let Self { driver, output, .. } = self;
        match output {
            Output::Messages => {
                driver.with(|driver| driver.poll_flush(cx, HALF, Patience::HalfClosed))
            }
            Output::Endless(writing) => writing.poll_flush(driver, cx, HALF),
        }
    }

    /// Ends our direction.
    fn poll_ended(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        if let Output::Endless(writing) = &mut self.output {
            // A peer that has all of it may say goodbye while our transport still flushes.
            let patience = Patience::HalfClosed;
            ready!(writing.poll_finish(&mut self.driver, cx, HALF, patience))?;
            // As long as more comes, nobody says goodbye.
            if matches!(self.input, Input::More) {
                return Poll::Ready(Ok(()));
            }
        } else if self.driver.connection.takes_messages() {
            ready!(self.poll_sent(cx))?;
        }
        let said = ready!(self.driver.with(|driver| {
            if let Ok(goodbye) = CloseFrame::new(CloseCode::NORMAL, "") {
                driver.connection.close_nearest(&goodbye);
            }
            driver.connection.answer_close();
            let said = driver.poll_flush(cx, HALF, Patience::HalfClosed);
            // Whoever has read all may drop the stream behind this.
            driver.end_if_due(cx, HALF);
            said
        }));
        // All that was written has left. A peer that ended its direction and went away misses nothing.
        Poll::Ready(if matches!(self.input, Input::Ended) { Ok(()) } else { said })
    }
}

impl<T: Transport + Unpin, C: Timer + Unpin> AsyncRead for ByteStream<T, C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if out.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_input(cx)).map_err(io::Error::from)?;
        let len = self.unread.len().min(out.len());
        out[..len].copy_from_slice(&self.unread.split_to(len));
        Poll::Ready(Ok(len))
    }
}

impl<T: Transport + Unpin, C: Timer + Unpin> AsyncWrite for ByteStream<T, C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_output(cx, bytes).map_err(io::Error::from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(cx).map_err(io::Error::from)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ended(cx).map_err(io::Error::from)
    }
}

/// The most that becomes one message.
const MESSAGE: usize = 64 << 10;
