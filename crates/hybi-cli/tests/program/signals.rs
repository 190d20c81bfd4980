//! Signals that `hybi serve` goes on after, and the supervisor that it tells.

use std::fs;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hybi_suite::peer::Peer;
use hybi_testkit::wire::TEXT;

use crate::support::{PATIENCE, Server, hybi, program, request, scratch, signal};
use crate::tls::certificate;

/// Sends SIGHUP.
fn reload(server: &Server) {
    signal(server.id(), "HUP");
}

fn echoes(peer: &mut Peer) {
    peer.send_frame(TEXT, b"still here");
    peer.expect(TEXT, b"still here");
}

/// Closes in order, so that a drain has nothing to cut.
fn leaves(mut peer: Peer) {
    peer.send_close(1000);
    peer.expect_close(1000);
    peer.expect_end();
}

#[test]
fn a_hangup_reads_the_certificate_again_and_keeps_the_old_one_if_the_new_is_bad() {
    let (cert, key, _) = certificate("in-use");
    let (next_cert, next_key, _) = certificate("next");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let mut server = Server::start(&["--tls-cert", &text(&cert), "--tls-key", &text(&key)]);
    let url = server.at("/");
    // How it ends for who trusts one certificate alone.
    let trusting = |ca: &Path| {
        hybi(&["connect", "--tls-ca", &text(ca), "--tls-name", "localhost", "-m", "x", &url]).code
    };
    let first = scratch("first.cert");
    fs::copy(&cert, &first).expect("a copy");
    assert_eq!((trusting(&first), trusting(&next_cert)), (Some(0), Some(4)));

    // Half of a replacement, then something else altogether, then nothing.
    for bad in [&fs::read(&next_cert).expect("a file")[..], b"nonsense", b""] {
        fs::write(&cert, bad).expect("written");
        reload(&server);
        let said = server.said();
        assert!(said.contains("error cannot reload, the certificate stays as it was: "), "{said}");
    }
    fs::remove_file(&cert).expect("removed");
    reload(&server);
    assert!(server.said().contains("cannot read"));
    assert_eq!((trusting(&first), trusting(&next_cert)), (Some(0), Some(4)));

    fs::copy(&next_cert, &cert).expect("a copy");
    fs::copy(&next_key, &key).expect("a copy");
    reload(&server);
    assert!(server.said().ends_with(" notice reloaded: certificate\n"));
    assert_eq!((trusting(&first), trusting(&next_cert)), (Some(4), Some(0)));
    server.stop().expect(0, "");
}

/// The targets in an access log.
fn targets(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).expect("a log");
    text.lines().map(|line| line.split(' ').nth(3).expect("a target").to_owned()).collect()
}

/// Asks for a page that there is not, and waits for its line in the log: that is written when the
/// transport has ended, which the peer may see before.
fn logged(server: &Server, target: &str, log: &Path) {
    assert_eq!(server.refuses(&request(target)), 404);
    let began = Instant::now();
    while targets(log).last().is_none_or(|last| last != target) {
        assert!(began.elapsed() < PATIENCE, "no line for {target}");
        std::thread::yield_now();
    }
}

#[test]
fn a_hangup_opens_the_access_log_again_and_ends_no_connection() {
    let (log, old) = (scratch("rotated"), scratch("rotated.1"));
    let mut server = Server::start(&["--access-log", log.to_str().expect("text")]);
    let mut peer = server.open("/");
    logged(&server, "/before", &log);
    fs::rename(&log, &old).expect("moved away");
    logged(&server, "/moved", &old);
    reload(&server);
    assert!(server.said().ends_with(" notice reloaded: access log\n"));
    logged(&server, "/after", &log);
    echoes(&mut peer);

    // A directory in its place: lines go on where they went.
    let newest = scratch("rotated.2");
    fs::rename(&log, &newest).expect("moved away");
    fs::create_dir(&log).expect("a directory");
    reload(&server);
    assert!(server.said().contains("error cannot reload, the access log stays as it was: "));
    logged(&server, "/in-the-way", &newest);
    fs::remove_dir(&log).expect("empty");

    leaves(peer);
    server.stop().expect(0, "");
    assert_eq!(targets(&old), ["/before", "/moved"]);
    assert_eq!(targets(&newest), ["/after", "/in-the-way", "/"]);
}

#[test]
fn a_hangup_with_nothing_to_reload_changes_nothing() {
    let server = Server::start(&["--access-log", "-"]);
    let mut peer = server.open("/");
    reload(&server);
    echoes(&mut peer);
    leaves(peer);
    server.stop().expect(0, "");
}

#[test]
fn statistics_are_one_line_that_counts_each_version() {
    let mut server = Server::start(&["--versions", "rfc,8,hixie-76", "--max-connections", "2"]);
    let fields = |server: &mut Server| {
        signal(server.id(), "USR1");
        let line = server.said();
        let (_, fields) = line.trim_end().split_once(" notice statistics uptime=").expect("a line");
        fields.split_once(' ').expect("more").1.to_owned()
    };
    assert_eq!(
        fields(&mut server),
        "transports=0/0 channels=0/0 connections=0/0 rfc6455=0/0 hybi-08=0/0 hixie-76=0/0 answers=0 \
         turned_away=0 in=0/0 out=0/0 draining=false"
    );
    let mut peer = server.open("/");
    echoes(&mut peer);
    // What has ended is gone at some moment from then on.
    let until = |server: &mut Server, expected: &str| {
        let began = Instant::now();
        while !fields(server).starts_with(expected) {
            assert!(began.elapsed() < PATIENCE, "{}", fields(server));
        }
    };
    hybi(&["connect", "-p", "hybi-08", "-m", "four", &server.at("/discard")]).expect(0, "");
    until(&mut server, "transports=1/2 ");
    assert_eq!(server.refuses(&request("/nothing")), 404);
    until(&mut server, "transports=1/3 ");
    let mut second = server.open("/");
    let mut third = Peer::connect(server.address());
    third.send(request("/"));
    assert_eq!(third.expect_refusal().0.status(), 503);
    echoes(&mut second);
    until(
        &mut server,
        "transports=2/5 channels=0/0 connections=2/3 rfc6455=2/2 hybi-08=0/1 hixie-76=0/0 answers=2 \
         turned_away=1 in=3/24 out=2/20 draining=false",
    );
    // Also while connections are ending.
    server.terminate();
    assert_eq!(second.read_frame().payload[2..], *b"server going away");
    assert!(fields(&mut server).ends_with("draining=true"));
    reload(&server);
    for peer in [&mut peer, &mut second] {
        peer.send_close(1001);
    }
    server.wait().expect(0, "");
}

/// Whoever only listens counts as well, while it does.
#[test]
fn statistics_count_what_a_room_delivers() {
    let mut server = Server::start(&[]);
    let mut listener = server.open("/chat?self=1");
    listener.send_frame(TEXT, b"here");
    listener.expect(TEXT, b"here");
    let mut talker = server.open("/chat");
    for _ in 0..10 {
        talker.send_frame(TEXT, b"hello");
        listener.expect(TEXT, b"hello");
    }
    let began = Instant::now();
    loop {
        signal(server.id(), "USR1");
        let line = server.said();
        if line.contains(" in=11/54 out=11/54 ") {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{line}");
    }
}

/// Receives what the supervisor is told.
fn told(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let len = socket.recv(&mut buffer).expect("a datagram");
    String::from_utf8(buffer[..len].to_vec()).expect("text")
}

#[test]
fn a_supervisor_is_told_of_the_start_of_reloads_and_of_the_end() {
    let path = scratch("notify");
    let name = format!("hybi-notify-{}", std::process::id());
    let abstract_address = SocketAddr::from_abstract_name(&name).expect("a name");
    for (value, address) in [
        (
            path.to_str().expect("text").to_owned(),
            SocketAddr::from_pathname(&path).expect("a path"),
        ),
        (format!("@{name}"), abstract_address),
    ] {
        let socket = UnixDatagram::bind_addr(&address).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut command = program();
        command.env("NOTIFY_SOCKET", value);
        let server = Server::start_as(command, &[]);
        assert_eq!(told(&socket), "READY=1");
        reload(&server);
        let reloading = told(&socket);
        let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a reload");
        assert!(time.parse::<u64>().is_ok_and(|micros| micros > 0), "{reloading}");
        assert_eq!(told(&socket), "READY=1");
        let mut peer = server.open("/");
        server.terminate();
        assert_eq!(told(&socket), "STOPPING=1");
        // Ready no more.
        reload(&server);
        peer.send_close(1001);
        server.wait().expect(0, "");
        socket.set_nonblocking(true).expect("a mode");
        assert_eq!(socket.recv(&mut [0; 9]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[test]
fn a_supervisor_that_cannot_be_told_is_a_warning() {
    let gone = scratch("gone");
    for value in [gone.to_str().expect("text"), "relative", "vsock:1:2"] {
        let mut command = program();
        command.env("NOTIFY_SOCKET", value);
        let server = Server::start_as(command, &[]);
        let mut peer = server.open("/");
        echoes(&mut peer);
        leaves(peer);
        server.stop().expect(0, "warn cannot tell the supervisor at NOTIFY_SOCKET: ");
    }
}

#[test]
fn a_log_that_may_not_grow_any_more_does_not_end_the_server() {
    let log = scratch("limited");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_hybi")]);
    let mut server = Server::start_as(command, &["--access-log", log.to_str().expect("text")]);
    let mut peer = server.open("/");
    // Each line has a hundred bytes or so, and the file has room for 512.
    for _ in 0..10 {
        assert_eq!(server.refuses(&request("/a-line-in-the-access-log")), 404);
    }
    assert!(server.said().contains("error cannot write the access log: "));
    echoes(&mut peer);
    leaves(peer);
    server.stop().expect(0, "");
}
