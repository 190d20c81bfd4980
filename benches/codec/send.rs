//! Sending as either role, one message a call, without a flush: each writes when it thinks it time.
//!
//! fastwebsockets writes each frame at once, which costs nothing here and a system call elsewhere.

use bytes::Bytes;
use fastwebsockets::{Frame, Payload};
use futures_util::SinkExt;
use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, now, print_row};
use hybi_frame::{FrameHeader, Role, apply_mask};
use hybi_tokio::Message;

use crate::{SIZES, chosen, ends, payload};

pub(crate) fn run(timed: bool) {
    for role in [Role::Server, Role::Client] {
        println!("send one message as a {role:?}");
        for (label, size) in chosen(SIZES) {
            let plain = Bytes::from(payload(size));
            check(role, &plain);
            if timed {
                print_row(label, &compare(&mut contenders(role, &plain)));
            }
        }
        println!();
    }
}

fn contenders(role: Role, plain: &Bytes) -> Vec<Contender<'_>> {
    let memory = || Memory::writing(false);
    let mut hybi = ends::hybi(role, memory());
    let mut tokio_websockets = ends::tokio_websockets(role, memory());
    let mut tungstenite = ends::tungstenite(role, memory());
    let mut fastwebsockets = ends::fastwebsockets(role, memory());
    let mut sockudo_ws = ends::sockudo_ws(role, memory());
    vec![
        Contender::new("hybi feed", move |count| {
            for _ in 0..count {
                now(hybi.feed(Message::Binary(plain.clone()))).expect("sent");
            }
        }),
        Contender::new("tokio-websockets", move |count| {
            for _ in 0..count {
                let message = tokio_websockets::Message::binary(plain.clone());
                now(tokio_websockets.feed(message)).expect("sent");
            }
        }),
        Contender::new("tungstenite", move |count| {
            for _ in 0..count {
                tungstenite.write(tungstenite::Message::Binary(plain.clone())).expect("sent");
            }
        }),
        Contender::new("fastwebsockets", move |count| {
            for _ in 0..count {
                let frame = Frame::binary(Payload::Borrowed(plain));
                now(fastwebsockets.write_frame(frame)).expect("sent");
            }
        }),
        Contender::new("sockudo-ws", move |count| {
            for _ in 0..count {
                let message = sockudo_ws::Message::Binary(plain.clone());
                now(sockudo_ws.feed(message)).expect("sent");
            }
        }),
    ]
}

/// All must write the same frame, each with a key of its own if it is a client.
fn check(role: Role, plain: &Bytes) {
    let memory = || Memory::writing(true);
    let mut ws = ends::hybi(role, memory());
    now(ws.send(Message::Binary(plain.clone()))).expect("sent");
    check_frame("hybi", role, ws.transport().get_ref(), plain);

    let mut ws = ends::tokio_websockets(role, memory());
    now(ws.send(tokio_websockets::Message::binary(plain.clone()))).expect("sent");
    check_frame("tokio-websockets", role, ws.get_ref(), plain);

    let mut ws = ends::tungstenite(role, memory());
    ws.send(tungstenite::Message::Binary(plain.clone())).expect("sent");
    check_frame("tungstenite", role, ws.get_ref(), plain);

    let mut ws = ends::fastwebsockets(role, memory());
    now(ws.write_frame(Frame::binary(Payload::Borrowed(plain)))).expect("sent");
    check_frame("fastwebsockets", role, &ws.into_inner(), plain);

    let mut ws = ends::sockudo_ws(role, memory());
    now(ws.send(sockudo_ws::Message::Binary(plain.clone()))).expect("sent");
    check_frame("sockudo-ws", role, ws.get_ref(), plain);
}

fn check_frame(name: &str, role: Role, memory: &Memory<'_>, plain: &[u8]) {
    let mut written = memory.written.clone().expect("kept");
    let (header, len) = FrameHeader::parse(&written).expect("valid").expect("whole");
    assert_eq!(header.masking_key.is_some(), role.masks_outgoing(), "{name}");
    if let Some(key) = header.masking_key {
        apply_mask(&mut written[len..], key, 0);
    }
    assert!(written[len..] == *plain, "{name}");
}
