//! What a connection holds on which a thread waits: no buffer, and no state of a compressor.

use std::{net::TcpListener, thread, time::Instant};

use hybi_blocking::Server;
use hybi_suite::{
    allocator::Total,
    peer::{PATIENCE, Peer},
    suite::bounded,
};
use hybi_testkit::wire::TEXT;

#[global_allocator]
static ALLOCATOR: Total = Total::new();

/// So many that what the process keeps for all of them, however many it has, is little for each.
const IDLE: usize = 200;

const BLOCK: usize = 130 * 1024;

/// What the process keeps for all threads that wait: 32 blocks of input, and eight states of each kind.
const SHARED: usize = 32 * (BLOCK + 1024);

/// Serves so many clients, which `open` opens and which say and hear something each; what is held for each of them beyond
/// what is for all, when all are idle.
fn held(server: Server, shared: usize, enough: usize, mut open: impl FnMut(&TcpListener) -> Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut peers = Vec::with_capacity(IDLE);
    let mut threads = Vec::with_capacity(IDLE);
    // What is made once, and the thread that accepts.
    let before = ALLOCATOR.now();
    for _ in 0..IDLE {
        let (accepting, server) = (listener.try_clone().expect("a socket"), server.clone());
        threads.push(thread::spawn(move || {
            let (stream, _) = accepting.accept().expect("a client");
            let mut ws = hybi_blocking::accept_with(&server, stream).expect("a request");
            while let Ok(Some(message)) = ws.recv() {
                ws.feed(message).expect("it is open");
            }
        }));
        peers.push(open(&listener));
    }
    // Each has answered, and is about to wait.
    let patience = Instant::now() + PATIENCE;
    let most = shared + IDLE * enough;
    let mut now = usize::MAX;
    while now > most && Instant::now() < patience {
        thread::yield_now();
        now = ALLOCATOR.now().saturating_sub(before);
    }
    assert!(now <= most, "{IDLE} idle connections hold {now} bytes");
    drop(peers);
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn idle_connections_hold_no_buffer() {
    bounded("idle_connections_hold_no_buffer", || {
        // One after the other: both count all of the process.
        held(Server::default(), SHARED, 2 * 1024, |listener| {
            let mut peer = Peer::open(listener.local_addr().expect("its address"));
            peer.send_frame(TEXT, b"hello");
            peer.expect(TEXT, b"hello");
            peer
        });
        compressed();
    });
}

#[cfg(not(any(feature = "compression", feature = "compression-miniz_oxide")))]
fn compressed() {}

/// What a thread keeps of compressors, decompressors and the room for what comes of those is nobody's, either.
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
fn compressed() {
    use hybi_blocking::Deflate;
    use hybi_testkit::wire::RSV1;

    // Else the connections have theirs there.
    Deflate::set_budget(0);
    // Of each kind, eight: a compressor is the largest.
    let shared = SHARED + 8 * (330 + 48 + 64) * 1024;
    held(Server::compressing(), shared, 3 * 1024, |listener| {
        let address = listener.local_addr().expect("its address");
        let mut peer = Peer::open_compressed(address, "permessage-deflate");
        // A stored block, and the empty one behind it without its tail (RFC 7692 section 7.2.3.3).
        let text = [b'a'; 300];
        let (len, inverse) = (300_u16.to_le_bytes(), (!300_u16).to_le_bytes());
        let message = [&[0], &len[..], &inverse[..], &text[..], &[0]].concat();
        peer.send_frame(TEXT | RSV1, &message);
        let frame = peer.read_frame();
        assert_eq!(frame.first, TEXT | RSV1);
        assert!(frame.payload.len() < 100, "it was compressed");
        peer
    });
}
