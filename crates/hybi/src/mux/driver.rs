//! Driver: moves messages between the physical connection and its channels.

use core::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use hybi_frame::CloseCode;

use super::{
    channel,
    shared::{Shared, Task},
};
use crate::{
    connection::{Error, MessageRef},
    socket::{
        Receiver, Sender, WebSocket,
        io::{Timer, Transport},
    },
};

/// What moves the messages of the physical connection.
///
/// Nothing happens on any channel unless [`run`](Self::run) is polled. Dropping it ends the physical connection and all
/// channels.
#[derive(Debug)]
#[must_use = "nothing moves unless it runs"]
pub struct Driver<T, C> {
    sender: Sender<T, C>,
    receiver: Receiver<T, C>,
    timer: C,
    shared: Ending,
}

/// When nobody drives any more, everything ends.
#[derive(Debug)]
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.with(|state| state.endpoint.end());
    }
}

impl<T: Transport, C: Timer> Driver<T, C> {
    pub(super) fn new(ws: WebSocket<T, C>, timer: C, shared: &Arc<Shared>) -> Self {
        let (sender, receiver) = ws.split();
        Self { sender, receiver, timer, shared: Ending(shared.clone()) }
    }

    /// Runs until the physical connection ends: when the peer closes it, or it fails, or when nobody has a channel any
    /// more nor a way to get one.
    ///
    /// ```
    /// use hybi::{io::{Timer, Transport}, mux::Driver};
    ///
    /// async fn drive<T: Transport, C: Timer>(driver: Driver<T, C>) {
    ///     if let Err(error) = driver.run().await {
    ///         eprintln!("the physical connection: {error}");
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What the physical connection fails of. What one of its channels fails of is told there, and if the peer broke
    /// a rule of multiplexing, on all of them; that is [`Error::Transport`] here, with an [`Ended`](super::Ended).
    pub async fn run(self) -> Result<(), Error> {
        let Self { mut sender, mut receiver, mut timer, shared } = self;
        let shared = &*shared.0;
        let mut sending = Some(Box::pin(send(&mut sender, &mut timer, shared)));
        let mut receiving = pin!(receive(&mut receiver, shared));
        let poll = |cx: &mut Context<'_>| {
            if let Poll::Ready(outcome) = receiving.as_mut().poll(cx) {
                return Poll::Ready(outcome);
            }
            if sending.as_mut().is_some_and(|sending| sending.as_mut().poll(cx).is_ready()) {
                sending = None;
            }
            Poll::Pending
        };
        poll_fn(poll).await?;
        shared.with(|state| channel::failure(state.endpoint.ended())).map_or(Ok(()), Err)
    }
}

/// From so many octets on, a message is given away, to be sent from where it lies, rather than copied.
const OWNED_FROM: usize = 8 * 1024;

async fn receive<T: Transport, C: Timer>(
    receiver: &mut Receiver<T, C>,
    shared: &Shared,
) -> Result<(), Error> {
    while let Some(message) = receiver.recv_ref().await? {
        shared.with(|state| match message {
            // What it means was done, and whoever it concerns is told.
            MessageRef::Binary(message) => drop(state.endpoint.handle_message(message)),
            MessageRef::Text(_) => state.endpoint.handle_text(),
            _ => {}
        });
    }
    Ok(())
}

/// Sends what channels have to send, and the end. What this fails of, receiving tells.
async fn send<T: Transport, C: Timer>(
    sender: &mut Sender<T, C>,
    timer: &mut C,
    shared: &Shared,
) -> Result<(), Error> {
    let mut message = Vec::new();
    let mut is_flushed = false;
    loop {
        let task = poll_fn(|cx| match shared.poll_task(cx, timer, &mut message) {
            Task::Wait if is_flushed => Poll::Pending,
            task => Poll::Ready(task),
        });
        match task.await {
            Task::Send => {
                is_flushed = false;
                if message.len() < OWNED_FROM {
                    sender.feed(&message[..]).await?;
                } else {
                    sender.feed(core::mem::take(&mut message)).await?;
                }
            }
            Task::Wait => {
                sender.flush().await?;
                is_flushed = true;
            }
            Task::Close => return sender.close(CloseCode::NORMAL, "").await.map(|_| ()),
            Task::Fail => return sender.close(CloseCode::INTERNAL_ERROR, "").await.map(|_| ()),
        }
    }
}
