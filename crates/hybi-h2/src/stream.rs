//! Http2Io: a stream of HTTP/2 as the transport of a WebSocket (RFC 8441 section 5).

use core::{
    fmt,
    task::{Context, Poll, ready},
};
use std::io::{self, IoSlice};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use hybi::{io::Transport, opening::Respond};

use crate::{
    cause::Cause,
    underway::{Payload, Underway},
};

/// A stream of HTTP/2 as a [`Transport`], in either role.
///
/// What was read of it is acknowledged (`WINDOW_UPDATE`) as it is taken, so that a WebSocket that is not read stops its
/// peer after one [window](crate::Settings::stream_window). The end of the sending half is `END_STREAM`; dropping it
/// before aborts the stream, and what was not flushed is lost: `RST_STREAM` with `CANCEL`, or `REFUSED_STREAM` for a
/// request that was not answered, which a client may send again.
pub struct Http2Io {
    receiving: RecvStream,
    /// What came and has not been taken.
    rest: Bytes,
    sending: Sending,
    underway: Underway,
    cause: Cause,
}

enum Sending {
    /// The request waits for its answer.
    Asked(SendResponse<Payload>),
    Open(SendStream<Payload>),
    /// After `END_STREAM`; or nothing can be sent any more.
    Ended,
}

/// So much is copied into one `DATA` frame at the most; HTTP/2 cuts it where it has to.
const PIECE: usize = 64 * 1024;

impl Http2Io {
    /// The stream of a request that is to be answered.
    pub(crate) fn asked(
        receiving: RecvStream,
        answer: SendResponse<Payload>,
        cause: Cause,
    ) -> Self {
        Self::new(receiving, Sending::Asked(answer), cause)
    }

    /// The stream of a request that was answered.
    pub(crate) fn open(receiving: RecvStream, sending: SendStream<Payload>, cause: Cause) -> Self {
        Self::new(receiving, Sending::Open(sending), cause)
    }

    fn new(receiving: RecvStream, sending: Sending, cause: Cause) -> Self {
        Self { receiving, rest: Bytes::new(), sending, underway: Underway::default(), cause }
    }

    /// Waits for bytes that have not been taken; false at the end of the peer's half.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.rest.is_empty() {
            match ready!(self.receiving.poll_data(cx)) {
                Some(Ok(data)) => self.rest = data,
                Some(Err(error)) => return Poll::Ready(Err(self.cause.of(error))),
                None => return Poll::Ready(Ok(false)),
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Says that so many bytes of the rest have been taken.
    fn took(&mut self, len: usize) {
        // It is less than what came; and a connection that has ended needs to know no more.
        let _ = self.receiving.flow_control().release_capacity(len);
    }
}

impl Transport for Http2Io {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        if !ready!(self.poll_rest(cx))? {
            return Poll::Ready(Ok(0));
        }
        let len = self.rest.len().min(chunk.len());
        self.rest.copy_to_slice(&mut chunk[..len]);
        self.took(len);
        Poll::Ready(Ok(len))
    }

    fn poll_read_direct<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        if !ready!(self.poll_rest(cx))? {
            return Poll::Ready(Ok(0));
        }
        let len = self.rest.len().min(buffer.remaining_mut());
        buffer.put(self.rest.split_to(len));
        self.took(len);
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Sending::Open(stream) = &mut self.sending else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let wanted = slices.iter().map(|slice| slice.len()).sum::<usize>().min(PIECE);
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        stream.reserve_capacity(wanted);
        while stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(self.cause.of(error))),
                None => {
                    let why = failure(stream, &self.cause, cx);
                    return Poll::Ready(Err(
                        why.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())
                    ));
                }
            }
        }
        let room = stream.capacity().min(wanted);
        let mut data = BytesMut::with_capacity(room);
        for slice in slices {
            let len = slice.len().min(room - data.len());
            data.extend_from_slice(&slice[..len]);
        }
        stream
            .send_data(self.underway.payload(data.freeze()), false)
            .map_err(|error| self.cause.of(error))?;
        Poll::Ready(Ok(room))
    }

    /// Waits for the task of the connection to have sent what it was given, which it drops as well where it cannot.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.underway.poll_left(cx));
        let why = match &mut self.sending {
            Sending::Open(stream) => failure(stream, &self.cause, cx),
            Sending::Asked(_) | Sending::Ended => None,
        };
        Poll::Ready(why.map_or(Ok(()), Err))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Sending::Open(stream) = &mut self.sending {
            let ended = stream.send_data(self.underway.payload(Bytes::new()), true);
            self.sending = Sending::Ended;
            ended.map_err(|error| self.cause.of(error))?;
        }
        self.poll_flush(cx)
    }
}

impl Respond for Http2Io {
    fn respond(&mut self, head: http::Response<()>) -> io::Result<()> {
        let Sending::Asked(answer) = &mut self.sending else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        self.sending =
            Sending::Open(answer.send_response(head, false).map_err(|error| self.cause.of(error))?);
        Ok(())
    }
}

impl Drop for Http2Io {
    fn drop(&mut self) {
        match &mut self.sending {
            Sending::Asked(answer) => answer.send_reset(Reason::REFUSED_STREAM),
            Sending::Open(stream) => stream.send_reset(Reason::CANCEL),
            Sending::Ended => {}
        }
    }
}

impl fmt::Debug for Http2Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sending = match self.sending {
            Sending::Asked(_) => "asked",
            Sending::Open(_) => "open",
            Sending::Ended => "ended",
        };
        f.debug_struct("Http2Io").field("sending", &sending).finish_non_exhaustive()
    }
}

/// Why nothing can be sent on a stream any more, if that is so.
fn failure(
    stream: &mut SendStream<Payload>,
    cause: &Cause,
    cx: &mut Context<'_>,
) -> Option<io::Error> {
    match stream.poll_reset(cx) {
        Poll::Pending => None,
        Poll::Ready(Ok(reason)) => {
            let error = h2::Error::from(reason);
            Some(io::Error::new(io::ErrorKind::ConnectionReset, error))
        }
        Poll::Ready(Err(error)) => Some(cause.of(error)),
    }
}
