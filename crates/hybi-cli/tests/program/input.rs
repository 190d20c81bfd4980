//! What `hybi connect` makes of stdin: lines, bytes, one message, or a mistake.

use std::io::Write as _;

use hybi_suite::events::OF_CONNECT;

use crate::support::{Server, events, finish, hybi, hybi_with, spawn};

#[test]
fn lines_of_stdin_are_messages() {
    let server = Server::start(&[]);
    let connect = |args: &[&str], input: &[u8]| {
        hybi_with(&[&["connect", "-w", "0"], args, &[&server.url]].concat(), input)
    };
    connect(&[], b"one\n\ntwo").expect_stdout("one\n\ntwo\n");
    connect(&["-0"], b"a\nb\0c\0").expect_stdout("a\nb\0c\0");
    connect(&["--hex"], b"00 ff\n").expect_stdout("00ff\n");
    connect(&["--base64", "--output", "raw"], b"YWI=\nYw==\n").expect_stdout("abc");
    connect(&["--output", "hex"], b"ab\n").expect_stdout("6162\n");
}

#[test]
fn a_carriage_return_in_front_of_a_newline_is_sent() {
    let server = Server::start(&[]);
    hybi_with(&["connect", "-w", "0", &server.url], b"a\r\nb").expect_stdout("a\r\nb\n");
    hybi_with(&["connect", "--hex", "-w", "0", &server.url], b"00\r\nff\r\n")
        .expect_stdout("00\nff\n");
    hybi_with(&["connect", "--base64", "-w", "0", &server.url], b"AP8=\r\n")
        .expect_stdout("00ff\n");
}

#[test]
fn with_binary_stdin_is_sent_as_it_is() {
    let server = Server::start(&[]);
    let connect = |args: &[&str], input: &[u8]| {
        hybi_with(&[&["connect", "-w", "0"], args, &[&server.url]].concat(), input)
    };
    let text = "ab\ncd\n\nef";
    connect(&["-b", "--output", "raw"], text.as_bytes()).expect_stdout(text);
    // What fits is one message.
    connect(&["-b"], text.as_bytes()).expect_stdout("61620a63640a0a6566\n");
    connect(&["-b"], b"\0\n\xff\r\n").expect_stdout("000aff0d0a\n");
    connect(&["-b", "--chunk", "4"], text.as_bytes()).expect_stdout("61620a63\n640a0a65\n66\n");
    // These say where a message ends.
    connect(&["-b", "-0", "--output", "hex"], b"a\nb\0c").expect_stdout("610a62\x0063\x00");
    connect(&["-b", "--hex"], b"00\nff\n").expect_stdout("00\nff\n");
    connect(&["-b", "--base64"], b"AP8=\n").expect_stdout("00ff\n");
    connect(&["-b", "-m", "a"], b"not read").expect_stdout("61\n");
}

#[test]
fn much_binary_input_comes_back_whole_in_messages_of_a_chunk() {
    let server = Server::start(&[]);
    let input: String = ('\0'..'\u{80}').cycle().take(300_000).collect();
    let args = ["connect", "-b", "-w", "0", "--output", "raw", &server.url];
    let outcome = hybi_with(&args, input.as_bytes()).expect(0, "");
    assert!(outcome.stdout == input, "the bytes came back changed");
    for (options, most) in [(&["-b"][..], 65_536), (&["-b", "--chunk", "1kB"], 1000)] {
        let args = [&["connect", "--json", "-w", "0"], options, &[&server.url]].concat();
        let outcome = hybi_with(&args, input.as_bytes()).expect(0, "");
        let events = events(&outcome.stdout, &OF_CONNECT);
        let sizes = events.iter().filter_map(|event| event["size"].as_u64());
        let sizes: Vec<_> = sizes.map(|size| usize::try_from(size).expect("a size")).collect();
        assert_eq!(sizes.iter().sum::<usize>(), input.len());
        assert!(sizes.iter().all(|size| (1..=most).contains(size)), "{options:?}: {sizes:?}");
    }
}

#[test]
fn a_file_called_dash_is_all_of_stdin() {
    let server = Server::start(&[]);
    let connect = |args: &[&str], input: &[u8]| {
        hybi_with(&[&["connect", "-w", "0"], args, &[&server.url]].concat(), input)
    };
    connect(&["-f", "-"], b"a\nb\n").expect_stdout("a\nb\n\n");
    connect(&["-f", "-", "-m", "first"], b"").expect_stdout("first\n\n");
    let long = "x".repeat(300_000);
    connect(&["-b", "-f", "-", "--output", "raw"], long.as_bytes()).expect_stdout(&long);
    connect(&["--hex", "-f", "-"], b"00\nff\n").expect_stdout("00ff\n");
    connect(&["-f", "-"], b"\xff").expect(2, "hint: --binary");
    connect(&["-f", "-", "-f", "-"], b"x").expect(2, "stdin can be sent once");
}

#[test]
fn a_chunk_is_for_bytes_of_stdin() {
    for (options, part) in [
        (&["--chunk", "4"][..], "--binary"),
        (&["-b", "--chunk", "0"], "at least one byte"),
        (&["-b", "--chunk", "2GiB"], "at most 1073741824 bytes"),
        (&["-b", "--chunk", "4", "--hex"], "cannot be used with"),
        (&["-b", "--chunk", "4", "-0"], "cannot be used with"),
        (&["-b", "--chunk", "4", "-m", "x"], "cannot be used with"),
        (&["-b", "--chunk", "4", "-f", "-"], "cannot be used with"),
        (&["-b", "--chunk", "4", "--echo"], "cannot be used with"),
    ] {
        hybi(&[&["connect"], options, &["ws://127.0.0.1:1"]].concat()).expect(2, part);
    }
}

#[test]
fn much_input_does_not_wait_for_output_nor_the_other_way_round() {
    let server = Server::start(&["--send-queue", "64KiB"]);
    let line = "x".repeat(64 * 1024 - 1) + "\n";
    let input = line.repeat(512);
    let outcome = hybi_with(&["connect", "-w", "0", &server.url], input.as_bytes());
    assert_eq!((outcome.code, outcome.stdout.len()), (Some(0), input.len()), "{}", outcome.stderr);
    assert!(outcome.stdout == input, "the lines came back changed");
}

/// However much goes through, what is held is a few chunks.
#[test]
fn input_without_end_takes_no_memory() {
    let server = Server::start(&[]);
    let mut child = spawn(&["connect", "-b", "-w", "0", &server.at("/discard")]);
    let mut stdin = child.stdin.take().expect("a pipe");
    let block = vec![b'x'; 1 << 20];
    for _ in 0..128 {
        stdin.write_all(&block).expect("written");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a file");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    drop(stdin);
    finish(child).expect_stdout("");
    assert!(peak < 64 << 10, "{peak} KiB for 128 MiB of input");
}
