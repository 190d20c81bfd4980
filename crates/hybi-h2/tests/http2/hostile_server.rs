//! Servers that break HTTP/2 towards a client of ours, or stall it (RFC 9113 sections 5.4 and 10.5).

use hybi::{Client, CloseCode, Config, Deadline, Error, Message};
use hybi_h2::Session;
use hybi_suite::allocator::Meter;
use hybi_testkit::wire::{self, BINARY, CLOSE, FIN, Side, TEXT};
use tokio::{
    io::{DuplexStream, duplex},
    time::Instant,
};

use crate::{
    ends::{client, close},
    peer::open,
    raw::{
        DATA, ENABLE_CONNECT_PROTOCOL, ENABLE_PUSH, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM,
        FLOW_CONTROL_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
        MAX_FRAME_SIZE, PING, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, Raw,
        SETTINGS, frame, padded, setting, window_update,
    },
};

/// 200, from the static table.
const OK: [u8; 1] = [0x88];

/// A session with a server of raw frames, which has said these settings.
async fn session(settings: Vec<u8>) -> (Session, Raw<DuplexStream>) {
    let (near, far) = duplex(64 * 1024);
    let server = tokio::spawn(async move { Raw::server(far, &settings).await });
    let (session, server) = tokio::join!(
        async { Session::on(&Client::default(), near).await.expect("HTTP/2") },
        async {
            let mut server = server.await.expect("no panic");
            while server.next().await.expect("a ping").kind != PING {}
            server
        }
    );
    (session.expect("WebSockets"), server)
}

#[tokio::test]
async fn settings_out_of_range_end_the_connection_and_the_opening() {
    let takes = setting(ENABLE_CONNECT_PROTOCOL, 1);
    for (id, value) in [
        (ENABLE_CONNECT_PROTOCOL, 2),
        (ENABLE_PUSH, 2),
        (INITIAL_WINDOW_SIZE, 1 << 31),
        (MAX_FRAME_SIZE, 1000),
    ] {
        let (near, far) = duplex(64 * 1024);
        let settings = [takes.clone(), setting(id, value)].concat();
        let server = tokio::spawn(async move { Raw::server(far, &settings).await.end().await });
        let error = Session::on(&Client::default(), near).await.expect_err("broken settings");
        assert!(matches!(error, Error::Opening(_)), "{error:?}");
        assert_eq!(server.await.expect("no panic"), Some(PROTOCOL_ERROR), "{id} {value}");
    }
}

/// RFC 8441 section 3 forbids it; whoever does it is not asked any more, and what is open lives on.
#[tokio::test]
async fn a_setting_that_is_taken_back_is_heeded() {
    let (mut ws, session, mut server) = client().await;
    server.write(&frame(SETTINGS, 0, 0, &setting(ENABLE_CONNECT_PROTOCOL, 0))).await;
    server.data(1, &wire::frame(Side::Server, TEXT, b"still here")).await;
    assert_eq!(ws.recv().await.expect("a message"), Some("still here".into()));
    let error = session.open(&Client::default(), "ws://example.org/").await.expect_err("no more");
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
    assert_eq!(server.until_pong(3).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_allows_no_streams_is_waited_for_up_to_the_deadline() {
    let settings =
        [setting(ENABLE_CONNECT_PROTOCOL, 1), setting(MAX_CONCURRENT_STREAMS, 0)].concat();
    let (session, mut server) = session(settings).await;
    tokio::spawn(async move { server.end().await });
    let begun = Instant::now();
    let error = session.open(&Client::default(), "ws://example.org/").await.expect_err("none");
    assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn what_breaks_the_connection_ends_all_of_it_with_its_code() {
    let flood = frame(DATA, 0, 1, &[]).repeat(101);
    for (bytes, code) in [
        (window_update(0, (1 << 31) - 1), FLOW_CONTROL_ERROR),
        (window_update(1, 0), PROTOCOL_ERROR),
        (frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]), PROTOCOL_ERROR),
        (frame(HEADERS, END_HEADERS, 2, &OK), PROTOCOL_ERROR),
        (frame(DATA, 0, 5, b"of none"), PROTOCOL_ERROR),
        (flood, ENHANCE_YOUR_CALM),
    ] {
        let (mut ws, session, mut server) = client().await;
        server.data(1, &wire::frame(Side::Server, TEXT ^ FIN, b"half")).await;
        server.write(&bytes).await;
        assert_eq!(server.end().await, Some(code), "{bytes:?}");
        let error = ws.recv().await.expect_err("no end in order");
        assert!(matches!(error, Error::Lost | Error::Transport(_)), "{error:?}");
        assert_eq!(ws.close_status().expect("it is over").code(), CloseCode::ABNORMAL);
        session.open(&Client::default(), "ws://example.org/").await.expect_err("it is gone");
    }
}

#[tokio::test]
async fn what_breaks_a_stream_leaves_its_neighbour() {
    let reset = frame(RST_STREAM, 0, 1, &REFUSED_STREAM.to_be_bytes());
    for bytes in [window_update(1, (1 << 31) - 1), frame(HEADERS, END_HEADERS, 1, &OK), reset] {
        let (mut ws, session, mut server) = client().await;
        let mut neighbour = {
            let opening = tokio::spawn(async move { (open(&session).await, session) });
            assert_eq!(server.of(3).await.kind, HEADERS);
            server.write(&frame(HEADERS, END_HEADERS, 3, &OK)).await;
            opening.await.expect("no panic").0
        };
        server.data(1, &wire::frame(Side::Server, TEXT ^ FIN, b"half")).await;
        server.write(&bytes).await;
        let error = ws.recv().await.expect_err("no end in order");
        assert!(matches!(error, Error::Lost | Error::Transport(_)), "{error:?}");
        server.data(3, &wire::frame(Side::Server, TEXT, b"well")).await;
        assert_eq!(neighbour.recv().await.expect("a message"), Some("well".into()));
    }
}

/// What a server answers in place of 200.
async fn answered(answer: Vec<u8>) -> (Error, Vec<u32>) {
    let (session, mut server) = session(setting(ENABLE_CONNECT_PROTOCOL, 1)).await;
    let opening =
        tokio::spawn(async move { session.open(&Client::default(), "ws://example.org/").await });
    assert_eq!(server.of(1).await.kind, HEADERS);
    server.write(&answer).await;
    let error = opening.await.expect("no panic").expect_err("no 200");
    let mut codes = Vec::new();
    while let Some(next) = server.next().await {
        if [RST_STREAM, GOAWAY].contains(&next.kind) {
            codes.push(next.code());
        }
    }
    (error, codes)
}

#[tokio::test]
async fn what_is_no_answer_fails_the_opening() {
    let (error, codes) = answered(frame(DATA, 0, 1, b"before the answer")).await;
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
    assert_eq!(codes, [PROTOCOL_ERROR]);
    let (error, codes) = answered(frame(RST_STREAM, 0, 1, &REFUSED_STREAM.to_be_bytes())).await;
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
    assert_eq!(codes, [0]);
    let unheard = frame(GOAWAY, 0, 0, &[0; 8]);
    let (error, _) = answered(unheard).await;
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_the_end_is_a_loss() {
    let (session, mut server) = session(setting(ENABLE_CONNECT_PROTOCOL, 1)).await;
    let opening = tokio::spawn(async move { (open(&session).await, session) });
    assert_eq!(server.of(1).await.kind, HEADERS);
    // 103 before it is skipped.
    let early = frame(HEADERS, END_HEADERS, 1, &[0x48, 3, b'1', b'0', b'3']);
    server.write(&early).await;
    server.write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &OK)).await;
    let (mut ws, _session) = opening.await.expect("no panic");
    let error = ws.recv().await.expect_err("no end in order");
    assert!(matches!(error, Error::Lost), "{error:?}");
}

#[tokio::test]
async fn a_server_that_pads_is_read_for_as_long_as_it_likes() {
    let (mut ws, _session, mut server) = client().await;
    let payload: Vec<u8> = (0..2048).map(|at| at as u8).collect();
    let reading = tokio::spawn(async move { (ws.recv().await, ws) });
    let mut credit: u32 = 128 * 1024;
    for byte in wire::frame(Side::Server, BINARY, &payload) {
        while credit < 257 {
            let next = server.next().await.expect("a window");
            if next.kind == crate::raw::WINDOW_UPDATE && next.stream == 1 {
                credit += u32::from_be_bytes(next.payload[..].try_into().expect("four bytes"));
            }
        }
        credit -= 257;
        server.write(&padded(0, 1, &[byte], 255)).await;
    }
    let (message, _ws) = reading.await.expect("no panic");
    assert_eq!(message.expect("a message"), Some(Message::binary(payload)));
}

/// The write deadline is one stream's.
#[tokio::test(start_paused = true)]
async fn a_server_that_grants_no_window_is_left_by_the_one_that_waits() {
    let settings = [setting(ENABLE_CONNECT_PROTOCOL, 1), setting(INITIAL_WINDOW_SIZE, 0)].concat();
    let (session, mut server) = session(settings).await;
    let config = Config::default().ping_interval(None);
    let client = Client::builder().config(config).build().expect("a client");
    let opening = tokio::spawn(async move {
        let both = (
            session.open(&client, "ws://example.org/").await.expect("open").0,
            session.open(&client, "ws://example.org/").await.expect("open").0,
        );
        (both, session)
    });
    for id in [1, 3] {
        assert_eq!(server.of(id).await.kind, HEADERS);
        server.write(&frame(HEADERS, END_HEADERS, id, &OK)).await;
    }
    let ((mut stuck, mut free), _session) = opening.await.expect("no panic");
    server.write(&window_update(3, 1000)).await;
    let serving = tokio::spawn(async move {
        let said = server.of(3).await;
        assert_eq!(said.kind, DATA);
        server.data(3, &wire::frame(Side::Server, TEXT, b"heard")).await;
        server.end().await
    });
    let begun = Instant::now();
    let error = stuck.send("to the wall").await.expect_err("no window");
    assert!(matches!(error.error(), Error::Timeout(Deadline::Write)));
    assert_eq!(begun.elapsed().as_secs(), 30);
    free.send("hello").await.expect("a window");
    assert_eq!(free.recv().await.expect("a message"), Some("heard".into()));
    serving.abort();
}

/// Answers that a server does not read.
#[tokio::test(start_paused = true)]
async fn a_server_that_floods_and_reads_nothing_holds_little_and_is_left() {
    for flood in [frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, &[])] {
        let meter = Meter::start();
        let (session, mut server) = session(setting(ENABLE_CONNECT_PROTOCOL, 1)).await;
        let flood = flood.repeat(1000);
        let begun = Instant::now();
        while server.try_write(&flood).await.is_ok() {}
        assert!((20..=60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        // Of which 64 KiB each way are on the way, and as many in a buffer that grew.
        assert!(meter.peak() < 384 * 1024, "{} bytes", meter.peak());
        session.open(&Client::default(), "ws://example.org/").await.expect_err("it is gone");
    }
}

#[tokio::test]
async fn goaway_that_has_not_heard_of_a_stream_ends_it() {
    let (mut ws, _session, mut server) = client().await;
    server.data(1, &wire::frame(Side::Server, TEXT ^ FIN, b"half")).await;
    server.write(&frame(GOAWAY, 0, 0, &[0; 8])).await;
    let error = ws.recv().await.expect_err("no end in order");
    assert!(matches!(error, Error::Lost | Error::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn goaway_in_mid_message_is_no_end_of_it() {
    let (mut ws, _session, mut server) = client().await;
    server.data(1, &wire::frame(Side::Server, TEXT ^ FIN, b"he")).await;
    server.write(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])).await;
    server.data(1, &wire::frame(Side::Server, wire::CONTINUATION, b"llo")).await;
    assert_eq!(ws.recv().await.expect("a message"), Some("hello".into()));
    server.write(&frame(DATA, END_STREAM, 1, &close(Side::Server, 1001))).await;
    assert_eq!(ws.recv().await.expect("an end in order"), None);
    drop(ws);
    let answer = server.next().await.expect("an answer");
    assert_eq!((answer.kind, answer.payload[0]), (DATA, CLOSE));
}
