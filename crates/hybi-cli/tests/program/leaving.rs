//! When `hybi connect` leaves: after the last answer, at the end, at once, or short of what was asked.

use hybi_suite::peer::Peer;
use hybi_testkit::wire::{PING, PONG, TEXT};

use crate::support::{Server, against, hybi, hybi_with};

/// Shows that the client is still there: nothing that it sends comes before the answer.
fn is_there(peer: &mut Peer) {
    peer.send_frame(PING, b"?");
    peer.expect(PONG, b"?");
}

#[test]
fn an_answer_that_takes_a_while_is_waited_for() {
    for options in [&["-m", "hi"][..], &["-m", "hi", "-w", "1h"], &["-m", "hi", "-w", "end"]] {
        let ends_itself = options.len() == 2;
        let outcome = against(options, move |peer| {
            peer.expect(TEXT, b"hi");
            is_there(peer);
            peer.send_frame(TEXT, b"late");
            is_there(peer);
            if ends_itself {
                peer.expect_close(1000);
                peer.send_close(1000);
            } else {
                peer.send_close(1000);
                peer.expect_close(1000);
            }
        });
        outcome.expect_stdout("late\n");
    }
    let server = Server::start(&[]);
    let url = server.at("/echo?delay=300ms");
    hybi(&["connect", "-w", "end", "-n", "2", "-m", "a", "-m", "b", &url]).expect_stdout("a\nb\n");
    hybi_with(&["connect", "-w", "end", "-n", "1", &url], b"hi\n").expect_stdout("hi\n");
}

#[test]
fn with_nothing_to_send_it_stays_to_the_end() {
    let serve = |peer: &mut Peer| {
        is_there(peer);
        peer.send_frame(TEXT, b"one");
        is_there(peer);
        peer.send_close(1000);
        peer.expect_close(1000);
    };
    against(&[], serve).expect_stdout("one\n");
    against(&["-b"], serve).expect_stdout("one\n");
    against(&["-w", "end"], serve).expect_stdout("one\n");
}

#[test]
fn a_wait_of_zero_leaves_at_once() {
    let leaves = |peer: &mut Peer| {
        peer.expect_close(1000);
        // What comes before the answer is printed all the same.
        peer.send_frame(TEXT, b"late");
        peer.send_close(1000);
    };
    against(&["-w", "0"], leaves).expect_stdout("late\n");
    against(&["-w", "0", "-m", "x"], move |peer| {
        peer.expect(TEXT, b"x");
        leaves(peer);
    })
    .expect_stdout("late\n");
}

/// Pings say nothing; a server that sends them would otherwise keep the client for ever.
#[test]
fn pings_do_not_put_it_off() {
    let outcome = against(&["-w", "100ms", "-m", "x"], |peer| {
        peer.expect(TEXT, b"x");
        loop {
            peer.send_frame(PING, b"");
            let frame = peer.read_frame();
            if frame.first != PONG {
                assert_eq!(frame.payload, 1000_u16.to_be_bytes());
                break;
            }
        }
        peer.send_close(1000);
    });
    outcome.expect_stdout("");
}

#[test]
fn fewer_messages_than_counted_are_status_10() {
    let server = Server::start(&[]);
    hybi(&["connect", "-n", "3", "-w", "0", "-m", "x", &server.url])
        .expect(10, "missing messages: 2 more were expected\nhint: --wait gives");
    let outcome = against(&["-n", "2"], |peer| {
        peer.send_frame(TEXT, b"one");
        peer.send_close(1000);
    });
    let outcome = outcome.expect(10, "1 more was expected\n");
    assert!(outcome.stdout == "one\n" && !outcome.stderr.contains("hint"), "{outcome:?}");
    // With expectations too, all of both has to come.
    let args = ["connect", "-w", "end", "-n", "2", "--expect", "a", "-m", "a", "-m", "b"];
    hybi(&[&args[..], &[&server.url]].concat()).expect_stdout("a\nb\n");
    let args = ["connect", "-n", "1", "--expect", "a", "--expect", "b", "ws://127.0.0.1:1"];
    hybi(&args).expect(2, "--count 1 ends before the last of 2 --expect");
}

#[test]
fn a_wait_is_a_duration_or_the_end() {
    for value in ["never", "1", "-1s", ""] {
        let wait = format!("--wait={value}");
        hybi(&["connect", &wait, "ws://127.0.0.1:1"]).expect(2, "250ms, 10s, 5m, 1h; or end");
    }
}
