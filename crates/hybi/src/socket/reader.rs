//! MessageReader: a message as it comes, which nobody holds whole.

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io;

use bytes::Bytes;
use futures_core::Stream;
use futures_io::AsyncRead;
use hybi_frame::Gathering;

use super::{
    access::{Access, Way},
    driver::Takes,
    io::{Timer, Transport},
    received::{Held, outcome},
    wakers::Half,
};
use crate::connection::{Error, Message, MessageKind};

/// A message as it comes: what arrived of it, whatever the sizes of its frames, inflated and checked to be text on the
/// way. Nothing of it is gathered, so it may be of any length, and the limits on messages and frames are not for it.
///
/// It is an [`AsyncRead`] of the futures crates, and a [`Stream`] of its pieces.
///
/// Dropping it before its end skips the rest: whoever receives next gets the next message.
///
/// ```
/// use hybi::{Error, WebSocket, io::{Timer, Transport}};
///
/// /// How long the next message is, be it longer than memory.
/// async fn measure<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<u64, Error> {
///     let Some(mut reader) = ws.recv_reader().await? else { return Ok(0) };
///     let mut len = 0;
///     while let Some(piece) = reader.next_piece().await? {
///         len += piece.len() as u64;
///     }
///     Ok(len)
/// }
/// ```
#[derive(Debug)]
pub struct MessageReader<'a, T: Transport, C: Timer> {
    way: Way<'a, T, C>,
    kind: MessageKind,
    /// What came and was not read.
    piece: Bytes,
    rest: Rest,
}

/// What is to come of the message.
#[derive(Clone, Debug)]
enum Rest {
    More,
    /// All of it was taken in.
    Nothing,
    /// The connection failed within it.
    Lost(Error),
}

/// What came of a message that is wanted in pieces.
pub(super) enum Piece {
    /// It goes on.
    Part { kind: MessageKind, bytes: Bytes },
    /// It ends with this.
    Last { kind: MessageKind, bytes: Bytes },
}

/// The next piece, or the end of the connection.
pub(super) fn poll_piece<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    cx: &Context<'_>,
    takes: Takes,
) -> Poll<Result<Option<Piece>, Error>> {
    access.with(|driver| {
        // Once nobody is to receive any more, what comes is dropped as a whole.
        if driver.senders_take != Takes::Nothing {
            driver.connection.set_gathering(Gathering::Pieces);
        }
        let polled = ready!(driver.poll_event(cx, Half::Receive, takes));
        Poll::Ready(match polled {
            Some(located) => {
                driver.connection.set_gathering(Gathering::Whole);
                Ok(last(driver.take(located)))
            }
            None => match driver.connection.kind_in_progress() {
                Some(kind) if driver.connection.has_piece() => {
                    let bytes = driver.connection.take_piece().unwrap_or_default();
                    Ok(Some(Piece::Part { kind, bytes }))
                }
                _ => outcome(driver).map(|_| None),
            },
        })
    })
}

/// A message that ended. Control frames are not shown to whoever reads pieces.
fn last(message: Message) -> Option<Piece> {
    match message {
        Message::Text(text) => Some(Piece::Last { kind: MessageKind::Text, bytes: text.into() }),
        Message::Binary(bytes) => Some(Piece::Last { kind: MessageKind::Binary, bytes }),
        _ => None,
    }
}

/// Receives the beginning of the next message; `None` is the end in order.
pub(super) async fn recv_reader<'a, T: Transport, C: Timer>(
    mut way: Way<'a, T, C>,
    held: &mut Held,
) -> Result<Option<MessageReader<'a, T, C>>, Error> {
    way.with(|driver| held.give_back(driver));
    let mut wanting = Wanting(Some(way));
    let piece = poll_fn(|cx| match &mut wanting.0 {
        Some(way) => poll_piece(way, cx, Takes::Pieces),
        None => Poll::Ready(Ok(None)),
    });
    let (kind, piece, rest) = match piece.await? {
        Some(Piece::Part { kind, bytes }) => (kind, bytes, Rest::More),
        Some(Piece::Last { kind, bytes }) => (kind, bytes, Rest::Nothing),
        None => return Ok(None),
    };
    Ok(wanting.0.take().map(|way| MessageReader { way, kind, piece, rest }))
}

/// Whoever wanted a message in pieces and goes away without leaves the next one to be whole.
struct Wanting<'a, T, C>(Option<Way<'a, T, C>>);

impl<T, C> Drop for Wanting<'_, T, C> {
    fn drop(&mut self) {
        if let Some(way) = &mut self.0 {
            way.with(|driver| driver.connection.set_gathering(Gathering::Whole));
        }
    }
}

impl<T: Transport, C: Timer> MessageReader<'_, T, C> {
    /// What it is. If it is text, so is each piece: a character is never cut.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The next piece; `None` when the message has ended. It is as long as what came at once, and never empty.
    ///
    /// Cancel safe: if dropped before completion, nothing is lost.
    ///
    /// # Errors
    ///
    /// As [`WebSocket::recv`](super::WebSocket::recv): the connection failed or ended within the message. Every
    /// further call answers the same.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    fn poll_piece(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        loop {
            let piece = core::mem::take(&mut self.piece);
            if !piece.is_empty() {
                return Poll::Ready(Ok(Some(piece)));
            }
            match &self.rest {
                Rest::More => {}
                Rest::Nothing => return Poll::Ready(Ok(None)),
                Rest::Lost(error) => return Poll::Ready(Err(error.clone())),
            }
            match ready!(poll_piece(&mut self.way, cx, Takes::Pieces)) {
                Ok(Some(Piece::Part { bytes, .. })) => self.piece = bytes,
                Ok(Some(Piece::Last { bytes, .. })) => {
                    self.piece = bytes;
                    self.rest = Rest::Nothing;
                }
                // The peer closed within the message.
                Ok(None) => self.rest = Rest::Lost(Error::Lost),
                Err(error) => self.rest = Rest::Lost(error),
            }
        }
    }
}

/// What was not read of the message is skipped.
impl<T: Transport, C: Timer> Drop for MessageReader<'_, T, C> {
    fn drop(&mut self) {
        if matches!(self.rest, Rest::More) {
            self.way.with(|driver| driver.connection.skip_message());
        }
    }
}

/// The bytes of the message; the end of it is the end of input.
impl<T: Transport, C: Timer> AsyncRead for MessageReader<'_, T, C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if out.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let piece = ready!(self.poll_piece(cx)).map_err(io::Error::from)?;
        let Some(mut piece) = piece else { return Poll::Ready(Ok(0)) };
        let len = piece.len().min(out.len());
        out[..len].copy_from_slice(&piece.split_to(len));
        self.piece = piece;
        Poll::Ready(Ok(len))
    }
}

/// Its pieces; an error is the last item.
impl<T: Transport, C: Timer> Stream for MessageReader<'_, T, C> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.poll_piece(cx)).transpose();
        if matches!(item, Some(Err(_))) {
            self.rest = Rest::Nothing;
        }
        Poll::Ready(item)
    }
}
