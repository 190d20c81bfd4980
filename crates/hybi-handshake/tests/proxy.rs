//! Exchanges with proxies: what is sent, byte by byte, and what each answer comes to, however it is cut.

use hybi_handshake::{
    HandshakeError, HeadLimits,
    proxy::{Proxy, TunnelError, TunnelHandshake},
};

fn tunnel(proxy: &str, host: &str, port: u16) -> TunnelHandshake {
    let proxy: Proxy = proxy.parse().expect("a proxy");
    TunnelHandshake::new(&proxy, host, port, HeadLimits::default())
}

/// Feeds what the proxy says in pieces of this length. What was sent, and how many bytes it took once it is open.
fn play(
    mut tunnel: TunnelHandshake,
    said: &[u8],
    len: usize,
) -> (Vec<u8>, Result<usize, TunnelError>) {
    let mut sent = tunnel.take_output();
    let mut taken = 0;
    for piece in said.chunks(len) {
        let input = tunnel.handle_input(piece);
        sent.extend(tunnel.take_output());
        match input {
            Ok(more) => taken += more,
            Err(error) => return (sent, Err(error)),
        }
        if tunnel.is_open() {
            assert_eq!(tunnel.wants(), 0);
            return (sent, Ok(taken));
        }
    }
    let error = tunnel.handle_eof();
    // It is sticky.
    let again = tunnel.handle_input(b"more").expect_err("it has failed");
    assert_eq!(format!("{error:?}"), format!("{again:?}"));
    (sent, Err(error))
}

#[test]
fn connect_names_the_server_and_who_asks() {
    for (proxy, host, port, expected) in [
        (
            "http://p",
            "example.org",
            80,
            "CONNECT example.org:80 HTTP/1.1\r\nHost: example.org:80\r\n\r\n",
        ),
        (
            "http://p",
            "2001:db8::1",
            443,
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n",
        ),
        (
            "https://Aladdin:open%20sesame@p",
            "a",
            1,
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
        ),
    ] {
        let sent = tunnel(proxy, host, port).take_output();
        assert_eq!(String::from_utf8(sent).expect("text"), expected);
    }
}

#[test]
fn connect_is_answered_by_any_success_and_what_follows_is_the_servers() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-Agent: tinyproxy\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        // It has no body, whatever it claims.
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\n\r\n",
    ] {
        let said = [head.as_bytes(), b"\x81\x02hi"].concat();
        for len in 1..=said.len() {
            let (_, open) = play(tunnel("http://p", "a", 80), &said, len);
            assert_eq!(open.expect("a success"), head.len(), "{head}, in pieces of {len}");
        }
    }
}

#[test]
fn a_reader_that_keeps_to_what_is_wanted_never_reads_beyond() {
    let http = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let socks = [&[5, 2, 1, 0, 5, 0, 0, 3, 3][..], b"abc\x00\x50"].concat();
    for (proxy, said) in [("http://p", http), ("socks5h://u:p@p", socks)] {
        let mut tunnel = tunnel(proxy, "a", 80);
        let mut at = 0;
        while !tunnel.is_open() {
            let wants = tunnel.wants();
            assert!(wants > 0 && at + wants <= said.len(), "{proxy}: {wants} at {at}");
            assert_eq!(tunnel.handle_input(&said[at..at + wants]).expect("lawful"), wants);
            at += wants;
        }
        assert_eq!(at, said.len(), "{proxy}");
    }
}

#[test]
fn a_refusal_is_told_whole() {
    let said =
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
        Proxy-Authenticate: Negotiate\r\nContent-Length: 4\r\n\r\nwho?and more";
    for len in 1..=said.len() {
        let (_, error) = play(tunnel("http://p", "a", 80), said, len);
        let error = error.expect_err("a refusal");
        assert_eq!(
            error.to_string(),
            "it answered 407 Proxy Authentication Required: Basic realm=\"x\", Negotiate"
        );
        let TunnelError::Refused(response) = error else { panic!("{error:?}") };
        assert_eq!(response.body(), b"who?");
    }
    // Also where its body does not end.
    let mut tunnel = tunnel("http://p", "a", 80);
    assert!(tunnel.give_up().is_none());
    tunnel.handle_input(b"HTTP/1.1 502 Bad Gateway\r\n\r\nno").expect("not complete");
    assert!(tunnel.wants() > 1);
    let error = tunnel.give_up().expect("its head has come");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(502));
    assert!(tunnel.handle_input(b"x").is_err());
}

#[test]
fn an_answer_that_breaks_rules_is_told_by_the_rule() {
    for (said, expected) in [
        (&b"SSH-2.0-OpenSSH\r\n"[..], "its answer: "),
        (b"HTTP/1.1 200 OK\r\nbad field\r\n\r\n", "its answer: "),
        (b"HTTP/1.1 200 O", "it left after 14 bytes of its answer"),
        (b"", "it said nothing and left"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "it answered 101 Switching Protocols"),
    ] {
        let (_, error) = play(tunnel("http://p", "a", 80), said, 1);
        let error = error.expect_err("no tunnel").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let limits = HeadLimits::default().with_max_bytes(1000);
    let mut tunnel = TunnelHandshake::new(&"p".parse().expect("a proxy"), "a", 1, limits);
    let long = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; 2000]].concat();
    let error = tunnel.handle_input(&long).expect_err("too long");
    assert!(matches!(error, TunnelError::Http(HandshakeError::HeadTooLarge { limit: 1000 })));
}

/// What is sent for `said`, and how it ends, in pieces of each length.
fn socks(proxy: &str, host: &str, said: &[u8]) -> (Vec<u8>, Result<usize, String>) {
    let outcomes = (1..=said.len().max(1)).map(|len| {
        let (sent, open) = play(tunnel(proxy, host, 443), said, len);
        (sent, open.map_err(|error| error.to_string()))
    });
    let mut outcomes: Vec<_> = outcomes.collect();
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    outcomes.remove(0)
}

#[test]
fn socks_is_asked_by_name_and_by_address() {
    let done = [5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 80];
    for (host, address) in [
        ("a.b", &b"\x03\x03a.b"[..]),
        ("127.0.0.1", &[1, 127, 0, 0, 1]),
        ("::1", &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ] {
        let (sent, open) = socks("socks5h://p", host, &[&done[..], b"frames"].concat());
        assert_eq!(sent, [&[5, 1, 0, 5, 1, 0], address, &[1, 0xbb]].concat());
        assert_eq!(open, Ok(done.len()));
    }
    let long = "a".repeat(256);
    assert_eq!(socks("socks5h://p", &long, b"").1, Err("it takes names of up to 255 bytes".into()));
    let most = "a".repeat(255);
    assert_eq!(socks("socks5h://p", &most, &done).1, Ok(done.len()));
}

#[test]
fn socks_is_told_who_asks_if_it_wants_to_know() {
    let asks = [5, 2, 1, 0, 5, 0, 0, 3, 1, b'x', 0, 80];
    let (sent, open) = socks("socks5h://user:pass%20word@p", "a", &asks);
    let expected =
        [&[5, 2, 0, 2, 1, 4][..], b"user\x09pass word", &[5, 1, 0, 3, 1, b'a', 1, 0xbb]].concat();
    assert_eq!((sent, open), (expected, Ok(asks.len())));
    // One that does not care is not told.
    let (sent, open) = socks("socks5h://u:p@p", "a", &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!((sent, open), (vec![5, 2, 0, 2, 5, 1, 0, 3, 1, b'a', 1, 0xbb], Ok(12)));
}

#[test]
fn socks_says_no_in_many_ways() {
    for (proxy, said, expected) in [
        (
            "socks5://p",
            &[5, 0xff][..],
            "it wants to know who asks, and there are no credentials for it",
        ),
        ("socks5://u:p@p", &[5, 0xff], "it takes neither user name and password nor nobody"),
        ("socks5://p", &[5, 2], "it chose method 2 of authentication, which was not offered"),
        ("socks5://u:p@p", &[5, 1], "it chose method 1 of authentication, which was not offered"),
        ("socks5://p", b"HTTP", "it is no SOCKS5 proxy: it began with 0x48"),
        ("socks5://p", &[4, 0], "it is no SOCKS5 proxy: it began with 0x04"),
        ("socks5://u:p@p", &[5, 2, 1, 1], "it does not take this user name and password"),
        ("socks5://u:p@p", &[5, 2, 9, 0], "its reply is malformed at byte 2"),
        ("socks5://p", &[5, 0, 4, 0], "its reply is malformed at byte 2"),
        ("socks5://p", &[5, 0, 5, 0, 0, 2], "its reply is malformed at byte 5"),
        ("socks5://p", &[5, 0, 5, 0], "it left after 4 bytes of its answer"),
        ("socks5://p", &[], "it said nothing and left"),
    ] {
        assert_eq!(socks(proxy, "127.0.0.1", said).1, Err(expected.to_owned()), "{said:?}");
    }
    for (code, expected) in [(1, "general failure"), (5, "connection refused"), (77, "failure 77")]
    {
        let (_, failed) = socks("socks5://p", "a", &[5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(failed, Err(format!("it answered: {expected}")));
    }
    let mut tunnel = tunnel("socks5://p", "a", 1);
    let Err(TunnelError::Failed(reply)) = tunnel.handle_input(&[5, 0, 5, 4]) else { panic!() };
    assert_eq!(reply.code(), 4);
}

#[test]
fn secrets_are_not_shown() {
    for proxy in ["http://user:secret@p", "socks5://user:secret@p"] {
        let tunnel = tunnel(proxy, "a", 1);
        let proxy: Proxy = proxy.parse().expect("a proxy");
        let shown = format!("{proxy} {proxy:?} {tunnel:?}");
        assert!(!shown.contains("user") && !shown.contains("secret"), "{shown}");
    }
}
