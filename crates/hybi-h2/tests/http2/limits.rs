//! What one client can take: streams, windows, time, connections; and how all of it ends (RFC 9113 section 10.5).

use core::{future::pending, time::Duration};

use hybi::{Error, Server};
use hybi_h2::{Http2Listener, Serving, Settings, WebSocket};
use hybi_testkit::wire::{self, BINARY, FIN, Side, TEXT};
use hybi_tokio::TokioListener;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::{
    peer::{echoing, listen},
    raw::{
        CANCEL, DATA, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR, PREFACE, REFUSED_STREAM,
        RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE, connect_block, connect_frame, frame, setting,
    },
};

const WINDOW: usize = 128 * 1024;

/// Reads one message and then no more if it says so, or else echoes.
async fn may_stall(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        if message.as_text() == Some("stall") {
            pending::<()>().await;
        }
        ws.send(message).await?;
    }
    Ok(())
}

fn text(payload: &[u8]) -> Vec<u8> {
    wire::frame(Side::Client, TEXT | FIN, payload)
}

#[tokio::test]
async fn all_but_one_may_stall_and_the_one_goes_on() {
    for (streams, stalled) in [(50, 10), (16, 15)] {
        let (listener, address) = listen().await;
        let settings = Settings::default().max_streams(streams);
        let listener = Http2Listener::new(TokioListener::new(listener)).settings(settings);
        tokio::spawn(Serving::new(listener, Server::default(), may_stall));
        let mut peer = Raw::client(address, &[]).await;
        let ids: Vec<_> = (0..streams).map(|which| 2 * which + 1).collect();
        for id in &ids {
            peer.write(&connect_frame(*id)).await;
            assert_eq!(peer.of(*id).await.kind, HEADERS);
        }
        let (stuck, free) = ids.split_at(stalled);
        // As much as each may say: what is to stall it, and then a message that nobody takes.
        let mut said = text(b"stall");
        said.extend(
            &wire::frame(Side::Client, BINARY | FIN, &vec![0; WINDOW])[..WINDOW - said.len()],
        );
        for id in stuck {
            for piece in said.chunks(16 * 1024) {
                peer.data(*id, piece).await;
            }
        }
        for id in free {
            peer.data(*id, &text(b"hello")).await;
            let answer = peer.of(*id).await;
            assert_eq!((answer.kind, &answer.payload[2..]), (DATA, &b"hello"[..]), "{id}");
        }
    }
}

/// A stream that nobody could read any more, since nothing could be written to it, and that is reset then.
#[tokio::test]
async fn a_stream_that_is_reset_gives_its_window_back() {
    let (serving, address) = echoing(Server::default(), Settings::default().max_streams(2)).await;
    tokio::spawn(serving);
    let mut peer = Raw::client(address, &setting(INITIAL_WINDOW_SIZE, 0)).await;
    let message = wire::frame(Side::Client, BINARY | FIN, &[0; 1000]);
    // What may be sent by all streams together, and what was granted of it again.
    let mut credit = 65_535;
    let mut granted = 0;
    for id in (1..).step_by(2).take(10) {
        peer.write(&connect_frame(id)).await;
        let mut left = WINDOW;
        let mut is_open = false;
        while left >= message.len() {
            while credit < message.len() || !is_open {
                let next = peer.next().await.expect("a window");
                assert!(![GOAWAY, RST_STREAM].contains(&next.kind), "{next:?}");
                is_open |= (next.kind, next.stream) == (HEADERS, id);
                if (next.kind, next.stream) == (WINDOW_UPDATE, 0) {
                    let more = u32::from_be_bytes(next.payload[..].try_into().expect("four bytes"));
                    credit += more as usize;
                    granted += more as usize;
                }
            }
            peer.data(id, &message).await;
            credit -= message.len();
            left -= message.len();
        }
        peer.write(&frame(RST_STREAM, 0, id, &CANCEL.to_be_bytes())).await;
    }
    assert!(granted > 6 * WINDOW, "{granted} bytes");
}

#[tokio::test]
async fn of_a_thousand_streams_128_are_open_and_the_others_refused() {
    let (serving, address) = echoing(Server::default(), Settings::default()).await;
    tokio::spawn(serving);
    let mut peer = Raw::client(address, &[]).await;
    for which in 0..1000 {
        peer.write(&connect_frame(2 * which + 1)).await;
    }
    let (mut opened, mut refused) = (Vec::new(), Vec::new());
    while opened.len() + refused.len() < 1000 {
        let next = peer.next().await.expect("the connection goes on");
        match next.kind {
            HEADERS => opened.push(next.stream),
            RST_STREAM => {
                assert_eq!(next.code(), REFUSED_STREAM);
                refused.push(next.stream);
            }
            kind => assert_ne!(kind, GOAWAY),
        }
    }
    assert_eq!((opened.len(), refused.len()), (128, 872));
    // Those that are open are none the worse.
    let one = opened[127];
    peer.data(one, &text(b"hello")).await;
    assert_eq!(peer.of(one).await.payload[2..], *b"hello");
}

/// How long it takes until the server lets a client go that has said this and says no more.
async fn left_after(said: &[u8]) -> Duration {
    let (serving, address) = echoing(Server::default(), Settings::default()).await;
    tokio::spawn(serving);
    let mut stream = TcpStream::connect(address).await.expect("a server");
    let began = Instant::now();
    stream.write_all(said).await.expect("room");
    // Whatever it says before.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn half_a_preface_is_waited_for_no_longer_than_a_request() {
    let left = left_after(&PREFACE[..10]).await;
    assert_eq!(left.as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn fields_without_an_end_are_found_by_a_ping() {
    let said = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, 0, 1, &connect_block())];
    let left = left_after(&said.concat()).await;
    assert_eq!(left.as_secs(), 40, "20 until the ping, and 20 for its answer");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_let_go_in_order() {
    let (serving, address) = echoing(Server::default(), Settings::default()).await;
    tokio::spawn(serving);
    let mut peer = Raw::client(address, &[]).await;
    let began = Instant::now();
    assert_eq!(peer.end().await, Some(NO_ERROR));
    assert!((60..=80).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}
