//! Bad frames: each rule of RFC 6455 sections 5, 7 and 8 broken once by a client and once by a
//! server, over a real socket, with the close code that the offender sees.

use core::panic::AssertUnwindSafe;
use std::{panic::catch_unwind, sync::mpsc};

use hybi::{Config, Error};
use hybi_testkit::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, Length, PING, PONG, Side, TEXT, close_payload, frame,
    frame_with_length, header, header_with_length,
};

use super::{Outcome, Running, Runtime, connect, echo, serve_echo};
use crate::peer::{PATIENCE, Peer, listen};

/// One way to break a rule.
pub(super) struct Offence {
    pub(super) name: String,
    /// The section of RFC 6455 that has the rule.
    pub(super) section: &'static str,
    /// The close code that the offender is told.
    pub(super) code: u16,
    pub(super) bytes: Vec<u8>,
}

const MAX_FRAME: u64 = 1000;
const MAX_MESSAGE: usize = 2000;
pub(super) const MAX_FRAGMENTS: u32 = 8;

pub(super) fn config() -> Config {
    Config::default().max_frame(MAX_FRAME).max_message(MAX_MESSAGE).max_fragments(MAX_FRAGMENTS)
}

/// Everything that `side` can do wrong.
fn offences(side: Side) -> Vec<Offence> {
    let mut all = Vec::new();
    let mut add = |section, code, name: &str, frames: &[Vec<u8>]| {
        all.push(Offence { name: name.to_owned(), section, code, bytes: frames.concat() });
    };
    let f = |first, payload: &[u8]| frame(side, first, payload);
    bits_and_lengths(side, &mut add);
    fragmentation(&f, &mut add);
    close_frames(&f, &mut add);
    text(side, &f, &mut add);
    limits(side, &f, &mut add);
    all
}

type Add<'a> = &'a mut dyn FnMut(&'static str, u16, &str, &[Vec<u8>]);
type MakeFrame<'a> = &'a dyn Fn(u8, &[u8]) -> Vec<u8>;

/// Sections 5.1, 5.2 and 5.5: what one header says.
fn bits_and_lengths(side: Side, add: Add<'_>) {
    for (bit, name) in [(0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3"), (0x70, "all RSV bits")] {
        for first in [TEXT, BINARY, PING, PONG, CLOSE] {
            add("5.2", 1002, &format!("{name} in {first:#04x}"), &[frame(side, first | bit, b"")]);
        }
        let message = [frame(side, TEXT ^ FIN, b"a"), frame(side, CONTINUATION | bit, b"b")];
        add("5.2", 1002, &format!("{name} in a continuation"), &message);
    }
    for opcode in (3..=7).chain(11..=15) {
        add("5.2", 1002, &format!("opcode {opcode}"), &[frame(side, FIN | opcode, b"a")]);
    }
    for first in [TEXT, BINARY, PING, PONG, CLOSE] {
        let name = format!("wrong masking of {first:#04x}");
        add("5.1", 1002, &name, &[frame(side.other(), first, &[])]);
    }
    for first in [PING, PONG, CLOSE] {
        let payload = if first == CLOSE { close_payload(1000, b"") } else { Vec::new() };
        let name = format!("fragmented control {first:#04x}");
        add("5.5", 1002, &name, &[frame(side, first ^ FIN, &payload)]);
        for (length, form) in [(Length::Two, 126), (Length::Eight, 127)] {
            let name = format!("control {first:#04x} of 126 bytes in form {form}");
            add("5.5", 1002, &name, &[header_with_length(side, first, length, 126)]);
        }
    }
    for len in [0, 125] {
        let payload = vec![b'x'; len];
        for (length, form) in [(Length::Two, "16"), (Length::Eight, "64")] {
            let name = format!("{len} bytes with a length of {form} bits");
            add("5.2", 1002, &name, &[frame_with_length(side, BINARY, length, &payload)]);
        }
    }
    for len in [126, 65_535] {
        let name = format!("{len} bytes with a length of 64 bits");
        add("5.2", 1002, &name, &[header_with_length(side, BINARY, Length::Eight, len)]);
    }
    for len in [1 << 63, u64::MAX] {
        let name = format!("the top bit of the length {len:#x}");
        add("5.2", 1002, &name, &[header(side, BINARY, len)]);
    }
}

/// Section 5.4.
fn fragmentation(f: MakeFrame<'_>, add: Add<'_>) {
    add("5.4", 1002, "continuation first", &[f(CONTINUATION, b"a")]);
    add("5.4", 1002, "unfinished continuation first", &[f(CONTINUATION ^ FIN, b"a")]);
    let after = [f(TEXT ^ FIN, b"a"), f(CONTINUATION, b"b"), f(CONTINUATION, b"c")];
    // The message is whole before the offence, and is echoed.
    add("5.4", 1002, "continuation after the end", &after);
    for (first, name) in [(TEXT, "text"), (BINARY, "binary"), (TEXT ^ FIN, "begun text")] {
        let message = [f(BINARY ^ FIN, b"a"), f(PING, b""), f(first, b"b")];
        add("5.4", 1002, &format!("{name} inside a message"), &message);
    }
}

/// Sections 5.5.1 and 7.4.
fn close_frames(f: MakeFrame<'_>, add: Add<'_>) {
    add("5.5.1", 1002, "close payload of one byte", &[f(CLOSE, b"\x03")]);
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        let close = f(CLOSE, &close_payload(code, b"reason"));
        add("7.4", 1002, &format!("close code {code}"), &[close]);
    }
    for (reason, name) in
        [(&b"\xff"[..], "invalid"), (b"ok \xe2\x82", "truncated"), (b"\xed\xa0\x80", "surrogate")]
    {
        let close = f(CLOSE, &close_payload(1000, reason));
        add("5.5.1", 1007, &format!("{name} UTF-8 in a close reason"), &[close]);
    }
}

/// Section 8.1.
fn text(side: Side, f: MakeFrame<'_>, add: Add<'_>) {
    for (bytes, name) in [
        (&b"\xff"[..], "a byte that is never UTF-8"),
        (b"ok \x80", "continuation byte first"),
        (b"\xc0\xaf", "overlong in two bytes"),
        (b"\xe0\x80\xaf", "overlong in three bytes"),
        (b"\xf0\x80\x80\xaf", "overlong in four bytes"),
        (b"\xed\xa0\x80", "first surrogate"),
        (b"\xed\xbf\xbf", "last surrogate"),
        (b"\xf4\x90\x80\x80", "above U+10FFFF"),
        (b"\xf8\x88\x80\x80\x80", "five bytes"),
        (b"ok \xe2\x28\xa1", "second byte missing"),
    ] {
        add("8.1", 1007, name, &[f(TEXT, bytes)]);
        // Told before the message ends, and before its frame does.
        add("8.1", 1007, &format!("{name}, message unfinished"), &[f(TEXT ^ FIN, bytes)]);
        let whole = f(TEXT, &[bytes, &[b'x'; 100]].concat());
        let part = whole[..whole.len() - 100].to_vec();
        add("8.1", 1007, &format!("{name}, frame unfinished"), &[part]);
        let mut bytewise = vec![f(TEXT ^ FIN, b"")];
        bytewise.extend(bytes.iter().map(|byte| f(CONTINUATION ^ FIN, &[*byte])));
        add("8.1", 1007, &format!("{name}, across fragments"), &bytewise);
    }
    add("8.1", 1007, "text that ends inside a character", &[f(TEXT, b"ok \xf0\x9f\x98")]);
    let ends = [f(TEXT ^ FIN, b"ok \xf0\x9f"), f(CONTINUATION, b"\x98")];
    add("8.1", 1007, "fragments that end inside a character", &ends);
    let then_empty = [f(TEXT ^ FIN, b"ok \xf0\x9f"), f(CONTINUATION, b"")];
    add("8.1", 1007, "an empty last fragment inside a character", &then_empty);
    let pinged = [f(TEXT ^ FIN, b"\xe2\x82"), f(PING, b"\xac"), f(CONTINUATION, b"\x28")];
    add("8.1", 1007, "a character that a ping does not complete", &pinged);
    let long = [header(side, TEXT, 1000), vec![0xff; 1000]].concat();
    add("8.1", 1007, "a long run of bytes that are no text", &[long]);
}

/// Section 10.4: the limits of `config`.
fn limits(side: Side, f: MakeFrame<'_>, add: Add<'_>) {
    let fragment = |first| f(first, &[b'x'; MAX_FRAME as usize]);
    add("10.4", 1009, "a frame declared too large", &[header(side, BINARY, MAX_FRAME + 1)]);
    add("10.4", 1009, "an enormous frame", &[header(side, BINARY, u64::MAX >> 1)]);
    let sum = [fragment(TEXT ^ FIN), fragment(CONTINUATION ^ FIN), header(side, CONTINUATION, 1)];
    add("10.4", 1009, "a message declared too large", &sum);
    let sum = [fragment(BINARY ^ FIN), fragment(CONTINUATION ^ FIN), f(CONTINUATION, b"x")];
    add("10.4", 1009, "a message too large", &sum);
    let mut empty = vec![f(TEXT ^ FIN, b"")];
    empty.extend((0..=MAX_FRAGMENTS).map(|_| f(CONTINUATION ^ FIN, b"")));
    add("10.4", 1009, "too many empty fragments", &empty);
}

/// What is sent behind an offence: nothing, or more than fits one read.
const TAILS: [usize; 2] = [0, 300 * 1024];

/// Reads up to the Close frame, which must have `code` and be the last frame before an orderly
/// end; pongs and echoes of lawful messages before it are skipped.
fn judge(peer: &mut Peer, code: u16) {
    loop {
        let frame = peer.read_frame();
        match frame.first {
            CLOSE => {
                let told =
                    frame.payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                assert_eq!(told, Some(code), "close code");
                break;
            }
            PONG | TEXT => {}
            _ => panic!("{frame:?}"),
        }
    }
    peer.expect_end();
}

/// Whether the application was told the same as the peer.
fn judge_outcome(outcome: &Outcome, offence: &Offence) {
    let Some(Error::Protocol(error)) = &outcome.error else { panic!("{outcome:?}") };
    assert_eq!(error.close_code().as_u16(), offence.code);
    assert_eq!(error.section(), offence.section);
    assert!(error.offset() <= offence.bytes.len() as u64, "{error}");
    assert_eq!(outcome.status.sent().map(u16::from), Some(offence.code));
    assert!(!outcome.status.is_clean());
}

/// Commits one offence.
fn commit(offence: &Offence, tail: usize, mut peer: Peer, endpoint: Running<Outcome>) {
    let mut bytes = offence.bytes.clone();
    bytes.resize(bytes.len() + tail, 0xff);
    peer.send(bytes);
    judge(&mut peer, offence.code);
    peer.end();
    judge_outcome(&endpoint.join(), offence);
    peer.expect_no_reset();
}

/// Commits all offences, and names those that were not answered as they should be.
pub(super) fn commit_all(offences: Vec<Offence>, open: impl Fn() -> (Peer, Running<Outcome>)) {
    let mut failed = Vec::new();
    for offence in offences {
        for tail in TAILS {
            let (peer, endpoint) = open();
            let committed =
                catch_unwind(AssertUnwindSafe(|| commit(&offence, tail, peer, endpoint)));
            if committed.is_err() {
                failed.push(format!(
                    "{} (section {}), then {tail} bytes",
                    offence.name, offence.section
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Each offence of a client ends in the right Close frame from the server, and a FIN.
pub fn fails_a_bad_client<R: Runtime>() {
    commit_all(offences(Side::Client), || {
        let (address, server) = serve_echo::<R>(config());
        (Peer::open(address), server)
    });
}

/// Each offence of a server ends in the right Close frame from the client, and a FIN.
pub fn fails_a_bad_server<R: Runtime>() {
    commit_all(offences(Side::Server), || {
        let (listener, address) = listen();
        let client = connect::<R, _>(address, config(), echo);
        (Peer::answer(&listener, ""), client)
    });
}

/// A peer that sends byte by byte is told at the very byte that breaks the rule.
pub fn fails_at_the_first_wrong_byte<R: Runtime>() {
    let f = |first, payload: &[u8]| frame(Side::Client, first, payload);
    for (bytes, code) in [
        (vec![0xc1], 1002),
        (vec![0x83], 1002),
        (vec![0x09], 1002),
        (vec![0x81, 0x05], 1002),
        (vec![0x89, 0xfe], 1002),
        (vec![0x82, 0xfe, 0x00, 0x7d], 1002),
        (vec![0x82, 0xff, 0x80], 1002),
        (vec![0x82, 0xfe, 0xff, 0xff], 1009),
        (
            [f(TEXT ^ FIN, b"text \xf4"), header(Side::Client, CONTINUATION, 9), vec![0xa7]]
                .concat(),
            1007,
        ),
    ] {
        let (address, server) = serve_echo::<R>(config());
        let mut peer = Peer::open(address);
        for byte in &bytes {
            peer.send([*byte]);
        }
        judge(&mut peer, code);
        peer.end();
        assert!(server.join().error.is_some(), "{bytes:x?}");
    }
}

/// After a Close frame nothing counts any more, lawful or not; it is read and dropped.
pub fn ignores_everything_after_close<R: Runtime>() {
    let close = || frame(Side::Client, CLOSE, &close_payload(1000, b""));
    for rest in [
        frame(Side::Client, TEXT, b"too late"),
        frame(Side::Client, PING, b"too late"),
        close(),
        vec![0xff; 500 * 1024],
    ] {
        let (address, server) = serve_echo::<R>(config());
        let mut peer = Peer::open(address);
        peer.send([close(), rest].concat());
        peer.expect_close(1000);
        peer.expect_end();
        peer.end();
        let outcome = server.join();
        assert!(outcome.error.is_none() && outcome.status.is_clean(), "{outcome:?}");
        peer.expect_no_reset();
    }
}

/// A peer that goes on sending for ever after its offence is not listened to for ever.
pub fn stops_listening_to_an_offender<R: Runtime>() {
    let (address, server) = serve_echo::<R>(config());
    let mut peer = Peer::open(address);
    let (ended, end) = mpsc::channel();
    peer.send([0xff]);
    let flood = std::thread::spawn(move || {
        while peer.try_send(&[0xff; 64 * 1024]) {}
        ended.send(()).expect("the test waits");
    });
    assert!(server.join().error.is_some());
    end.recv_timeout(PATIENCE).expect("the transport is let go");
    flood.join().expect("no panic");
}
