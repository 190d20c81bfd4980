//! Steps: what a conversation waits for on its connection and on the clock.

use core::future::{pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream as _;
use futures_sink::Sink;
use hybi::{Error, Message, WebSocket, io::Transport};
use hybi_tokio::TokioTimer;
use tokio::time::{Instant, sleep_until};

/// What is waited for in the sending direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Room for the next message.
    Room,
    /// That everything has left.
    Flush,
    Nothing,
}

/// What happened next on the connection.
pub(crate) enum Step {
    Received(Option<Result<Message, Error>>),
    Room(Result<(), Error>),
    Flushed,
}

impl Sending {
    fn poll<T: Transport>(
        self,
        ws: Pin<&mut WebSocket<T, TokioTimer>>,
        cx: &mut Context<'_>,
    ) -> Poll<Step> {
        match self {
            Self::Room => Sink::<Message>::poll_ready(ws, cx).map(Step::Room),
            // An error comes out of receiving, after what was received before it.
            Self::Flush => Sink::<Message>::poll_flush(ws, cx).map(|_| Step::Flushed),
            Self::Nothing => Poll::Pending,
        }
    }
}

/// Receives, and beside it waits for the other direction: a peer that answers while we speak would
/// otherwise wait for us to listen, and we for it.
pub(crate) async fn next_step<T: Transport>(
    ws: &mut WebSocket<T, TokioTimer>,
    sending: Sending,
) -> Step {
    poll_fn(|cx| match Pin::new(&mut *ws).poll_next(cx) {
        Poll::Ready(item) => Poll::Ready(Step::Received(item)),
        Poll::Pending => sending.poll(Pin::new(&mut *ws), cx),
    })
    .await
}

/// Waits until then, or for ever.
pub(crate) async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
