//! Mistakes on the command line: status 2, the value, and the accepted form.

use crate::support::{Outcome, Server, hybi, hybi_with, program, scratch};

#[track_caller]
fn refused(args: &[&str], part: &str) -> Outcome {
    let outcome = hybi(args).expect(2, part);
    assert!(outcome.stderr.starts_with("hybi: error: "), "{outcome:?}");
    assert!(outcome.stdout.is_empty(), "{outcome:?}");
    outcome
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    refused(&["serve", "--max-mesage", "1"], "hint: a similar argument exists: '--max-message'");
    refused(&["srve"], "hint: a similar subcommand exists: 'serve'");
    refused(&["serve", "--slow-peer", "clos"], "hint: a similar value exists: 'close'");
}

#[test]
fn bad_values_are_shown_with_the_accepted_form() {
    for (args, value, form) in [
        (&["serve", "-l", "localhost"][..], "localhost", "HOST:PORT"),
        (&["serve", "--handle", "/a=nothing"], "nothing", "generate"),
        (&["serve", "--versions", "hixie-77"], "hixie-77", "the nearest is hixie-76"),
        (&["serve", "--versions", "all,-hybi-7,-hybi-18"], "hybi-7", "the nearest is hybi-07"),
        (&["serve", "--versions", "rfc,-13"], "rfc,-13", "leaves no version"),
        (&["serve", "--origin", "https://a*.b"], "https://a*.b", ""),
        (&["serve", "-s", "a b"], "a b", "subprotocol name"),
        (&["serve", "--server-header", "a\nb"], "a", "line breaks"),
        (&["connect", "http://127.0.0.1/"], "http://127.0.0.1/", "ws://"),
        (&["connect", "https://127.0.0.1/"], "https://127.0.0.1/", "wss://"),
        (&["connect", "ws://127.0.0.1/#x"], "#x", "fragment"),
        (&["connect", "127.0.0.1:1"], "127.0.0.1:1", "ws://"),
        (&["connect", "ws://bücher.example/"], "bücher.example", "xn--bcher-kva.example"),
        (
            &["connect", "--connect-to", "bücher.example:1", "ws://h"],
            "bücher",
            "xn--bcher-kva.example:1",
        ),
        (&["connect", "--connect-to", "h:0", "ws://h"], "h:0", "port 0"),
        (&["connect", "--tls-name", "", "wss://h"], "", "by name or address"),
        (&["connect", "--tls-name", "a b", "wss://h"], "a b", "by name or address"),
        (&["connect", "wss://a..b/"], "wss://a..b/", "by name or address"),
        (&["connect", "--user-agent", "", "ws://h"], "--user-agent", "at least one visible"),
        (&["connect", "--cookie", "=b", "ws://h"], "--cookie", "name=value"),
        (&["connect", "-u", "a:b\n", "ws://h"], "--user", "without control characters"),
        (&["connect", "--max-message", "0", "ws://h"], "0", "64KiB"),
        (&["connect", "--max-fragments", "0", "ws://h"], "0", "1 to 4294967295"),
        (&["connect", "-n", "0", "ws://h"], "0", "1 or more"),
        (&["connect", "--channels", "0", "ws://h"], "0", "1 to 100000"),
        (&["connect", "--timeout", "0", "ws://h"], "0", "longer than nothing"),
        (&["connect", "--close-timeout", "0s", "ws://h"], "0s", "longer than nothing"),
        (&["connect", "--ping-timeout", "0", "ws://h"], "0", "longer than nothing"),
        (&["connect", "-p", "hixie75", "ws://h"], "hixie75", "the nearest is hixie-75"),
        (&["connect", "-p", "atuo", "ws://h"], "atuo", "the nearest is auto"),
        (
            &["connect", "--version-header", "1\r\nX: y", "ws://h"],
            "--version-header",
            "line breaks",
        ),
        (&["connect", "--close", "1005", "ws://h"], "1005", "3000-4999"),
        (&["connect", "-H", "X: a\r\nY: b", "ws://h"], "X: ***", "line breaks"),
        (&["connect", "-H", "Host: x", "ws://h"], "Host: ***", ""),
        (&["connect", "--cookie", "a=b\nc", "ws://h"], "--cookie", "line breaks"),
        (&["connect", "--origin", "example.org", "ws://h"], "example.org", "scheme://host"),
        (&["connect", "--fragment", "0", "ws://h"], "0", "at least one byte"),
        (&["connect", "--hex", "-m", "0g", "ws://h"], "0g", "0-9 and a-f"),
        (&["connect", "-u", "nobody", "ws://h"], "", "USER:PASS"),
    ] {
        let outcome = refused(args, form);
        assert!(outcome.stderr.contains(value), "{value}: {outcome:?}");
    }
}

#[test]
fn options_that_need_or_exclude_each_other() {
    refused(&["serve", "--tls-cert", "x.pem"], "--tls-key");
    refused(&["serve", "--handle", "/a=echo", "--handle", "/a=chat"], "two handlers");
    refused(&["connect", "--echo", "-m", "x", "ws://h"], "cannot be used with");
    refused(&["connect", "-k", "--tls-ca", "x", "ws://h"], "cannot be used with");
    for (options, part) in [
        (&["--echo", "-b"][..], "cannot be used with"),
        (&["--echo", "--hex"], "cannot be used with"),
        (&["-f", "-", "-f", "-"], "stdin can be sent once"),
        (&["-n", "1", "--expect", "a", "--expect", "b"], "before the last of 2 --expect"),
        (&["--output", "raw", "-t"], "--timestamps does not go with --output raw"),
        (&["--output", "raw", "--show-control"], "--show-control does not go with --output raw"),
        (&["--origin", "https://a", "-H", "origin: https://b"], "--origin and --header Origin"),
        (&["-u", "a:S3CRET", "-H", "Authorization: Bearer S3CRET"], "--user and --header"),
        (&["--cookie", "a=b", "-H", "Cookie: c=d"], "--cookie and --header Cookie"),
        (&["--user-agent", "a", "-H", "User-Agent: b"], "--user-agent and --header User-Agent"),
        (&["-s", "a,b", "-s", "a"], "--subprotocol a is given twice"),
        (&["--channels", "2"], "--channels 2 needs --ext mux"),
        (&["--channels", "2", "--ext", "mux,none"], "--channels 2 needs --ext mux"),
        (
            &["--channels", "2", "--ext", "mux", "--output", "raw"],
            "--channels does not go with --output raw",
        ),
        (&["--tls-ca", "x"], "--tls-ca is for wss:// URLs, and ws://h/ is sent in the clear"),
        (&["--tls-name", "x"], "--tls-name is for wss:// URLs"),
    ] {
        let outcome = refused(&[&["connect", "ws://h"], options].concat(), part);
        assert!(!outcome.stderr.contains("S3CRET"), "{outcome:?}");
    }
    hybi(&["connect", "--output", "hex", "--json", "ws://h"])
        .expect(2, "--json does not go with --output hex");
    refused(&["connect", "--connect-to", "h:1", "ws+unix:/x"], "--connect-to is for TCP");
}

#[test]
fn unreadable_files() {
    let missing = scratch("missing");
    let missing = missing.to_str().expect("text");
    refused(&["serve", "--tls-cert", missing, "--tls-key", missing], "cannot read");
    refused(&["connect", "-f", missing, "ws://h"], missing);
    refused(&["connect", "--tls-ca", missing, "wss://127.0.0.1:1"], "cannot read");
}

#[test]
fn options_come_from_the_environment_and_the_command_line_wins() {
    let output = |args: &[&str]| {
        let output = program().args(args).env("HYBI_SERVE_MAX_MESSAGE", "nonsense").output();
        String::from_utf8(output.expect("runs").stderr).expect("text")
    };
    assert!(output(&["serve", "-l", "127.0.0.1:0"]).contains("'nonsense'"));
    let listens = output(&["serve", "-l", "127.0.0.1:0", "--max-message", "also wrong"]);
    assert!(listens.contains("'also wrong'"), "{listens}");
}

#[test]
fn a_secret_in_the_environment_is_neither_shown_nor_logged() {
    let output = program()
        .args(["connect", "--help"])
        .env("HYBI_CONNECT_USER", "admin:hunter2")
        .output()
        .expect("runs");
    let help = String::from_utf8(output.stdout).expect("text");
    assert!(help.contains("HYBI_CONNECT_USER") && !help.contains("hunter2"), "{help}");
}

#[test]
fn a_line_that_is_not_utf8_is_reported_and_skipped() {
    let server = Server::start(&[]);
    let outcome =
        hybi_with(&["connect", "-w", "0", &server.url], b"a\n\xff\xfe\nb\n").expect(1, "--binary");
    assert_eq!(outcome.stdout, "a\nb\n");
}

/// What helps depends on what was asked for.
#[test]
fn a_hint_at_binary_is_for_text_of_versions_that_have_it() {
    let file = scratch("bytes");
    std::fs::write(&file, [0xff]).expect("a file");
    let path = file.to_str().expect("text");
    let refused = |options: &[&str]| {
        let args = [&["connect", "-f", path], options, &["ws://127.0.0.1:1"]].concat();
        hybi(&args).expect(2, "--file ").stderr
    };
    assert!(refused(&[]).contains("hint: --binary or --hex"));
    assert!(!refused(&["-p", "hixie-76"]).contains("hint"));
    assert!(!refused(&["--hex"]).contains("hint"));
    let server = Server::start(&["--versions", "all"]);
    let line = hybi_with(&["connect", "-p", "76", "-w", "0", &server.url], b"\xff\n");
    assert!(!line.expect(1, "line not sent").stderr.contains("hint"));
}

#[test]
fn an_address_in_use_is_status_11() {
    let server = Server::start(&[]);
    let address = server.address().to_string();
    hybi(&["serve", "-l", &address]).expect(11, &format!("cannot listen on {address}"));
    let file = scratch("no-socket");
    std::fs::write(&file, "").expect("written");
    let address = format!("unix:{}", file.display());
    hybi(&["serve", "-l", &address]).expect(11, "hint: another server listens there");
    assert!(file.exists(), "a file that is no socket was removed");
}
