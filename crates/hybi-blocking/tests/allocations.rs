//! What a message costs a thread that blocks: it waits without an allocation.

use core::time::Duration;

use hybi_blocking::{Client, CloseCode, WebSocket};
use hybi_suite::{
    allocator::{Counting, Meter},
    peer::{Peer, listen},
};
use hybi_testkit::wire::TEXT;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What the thread leaves to others while it waits, it takes again: there are no others.
#[test]
fn waiting_for_a_message_and_sending_one_allocates_nothing() {
    let (listener, address) = listen();
    let server = std::thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "");
        for _ in 0..102 {
            peer.expect(TEXT, b"hello");
            peer.send_frame(TEXT, b"hello");
        }
        peer.expect_close(1000);
        peer.send_close(1000);
        peer.end();
    });
    let uri = format!("ws://{address}/");
    let (mut ws, _) = hybi_blocking::connect_with(&Client::default(), uri).expect("a server");
    let echo = |ws: &mut WebSocket| {
        ws.send("hello").expect("it is open");
        let message = ws.recv_ref().expect("lawful").expect("an echo");
        assert_eq!(message.as_bytes(), b"hello");
    };
    // What is lent by the thread is made once, and so are the list of what it waits for and the room to leave it. An
    // answer may come before it waits: this waits for sure.
    echo(&mut ws);
    assert!(ws.recv_timeout(Duration::from_millis(1)).is_none());
    echo(&mut ws);
    let meter = Meter::start();
    (0..100).for_each(|_| echo(&mut ws));
    assert_eq!(meter.allocations(), 0);
    ws.close(CloseCode::NORMAL, "").expect("in order");
    server.join().expect("no panic");
}
