//! Whichever call goes wrong on the way to a server, and in which way: the error names the stage, nobody waits beyond the
//! deadline, nothing is opened after an error, and what does no harm does none.

use core::{
    future::{pending, poll_fn},
    time::Duration,
};
use std::{
    io::{self, ErrorKind},
    rc::Rc,
};

use hybi::{Client, Deadline, Error, OpeningError, ProxyError, io::Transport as _, opening};
use hybi_testkit::{
    faulty::{Calls, Fault, Operation, What},
    link::End,
    script::{self, Script},
    wire::{self, Side, TEXT},
    world::World,
};

use crate::{
    breaking::{Breaking, Breaks, Called, UNIX},
    network::{Network, SECOND},
};

const PROXY: &str = "192.0.2.9:3128";
const FIRST: &str = "192.0.2.1:80";
const SECOND_HOST: &str = "192.0.2.2:80";
const LAST: &str = "192.0.2.3:81";

/// What is heard on the way, to the byte, and said to it. After a fault it may not come, and then there is no more to
/// be said.
enum Turn {
    Hears(&'static [u8], &'static [u8]),
    /// A request that is sent elsewhere.
    Redirects(&'static str),
    /// A request that is accepted; a message goes with the answer, and the client's is sent back.
    Accepts,
}

/// One stream after the other: who is there, what it does, and the stages of the client on it, each with how often it
/// reads, writes, flushes and shuts down.
struct Stream {
    at: &'static str,
    turns: &'static [Turn],
    stages: &'static [(&'static str, [usize; 4])],
}

/// A way to a server.
struct Route {
    client: Client,
    uri: &'static str,
    /// Lookups and attempts to connect, in their order.
    steps: &'static [&'static str],
    streams: &'static [Stream],
}

/// A message that needs a longer header, sent in the same breath as the answer.
const GREETING: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
                        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Reads until that is enough; `None` if there is no more.
async fn hear(end: &mut End, is_enough: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !is_enough(&heard) {
        match poll_fn(|cx| end.poll_read(cx, &mut byte)).await {
            Ok(1..) => heard.push(byte[0]),
            Ok(0) | Err(_) => return None,
        }
    }
    Some(heard)
}

async fn play(script: &mut Script<End>, turns: &[Turn]) -> Option<()> {
    let is_head = |heard: &[u8]| heard.ends_with(b"\r\n\r\n");
    for turn in turns {
        match turn {
            Turn::Hears(expected, answer) => {
                let heard = hear(script.transport(), |heard| heard.len() == expected.len()).await?;
                assert_eq!(heard, *expected);
                script.try_send(answer).await.ok()?;
            }
            Turn::Redirects(location) => {
                hear(script.transport(), is_head).await?;
                let head = format!(
                    "HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
                );
                script.try_send(head).await.ok()?;
            }
            Turn::Accepts => {
                let request = hear(script.transport(), is_head).await?;
                let request = String::from_utf8(request).expect("a head is text");
                let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
                let mut answer = script::response(key.expect("a key"), "").into_bytes();
                answer.extend(wire::frame(Side::Server, TEXT, GREETING.as_bytes()));
                script.try_send(answer).await.ok()?;
                let is_frame = |heard: &[u8]| wire::read_frame(Side::Client, heard).is_some();
                let message = hear(script.transport(), is_frame).await?;
                let (frame, _) = wire::read_frame(Side::Client, &message).expect("a frame");
                let echo = wire::frame(Side::Server, frame.first, &frame.payload);
                script.try_send(echo).await.ok()?;
            }
        }
    }
    pending().await
}

/// What came of a way.
struct Run {
    outcome: Result<(), Error>,
    /// How often each operation of each stream had been called by then.
    counts: Vec<[usize; 4]>,
    took: Duration,
    called: Rc<Called>,
}

impl Route {
    fn run(&self, breaks: Option<Breaks>) -> Run {
        let mut world = World::new().with_most_polls(10_000);
        let network = Network::new(&world);
        network.listens("proxy", PROXY).listens("first.example", FIRST);
        network.listens("second.example", SECOND_HOST).listens("last.example", LAST);
        network.listens("the Unix socket", UNIX);
        for (n, Stream { at, turns, .. }) in self.streams.iter().enumerate() {
            let there = network.clone();
            world.spawn(format!("the other end of stream {n}"), async move {
                play(&mut there.accept(at).await, turns).await;
            });
        }
        let (dial, called) = Breaking::new(network, breaks);
        let (client, uri, calls) = (self.client.clone(), self.uri, called.clone());
        let clock = world.clock().clone();
        let (outcome, counts, took) = world.block_on(async move {
            let connected = opening::connect(&dial, &client, uri).await;
            let (counts, took) = (calls.counts(), clock.elapsed());
            let talk = async |mut ws: hybi::WebSocket<_, _>| {
                assert_eq!(ws.recv().await?, Some(GREETING.into()));
                ws.send("thanks").await?;
                assert_eq!(ws.recv().await?, Some("thanks".into()));
                Ok(())
            };
            let outcome = match connected {
                Ok((ws, _)) => talk(ws).await,
                Err(error) => Err(error),
            };
            (outcome, counts, took)
        });
        Run { outcome, counts, took, called }
    }
}

/// The stage that an error names.
fn stage(error: &Error) -> String {
    match error {
        Error::Handshake(_) | Error::Timeout(Deadline::Handshake) => "handshake".to_owned(),
        Error::Opening(step) => stage_of(step),
        error => panic!("{error:?}"),
    }
}

fn stage_of(step: &OpeningError) -> String {
    match step {
        OpeningError::Resolve { host, .. } => format!("resolve {host}"),
        OpeningError::Connect { host, .. } => format!("connect {host}"),
        OpeningError::Unix { path, .. } => format!("connect {path}"),
        OpeningError::Tls { peer, .. } => format!("TLS {peer}"),
        OpeningError::Proxy { error: ProxyError::Unreachable(step), .. } => {
            format!("proxy: {}", stage_of(step))
        }
        OpeningError::Proxy { .. } => "proxy".to_owned(),
        OpeningError::Handshake(_) => "handshake".to_owned(),
        step => panic!("{step:?}"),
    }
}

/// What an error has to say of a call that failed so, at this stage; and that it came in time.
fn check_error(what: &str, fails: What, named: &str, operation: Option<Operation>, run: &Run) {
    let error = run.outcome.as_ref().expect_err(what);
    assert_eq!(stage(error), named, "{what}: {error}");
    let kind = error.io_error().map(io::Error::kind);
    let (expected, took) = match (fails, operation) {
        // The end of what is read is told by whoever reads it: how much had come.
        (What::Ends, Some(Operation::Read)) if named.contains("TLS") => {
            (Some(ErrorKind::UnexpectedEof), Duration::ZERO)
        }
        (What::Ends, Some(Operation::Read)) => (None, Duration::ZERO),
        (What::Fails(ErrorKind::UnexpectedEof), _) if named == "handshake" => {
            (None, Duration::ZERO)
        }
        (What::Ends, _) => (Some(ErrorKind::WriteZero), Duration::ZERO),
        (What::Pending, _) if named == "handshake" => (None, 10 * SECOND),
        (What::Pending, _) => (Some(ErrorKind::TimedOut), 10 * SECOND),
        (What::Fails(kind), _) => (Some(kind), Duration::ZERO),
        (fails, _) => panic!("{what}: {fails:?} does no harm"),
    };
    assert_eq!((kind, run.took), (expected, took), "{what}: {error}");
    assert_eq!(error.is_timeout(), fails == What::Pending, "{what}: {error}");
}

const KINDS: [ErrorKind; 3] = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::Other];

/// Each call on this way, in each of the ways in which it may go wrong; how many that are.
fn each_call(route: &Route) -> usize {
    let good = route.run(None);
    good.outcome.as_ref().expect("nothing goes wrong");
    assert_eq!(good.called.steps.get(), route.steps.len());
    let total = |stream: &Stream| {
        let stages = stream.stages.iter();
        stages.fold([0; 4], |sum, (_, calls)| core::array::from_fn(|at| sum[at] + calls[at]))
    };
    assert_eq!(good.counts, route.streams.iter().map(total).collect::<Vec<_>>());

    let mut tried = 0;
    for (n, stage) in (1..).zip(route.steps) {
        for what in KINDS.map(What::Fails).into_iter().chain([What::PendingOnce, What::Pending]) {
            let told = format!("{}: step {n}, {what:?}", route.uri);
            let run = route.run(Some(Breaks::Step(n, what)));
            match what {
                What::PendingOnce => {
                    run.outcome.as_ref().expect(&told);
                    assert_eq!(run.counts, good.counts, "{told}");
                }
                what => {
                    check_error(&told, what, stage, None, &run);
                    assert_eq!(run.called.steps.get(), n, "{told}");
                }
            }
            tried += 1;
        }
    }
    for (at, stream) in (1..).zip(route.streams) {
        for operation in Operation::ALL {
            let mut n = 0;
            for (stage, calls) in stream.stages {
                for _ in 0..calls[operation as usize] {
                    n += 1;
                    for what in whats(operation) {
                        let fault = Fault::new(operation, n, what);
                        let told = format!("{}: stream {at}, {fault:?}", route.uri);
                        let run = route.run(Some(Breaks::Stream(at, fault)));
                        check(&told, fault, stage, (at, route.streams.len()), &run);
                        tried += 1;
                    }
                }
            }
        }
    }
    tried
}

fn whats(operation: Operation) -> impl Iterator<Item = What> {
    let others = [What::OneByte, What::PendingOnce, What::Pending, What::Ends];
    // What TLS says of an end without a goodbye.
    let end = (operation == Operation::Read).then_some(What::Fails(ErrorKind::UnexpectedEof));
    KINDS.map(What::Fails).into_iter().chain(others).chain(end)
}

/// What is asked of a run in which a call of the stream `at`, of so many, went wrong.
fn check(what: &str, fault: Fault, stage: &str, (at, of): (usize, usize), run: &Run) {
    let streams = run.called.streams.borrow();
    assert!(streams[at - 1].of(fault.operation) >= fault.n, "{what}: the call was never made");
    assert!(streams.iter().all(Calls::is_dropped), "{what}: a stream is still there");
    let is_harmless = match (fault.what, fault.operation) {
        (What::OneByte | What::PendingOnce, _)
        // Where a server sent us elsewhere, nobody waits for the goodbye to it.
        | (_, Operation::Shutdown)
        | (What::Ends, Operation::Flush) => true,
        // Its answer says where to go, whether or not it had all of the request.
        (What::Pending, Operation::Flush) => at < of && stage == "handshake",
        _ => false,
    };
    if is_harmless {
        run.outcome.as_ref().expect(what);
        assert_eq!((streams.len(), run.took), (of, Duration::ZERO), "{what}");
    } else {
        check_error(what, fault.what, stage, Some(fault.operation), run);
        assert_eq!(streams.len(), at, "{what}: it went on");
    }
}

#[test]
fn through_a_proxy_with_credentials() {
    let route = Route {
        client: through("http://user:secret@proxy:3128"),
        uri: "ws://last.example:81/",
        steps: &["proxy: resolve proxy", "proxy: connect proxy:3128"],
        streams: &[Stream {
            at: PROXY,
            turns: &[
                Turn::Hears(
                    b"CONNECT last.example:81 HTTP/1.1\r\nHost: last.example:81\r\n\
                      Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\n\r\n",
                ),
                Turn::Accepts,
            ],
            // An answer of 19 bytes is read one by one, lest a byte of the server's be among them.
            stages: &[("proxy", [20, 1, 1, 0]), ("handshake", [2, 1, 1, 0])],
        }],
    };
    assert_eq!(each_call(&route), 2 * 5 + 22 * 8 + 4 * 7);
}

/// The name is the proxy's to look up.
#[test]
fn through_socks_with_user_and_password() {
    let route = Route {
        client: through("socks5h://user:secret@proxy:3128"),
        uri: "ws://last.example:81/",
        steps: &["proxy: resolve proxy", "proxy: connect proxy:3128"],
        streams: &[Stream {
            at: PROXY,
            turns: &[
                Turn::Hears(&[5, 2, 0, 2], &[5, 2]),
                Turn::Hears(b"\x01\x04user\x06secret", &[1, 0]),
                Turn::Hears(
                    b"\x05\x01\x00\x03\x0clast.example\x00\x51",
                    &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
                ),
                Turn::Accepts,
            ],
            stages: &[("proxy", [7, 3, 3, 0]), ("handshake", [2, 1, 1, 0])],
        }],
    };
    assert_eq!(each_call(&route), 2 * 5 + 9 * 8 + 8 * 7);
}

#[test]
fn two_redirects_away() {
    let route = Route {
        client: Client::builder().follow_redirects(2).build().expect("lawful"),
        uri: "ws://first.example/",
        steps: &[
            "resolve first.example",
            "connect first.example:80",
            "resolve second.example",
            "connect second.example:80",
            "resolve last.example",
            "connect last.example:81",
        ],
        streams: &[
            Stream {
                at: FIRST,
                turns: &[Turn::Redirects("ws://second.example/")],
                stages: &[("handshake", [2, 1, 1, 1])],
            },
            Stream {
                at: SECOND_HOST,
                turns: &[Turn::Redirects("//last.example:81")],
                stages: &[("handshake", [2, 1, 1, 1])],
            },
            Stream { at: LAST, turns: &[Turn::Accepts], stages: &[("handshake", [2, 1, 1, 0])] },
        ],
    };
    assert_eq!(each_call(&route), 6 * 5 + 6 * 8 + 8 * 7);
}

#[test]
fn on_a_unix_socket() {
    let route = Route {
        client: Client::default(),
        uri: "ws+unix:/run/chat.sock:/",
        steps: &["connect /run/chat.sock"],
        streams: &[Stream {
            at: UNIX,
            turns: &[Turn::Accepts],
            stages: &[("handshake", [2, 1, 1, 0])],
        }],
    };
    assert_eq!(each_call(&route), 5 + 2 * 8 + 2 * 7);
}

/// TLS with the proxy, and within the tunnel with the server.
#[test]
fn through_tls_to_a_proxy_and_tls_to_a_server() {
    let route = Route {
        client: through("https://proxy:3128"),
        uri: "wss://last.example:81/",
        steps: &["proxy: resolve proxy", "proxy: connect proxy:3128"],
        streams: &[Stream {
            at: PROXY,
            turns: &[
                Turn::Hears(b"TLS proxy\n", b"\n"),
                Turn::Hears(
                    b"CONNECT last.example:81 HTTP/1.1\r\nHost: last.example:81\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\n\r\n",
                ),
                Turn::Hears(b"TLS last.example\n", b"\n"),
                Turn::Accepts,
            ],
            stages: &[
                ("proxy: TLS proxy", [2, 1, 1, 0]),
                ("proxy", [20, 1, 1, 0]),
                ("TLS last.example", [2, 1, 1, 0]),
                ("handshake", [2, 1, 1, 0]),
            ],
        }],
    };
    assert_eq!(each_call(&route), 2 * 5 + 26 * 8 + 8 * 7);
}

fn through(url: &str) -> Client {
    Client::builder().proxy(url).build().expect("a proxy")
}
