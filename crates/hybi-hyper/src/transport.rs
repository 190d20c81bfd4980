//! HyperIo: what hyper hands over when a request was answered, as a transport (RFC 9110 section 7.8, RFC 8441 section 5).

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io::{self, IoSlice};

use hybi::{
    bytes::{BufMut, Bytes},
    http::{
        HeaderValue, Response, StatusCode, Version,
        header::{CONNECTION, UPGRADE},
    },
    io::Transport,
    opening::Respond,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use tokio::sync::oneshot;

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
///     while ws.recv().await?.is_some() {}
///     // What hyper handed over, for whoever knows what is underneath.
///     let _upgraded = ws.transport().upgraded();
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct HyperIo {
    state: State,
    framing: Framing,
}

#[derive(Debug)]
enum State {
    /// The request has no answer yet.
    Asked {
        answer: Answer,
        upgrading: OnUpgrade,
    },
    /// The answer opens nothing; its body comes bit by bit.
    Answering {
        answer: Answer,
        head: Response<()>,
        body: Vec<u8>,
    },
    /// The answer is on its way.
    Opening(OnUpgrade),
    Open(Inner),
    /// There is nothing to hand over.
    Over,
}

type Inner = hybi_tokio::TokioIo<hyper_util::rt::TokioIo<Upgraded>>;
/// Where a service waits for what it is to return.
type Answer = oneshot::Sender<Response<Bytes>>;

/// How what is written gets to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// As it is.
    None,
    /// In `DATA` frames that hyper makes, from copies that it keeps.
    Data,
}

impl Framing {
    fn of(version: Version) -> Self {
        if version < Version::HTTP_2 { Self::None } else { Self::Data }
    }
}

impl HyperIo {
    pub(crate) fn new(upgraded: Upgraded, version: Version) -> Self {
        Self { state: State::Open(inner(upgraded)), framing: Framing::of(version) }
    }

    /// Of a request whose service waits for an answer.
    pub(crate) fn asked(answer: Answer, upgrading: OnUpgrade, version: Version) -> Self {
        Self { state: State::Asked { answer, upgrading }, framing: Framing::of(version) }
    }

    /// What hyper handed over, once it has.
    #[must_use]
    pub fn upgraded(&self) -> Option<&Upgraded> {
        match &self.state {
            State::Open(inner) => Some(inner.get_ref().inner()),
            _ => None,
        }
    }

    /// What hyper hands over, once it does.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Inner>> {
        if let State::Opening(upgrading) = &mut self.state {
            let upgraded = ready!(Pin::new(upgrading).poll(cx));
            self.state = match upgraded {
                Ok(upgraded) => State::Open(inner(upgraded)),
                Err(error) => {
                    self.state = State::Over;
                    return Poll::Ready(Err(io::Error::other(error)));
                }
            };
        }
        Poll::Ready(match &mut self.state {
            State::Open(inner) => Ok(inner),
            _ => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

fn inner(upgraded: Upgraded) -> Inner {
    hybi_tokio::TokioIo::new(hyper_util::rt::TokioIo::new(upgraded))
}

impl Respond for HyperIo {
    fn respond(&mut self, mut head: Response<()>) -> io::Result<()> {
        let State::Asked { answer, upgrading } = mem::replace(&mut self.state, State::Over) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let opens = match self.framing {
            Framing::None => head.status() == StatusCode::SWITCHING_PROTOCOLS,
            Framing::Data => head.status().is_success(),
        };
        if opens {
            self.state = State::Opening(upgrading);
            // A service that is gone has dropped what it would hand over.
            let _ = answer.send(head.map(|()| Bytes::new()));
            return Ok(());
        }
        // It says what to upgrade to (RFC 9110 section 15.5.22), which in frames it may not.
        if self.framing == Framing::None && head.status() == StatusCode::UPGRADE_REQUIRED {
            head.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
            head.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        self.state = State::Answering { answer, head, body: Vec::new() };
        Ok(())
    }
}

impl Transport for HyperIo {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        match &self.state {
            State::Answering { .. } | State::Over => Poll::Ready(Ok(0)),
            _ => ready!(self.poll_open(cx))?.poll_read(cx, chunk),
        }
    }

    fn poll_read_direct<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        match &self.state {
            State::Answering { .. } | State::Over => Poll::Ready(Ok(0)),
            _ => ready!(self.poll_open(cx))?.poll_read_direct(cx, buffer),
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let State::Answering { body, .. } = &mut self.state {
            slices.iter().for_each(|slice| body.extend_from_slice(slice));
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let framing = self.framing;
        let inner = ready!(self.poll_open(cx))?;
        match framing {
            Framing::None => inner.poll_write(cx, slices),
            Framing::Data => match slices {
                [first, _, ..] if first.len() < ALONE => {
                    inner.poll_write(cx, &[IoSlice::new(&gather(slices))])
                }
                [first, ..] => {
                    inner.poll_write(cx, &[IoSlice::new(&first[..first.len().min(PIECE)])])
                }
                [] => Poll::Ready(Ok(0)),
            },
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.state {
            State::Answering { .. } | State::Over => Poll::Ready(Ok(())),
            _ => ready!(self.poll_open(cx))?.poll_flush(cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match mem::replace(&mut self.state, State::Over) {
            State::Answering { answer, head, body } => {
                // There is nobody to tell that nobody waits for it any more.
                let _ = answer.send(head.map(|()| body.into()));
                Poll::Ready(Ok(()))
            }
            State::Over => Poll::Ready(Ok(())),
            state => {
                self.state = state;
                ready!(self.poll_open(cx))?.poll_shutdown(cx)
            }
        }
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
