//! Channel: the transport of a logical connection.

use core::task::{Context, Poll};
use std::{
    io::{self, IoSlice},
    sync::Arc,
};

use hybi_mux::{ChannelId, ChannelKey, DropCode, Ended, Read};

use super::shared::Shared;
use crate::{connection::Error, opening::Seat, socket::io::Transport};

/// A channel, as the transport of a connection.
///
/// Dropping it drops the channel, and the peer is told; what was flushed leaves first.
///
/// ```
/// use hybi::{WebSocket, mux::Channel};
///
/// fn name<C: hybi::io::Timer>(ws: &WebSocket<Channel, C>) -> String {
///     format!("channel {}", ws.transport().id())
/// }
/// ```
#[derive(Debug)]
pub struct Channel {
    shared: Arc<Shared>,
    key: ChannelKey,
    id: ChannelId,
    /// What counts it, if anybody does.
    seat: Option<Seat>,
}

impl Channel {
    pub(super) fn new(shared: &Arc<Shared>, key: ChannelKey) -> Self {
        let id = shared.with(|state| state.endpoint.id(key));
        Self { shared: shared.clone(), key, id, seat: None }
    }

    /// Counts for as long as the channel is there.
    pub(super) fn keep(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Its id. That of the first, which the physical handshake opened, is 1.
    #[must_use]
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// Drops the channel at once, for a reason of one's own; the connection over it fails.
    ///
    /// ```
    /// use hybi::{WebSocket, mux::{Channel, DropCode}};
    ///
    /// fn busy<C: hybi::io::Timer>(ws: &WebSocket<Channel, C>) {
    ///     ws.transport().drop_with(DropCode::BUSY, "come back tomorrow");
    /// }
    /// ```
    pub fn drop_with(&self, code: DropCode, reason: &str) {
        self.shared.with(|state| state.endpoint.drop_channel(self.key, code, reason));
    }

    /// Fails the physical connection, and all of its channels with it: what is sent is a DropChannel of channel 0.
    ///
    /// ```
    /// use hybi::{WebSocket, mux::{Channel, DropCode}};
    ///
    /// fn give_up<C: hybi::io::Timer>(ws: &WebSocket<Channel, C>) {
    ///     ws.transport().fail_all(DropCode::PHYSICAL_CONNECTION_FAILED, "");
    /// }
    /// ```
    pub fn fail_all(&self, code: DropCode, reason: &str) {
        self.shared.with(|state| state.endpoint.fail(code, reason));
    }
}

/// What reading or writing fails of when the channel ended so.
fn error(ended: Ended) -> io::Error {
    let kind = match ended {
        Ended::InOrder | Ended::Refused => io::ErrorKind::BrokenPipe,
        Ended::DroppedByPeer { .. } | Ended::PhysicalFailedByPeer { .. } => {
            io::ErrorKind::ConnectionReset
        }
        _ => io::ErrorKind::ConnectionAborted,
    };
    io::Error::new(kind, ended)
}

/// What the physical connection failed of, if it was for its channels.
pub(super) fn failure(ended: Option<&Ended>) -> Option<Error> {
    let ended = ended?;
    let is_failure =
        matches!(ended, Ended::PhysicalFailed { .. } | Ended::PhysicalFailedByPeer { .. });
    is_failure.then(|| Error::Transport(Arc::new(error(ended.clone()))))
}

impl Transport for Channel {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.shared.with(|state| match state.endpoint.read(self.key, chunk) {
            Read::Octets(len) => Poll::Ready(Ok(len)),
            Read::Wait => {
                state.wait_to_read(self.key, cx);
                Poll::Pending
            }
            Read::End(Ended::InOrder | Ended::Refused) => Poll::Ready(Ok(0)),
            Read::End(ended) => Poll::Ready(Err(error(ended))),
        })
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shared.with(|state| {
            let mut written = 0;
            for slice in slices.iter().filter(|slice| !slice.is_empty()) {
                let taken = state.endpoint.write(self.key, slice).map_err(error)?;
                written += taken;
                if taken < slice.len() {
                    break;
                }
            }
            if written == 0 {
                state.wait_to_write(self.key, cx);
                return Poll::Pending;
            }
            Poll::Ready(Ok(written))
        })
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| {
            if state.endpoint.is_flushed(self.key).map_err(error)? {
                return Poll::Ready(Ok(()));
            }
            state.wait_to_write(self.key, cx);
            Poll::Pending
        })
    }

    fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| state.endpoint.shut_down(self.key));
        Poll::Ready(Ok(()))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.shared.with(|state| state.release(self.key));
    }
}
