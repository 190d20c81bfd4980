//! The traits of the futures crates: messages as a [`Stream`], sending as a [`Sink`].

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use hybi_frame::{CloseCode, CloseFrame};

use super::{
    Receiver, Sender, WebSocket,
    access::Access,
    driver::Patience,
    io::{Timer, Transport},
    permit::HALF,
    received::{Held, poll_recv},
    sending::{self, Leave},
    wakers::Half,
};
use crate::connection::{Error, Message, Outgoing, State};

/// Whether a stream may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Items {
    More,
    /// The error or the end was yielded.
    Ended,
}

fn poll_next<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    held: &mut Held,
    items: &mut Items,
    cx: &Context<'_>,
) -> Poll<Option<Result<Message, Error>>> {
    if *items == Items::Ended {
        return Poll::Ready(None);
    }
    let item = ready!(poll_recv(access, held, cx)).transpose();
    if !matches!(item, Some(Ok(_))) {
        *items = Items::Ended;
    }
    Poll::Ready(item)
}

/// Yields messages; an error is the last item, an end in order is just the end.
///
/// ```
/// use futures_util::StreamExt;
/// use hybi::{Error, Message, WebSocket, io::{Timer, Transport}};
///
/// /// Sends everything back: the stream is poured into the sink.
/// async fn echo<T: Transport, C: Timer>(ws: WebSocket<T, C>) -> Result<(), Error> {
///     let (sink, stream) = StreamExt::split::<Message>(ws);
///     stream.forward(sink).await
/// }
/// ```
impl<T: Transport, C: Timer> Stream for WebSocket<T, C> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { driver, held, items, .. } = &mut *self;
        poll_next(driver, held, items, cx)
    }
}

impl<T: Transport, C: Timer> FusedStream for WebSocket<T, C> {
    fn is_terminated(&self) -> bool {
        self.items == Items::Ended
    }
}

/// As of [`WebSocket`].
impl<T: Transport, C: Timer> Stream for Receiver<T, C> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { shared, held, items, .. } = &mut *self;
        poll_next(shared, held, items, cx)
    }
}

impl<T: Transport, C: Timer> FusedStream for Receiver<T, C> {
    fn is_terminated(&self) -> bool {
        self.items == Items::Ended
    }
}

fn poll_ready<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    cx: &Context<'_>,
) -> Poll<Result<(), Error>> {
    access.with(|driver| {
        driver.write_early(cx, half);
        driver.encode_early(cx, half);
        sending::poll_ready(driver, cx, half, Patience::UntilSent)
    })
}

fn start_send<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    message: Outgoing<'_>,
) -> Result<(), Error> {
    Ok(access.with(|driver| sending::queue(driver, half, message))?)
}

fn poll_close<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    cx: &Context<'_>,
) -> Poll<Result<(), Error>> {
    access.with(|driver| {
        if driver.connection.state() == State::Open {
            let frame = CloseFrame::new(CloseCode::NORMAL, "")?;
            sending::queue(driver, half, Message::Close(Some(frame)).into())?;
        }
        driver.connection.answer_close();
        driver.poll_flush(cx, half, Patience::UntilSent)
    })
}

fn poll_flush<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    cx: &Context<'_>,
) -> Poll<Result<(), Error>> {
    access.with(|driver| {
        // A task that pours the stream into the sink learns of the end from the stream.
        let pours = driver.wakers.receives_in(cx.waker());
        let patience = if pours { Patience::UntilSent } else { Patience::UntilClosed };
        driver.poll_flush_all(cx, half, patience)
    })
}

/// Takes messages, and all that turns into an [`Outgoing`] and is not borrowed. Closing the sink sends a
/// Close frame with code 1000 and flushes; it does not wait for the peer's answer, which the
/// receiving half will see.
///
/// ```
/// use futures_util::SinkExt;
/// use hybi::{Error, Message, Secret, WebSocket, io::{Timer, Transport}};
///
/// async fn last_words<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<(), Error> {
///     SinkExt::send(ws, Secret::new("goodbye")).await?;
///     SinkExt::<Message>::close(ws).await
/// }
/// ```
impl<M: Into<Outgoing<'static>>, T: Transport, C: Timer> Sink<M> for WebSocket<T, C> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_ready(&mut self.driver, HALF, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: M) -> Result<(), Error> {
        self.leave = Leave::None;
        start_send(&mut self.driver, HALF, message.into())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_flush(&mut self.driver, HALF, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_close(&mut self.driver, HALF, cx)
    }
}

/// As of [`WebSocket`].
impl<M: Into<Outgoing<'static>>, T: Transport, C: Timer> Sink<M> for Sender<T, C> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let half = self.half();
        poll_ready(&mut self.shared, half, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: M) -> Result<(), Error> {
        let half = self.half();
        self.leave = Leave::None;
        start_send(&mut self.shared, half, message.into())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let half = self.half();
        poll_flush(&mut self.shared, half, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let half = self.half();
        poll_close(&mut self.shared, half, cx)
    }
}
