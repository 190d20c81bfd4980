//! Every option of `hybi serve` with values that it must not take: status 2 with the accepted form,
//! before anything is bound.

use std::collections::BTreeSet;

use crate::support::{hybi, scratch};

/// An option, values that are nonsense for it, and what its answer says instead.
type Row = (&'static str, &'static [&'static str], &'static str);

const SIZE: &str = "512, 10kB, 64KiB, 16MiB, 2GiB";
const TIME: &str = "250ms, 10s, 5m, 1h";
const ADDRESS: &str = "HOST:PORT, :PORT, [::1]:PORT or unix:PATH";

const NONSENSE: &[Row] = &[
    ("listen", &["", ",", "8080", "localhost", "a:b", ":65536", "::1:80", "unix:"], ADDRESS),
    ("port-file", &["/dev/null", "/", "/nowhere/file"], "--port-file FILE makes FILE"),
    ("threads", &["", "0", "1025", "-1", "many"], "a whole number from 1 to 1024"),
    ("handle", &["", "/a", "a=echo", "/a=", "/a=nothing", "/a?b=echo"], ""),
    ("http", &["", "3", "h2", "1.1;2"], "1.1, 2"),
    ("http", &["2"], "1.1, which is always spoken: --http 1.1,2"),
    (
        "host",
        &["", "a b", "http://a", "a/", "a:x", "::1", "u@a", "a,,b", "☃"],
        "*.example.org, example.org:8080",
    ),
    ("host", &["é", "É:80"], "written in ASCII, this one as xn--9ca"),
    ("listen", &["é:80"], "written in ASCII, this one as xn--9ca:80"),
    ("server-header", &["a\nb", "\x01"], "no line breaks"),
    ("versions", &["", "rfc,", "rfc,-13", "hybi-18"], "version"),
    ("ext", &["", "nothing", "permessage-deflate; server_max_window_bits=7"], ""),
    ("subprotocol", &["", "a b", "a,,b", "é"], "letters, digits and"),
    ("subprotocol-policy", &["", "both"], "server, client, require"),
    (
        "origin",
        &["", "same,", "example.org", "https://a*.b", "https://a/b"],
        "scheme://host[:port]",
    ),
    (
        "max-connections",
        &["", "0", "-1", "1.5", "18446744073709551616"],
        "a whole number, 1 or more",
    ),
    ("max-connections-per-ip", &["", "0", "off"], "a whole number, 1 or more"),
    ("max-message", &["", "0", "-1", "16XB", "1.5MiB"], SIZE),
    ("max-frame", &["", "0", "x"], SIZE),
    ("max-frame", &["16777217"], "larger than --max-message, 16777216 bytes"),
    ("max-fragments", &["", "0", "4294967296"], "a whole number from 1 to 4294967295"),
    ("max-header-bytes", &["x"], SIZE),
    ("max-header-bytes", &["0", "255"], "at least 256 bytes"),
    ("max-headers", &["", "0", "4", "24577"], "a whole number from 5 to 24576"),
    ("handshake-timeout", &["", "0", "0s", "0.1ms", "10", "off", "-1s"], TIME),
    ("ping-interval", &["", "20", "never", "0.1ms"], "1h; or off"),
    ("ping-timeout", &["", "0", "off", "20"], TIME),
    ("idle-timeout", &["", "20", "0.1ms"], "1h; or off"),
    ("close-timeout", &["", "0", "off", "10"], TIME),
    ("end-timeout", &["", "0", "off", "30"], TIME),
    ("write-timeout", &["", "30", "0.1ms"], "1h; or off"),
    ("max-lifetime", &["", "1d", "0.0001ms"], "1h; or off"),
    ("send-queue", &["", "0", "-1"], SIZE),
    ("deflate-level", &["", "10", "-1", "best"], "a whole number from 0 to 9"),
    ("deflate-min-size", &["", "-1", "x"], SIZE),
    ("slow-peer", &["", "wail"], "close, drop, wait"),
    ("tls-cert", &["", "x.pem"], "--tls-"),
    ("tls-key", &["", "x.pem"], "--tls-"),
    (
        "tls-self-signed",
        &["", "a b", "localhost,", "a:1", "*", "127.0.0.256"],
        "localhost, *.example.org",
    ),
    ("access-log", &["", "/", "/nowhere/file"], "a"),
    ("access-log-format", &["", "xml"], "text, json"),
    ("drain-timeout", &["", "25", "off", "0.1ms"], TIME),
];

/// These are true for every text that their parser gets.
const NO_VALUE: &[&str] = &["no-pages"];

#[test]
fn nonsense_is_answered_with_the_accepted_form() {
    for (option, values, form) in NONSENSE {
        for value in *values {
            let outcome = hybi(&["serve", "-l", "127.0.0.1:0", &format!("--{option}={value}")]);
            let said = &outcome.stderr;
            assert_eq!(outcome.code, Some(2), "--{option}={value}: {outcome:?}");
            assert!(outcome.stdout.is_empty(), "--{option}={value} was announced: {outcome:?}");
            assert!(said.starts_with("hybi: error: "), "--{option}={value}: {said}");
            // An empty value is sometimes told to be missing, which needs no more words.
            let is_missing = value.is_empty() && said.contains("a value is required");
            assert!(said.contains(form) || is_missing, "--{option}={value}: {said}");
        }
    }
}

#[test]
fn every_option_is_in_the_table() {
    let help = hybi(&["serve", "--help"]).expect(0, "").stdout;
    let own = help.split("\nGlobal:").next().expect("a page");
    let options: BTreeSet<&str> = own
        .lines()
        .filter_map(|line| line.trim_start().split_once("--"))
        // The line of an option begins with its names.
        .filter(|(before, _)| before.is_empty() || (before.len() == 4 && before.ends_with(", ")))
        .map(|(_, rest)| rest.split([' ', '[']).next().expect("a name"))
        .filter(|name| *name != "help")
        .collect();
    let rows = NONSENSE.iter().map(|row| row.0).chain(NO_VALUE.iter().copied());
    assert_eq!(options, rows.collect());
}

#[test]
fn an_option_that_has_no_effect_alone_says_what_it_needs() {
    for (option, needs) in [
        ("--subprotocol-policy=require", "--subprotocol <NAME>"),
        ("--access-log-format=json", "--access-log <FILE>"),
        ("--tls-cert=x", "--tls-key <FILE>"),
    ] {
        hybi(&["serve", "-l", "127.0.0.1:0", option]).expect(2, needs);
    }
}

#[test]
fn a_port_file_that_cannot_be_written_leaves_nothing_behind() {
    let directory = scratch("ports.d");
    let path = directory.join("missing/ports");
    let outcome =
        hybi(&["serve", "-l", "127.0.0.1:0", "--port-file", path.to_str().expect("text")]);
    outcome.expect(2, "hint: --port-file FILE makes FILE, in a directory that exists");

    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("ports");
    // Bad for another reason: the draft of the port file goes away again.
    let args = ["serve", "-l", "256.0.0.1:0", "--port-file", path.to_str().expect("text")];
    hybi(&args).expect(11, "cannot listen");
    assert_eq!(std::fs::read_dir(&directory).expect("a directory").count(), 0);
    std::fs::remove_dir(&directory).expect("empty");
}
