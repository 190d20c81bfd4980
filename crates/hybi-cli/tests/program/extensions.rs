//! `--ext`: what is offered and accepted, what both ends say about it, and mistakes.

use hybi_suite::events::OF_CONNECT;
use hybi_suite::peer::{Peer, listen};
use hybi_testkit::wire::{BINARY, TEXT};
use serde_json::Value;

use crate::support::{Outcome, Server, asked, events, hybi, request_with};

/// A server's JSON log goes to stdout, where the test finds it at the end.
const LOG: [&str; 4] = ["--access-log", "-", "--access-log-format", "json"];

/// The first text of the RFC, compressed (RFC 7692 §7.2.3.1).
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const RSV1: u8 = 0x40;

/// Messages that compress, one that hardly does, and an empty one.
fn messages() -> [String; 5] {
    let long = "größer und größer, ".repeat(1000);
    [long.clone(), "x".into(), String::new(), format!("noch {long}"), long]
}

/// Echoes those messages and compares what comes back; says which extensions the client reports.
#[track_caller]
fn echo(url: &str, options: &[&str]) -> Value {
    let messages = messages();
    let mut args = vec!["connect", "--json", "-w", "0"];
    args.extend(options);
    args.extend(messages.iter().flat_map(|message| ["-m", message]));
    args.push(url);
    let outcome = hybi(&args).expect(0, "");
    let events = events(&outcome.stdout, &OF_CONNECT);
    let echoes: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "message")
        .map(|event| event["text"].as_str().expect("text"))
        .collect();
    assert!(echoes == messages, "{options:?}: not what was sent came back");
    let open = events.iter().find(|event| event["event"] == "open").expect("an open connection");
    open["extensions"].clone()
}

/// What a client with these options offers.
#[track_caller]
fn offer(options: &[&str]) -> Option<String> {
    let (_, head) = asked(options, |address| format!("ws://{address}/"));
    head.field("Sec-WebSocket-Extensions").map(str::to_owned)
}

/// How a client with these options ends after this answer.
fn answered(options: &[&str], answer: &'static str) -> Outcome {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let fields = format!("Sec-WebSocket-Extensions: {answer}\r\n");
        let mut peer = Peer::answer(&listener, &fields);
        peer.end();
    });
    let outcome =
        hybi(&[&["connect"], options, &["-m", "x", &format!("ws://{address}/")]].concat());
    played.join().expect("played");
    outcome
}

/// What a server answers to this offer.
fn answer(server: &Server, offer: &str) -> Option<String> {
    let mut peer = Peer::connect(server.address());
    peer.send(request_with("/", &format!("Sec-WebSocket-Extensions: {offer}")));
    peer.expect_accepted().field("Sec-WebSocket-Extensions").map(str::to_owned)
}

#[test]
fn every_extension_is_agreed_on_shown_at_both_ends_and_carries_messages() {
    let permessage = "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10; \
                      server_no_context_takeover; client_no_context_takeover";
    let rows: [(&str, &str, &str, &str); 16] = [
        ("rfc6455", "", "", "permessage-deflate"),
        ("rfc6455", "", "permessage-deflate; server_max_window_bits=15", {
            "permessage-deflate; server_max_window_bits=15"
        }),
        ("rfc6455", "", permessage, {
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"
        }),
        ("rfc6455", permessage, "", {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=9; client_max_window_bits=10"
        }),
        ("rfc6455", "all", "permessage-deflate; s2c_max_window_bits=10", {
            "permessage-deflate; s2c_max_window_bits=10"
        }),
        ("rfc6455", "all", "permessage-compress", "permessage-compress; method=deflate"),
        (
            "rfc6455",
            "permessage-compress; method=\"deflate; c2s_no_context_takeover\"",
            "permessage-compress; method=\"deflate; s2c_max_window_bits=9\"",
            "permessage-compress; method=\"deflate; c2s_no_context_takeover; \
             s2c_max_window_bits=9\"",
        ),
        ("rfc6455", "all", "x-webkit-permessage-compress", {
            "x-webkit-permessage-compress; method=deflate"
        }),
        (
            "rfc6455",
            "perframe-compress; method=\"deflate; max_window_bits=9\"",
            "perframe-compress; method=\"deflate; no_context_takeover\"",
            "perframe-compress; method=\"deflate; max_window_bits=9\"",
        ),
        (
            "rfc6455",
            "deflate-frame; max_window_bits=9; no_context_takeover",
            "deflate-frame; max_window_bits=10",
            "deflate-frame; max_window_bits=9; no_context_takeover",
        ),
        ("rfc6455", "all", "x-webkit-deflate-frame", "x-webkit-deflate-frame"),
        // The order is the client's preference.
        ("rfc6455", "all", "deflate-frame, permessage-deflate", "deflate-frame"),
        ("rfc6455", "all", "all", "permessage-deflate"),
        ("hybi-08", "all", "deflate-stream", "deflate-stream"),
        ("hybi-07", "deflate-stream", "all", "deflate-stream"),
        ("hybi-08", "all", "deflate-frame", "deflate-frame"),
    ];
    for (version, at_server, at_client, agreed) in rows {
        let with = |spec| if str::is_empty(spec) { vec![] } else { vec!["--ext", spec] };
        let server = Server::start(&[&with(at_server)[..], &LOG, &["--versions", "all"]].concat());
        let options = [&with(at_client)[..], &["-p", version]].concat();
        let row = format!("{version}: {at_client} to {at_server}");
        let expected = serde_json::json!([agreed]);
        for more in [&[][..], &["--fragment", "1000"]] {
            assert_eq!(echo(&server.url, &[&options, more].concat()), expected, "{row}");
        }
        let url = server.at("/?fragment=100");
        assert_eq!(echo(&url, &options), expected, "{row}");
        let log = server.stop().expect(0, "").stdout;
        let lines = events(&log, &["access"]);
        assert_eq!(lines.len(), 3, "{row}");
        assert!(lines.iter().all(|line| line["extensions"] == expected), "{row}: {log}");
    }
}

#[test]
fn nothing_is_agreed_on_where_one_end_wants_nothing() {
    let server = Server::start(&["--versions", "all"]);
    let none = serde_json::json!([]);
    assert_eq!(echo(&server.url, &["--ext", "none"]), none);
    assert_eq!(echo(&server.at("/echo-noext"), &[]), none);
    assert_eq!(echo(&server.url, &["-p", "hybi-08"]), none, "by default it is for rfc6455 alone");
    assert_eq!(echo(&server.url, &["--ext", "deflate-frame"]), none);
    let plain = Server::start(&["--ext", "permessage-deflate", "--ext", "none"]);
    assert_eq!(echo(&plain.url, &["--ext", "all"]), none);
}

#[test]
fn a_client_offers_what_was_written_and_in_that_order() {
    for (options, expected) in [
        (&[][..], Some("permessage-deflate; client_max_window_bits")),
        (&["--ext", "permessage-deflate"], Some("permessage-deflate; client_max_window_bits")),
        (
            &["--ext", "permessage-deflate; server_max_window_bits=15; client_max_window_bits"],
            Some("permessage-deflate; server_max_window_bits=15; client_max_window_bits"),
        ),
        (
            &[
                "--ext",
                "deflate-frame; max_window_bits=\"9\",permessage-deflate;s2c_max_window_bits=8",
            ],
            Some("deflate-frame; max_window_bits=9, permessage-deflate; s2c_max_window_bits=8"),
        ),
        (
            &["--ext", "deflate-frame", "--ext", "none", "--ext", "perframe-compress"],
            Some("perframe-compress; method=deflate"),
        ),
        (&["--ext", "none"], None),
        (&["--ext", "mux"], Some("mux; quota=65536")),
        (&["--ext", "mux; quota=1000", "--ext", "none"], None),
        (
            &["--ext", "all, none, permessage-deflate, mux; token=x-mux; quota=\"300\""],
            Some("permessage-deflate; client_max_window_bits, x-mux; quota=300"),
        ),
        // Frames of channels are cut anew.
        (&["--ext", "deflate-frame, mux"], Some("mux; quota=65536")),
        (&["-p", "hybi-08"], None),
        (&["-p", "hybi-08", "--ext", "deflate-stream"], Some("deflate-stream")),
    ] {
        assert_eq!(offer(options).as_deref(), expected, "{options:?}");
    }
    let all = offer(&["--ext", "all"]).expect("offers");
    assert!(all.starts_with("permessage-deflate; client_max_window_bits, "), "{all}");
    assert!(all.contains("x-webkit-deflate-frame") && !all.contains("deflate-stream"), "{all}");
    // The kind of connection is another with it, so it has to be named.
    assert!(!all.contains("mux"), "{all}");
    // For these names, which are offered only by name, a strict server refuses the handshake.
    assert!(all.matches("permessage-deflate").count() == 1 && !all.contains("s2c"), "{all}");
    let old = offer(&["--ext", "permessage-deflate; c2s_max_window_bits"]).expect("offers");
    assert_eq!(old, "permessage-deflate; c2s_max_window_bits");
    let all = offer(&["--ext", "all", "-p", "hybi-07"]).expect("offers");
    assert!(all.contains("deflate-stream") && !all.contains("method"), "{all}");
}

#[test]
fn a_server_keeps_its_wishes_and_takes_the_offer_that_fits() {
    let server = Server::start(&["--ext", "permessage-deflate; client_max_window_bits=10"]);
    for (offer, expected) in [
        ("permessage-deflate", Some("permessage-deflate")),
        (
            "permessage-deflate; client_max_window_bits",
            Some("permessage-deflate; client_max_window_bits=10"),
        ),
        (
            "permessage-deflate; server_max_window_bits=7, permessage-deflate; \
             server_max_window_bits=8",
            Some("permessage-deflate; server_max_window_bits=8"),
        ),
        ("x-unknown, permessage-deflate; unknown", None),
        ("deflate-frame", None),
    ] {
        assert_eq!(answer(&server, offer).as_deref(), expected, "{offer}");
    }
}

#[test]
fn a_client_fails_on_an_answer_to_what_it_did_not_offer() {
    let bits = "permessage-deflate; server_max_window_bits=15";
    answered(&["--ext", bits], "permessage-deflate; client_max_window_bits=9")
        .expect(6, "limited without its offer (RFC 7692 §7.1.2.2)");
    answered(&["--ext", bits], "permessage-deflate").expect(6, "as asked (RFC 7692 §7.1.2.1)");
    answered(&["--ext", "deflate-frame"], "permessage-deflate").expect(6, "not offered");
    answered(&["--ext", "none"], "permessage-deflate").expect(6, "not offered");
    answered(&["--json"], "permessage-deflate; mode=9").expect(6, "permessage-deflate");
}

#[test]
fn a_broken_payload_is_reported_with_the_rule_of_its_extension() {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        // Not before: once the connection fails, nothing else is sent.
        assert_eq!(peer.read_frame().payload, b"x");
        peer.send_frame(TEXT | RSV1, &HELLO);
        // A block of the type that there is not (RFC 1951 §3.2.3).
        peer.send_frame(BINARY | RSV1, &[0xff; 8]);
        assert_eq!(peer.read_frame().payload[..2], 1007_u16.to_be_bytes());
    });
    let args = ["connect", "--json", "-w", "1h", "-m", "x", &format!("ws://{address}/")];
    let outcome = hybi(&args).expect(7, "the server broke the protocol");
    played.join().expect("played");
    assert!(outcome.stdout.contains(r#""text":"Hello""#), "{outcome:?}");
    assert!(outcome.stdout.contains(r#""rule":"RFC 7692 §7.2.2","#), "{outcome:?}");
    assert!(!outcome.stderr.contains("6455"), "{outcome:?}");
}

#[test]
fn the_server_compresses_from_the_size_and_at_the_level_it_was_told() {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate";
    let echo = |options: &[&str], size: usize| {
        let server = Server::start(options);
        let mut peer = Peer::connect(server.address());
        peer.send(request_with("/", offer));
        peer.expect_accepted();
        peer.send_frame(BINARY, &vec![7; size]);
        frame_start(&mut peer)
    };
    assert_eq!(echo(&[], 127), (BINARY, 127));
    assert!(matches!(echo(&[], 128), (COMPRESSED, ..40)));
    assert!(matches!(echo(&["--deflate-min-size", "5"], 5), (COMPRESSED, _)));
    assert_eq!(echo(&["--deflate-min-size", "1kB"], 999), (BINARY, 999));
    // Stored blocks are longer than what they hold.
    assert!(matches!(echo(&["--deflate-level", "0"], 5000), (_, 5000..)));
    assert!(matches!(echo(&["--deflate-level", "9"], 5000), (COMPRESSED, ..100)));
}

/// The first byte of the next frame and the length of its payload (RFC 6455 §5.2).
fn frame_start(peer: &mut Peer) -> (u8, u16) {
    let mut start = [0; 2];
    peer.read_raw(&mut start);
    let (first, mut length) = (start[0], u16::from(start[1]));
    if length == 126 {
        peer.read_raw(&mut start);
        length = u16::from_be_bytes(start);
    }
    (first, length)
}

const COMPRESSED: u8 = BINARY | RSV1;

#[test]
fn the_largest_message_is_measured_inflated() {
    let server = Server::start(&["--max-message", "1MB", "--ext", "all"]);
    for name in ["permessage-deflate", "deflate-frame"] {
        let mut peer = Peer::connect(server.address());
        let offer = format!("Sec-WebSocket-Extensions: {name}");
        peer.send(request_with("/discard?ack=1", &offer));
        peer.expect_accepted();
        peer.send_frame(BINARY | RSV1, &deflated_zeros(3875));
        peer.expect(TEXT, b"999751");
        peer.send_frame(BINARY | RSV1, &deflated_zeros(3876));
        let reason = "message of at least 1000001 bytes is above the limit of 1000000";
        peer.expect_close_saying(1009, reason);
    }
}

/// One byte of zero and so many times 258 more, with the codes of RFC 1951 §3.2.6.
fn deflated_zeros(repeats: usize) -> Vec<u8> {
    // A block with fixed codes, the byte; length 258 at distance 1; the end, and the header of the
    // stored block whose rest is not sent (RFC 7692 §7.2.1).
    let bits = format!("{}{}{}", "01000110000", "1100010100000".repeat(repeats), "0000000000");
    let mut bytes = vec![0; bits.len().div_ceil(8)];
    for (at, _) in bits.match_indices('1') {
        bytes[at / 8] |= 1 << (at % 8);
    }
    bytes
}

#[test]
fn mistakes_name_the_parameter_and_what_is_allowed() {
    #[track_caller]
    fn refused(args: &[&str], parts: &[&str]) {
        let outcome = hybi(args).expect(2, "hybi: error: ");
        for part in parts {
            assert!(outcome.stderr.contains(part), "{part:?} is missing: {outcome:?}");
        }
    }
    for (spec, parts) in [
        ("bbf", &["no extension \"bbf\"", "permessage-deflate", "mux"][..]),
        ("mux; tokens=x", &["mux has no parameter tokens=x; it has token=NAME, quota=OCTETS"]),
        ("mux; token", &["mux has not token: "]),
        ("mux; token=\"a b\"", &["name; parameter"]),
        ("mux; quota=255", &["mux has not quota=255: ", "256 to 4294967295"]),
        ("mux; quota=9999999999", &["mux has not quota=9999999999: ", "256 to 4294967295"]),
        ("mux; quota=300; quota=300", &["quota is given twice"]),
        (
            "mux, permessage-deflate",
            &["mux is the last", "hint: what channels use is named in front"],
        ),
        ("mux, mux", &["mux is the last"]),
        ("Permessage-Deflate", &["no extension", "permessage-deflate"]),
        ("", &["name; parameter"]),
        ("permessage-deflate;", &["name; parameter"]),
        ("none; x", &["none has no parameters"]),
        (
            "permessage-deflate; mode=9",
            &["no parameter mode=9", "server_no_context_takeover", "server_max_window_bits=8..15"],
        ),
        ("permessage-deflate; server_max_window_bits", &["from 8 to 15"]),
        ("permessage-deflate; server_max_window_bits=7", &["not server_max_window_bits=7"]),
        ("permessage-deflate; client_max_window_bits=08", &["not client_max_window_bits=08"]),
        ("permessage-deflate; client_max_window_bits=16", &["from 8 to 15"]),
        ("permessage-deflate; server_no_context_takeover=1", &["has no value"]),
        (
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
            &["server_max_window_bits is given twice"],
        ),
        (
            "permessage-deflate; server_max_window_bits=9; c2s_max_window_bits=9",
            &["c2s_max_window_bits is a name of another draft"],
        ),
        ("permessage-compress; s2c_no_context_takeover", &["method=deflate"]),
        ("permessage-compress; method", &["not method;", "method=deflate"]),
        ("perframe-compress; method=bzip2", &["not method=bzip2", "method=deflate"]),
        ("perframe-compress; method=\"deflate; x\"", &["no parameter x", "max_window_bits=8..15"]),
        ("deflate-frame; max_window_bits=0", &["not max_window_bits=0"]),
        ("deflate-frame; window_bits=9", &["no parameter window_bits=9"]),
        ("deflate-stream; x", &["no parameter x; it has none"]),
    ] {
        refused(&["connect", "--ext", spec, "ws://127.0.0.1:1"], parts);
        refused(&["serve", "--ext", spec], parts);
    }
    refused(&["serve", "--ext", "mux; channels=0"], &["mux has not channels=0: ", "1 to 100000"]);
    let more = ["connect", "--ext", "mux; channels=2", "ws://127.0.0.1:1"];
    refused(&more, &["as many as --channels says"]);
    let what = "mux is not available for hybi-08, hybi-07";
    let legacy = ["serve", "--versions", "legacy", "--ext", "mux"];
    refused(&legacy, &[what, "hint: it is for rfc6455"]);
    // A server's wish has a value; a client may leave it to the server.
    let bare = "permessage-deflate; client_max_window_bits";
    refused(&["serve", "--ext", bare], &["client_max_window_bits is from 8 to 15"]);
    let what = "deflate-stream is not available for rfc6455";
    let hint = "hint: it is for hybi-08, hybi-07";
    refused(&["connect", "--ext", "deflate-stream", "ws://127.0.0.1:1"], &[what, hint]);
    refused(&["serve", "--ext", "deflate-stream"], &[what, hint]);
    let both = ["serve", "--versions", "legacy", "--ext", "permessage-compress"];
    refused(&both, &["not available for hybi-08, hybi-07", "hint: it is for rfc6455"]);
}
