//! One thread for many: a peer that sends without a pause does not keep it (RFC 6455 section 10.4).

use core::{cell::Cell, future::poll_fn, task::Poll, time::Duration};
use std::{sync::mpsc, thread};

use futures_util::future::join;
use hybi::{
    Config, Error, WebSocket,
    io::{Timer, Transport},
};
use hybi_testkit::wire::{self, BINARY, Side};

use super::{Runtime, connect, serve};
use crate::peer::{PATIENCE, Peer, listen};

const MIB: usize = 1024 * 1024;

/// What the peer sends in all.
const FLOOD: usize = 32 * MIB;

/// The most bytes of messages that are received in one turn.
const TURN: usize = MIB / 2;

/// For how long the peer's bytes must not be taken before it stops filling the kernel's buffers.
const PAUSE: Duration = Duration::from_millis(100);

/// Receives up to the end, beside a task of the same thread that wants a turn whenever it has had
/// one; says the most bytes that came in between.
async fn receive_beside_another<T: Transport, C: Timer>(
    mut ws: WebSocket<T, C>,
) -> Result<usize, Error> {
    let (since, most, over) = (Cell::new(0), Cell::new(0), Cell::new(false));
    let receiving = async {
        let ended = loop {
            match ws.recv().await {
                Ok(Some(message)) => since.set(since.get() + message.len()),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        over.set(true);
        ended
    };
    let other = poll_fn(|cx| {
        most.set(most.get().max(since.replace(0)));
        if over.get() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    join(receiving, other).await.0?;
    Ok(most.get())
}

/// Sends so many messages of 16 bytes that there is always one to be received.
fn flood(mut peer: Peer) -> thread::JoinHandle<()> {
    let unit = wire::frame(peer.side(), BINARY, &[7; 16]).repeat(10_000);
    // The rest of a unit that was not taken, and whole ones from then on.
    let sent = peer.flood(&unit, FLOOD, PAUSE);
    thread::spawn(move || {
        peer.send(&unit[sent % unit.len()..]);
        for _ in sent / unit.len()..FLOOD / unit.len() {
            peer.send(&unit);
        }
        peer.send_close(1000);
        peer.expect_close(1000);
        if peer.side() == Side::Server {
            peer.end();
        }
        peer.expect_end();
    })
}

/// Whatever a peer sends, another task of the thread has its turn now and then.
pub fn shares_its_thread<R: Runtime>() {
    let (start, started) = mpsc::channel();
    let (address, server) = serve::<R, _>(Config::default(), move |ws| async move {
        started.recv_timeout(PATIENCE).expect("the test waits");
        receive_beside_another(ws).await
    });
    let peer = flood(Peer::open(address));
    start.send(()).expect("the server waits");
    let most = server.join().expect("an end in order");
    peer.join().expect("the peer");
    assert!(most < TURN, "{most} bytes were received before another task had its turn");
}

/// The same of a client.
pub fn shares_its_thread_as_client<R: Runtime>() {
    let (listener, address) = listen();
    let (start, started) = mpsc::channel();
    let client = connect::<R, _>(address, Config::default(), move |ws| async move {
        started.recv_timeout(PATIENCE).expect("the test waits");
        receive_beside_another(ws).await
    });
    let peer = flood(Peer::answer(&listener, ""));
    start.send(()).expect("the client waits");
    let most = client.join().expect("an end in order");
    peer.join().expect("the peer");
    assert!(most < TURN, "{most} bytes were received before another task had its turn");
}
