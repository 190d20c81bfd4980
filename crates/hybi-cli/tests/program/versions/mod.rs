//! Every version ever published, through `hybi serve` and `hybi connect`, and `hybi versions`.

mod by_hand;

use core::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};

use hybi_suite::events::OF_CONNECT;
use hybi_suite::peer::{Peer, listen, response};
use serde_json::Value;

use crate::support::{Outcome, Server, asked, events, finish, hybi, request, scratch, spawn};

/// What a client asks for, and what a server that accepts all versions then speaks: hybi-02 and hybi-03
/// are one on the wire.
const NAMES: [(&str, &str); 13] = [
    ("rfc6455", "rfc6455"),
    ("hybi-12", "hybi-08"),
    ("7", "hybi-07"),
    ("hybi-06", "hybi-06"),
    ("hybi-05", "hybi-05"),
    ("hybi-04", "hybi-04"),
    ("hybi-03", "hybi-03"),
    ("hybi-02", "hybi-03"),
    ("hybi-01", "hybi-01"),
    ("hybi-00", "hixie-76"),
    ("hixie-76", "hixie-76"),
    ("hixie-75", "hixie-75"),
    ("auto", "rfc6455"),
];

const LOG: [&str; 4] = ["--access-log", "-", "--access-log-format", "json"];

/// A server of all versions that logs to stdout.
fn server_of_all(more: &[&str]) -> Server {
    Server::start(&[&["--versions", "all"], &LOG[..], more].concat())
}

/// The versions that the log of a server names, in the order of their names: connections that end one
/// after the other may be logged in any order.
fn spoken(server: Server) -> Vec<String> {
    let log = server.stop().expect(0, "").stdout;
    let lines = events(&log, &["access"]);
    let names = lines.iter().map(|line| line["version"].as_str().expect("a name").to_owned());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// A request of a version that has a number in the field.
fn numbered(path: &str, number: u8) -> String {
    request(path).replace("Version: 13", &format!("Version: {number}"))
}

#[test]
fn all_versions_are_echoed_at_the_same_time() {
    let server = server_of_all(&[]);
    let mut clients: Vec<_> = NAMES
        .iter()
        .map(|(name, _)| {
            let mut child = spawn(&["connect", "-p", name, &server.url]);
            let stdin = child.stdin.take().expect("a pipe");
            let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
            (*name, child, stdin, stdout)
        })
        .collect();
    // In each round all of them are open, and what is long is read in pieces.
    for text in ["größe".to_owned(), String::new(), "x".repeat(100_000)] {
        for (name, _, stdin, _) in &mut clients {
            writeln!(stdin, "{name} {text}").expect("written");
        }
        for (name, _, _, stdout) in &mut clients {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("a line");
            assert!(line == format!("{name} {text}\n"), "{name}: {} bytes", line.len());
        }
    }
    for (_, child, stdin, _) in clients {
        drop(stdin);
        finish(child).expect(0, "");
    }
    let mut expected = NAMES.map(|(_, spoken)| spoken);
    expected.sort_unstable();
    assert_eq!(spoken(server), expected);
}

#[test]
fn each_version_is_accepted_alone_and_refused_otherwise() {
    for (name, _) in NAMES.into_iter().filter(|(name, spoken)| name == spoken) {
        let alone = Server::start(&["--versions", name]);
        hybi(&["connect", "-p", name, "-m", "x", "-n", "1", "-w", "end", &alone.url])
            .expect_stdout("x\n");
        // A server takes hybi-02 and hybi-03 for one another.
        let others = match name {
            "hybi-03" => "all,-hybi-03,-hybi-02".to_owned(),
            name => format!("all,-{name}"),
        };
        let without = Server::start(&["--versions", &others]);
        let outcome =
            hybi(&["connect", "-p", name, "-m", "x", "-n", "1", "-w", "end", &without.url]);
        // That looks like hybi-01, until frames come that are none.
        let late = matches!(outcome.code, Some(7 | 8)) && name == "hixie-76";
        assert!(matches!(outcome.code, Some(5 | 6)) || late, "{name}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{name}");
    }
}

#[test]
fn all_versions_go_through_tls_and_unix_sockets() {
    let server = Server::start(&["--versions", "all", "--tls-self-signed=localhost"]);
    for (name, _) in NAMES {
        hybi(&["connect", "-k", "-p", name, "-m", name, "-n", "1", "-w", "end", &server.url])
            .expect_stdout(&format!("{name}\n"));
    }
    let socket = scratch("versions");
    let address = format!("unix:{}", socket.display());
    let _server = Server::start(&["--versions", "all", "-l", &address]);
    let url = format!("ws+unix:{}:/echo?x=1", socket.display());
    for (name, _) in NAMES {
        hybi(&["connect", "-p", name, "-m", name, "-n", "1", "-w", "end", &url])
            .expect_stdout(&format!("{name}\n"));
    }
}

#[test]
fn the_draft_header_is_a_hint_for_the_server() {
    // What is asked for, what is accepted, and what comes of it.
    for (options, versions, name) in [
        (&["-p", "hybi-02"][..], "all,-hybi-03", "hybi-02"),
        (&["-p", "hybi-03", "--version-header", "3"], "all", "hybi-03"),
        (&["-p", "hixie-76", "--version-header", "0"], "all", "hixie-76"),
        // Known of clients that were documented as hybi-00.
        (&["-p", "hixie-76", "--version-header", "2"], "all", "hixie-76"),
    ] {
        let server = Server::start(&[&["--versions", versions], &LOG[..]].concat());
        hybi(&[&["connect", "-m", "x", "-n", "1", "-w", "end"], options, &[&server.url]].concat())
            .expect_stdout("x\n");
        assert_eq!(spoken(server), [name], "{options:?}");
    }
    for (options, value) in [
        (&["-p", "hixie-76"][..], None),
        (&["-p", "hixie-76", "--version-header", "7"], Some("7")),
        (&["-p", "hybi-01"], Some("1")),
        (&["-p", "hybi-02"], Some("2")),
        (&["-p", "hybi-03"], Some("2")),
        (&["-p", "hybi-03", "--version-header", "3"], Some("3")),
    ] {
        let (_, head) = asked(options, |address| format!("ws://{address}/"));
        assert_eq!(head.field("Sec-WebSocket-Draft"), value, "{options:?}");
    }
    for name in ["rfc6455", "hybi-04"] {
        let options = ["-p", name, "--version-header", "99"];
        let (_, head) = asked(&options, |address| format!("ws://{address}/"));
        assert_eq!(head.field("Sec-WebSocket-Version"), Some("99"), "{name}");
    }
    let server = server_of_all(&[]);
    let unknown = ["connect", "-p", "hixie-76", "--version-header", "9", "-m", "x", &server.url];
    assert!(matches!(hybi(&unknown).code, Some(5 | 6)));
}

#[test]
fn the_old_versions_are_off_unless_asked_for() {
    let server = Server::start(&[]);
    for name in ["hixie-75", "hixie-76", "hybi-01", "hybi-04", "hybi-06", "hybi-08"] {
        let outcome = hybi(&["connect", "-p", name, "-m", "x", &server.url]);
        assert!(matches!(outcome.code, Some(5 | 6)), "{name}: {outcome:?}");
    }
    for command in ["serve", "connect"] {
        let help = hybi(&[command, "--help"]).expect(0, "").stdout;
        let help: Vec<_> = help.split_whitespace().collect();
        let help = help.join(" ");
        assert!(help.contains("hixie-75, hixie-76 and hybi-01 to hybi-03 mask nothing"), "{help}");
    }
    // A refusal lists what is accepted and can be named in the field.
    let some = Server::start(&["--versions", "5,hixie-76,hybi-03,8"]);
    let mut peer = Peer::connect(some.address());
    peer.send(numbered("/", 13));
    let (head, _) = peer.expect_refusal();
    assert_eq!((head.status(), head.field("Sec-WebSocket-Version")), (426, Some("8, 5")));
    hybi(&["connect", &some.url]).expect(5, "hint: -p hybi-08 or hybi-05 is accepted");
}

#[test]
fn auto_goes_on_with_what_the_server_lists() {
    for (versions, options, spoken) in [
        ("rfc", &[][..], "rfc6455"),
        ("hybi-05,hybi-07", &[], "hybi-07"),
        ("hybi-04,hixie-76", &[], "hybi-04"),
        ("hybi-08", &["--ext", "deflate-stream"], "hybi-08"),
    ] {
        let server = Server::start(&["--versions", versions]);
        let args =
            ["connect", "-p", "auto", "--json", "-m", "x", "-n", "1", "-w", "end", &server.url];
        let outcome = hybi(&[&args[..], options].concat()).expect(0, "");
        let open = &events(&outcome.stdout, &OF_CONNECT)[1];
        assert_eq!((&open["event"], &open["version"]), (&"open".into(), &spoken.into()));
        assert_eq!(outcome.stdout.matches("\"connecting\"").count(), 1, "{versions}");
    }
    // A version without a number is none that a server could list, and none to slip into.
    let server = Server::start(&["--versions", "hixie-76,hixie-75"]);
    let outcome = hybi(&["connect", "-p", "auto", "-m", "x", &server.url]);
    assert!(matches!(outcome.code, Some(5 | 6)), "{outcome:?}");
    // A server without a list is asked once.
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        listener
    });
    hybi(&["connect", "-p", "auto", &format!("ws://{address}/")]).expect(5, "400");
    let listener = played.join().expect("played");
    listener.set_nonblocking(true).expect("set");
    assert_eq!(listener.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
    // What the version lacks shows only then.
    let server = Server::start(&["--versions", "hybi-05"]);
    hybi(&["connect", "-p", "auto", "--close", "3000", "-m", "x", &server.url])
        .expect(2, "--close: hybi-05 has no close codes");
}

/// How `connect` takes options that the version has no way to carry out.
#[track_caller]
fn refused(options: &[&str], part: &str) -> Outcome {
    // Nobody is asked: this port is not listened on.
    hybi(&[&["connect", "-m", "00"], options, &["ws://127.0.0.1:1/"]].concat()).expect(2, part)
}

#[test]
fn what_a_version_lacks_is_a_mistake_before_anybody_is_asked() {
    for name in ["hixie-75", "76"] {
        for option in ["-b", "--hex", "--base64"] {
            refused(&["-p", name, option], "has no binary messages");
        }
        refused(&["-p", name, "--fragment", "1"], "has no fragments");
        refused(&["-p", name, "--ping-interval", "1s"], "has no pings and pongs");
        refused(
            &["-p", name, "--ext", "permessage-deflate"],
            "permessage-deflate is not available",
        );
    }
    for name in ["hixie-75", "hixie-76", "hybi-01", "hybi-03", "hybi-04", "hybi-05"] {
        refused(&["-p", name, "--close", "1001"], &format!("--close: {name} has no close codes"));
        refused(&["-p", name, "--close", "1000:done"], "has no close codes and reasons");
    }
    refused(&["-p", "hybi-07", "--close", "1011"], "hybi-07 has no close code 1011");
    refused(&["-p", "hybi-03", "--ext", "deflate-stream"], "hint: it is for hybi-08, hybi-07");
    refused(&["-p", "hixie-75", "--version-header", "1"], "hixie-75 has no field for its version");
}

#[test]
fn a_broken_rule_is_named_with_its_document() {
    let against = |name: &str, answer: fn(&mut Peer)| {
        let (listener, address) = listen();
        let played = std::thread::spawn(move || answer(&mut Peer::accept(&listener)));
        let url = format!("ws://{address}/");
        let outcome = hybi(&["connect", "--json", "-p", name, "-w", "1h", "-m", "x", &url]);
        played.join().expect("played");
        outcome
    };
    let outcome = against("hybi-06", |peer| {
        let head = peer.read_head();
        // The length's first bit is reserved in this layout.
        peer.send(response(&head, ""));
        // A masking key, a header and what the client has to say: the message, and then the close code.
        peer.read_raw(&mut [0; 4 + 2 + 1]);
        peer.send(b"\x84\x80");
        peer.read_raw(&mut [0; 4 + 2 + 2]);
    });
    let outcome = outcome.expect(7, "reserved bit RSV4 is set (drafts hybi-01 to hybi-06)");
    let rule = r#""rule":"drafts hybi-01 to hybi-06","offset":1"#;
    assert!(outcome.stdout.contains(rule), "{outcome:?}");
    let outcome = against("hixie-75", |peer| {
        peer.read_head();
        peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n");
    });
    let outcome = outcome.expect(6, "opening handshake failed");
    assert!(outcome.stdout.contains(r#""rule":"hixie-75""#), "{outcome:?}");
}

#[test]
fn the_table_has_every_version_and_what_it_can_do() {
    let text = hybi(&["versions"]).expect(0, "").stdout;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 12, "{text}");
    assert!(lines[1].starts_with("rfc6455 ") && lines[1].contains(" hybi-14 "), "{text}");
    assert!(lines.iter().all(|line| line.trim_end() == *line), "{text}");
    let json = hybi(&["versions", "--json"]).expect(0, "").stdout;
    let rows = events(&json, &["version"]);
    let mut features = String::new();
    for row in &rows {
        let flags = ["binary", "ping", "closing_handshake", "close_codes", "extensions", "masked"];
        let flags = flags.map(|flag| if row[flag] == true { 'x' } else { '-' });
        let name = row["name"].as_str().expect("a name");
        writeln!(features, "{name} {}", flags.iter().collect::<String>()).expect("written");
    }
    let expected = "rfc6455 xxxxxx\nhybi-08 xxxxxx\nhybi-07 xxxxxx\nhybi-06 xxxxxx\n\
        hybi-05 xxx-xx\nhybi-04 xxx-xx\nhybi-03 xxx---\nhybi-02 xxx---\nhybi-01 xxx---\n\
        hixie-76 --x---\nhixie-75 ------\n";
    assert_eq!(features, expected);
    assert_eq!((&rows[0]["number"], &rows[10]["number"]), (&13.into(), &Value::Null));
    assert_eq!(rows[1]["selected_by"], "Sec-WebSocket-Version: 8");
    let documents = ["hybi-08", "hybi-09", "hybi-10", "hybi-11", "hybi-12"];
    assert_eq!(rows[1]["documents"], serde_json::json!(documents));
    assert_eq!(rows[9]["aliases"], serde_json::json!(["hybi-00", "0", "76"]));
}
