//! Connections that carry others: how they count, how they are let go, and how a server with them ends (RFC 9113 sections
//! 6.8 and 8.7).

use core::{net::SocketAddr, time::Duration};

use hybi::{
    Client, CloseCode, Server,
    serve::{Drain, Handle, Stage},
};
use hybi_h2::{Serving, Settings};
use hybi_testkit::wire::Side;
use tokio::time::Instant;

use crate::{
    ends::{close, closing},
    peer::{echoing, open, session},
    raw::{
        ACK, CANCEL, DATA, END_STREAM, Frame, GOAWAY, NO_ERROR, PING, REFUSED_STREAM, RST_STREAM,
        Raw, connect_frame, frame, status,
    },
};

const STREAMS: [u32; 3] = [1, 3, 5];

async fn serving() -> (Serving, Handle, SocketAddr) {
    let (serving, address) = echoing(Server::default(), Settings::default()).await;
    let handle = serving.handle();
    (serving, handle, address)
}

/// A client with three WebSockets.
async fn carrier(address: SocketAddr) -> Raw {
    let mut peer = Raw::client(address, &[]).await;
    for id in STREAMS {
        peer.ask(id).await;
    }
    peer
}

/// Reads a Close frame of each stream, and nothing before that ends one.
async fn all_are_closed(peer: &mut Raw) {
    let mut closed = Vec::new();
    while closed.len() < STREAMS.len() {
        let next = peer.next().await.expect("a Close frame");
        assert!(![GOAWAY, RST_STREAM].contains(&next.kind), "before the Close frames: {next:?}");
        if next.kind == DATA {
            assert!(!next.is_end(), "nobody has answered");
            assert_eq!(closing(&next.payload), 1001);
            closed.push(next.stream);
        }
    }
    closed.sort_unstable();
    assert_eq!(closed, STREAMS);
}

/// Reads to the end of the connection: which streams were reset, and why.
async fn all_resets(peer: &mut Raw) -> Vec<(u32, u32)> {
    let mut resets = Vec::new();
    while let Some(next) = peer.next().await {
        if next.kind == RST_STREAM {
            resets.push((next.stream, next.code()));
        }
    }
    resets.sort_unstable();
    resets
}

#[tokio::test]
async fn each_stream_is_closed_and_ended_before_goaway() {
    let (serving, handle, address) = serving().await;
    tokio::spawn(serving);
    let mut peer = carrier(address).await;
    let report = tokio::spawn(async move { handle.drain(Drain::default()).await });
    all_are_closed(&mut peer).await;
    // Who still asks may ask again elsewhere.
    peer.write(&connect_frame(7)).await;
    let refused = peer.of(7).await;
    assert_eq!((refused.kind, refused.code()), (RST_STREAM, REFUSED_STREAM));
    // One after the other answers: what is said of one ends nothing for the rest.
    for id in STREAMS {
        peer.write(&frame(DATA, END_STREAM, id, &close(Side::Client, 1001))).await;
        let ended = peer.of(id).await;
        assert_eq!((ended.kind, ended.is_end(), ended.payload.len()), (DATA, true, 0));
    }
    let mut left = Vec::new();
    while let Some(next) = peer.next().await {
        left.push(next);
    }
    assert!(left.iter().any(|last| last.kind == GOAWAY), "{left:?}");
    for last in left {
        match last {
            Frame { kind: GOAWAY, .. } => assert_eq!(last.code(), NO_ERROR),
            Frame { kind: PING, .. } => {}
            other => panic!("{other:?} behind the end of all streams"),
        }
    }
    let report = report.await.expect("no panic");
    assert_eq!((report.closed, report.lost, report.cut.len()), (3, 0, 0), "{report}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_cut_at_the_deadline_and_named() {
    let (serving, handle, address) = serving().await;
    tokio::spawn(serving);
    let mut peer = carrier(address).await;
    let began = Instant::now();
    let deadline = Duration::from_secs(3);
    let drain = Drain::default().deadline(deadline);
    let report = tokio::spawn(async move { handle.drain(drain).await });
    all_are_closed(&mut peer).await;
    assert_eq!(all_resets(&mut peer).await, STREAMS.map(|id| (id, CANCEL)));
    let report = report.await.expect("no panic");
    assert!((deadline..deadline + Duration::from_secs(1)).contains(&began.elapsed()));
    assert_eq!((report.closed, report.lost, report.cut.len()), (0, 0, 3), "{report}");
    for cut in &report.cut {
        assert_eq!(cut.peer, Some(peer.address()));
        assert_eq!(cut.stage, Stage::Closing);
    }
}

#[tokio::test]
async fn who_is_cut_at_once_sees_its_streams_cancelled_before_the_end() {
    let (serving, handle, address) = serving().await;
    tokio::spawn(serving);
    let mut peer = carrier(address).await;
    let drain = Drain::default().deadline(Duration::ZERO);
    let report = tokio::spawn(async move { handle.drain(drain).await });
    assert_eq!(all_resets(&mut peer).await, STREAMS.map(|id| (id, CANCEL)));
    assert_eq!(report.await.expect("no panic").cut.len(), 3);
}

#[tokio::test]
async fn a_client_of_ours_sees_an_end_in_order() {
    let (serving, handle, address) = serving().await;
    tokio::spawn(serving);
    let session = session(address).await;
    let (mut first, mut second) = (open(&session).await, open(&session).await);
    let end = tokio::spawn(async move { handle.drain(Drain::default()).await });
    for ws in [&mut first, &mut second] {
        assert_eq!(ws.recv().await.expect("an end in order"), None);
        let status = ws.close_status().expect("it is over");
        assert_eq!((status.code(), status.is_clean()), (CloseCode::GOING_AWAY, true));
    }
    let report = end.await.expect("no panic");
    assert_eq!((report.closed, report.lost, report.cut.len()), (2, 0, 0), "{report}");
    let error = session.open(&Client::default(), "ws://example.org/").await;
    assert!(error.is_err(), "the connection is gone");
}

#[tokio::test]
async fn a_connection_counts_and_so_does_each_of_its_streams() {
    let (serving, _, address) = serving().await;
    tokio::spawn(serving.max_connections(3));
    let session = session(address).await;
    let (_first, _second) = (open(&session).await, open(&session).await);
    let error = session.open(&Client::default(), "ws://example.org/").await.expect_err("full");
    let refusal = error.handshake().map(|refusal| refusal.to_string());
    assert_eq!(
        refusal.as_deref(),
        Some("the server rejected the handshake with 503 Service Unavailable")
    );
}

#[tokio::test]
async fn one_address_has_its_share_whatever_carries_it() {
    let (serving, handle, address) = serving().await;
    tokio::spawn(serving.max_per_address(4));
    // The connection and three streams.
    let mut peer = carrier(address).await;
    peer.write(&connect_frame(7)).await;
    assert_eq!(status(&peer.of(7).await), 503, "the fifth");
    // A second connection is over the limit itself: it is told so and let go.
    let mut other = Raw::client(address, &[]).await;
    other.write(&connect_frame(1)).await;
    assert_eq!(status(&other.of(1).await), 503, "the sixth");
    assert_eq!(other.end().await, Some(NO_ERROR));
    // What is given back is another's.
    peer.write(&frame(DATA, END_STREAM, 1, &close(Side::Client, 1000))).await;
    assert_eq!(closing(&peer.rest(1).await), 1000);
    assert!(handle.connections() <= 4);
    peer.echo(3).await;
}

#[tokio::test(start_paused = true)]
async fn who_never_owns_to_have_heard_goaway_is_let_go_as_well() {
    let (serving, _, address) = serving().await;
    tokio::spawn(serving);
    let mut peer = Raw::client(address, &[]).await;
    let began = Instant::now();
    let mut is_going = false;
    // Every ping is answered but the one that asks whether GOAWAY has come.
    while let Some(next) = peer.read().await {
        match next.kind {
            GOAWAY => {
                assert_eq!(next.code(), NO_ERROR);
                is_going = true;
            }
            PING if is_going => is_going = false,
            PING => peer.write(&frame(PING, ACK, 0, &next.payload)).await,
            _ => {}
        }
    }
    assert!((60..=120).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}
