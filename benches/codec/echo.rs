//! Echo as a server: what was received is sent, without a flush.

use futures_util::{SinkExt, StreamExt};
use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, now, print_row};
use hybi_frame::Role;

use crate::{SIZES, chosen, client_stream, ends, payload};

pub(crate) fn run(timed: bool) {
    println!("echo one message as a server");
    for (label, size) in chosen(SIZES) {
        let wire = client_stream(&payload(size));
        contenders(&wire).iter_mut().for_each(|one| one.work(2));
        if timed {
            print_row(label, &compare(&mut contenders(&wire)));
        }
    }
    println!();
}

/// That each receives and sends rightly was checked where it does one of them.
fn contenders(wire: &[u8]) -> Vec<Contender<'_>> {
    let memory = || Memory::reading(wire);
    let [mut owned, mut lent, split] = [(); 3].map(|()| ends::hybi(Role::Server, memory()));
    let (mut sender, mut receiver) = split.split();
    let mut tokio_websockets = ends::tokio_websockets(Role::Server, memory());
    let mut tungstenite = ends::tungstenite(Role::Server, memory());
    let mut fastwebsockets = ends::fastwebsockets(Role::Server, memory());
    let mut sockudo_ws = ends::sockudo_ws(Role::Server, memory());
    vec![
        Contender::new("hybi recv + feed", move |count| {
            for _ in 0..count {
                let message = now(owned.recv()).expect("valid").expect("more");
                now(owned.feed(message)).expect("sent");
            }
        }),
        Contender::new("hybi recv_to_answer + feed", move |count| {
            for _ in 0..count {
                let received = now(lent.recv_to_answer()).expect("valid");
                let (message, mut answering) = received.expect("more");
                now(answering.feed(message)).expect("sent");
            }
        }),
        Contender::new("hybi halves, recv_ref + feed", move |count| {
            for _ in 0..count {
                let message = now(receiver.recv_ref()).expect("valid").expect("more");
                now(sender.feed(message)).expect("sent");
            }
        }),
        Contender::new("tokio-websockets", move |count| {
            for _ in 0..count {
                let message = now(tokio_websockets.next()).expect("more").expect("valid");
                now(tokio_websockets.feed(message)).expect("sent");
            }
        }),
        Contender::new("tungstenite", move |count| {
            for _ in 0..count {
                let message = tungstenite.read().expect("valid");
                tungstenite.write(message).expect("sent");
            }
        }),
        Contender::new("fastwebsockets", move |count| {
            for _ in 0..count {
                let frame = now(fastwebsockets.read_frame()).expect("valid");
                now(fastwebsockets.write_frame(frame)).expect("sent");
            }
        }),
        Contender::new("sockudo-ws", move |count| {
            for _ in 0..count {
                let message = now(sockudo_ws.next()).expect("more").expect("valid");
                now(sockudo_ws.feed(message)).expect("sent");
            }
        }),
    ]
}
