//! What `hybi connect` tells of a server that refuses the handshake, and what it advises.

use hybi_suite::peer::{Peer, listen};

use crate::support::{Outcome, hybi};

/// How the client ends when it gets this answer.
fn answered(options: &[&str], answer: impl Into<Vec<u8>>) -> Outcome {
    let answer = answer.into();
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(answer);
        peer.end();
    });
    let outcome = hybi(&[&["connect"], options, &[&format!("ws://{address}/")]].concat());
    played.join().expect("played");
    outcome
}

#[test]
fn the_reason_phrase_and_the_body_are_shown() {
    const WHAT: &str = "hybi: error: the server refused the opening handshake: HTTP ";
    for (answer, shown) in [
        ("403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403 Forbidden\n"),
        ("403 Not from here\r\nContent-Length: 0\r\n\r\n", "403 Not from here\n"),
        ("403\r\nContent-Length: 0\r\n\r\n", "403 Forbidden\n"),
        ("599 \r\nContent-Length: 0\r\n\r\n", "599\n"),
        (
            "503 Busy\r\nContent-Type: application/json\r\n\r\n{\n  \"why\": \"full\"\n}\n",
            "503 Busy: { \"why\": \"full\" }\n",
        ),
        ("404 Not Found\r\n\r\n<h1>no</h1>", "404 Not Found: <h1>no</h1>\n"),
        ("404 Not Found\r\n\r\na\x1b[2Jb\u{202e}c", "404 Not Found: a\\u{1b}[2Jb\\u{202e}c\n"),
        ("404 Not Found\r\nContent-Length: 9\r\n\r\ncut", "404 Not Found: cut...\n"),
    ] {
        answered(&[], format!("HTTP/1.1 {answer}")).expect(5, &format!("{WHAT}{shown}"));
    }
    answered(&[], b"HTTP/1.1 404 x\r\n\r\n\xff\0".as_slice())
        .expect(5, "2 bytes that are not text");
    let long = format!("HTTP/1.1 404 x\r\n\r\n{}", "y".repeat(100_000));
    let outcome = answered(&[], long).expect(5, "yyy...");
    assert!(outcome.stderr.len() < 1000, "{} bytes", outcome.stderr.len());
}

#[test]
fn the_hint_fits_what_was_asked() {
    let hint = |options: &[&str], answer: &str| {
        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
        let stderr = answered(options, answer).expect(5, "").stderr;
        stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or("none").to_owned()
    };
    for (options, answer, expected) in [
        (&[][..], "302 Found\r\nLocation: ws://b/", "it points to ws://b/"),
        (&[], "302 Found\r\nLocation: ws://b/\u{202e}", "it points to ws://b/\\u{202e}"),
        (&[], "302 Found", "none"),
        (&[], "401 No\r\nWWW-Authenticate: Basic realm=x", "-u USER:PASS sends basic credentials"),
        (
            &[],
            "401 No\r\nWWW-Authenticate: Bearer",
            "-H 'Authorization: Bearer TOKEN' sends a token",
        ),
        (
            &[],
            "401 No",
            "-u USER:PASS sends basic credentials, -H 'Authorization: Bearer TOKEN' sends a token",
        ),
        (
            &["-u", "a:b"],
            "401 No\r\nWWW-Authenticate: Basic realm=x",
            "other credentials than those sent are wanted; -u USER:PASS sends basic credentials",
        ),
        (&[], "403 No", "--origin sets the Origin that the server may insist on"),
        (&["--origin", "https://a"], "403 No", "none"),
        (&[], "400 No", "versions before hybi-04 are in no list; -p NAME asks for one"),
        (
            &["-p", "76"],
            "400 No",
            "the server may not speak hixie-76; -p rfc6455 asks for the usual version",
        ),
        (&[], "426 No\r\nSec-WebSocket-Version: 8, 7", "-p hybi-08 or hybi-07 is accepted"),
        (&["-p", "8"], "426 No\r\nSec-WebSocket-Version: 13, 8", "-p rfc6455 is accepted"),
        (&[], "400 No\r\nSec-WebSocket-Version: 13", "none"),
        (&[], "404 No", "none"),
    ] {
        assert_eq!(hint(options, answer), expected, "{options:?} {answer}");
    }
}
