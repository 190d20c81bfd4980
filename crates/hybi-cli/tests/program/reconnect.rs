//! `--reconnect`: what is tried again and what is not, what is told of the pauses, and what becomes of messages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::thread;

use hybi_suite::events::OF_CONNECT;
use hybi_suite::peer::{Peer, listen};
use hybi_testkit::wire::TEXT;

use crate::support::{Outcome, events, finish, hybi, signal, spawn};

const SOON: [&str; 3] = ["connect", "--reconnect", "--reconnect-delay=1ms"];

/// The events of an output, by name; of a pause what it is for.
fn told(outcome: &Outcome) -> Vec<String> {
    let lines = events(&outcome.stdout, &OF_CONNECT);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let name = |line: &serde_json::Value| match &*text(&line["event"]) {
        "waiting" => format!("waiting {} {}", line["status"], text(&line["message"])),
        "message" => format!("message {}", text(&line["text"])),
        name => name.to_owned(),
    };
    lines.iter().map(name).collect()
}

/// The server breaks the first connection, leaves the second, and ends the third as if all were said.
#[test]
fn what_comes_is_received_and_what_is_typed_is_sent_over_one_connection_after_the_other() {
    let (listener, address) = listen();
    let mut child = spawn(&[&SOON[..], &["--json", &format!("ws://{address}/")]].concat());
    let mut stdin = child.stdin.take().expect("a pipe");
    for round in 1..=3 {
        let mut peer = Peer::answer(&listener, "");
        peer.send_frame(TEXT, format!("welcome {round}").as_bytes());
        writeln!(stdin, "line {round}").expect("it reads");
        peer.expect(TEXT, format!("line {round}").as_bytes());
        match round {
            1 => peer.kill(),
            2 => {
                peer.send_close(1001);
                peer.expect_close(1001);
            }
            _ => {
                peer.send_close(1000);
                peer.expect_close(1000);
            }
        }
    }
    let outcome = finish(child).expect(0, "");
    let told = told(&outcome);
    assert!(told[3].starts_with("waiting 8 connection lost: "), "{told:?}");
    assert_eq!(told[..3], ["connecting", "open", "message welcome 1"]);
    let expected = [
        "open",
        "message welcome 2",
        "close",
        "waiting 8 the server went away: 1001",
        "open",
        "message welcome 3",
        "close",
    ];
    assert_eq!(told[4..], expected);
}

#[test]
fn nobody_there_is_tried_as_often_as_it_says() {
    let (listener, address) = listen();
    drop(listener);
    let url = format!("ws://{address}/");
    let args = ["connect", "--reconnect=3", "--reconnect-delay=1ms", "--json", "-m", "x", &url];
    let outcome = hybi(&args).expect(3, "hybi: error: cannot connect to ");
    let told = told(&outcome);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[1..3].iter().all(|it| it.starts_with("waiting 3 cannot connect to ")), "{told:?}");
    assert_eq!((&*told[0], &*told[3]), ("connecting", "error"));
}

/// Plays a server that answers so, once for each client, and then is gone.
fn refusing(answers: &'static [&str]) -> (String, thread::JoinHandle<()>) {
    let (listener, address) = listen();
    let played = thread::spawn(move || {
        for answer in answers {
            let mut peer = Peer::accept(&listener);
            peer.read_head();
            peer.send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"));
            peer.end();
        }
    });
    (format!("ws://{address}/"), played)
}

/// What was not sent at the end is told.
#[test]
fn an_answer_that_will_not_change_is_the_last() {
    let (url, played) = refusing(&["500 Not now", "401 Not you"]);
    let outcome = hybi(&[&SOON[..], &["-m", "one", "-m", "two", &url]].concat());
    played.join().expect("two requests");
    let outcome = outcome.expect(5, "the server refused the opening handshake: HTTP 401 Not you\n");
    let said: Vec<_> = outcome.stderr.lines().collect();
    let first =
        "hybi: the server refused the opening handshake: HTTP 500 Not now; connecting again in ";
    assert!(said[0].starts_with(first), "{said:?}");
    assert_eq!(said[1], "hybi: 2 messages were not sent");
}

/// `Retry-After` is the least that is waited, and a signal ends that at once.
#[test]
fn a_pause_is_as_long_as_the_server_asks_and_a_signal_ends_it() {
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let (url, played) = refusing(&["503 Busy\r\nRetry-After: 3000"]);
        let mut child = spawn(&[&SOON[..], &["--json", &url]].concat());
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let waiting = lines.nth(1).expect("two events").expect("text");
        let waiting = events(&waiting, &["waiting"]).remove(0);
        let delay = waiting["delay"].as_f64().expect("seconds");
        assert!((3000.0..=3000.1).contains(&delay), "{waiting}");
        played.join().expect("a request");
        signal(child.id(), name);
        finish(child).expect(status, "");
    }
}

#[test]
fn mistakes_are_told() {
    let url = "ws://localhost/";
    for (args, why) in [
        (&["--reconnect", "--ext", "mux", url][..], "--reconnect does not go with --ext mux"),
        (&["--reconnect-delay", "1s", url], "--reconnect"),
        (&["--reconnect=0", url], "1 to "),
        (&["--reconnect=soon", url], "'soon'"),
    ] {
        hybi(&[&["connect"], args].concat()).expect(2, why);
    }
}
