//! Answering a request with plain HTTP, and ending the transport so that the peer can read the answer.

use core::{future::poll_fn, time::Duration};
use std::time::Instant;

use super::{
    bytes::{read_chunk, write_all},
    deadline::within,
    server::Server,
};
use crate::{
    connection::{DRAIN_BYTES, DRAIN_TIME, Error},
    socket::io::{Timer, Transport},
};

/// How long an answer may take to be read by the peer if the handshake's deadline is nearer.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

pub(super) fn with_grace(deadline: Instant, timer: &impl Timer) -> Instant {
    deadline.max(timer.now() + ANSWER_GRACE)
}

/// Writes a response other than 101 and ends the transport so that the peer can read it: our half first, then
/// what the peer still sends is read and discarded, within bounds, lest it cause a reset.
pub(super) async fn answer<T: Transport, C: Timer>(
    transport: &mut T,
    timer: &mut C,
    deadline: Instant,
    bytes: &[u8],
) {
    let deadline = with_grace(deadline, timer);
    let written = within(timer, deadline, async {
        write_all(transport, bytes).await?;
        poll_fn(|cx| transport.poll_shutdown(cx)).await?;
        Ok::<_, Error>(())
    });
    if let Some(Ok(())) = written.await {
        let deadline = timer.now() + DRAIN_TIME;
        within(timer, deadline, drain(transport)).await;
    }
}

async fn drain<T: Transport>(transport: &mut T) {
    let mut discarded = 0;
    while let Ok(Some(mut chunk)) = read_chunk(transport).await {
        discarded += chunk.unread().len();
        if discarded > DRAIN_BYTES {
            break;
        }
    }
}

/// Adds the fields that every response of the server has, unless the response has its own.
pub(super) fn add_headers<B>(server: &Server, response: &mut http::Response<B>) {
    let own: Vec<_> = response.headers().keys().cloned().collect();
    for (name, value) in server.policy().headers() {
        if !own.contains(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
}
