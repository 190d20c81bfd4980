//! Proxies: in which order things are done, what the server and the proxy see, and how each failure is told.

use core::{cell::RefCell, future::pending};
use std::rc::Rc;

use hybi::{
    Client, Error, OpeningError, ProxyError,
    proxy::{Proxies, TunnelError},
};
use hybi_testkit::{link::End, script::Script, wire::TEXT, world::World};

use crate::network::{Host, MILLISECOND, Network, SECOND, answer};

const PROXY: &str = "192.0.2.9:3128";

fn through(url: &str) -> Client {
    Client::builder().proxy(url).build().expect("a proxy")
}

/// A network with a proxy.
fn network(world: &World) -> Network {
    let network = Network::new(world);
    network.listens("proxy", PROXY);
    network
}

/// The server behind it: a request, and a message at once.
async fn serve(script: &mut Script<End>) -> String {
    let request = answer(script).await;
    script.send_frame(TEXT, b"hello").await;
    request
}

#[test]
fn connect_comes_first_and_then_tls_and_the_request() {
    for (uri, target, expected) in [
        (
            "ws://chat.example:81/x",
            "chat.example:81",
            &["look up proxy:3128", "connect 192.0.2.9:3128"][..],
        ),
        (
            "wss://chat.example/x",
            "chat.example:443",
            &["look up proxy:3128", "connect 192.0.2.9:3128", "TLS chat.example"],
        ),
    ] {
        let mut world = World::new();
        let network = network(&world);
        let there = network.clone();
        world.spawn("proxy", async move {
            let mut script = there.accept(PROXY).await;
            let head = script.read_head().await;
            assert_eq!(
                head,
                format!(
                    "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\
                     Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
                )
            );
            script.send("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
            let request = serve(&mut script).await;
            assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
            assert!(!request.contains("Proxy-Authorization"), "{request}");
            pending::<()>().await;
        });
        let client = through("http://user:secret@proxy:3128");
        let (outcome, _) = network.connect(&mut world, client, uri);
        let (mut ws, _) = outcome.expect("it is connected");
        let message = world.block_on(async move { ws.recv().await });
        assert_eq!(message.expect("lawful"), Some("hello".into()));
        assert_eq!(network.done(), expected);
    }
}

#[test]
fn tls_with_the_proxy_comes_before_all() {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    world.spawn("proxy", async move {
        let mut script = there.accept(PROXY).await;
        script.read_head().await;
        script.send("HTTP/1.1 200\r\n\r\n").await;
        serve(&mut script).await;
        pending::<()>().await;
    });
    let (outcome, _) =
        network.connect(&mut world, through("https://proxy:3128"), "wss://chat.example/");
    outcome.expect("it is connected");
    assert_eq!(
        network.done(),
        ["look up proxy:3128", "connect 192.0.2.9:3128", "TLS proxy", "TLS chat.example"]
    );
}

/// What stands behind the answer to CONNECT is the server's.
#[test]
fn what_comes_with_the_answer_is_the_servers() {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    world.spawn("proxy", async move {
        let mut script = there.accept(PROXY).await;
        script.read_head().await;
        // A server that talks first: nobody waits for the request.
        script
            .send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            .await;
        pending::<()>().await;
    });
    let (outcome, _) = network.connect(&mut world, through("http://proxy:3128"), "ws://a/");
    let error = outcome.expect_err("it is busy");
    assert_eq!(error.response().map(|response| response.status().as_u16()), Some(503), "{error}");
}

#[test]
fn socks_is_given_a_name_or_an_address() {
    for (url, uri, looked_up, asked) in [
        (
            "socks5h://proxy:3128",
            "ws://chat.example/",
            &[][..],
            &b"\x05\x01\x00\x03\x0cchat.example\x00\x50"[..],
        ),
        (
            "socks5://proxy:3128",
            "ws://chat.example/",
            &["look up chat.example:80"],
            b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50",
        ),
        (
            "socks5://proxy:3128",
            "ws://192.0.2.8/",
            &[],
            b"\x05\x01\x00\x01\xc0\x00\x02\x08\x00\x50",
        ),
        (
            "socks5h://proxy:3128",
            "ws://[2001:db8::1]:81/",
            &[],
            b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x51",
        ),
    ] {
        let mut world = World::new();
        let network = network(&world);
        network.name("chat.example", &["192.0.2.7:80"]);
        let there = network.clone();
        world.spawn("proxy", async move {
            let mut script = there.accept(PROXY).await;
            assert_eq!(script.read_bytes(3).await, [5, 1, 0]);
            script.send([5, 0]).await;
            assert_eq!(script.read_bytes(asked.len()).await, asked);
            script.send([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
            serve(&mut script).await;
            pending::<()>().await;
        });
        let (outcome, _) = network.connect(&mut world, through(url), uri);
        let (mut ws, _) = outcome.expect("it is connected");
        let message = world.block_on(async move { ws.recv().await });
        assert_eq!(message.expect("lawful"), Some("hello".into()));
        let expected = [looked_up, &["look up proxy:3128", "connect 192.0.2.9:3128"]].concat();
        assert_eq!(network.done(), expected, "{url} {uri}");
    }
}

/// Plays a SOCKS proxy that is asked for an address over and over, each time on a connection of its own, and says
/// this to each. Gives the last two bytes of the addresses it was asked for.
fn socks_replies(world: &mut World, network: &Network, replies: &'static [u8]) -> Asked {
    let asked = Asked::default();
    let (there, seen) = (network.clone(), asked.clone());
    world.spawn("proxy", async move {
        let mut scripts = Vec::new();
        for reply in replies {
            let mut script = there.accept(PROXY).await;
            script.read_bytes(3).await;
            script.send([5, 0]).await;
            let head = script.read_bytes(4).await;
            let address = script.read_bytes(if head[3] == 1 { 6 } else { 18 }).await;
            seen.borrow_mut().push(address[address.len() - 3]);
            script.send([5, *reply, 0, 1, 0, 0, 0, 0, 0, 0]).await;
            if *reply == 0 {
                serve(&mut script).await;
            }
            scripts.push(script);
        }
        pending::<()>().await;
    });
    asked
}

type Asked = Rc<RefCell<Vec<u8>>>;

const SEVERAL: [&str; 3] = ["[2001:db8::1]:80", "[2001:db8::2]:80", "192.0.2.3:80"];

#[test]
fn socks_is_given_the_next_address_when_it_cannot_connect_to_one() {
    let mut world = World::new();
    let network = network(&world);
    network.name("chat.example", &SEVERAL);
    // The network of one is unreachable, the other refuses.
    let asked = socks_replies(&mut world, &network, &[3, 5, 0]);
    let (outcome, _) =
        network.connect(&mut world, through("socks5://proxy:3128"), "ws://chat.example/");
    let (mut ws, _) = outcome.expect("it is connected");
    let message = world.block_on(async move { ws.recv().await });
    assert_eq!(message.expect("lawful"), Some("hello".into()));
    // The families take turns.
    assert_eq!(*asked.borrow(), [1, 3, 2]);
}

#[test]
fn what_socks_said_of_each_address_is_told() {
    let mut world = World::new();
    let network = network(&world);
    network.name("chat.example", &SEVERAL);
    let asked = socks_replies(&mut world, &network, &[3, 5, 4]);
    let (outcome, _) =
        network.connect(&mut world, through("socks5://proxy:3128"), "ws://chat.example/");
    assert_eq!(
        outcome.expect_err("none").to_string(),
        "proxy socks5://proxy:3128: it answered [2001:db8::1]:80: network unreachable; \
         192.0.2.3:80: connection refused; [2001:db8::2]:80: host unreachable"
    );
    assert_eq!(asked.borrow().len(), 3);
}

/// Another address would not help who is not let in, nor a proxy that is none.
#[test]
fn socks_is_asked_no_more_when_it_is_not_the_address() {
    for (said, expected) in [
        (&b"\x05\xff"[..], "it wants to know who asks, and there are no credentials for it"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it is no SOCKS5 proxy: it began with 0x48"),
    ] {
        let mut world = World::new();
        let network = network(&world);
        network.name("chat.example", &SEVERAL);
        let there = network.clone();
        world.spawn("proxy", async move {
            let mut script = there.accept(PROXY).await;
            script.read_bytes(3).await;
            let _ = script.try_send(said).await;
            pending::<()>().await;
        });
        let (outcome, _) =
            network.connect(&mut world, through("socks5://proxy:3128"), "ws://chat.example/");
        let error = outcome.expect_err("no tunnel").to_string();
        assert_eq!(error, format!("proxy socks5://proxy:3128: {expected}"));
        assert_eq!(
            network.done(),
            ["look up chat.example:80", "look up proxy:3128", "connect 192.0.2.9:3128"]
        );
    }
}

#[test]
fn socks_is_told_user_and_password() {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    world.spawn("proxy", async move {
        let mut script = there.accept(PROXY).await;
        assert_eq!(script.read_bytes(4).await, [5, 2, 0, 2]);
        script.send([5, 2]).await;
        assert_eq!(script.read_bytes(13).await, b"\x01\x04user\x06secret");
        script.send([1, 1]).await;
        pending::<()>().await;
    });
    let (outcome, _) =
        network.connect(&mut world, through("socks5h://user:secret@proxy:3128"), "ws://a/");
    let error = outcome.expect_err("they are wrong");
    assert_eq!(
        error.to_string(),
        "proxy socks5h://proxy:3128: it does not take this user name and password"
    );
}

/// How a client fares with a proxy that says this, and then stays, or leaves.
fn told(said: &'static [u8], leaves: bool) -> (Error, u128) {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    world.spawn("proxy", async move {
        let mut script = there.accept(PROXY).await;
        script.read_head().await;
        let _ = script.try_send(said).await;
        if !leaves {
            pending::<()>().await;
        }
    });
    let client = Client::builder().proxy("http://proxy:3128").proxy_timeout(2 * SECOND);
    let (outcome, time) =
        network.connect(&mut world, client.build().expect("lawful"), "wss://chat.example/");
    // Nothing is done with the server.
    assert_eq!(network.done(), ["look up proxy:3128", "connect 192.0.2.9:3128"]);
    (outcome.expect_err("no tunnel"), time.as_millis())
}

#[test]
fn a_proxy_that_says_no_is_named_with_its_answer() {
    let (error, time) = told(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"lab\"\r\n\
          Content-Length: 0\r\n\r\n",
        false,
    );
    assert_eq!(
        (error.to_string().as_str(), time),
        (
            "proxy http://proxy:3128: it answered 407 Proxy Authentication Required: Basic realm=\"lab\"",
            0
        )
    );
    let Error::Opening(step) = &error else { panic!("{error:?}") };
    let OpeningError::Proxy { error: ProxyError::Refused(TunnelError::Refused(response)), .. } =
        &**step
    else {
        panic!("{error:?}")
    };
    assert_eq!(response.status().as_u16(), 407);
}

#[test]
fn a_proxy_that_misbehaves_is_named_and_bounded() {
    static LONG: [u8; 1 << 20] = [b'x'; 1 << 20];
    let head: &'static [u8] = [&b"HTTP/1.1 200 OK\r\nX: "[..], &LONG].concat().leak();
    for (said, leaves, expected, time) in [
        (&b""[..], true, "it said nothing and left", 0),
        (b"HTTP/1.1 200 O", true, "it left after 14 bytes of its answer", 0),
        (b"HTTP/1.1 200 O", false, "the connection with it failed: took too long", 2000),
        (b"", false, "the connection with it failed: took too long", 2000),
        (head, false, "its answer: the head is longer than 16384 bytes", 0),
        (b"220 smtp.example ESMTP\r\n", false, "its answer: ", 0),
        // The end of a body is waited for as long as that of a server's.
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\nno", false, "it answered 502 Bad Gateway", 1000),
    ] {
        let (error, took) = told(said, leaves);
        let error = error.to_string();
        let told = error.strip_prefix("proxy http://proxy:3128: ").expect("it is named");
        assert!(told.starts_with(expected), "{told}");
        assert_eq!(took, time, "{told}");
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named_with_the_step() {
    let mut world = World::new();
    let network = Network::new(&world);
    let refused = Host::Fails(MILLISECOND, std::io::ErrorKind::ConnectionRefused);
    network.name("proxy", &[PROXY]).host(PROXY, refused);
    let (outcome, _) = network.connect(&mut world, through("http://proxy:3128"), "ws://a/");
    let error = outcome.expect_err("nobody is there");
    assert_eq!(
        error.to_string(),
        "proxy http://proxy:3128: connecting to proxy:3128: 192.0.2.9:3128: connection refused"
    );
    assert_eq!(
        error.io_error().map(std::io::Error::kind),
        Some(std::io::ErrorKind::ConnectionRefused)
    );
    let (outcome, _) = network.connect(&mut world, through("http://nowhere"), "ws://a/");
    assert_eq!(
        outcome.expect_err("no such name").to_string(),
        "proxy http://nowhere:1080: resolving nowhere: no such name"
    );
}

#[test]
fn servers_that_are_excepted_are_reached_directly() {
    let mut world = World::new();
    let network = network(&world);
    network.listens("chat.example", "192.0.2.7:80");
    network.serve(&mut world, "192.0.2.7:80");
    let proxies = Proxies::all("http://proxy:3128".parse().expect("a proxy")).except(".example");
    let client = Client::builder().proxies(proxies).build().expect("lawful");
    let (outcome, _) = network.connect(&mut world, client, "ws://chat.example/");
    outcome.expect("it is connected");
    assert_eq!(network.done(), ["look up chat.example:80", "connect 192.0.2.7:80"]);
}

/// A proxy that waits for its client to begin is not waited for when there is nothing to begin with.
#[test]
fn a_name_too_long_for_socks_is_told_at_once() {
    let mut world = World::new();
    let network = network(&world);
    let there = network.clone();
    world.spawn("proxy", async move {
        let script = there.accept(PROXY).await;
        pending::<()>().await;
        drop(script);
    });
    let uri = format!("ws://{}/", "a".repeat(256));
    let (outcome, time) = network.connect(&mut world, through("socks5h://proxy:3128"), &uri);
    assert_eq!(
        outcome.expect_err("too long").to_string(),
        "proxy socks5h://proxy:3128: it takes names of up to 255 bytes"
    );
    assert_eq!((time.as_millis(), network.done().len()), (0, 0), "{:?}", network.done());
}
