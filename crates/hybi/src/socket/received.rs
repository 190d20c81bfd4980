//! What a receiving handle does and holds between two calls: the chunk of the message that it lent.

use core::{
    mem,
    task::{Context, Poll, ready},
};

use hybi_frame::{Located, Opcode};

use super::{
    access::Access,
    driver::{Driver, Takes, kind},
    io::{Timer, Transport},
    pool::ThreadChunk,
    wakers::Half,
};
use crate::connection::{Error, Message, MessageRef};

/// The message that was lent last, and what it lies in. Meanwhile nobody reads.
#[derive(Debug)]
pub(super) enum Held {
    Nothing,
    Chunk(ThreadChunk, Opcode),
    /// It did not lie whole in a chunk.
    Owned(Box<Message>),
}

impl Held {
    /// Gives back what was lent.
    #[inline]
    pub(super) fn give_back<T, C>(&mut self, driver: &mut Driver<T, C>) {
        if let Self::Chunk(chunk, _) = mem::replace(self, Self::Nothing) {
            driver.take_back(chunk);
        }
    }

    fn hold<T, C>(driver: &mut Driver<T, C>, located: Located) -> Self {
        match kind(located) {
            Ok(kind) => Self::lend(driver, kind),
            Err(event) => Self::Owned(Box::new(event.into())),
        }
    }

    /// Holds the message of this kind that lies in the chunk.
    #[inline]
    fn lend<T, C>(driver: &mut Driver<T, C>, kind: Opcode) -> Self {
        driver.lend().map_or(Self::Nothing, |chunk| Self::Chunk(chunk, kind))
    }

    /// The message that is lent. Nothing is looked at again: it is known to be text where it is.
    fn message(&self) -> Option<MessageRef<'_>> {
        match self {
            Self::Nothing => None,
            Self::Chunk(chunk, Opcode::Text) => Some(MessageRef::Text(chunk.lent_text())),
            Self::Chunk(chunk, Opcode::Ping) => Some(MessageRef::Ping(chunk.lent_bytes())),
            Self::Chunk(chunk, Opcode::Pong) => Some(MessageRef::Pong(chunk.lent_bytes())),
            Self::Chunk(chunk, _) => Some(MessageRef::Binary(chunk.lent_bytes())),
            Self::Owned(message) => MessageRef::of(message),
        }
    }
}

/// Receives the next message; `None` is the end in order.
pub(super) fn poll_recv<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    held: &mut Held,
    cx: &Context<'_>,
) -> Poll<Result<Option<Message>, Error>> {
    access.with(|driver| {
        held.give_back(driver);
        if let Some(kind) = driver.whole_message(Half::Receive) {
            return Poll::Ready(Ok(Some(driver.take_lying(kind))));
        }
        Poll::Ready(match ready!(driver.poll_event(cx, Half::Receive, Takes::Message)) {
            Some(located) => Ok(Some(driver.take(located))),
            None => outcome(driver),
        })
    })
}

/// Receives the next message and holds it; `None` is the end in order.
pub(super) async fn recv_ref<'a, T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    held: &'a mut Held,
) -> Result<Option<MessageRef<'a>>, Error> {
    core::future::poll_fn(|cx| {
        access.with(|driver| {
            held.give_back(driver);
            if let Some(kind) = driver.whole_message(Half::Receive) {
                *held = Held::lend(driver, kind);
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(match ready!(driver.poll_event(cx, Half::Receive, Takes::Message)) {
                Some(located) => {
                    *held = Held::hold(driver, located);
                    Ok(())
                }
                None => outcome(driver).map(|_| ()),
            })
        })
    })
    .await?;
    Ok(held.message())
}

/// How the connection ended.
pub(super) fn outcome<T, C>(driver: &Driver<T, C>) -> Result<Option<Message>, Error> {
    match driver.connection.error() {
        Some(error) => Err(error.clone()),
        None => Ok(None),
    }
}
