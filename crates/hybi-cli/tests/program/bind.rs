//! `--bind`: which address of this machine a connection comes from.

use hybi_suite::peer::listen;

use crate::support::{Server, events, hybi};

const LOG: [&str; 4] = ["--access-log", "-", "--access-log-format", "json"];

#[test]
fn connections_come_from_there_over_both_versions_of_http() {
    let server = Server::start(&[&LOG[..], &["--http", "1.1,2"]].concat());
    let url = server.at("/echo");
    for http in ["1.1", "2"] {
        let args = ["--http", http, "--bind", "127.0.0.2", "--bind", "::1", "-m", "x", "-w", "0"];
        hybi(&[&["connect"], &args[..], &[&url]].concat()).expect(0, "");
    }
    let log = server.stop().expect(0, "").stdout;
    let lines = events(&log, &["access"]);
    let peers: Vec<_> = lines.iter().filter_map(|line| line["peer"].as_str()).collect();
    assert!(peers.len() == 2 && peers.iter().all(|it| it.starts_with("127.0.0.2:")), "{log}");
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let (_listener, address) = listen();
    let url = format!("ws://{address}/");
    let in_use = address.to_string();
    for (local, why) in [
        ("192.0.2.1", "binding 192.0.2.1:0: "),
        ("192.0.2.1", "hint: --bind is for addresses of this machine"),
        (&*in_use, "hint: --bind ADDR without a port takes one that is free"),
        ("::1", "it is of another family than the local address"),
    ] {
        hybi(&["connect", "--bind", local, &url]).expect(3, why);
    }
}

#[test]
fn mistakes_are_told() {
    for (args, why) in [
        (&["--bind", "localhost", "ws://h/"][..], "an address of this machine: 192.0.2.1, "),
        (&["--bind", "127.0.0.1:65536", "ws://h/"], "an address of this machine"),
        (&["--bind", "127.0.0.1", "--bind", "127.0.0.2", "ws://h/"], "--bind is given twice"),
        (&["--bind", "127.0.0.1", "ws+unix:/s:/"], "--bind is for TCP"),
    ] {
        hybi(&[&["connect"], args].concat()).expect(2, why);
    }
}
