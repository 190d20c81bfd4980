//! `send`, `feed`, `flush`, `try_send`: what leaves, what waits, and what comes back
//! (RFC 6455 section 6.1).

use hybi::{CloseCode, Config, Error, Message};
use hybi_testkit::wire::{BINARY, TEXT};

use super::{MORE_THAN_BUFFERS, Runtime, serve};
use crate::peer::Peer;

/// `feed` queues, `flush` sends what is queued, `send` does both.
pub fn send_feed_and_flush<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        ws.feed("a").await?;
        ws.feed("b").await?;
        assert_eq!(ws.queued_bytes(), 6);
        ws.flush().await?;
        assert_eq!(ws.queued_bytes(), 0);
        assert_eq!(ws.recv().await?, Some("a and b are here".into()));
        ws.send("c").await?;
        assert_eq!(ws.queued_bytes(), 0);
        assert_eq!(ws.recv().await?, Some("c is here".into()));
        ws.feed("d").await?;
        // Waiting sends what was fed.
        ws.recv().await
    });
    let mut peer = Peer::open(address);
    peer.expect(TEXT, b"a");
    peer.expect(TEXT, b"b");
    peer.send_frame(TEXT, b"a and b are here");
    peer.expect(TEXT, b"c");
    peer.send_frame(TEXT, b"c is here");
    peer.expect(TEXT, b"d");
    peer.send_close(1000);
    drop(peer);
    assert_eq!(server.join().unwrap(), None);
}

/// A full queue gives the message back and stays within its limit; what it took is sent.
pub fn try_send_gives_a_full_message_back<R: Runtime>() {
    const LIMIT: usize = 100_000;
    let (address, server) =
        serve::<R, _>(Config::default().outbox_limit(LIMIT), |mut ws| async move {
            let mut taken = 0_u32;
            let refused = loop {
                let message = Message::binary(taken.to_be_bytes().repeat(1000));
                match ws.try_send(message.clone()) {
                    Ok(()) => taken += 1,
                    Err(error) => {
                        assert!(matches!(error.error(), Error::Full), "{error}");
                        break (message, error.into_message());
                    }
                }
            };
            assert_eq!(refused.1, Some(refused.0));
            assert!(ws.queued_bytes() <= LIMIT && ws.queued_bytes() > LIMIT - 5000);
            ws.flush().await?;
            ws.try_send("there is room again")?;
            ws.close(CloseCode::NORMAL, "").await?;
            Ok::<_, Error>(taken)
        });
    let mut peer = Peer::open(address);
    let mut seen = 0_u32;
    let last = loop {
        let frame = peer.read_frame();
        if frame.first != BINARY {
            break frame;
        }
        assert_eq!(frame.payload, seen.to_be_bytes().repeat(1000));
        seen += 1;
    };
    assert_eq!((last.first, &last.payload[..]), (TEXT, &b"there is room again"[..]));
    peer.expect_close(1000);
    peer.send_close(1000);
    drop(peer);
    assert_eq!(server.join().unwrap(), seen);
    assert_eq!(seen, 24);
}

/// After the closing handshake has begun, or the connection failed, messages come back.
pub fn gives_messages_back_after_close<R: Runtime>() {
    let app = |mut ws: super::Accepted<R>| async move {
        let _ = ws.recv().await;
        let message = Message::text("mine");
        let mut errors = Vec::new();
        for result in [
            ws.send(message.clone()).await,
            ws.feed(message.clone()).await,
            ws.try_send(message.clone()),
        ] {
            let error = result.expect_err("a connection that is over");
            errors.push(error.error().clone());
            assert_eq!(error.into_message().as_ref(), Some(&message));
        }
        errors
    };
    let (address, server) = serve::<R, _>(Config::default(), app);
    let mut peer = Peer::open(address);
    peer.send_close(1000);
    peer.expect_close(1000);
    peer.expect_end();
    drop(peer);
    for error in server.join() {
        assert!(matches!(error, Error::Closed), "{error}");
        assert!(error.is_closed());
    }
    let (address, server) = serve::<R, _>(Config::default(), app);
    let mut peer = Peer::open(address);
    peer.send(b"\xff\xff");
    peer.expect_close(1002);
    peer.expect_end();
    drop(peer);
    for error in server.join() {
        assert!(matches!(error, Error::Protocol(_)), "{error}");
    }
}

/// What may not be on the wire is refused before a byte leaves, and nothing else changes.
pub fn refuses_what_may_not_be_sent<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        let ping = Message::Ping(vec![0; 126].into());
        let refused = ws.send(ping.clone()).await.expect_err("too long");
        assert!(matches!(refused.error(), Error::ControlTooLong { len: 126 }), "{refused}");
        assert_eq!(refused.into_message(), Some(ping));
        // 1010 is a client's to send.
        for code in [0, 999, 1004, 1005, 1006, 1010, 1015, 1016, 2999, 5000, 65_535] {
            let refused = ws.close(CloseCode::from(code), "").await;
            assert!(matches!(refused, Err(Error::CloseFrame(_))), "{code}: {refused:?}");
        }
        let refused = ws.close(CloseCode::NORMAL, &"x".repeat(124)).await;
        assert!(matches!(refused, Err(Error::CloseFrame(_))), "{refused:?}");
        assert_eq!(ws.close_status(), None);
        ws.send("still open").await?;
        ws.close(CloseCode::NORMAL, &"x".repeat(123)).await
    });
    let mut peer = Peer::open(address);
    peer.expect(TEXT, b"still open");
    let close = peer.read_frame();
    assert_eq!(close.payload.len(), 125);
    peer.send_close(1000);
    drop(peer);
    assert!(server.join().unwrap().is_clean());
}

/// `send` and `feed` wait while too much is queued, and go on when the peer reads.
pub fn waits_for_room_and_goes_on<R: Runtime>() {
    const MESSAGES: u32 = 600;
    let message = |n: u32| n.to_be_bytes().repeat(16 * 1024);
    let config = Config::default().outbox_limit(100_000);
    let (address, server) = serve::<R, _>(config, move |mut ws| async move {
        for n in 0..MESSAGES {
            ws.feed(message(n)).await?;
            // The limit speaks of payloads; the header of the last may come on top.
            assert!(ws.queued_bytes() <= 100_000 + 10);
        }
        ws.close(CloseCode::NORMAL, "").await
    });
    let mut peer = Peer::open(address);
    for n in 0..MESSAGES {
        peer.expect(BINARY, &message(n));
    }
    peer.expect_close(1000);
    peer.send_close(1000);
    drop(peer);
    assert!(server.join().unwrap().is_clean());
}

/// A sender that waits learns that the peer is gone.
pub fn ends_a_blocked_send_when_the_peer_leaves<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        ws.send(vec![0; MORE_THAN_BUFFERS]).await
    });
    let mut peer = Peer::open(address);
    let mut first = [0; 1];
    peer.read_raw(&mut first);
    // With bytes unread, this is a reset.
    drop(peer);
    let error = server.join().expect_err("nobody read it");
    assert!(matches!(error.error(), Error::Transport(_)), "{error}");
    assert_eq!(error.into_message(), None);
}
