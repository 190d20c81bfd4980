//! What a message costs a thread that blocks: it waits without an allocation.

use std::{net::TcpListener, thread};

use hybi_blocking::{Client, CloseCode, Server};
use hybi_suite::allocator::{Counting, Meter};

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn waiting_for_a_message_and_sending_one_allocates_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("ws://{}/", listener.local_addr().expect("its address"));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut ws = hybi_blocking::accept_with(&Server::default(), stream).expect("a request");
        while let Some(message) = ws.recv().expect("an honest client") {
            ws.send(message).expect("it is open");
        }
    });
    let (mut ws, _) = hybi_blocking::connect_with(&Client::default(), uri).expect("a server");
    let mut echo = || {
        ws.send("hello").expect("it is open");
        let message = ws.recv_ref().expect("lawful").expect("an echo");
        assert_eq!(message.as_bytes(), b"hello");
    };
    // What is lent by the thread is made once, and so is the list of what it waits for.
    echo();
    echo();
    let meter = Meter::start();
    (0..100).for_each(|_| echo());
    assert_eq!(meter.allocations(), 0);
    ws.close(CloseCode::NORMAL, "").expect("in order");
    server.join().expect("no panic");
}
