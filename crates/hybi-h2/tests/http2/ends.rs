//! How a stream ends, in frames: in order, by a broken rule, in the middle (RFC 8441 section 5, RFC 9113 section 5.1).

use core::future::pending;

use hybi::{Client, CloseCode, CloseStatus, Config, Error, Message, Server};
use hybi_h2::{Http2Listener, Serving, Session, Settings, WebSocket};
use hybi_testkit::wire::{self, BINARY, CLOSE, FIN, Side, TEXT};
use hybi_tokio::TokioListener;
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
    task::JoinHandle,
};

use crate::{
    peer::{listen, open, serve_echo, with},
    raw::{
        self, CANCEL, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, REFUSED_STREAM, RST_STREAM,
        Raw, frame, setting,
    },
};

pub(crate) fn close(side: Side, code: u16) -> Vec<u8> {
    wire::frame(side, CLOSE, &wire::close_payload(code, b""))
}

/// The code of the Close frame that these bytes of a server end with.
pub(crate) fn closing(bytes: &[u8]) -> u16 {
    let (frame, len) = wire::read_frame(Side::Server, bytes).expect("a frame");
    assert_eq!((frame.first, len), (CLOSE, bytes.len()), "{frame:?}");
    u16::from_be_bytes([frame.payload[0], frame.payload[1]])
}

#[tokio::test]
async fn a_server_answers_a_close_and_ends_its_half_without_a_reset() {
    let mut peer = Raw::open(serve_echo(Server::default()).await, &[]).await;
    peer.data(1, &close(Side::Client, 1000)).await;
    assert_eq!(closing(&peer.rest(1).await), 1000);
    // Only then is the client's half ended, and still there is nothing more.
    peer.write(&frame(DATA, END_STREAM, 1, &[])).await;
    assert_eq!(peer.until_pong(1).await, []);
    // The connection lives on.
    peer.write(&raw::connect_frame(3)).await;
    assert_eq!(peer.of(3).await.kind, HEADERS);
}

#[tokio::test]
async fn a_close_with_the_end_of_the_stream_is_answered_all_the_same() {
    let mut peer = Raw::open(serve_echo(Server::default()).await, &[]).await;
    peer.write(&frame(DATA, END_STREAM, 1, &close(Side::Client, 1001))).await;
    assert_eq!(closing(&peer.rest(1).await), 1001);
    assert_eq!(peer.until_pong(1).await, []);
}

#[tokio::test]
async fn who_breaks_a_rule_is_told_which_before_the_end() {
    let config = Config::default().max_message(100);
    let address = serve_echo(with(config)).await;
    let broken = [
        (wire::frame(Side::Client, 0xc1, b"reserved"), 1002),
        (wire::frame(Side::Server, TEXT, b"unmasked"), 1002),
        (wire::frame(Side::Client, TEXT, b"\xff"), 1007),
        (wire::frame(Side::Client, BINARY, &[0; 101]), 1009),
    ];
    for (bytes, code) in broken {
        let mut peer = Raw::open(address, &[]).await;
        peer.data(1, &bytes).await;
        assert_eq!(closing(&peer.rest(1).await), code);
    }
}

/// A server whose handler tells how each connection ended for it.
async fn telling() -> (core::net::SocketAddr, mpsc::UnboundedReceiver<(Option<Error>, CloseStatus)>)
{
    let (listener, address) = listen().await;
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(hybi_h2::serve(listener, Server::default(), move |mut ws| {
        let tell = tell.clone();
        async move {
            let error = loop {
                match ws.recv().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
            tell.send((error, ws.close_status().unwrap())).unwrap();
        }
    }));
    (address, told)
}

#[tokio::test]
async fn the_end_in_a_message_is_a_loss_and_no_end_in_order() {
    let (address, mut told) = telling().await;
    let begun = wire::frame(Side::Client, TEXT ^ FIN, b"half a mess");
    let cut = &wire::frame(Side::Client, TEXT, b"not all of it")[..9];
    let ends = [
        frame(DATA, END_STREAM, 1, &[]),
        frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes()),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &raw::block(&[("trailer", "1")])),
    ];
    for begin in [&begun[..], cut, &[]] {
        for end in &ends {
            let mut peer = Raw::open(address, &[]).await;
            peer.data(1, begin).await;
            peer.write(end).await;
            let (error, status) = told.recv().await.unwrap();
            let lost = matches!(error, Some(Error::Lost | Error::Transport(_)));
            assert!(lost, "{error:?} after {end:?}");
            assert!(!status.is_clean());
            assert_eq!(status.code(), CloseCode::ABNORMAL);
        }
    }
}

#[tokio::test]
async fn dropping_a_websocket_cancels_its_stream_alone() {
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve(listener, Server::default(), |mut ws| async move {
        ws.recv().await.unwrap();
    }));
    let mut peer = Raw::open(address, &[]).await;
    peer.write(&raw::connect_frame(3)).await;
    assert_eq!(peer.of(3).await.kind, HEADERS);
    peer.data(1, &wire::frame(Side::Client, TEXT, b"go")).await;
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, CANCEL));
    assert_eq!(peer.until_pong(3).await, []);
}

#[tokio::test]
async fn what_was_sent_leaves_before_the_stream_is_cancelled() {
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve(listener, Server::default(), |mut ws| async move {
        ws.send(vec![7; 50_000]).await.unwrap();
    }));
    let mut peer = Raw::client(address, &[]).await;
    peer.ask(1).await;
    let mut sent = Vec::new();
    let reset = loop {
        let next = peer.of(1).await;
        if next.kind != DATA {
            break next;
        }
        sent.extend(next.payload);
    };
    let (message, len) = wire::read_frame(Side::Server, &sent).expect("the whole message");
    assert_eq!((message.payload, len), (vec![7; 50_000], sent.len()));
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, CANCEL));
    // And the other way.
    let (mut ws, _session, mut server) = client().await;
    ws.send("bye").await.unwrap();
    drop(ws);
    let sent = server.of(1).await;
    assert_eq!(wire::read_frame(Side::Client, &sent.payload).unwrap().0.payload, b"bye");
    let reset = server.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, CANCEL));
}

#[tokio::test]
async fn a_request_that_nobody_answers_is_refused_and_may_be_sent_again() {
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve_requests(listener, Server::default(), |incoming| async {
        drop(incoming);
    }));
    let mut peer = Raw::client(address, &[]).await;
    peer.write(&raw::connect_frame(1)).await;
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, REFUSED_STREAM));
}

/// A client of ours with an open WebSocket on stream 1, and the server that it talks to.
pub(crate) async fn client() -> (WebSocket, Session, Raw<DuplexStream>) {
    let (near, far) = duplex(1024 * 1024);
    let server: JoinHandle<Raw<DuplexStream>> = tokio::spawn(async move {
        let mut raw = Raw::server(far, &setting(8, 1)).await;
        assert_eq!(raw.of(1).await.kind, HEADERS);
        // 200, from the static table.
        raw.write(&frame(HEADERS, END_HEADERS, 1, &[0x88])).await;
        raw
    });
    let session = Session::on(&Client::default(), near).await.unwrap().unwrap();
    let ws = open(&session).await;
    (ws, session, server.await.unwrap())
}

#[tokio::test]
async fn a_client_closes_and_ends_its_half_without_a_reset() {
    let (mut ws, _session, mut server) = client().await;
    let closing = tokio::spawn(async move { ws.close(CloseCode::NORMAL, "").await });
    let asked = server.of(1).await;
    assert_eq!((asked.kind, asked.payload[0]), (DATA, CLOSE));
    server.data(1, &close(Side::Server, 1000)).await;
    server.write(&frame(DATA, END_STREAM, 1, &[])).await;
    let status = closing.await.unwrap().unwrap();
    assert!(status.is_clean());
    let ended = server.of(1).await;
    assert_eq!((ended.kind, ended.is_end(), ended.payload.len()), (DATA, true, 0));
    assert_eq!(server.until_pong(1).await, []);
}

#[tokio::test]
async fn a_client_answers_a_close_and_ends_its_half_without_a_reset() {
    let (mut ws, _session, mut server) = client().await;
    server.write(&frame(DATA, END_STREAM, 1, &close(Side::Server, 1001))).await;
    assert_eq!(ws.recv().await.unwrap(), None);
    assert!(ws.close_status().unwrap().is_clean());
    drop(ws);
    let answer = server.of(1).await;
    assert_eq!((answer.kind, answer.payload[0]), (DATA, CLOSE));
    if !answer.is_end() {
        let ended = server.of(1).await;
        assert_eq!((ended.kind, ended.is_end()), (DATA, true));
    }
    assert_eq!(server.until_pong(1).await, []);
}

#[tokio::test]
async fn a_client_is_told_of_a_loss() {
    for end in [frame(DATA, END_STREAM, 1, &[]), frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())] {
        let (mut ws, _session, mut server) = client().await;
        server.data(1, &wire::frame(Side::Server, TEXT ^ FIN, b"half")).await;
        server.write(&end).await;
        let error = ws.recv().await.unwrap_err();
        assert!(matches!(error, Error::Lost | Error::Transport(_)), "{error:?}");
        assert!(!ws.close_status().unwrap().is_clean());
    }
}

#[tokio::test]
async fn dropping_a_websocket_of_a_client_cancels_its_stream() {
    let (ws, _session, mut server) = client().await;
    drop(ws);
    let reset = server.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, CANCEL));
}

#[tokio::test]
async fn after_goaway_what_is_open_lives_on_and_nothing_more_is_opened() {
    let (mut ws, session, mut server) = client().await;
    server.write(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])).await;
    server.data(1, &wire::frame(Side::Server, TEXT, b"still here")).await;
    assert_eq!(ws.recv().await.unwrap(), Some("still here".into()));
    ws.send("so am I").await.unwrap();
    let sent = server.of(1).await;
    let (frame, _) = wire::read_frame(Side::Client, &sent.payload).unwrap();
    assert_eq!(frame.payload, b"so am I");
    let error = session.open(&Client::default(), "ws://example.org/").await.unwrap_err();
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
    assert_eq!(ws.close_status(), None);
}

#[tokio::test]
async fn a_message_may_lie_across_frames_of_any_kind() {
    let mut peer = Raw::open(serve_echo(Server::default()).await, &[]).await;
    let message = wire::frame(Side::Client, TEXT, b"in pieces");
    for byte in &message[..4] {
        peer.data(1, &[*byte]).await;
    }
    peer.write(&raw::padded(0, 1, &message[4..], 5)).await;
    let answer = peer.of(1).await.payload;
    assert_eq!(wire::read_frame(Side::Server, &answer).unwrap().0.payload, b"in pieces");
}

#[tokio::test]
async fn a_handler_that_panics_takes_its_stream_alone() {
    let (listener, address) = listen().await;
    let listener = Http2Listener::new(TokioListener::new(listener)).settings(Settings::default());
    tokio::spawn(Serving::new(listener, Server::default(), |mut ws| async move {
        let message = ws.recv().await?;
        assert_ne!(message, Some("panic".into()), "as it was told to");
        ws.send(Message::text("well")).await?;
        pending::<Result<(), Error>>().await
    }));
    let mut peer = Raw::open(address, &[]).await;
    peer.write(&raw::connect_frame(3)).await;
    assert_eq!(peer.of(3).await.kind, HEADERS);
    peer.data(1, &wire::frame(Side::Client, TEXT, b"panic")).await;
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, CANCEL));
    peer.data(3, &wire::frame(Side::Client, TEXT, b"how are you?")).await;
    let answer = peer.of(3).await.payload;
    assert_eq!(wire::read_frame(Side::Server, &answer).unwrap().0.payload, b"well");
}
