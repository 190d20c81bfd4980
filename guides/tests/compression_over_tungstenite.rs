//! permessage-deflate over tungstenite's framing: the opening handshake and the extension by the crates of this
//! workspace, frames by tungstenite. Both ends of it, over loopback.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use bytes::Bytes;
use hybi_compression::{Chain, Compress, Deflate, Extensions, Rsv, Version};
use hybi_handshake::{HeadLimits, ServerHandshake, ServerPolicy, write_response};
use tungstenite::protocol::frame::{
    Frame, FrameSocket,
    coding::{Control, Data, OpCode},
};

/// What a message may be, decompressed.
const MAX_MESSAGE: usize = 1 << 20;

type Failed = Box<dyn core::error::Error + Send + Sync>;

/// Answers a request, and permessage-deflate if it is offered.
fn accept(mut stream: TcpStream) -> Result<(FrameSocket<TcpStream>, Chain), Failed> {
    let mut handshake = ServerHandshake::new(HeadLimits::default());
    let mut chunk = [0; 4096];
    let request = loop {
        let len = stream.read(&mut chunk)?;
        // The client waits for the answer, so nothing comes behind its request.
        if let (_, Some(request)) = handshake.handle_input(&chunk[..len])? {
            break request;
        }
        if len == 0 {
            return Err(handshake.handle_eof().into());
        }
    };
    let accepted = ServerPolicy::new().check(&request)?;
    let agreed = Extensions::from(Deflate::default()).accept(&accepted.offers, Version::RFC6455);
    let accepted = accepted.with_extensions(agreed.iter().map(|one| one.answer().clone()));
    let mut head = Vec::new();
    write_response(&accepted.response(), b"", &mut head);
    stream.write_all(&head)?;
    Ok((FrameSocket::new(stream), Chain::new(&agreed)))
}

/// Sends back what comes, in upper case; whole messages in one frame each.
fn shout(stream: TcpStream) -> Result<(), Failed> {
    let (mut frames, mut chain) = accept(stream)?;
    while let Some(frame) = frames.read(Some(MAX_MESSAGE))? {
        let header = frame.header().clone();
        let mut payload = frame.into_payload().to_vec();
        if let Some(key) = header.mask {
            payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        }
        match header.opcode {
            OpCode::Data(Data::Text) => {
                let rsv = if header.rsv1 { Rsv::RSV1 } else { Rsv::NONE };
                let mut message = Vec::new();
                chain.decode_message(&payload, rsv, MAX_MESSAGE, &mut message)?;
                let answer = String::from_utf8(message)?.to_uppercase();
                let mut encoded = Vec::new();
                let deflated =
                    chain.encode_message(answer.as_bytes(), Compress::Auto, &mut encoded);
                let payload = if deflated.is_some() { encoded } else { answer.into_bytes() };
                let mut frame =
                    Frame::message(Bytes::from(payload), OpCode::Data(Data::Text), true);
                frame.header_mut().rsv1 = deflated.is_some();
                frames.send(frame)?;
            }
            OpCode::Control(Control::Close) => {
                frames.send(Frame::close(None))?;
                return Ok(());
            }
            _ => return Err("not shown here".into()),
        }
    }
    Ok(())
}

#[test]
fn a_client_of_permessage_deflate_is_understood() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("ws://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || shout(listener.accept()?.0));

    let (mut ws, response) = hybi_blocking::connect(&uri).expect("it is accepted");
    assert!(
        response.headers()["sec-websocket-extensions"]
            .to_str()
            .is_ok_and(|answer| answer.starts_with("permessage-deflate"))
    );
    // Twice, so that the second refers to the first in both directions.
    let said = "all work and no play makes Jack a dull boy. ".repeat(50);
    for _ in 0..2 {
        ws.send(said.clone()).expect("a peer");
        let heard = ws.recv().expect("no fault").expect("an answer");
        assert_eq!(heard.as_text(), Some(said.to_uppercase().as_str()));
    }
    let stats = ws.stats();
    assert!(stats.received.wire_bytes < 300, "it came compressed: {stats:?}");
    assert!(stats.sent.wire_bytes < 500, "it left compressed: {stats:?}");
    ws.close(hybi_blocking::CloseCode::NORMAL, "").expect("an end in order");
    server.join().expect("no panic").expect("no fault");
}
