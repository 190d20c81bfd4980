//! HyperIo: what hyper hands over when a request was answered, as a transport (RFC 9110 section 7.8, RFC 8441 section 5).

use core::task::{Context, Poll};
use std::io::{self, IoSlice};

use hybi::{bytes::BufMut, http::Version, io::Transport};
use hyper::upgrade::Upgraded;

/// How much of a write hyper is given at a time over HTTP/2. It copies what it is given and keeps three such pieces of a
/// stream whose peer takes nothing, however long they are.
const PIECE: usize = 64 * 1024;

/// From how many bytes on a piece is written by itself; shorter ones share a `DATA` frame, as a header and its payload.
const ALONE: usize = 16 * 1024;

/// What a [`WebSocket`](crate::WebSocket) in hyper is over: the connection that brought the request, or its stream of
/// HTTP/2.
///
/// ```
/// use hybi_hyper::{Error, WebSocket};
///
/// async fn talk(mut ws: WebSocket) -> Result<(), Error> {
///     // What hyper handed over, for whoever knows what is underneath.
///     let _upgraded = ws.transport().get_ref();
///     while ws.recv().await?.is_some() {}
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct HyperIo {
    io: hybi_tokio::TokioIo<hyper_util::rt::TokioIo<Upgraded>>,
    framing: Framing,
}

/// How what is written gets to the peer.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// As it is.
    None,
    /// In `DATA` frames that hyper makes, from copies that it keeps.
    Data,
}

impl HyperIo {
    pub(crate) fn new(upgraded: Upgraded, version: Version) -> Self {
        let io = hybi_tokio::TokioIo::new(hyper_util::rt::TokioIo::new(upgraded));
        let framing = if version < Version::HTTP_2 { Framing::None } else { Framing::Data };
        Self { io, framing }
    }

    /// What hyper handed over.
    #[must_use]
    pub fn get_ref(&self) -> &Upgraded {
        self.io.get_ref().inner()
    }
}

impl Transport for HyperIo {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.io.poll_read(cx, chunk)
    }

    fn poll_read_direct<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_read_direct(cx, buffer)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.framing {
            Framing::None => self.io.poll_write(cx, slices),
            Framing::Data => match slices {
                [first, _, ..] if first.len() < ALONE => {
                    let together = gather(slices);
                    self.io.poll_write(cx, &[IoSlice::new(&together)])
                }
                [first, ..] => {
                    let piece = &first[..first.len().min(PIECE)];
                    self.io.poll_write(cx, &[IoSlice::new(piece)])
                }
                [] => Poll::Ready(Ok(0)),
            },
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_shutdown(cx)
    }
}

/// As much of the front of `slices` as fits one frame.
fn gather(slices: &[IoSlice<'_>]) -> Vec<u8> {
    let mut together = Vec::with_capacity(ALONE);
    for slice in slices {
        let room = ALONE - together.len();
        together.extend_from_slice(&slice[..slice.len().min(room)]);
        if slice.len() >= room {
            break;
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_gathered_from_the_front() {
        let (header, payload) = ([1; 10], vec![2; ALONE]);
        let slices = [IoSlice::new(&header), IoSlice::new(&payload), IoSlice::new(&header)];
        let together = gather(&slices);
        assert_eq!(together.len(), ALONE);
        assert_eq!((together[9], together[10]), (1, 2));
        assert_eq!(gather(&[IoSlice::new(&header), IoSlice::new(&header)]).len(), 20);
    }
}
