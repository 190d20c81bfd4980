//! How long the opening may take in all, and what is not lost on its way, on tokio's paused clock
//! (RFC 6455 sections 4.1, 4.2 and 10.4).

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, ErrorKind};

use hybi_suite::peer::REQUEST;
use hybi_testkit::wire::{self, BINARY, Side, TEXT};
use hybi_tokio::{
    Client, Deadline, Error, HandshakeError, Incoming, Message, Server,
    http::{Request, Response},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    time::{Instant, advance},
};

use crate::deadlines::{run, secs};

/// A pipe so narrow that no answer fits into it.
const NARROW: usize = 16;

fn assert_timed_out(error: &Error) {
    assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
}

/// A request that has been read, and the peer that sent it and reads nothing.
async fn request() -> (Incoming<DuplexStream>, DuplexStream) {
    let (mut peer, stream) = duplex(NARROW);
    let server = Server::default();
    let sent = peer.write_all(REQUEST.as_bytes());
    let (incoming, sent) = tokio::join!(hybi_tokio::incoming_on(&server, stream), sent);
    sent.unwrap();
    (incoming.unwrap(), peer)
}

#[test]
fn request_and_answer_share_one_deadline() {
    run(async {
        let start = Instant::now();
        let (mut peer, stream) = duplex(NARROW);
        let server =
            tokio::spawn(async move { hybi_tokio::accept_on(&Server::default(), stream).await });
        let (most, last) = REQUEST.as_bytes().split_at(REQUEST.len() - 2);
        peer.write_all(most).await.unwrap();
        advance(secs(9)).await;
        peer.write_all(last).await.unwrap();
        assert_timed_out(&server.await.unwrap().unwrap_err());
        assert_eq!(start.elapsed().as_secs(), 10);
    });
}

#[test]
fn after_the_application_took_its_time_the_peer_has_two_seconds() {
    run(async {
        for (work, total) in [(secs(1), 10), (secs(9), 11), (secs(60), 62)] {
            let start = Instant::now();
            let (incoming, _peer) = request().await;
            advance(work).await;
            let accepted = incoming.check().unwrap();
            assert_timed_out(&incoming.accept_as(accepted).await.unwrap_err());
            assert_eq!(start.elapsed().as_secs(), total);

            let start = Instant::now();
            let (incoming, _peer) = request().await;
            advance(work).await;
            incoming.respond(Response::new("a page")).await;
            assert_eq!(start.elapsed().as_secs(), total);
        }
    });
}

#[test]
fn an_answer_that_is_read_at_once_is_never_too_late() {
    run(async {
        let (incoming, mut peer) = request().await;
        advance(secs(3600)).await;
        let mut answer = String::new();
        let page = incoming.respond(Response::new("a page"));
        let (_, read) = tokio::join!(page, peer.read_to_string(&mut answer));
        read.unwrap();
        assert!(answer.ends_with("\r\n\r\na page"), "{answer}");
    });
}

/// A server whose response is followed by an error of the transport.
struct BreaksOff {
    response: &'static [u8],
    error: ErrorKind,
    /// It does not even read the request.
    deaf: bool,
}

impl AsyncRead for BreaksOff {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.response.is_empty() {
            return Poll::Ready(Err(self.error.into()));
        }
        buffer.put_slice(core::mem::take(&mut self.response));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for BreaksOff {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.deaf {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// TLS without its goodbye is `UnexpectedEof`, and a server that closes without having read
/// everything causes a reset; neither makes its answer untrue.
#[test]
fn a_refusal_survives_the_transport() {
    run(async {
        for error in [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset] {
            let open = async |response: &'static [u8]| {
                let stream = BreaksOff { response, error, deaf: false };
                let client = Client::default();
                let opened = hybi_tokio::connect_on(&client, "ws://example.org/", stream).await;
                opened.map(|_| ()).unwrap_err()
            };
            let refused =
                open(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\nwho").await;
            let Some(HandshakeError::Rejected(response)) = refused.handshake() else {
                panic!("{refused}");
            };
            assert_eq!(response.headers()["www-authenticate"], "Basic");
            assert_eq!(response.body(), b"who");
            assert!(refused.handshake().is_some_and(HandshakeError::body_truncated));
            // Half a head is no refusal.
            let cut = open(b"HTTP/1.1 401 Unauthorized\r\nWWW-Auth").await;
            match error {
                ErrorKind::UnexpectedEof => assert!(
                    matches!(cut.handshake(), Some(HandshakeError::UnexpectedEof { received: 35 })),
                    "{cut}"
                ),
                _ => assert!(matches!(cut, Error::Opening(_)), "{cut}"),
            }
        }
    });
}

/// A server that refuses without having read the request, and closes: what it said is worth more than that
/// the request could not be sent.
#[test]
fn a_refusal_is_heard_by_a_client_that_cannot_send_its_request() {
    run(async {
        let open = async |response: &'static [u8]| {
            let stream = BreaksOff { response, error: ErrorKind::ConnectionReset, deaf: true };
            let client = Client::default();
            let opened = hybi_tokio::connect_on(&client, "ws://example.org/", stream).await;
            opened.map(|_| ()).unwrap_err()
        };
        let refused = open(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nwhy").await;
        let Some(HandshakeError::Rejected(response)) = refused.handshake() else {
            panic!("{refused}");
        };
        assert_eq!((response.status().as_u16(), &response.body()[..]), (413, &b"why"[..]));
        let failed = open(b"").await;
        assert_eq!(failed.io_error().map(io::Error::kind), Some(ErrorKind::BrokenPipe));
    });
}

/// The bytes that a framework read behind the head are the first, also if they are more than a
/// buffer holds, and end in the middle of a frame.
#[test]
fn what_a_framework_had_read_comes_first() {
    run(async {
        let request = Request::get("/")
            .header("Host", "example.org")
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13")
            .body(())
            .unwrap();
        for len in [0, 5, 64 * 1024, 200_000] {
            let (_, upgrade) = Server::default().upgrade(&request).unwrap();
            let long = vec![7; len];
            let frames =
                [wire::frame(Side::Client, BINARY, &long), wire::frame(Side::Client, TEXT, b"cut")]
                    .concat();
            let (read, unread) = frames.split_at(frames.len() - 2);
            let (mut peer, stream) = duplex(1024);
            let mut ws = hybi_tokio::upgraded(upgrade.with_input(read), stream);
            assert_eq!(ws.recv().await.unwrap(), Some(Message::binary(long)));
            peer.write_all(unread).await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(Message::text("cut")));
            // And on from the transport alone.
            peer.write_all(&wire::frame(Side::Client, TEXT, b"next")).await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(Message::text("next")));
        }
    });
}
