//! Receiving as a server, one message a call.

use futures_util::StreamExt;
use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, now, print_row};
use hybi_frame::Role;

use crate::{SIZES, chosen, client_stream, ends, frames, payload};

pub(crate) fn run(timed: bool) {
    println!("receive one message as a server");
    for (label, size) in chosen(SIZES) {
        let plain = payload(size);
        let wire = client_stream(&plain);
        // Two rounds of the stream, each payload compared.
        let check = |bytes: &[u8]| assert!(bytes == plain, "another payload");
        contenders(&wire, &check).iter_mut().for_each(|one| one.work(2 * frames(size)));
        if timed {
            let check = |bytes: &[u8]| assert_eq!(bytes.len(), size);
            print_row(label, &compare(&mut contenders(&wire, &check)));
        }
    }
    println!();
}

fn contenders<'a>(wire: &'a [u8], check: &'a impl Fn(&[u8])) -> Vec<Contender<'a>> {
    let memory = || Memory::reading(wire);
    let (mut owned, mut lent) =
        (ends::hybi(Role::Server, memory()), ends::hybi(Role::Server, memory()));
    let mut tokio_websockets = ends::tokio_websockets(Role::Server, memory());
    let mut tungstenite = ends::tungstenite(Role::Server, memory());
    let mut fastwebsockets = ends::fastwebsockets(Role::Server, memory());
    let mut sockudo_ws = ends::sockudo_ws(Role::Server, memory());
    vec![
        Contender::new("hybi recv", move |count| {
            for _ in 0..count {
                check(now(owned.recv()).expect("valid").expect("more").as_bytes());
            }
        }),
        Contender::new("hybi recv_ref", move |count| {
            for _ in 0..count {
                check(now(lent.recv_ref()).expect("valid").expect("more").as_bytes());
            }
        }),
        Contender::new("tokio-websockets", move |count| {
            for _ in 0..count {
                check(now(tokio_websockets.next()).expect("more").expect("valid").as_payload());
            }
        }),
        Contender::new("tungstenite", move |count| {
            for _ in 0..count {
                check(&tungstenite.read().expect("valid").into_data());
            }
        }),
        Contender::new("fastwebsockets", move |count| {
            for _ in 0..count {
                check(&now(fastwebsockets.read_frame()).expect("valid").payload);
            }
        }),
        Contender::new("sockudo-ws", move |count| {
            for _ in 0..count {
                check(now(sockudo_ws.next()).expect("more").expect("valid").as_bytes());
            }
        }),
    ]
}
