//! The way of `hybi connect` to a server: proxies, redirects, families of addresses.

use core::net::SocketAddr;
use std::process::Command;
use std::thread;

use hybi_suite::peer::{Head, Peer, listen, response};
use hybi_suite::program::spawn;
use hybi_testkit::wire::TEXT;

use crate::support::{Outcome, Server, events, finish, hybi, program};

/// Plays a proxy that connects, and the server behind it, which says one thing. What each was asked.
pub(crate) fn proxied(told: &str) -> (SocketAddr, thread::JoinHandle<(Head, Head)>) {
    let (listener, address) = listen();
    let told = told.to_owned();
    let played = thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        let to_proxy = peer.read_head();
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
        let request = peer.read_head();
        peer.send(response(&request, ""));
        peer.send_frame(TEXT, told.as_bytes());
        peer.send_close(1000);
        peer.expect_close(1000);
        (to_proxy, request)
    });
    (address, played)
}

fn run(mut command: Command, args: &[&str]) -> Outcome {
    command.arg("connect").args(args);
    finish(spawn(command))
}

pub(crate) const FAR: &str = "ws://chat.example:81/room";

#[test]
fn a_proxy_is_asked_for_the_server_and_told_who_asks() {
    let (address, played) = proxied("hello");
    let url = format!("http://user:secret@{address}");
    hybi(&["connect", "--proxy", &url, FAR]).expect_stdout("hello\n");
    let (to_proxy, request) = played.join().expect("played");
    assert_eq!(to_proxy.start, "CONNECT chat.example:81 HTTP/1.1");
    assert_eq!(to_proxy.field("Proxy-Authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    assert_eq!(request.start, "GET /room HTTP/1.1");
    assert_eq!(request.field("Host"), Some("chat.example:81"));
    assert_eq!(request.field("Proxy-Authorization"), None);
}

#[test]
fn the_environment_names_proxies_unless_told_otherwise() {
    for (name, options) in
        [("http_proxy", &[][..]), ("ALL_PROXY", &[]), ("HYBI_CONNECT_PROXY", &[])]
    {
        let (address, played) = proxied("hello");
        let mut command = program();
        command.env(name, address.to_string());
        run(command, &[options, &[FAR]].concat()).expect_stdout("hello\n");
        played.join().expect("played");
    }
    // Nobody listens at the proxy, and nobody is asked for it.
    let (listener, address) = listen();
    let server = thread::spawn(move || {
        for _ in 0..3 {
            let mut peer = Peer::answer(&listener, "");
            peer.send_close(1000);
            peer.expect_close(1000);
        }
    });
    let url = format!("ws://{address}/");
    let connect_to = address.to_string();
    for (no_proxy, args) in [
        ("", &["--no-proxy", &url][..]),
        ("127.0.0.0/8", &[&url]),
        ("", &["--connect-to", &connect_to, FAR]),
    ] {
        let mut command = program();
        command.env("all_proxy", "http://127.0.0.1:1").env("no_proxy", no_proxy);
        run(command, args).expect(0, "");
    }
    server.join().expect("three clients");
    let mut command = program();
    command.env("ALL_PROXY", "gopher://proxy");
    run(command, &[FAR])
        .expect(2, "ALL_PROXY: the scheme of a proxy is http, https, socks5 or socks5h");
}

#[test]
fn a_proxy_that_does_not_connect_is_named() {
    let (listener, address) = listen();
    let url = format!("http://{address}");
    let played = thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(
            "HTTP/1.1 407 Proxy Authentication Required\r\n\
             Proxy-Authenticate: Basic realm=\"lab\"\r\nContent-Length: 0\r\n\r\n",
        );
    });
    let outcome = hybi(&["connect", "--proxy", &url, FAR]);
    played.join().expect("played");
    let said = format!(
        "proxy {url} did not connect to the server: it answered 407 Proxy Authentication Required: \
         Basic realm=\"lab\"\nhint: --proxy http://USER:PASS@HOST:PORT"
    );
    outcome.expect(3, &said);
    hybi(&["connect", "--proxy", &url, FAR]).expect(3, &format!("cannot reach proxy {url}: "));
    let (_silent, address) = listen();
    let url = format!("socks5h://{address}");
    let late = format!("proxy {url} did not connect to the server: took longer than 100ms");
    hybi(&["connect", "--timeout", "100ms", "--proxy", &url, FAR]).expect(9, &late);
}

/// Plays a server that redirects there.
pub(crate) fn redirecting(location: &str) -> (SocketAddr, thread::JoinHandle<()>) {
    let (listener, address) = listen();
    let answer =
        format!("HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let played = thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(answer);
        peer.end();
    });
    (address, played)
}

#[test]
fn redirects_are_followed_on_request() {
    let (listener, address) = listen();
    let server = thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        let request = peer.read_head();
        peer.send(response(&request, ""));
        peer.send_frame(TEXT, b"here");
        peer.send_close(1000);
        peer.expect_close(1000);
        request
    });
    let location = format!("http://{address}/there");
    let (first, played) = redirecting(&location);
    let url = format!("ws://{first}/");
    let args = ["-L", "-u", "user:secret", "--cookie", "a=1", "--info", &url];
    let outcome = hybi(&[&["connect"], &args[..]].concat()).expect_stdout("here\n");
    assert!(outcome.stderr.contains(&format!("ws://{address}/there")), "{outcome:?}");
    played.join().expect("played");
    let request = server.join().expect("played");
    assert_eq!(request.start, "GET /there HTTP/1.1");
    assert_eq!((request.field("Authorization"), request.field("Cookie")), (None, None));

    let (first, played) = redirecting("/again");
    hybi(&["connect", &format!("ws://{first}/")]).expect(
        5,
        "the server refused the opening handshake: HTTP 307 Elsewhere\nhint: it points to /again",
    );
    played.join().expect("played");
    let (first, played) = redirecting("ftp://elsewhere/");
    hybi(&["connect", "-L", &format!("ws://{first}/")])
        .expect(5, "the server redirects to \"ftp://elsewhere/\": ");
    played.join().expect("played");
}

/// The first of several channels was led elsewhere, and so are the others.
#[test]
fn all_channels_follow_a_redirect() {
    let log = ["--access-log", "-", "--access-log-format", "json"];
    let server = Server::start(&[&log[..], &["--ext", "mux"]].concat());
    let (first, played) = redirecting(&server.at("/echo"));
    let url = format!("ws://user:secret@{first}/first");
    let args = ["connect", "-L", "--ext", "mux", "--channels", "2", "-m", "x", "-n", "1", &url];
    hybi(&args).expect(0, "");
    played.join().expect("played");
    let log = server.stop().expect(0, "").stdout;
    let targets: Vec<_> =
        events(&log, &["access"]).iter().map(|line| line["target"].clone()).collect();
    assert_eq!(targets, ["/echo", "/echo"]);
}

#[test]
fn redirects_end() {
    let (listener, address) = listen();
    let server = thread::spawn(move || {
        for _ in 0..3 {
            let mut peer = Peer::accept(&listener);
            peer.read_head();
            peer.send("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
            peer.end();
        }
    });
    let args = ["connect", "-L", "--max-redirects", "2", &format!("ws://{address}/")];
    hybi(&args).expect(5, "after 2 redirects\nhint: --max-redirects N follows more of them");
    server.join().expect("three requests");
}

#[test]
fn one_family_may_be_enough() {
    let (listener, address) = listen();
    let server = thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "");
        peer.send_close(1000);
        peer.expect_close(1000);
    });
    let url = format!("ws://{address}/");
    hybi(&["connect", "-6", &url]).expect(3, "the name has no IPv6 address");
    hybi(&["connect", "-4", &url]).expect(0, "");
    server.join().expect("a client");
    hybi(&["connect", "-4", "ws://[::1]:9/"]).expect(3, "the name has no IPv4 address");
}

#[test]
fn contradictions_are_told() {
    for (args, why) in [
        (&["--proxy", "http://p", "ws+unix:/s:/"][..], "--proxy is for TCP"),
        (&["-L", "ws+unix:/s:/"], "--follow is for TCP"),
        (&["-4", "ws+unix:/s:/"], "--ipv4 is for TCP"),
        (&["--proxy", "ftp://p", FAR], "the scheme of a proxy is http, https, socks5 or socks5h"),
        (&["--proxy", "http://p", "--no-proxy", FAR], "cannot be used with"),
        (&["--proxy", "http://p", "--connect-to", "a:1", FAR], "cannot be used with"),
        (&["-4", "-6", FAR], "cannot be used with"),
        // Nobody is asked for a certificate, or not for one of that name.
        (&["--proxy", "http://p", "--tls-ca", "f", FAR], "--tls-ca is for wss:// URLs"),
        (&["--proxy", "socks5://p", "--tls-name", "n", FAR], "--tls-name is for wss:// URLs"),
        (&["--proxy", "https://p", "--tls-name", "n", FAR], "--tls-name is for wss:// URLs"),
        (&["--max-redirects", "0", FAR], "1 to 255"),
    ] {
        hybi(&[&["connect"], args].concat()).expect(2, why);
    }
}

/// Nobody goes directly because the name of the proxy cannot be read.
#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_a_mistake() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let mut command = program();
    command.env("http_proxy", OsStr::from_bytes(b"http://\xff:1"));
    run(command, &[FAR]).expect(2, "http_proxy: ");
}
