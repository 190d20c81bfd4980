//! The closing handshake, and ends without one (RFC 6455 sections 5.5.1 and 7).

use core::time::Duration;

use hybi::{Client, CloseCode, CloseStatus, Config, Deadline, Endpoint, Error};
use hybi_testkit::wire::{self, CLOSE, PING, PONG, Side, TEXT};

use super::{MORE_THAN_BUFFERS, Runtime, connect, echo, serve, serve_echo, uri};
use crate::peer::{Peer, listen};

/// How long a connection may wait for what never comes, in the tests about that.
const SOON: Duration = Duration::from_millis(50);

/// What a status says, in one value to compare.
fn told(status: &CloseStatus) -> (u16, &str, Option<u16>, Option<Endpoint>, bool) {
    let sent = status.sent().map(CloseCode::as_u16);
    (status.code().as_u16(), status.reason(), sent, status.began_by(), status.is_clean())
}

/// The peer begins; the server answers and ends the transport first (section 7.1.1).
pub fn peer_closes<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    peer.send_frame(CLOSE, &wire::close_payload(1000, "thank you €".as_bytes()));
    peer.expect(CLOSE, &wire::close_payload(1000, "thank you €".as_bytes()));
    peer.expect_end();
    drop(peer);
    let outcome = server.join();
    assert!(outcome.error.is_none());
    let wanted = (1000, "thank you €", Some(1000), Some(Endpoint::Peer), true);
    assert_eq!(told(&outcome.status), wanted);
}

/// The server begins, with a code and reason of its own.
pub fn server_closes<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        let status = ws.close(CloseCode::from(4321), "over").await?;
        assert_eq!(ws.recv().await?, None);
        assert_eq!(ws.close_status(), Some(status.clone()));
        // Closing again changes nothing.
        assert_eq!(ws.close(CloseCode::GOING_AWAY, "").await?, status);
        Ok::<_, Error>(status)
    });
    let mut peer = Peer::open(address);
    peer.expect(CLOSE, &wire::close_payload(4321, b"over"));
    peer.send_frame(CLOSE, &wire::close_payload(4321, b"yes"));
    peer.expect_end();
    drop(peer);
    let status = server.join().unwrap();
    assert_eq!(told(&status), (4321, "yes", Some(4321), Some(Endpoint::Local), true));
}

/// A proxy ends its client's connection as its server ended the other, whatever that was.
pub fn forwards_how_it_ended<R: Runtime>() {
    let lost = "the connection behind this one was lost";
    let ends: [(Option<&[u8]>, Vec<u8>); 3] = [
        (Some(b"\x0f\xa1moved"), b"\x0f\xa1moved".to_vec()),
        (Some(b""), Vec::new()),
        // It vanishes: 1006 is never sent.
        (None, wire::close_payload(1011, lost.as_bytes())),
    ];
    for (close, forwarded) in ends {
        let (listener, behind) = listen();
        let (address, proxy) = serve::<R, _>(Config::default(), move |mut client| async move {
            let uri = uri::<R>(behind);
            let (mut server, _) = R::connect_with(&Client::default(), &uri).await?;
            while let Ok(Some(message)) = server.recv().await {
                client.send(message).await?;
            }
            let status = server.close_status().expect("an end");
            client.forward_close(&status).await
        });
        let mut client = Peer::open(address);
        let mut server = Peer::answer(&listener, "");
        server.send_frame(TEXT, b"passed on");
        client.expect(TEXT, b"passed on");
        if let Some(close) = close {
            server.send_frame(CLOSE, close);
            server.expect(CLOSE, close);
        }
        drop(server);
        client.expect(CLOSE, &forwarded);
        client.send_frame(CLOSE, &forwarded);
        client.expect_end();
        drop(client);
        assert!(proxy.join().expect("no error").is_clean());
    }
}

/// The client begins, and lets the server end the transport.
pub fn client_closes<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), |mut ws| async move {
        ws.close(CloseCode::NORMAL, "enough").await
    });
    let mut peer = Peer::answer(&listener, "");
    peer.expect(CLOSE, &wire::close_payload(1000, b"enough"));
    peer.send_close(1000);
    peer.end();
    peer.expect_end();
    let status = client.join().unwrap();
    assert_eq!(told(&status), (1000, "", Some(1000), Some(Endpoint::Local), true));
}

/// An empty Close frame is answered with an empty one, and reported as 1005.
pub fn closes_without_code<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    peer.send_frame(CLOSE, b"");
    peer.expect_close(None);
    peer.expect_end();
    drop(peer);
    let wanted = (1005, "", Some(1005), Some(Endpoint::Peer), true);
    assert_eq!(told(&server.join().status), wanted);

    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        ws.send(hybi::Message::Close(None)).await?;
        assert_eq!(ws.recv().await?, None);
        Ok::<_, Error>(ws.close_status())
    });
    let mut peer = Peer::open(address);
    peer.expect_close(None);
    peer.send_close(1001);
    peer.expect_end();
    drop(peer);
    let status = server.join().unwrap().expect("an end");
    assert_eq!(told(&status), (1001, "", Some(1005), Some(Endpoint::Local), true));
}

/// Both Close frames cross: each end sends one, and neither answers the other's.
pub fn both_close_at_once<R: Runtime>() {
    let app = |mut ws: super::Accepted<R>| async move { ws.close(CloseCode::NORMAL, "").await };
    let (address, server) = serve::<R, _>(Config::default(), app);
    let mut peer = Peer::open(address);
    peer.send_close(1001);
    peer.expect_close(1000);
    peer.expect_end();
    drop(peer);
    let status = server.join().unwrap();
    assert_eq!(told(&status), (1001, "", Some(1000), Some(Endpoint::Local), true));

    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), |mut ws| async move {
        ws.close(CloseCode::GOING_AWAY, "").await
    });
    let mut peer = Peer::answer(&listener, "");
    peer.expect_close(1001);
    peer.send_close(1000);
    peer.end();
    peer.expect_end();
    let status = client.join().unwrap();
    assert_eq!(told(&status), (1000, "", Some(1001), Some(Endpoint::Local), true));
}

/// Each code that may be on the wire is accepted and comes back, and its reason with it.
pub fn answers_with_the_same_code<R: Runtime>() {
    let codes = [1000..=1003, 1007..=1014, 3000..=3000, 3999..=4000, 4999..=4999];
    for code in codes.into_iter().flatten() {
        let (address, server) = serve_echo::<R>(Config::default());
        let mut peer = Peer::open(address);
        let close = wire::close_payload(code, &[b'r'; 123]);
        peer.send_frame(CLOSE, &close);
        peer.expect(CLOSE, &close);
        peer.expect_end();
        drop(peer);
        let status = server.join().status;
        assert_eq!((status.code().as_u16(), status.reason().len()), (code, 123));
    }
}

/// Until the peer's Close frame comes, its pings are answered, and its messages dropped.
pub fn answers_pings_while_closing<R: Runtime>() {
    let (address, server) =
        serve::<R, _>(
            Config::default(),
            |mut ws| async move { ws.close(CloseCode::NORMAL, "").await },
        );
    let mut peer = Peer::open(address);
    peer.expect_close(1000);
    peer.send_frame(TEXT, b"on its way already");
    peer.send_frame(PING, b"still there?");
    peer.expect(PONG, b"still there?");
    peer.send_close(1000);
    peer.expect_end();
    drop(peer);
    assert!(server.join().unwrap().is_clean());
}

/// The transport ends without a Close frame, or inside a frame: lost, 1006, at both ends.
pub fn ends_without_close_frame<R: Runtime>() {
    for bytes in [&b""[..], b"\x81", b"\x81\x85\x37\xfa\x21\x3d\x7f", b"\x01\x80\0\0\0\0"] {
        let (address, server) = serve_echo::<R>(Config::default());
        let mut peer = Peer::open(address);
        peer.send(bytes);
        peer.end();
        peer.expect_end();
        let outcome = server.join();
        assert!(matches!(outcome.error, Some(Error::Lost)), "{outcome:?}");
        assert_eq!(told(&outcome.status), (1006, "", None, None, false));

        let (listener, address) = listen();
        let client = connect::<R, _>(address, Config::default(), echo);
        let mut peer = Peer::answer(&listener, "");
        peer.end();
        peer.expect_end();
        let outcome = client.join();
        assert!(matches!(outcome.error, Some(Error::Lost)), "{outcome:?}");
        assert_eq!(told(&outcome.status), (1006, "", None, None, false));
    }
}

/// A peer that never answers the Close frame is left at the deadline. For who closes that is no
/// error, only not clean; who receives is told.
pub fn ends_when_nobody_answers_the_close<R: Runtime>() {
    let config = Config::default().close_timeout(SOON);
    let (address, server) = serve::<R, _>(config.clone(), |mut ws| async move {
        let status = ws.close(CloseCode::NORMAL, "").await?;
        let told = ws.recv().await;
        assert!(matches!(told, Err(Error::Timeout(Deadline::Close))), "{told:?}");
        Ok::<_, Error>(status)
    });
    let mut peer = Peer::open(address);
    peer.expect_close(1000);
    peer.expect_end();
    let status = server.join().unwrap();
    assert_eq!(told(&status), (1006, "", Some(1000), Some(Endpoint::Local), false));

    let (listener, address) = listen();
    let client =
        connect::<R, _>(
            address,
            config,
            |mut ws| async move { ws.close(CloseCode::NORMAL, "").await },
        );
    let mut peer = Peer::answer(&listener, "");
    peer.expect_close(1000);
    peer.expect_end();
    assert!(!client.join().unwrap().is_clean());
}

/// A peer that keeps talking instead of answering the Close frame is left at the same deadline.
pub fn ends_when_the_peer_talks_on<R: Runtime>() {
    let config = Config::default().close_timeout(SOON);
    let (address, server) =
        serve::<R, _>(config, |mut ws| async move { ws.close(CloseCode::NORMAL, "").await });
    let mut peer = Peer::open(address);
    peer.expect_close(1000);
    let message = wire::frame(Side::Client, TEXT, &[b'x'; 1000]);
    while peer.try_send(&message) {}
    assert!(!server.join().unwrap().is_clean());
}

/// A server whose client is silent after the Close frames does not wait for its FIN for ever.
pub fn ends_when_the_client_keeps_its_half<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default().close_timeout(SOON));
    let mut peer = Peer::open(address);
    peer.send_close(1000);
    peer.expect_close(1000);
    peer.expect_end();
    assert!(server.join().status.is_clean());
    drop(peer);
}

/// The peer ends its half behind its Close frame and reads nothing of what waits for it: the
/// application is told that not all of it left.
pub fn ends_with_unread_answers<R: Runtime>() {
    let config = Config::default().end_timeout(SOON);
    let (address, server) = serve::<R, _>(config, |mut ws| async move {
        ws.feed(vec![0; MORE_THAN_BUFFERS]).await?;
        let end = ws.recv().await;
        assert!(matches!(end, Err(Error::Timeout(Deadline::Write))), "{end:?}");
        Ok::<_, Error>(ws.close_status())
    });
    let mut peer = Peer::open(address);
    peer.read_raw(&mut [0; 10]);
    peer.send_close(1000);
    peer.end();
    let status = server.join().unwrap().expect("an end");
    assert!(!status.is_clean(), "the answer to the Close frame never left: {status:?}");
    drop(peer);
}
