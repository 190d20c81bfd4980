//! Descriptors: whenever a client is dropped while it connects, and whatever it tried on its way, nothing of it stays
//! open. They are counted for the whole process, so these tests are a program of their own and run one at a time.

#![cfg(target_os = "linux")]

use core::{future::Future, net::SocketAddr, time::Duration};
use std::{
    fs, process,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use hybi_testkit::world::at_most;
use hybi_tokio::{Client, Connector, Error, OpeningError, Server, Socket};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream, UnixListener},
    runtime,
};

/// Runs beside no other of these tests, on the time of the system: what is waited for are its sockets.
fn block_on(future: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future);
}

/// How many descriptors the process has.
fn open() -> usize {
    fs::read_dir("/proc/self/fd").expect("those of this process").count()
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("the address of a listener");
    (listener, address)
}

/// A listener that accepts nobody, whose queue is full: what connects to it gets no answer.
struct Full {
    address: SocketAddr,
    _listener: TcpListener,
    _waits: TcpStream,
}

impl Full {
    async fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        // Linux takes one more than that.
        let listener = socket.listen(0).expect("a listener");
        let address = listener.local_addr().expect("the address of a listener");
        let waits = TcpStream::connect(address).await.expect("room for one");
        Self { address, _listener: listener, _waits: waits }
    }
}

/// Accepts a client and waits for its end. It may leave at any moment, and then there is nothing to be done.
async fn serve(stream: impl Socket) {
    if let Ok(mut ws) = hybi_tokio::accept_on(&Server::default(), stream).await {
        let _ = ws.recv().await;
    }
}

/// Reads a head; nothing comes behind it before it is answered.
async fn head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|len| len > 0)
    {
    }
}

/// Connects to this, polled once and then dropped, twice and so on, until it is connected; says after how many polls
/// that was. `servers` are those on the way, for one attempt.
async fn dropped_after_each_poll(
    connector: &Connector,
    client: &Client,
    uri: &str,
    servers: impl AsyncFn(),
) -> usize {
    for polls in 1..1000 {
        let before = open();
        let connecting = at_most(polls, connector.connect(client, uri));
        let connected = tokio::select! {
            biased;
            connected = connecting => connected,
            () = servers() => panic!("servers have no end"),
        };
        // What the servers had is gone with their future: the rest is the client's.
        let Some(connected) = connected else {
            assert_eq!(open(), before, "{uri}: dropped after {polls} polls");
            continue;
        };
        let (ws, _) = connected.expect("a server");
        assert_eq!(open(), before + 1, "{uri}: connected after {polls} polls");
        drop(ws);
        assert_eq!(open(), before, "{uri}: the connection is dropped");
        return polls;
    }
    panic!("{uri}: it never comes to an end")
}

/// Serves whoever comes to this listener, one after the other: who left before comes first.
async fn serve_all(listener: &TcpListener, answer: Option<&str>) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a client");
        if let Some(answer) = answer {
            head(&mut stream).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        serve(stream).await;
    }
}

#[test]
fn a_client_that_is_dropped_while_it_connects_leaves_nothing_open() {
    block_on(async {
        let (listener, address) = listen().await;
        let polls = dropped_after_each_poll(
            &Connector::new(),
            &Client::default(),
            &format!("ws://{address}/"),
            async || serve_all(&listener, None).await,
        )
        .await;
        // For the connection, and for the answer.
        assert!(polls >= 3);
    });
}

#[test]
fn nor_does_one_on_its_way_through_a_proxy() {
    block_on(async {
        let (listener, address) = listen().await;
        let client = Client::builder().proxy(&address.to_string()).build().expect("a proxy");
        let polls =
            dropped_after_each_poll(&Connector::new(), &client, "ws://chat.example/", async || {
                serve_all(&listener, Some("HTTP/1.1 200 OK\r\n\r\n")).await
            })
            .await;
        // For the proxy's answer as well.
        assert!(polls >= 4);
    });
}

#[test]
fn nor_does_one_that_follows_a_redirect() {
    block_on(async {
        let (first, address) = listen().await;
        let (second, elsewhere) = listen().await;
        let answer = format!(
            "HTTP/1.1 307 Elsewhere\r\nLocation: ws://{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        );
        let client = Client::builder().follow_redirects(1).build().expect("lawful");
        let polls = dropped_after_each_poll(
            &Connector::new(),
            &client,
            &format!("ws://{address}/"),
            async || {
                let redirects = serve_all(&first, Some(&answer));
                tokio::join!(redirects, serve_all(&second, None));
            },
        )
        .await;
        // For each server's connection and answer.
        assert!(polls >= 5);
    });
}

#[test]
fn nor_does_one_on_a_unix_socket() {
    block_on(async {
        let path = std::env::temp_dir().join(format!("hybi-descriptors-{}", process::id()));
        let listener = UnixListener::bind(&path).expect("a path for a socket");
        let polls = dropped_after_each_poll(
            &Connector::new(),
            &Client::default(),
            &format!("ws+unix:{}:/", path.display()),
            async || {
                loop {
                    serve(listener.accept().await.expect("a client").0).await;
                }
            },
        )
        .await;
        fs::remove_file(&path).expect("it is there");
        assert!(polls >= 2);
    });
}

/// With the last address alone one that answers: attempts that lost are over when one has won, whether or not anybody
/// answers them.
#[test]
fn nor_do_attempts_that_lost() {
    block_on(async {
        let (listener, address) = listen().await;
        let (one, other) = (Full::new().await, Full::new().await);
        let addresses = vec![one.address, other.address, address];
        let polls = dropped_after_each_poll(
            &looked_up(addresses),
            &Client::default(),
            "ws://chat.example/",
            async || serve_all(&listener, None).await,
        )
        .await;
        // For each attempt, and for the answer.
        assert!(polls >= 5);
    });
}

/// What every name leads to.
fn looked_up(addresses: Vec<SocketAddr>) -> Connector {
    Connector::new().resolver(move |_, _| {
        let addresses = addresses.clone();
        async move { Ok(addresses) }
    })
}

#[test]
fn nor_do_attempts_that_all_failed() {
    block_on(async {
        let (one, other) = (Full::new().await, Full::new().await);
        let connector = looked_up(vec![one.address, other.address]);
        let time = Duration::from_millis(300);
        let client = Client::builder().connect_timeout(time).build().expect("lawful");
        let before = open();
        let error = connector.connect(&client, "ws://chat.example/").await.expect_err("nobody");
        assert_eq!(open(), before);
        assert!(error.is_timeout(), "{error}");
        let Error::Opening(step) = &error else { panic!("{error:?}") };
        let OpeningError::Connect { attempts, .. } = &**step else { panic!("{error:?}") };
        assert_eq!(attempts[0].0, one.address);
    });
}

/// Not one that refuses, which costs nothing, but one that says nothing.
#[test]
fn a_dead_first_address_costs_its_head_start_and_not_the_deadline() {
    block_on(async {
        let (listener, address) = listen().await;
        let full = Full::new().await;
        let connector = looked_up(vec![full.address, address]);
        let began = Instant::now();
        let client = Client::default();
        let connecting = connector.connect(&client, "ws://chat.example/");
        let (ws, _) = tokio::select! {
            connected = connecting => connected.expect("the second address"),
            () = serve_all(&listener, None) => panic!("servers have no end"),
        };
        let took = began.elapsed();
        let peer = ws.transport().get_ref().tcp().peer_addr().expect("a peer");
        assert_eq!(peer, address);
        // It was tried, and the next before the deadline of ten seconds.
        assert!((Duration::from_millis(250)..Duration::from_secs(10)).contains(&took), "{took:?}");
    });
}
