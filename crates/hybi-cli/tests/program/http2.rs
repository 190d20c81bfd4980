//! WebSockets over HTTP/2: `hybi serve --http 1.1,2` and `hybi connect --http 2`, and each with who does not speak it.

use http::Request;
use tokio::net::TcpStream;

use crate::support::{Server, events, hybi, scratch};
use crate::tls::certificate;

const LOG: [&str; 4] = ["--access-log", "-", "--access-log-format", "json"];

/// What the access log of a server that is asked to end has of each request: method, target, status, version of HTTP.
fn logged(server: Server) -> Vec<(String, String, u64, String)> {
    let log = server.stop().expect(0, "").stdout;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines = events(&log, &["access"]);
    let line = |line: &serde_json::Value| {
        let status = line["status"].as_u64().unwrap_or_default();
        (text(&line["method"]), text(&line["target"]), status, text(&line["http"]))
    };
    lines.iter().map(line).collect()
}

fn entry(method: &str, target: &str, status: u64, http: &str) -> (String, String, u64, String) {
    (method.to_owned(), target.to_owned(), status, http.to_owned())
}

#[test]
fn one_port_serves_both_versions_of_http() {
    let server = Server::start(&[&LOG[..], &["--http", "1.1,2"]].concat());
    let connect = |http: &str, path: &str| {
        hybi(&["connect", "--http", http, "-m", "Grüße", "-n", "1", &server.at(path)])
    };
    connect("1.1", "/echo?a").expect_stdout("Grüße\n");
    connect("2", "/echo?b=1").expect_stdout("Grüße\n");
    connect("2", "/nowhere").expect(5, "HTTP 404");
    let closed = ["connect", "--http", "2", "--echo", &server.at("/close?code=4001&reason=enough")];
    hybi(&closed).expect(8, "4001");
    let mut plain = server.open("/");
    plain.send_close(1000);
    plain.expect_close(1000);
    let wanted = [
        entry("GET", "/echo?a", 101, "1.1"),
        entry("CONNECT", "/echo?b=1", 200, "2"),
        entry("CONNECT", "/nowhere", 404, "2"),
        entry("CONNECT", "/close?code=4001&reason=enough", 200, "2"),
        entry("GET", "/", 101, "1.1"),
    ];
    assert_eq!(logged(server), wanted);
}

#[test]
fn compression_and_limits_are_the_same_over_http_2() {
    let server = Server::start(&["--http", "1.1,2", "--max-message", "1KiB"]);
    let url = server.at("/echo");
    let info =
        hybi(&["connect", "--http", "2", "--info", "-m", "x", "-n", "1", &url]).expect(0, "");
    assert!(info.stderr.contains("extensions permessage-deflate"), "{info:?}");
    let long = "x".repeat(1025);
    hybi(&["connect", "--http", "2", "-m", &long, "-n", "1", &url]).expect(8, "1009");
}

#[test]
fn tls_settles_on_a_version_of_http() {
    let (cert, key, _) = certificate("http2");
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let tls = ["--tls-cert", cert, "--tls-key", key];
    let connect = |server: &Server, http: &str| {
        let trust = ["--tls-ca", cert, "--tls-name", "localhost"];
        let args = ["connect", "--http", http, "-m", "secret", "-n", "1", &server.at("/echo")];
        hybi(&[&args[..], &trust].concat())
    };
    let both = Server::start(&[&LOG[..], &tls, &["--http", "2,1.1"]].concat());
    connect(&both, "2").expect_stdout("secret\n");
    connect(&both, "1.1").expect_stdout("secret\n");
    let wanted = [entry("CONNECT", "/echo", 200, "2"), entry("GET", "/echo", 101, "1.1")];
    assert_eq!(logged(both), wanted);
    let old = Server::start(&[&LOG[..], &tls].concat());
    connect(&old, "2").expect(4, "hint: the server does not speak HTTP/2; --http 1.1 does without");
    connect(&old, "1.1").expect_stdout("secret\n");
    assert_eq!(logged(old), [entry("GET", "/echo", 101, "1.1")]);
}

/// The statistics have a connection over HTTP/2 as any other, and a request that was refused as answered.
#[test]
fn what_comes_over_http_2_is_counted() {
    let mut server = Server::start(&["--http", "1.1,2"]);
    for (path, status) in [("/echo", 0), ("/nowhere", 5)] {
        hybi(&["connect", "--http", "2", "-m", "x", "-w", "0", &server.at(path)])
            .expect(status, "");
    }
    hybi_suite::program::signal(server.id(), "USR1");
    let said = server.said();
    assert!(said.contains("rfc6455=0/1 "), "{said}");
    assert!(said.contains("answers=1 "), "{said}");
}

#[test]
fn a_server_of_http_1_1_is_no_server_of_http_2() {
    let server = Server::start(&[]);
    hybi(&["connect", "--http", "2", &server.at("/")])
        .expect(3, "hint: the server may not speak HTTP/2; --http 1.1 does without");
}

/// The status and `Allow` of the answer to a request over HTTP/2, after another that has brought the server's settings.
async fn answered(server: &Server, method: &str, target: &str) -> (u16, Option<String>) {
    let tcp = TcpStream::connect(server.address()).await.expect("a connection");
    let (mut requests, connection) = h2::client::handshake(tcp).await.expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let mut head = None;
    for (method, target) in [("GET", "/"), (method, target)] {
        let uri = format!("http://{}{target}", server.address());
        let (name, protocol) = method.split_once(' ').unwrap_or((method, ""));
        let mut request = Request::builder().method(name).uri(uri).body(()).expect("a request");
        if !protocol.is_empty() {
            request.extensions_mut().insert(h2::ext::Protocol::from(protocol));
        }
        let (answer, _) = requests.send_request(request, true).expect("it is sent");
        head = Some(answer.await.expect("an answer").into_parts().0);
    }
    drop(requests);
    driving.abort();
    let head = head.expect("two answers");
    let allow = head.headers.get("allow").map(|value| value.to_str().expect("text").to_owned());
    (head.status.as_u16(), allow)
}

/// What is asked for by GET in HTTP/1.1 is asked for by CONNECT here, and for WebSockets alone (RFC 8441 section 4).
#[tokio::test]
async fn what_is_refused_over_http_2_says_what_is_not() {
    let server = Server::start(&["--http", "1.1,2"]);
    let no_pages = Server::start(&["--http", "1.1,2", "--no-pages"]);
    let page = Some("GET, HEAD, OPTIONS, CONNECT");
    let handler = Some("CONNECT, OPTIONS");
    for (server, method, target, status, allow) in [
        (&server, "POST", "/", 405, page),
        (&server, "OPTIONS", "/", 200, page),
        (&server, "POST", "/echo", 405, handler),
        (&server, "GET", "/echo", 405, handler),
        (&server, "OPTIONS", "/echo", 200, handler),
        (&no_pages, "GET", "/", 405, handler),
        (&server, "CONNECT connect-udp", "/", 501, None),
        (&server, "CONNECT connect-udp", "/echo", 501, None),
        (&no_pages, "CONNECT connect-udp", "/", 501, None),
        (&server, "CONNECT connect-udp", "/nowhere", 404, None),
    ] {
        let answer = answered(server, method, target).await;
        assert_eq!((answer.0, answer.1.as_deref()), (status, allow), "{method} {target}");
    }
}

#[test]
fn mistakes_are_told() {
    for (args, why) in [
        (&["serve", "--http", "2"][..], "--http 2 goes without 1.1"),
        (&["serve", "--http", "3"], "[possible values: 1.1, 2]"),
        (&["connect", "--http", "1", "ws://localhost/"], "[possible values: 1.1, 2]"),
        (
            &["connect", "--http", "2", "-p", "hybi-08", "ws://localhost/"],
            "--protocol-version does not",
        ),
        (
            &["connect", "--http", "2", "-p", "auto", "ws://localhost/"],
            "--protocol-version does not",
        ),
        (
            &["connect", "--http", "2", "--version-header", "8", "ws://localhost/"],
            "--version-header does",
        ),
        (
            &["connect", "--http", "2", "--ext", "mux", "ws://localhost/"],
            "--ext mux does not go with",
        ),
    ] {
        hybi(args).expect(2, why);
    }
}

#[test]
fn a_unix_socket_is_a_port_like_any_other() {
    let path = scratch("http2.socket");
    let listen = format!("unix:{}", path.display());
    let server = Server::start(&[&LOG[..], &["--http", "1.1,2", "-l", &listen]].concat());
    let url = format!("ws+unix:{}:/echo", path.display());
    for http in ["1.1", "2"] {
        hybi(&["connect", "--http", http, "-m", "x", "-n", "1", &url]).expect_stdout("x\n");
    }
    let wanted = [entry("GET", "/echo", 101, "1.1"), entry("CONNECT", "/echo", 200, "2")];
    assert_eq!(logged(server), wanted);
}
