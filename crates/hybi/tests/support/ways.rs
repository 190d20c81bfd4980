//! Each way in which an application receives and sends: what holds for one holds for all.

use futures_util::{SinkExt, StreamExt as _};
use hybi::{
    Error, Message, WebSocket,
    io::{Timer, Transport},
};

/// How messages are received. Owned halves belong here as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receives {
    Recv,
    RecvRef,
    Stream,
}

impl Receives {
    pub(crate) const ALL: [Self; 3] = [Self::Recv, Self::RecvRef, Self::Stream];

    /// The next message, or the end.
    pub(crate) async fn next<T: Transport, C: Timer>(
        self,
        socket: &mut WebSocket<T, C>,
    ) -> Result<Option<Message>, Error> {
        match self {
            Self::Recv => socket.recv().await,
            Self::RecvRef => Ok(socket.recv_ref().await?.map(|message| message.to_owned())),
            Self::Stream => socket.next().await.transpose(),
        }
    }
}

/// How a message is sent, so that its bytes are with the transport afterwards. Owned halves belong
/// here as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    Send,
    Feed,
    TrySend,
    Sink,
}

impl Sends {
    pub(crate) const ALL: [Self; 4] = [Self::Send, Self::Feed, Self::TrySend, Self::Sink];

    pub(crate) async fn send<T: Transport, C: Timer>(
        self,
        socket: &mut WebSocket<T, C>,
        message: impl Into<Message>,
    ) -> Result<(), Error> {
        let message = message.into();
        match self {
            Self::Send => Ok(socket.send(message).await?),
            Self::Feed => {
                socket.feed(message).await?;
                socket.flush().await
            }
            Self::TrySend => {
                socket.try_send(message)?;
                socket.flush().await
            }
            Self::Sink => SinkExt::send(socket, message).await,
        }
    }
}
