//! What compression may cost: a bomb costs its limit, and a connection that waits its history
//! (RFC 6455 section 10.4, RFC 7692 section 8).

use core::time::Duration;
use std::thread;

use flate2::{Compress, Compression, FlushCompress};
use futures_util::FutureExt as _;
use hybi_suite::{
    allocator::Meter,
    peer::{Peer, listen},
    suite::bounded,
};
use hybi_testkit::wire::{BINARY, CONTINUATION, FIN, RSV1, TEXT};
use hybi_tokio::{Config, Error, Extensions, Server};
use tokio::time;

use crate::memory::{accepted, block_on, serve_echo};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Bytes compressed and flushed, with their tail.
fn flushed(deflater: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + KIB);
    deflater.compress_vec(bytes, &mut out, FlushCompress::Sync).expect("it goes on");
    out
}

/// The payload of a message.
fn message(deflater: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = flushed(deflater, bytes);
    assert!(out.ends_with(b"\x00\x00\xff\xff"));
    out.truncate(out.len() - 4);
    out
}

/// 256 MiB of zeros, as bytes of DEFLATE data.
fn bomb() -> Vec<u8> {
    let mut deflater = Compress::new(Compression::best(), false);
    let zeros = vec![0; MIB];
    let (first, next) = (flushed(&mut deflater, &zeros), flushed(&mut deflater, &zeros));
    [first, next.repeat(254), message(&mut deflater, &zeros)].concat()
}

#[test]
fn a_bomb_costs_its_limit() {
    bounded("a_bomb_costs_its_limit", || {
        let bomb = bomb();
        assert!(bomb.len() < 300 * KIB);
        for size in [usize::MAX, 1_000] {
            let (address, server) = serve_echo(Config::default());
            let mut peer = Peer::open_compressed(address, "permessage-deflate");
            let mut first = BINARY ^ FIN | RSV1;
            for piece in bomb.chunks(size) {
                peer.send_frame(first, piece);
                first = CONTINUATION ^ FIN;
            }
            let reason = "message of at least 16777217 bytes is above the limit of 16777216";
            peer.expect_close_saying(1009, reason);
            peer.expect_end();
            peer.end();
            let (peak, error) = server.join().unwrap();
            assert!(matches!(error, Some(Error::Protocol(_))), "{error:?}");
            assert!(peak < 17 * MIB, "{peak} bytes");
        }
    });
}

/// A message of a kibibyte, as many applications have them.
fn json(number: usize) -> String {
    let entry =
        format!("{{\"id\":{number},\"kind\":\"trade\",\"price\":{}}},", number * 7_919 % 1_000);
    entry.repeat(KIB.div_ceil(entry.len()))[..KIB].to_owned()
}

/// The bytes that each connection holds which has exchanged ten messages and waits.
fn idle_cost(config: Config) -> usize {
    const CONNECTIONS: usize = 50;
    let (listener, address) = listen();
    let server = Server::builder().extensions(Extensions::default()).config(config).build();
    let server = thread::spawn(move || {
        block_on(async {
            let mut open = Vec::with_capacity(CONNECTIONS);
            let meter = Meter::start();
            for _ in 0..CONNECTIONS {
                let stream = accepted(&listener);
                open.push(hybi_tokio::accept_with(&server, stream).await.unwrap());
            }
            for _ in 0..10 {
                for ws in &mut open {
                    let message = ws.recv().await.unwrap().unwrap();
                    ws.send(message).await.unwrap();
                    assert!(ws.recv().now_or_never().is_none(), "it waits");
                }
            }
            // On a clock of our own, for a while longer than a connection may be quiet.
            time::pause();
            for _ in 0..2 {
                time::advance(Duration::from_millis(1_500)).await;
                for ws in &mut open {
                    assert!(ws.recv().now_or_never().is_none(), "it waits");
                }
            }
            size_of_val(&open[0]) + meter.held() / CONNECTIONS
        })
    });
    let open = || {
        (
            Peer::open_compressed(address, "permessage-deflate"),
            Compress::new(Compression::default(), false),
        )
    };
    let mut peers: Vec<_> = (0..CONNECTIONS).map(|_| open()).collect();
    for number in 0..10 {
        for (peer, deflater) in &mut peers {
            peer.send_frame(TEXT | RSV1, &message(deflater, json(number).as_bytes()));
            let echo = peer.read_frame();
            assert!(echo.first == TEXT | RSV1 && echo.payload.len() < KIB / 2, "{echo:?}");
        }
    }
    server.join().unwrap()
}

#[test]
fn idle_connections_own_their_history_alone() {
    bounded("idle_connections_own_their_history_alone", || {
        let active = idle_cost(Config::default().park_after(None));
        assert!(active > 200 * KIB, "the measurement sees the states: {active} bytes");
        // What the thread keeps for the next, some 2 MiB, is in here as well.
        let parked = idle_cost(Config::default());
        assert!(parked < 64 * KIB, "{parked} bytes");
    });
}
