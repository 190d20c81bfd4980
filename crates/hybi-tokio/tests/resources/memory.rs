//! What a connection holds, whatever its peer does (RFC 6455 section 10.4).

use core::{future::Future, net::SocketAddr, time::Duration};
use std::{
    net::TcpListener,
    thread::{self, JoinHandle},
};

use futures_util::FutureExt as _;
use hybi_suite::{
    peer::{PATIENCE, Peer, REQUEST, listen},
    suite::bounded,
};
use hybi_testkit::wire::{self, BINARY, PING, Side, TEXT};
use hybi_tokio::{Config, Error, Extensions, Server, WebSocket};
use tokio::net::TcpStream;

use hybi_suite::allocator::Meter;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// For how long a peer's bytes must not be taken until that counts as refused for good.
const PAUSE: Duration = Duration::from_millis(300);

/// Runs a future on a runtime of this thread alone, so that the meter counts all of it.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

pub(crate) fn accepted(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    TcpStream::from_std(stream).unwrap()
}

/// Runs a server on a thread of its own that echoes on one connection up to its end; gives the
/// most bytes that it held since the handshake, and the error.
pub(crate) fn serve_echo(config: Config) -> (SocketAddr, JoinHandle<(usize, Option<Error>)>) {
    let (listener, address) = listen();
    let server = Server::builder().extensions(Extensions::default()).config(config).build();
    let thread = thread::spawn(move || {
        block_on(async {
            let mut ws = hybi_tokio::accept_with(&server, accepted(&listener)).await.unwrap();
            let meter = Meter::start();
            let error = echo(&mut ws).await.err();
            (meter.peak(), error)
        })
    });
    (address, thread)
}

async fn echo(ws: &mut WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

#[test]
fn unread_pings_do_not_pile_up() {
    bounded("unread_pings_do_not_pile_up", || {
        let (address, server) = serve_echo(Config::default());
        let mut peer = Peer::open(address);
        let unit = wire::frame(Side::Client, PING, &[b'p'; 125]).repeat(500);
        // The server goes on reading: it has nothing to wait for.
        let sent = peer.flood(&unit, 64 * MIB, PATIENCE);
        assert!(sent >= 64 * MIB, "{sent} bytes taken");
        drop(peer);
        let (peak, error) = server.join().unwrap();
        assert!(error.is_some());
        assert!(peak < 2 * MIB, "{peak} bytes");
    });
}

#[test]
fn unread_echoes_stop_the_reading() {
    bounded("unread_echoes_stop_the_reading", || {
        for len in [100, 10 * KIB, MIB] {
            let (address, server) = serve_echo(Config::default());
            let mut peer = Peer::open(address);
            let unit = wire::frame(Side::Client, BINARY, &vec![1; len]);
            let unit = unit.repeat((MIB / len).max(1));
            let sent = peer.flood(&unit, 256 * MIB, PAUSE);
            assert!(sent < 256 * MIB, "messages of {len} bytes: the server takes everything");
            drop(peer);
            let (peak, error) = server.join().unwrap();
            assert!(error.is_some());
            // One message received and as much queued is what the application asked for.
            let limit = 2 * MIB + if len == MIB { 2 * MIB } else { 0 };
            assert!(peak < limit, "messages of {len} bytes: {peak} bytes");
        }
    });
}

#[test]
fn a_declared_length_allocates_nothing() {
    bounded("a_declared_length_allocates_nothing", || {
        let (address, server) = serve_echo(Config::default().max_message(2048 * MIB));
        let mut peer = Peer::open(address);
        let mut bytes = wire::header(Side::Client, BINARY, 1024 * MIB as u64);
        bytes.push(0);
        peer.send(bytes);
        peer.end();
        peer.expect_end();
        let (peak, error) = server.join().unwrap();
        assert!(matches!(error, Some(Error::Lost)), "{error:?}");
        assert!(peak < 4 * KIB, "{peak} bytes");
    });
}

#[test]
fn room_grows_with_what_came() {
    bounded("room_grows_with_what_came", || {
        for received in [20 * KIB, 200 * KIB, MIB, 5 * MIB] {
            let (address, server) = serve_echo(Config::default().max_message(2048 * MIB));
            let mut peer = Peer::open(address);
            peer.send(wire::header(Side::Client, BINARY, 1024 * MIB as u64));
            peer.send(vec![0; received]);
            peer.end();
            peer.expect_end();
            let (peak, error) = server.join().unwrap();
            assert!(matches!(error, Some(Error::Lost)), "{error:?}");
            // Sixteen times what came, most of it never written to, and what it replaces meanwhile.
            assert!(peak < 18 * received, "{peak} bytes for {received}");
        }
    });
}

#[test]
fn a_request_head_holds_no_more_than_its_limit() {
    bounded("a_request_head_holds_no_more_than_its_limit", || {
        let (listener, address) = listen();
        let server = thread::spawn(move || {
            block_on(async {
                let stream = accepted(&listener);
                // The chunk that a thread lends to all its connections is not this one's.
                let idle = tokio::io::duplex(1).0;
                drop(hybi_tokio::accept_on(&Server::default(), idle).now_or_never());
                let meter = Meter::start();
                let error = hybi_tokio::accept_with(&Server::default(), stream).await.err();
                (meter.peak(), error)
            })
        });
        let mut peer = Peer::connect(address);
        let request = REQUEST.trim_end();
        peer.send(format!("{request}\r\nX: {}", "y".repeat(300 * KIB)));
        let (head, _) = peer.expect_refusal();
        assert_eq!(head.status(), 431);
        peer.end();
        let (peak, error) = server.join().unwrap();
        assert!(matches!(error, Some(Error::Handshake(_))), "{error:?}");
        assert!(peak < 64 * KIB, "{peak} bytes");
    });
}

/// Opens connections and measures what each holds while it waits; then again after a message of
/// `len` bytes on each was sent back.
fn idle_cost(len: usize) -> (usize, usize) {
    const CONNECTIONS: usize = 200;
    // A deadline that is set like any other, and no ping however slow the machine is.
    let config = Config::default().ping_interval(Some(Duration::from_secs(3600)));
    let server = Server::builder().config(config).build();
    let (listener, address) = listen();
    let thread = thread::spawn(move || {
        block_on(async {
            // tokio's own registration of each socket comes before the meter starts.
            let streams: Vec<_> = (0..CONNECTIONS).map(|_| accepted(&listener)).collect();
            let mut open = Vec::with_capacity(CONNECTIONS);
            let meter = Meter::start();
            for stream in streams {
                let mut ws = hybi_tokio::accept_with(&server, stream).await.unwrap();
                assert!(ws.recv().now_or_never().is_none(), "it waits, with its deadlines set");
                open.push(ws);
            }
            let handle = size_of_val(&open[0]);
            let fresh = handle + meter.held() / CONNECTIONS;
            for ws in &mut open {
                let message = ws.recv().await.unwrap().unwrap();
                ws.send(message).await.unwrap();
                assert!(ws.recv().now_or_never().is_none());
            }
            (fresh, handle + meter.held() / CONNECTIONS)
        })
    });
    let mut peers: Vec<_> = (0..CONNECTIONS).map(|_| Peer::connect(address)).collect();
    peers.iter_mut().for_each(|peer| peer.send(REQUEST));
    for peer in &mut peers {
        peer.expect_accepted();
    }
    let payload = vec![b'x'; len];
    for peer in &mut peers {
        peer.send_frame(TEXT, &payload);
        peer.expect(TEXT, &payload);
    }
    thread.join().unwrap()
}

#[test]
fn idle_connections_own_no_buffers() {
    bounded("idle_connections_own_no_buffers", || {
        for len in [100, 64 * KIB, MIB] {
            let (fresh, used) = idle_cost(len);
            assert!(fresh < 1536, "{fresh} bytes when fresh");
            assert!(used < 1536, "{used} bytes after {len}, {fresh} when fresh");
        }
    });
}
