//! Deadlines, on tokio's paused clock: it jumps to the next deadline whenever nothing else is to
//! do, so the times measured are exact and take no time (RFC 6455 sections 5.5.2, 7.1.1, 10.4).

use core::{future::Future, time::Duration};
use std::sync::Arc;

use hybi_suite::peer::{ACCEPT, REQUEST};
use hybi_testkit::wire::{self, BINARY, CLOSE, PING, PONG, Side, TEXT};
use hybi_tokio::{
    CloseCode, Config, Connection, Deadline, Error, Negotiated, Role, Server, TokioIo, TokioTimer,
    WebSocket,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, DuplexStream, duplex},
    runtime,
    task::JoinHandle,
    time::{Instant, interval, timeout},
};

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Runs a test on a paused clock. If nothing is left to wait for, that jumps to the end of the day,
/// so that a test which would hang fails at once.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let mut runtime = runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let bounded = async { timeout(secs(24 * 3600), test).await };
    runtime.block_on(bounded).expect("a test that does not hang");
}

/// A server on one end of a pipe that holds `room` bytes, running `app` on the connection; the other
/// end, on which the handshake is done.
async fn open<F>(
    room: usize,
    config: Config,
    app: impl FnOnce(WebSocket<DuplexStream>) -> F + Send + 'static,
) -> (DuplexStream, JoinHandle<F::Output>)
where
    F: Future<Output: Send + 'static> + Send,
{
    let (mut peer, stream) = duplex(room);
    let server = Server::builder().config(config).build();
    let task =
        tokio::spawn(
            async move { app(hybi_tokio::accept_on(&server, stream).await.unwrap()).await },
        );
    handshake(&mut peer).await;
    (peer, task)
}

async fn handshake(peer: &mut DuplexStream) {
    peer.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(peer.read_u8().await.unwrap());
    }
    assert!(String::from_utf8(head).unwrap().contains(ACCEPT));
}

async fn expect(peer: &mut DuplexStream, first: u8, payload: &[u8]) {
    let wanted = wire::frame(Side::Server, first, payload);
    let mut bytes = vec![0; wanted.len()];
    peer.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, wanted);
}

async fn expect_end(peer: &mut DuplexStream) {
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}

async fn send(peer: &mut DuplexStream, first: u8, payload: &[u8]) {
    peer.write_all(&wire::frame(Side::Client, first, payload)).await.unwrap();
}

/// Receives up to the end, echoing.
async fn echo<S>(mut ws: WebSocket<S>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

#[test]
fn a_silent_handshake_ends_with_408() {
    run(async {
        let (mut peer, stream) = duplex(1024);
        let start = Instant::now();
        let server =
            tokio::spawn(async move { hybi_tokio::accept_on(&Server::default(), stream).await });
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert_eq!(start.elapsed().as_secs(), 10);
        drop(peer);
        let error = server.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
    });
}

#[test]
fn a_trickling_handshake_ends_with_408() {
    run(async {
        let (peer, stream) = duplex(1024);
        let (mut from_server, mut to_server) = tokio::io::split(peer);
        let start = Instant::now();
        let server =
            tokio::spawn(async move { hybi_tokio::accept_on(&Server::default(), stream).await });
        tokio::spawn(async move {
            // Each byte comes within a second of the one before, and never the last.
            let mut clock = interval(secs(1) - Duration::from_millis(1));
            for byte in REQUEST.bytes() {
                clock.tick().await;
                if to_server.write_u8(byte).await.is_err() {
                    break;
                }
            }
        });
        let mut answer = String::new();
        from_server.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(start.elapsed().as_secs(), 10);
        let error = server.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
        assert!(start.elapsed() <= secs(11), "what trickles on is read for a second at most");
    });
}

#[test]
fn a_server_that_is_silent_is_left() {
    run(async {
        let (_peer, stream) = duplex(1024);
        let start = Instant::now();
        let client = hybi_tokio::Client::default();
        let error = hybi_tokio::connect_on(&client, "ws://example.org/", stream).await.unwrap_err();
        assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
        assert_eq!(start.elapsed().as_secs(), 10);
    });
}

#[test]
fn a_close_frame_without_an_answer_ends_at_the_close_deadline() {
    run(async {
        let config = Config::default();
        let (mut peer, server) = open(1024, config, |mut ws| async move {
            let start = Instant::now();
            let status = ws.close(CloseCode::NORMAL, "").await.unwrap();
            (status, start.elapsed())
        })
        .await;
        expect(&mut peer, CLOSE, &[3, 232]).await;
        expect_end(&mut peer).await;
        let (status, elapsed) = server.await.unwrap();
        assert!(!status.is_clean());
        assert_eq!(elapsed.as_secs(), 5);
    });
}

#[test]
fn a_client_leaves_the_end_to_the_server_until_the_close_deadline() {
    run(async {
        let (mut peer, stream) = duplex(1024);
        let config = Arc::new(Config::default());
        let connection = Connection::new(Role::Client, Negotiated::default(), config);
        let mut ws = WebSocket::new(connection, TokioIo::new(stream), TokioTimer::default());
        let client = tokio::spawn(async move { ws.close(CloseCode::NORMAL, "").await });
        let mut close = [0; 8];
        peer.read_exact(&mut close).await.unwrap();
        assert_eq!(close[..2], [CLOSE, 0x82]);
        peer.write_all(&wire::frame(Side::Server, CLOSE, &[3, 232])).await.unwrap();
        let start = Instant::now();
        expect_end(&mut peer).await;
        assert_eq!(start.elapsed().as_secs(), 5);
        assert!(client.await.unwrap().unwrap().is_clean());
    });
}

#[test]
fn a_peer_that_does_not_answer_a_ping_is_left() {
    run(async {
        let (mut peer, server) = open(1024, Config::default(), echo).await;
        let start = Instant::now();
        expect(&mut peer, PING, b"").await;
        // Between one interval and two after the last byte.
        let pinged = start.elapsed();
        assert!(pinged >= secs(20) && pinged <= secs(41), "{pinged:?}");
        expect(&mut peer, CLOSE, b"\x03\xf3ping timeout").await;
        assert_eq!((start.elapsed() - pinged).as_secs(), 20);
        expect_end(&mut peer).await;
        let error = server.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Timeout(Deadline::Pong)), "{error}");
    });
}

#[test]
fn a_peer_that_answers_pings_may_stay_for_ever() {
    run(async {
        let (mut peer, server) = open(1024, Config::default(), echo).await;
        let start = Instant::now();
        while start.elapsed() < secs(3600) {
            expect(&mut peer, PING, b"").await;
            send(&mut peer, PONG, b"").await;
        }
        send(&mut peer, TEXT, b"still here").await;
        expect(&mut peer, TEXT, b"still here").await;
        drop(peer);
        assert!(matches!(server.await.unwrap(), Err(Error::Lost)));
    });
}

#[test]
fn a_peer_that_sends_is_not_pinged() {
    run(async {
        let (mut peer, _server) = open(1024, Config::default(), echo).await;
        let mut clock = interval(secs(10));
        for _ in 0..100 {
            clock.tick().await;
            send(&mut peer, TEXT, b"x").await;
            expect(&mut peer, TEXT, b"x").await;
        }
    });
}

#[test]
fn a_peer_that_sends_no_message_is_left_at_the_idle_deadline() {
    run(async {
        let config = Config::default().ping_interval(None).idle_timeout(Some(secs(60)));
        let (mut peer, server) = open(1024, config, echo).await;
        let start = Instant::now();
        for _ in 0..3 {
            let mut bytes = [0; 4];
            let waited = timeout(secs(40), peer.read(&mut bytes)).await;
            assert!(waited.is_err(), "{bytes:?} after {:?}", start.elapsed());
            send(&mut peer, TEXT, b"").await;
            expect(&mut peer, TEXT, b"").await;
        }
        let last = Instant::now();
        expect(&mut peer, CLOSE, b"\x03\xe9idle timeout").await;
        let waited = last.elapsed();
        assert!(waited >= secs(60) && waited <= secs(76), "{waited:?}");
        expect_end(&mut peer).await;
        let error = server.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Timeout(Deadline::Idle)), "{error}");
    });
}

#[test]
fn a_send_that_is_not_read_ends_at_the_write_deadline() {
    run(async {
        let (_peer, server) = open(1024, Config::default(), |mut ws| async move {
            let start = Instant::now();
            let error = ws.send(vec![0; 100_000]).await.unwrap_err();
            (error, start.elapsed())
        })
        .await;
        let (error, elapsed) = server.await.unwrap();
        assert!(matches!(error.error(), Error::Timeout(Deadline::Write)), "{error}");
        assert_eq!(elapsed.as_secs(), 30);
    });
}

#[test]
fn a_receiver_whose_answers_are_not_read_ends_at_the_write_deadline() {
    run(async {
        let (_peer, server) = open(1024, Config::default(), |mut ws| async move {
            let start = Instant::now();
            ws.feed(vec![0; 100_000]).await.unwrap();
            let error = ws.recv().await.unwrap_err();
            (error, start.elapsed())
        })
        .await;
        let (error, elapsed) = server.await.unwrap();
        assert!(matches!(error, Error::Timeout(Deadline::Write)), "{error}");
        assert_eq!(elapsed.as_secs(), 30);
    });
}

#[test]
fn a_slow_reader_is_not_a_dead_one() {
    run(async {
        const LEN: usize = 200_000;
        let (mut peer, server) = open(1024, Config::default(), |mut ws| async move {
            ws.send(vec![7; LEN]).await.map_err(Error::from)?;
            ws.send("sent").await.map_err(Error::from)?;
            echo(ws).await
        })
        .await;
        let start = Instant::now();
        let mut clock = interval(secs(1));
        let mut bytes = vec![0; wire::frame(Side::Server, BINARY, &vec![7; LEN]).len()];
        for part in bytes.chunks_mut(1000) {
            clock.tick().await;
            peer.read_exact(part).await.unwrap();
        }
        assert!(start.elapsed() > secs(190));
        let (frame, _) = wire::read_frame(Side::Server, &bytes).unwrap();
        assert_eq!((frame.first, frame.payload), (BINARY, vec![7; LEN]));
        let mut first = [0; 2];
        loop {
            peer.read_exact(&mut first).await.unwrap();
            if first != [PING, 0] {
                break;
            }
        }
        assert_eq!(first, [TEXT, 4]);
        drop(peer);
        assert!(server.await.unwrap().is_err());
    });
}

#[test]
fn an_offender_that_stays_is_left_after_a_second() {
    run(async {
        let (mut peer, server) = open(1024, Config::default(), echo).await;
        let start = Instant::now();
        peer.write_all(&[0xff]).await.unwrap();
        expect(&mut peer, CLOSE, &[3, 234]).await;
        expect_end(&mut peer).await;
        let error = server.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{error}");
        assert!(start.elapsed() <= secs(1) + Duration::from_millis(1));
    });
}

/// A flush that had to wait is over when it is over: neither does its deadline run on, nor are
/// pongs held back for ever.
#[test]
fn a_flush_that_waited_leaves_no_deadline() {
    run(async {
        let (mut peer, stream) = duplex(1024);
        let config = Config::default().ping_interval(None);
        let server = Server::builder().config(config).build();
        let server = tokio::spawn(async move {
            // Buffers what is written, so that only its flush meets the narrow pipe.
            let stream = BufStream::with_capacity(64, 64 * 1024, stream);
            echo(hybi_tokio::accept_on(&server, stream).await.unwrap()).await
        });
        handshake(&mut peer).await;
        let payload = [b'x'; 5000];
        send(&mut peer, TEXT, &payload).await;
        send(&mut peer, PING, b"1").await;
        let waited = timeout(secs(10), core::future::pending::<()>()).await;
        assert!(waited.is_err());
        send(&mut peer, PING, b"2").await;
        let mut echoed = vec![0; wire::frame(Side::Server, TEXT, &payload).len()];
        peer.read_exact(&mut echoed).await.unwrap();
        let mut pong = [0; 3];
        while pong != [PONG, 1, b'2'] {
            peer.read_exact(&mut pong).await.unwrap();
        }
        let idle = timeout(secs(600), peer.read_u8()).await;
        assert!(idle.is_err(), "{idle:?}");
        send(&mut peer, PING, b"3").await;
        expect(&mut peer, PONG, b"3").await;
        drop(peer);
        assert!(matches!(server.await.unwrap(), Err(Error::Lost)));
    });
}
