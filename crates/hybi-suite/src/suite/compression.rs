//! Compression: what a peer that compresses sees, and what it may not do, over a real socket
//! (RFC 6455 section 9, RFC 7692 sections 6 and 7.2; the drafts of deflate-frame).

use flate2::{Decompress, FlushDecompress};
use hybi::{
    Client, CloseCode, Compress, Config, Deflate, Extensions, Message, Outgoing, Secret, Server,
    Version,
    extension::{DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress},
};
use hybi_testkit::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, Side, TEXT, close_payload, frame,
};

use super::{
    Runtime,
    bad_frames::{MAX_FRAGMENTS, Offence, commit_all, config},
    connect_as, echo,
    opening::request_with,
    serve_as,
};
use crate::{
    peer::{Peer, listen, response},
    vectors,
};

const MESSAGE: &str = "permessage-deflate";
const FRAME: &str = "deflate-frame";

/// "Hello" as RFC 7692 section 7.2.3.1 has it, and again as what was said before.
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
const HELLO_AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

fn extensions() -> Extensions {
    Extensions::default().with(DeflateFrame::new(Deflate::default()))
}

/// Decompresses what the other end sends, with one history for all of it.
struct Inflater(Decompress);

impl Inflater {
    fn new() -> Self {
        Self(Decompress::new(false))
    }

    fn message(&mut self, payload: &[u8]) -> Vec<u8> {
        let input = [payload, b"\x00\x00\xff\xff"].concat();
        let mut out = Vec::with_capacity(64 * 1024);
        self.0.decompress_vec(&input, &mut out, FlushDecompress::Sync).expect("DEFLATE data");
        out
    }
}

fn text(number: usize) -> Vec<u8> {
    format!("{{\"number\":{number},\"name\":\"κόσμε\"}}").repeat(30).into_bytes()
}

/// Sends compressed messages and plain ones, whole and in fragments, and reads the echoes.
fn echo_compressed(peer: &mut Peer, extension: &str) {
    peer.send_frame(TEXT | RSV1, HELLO);
    peer.expect(TEXT, b"Hello");
    peer.send_frame(TEXT | RSV1, HELLO_AGAIN);
    peer.expect(TEXT, b"Hello");
    let continuation = if extension == FRAME { CONTINUATION | RSV1 } else { CONTINUATION };
    let (front, back) = if extension == FRAME { (HELLO, HELLO) } else { HELLO.split_at(3) };
    peer.send_frame(TEXT ^ FIN | RSV1, front);
    peer.send_frame(PING, b"between");
    peer.send_frame(continuation, back);
    peer.expect(PONG, b"between");
    peer.expect(TEXT, if extension == FRAME { b"HelloHello" } else { b"Hello" });

    let mut inflater = Inflater::new();
    let mut lengths = Vec::new();
    for number in 0..5 {
        peer.send_frame(BINARY, &text(number));
        let echo = peer.read_frame();
        assert_eq!(echo.first, BINARY | RSV1);
        assert_eq!(inflater.message(&echo.payload), text(number));
        lengths.push(echo.payload.len());
    }
    assert!(lengths[0] < text(0).len() / 5, "{lengths:?}");
    assert!(lengths[1..].iter().all(|len| *len < lengths[0]), "{lengths:?}");
    peer.send_frame(CLOSE, &close_payload(1000, b""));
    peer.expect_close(1000);
}

/// A server decompresses what it is sent and compresses what it sends, if it pays.
pub fn echoes_compressed<R: Runtime>() {
    for extension in [MESSAGE, FRAME] {
        let server = Server::builder().extensions(extensions()).build();
        let (address, server) = serve_as::<R, _>(server, echo);
        let mut peer = Peer::open_compressed(address, extension);
        echo_compressed(&mut peer, extension);
        peer.expect_end();
        drop(peer);
        assert!(server.join().status.is_clean());
    }
}

/// So does a client.
pub fn echoes_compressed_as_client<R: Runtime>() {
    for extension in [MESSAGE, FRAME] {
        let (listener, address) = listen();
        let client = connect_as::<R, _>(address, Client::builder().extensions(extensions()), echo);
        let mut peer = Peer::answer_compressed(&listener, extension);
        echo_compressed(&mut peer, extension);
        peer.end();
        peer.expect_end();
        assert!(client.join().status.is_clean());
    }
}

/// This package turns the feature on, whatever the one that runs the suite does, so that they are two in one
/// build: what the other's defaults offer and accept does not depend on it.
pub fn compresses_for_nobody_who_did_not_ask<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect_as::<R, _>(address, Client::builder(), echo);
    let mut peer = Peer::accept(&listener);
    let request = peer.read_head();
    assert_eq!(request.field("Sec-WebSocket-Extensions"), None);
    peer.send(response(&request, ""));
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(client.join().error.is_none());

    let (address, server) = serve_as::<R, _>(Server::default(), echo);
    let mut peer = Peer::connect(address);
    peer.send(request_with("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
    assert_eq!(peer.expect_accepted().field("Sec-WebSocket-Extensions"), None);
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// A client and a server of ours understand each other, with whichever extension.
pub fn compresses_for_itself<R: Runtime>() {
    let (d, draft) = (Deflate::default(), Version::HYBI_08);
    let modest = d.own_context_takeover(false).peer_context_takeover(false).own_window_bits(9);
    for (version, extensions, name) in [
        (Version::RFC6455, Extensions::from(d), MESSAGE),
        (Version::RFC6455, modest.into(), MESSAGE),
        (Version::RFC6455, PermessageCompress::new(d).into(), "permessage-compress"),
        (Version::RFC6455, PerframeCompress::new(d).into(), "perframe-compress"),
        (Version::RFC6455, DeflateFrame::webkit(d).into(), "x-webkit-deflate-frame"),
        (draft, DeflateStream::new(d).into(), "deflate-stream"),
    ] {
        for fragment in [None, Some(1000)] {
            let config = Config::default().fragment_size(fragment);
            let server = Server::builder().versions([version]).config(config.clone());
            let server = server.extensions(extensions.clone()).build();
            let (address, server) = serve_as::<R, _>(server, echo);
            let client = Client::builder().version(version).config(config);
            let client = client.extensions(extensions.clone());
            let client = connect_as::<R, _>(address, client, move |mut ws| async move {
                let names: Vec<_> = ws.extensions().map(|one| one.name().to_owned()).collect();
                assert_eq!(names, [name]);
                for len in [0, 10, 1_000, 100_000, 1 << 20] {
                    let payload = [&text(len)[..], &b"0123456789abcdef".repeat(len / 16)].concat();
                    let message = Message::binary(payload);
                    for outgoing in [
                        Outgoing::from(message.clone()),
                        Outgoing::from(message.clone()).compress(Compress::Always),
                        Secret::new(message.clone()).into(),
                    ] {
                        ws.send(outgoing).await?;
                        assert!(ws.recv().await?.as_ref() == Some(&message), "{name} {len}");
                    }
                }
                ws.close(CloseCode::NORMAL, "done").await
            });
            assert!(client.join().expect("no error").is_clean());
            let outcome = server.join();
            assert!(outcome.status.is_clean() && outcome.error.is_none(), "{outcome:?}");
        }
    }
}

/// Everything that `side` can do wrong with an extension.
fn offences(side: Side, extension: &str) -> Vec<Offence> {
    let mut all = Vec::new();
    let mut add = |section, code, name: &str, frames: &[Vec<u8>]| {
        all.push(Offence { name: name.to_owned(), section, code, bytes: frames.concat() });
    };
    let f = |first, payload: &[u8]| frame(side, first, payload);
    let hello = f(TEXT | RSV1, HELLO);
    let per_frame = extension == FRAME;
    let more = if per_frame { CONTINUATION | RSV1 } else { CONTINUATION };

    for (first, name) in [(PING, "ping"), (PONG, "pong"), (CLOSE, "close")] {
        add("5.2", 1002, &format!("RSV1 in a {name}"), &[hello.clone(), f(first | RSV1, b"")]);
    }
    if !per_frame {
        let begun = f(TEXT ^ FIN | RSV1, HELLO);
        add("5.2", 1002, "RSV1 in a continuation", &[begun, f(CONTINUATION | RSV1, b"")]);
        let plain = f(TEXT ^ FIN, b"Hel");
        add("5.2", 1002, "RSV1 late", &[plain, f(CONTINUATION | RSV1, HELLO)]);
    }
    for (bit, name) in [(0x20, "RSV2"), (0x10, "RSV3")] {
        add("5.2", 1002, &format!("{name} beside RSV1"), &[f(TEXT | RSV1 | bit, HELLO)]);
    }

    for (bad, name) in [
        (&b"\x07"[..], "a block of type 3"),
        (b"\x00\x05\x00\xfa\xf0Hello\x00", "a length that is not confirmed"),
        (b"\xfc\xff\x00", "tables with too many symbols"),
    ] {
        add("9", 1007, name, &[hello.clone(), f(TEXT | RSV1, bad)]);
        add("9", 1007, &format!("{name}, unfinished"), &[f(BINARY ^ FIN | RSV1, bad)]);
    }
    add("9", 1007, "half a block", &[hello.clone(), f(TEXT | RSV1, &HELLO[..3])]);
    add("9", 1007, "a reference to nothing", &[f(TEXT | RSV1, HELLO_AGAIN)]);

    let stored = |text: &[u8]| {
        let len = text.len() as u16;
        [&[0], &len.to_le_bytes()[..], &(!len).to_le_bytes(), text].concat()
    };
    let whole = |text: &[u8]| [stored(text), vec![0]].concat();
    let piece = |text: &[u8]| if per_frame { whole(text) } else { stored(text) };
    add("8.1", 1007, "no UTF-8", &[f(TEXT | RSV1, &whole(b"ok \xff"))]);
    add("8.1", 1007, "no UTF-8, unfinished", &[f(TEXT ^ FIN | RSV1, &piece(b"ok \xff"))]);
    let cut = [f(TEXT ^ FIN | RSV1, &piece(b"\xe2\x82")), f(more, &whole(b"\x28"))];
    add("8.1", 1007, "no UTF-8, across fragments", &cut);
    add("8.1", 1007, "text that ends inside a character", &[f(TEXT | RSV1, &whole(b"\xe2\x82"))]);

    add("10.4", 1009, "a bomb", &[f(BINARY | RSV1, &bomb())]);
    add("10.4", 1009, "a bomb, unfinished", &[f(BINARY ^ FIN | RSV1, &bomb())]);
    let long = [b'x'; 900];
    let sum =
        [f(TEXT ^ FIN | RSV1, &piece(&long)), f(more ^ FIN, &piece(&long)), f(more, &whole(&long))];
    add("10.4", 1009, "a message too large", &sum);
    let mut nothing = vec![f(TEXT ^ FIN | RSV1, &piece(b""))];
    nothing.extend((0..=MAX_FRAGMENTS).map(|_| f(more ^ FIN, &piece(b""))));
    add("10.4", 1009, "too many fragments of nothing", &nothing);
    all
}

/// A mebibyte in a kilobyte.
fn bomb() -> Vec<u8> {
    let records = vectors::records("compression-permessage-deflate-frames");
    let record = records.iter().find(|record| record["id"] == "pmd-err-bomb").expect("the bomb");
    let wire = vectors::hex(record["wire_hex"].as_str().expect("wire_hex"));
    // Behind a header with a length of two bytes.
    wire[4..].to_vec()
}

/// Each offence of a client that compresses ends in the right Close frame, and a FIN.
pub fn fails_a_client_that_compresses_badly<R: Runtime>() {
    for extension in [MESSAGE, FRAME] {
        commit_all(offences(Side::Client, extension), || {
            let server = Server::builder().extensions(extensions()).config(config()).build();
            let (address, server) = serve_as::<R, _>(server, echo);
            (Peer::open_compressed(address, extension), server)
        });
    }
}

/// Each offence of a server that compresses ends in the right Close frame, and a FIN.
pub fn fails_a_server_that_compresses_badly<R: Runtime>() {
    for extension in [MESSAGE, FRAME] {
        commit_all(offences(Side::Server, extension), || {
            let (listener, address) = listen();
            let client = Client::builder().extensions(extensions()).config(config());
            let client = connect_as::<R, _>(address, client, echo);
            (Peer::answer_compressed(&listener, extension), client)
        });
    }
}
