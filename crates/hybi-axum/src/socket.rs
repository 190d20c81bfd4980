//! WebSocket: an open connection with axum's methods.

use core::{
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{Error, http::HeaderValue};
use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use hybi::CloseStatus;

use crate::{CloseFrame, Message};

/// An open WebSocket connection with axum's methods, and those of [`hybi::WebSocket`] within.
///
/// It is a stream of messages and a sink for them, and `split` of the futures crates works; owned halves are those of
/// [`into_inner`](Self::into_inner).
///
/// ```
/// use hybi_axum::{Message, WebSocket};
///
/// async fn shout(mut ws: WebSocket) {
///     while let Some(Ok(message)) = ws.recv().await {
///         if let Message::Text(text) = message
///             && ws.send(Message::text(text.to_uppercase())).await.is_err()
///         {
///             return;
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct WebSocket {
    inner: hybi_hyper::WebSocket,
    protocol: Option<HeaderValue>,
    end: End,
}

/// What is still to be told of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The peer's Close frame, if one comes.
    Untold,
    Told,
}

impl WebSocket {
    pub(crate) fn new(inner: hybi_hyper::WebSocket) -> Self {
        let protocol = inner.subprotocol().and_then(|name| HeaderValue::from_str(name).ok());
        Self { inner, protocol, end: End::Untold }
    }

    /// Receives the next message: pings, pongs and at last the peer's Close frame among them. `None` is the end; an
    /// error comes before it when it was not in order.
    ///
    /// Cancel safe: if dropped before completion, no message is lost.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Sends a message: when this returns, its bytes are with the connection.
    ///
    /// # Errors
    ///
    /// What [`hybi::WebSocket::send`] fails of; [`axum::Error::into_inner`] gives the [`hybi::Error`].
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        let sent = self.inner.send(message.into_hybi()?).await;
        sent.map_err(|error| Error::new(hybi::Error::from(error)))
    }

    /// The subprotocol that was chosen, if any.
    #[must_use]
    pub fn protocol(&self) -> Option<&HeaderValue> {
        self.protocol.as_ref()
    }

    /// The connection, for all that axum has no method for: how it ended, statistics, a
    /// [`Closer`](hybi::Closer).
    #[must_use]
    pub fn get_ref(&self) -> &hybi_hyper::WebSocket {
        &self.inner
    }

    /// The same, to use it: [`feed`](hybi::WebSocket::feed) and [`close`](hybi::WebSocket::close), borrowed messages.
    pub fn get_mut(&mut self) -> &mut hybi_hyper::WebSocket {
        &mut self.inner
    }

    /// The connection without this around it.
    #[must_use]
    pub fn into_inner(self) -> hybi_hyper::WebSocket {
        self.inner
    }
}

/// The Close frame that the peer sent, if it sent one.
fn close_frame(status: &CloseStatus) -> Option<Option<CloseFrame>> {
    match status.code() {
        hybi::CloseCode::ABNORMAL => None,
        hybi::CloseCode::NO_STATUS => Some(None),
        code => Some(Some(CloseFrame { code: code.as_u16(), reason: status.reason().into() })),
    }
}

/// Messages; the peer's Close frame, or an error, is the last.
impl Stream for WebSocket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { inner, end, .. } = &mut *self;
        let item = match ready!(Pin::new(&mut *inner).poll_next(cx)) {
            Some(Ok(message)) => Some(Ok(message.into())),
            Some(Err(error)) => {
                *end = End::Told;
                Some(Err(Error::new(error)))
            }
            None if mem::replace(end, End::Told) == End::Told => None,
            None => {
                let frame = inner.close_status().as_ref().and_then(close_frame);
                frame.map(|frame| Ok(Message::Close(frame)))
            }
        };
        Poll::Ready(item)
    }
}

impl FusedStream for WebSocket {
    fn is_terminated(&self) -> bool {
        self.end == End::Told && self.inner.is_terminated()
    }
}

/// Closing it sends a Close frame with code 1000.
impl Sink<Message> for WebSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Sink::<hybi::Message>::poll_ready(Pin::new(&mut self.inner), cx).map_err(Error::new)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let message = message.into_hybi()?;
        Sink::<hybi::Message>::start_send(Pin::new(&mut self.inner), message).map_err(Error::new)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Sink::<hybi::Message>::poll_flush(Pin::new(&mut self.inner), cx).map_err(Error::new)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Sink::<hybi::Message>::poll_close(Pin::new(&mut self.inner), cx).map_err(Error::new)
    }
}
