//! `Stream` and `Sink`: `forward`, and halves on tasks of their own (RFC 6455 sections 5 and 7).

use std::sync::mpsc;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt};
use hybi::{Config, Error, Message};
use hybi_testkit::wire::{self, BINARY, CLOSE, PING, PONG, Side, TEXT};

use super::{MORE_THAN_BUFFERS, Runtime, serve};
use crate::peer::{PATIENCE, Peer};

/// `forward` is an echo server, up to the end.
pub fn forwards<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |ws| async {
        let (sink, stream) = StreamExt::split(ws);
        stream.forward(sink).await
    });
    let mut peer = Peer::open(address);
    let frames = (0..100_u8).map(|n| wire::frame(Side::Client, BINARY, &[n]));
    peer.send(frames.collect::<Vec<_>>().concat());
    for n in 0..100_u8 {
        peer.expect(BINARY, &[n]);
    }
    peer.send_frame(TEXT, b"one more");
    peer.expect(TEXT, b"one more");
    peer.send_close(1000);
    peer.expect_close(1000);
    peer.expect_end();
    drop(peer);
    server.join().unwrap();
}

/// Messages and a Close frame that came at once: all that is in front of the Close frame is echoed.
pub fn forwards_what_came_with_the_close<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |ws| async {
        let (sink, stream) = StreamExt::split(ws);
        stream.forward(sink).await
    });
    forwarded(Peer::open(address));
    server.join().expect("an end in order");

    let (address, server) = serve::<R, _>(Config::default(), |ws| async {
        let (mut sink, mut stream) = StreamExt::split(ws);
        sink.send_all(&mut stream).await?;
        sink.close().await
    });
    forwarded(Peer::open(address));
    server.join().expect("an end in order");
}

fn forwarded(mut peer: Peer) {
    let messages = [&b"a"[..], b"b", b"c"];
    let mut bytes: Vec<_> =
        messages.iter().flat_map(|text| wire::frame(Side::Client, TEXT, text)).collect();
    bytes.extend(wire::frame(Side::Client, CLOSE, &wire::close_payload(1000, b"")));
    peer.send(bytes);
    for text in messages {
        peer.expect(TEXT, text);
    }
    peer.expect_close(1000);
    peer.expect_end();
}

/// Two tasks share a connection: one sends a thousand messages while the other receives as many.
pub fn splits_over_two_tasks<R: Runtime>() {
    const MESSAGES: u32 = 1000;
    let (sent, sender_done) = mpsc::channel();
    let (address, server) = serve::<R, _>(Config::default(), |ws| async move {
        let (mut sink, mut stream) = StreamExt::split(ws);
        R::spawn(async move {
            for n in 0..MESSAGES {
                let message = n.to_be_bytes().repeat(100);
                let result = sink.send(Message::binary(message)).await;
                result.expect("the connection is open");
            }
            sent.send(()).expect("the test waits");
        });
        let mut received = Vec::new();
        while let Some(message) = stream.next().await {
            received.push(message?.into_bytes());
        }
        Ok::<_, Error>(received)
    });
    let mut peer = Peer::open(address);
    for n in 0..MESSAGES {
        peer.send_frame(BINARY, &n.to_le_bytes().repeat(200));
        peer.expect(BINARY, &n.to_be_bytes().repeat(100));
    }
    sender_done.recv_timeout(PATIENCE).expect("the sender ends");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    let received = server.join().unwrap();
    assert_eq!(received.len(), MESSAGES as usize);
    for (n, message) in (0..MESSAGES).zip(received) {
        assert_eq!(message, n.to_le_bytes().repeat(200));
    }
}

/// Both halves wait on their tasks; whatever the peer does wakes the one that it concerns.
///
/// The transport remembers one waker for writing, and the receiving half writes as well: its
/// pongs. Had it replaced the sender's waker, the sender would sleep for ever.
pub fn wakes_both_halves<R: Runtime>() {
    for round in 0..8_u32 {
        let (heard, hear) = mpsc::channel();
        let (sending, send) = mpsc::channel();
        let (address, server) = serve::<R, _>(Config::default(), move |ws| async move {
            let (mut sink, mut stream) = StreamExt::split::<Message>(ws);
            R::spawn(async move {
                sending.send("begins").expect("the test waits");
                sink.send(vec![1; MORE_THAN_BUFFERS].into()).await.expect("a peer that reads");
                sending.send("ends").expect("the test waits");
            });
            while let Some(message) = stream.next().await {
                heard.send(message?).expect("the test waits");
            }
            Ok::<_, Error>(())
        });
        let mut peer = Peer::open(address);
        let mut first = [0; 10];
        assert_eq!(send.recv_timeout(PATIENCE), Ok("begins"));
        peer.read_raw(&mut first);
        // The sender is in the middle of its message. Pings and messages reach the receiver, and
        // their answers have to wait behind the sender's bytes.
        for _ in 0..=round % 4 {
            peer.send_frame(PING, &round.to_be_bytes());
            peer.send_frame(TEXT, b"are you there");
            let message = hear.recv_timeout(PATIENCE).expect("the receiver is woken");
            assert_eq!(message.as_text(), Some("are you there"));
        }
        assert!(send.try_recv().is_err(), "more than the buffers hold");
        let mut rest = vec![0; MORE_THAN_BUFFERS];
        peer.read_raw(&mut rest);
        assert!(rest.iter().all(|byte| *byte == 1));
        assert_eq!(send.recv_timeout(PATIENCE), Ok("ends"), "the sender is woken");
        peer.expect(PONG, &round.to_be_bytes());
        peer.send_close(1000);
        while peer.read_frame().first == PONG {}
        peer.expect_end();
        drop(peer);
        server.join().unwrap();
    }
}

/// Closing the sink sends Close 1000; the stream then sees the end, and is fused.
pub fn closes_through_the_sink<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |ws| async {
        let (mut sink, mut stream) = StreamExt::split(ws);
        sink.send(Message::from("last")).await?;
        sink.close().await?;
        let refused = sink.send(Message::from("too late")).await;
        assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
        let mut received = Vec::new();
        while let Some(message) = stream.next().await {
            received.push(message?);
        }
        assert!(stream.next().await.is_none());
        let ws = stream.reunite(sink).expect("two halves of one connection");
        Ok::<_, Error>((received, ws.close_status()))
    });
    let mut peer = Peer::open(address);
    peer.expect(TEXT, b"last");
    peer.expect_close(1000);
    peer.send_frame(TEXT, b"on its way already");
    peer.send_close(1000);
    peer.expect_end();
    drop(peer);
    let (received, status) = server.join().unwrap();
    assert_eq!(received, [Message::from("on its way already")]);
    assert!(status.expect("an end").is_clean());
}

/// A sender that waits for a peer which will never read is woken when the connection is lost.
pub fn wakes_the_sender_when_the_peer_ends<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |ws| async move {
        let (mut sink, mut stream) = StreamExt::split::<Message>(ws);
        let sending = async move { sink.send(vec![1; MORE_THAN_BUFFERS].into()).await };
        let (task, sent) = sending.remote_handle();
        R::spawn(task);
        let lost = stream.next().await;
        assert!(matches!(lost, Some(Err(Error::Lost))), "{lost:?}");
        // The stream stays, and with it the transport.
        sent.await
    });
    let mut peer = Peer::open(address);
    peer.read_raw(&mut [0; 10]);
    peer.end();
    let result = server.join();
    assert!(matches!(result, Err(Error::Lost)), "{result:?}");
}
