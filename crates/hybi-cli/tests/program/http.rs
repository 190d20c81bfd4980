//! What `hybi serve` answers to plain HTTP: health checks, methods, hosts, and what is no request.

use core::net::SocketAddr;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use hybi_suite::peer::Peer;
use hybi_testkit::wire::TEXT;

use crate::support::{Server, hybi, request, scratch};

/// Everything that comes back for a request, with the bytes of its body.
fn answer(server: &Server, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
}

#[test]
fn health_checks_of_old_and_new_proxies_find_the_server_up() {
    let server = Server::start(&[]);
    let page = answer(&server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (check, allow) in [
        // What HAProxy sends for `option httpchk`.
        ("OPTIONS / HTTP/1.0\r\n\r\n", Some("GET, HEAD, OPTIONS")),
        ("OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n", Some("GET, HEAD, OPTIONS")),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", Some("GET, HEAD, OPTIONS")),
        ("OPTIONS * HTTP/1.0\r\n\r\n", Some("GET, HEAD, OPTIONS")),
        ("OPTIONS /chat HTTP/1.1\r\nHost: localhost\r\n\r\n", Some("GET, OPTIONS")),
        ("GET / HTTP/1.0\r\n\r\n", None),
        ("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", None),
        ("HEAD / HTTP/1.0\r\n\r\n", None),
        ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
        ("GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
    ] {
        let (head, body) = answer(&server, check);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{check}: {head}");
        assert_eq!(field(&head, "Connection"), Some("close"), "{check}");
        match allow {
            Some(allow) => {
                assert_eq!(field(&head, "Allow"), Some(allow), "{check}");
                assert_eq!((field(&head, "Content-Length"), &*body), (Some("0"), ""), "{check}");
            }
            None => {
                assert_eq!(head, page.0, "{check}");
                assert_eq!(body, if check.starts_with("HEAD") { "" } else { &*page.1 }, "{check}");
            }
        }
    }
    // No page, and still up.
    let bare = Server::start(&["--no-pages", "--handle", "/a=echo"]);
    for (check, status) in [
        ("OPTIONS * HTTP/1.0\r\n\r\n", 200),
        ("OPTIONS /a HTTP/1.0\r\n\r\n", 200),
        ("OPTIONS / HTTP/1.0\r\n\r\n", 404),
        ("GET / HTTP/1.0\r\n\r\n", 404),
    ] {
        assert_eq!(bare.refuses(check), status, "{check}");
    }
}

#[test]
fn a_server_on_its_way_out_is_down_for_health_checks() {
    let server = Server::start(&["--max-connections", "1"]);
    let mut only = server.open("/");
    assert_eq!(server.refuses("OPTIONS / HTTP/1.0\r\n\r\n"), 503);
    only.send_close(1000);
    only.expect_close(1000);
}

#[test]
fn http_1_0_opens_no_connection() {
    let server = Server::start(&[]);
    for path in ["/", "/echo"] {
        let old = request(path).replace("HTTP/1.1", "HTTP/1.0");
        assert_eq!(server.refuses(&old), 505, "{path}");
    }
    assert_eq!(server.refuses("GET /echo HTTP/1.0\r\n\r\n"), 505);
    assert_eq!(server.refuses("GET /nothing HTTP/1.0\r\n\r\n"), 404);
}

#[test]
fn a_405_lists_what_the_path_has() {
    let server = Server::start(&[]);
    for (method, path, allow) in [
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("POST", "/echo", "GET, OPTIONS"),
        ("HEAD", "/echo", "GET, OPTIONS"),
        ("BREW", "/generate?count=1", "GET, OPTIONS"),
    ] {
        let asked = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, _) = answer(&server, &asked);
        assert!(head.starts_with("HTTP/1.1 405 "), "{asked}: {head}");
        assert_eq!(field(&head, "Allow"), Some(allow), "{asked}");
    }
}

#[test]
fn what_every_request_needs_is_asked_for_at_every_path() {
    let server = Server::start(&["--server-header", "here/1"]);
    let long = "x".repeat(20_000);
    let mut bad: Vec<(u16, String)> = Vec::new();
    for path in ["/", "/echo", "/nothing", "/close?code=1"] {
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            for host in
                ["", "Host: a/b\r\n", "Host: a:x\r\n", "Host: a\r\nHost: a\r\n", "Host:\r\n"]
            {
                bad.push((400, format!("{method} {path} HTTP/1.1\r\n{host}\r\n")));
            }
        }
        let host = |value: &str| request(path).replace("localhost", value);
        bad.push((400, host("a b")));
        bad.push((400, host("localhost:99999")));
        bad.push((400, format!("GET {path} HTTP/1.0\r\nHost: a/b\r\n\r\n")));
        // Two names for the host.
        bad.push((400, request(&format!("http://127.0.0.1{path}"))));
    }
    for target in ["*", "/\u{e9}", "/echo?\u{e9}", "echo", "localhost:80", "ftp://localhost/"] {
        bad.push((400, request(target)));
        bad.push((400, format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")));
    }
    bad.extend([
        (400, "nonsense\r\n\r\n".into()),
        (431, format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n")),
        (414, format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        (404, request("/nothing")),
        (421, request("/").replace("localhost", "elsewhere.example")),
    ]);
    for (status, asked) in bad {
        let shown = asked.get(..80).unwrap_or(&asked);
        let (head, _) = answer(&server, &asked);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {head}");
        assert_eq!(field(&head, "Server"), Some("here/1"), "{shown:?}: {head}");
    }
    let mut slow = Server::start(&["--handshake-timeout", "100ms", "--server-header", ""]);
    let mut peer = Peer::connect(slow.address());
    peer.send("GET /");
    let (head, _) = peer.expect_refusal();
    assert_eq!((head.status(), head.field("Server")), (408, None));
    slow = server;
    let mut peer = slow.open("/");
    peer.send_frame(TEXT, b"still well");
    peer.expect(TEXT, b"still well");
}

#[test]
fn a_page_whose_name_was_rebound_to_this_machine_gets_nothing() {
    let mut server = Server::start(&["-v"]);
    let port = server.address().port();
    let rebound = |name: &str| {
        let origin = format!("Host: {name}:{port}\r\nOrigin: http://{name}:{port}");
        request("/").replace("Host: localhost", &origin)
    };
    for asked in
        [rebound("evil.example"), format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n")]
    {
        assert_eq!(server.refuses(&asked), 421);
        let said = server.said();
        let advice = format!(
            "refused: evil.example:{port} is not served here; --host evil.example:{port} would let it in"
        );
        assert!(said.contains(" info ") && said.contains(&advice), "{said}");
    }
    for own in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "app.localhost", "localhost."] {
        let mut peer = Peer::connect(server.address());
        peer.send(rebound(own));
        peer.expect_accepted();
    }
}

#[test]
fn hosts_are_chosen_by_option_and_by_where_the_server_listens() {
    let status = |server: &Server, host: &str| {
        let mut peer = Peer::connect(server.address());
        peer.send(request("/").replace("localhost", host));
        peer.read_head().status()
    };
    for (args, host, expected) in [
        (&["--host", "app.example"][..], "app.example", 101),
        (&["--host", "app.example"], "app.example:8080", 101),
        (&["--host", "app.example"], "localhost", 421),
        (&["--host", "app.example:81"], "app.example", 421),
        (&["--host", "a.example", "--host", "*.b.example"], "x.b.example", 101),
        (&["--host", "*"], "anything.example", 101),
        (&["-l", "127.0.0.2:0"], "127.0.0.2", 101),
        (&["-l", "127.0.0.2:0"], "127.0.0.3", 421),
        (&["-l", "localhost:0"], "localhost", 101),
    ] {
        assert_eq!(status(&Server::start(args), host), expected, "{args:?} {host}");
    }
    // All addresses: who can tell its names?
    let open = Server::start(&["-l", "0.0.0.0:0"]);
    let mut peer = Peer::connect(SocketAddr::from(([127, 0, 0, 1], open.address().port())));
    peer.send(request("/").replace("localhost", "anything.example"));
    assert_eq!(peer.read_head().status(), 101);
    // A page cannot reach a unix socket.
    let socket = scratch("any-host");
    let _server = Server::start(&["-l", &format!("unix:{}", socket.display())]);
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).expect("a connection");
    stream
        .write_all(request("/").replace("localhost", "anything.example").as_bytes())
        .expect("sent");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("a head");
    assert_eq!(&head, b"HTTP/1.1 101");
}

#[test]
fn a_refused_origin_is_logged_with_what_would_let_it_in() {
    let mut server = Server::start(&["-v", "--host", "example.org"]);
    for (origin, pattern) in [
        ("https://example.org:3001", "same-host"),
        ("https://app.example", "https://app.example"),
        ("null", "null"),
    ] {
        let asked = request("/")
            .replace("Host: localhost", &format!("Host: example.org\r\nOrigin: {origin}"));
        assert_eq!(server.refuses(&asked), 403);
        let said = server.said();
        assert!(said.contains(&format!("--origin '{pattern}' would let it in")), "{said}");
        let allowing = Server::start(&["--host", "example.org", "--origin", pattern]);
        let mut peer = Peer::connect(allowing.address());
        peer.send(asked);
        peer.expect_accepted();
    }
    hybi(&["connect", "--origin", "https://a.example", &Server::start(&[]).url]).expect(5, "403");
}
