//! What a peer can make a server hold and do: in bytes on this thread, and in frames that it is answered (RFC 9113 section
//! 10.5).

use core::future::pending;

use hybi::{Config, Error, Server};
use hybi_h2::{Http2Listener, Serving, Settings, WebSocket};
use hybi_suite::allocator::Meter;
use hybi_testkit::wire::{self, BINARY, Side, TEXT};
use hybi_tokio::TokioListener;
use tokio::time::Instant;

use crate::{
    peer::{echoing, listen, serve_echo, with},
    raw::{
        CANCEL, DATA, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR, PING,
        PRIORITY, REFUSED_STREAM, RST_STREAM, Raw, SETTINGS, connect_frame, frame, setting,
        window_update,
    },
};

const KIB: usize = 1024;

/// Who reads no answer is not read either: what it can have us hold is what one write of ours takes. A ping that is not
/// answered ends it.
#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_stop_the_reading() {
    let fields = setting(INITIAL_WINDOW_SIZE, 65_535);
    for flood in [
        frame(PING, 0, 0, &[0; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(SETTINGS, 0, 0, &fields.repeat(100)),
    ] {
        let mut peer = Raw::open(serve_echo(Server::default()).await, &[]).await;
        let flood = flood.repeat(1000);
        let meter = Meter::start();
        let began = Instant::now();
        while peer.try_write(&flood).await.is_ok() {}
        assert!((20..=60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert!(meter.peak() < 128 * KIB, "{} bytes", meter.peak());
    }
}

/// Who reads them has one for each, and nothing of it stays.
#[tokio::test]
async fn what_costs_an_answer_or_none_leaves_nothing() {
    let answered = |kind| move |got: &[u8]| got.iter().filter(|got| **got == kind).count();
    type Count = Box<dyn Fn(&[u8]) -> usize>;
    let cases: [(Vec<u8>, Count, usize); 5] = [
        (frame(PING, 0, 0, &[0; 8]), Box::new(answered(PING)), 1),
        (frame(SETTINGS, 0, 0, &[]), Box::new(answered(SETTINGS)), 1),
        (frame(PRIORITY, 0, 3, &[0; 5]), Box::new(answered(PRIORITY)), 0),
        (frame(0x77, 0, 1, b"what nobody knows"), Box::new(answered(0x77)), 0),
        (window_update(0, 1), Box::new(answered(8)), 0),
    ];
    for (flood, count, each) in cases {
        let mut peer = Raw::open(serve_echo(Server::default()).await, &[]).await;
        peer.echo(1).await;
        let meter = Meter::start();
        for _ in 0..100 {
            peer.write(&flood.repeat(100)).await;
            let got = peer.kinds_until_pong().await;
            assert_eq!(count(&got), 100 * each, "{:?}", &flood[..9]);
        }
        peer.echo(1).await;
        assert!(meter.held() < KIB, "{} bytes", meter.held());
        assert!(meter.peak() < 64 * KIB, "{} bytes", meter.peak());
    }
}

/// In one go it is too much for h2 at the 21st that is not taken yet. One by one it is as much work as so many connections,
/// and nothing of them stays.
#[tokio::test]
async fn requests_that_are_reset_at_once_end_the_connection_or_leave_nothing() {
    let (serving, address) = echoing(Server::default(), Settings::default()).await;
    let handle = serving.handle();
    tokio::spawn(serving);
    let mut peer = Raw::open(address, &[]).await;
    let meter = Meter::start();
    let reset = |stream| frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes());
    let mut ids = (3..).step_by(2);
    let mut held = 0;
    for round in 0..500 {
        for id in ids.by_ref().take(4) {
            peer.write(&[connect_frame(id), reset(id)].concat()).await;
        }
        peer.until_pong(1).await;
        if round == 50 {
            held = meter.held();
        }
    }
    peer.echo(1).await;
    assert!(meter.held() <= held + 8 * KIB, "{} bytes, {held} before", meter.held());
    assert!(meter.peak() < 512 * KIB, "{} bytes", meter.peak());
    assert!(handle.connections() <= 2 + 4, "{}", handle.connections());
    let all: Vec<u8> =
        ids.take(5000).flat_map(|id| [connect_frame(id), reset(id)].concat()).collect();
    // It does not read to the end.
    peer.write(&all).await;
    assert_eq!(peer.end().await, Some(ENHANCE_YOUR_CALM));
}

/// A peer that grants nothing: the write deadline is its stream's, and the others go on.
#[tokio::test(start_paused = true)]
async fn who_grants_no_window_is_left_at_the_write_deadline_alone() {
    let address = serve_echo(with(Config::default().ping_interval(None))).await;
    let mut peer = Raw::open(address, &setting(INITIAL_WINDOW_SIZE, 0)).await;
    peer.ask(3).await;
    peer.write(&window_update(3, 1000)).await;
    let began = Instant::now();
    peer.data(1, &wire::frame(Side::Client, TEXT, b"to the wall")).await;
    peer.echo(3).await;
    let ended = peer.of(1).await;
    assert_eq!((ended.kind, ended.is_end(), ended.payload.len()), (DATA, true, 0));
    let reset = peer.of(1).await;
    assert_eq!((reset.kind, reset.code()), (RST_STREAM, NO_ERROR));
    let waited = began.elapsed();
    assert!((30..40).contains(&waited.as_secs()), "{waited:?}");
    peer.echo(3).await;
}

async fn silent(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        if message.as_text() == Some("stall") {
            pending::<()>().await;
        }
        ws.send(message).await?;
    }
    Ok(())
}

async fn stalling(settings: Settings) -> Raw {
    let (listener, address) = listen().await;
    let listener = Http2Listener::new(TokioListener::new(listener)).settings(settings);
    tokio::spawn(Serving::new(listener, Server::default(), silent).max_connections(2000));
    Raw::client(address, &[]).await
}

#[tokio::test]
async fn a_thousand_streams_that_stall_hold_what_they_sent_and_one_goes_on() {
    let mut peer = stalling(Settings::default().max_streams(1000)).await;
    let ids: Vec<u32> = (0..1000).map(|which| 2 * which + 1).collect();
    for id in &ids {
        peer.ask(*id).await;
    }
    let meter = Meter::start();
    let piece = wire::frame(Side::Client, BINARY, &[0; 8000]);
    for id in &ids[1..] {
        peer.data(*id, &wire::frame(Side::Client, TEXT, b"stall")).await;
        peer.data(*id, &piece).await;
    }
    peer.echo(1).await;
    let sent = 999 * piece.len();
    assert!(meter.held() < sent * 3 / 2, "{} bytes of {sent}", meter.held());
}

/// Messages of 20 bytes, each in a frame of its own, which cost h2 more than their bytes: ten streams full of them are
/// within what a connection may hold, and twice that is the end of it.
#[tokio::test]
async fn ten_streams_full_of_small_messages_stall_nobody_and_many_more_end_the_connection() {
    let mut peer = stalling(Settings::default()).await;
    let ids: Vec<u32> = (0..128).map(|which| 2 * which + 1).collect();
    for id in &ids {
        peer.ask(*id).await;
    }
    let message = wire::frame(Side::Client, BINARY, &[0; 20]);
    let one = |id| frame(DATA, 0, id, &message);
    let meter = Meter::start();
    let fill = async |peer: &mut Raw, id: u32| {
        peer.data(id, &wire::frame(Side::Client, TEXT, b"stall")).await;
        let all = 128 * KIB / message.len() - 1;
        peer.try_write(&one(id).repeat(all)).await
    };
    for id in &ids[1..11] {
        fill(&mut peer, *id).await.expect("room");
    }
    peer.echo(1).await;
    let mut filled = 10;
    for id in &ids[11..] {
        if fill(&mut peer, *id).await.is_err() {
            break;
        }
        filled += 1;
    }
    assert!((10..64).contains(&filled), "{filled}");
    assert!(meter.peak() < 40 * KIB * KIB, "{} bytes", meter.peak());
}

#[tokio::test]
async fn of_more_than_may_be_refused_the_connection_is_ended() {
    let (serving, address) = echoing(Server::default(), Settings::default().max_streams(1)).await;
    tokio::spawn(serving);
    let mut peer = Raw::open(address, &[]).await;
    let meter = Meter::start();
    let mut refused = 0;
    let code = 'end: {
        for id in (3..).step_by(2) {
            peer.write(&connect_frame(id)).await;
            loop {
                match peer.next().await {
                    Some(next) if next.kind == RST_STREAM => {
                        assert_eq!(next.code(), REFUSED_STREAM);
                        refused += 1;
                        break;
                    }
                    Some(next) if next.kind == GOAWAY => break 'end Some(next.code()),
                    Some(next) => assert!(![HEADERS, DATA].contains(&next.kind), "{next:?}"),
                    None => break 'end None,
                }
            }
        }
        None
    };
    assert_eq!((code, refused), (Some(ENHANCE_YOUR_CALM), 1024));
    assert!(meter.peak() < 64 * KIB, "{} bytes", meter.peak());
}
