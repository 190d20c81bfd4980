//! Frames that break HTTP/2, and what they cost: the stream alone, or the connection with its reason (RFC 9113 section 5.4).

use core::future::pending;

use hybi::{Server, serve::Drain};
use hybi_testkit::wire::{self, FIN, Side, TEXT};

use crate::{
    ends::{close, closing},
    peer::{listen, serve_echo},
    raw::{
        CANCEL, CONTINUATION, DATA, ENABLE_CONNECT_PROTOCOL, ENABLE_PUSH, END_HEADERS, END_STREAM,
        ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE,
        MAX_FRAME_SIZE, PING, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, Raw, SETTINGS,
        STREAM_CLOSED, WINDOW_UPDATE, block, connect_block, connect_frame, frame, padded, setting,
        window_update,
    },
};

/// The most that a window may have.
const MOST: u32 = (1 << 31) - 1;

async fn echoing() -> Raw {
    let mut peer = Raw::open(serve_echo(Server::default()).await, &[]).await;
    peer.ask(3).await;
    peer
}

#[tokio::test]
async fn settings_out_of_range_end_the_connection() {
    let address = serve_echo(Server::default()).await;
    for (id, value) in [
        (ENABLE_CONNECT_PROTOCOL, 2),
        (ENABLE_PUSH, 2),
        (INITIAL_WINDOW_SIZE, MOST + 1),
        (MAX_FRAME_SIZE, (1 << 14) - 1),
        (MAX_FRAME_SIZE, 1 << 24),
    ] {
        // In the first frame, and later.
        let mut peer = Raw::client(address, &setting(id, value)).await;
        assert_eq!(peer.end().await, Some(PROTOCOL_ERROR), "{id} {value}");
        let mut peer = Raw::open(address, &[]).await;
        peer.write(&frame(SETTINGS, 0, 0, &setting(id, value))).await;
        assert_eq!(peer.end().await, Some(PROTOCOL_ERROR), "{id} {value}");
    }
    // What is not known, and what a client has no business to say, costs nothing.
    let mut peer = Raw::open(address, &setting(0xffff, 7)).await;
    for value in [1, 0] {
        peer.write(&frame(SETTINGS, 0, 0, &setting(ENABLE_CONNECT_PROTOCOL, value))).await;
    }
    peer.echo(1).await;
    peer.ask(3).await;
}

#[tokio::test]
async fn frames_that_are_no_frames_end_the_connection() {
    let address = serve_echo(Server::default()).await;
    let fields = connect_block();
    for bytes in [
        frame(SETTINGS, 0, 0, &[0; 5]),
        frame(SETTINGS, 0, 1, &[]),
        frame(SETTINGS, 1, 0, &setting(ENABLE_PUSH, 0)),
        frame(PING, 0, 0, &[0; 7]),
        frame(PING, 0, 1, &[0; 8]),
        frame(RST_STREAM, 0, 1, &[0; 3]),
        frame(RST_STREAM, 0, 0, &[0; 4]),
        frame(WINDOW_UPDATE, 0, 1, &[0; 3]),
        frame(DATA, 0, 0, b"of no stream"),
        frame(DATA, 0, 9, b"of one that was not opened"),
        frame(WINDOW_UPDATE, 0, 9, &[0, 0, 0, 1]),
        // More padding than there is.
        frame(DATA, 8, 1, &[5, 0, 0]),
        frame(CONTINUATION, END_HEADERS, 1, &[]),
        [frame(HEADERS, 0, 5, &fields), frame(PING, 0, 0, &[0; 8])].concat(),
        [frame(HEADERS, 0, 5, &fields), frame(CONTINUATION, END_HEADERS, 7, &[])].concat(),
        // Of a server's numbers, and one that is behind us.
        frame(HEADERS, END_HEADERS, 2, &fields),
        frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]),
    ] {
        let mut peer = Raw::open(address, &[]).await;
        peer.write(&bytes).await;
        assert_eq!(peer.end().await, Some(PROTOCOL_ERROR), "{bytes:?}");
    }
    // Longer than a frame may be.
    let mut peer = Raw::open(address, &[]).await;
    peer.write(&frame(DATA, 0, 1, &[0; (1 << 16) + 1])).await;
    assert_eq!(peer.end().await, Some(6), "FRAME_SIZE_ERROR");
}

#[tokio::test]
async fn a_window_that_overflows_costs_what_it_belongs_to() {
    let mut peer = echoing().await;
    peer.write(&window_update(1, MOST)).await;
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, FLOW_CONTROL_ERROR));
    peer.echo(3).await;
    peer.write(&window_update(0, MOST)).await;
    assert_eq!(peer.end().await, Some(FLOW_CONTROL_ERROR));
    // By a setting, it is the connection in any case (RFC 9113 section 6.9.2).
    let mut peer = echoing().await;
    peer.write(&window_update(1, MOST - 65_535)).await;
    peer.write(&frame(SETTINGS, 0, 0, &setting(INITIAL_WINDOW_SIZE, 65_536))).await;
    assert_eq!(peer.end().await, Some(FLOW_CONTROL_ERROR));
}

/// RFC 9113 section 6.9 asks for the stream's end alone; h2 ends the connection, which section 5.4 there allows.
#[tokio::test]
async fn a_window_update_of_nothing_ends_the_connection() {
    for stream in [0, 1] {
        let mut peer = echoing().await;
        peer.write(&window_update(stream, 0)).await;
        assert_eq!(peer.end().await, Some(PROTOCOL_ERROR), "{stream}");
    }
}

#[tokio::test]
async fn data_beyond_a_window_cost_what_it_belongs_to() {
    let (listener, address) = listen().await;
    tokio::spawn(hybi_h2::serve(listener, Server::default(), |mut ws| async move {
        ws.send("open").await.expect("room");
        pending::<()>().await;
    }));
    let mut peer = Raw::open(address, &[]).await;
    assert_eq!(peer.of(1).await.payload[2..], *b"open");
    let piece = [0; 16 * 1024];
    for _ in 0..8 {
        peer.data(1, &piece).await;
    }
    assert_eq!(peer.until_pong(1).await, [], "128 KiB may be sent");
    peer.data(1, &[0]).await;
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, FLOW_CONTROL_ERROR));
}

#[tokio::test]
async fn data_behind_the_end_of_a_stream_cost_its_neighbours_nothing() {
    let mut peer = echoing().await;
    peer.write(&frame(DATA, END_STREAM, 1, &close(Side::Client, 1000))).await;
    assert_eq!(closing(&peer.rest(1).await), 1000);
    peer.data(1, b"still here").await;
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, STREAM_CLOSED));
    peer.echo(3).await;
    // Behind a reset of its own as well.
    peer.write(&frame(RST_STREAM, 0, 3, &CANCEL.to_be_bytes())).await;
    peer.data(3, b"still here").await;
    peer.ask(5).await;
    peer.echo(5).await;
}

#[tokio::test]
async fn fields_within_a_websocket_end_its_stream_alone() {
    // What begins again, and trailers that are not the end (section 8.1).
    for fields in [connect_block(), block(&[("trailer", "1")])] {
        let mut peer = echoing().await;
        peer.data(1, &wire::frame(Side::Client, TEXT ^ FIN, b"half a mess")).await;
        peer.write(&frame(HEADERS, END_HEADERS, 1, &fields)).await;
        let reset = peer.of(1).await;
        assert_eq!((reset.kind, reset.code()), (RST_STREAM, PROTOCOL_ERROR));
        peer.echo(3).await;
    }
}

#[tokio::test]
async fn malformed_requests_end_their_stream_alone() {
    let method = (":method", "CONNECT");
    let protocol = (":protocol", "websocket");
    let (scheme, path) = ((":scheme", "http"), (":path", "/"));
    let authority = (":authority", "example.org");
    let version = ("sec-websocket-version", "13");
    let cases: [&[(&str, &str)]; 7] = [
        &[method, protocol, authority],
        &[method, protocol, scheme, authority],
        &[method, protocol, scheme, path, authority, ("connection", "upgrade")],
        &[method, protocol, scheme, path, authority, version, path],
        &[method, protocol, scheme, path, authority, ("content-length", "-1")],
        &[method, protocol, protocol, scheme, path, authority],
        &[(":method", "GET"), protocol, scheme, path, authority],
    ];
    for case in cases {
        let mut peer = echoing().await;
        peer.write(&frame(HEADERS, END_HEADERS, 5, &block(case))).await;
        let reset = peer.of(5).await;
        assert_eq!((reset.kind, reset.code()), (RST_STREAM, PROTOCOL_ERROR), "{case:?}");
        peer.echo(3).await;
    }
    // A name that is none is taken for broken compression by h2.
    let mut peer = echoing().await;
    peer.write(&frame(HEADERS, END_HEADERS, 5, &block(&[method, ("Upper-Case", "no")]))).await;
    assert_eq!(peer.end().await, Some(PROTOCOL_ERROR));
}

#[tokio::test]
async fn what_comes_before_the_answer_is_there_after_it() {
    let (listener, address) = listen().await;
    let (go, gone) = tokio::sync::watch::channel(false);
    tokio::spawn(hybi_h2::serve_requests(listener, Server::default(), move |incoming| {
        let mut gone = gone.clone();
        async move {
            gone.wait_for(|is_gone| *is_gone).await.expect("a sender");
            crate::peer::echo(incoming.accept().await?).await
        }
    }));
    let mut peer = Raw::client(address, &[]).await;
    peer.write(&connect_frame(1)).await;
    peer.data(1, &wire::frame(Side::Client, TEXT, b"early")).await;
    assert_eq!(peer.until_pong(1).await, []);
    go.send(true).expect("a handler");
    assert_eq!(peer.of(1).await.kind, HEADERS);
    assert_eq!(peer.of(1).await.payload[2..], *b"early");
}

#[tokio::test]
async fn goaway_in_mid_message_is_no_end_of_it() {
    let mut peer = echoing().await;
    peer.data(1, &wire::frame(Side::Client, TEXT ^ FIN, b"he")).await;
    peer.write(&frame(GOAWAY, 0, 0, &[0; 8])).await;
    peer.data(1, &wire::frame(Side::Client, wire::CONTINUATION, b"llo")).await;
    assert_eq!(peer.of(1).await.payload[2..], *b"hello");
    peer.write(&frame(DATA, END_STREAM, 1, &close(Side::Client, 1000))).await;
    assert_eq!(closing(&peer.rest(1).await), 1000);
}

#[tokio::test]
async fn a_reset_in_mid_message_is_that_of_one() {
    let (listener, address) = listen().await;
    let serving = hybi_h2::serve(listener, Server::default(), crate::peer::echo);
    let handle = serving.handle();
    tokio::spawn(serving);
    let mut peer = Raw::open(address, &[]).await;
    peer.ask(3).await;
    peer.data(1, &wire::frame(Side::Client, TEXT ^ FIN, b"half a mess")).await;
    peer.write(&frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())).await;
    peer.echo(3).await;
    drop(peer);
    let report = handle.drain(Drain::default()).await;
    assert_eq!((report.closed, report.cut.len()), (0, 0), "{report}");
}

/// By h2: five frames of CONTINUATION behind HEADERS of 16 KiB at the most, of which the last ends the block.
#[tokio::test]
async fn continuation_without_end_ends_the_connection() {
    let mut peer = echoing().await;
    peer.write(&frame(HEADERS, 0, 5, &connect_block())).await;
    for _ in 0..5 {
        peer.write(&frame(CONTINUATION, 0, 5, &[])).await;
    }
    peer.write(&frame(CONTINUATION, END_HEADERS, 5, &[])).await;
    assert_eq!(peer.of(5).await.kind, HEADERS, "so many may be");
    peer.write(&frame(HEADERS, 0, 7, &connect_block())).await;
    for _ in 0..6 {
        peer.write(&frame(CONTINUATION, 0, 7, &[])).await;
    }
    assert_eq!(peer.end().await, Some(ENHANCE_YOUR_CALM));
}

/// By h2, over the life of a connection, whether or not there is padding in them.
#[tokio::test]
async fn the_hundred_and_first_empty_frame_of_data_ends_the_connection() {
    for empty in [frame(DATA, 0, 1, &[]), padded(0, 1, &[], 255)] {
        let mut peer = echoing().await;
        for _ in 0..100 {
            peer.write(&empty).await;
        }
        peer.echo(1).await;
        peer.echo(3).await;
        peer.write(&empty).await;
        assert_eq!(peer.end().await, Some(ENHANCE_YOUR_CALM));
    }
}

/// What padding took of the windows comes back: nearly all of this is padding, four windows of it.
#[tokio::test]
async fn padding_is_given_back() {
    let mut peer = echoing().await;
    let payload: Vec<u8> = (0..2048).map(|at| at as u8).collect();
    let message = wire::frame(Side::Client, wire::BINARY, &payload);
    let mut credit = 128 * 1024;
    let mut answer = Vec::new();
    for byte in &message {
        while credit < 257 {
            let next = peer.next().await.expect("a window");
            match next.kind {
                WINDOW_UPDATE if next.stream == 1 => {
                    credit += u32::from_be_bytes(next.payload[..].try_into().expect("four bytes"));
                }
                kind => assert!(![DATA, RST_STREAM, GOAWAY].contains(&kind), "{next:?}"),
            }
        }
        credit -= 257;
        peer.write(&padded(0, 1, &[*byte], 255)).await;
    }
    while answer.len() < 4 + payload.len() {
        answer.extend(peer.of(1).await.payload);
    }
    assert_eq!(answer[4..], payload);
    peer.echo(3).await;
}
