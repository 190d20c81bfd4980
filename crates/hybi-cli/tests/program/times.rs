//! Times: `--json` says how long each stage on the way to a connection took, and of others nothing.

use crate::reaching::{FAR, proxied, redirecting};
use crate::support::{Server, events, hybi, scratch};
use crate::tls::certificate;

/// The stages whose times are in the `open` event of `hybi connect` with these arguments, in alphabetical order. Each has
/// taken some, and less than the program had for all of them.
#[track_caller]
fn stages(args: &[&str]) -> Vec<String> {
    let outcome = hybi(&[&["connect", "--json", "-w", "0"], args].concat());
    let said = events(&outcome.stdout, &["connecting", "open", "message", "close", "error"]);
    let open = said.iter().find(|event| event["event"] == "open");
    let times = open.unwrap_or_else(|| panic!("not open: {outcome:?}"))["times"].clone();
    let times = times.as_object().expect("an object");
    for (stage, time) in times {
        let seconds = time.as_f64().expect("a number");
        assert!((0.0..10.0).contains(&seconds), "{stage}: {seconds}");
    }
    times.keys().cloned().collect()
}

#[test]
fn each_stage_that_there_was_has_its_time() {
    let socket = scratch("times.socket");
    let unix = format!("unix:{}", socket.display());
    let plain = Server::start(&["-l", "127.0.0.1:0", "-l", &unix, "--http", "1.1"]);
    let url = plain.at("/echo");
    assert_eq!(stages(&[&url]), ["connect", "handshake"]);
    let named = url.replace("127.0.0.1", "localhost");
    assert_eq!(stages(&[&named]), ["connect", "handshake", "lookup"]);
    let unix = format!("ws+unix:{}:/echo", socket.display());
    assert_eq!(stages(&[&unix]), ["connect", "handshake"]);

    let (cert, key, _) = certificate("times");
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let secure = Server::start(&["--tls-cert", cert, "--tls-key", key, "--http", "1.1,2"]);
    let url = secure.at("/echo");
    for http in ["1.1", "2"] {
        let args = ["--http", http, "--tls-ca", cert, "--tls-name", "localhost", &url];
        assert_eq!(stages(&args), ["connect", "handshake", "tls"], "--http {http}");
    }
    let both = Server::start(&["--http", "1.1,2"]);
    assert_eq!(stages(&["--http", "2", &both.at("/echo")]), ["connect", "handshake"]);
}

#[test]
fn a_proxy_is_a_stage() {
    let (address, played) = proxied("hello");
    let url = format!("http://{address}");
    assert_eq!(stages(&["--proxy", &url, FAR]), ["connect", "handshake", "proxy"]);
    played.join().expect("played");
}

/// What is printed for people says the same, and of a redirect the sum.
#[test]
fn stages_of_all_hops_are_one() {
    let server = Server::start(&[]);
    let (first, played) = redirecting(&server.at("/echo"));
    let url = format!("ws://{first}/");
    assert_eq!(stages(&["-L", &url]), ["connect", "handshake"]);
    played.join().expect("played");
    let (first, played) = redirecting(&server.at("/echo"));
    let url = format!("ws://{first}/");
    let outcome = hybi(&["connect", "-L", "--info", "-w", "0", &url]).expect(0, "");
    played.join().expect("played");
    let line = outcome.stderr.lines().next().expect("a line");
    assert!(line.contains(" (connect ") && line.contains(", handshake "), "{line}");
}
