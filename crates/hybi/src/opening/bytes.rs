//! Reading and writing the bytes of an opening handshake.

use core::{
    future::poll_fn,
    task::{Context, Poll},
};
use std::io::{self, IoSlice};

use crate::{
    connection::{Error, OpeningError, is_end_without_goodbye},
    socket::{Chunk, io::Transport},
};

/// Reads what there is; `None` at the end of input.
pub(super) async fn read_chunk<T: Transport>(
    transport: &mut T,
) -> Result<Option<Chunk>, OpeningError> {
    poll_fn(|cx| {
        // Borrowed anew for each attempt, so that waiting holds no buffer.
        let mut chunk = Chunk::borrow();
        transport.poll_read(cx, chunk.space()).map_ok(|len| {
            chunk.filled(len);
            left_over(chunk)
        })
    })
    .await
    .map_err(OpeningError::Handshake)
}

/// Takes the end of TLS without its goodbye for the end of input: a server's rules are the same over
/// each transport.
pub(super) fn or_end(
    read: Result<Option<Chunk>, OpeningError>,
) -> Result<Option<Chunk>, OpeningError> {
    match read {
        Err(OpeningError::Handshake(error)) if is_end_without_goodbye(&error) => Ok(None),
        read => read,
    }
}

pub(super) fn left_over(chunk: Chunk) -> Option<Chunk> {
    (!chunk.is_empty()).then_some(chunk)
}

pub(super) async fn write_all<T: Transport>(
    transport: &mut T,
    mut bytes: &[u8],
) -> Result<(), Error> {
    let mut step = |cx: &mut Context<'_>| -> Poll<io::Result<()>> {
        while !bytes.is_empty() {
            match transport.poll_write(cx, &[IoSlice::new(bytes)]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => bytes = &bytes[len..],
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        transport.poll_flush(cx)
    };
    Ok(poll_fn(&mut step).await.map_err(OpeningError::Handshake)?)
}
