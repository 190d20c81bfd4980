//! Limits of `hybi connect`: what is above one is no fault of the server's, and the user is told which
//! and how to raise it.

use hybi_suite::peer::{Peer, listen};
use hybi_testkit::wire::{CLOSE, CONTINUATION, FIN, TEXT};

use crate::support::{against, hybi};

#[test]
fn what_is_above_a_limit_of_ours_is_called_that() {
    let too_big = |peer: &mut Peer| {
        peer.expect(TEXT, b"x");
        peer.send_frame(TEXT, b"four");
        assert_eq!(peer.read_frame().payload[..2], 1009_u16.to_be_bytes());
    };
    let in_pieces = |peer: &mut Peer| {
        peer.expect(TEXT, b"x");
        peer.send_frame(TEXT ^ FIN, b"two");
        peer.send_frame(CONTINUATION, b"two");
        assert_eq!(peer.read_frame().payload[..2], 1009_u16.to_be_bytes());
    };
    let common = ["-w", "end", "-m", "x", "--json"];
    for serve in [too_big, in_pieces] {
        let outcome = against(&[&common[..], &["--max-message", "3"]].concat(), serve)
            .expect(10, "above our limit: ")
            .expect(10, "above the limit of 3 (RFC 6455 section 10.4)")
            .expect(10, "hint: --max-message SIZE raises the limit\n");
        assert!(!outcome.stderr.contains("broke"), "{outcome:?}");
        assert!(outcome.stdout.contains(r#""status":10,"#), "{outcome:?}");
    }
    let outcome = against(&[&common[..], &["--max-fragments", "1"]].concat(), |peer| {
        peer.expect(TEXT, b"x");
        for first in [TEXT ^ FIN, CONTINUATION ^ FIN, CONTINUATION] {
            peer.send_frame(first, b"");
        }
        assert_eq!(peer.read_frame().first, CLOSE);
    });
    outcome
        .expect(10, "more than 1 fragments")
        .expect(10, "hint: --max-fragments N raises the limit");
}

/// Version 8 has another close code for it.
#[test]
fn an_old_version_makes_no_difference() {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "");
        peer.send_frame(TEXT, b"four");
        assert_eq!(peer.read_frame().payload[..2], 1004_u16.to_be_bytes());
    });
    let url = format!("ws://{address}/");
    hybi(&["connect", "-p", "hybi-08", "--max-message", "3", &url])
        .expect(10, "above our limit: ")
        .expect(10, "hint: --max-message SIZE");
    played.join().expect("played");
}

#[test]
fn an_answer_above_the_limits_of_a_head_breaks_no_rule_either() {
    for (fields, above) in [
        (format!("X: {}\r\n", "y".repeat(20_000)), "the head "),
        ("X: y\r\n".repeat(200), "the head "),
        (
            format!("Sec-WebSocket-Extensions: {}x\r\n", "x,".repeat(5_000)),
            "Sec-WebSocket-Extensions lists more than 100 names",
        ),
    ] {
        let (listener, address) = listen();
        let played = std::thread::spawn(move || Peer::answer(&listener, &fields));
        hybi(&["connect", &format!("ws://{address}/")])
            .expect(10, &format!("the server's answer is above our limit: {above}"));
        played.join().expect("played");
    }
}
