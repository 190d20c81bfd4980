//! The server: echoes on every connection, of every version and extension, in one of four ways; over HTTP/2 in one.

use core::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Response, StatusCode, header};
use hybi::{WebSocket, io::Transport};
use hybi_tokio::{
    Broadcast, CloseCode, Config, Deflate, Error, Extensions, Incoming, Message, MessageRef,
    Server, TokioTimer, Version, tokio_rustls::TlsAcceptor,
};
use hybi_trials::{certificate, part::obey};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime, time,
};

use crate::ALLOCATOR;

/// What is accepted of a message; bombs stand for more.
pub(crate) const MAX_MESSAGE: usize = 1024 * 1024;

/// The path of which is said that it is at `/`.
pub(crate) const MOVED: &str = "/moved";

/// What a text says that asks for a Close frame.
pub(crate) const GOODBYE: &str = "goodbye";

/// The deadlines are shorter than the defaults, so that attackers come to their end more often. Those of a
/// connection that is at work are long enough for a process that has to wait for a processor.
fn server() -> Server {
    let config = Config::default()
        .max_message(MAX_MESSAGE)
        .ping_interval(Some(Duration::from_secs(5)))
        .ping_timeout(Duration::from_secs(5))
        .write_timeout(Some(Duration::from_secs(5)))
        .close_timeout(Duration::from_secs(2))
        .end_timeout(Duration::from_secs(5));
    let extensions = Extensions::all(Deflate::default());
    Server::builder().versions(Version::ALL).extensions(extensions).config(config).build()
}

/// What came of connections.
#[derive(Debug, Default)]
struct Seen {
    open: AtomicUsize,
    accepted: AtomicUsize,
    ends: Mutex<BTreeMap<&'static str, usize>>,
}

impl Seen {
    /// Counts one more; how many came before it.
    fn began(&self) -> usize {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed)
    }

    fn ended(&self, result: &Result<(), Error>) {
        let how = match result {
            Ok(()) => "in order",
            Err(Error::Protocol(_)) => "broken rules",
            Err(Error::Handshake(_)) => "refused",
            Err(Error::Opening(_)) => "lost in the handshake",
            Err(Error::Transport(_)) => "reset",
            Err(Error::Lost) => "lost",
            Err(Error::Timeout(_)) => "too slow",
            Err(_) => "otherwise",
        };
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        *ends.entry(how).or_default() += 1;
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    fn report(&self) -> String {
        let mut report = format!("{} connections", self.accepted.load(Ordering::Relaxed));
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for (how, count) in &*ends {
            let _ = write!(report, ", {count} {how}");
        }
        report
    }
}

pub(crate) fn run() {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let seen = Arc::new(Seen::default());
    let (tls, certificate) = certificate::server(&["127.0.0.1"]);
    let acceptor = TlsAcceptor::from(tls);
    let [plain, secure] = [None, Some(acceptor)].map(|tls| {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        runtime.spawn(accept_all(listener, tls, Arc::clone(&seen)));
        port
    });
    let http2 = runtime.block_on(serve_http2(Arc::clone(&seen)));
    obey(|command| match command {
        "where" => format!("{plain} {secure} {http2} {}", certificate::hex(&certificate)),
        "served" => seen.accepted.load(Ordering::Relaxed).to_string(),
        "allocated" => ALLOCATOR.now().to_string(),
        "drain" => runtime.block_on(drained(&seen)),
        "report" => seen.report(),
        other => panic!("{other} is no command"),
    });
}

/// Waits until no connection is left, and for as long again as states of compressors are kept.
async fn drained(seen: &Seen) -> String {
    let mut clock = time::interval(Duration::from_millis(100));
    for _ in 0..600 {
        clock.tick().await;
        if seen.open.load(Ordering::Relaxed) == 0 {
            time::sleep(Duration::from_secs(2)).await;
            break;
        }
    }
    seen.open.load(Ordering::Relaxed).to_string()
}

async fn accept_all(listener: TcpListener, tls: Option<TlsAcceptor>, seen: Arc<Seen>) {
    let server = Arc::new(server());
    let room = Broadcast::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let number = seen.began();
        let (server, tls, seen) = (Arc::clone(&server), tls.clone(), Arc::clone(&seen));
        // Whoever names no way, attackers among them, is in the room or not, by turns.
        let (room, otherwise) =
            (room.clone(), if number.is_multiple_of(2) { "/" } else { "/room" });
        tokio::spawn(async move {
            let result = serve(&server, tls.as_ref(), stream, &room, otherwise).await;
            seen.ended(&result);
        });
    }
}

/// Echoes over either version of HTTP; the port.
async fn serve_http2(seen: Arc<Seen>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let serving = hybi_h2::serve(listener, server(), move |ws| {
        let seen = Arc::clone(&seen);
        async move {
            seen.began();
            let result = echo(ws).await;
            seen.ended(&result);
            result
        }
    });
    drop(tokio::spawn(serving));
    port
}

async fn serve(
    server: &Server,
    tls: Option<&TlsAcceptor>,
    stream: TcpStream,
    room: &Broadcast,
    otherwise: &str,
) -> Result<(), Error> {
    let incoming: Incoming = match tls {
        Some(tls) => hybi_tokio::incoming_tls(server, tls, stream).await?,
        None => hybi_tokio::incoming(server, stream).await?,
    };
    let way = incoming.request().uri().path().to_owned();
    if way == MOVED {
        let moved = Response::builder().status(StatusCode::FOUND).header(header::LOCATION, "/");
        incoming.respond(moved.body("").expect("a response")).await;
        return Ok(());
    }
    let ws = incoming.accept().await?;
    match if way == "/" { otherwise } else { &*way } {
        "/lent" => echo_lent(ws).await,
        "/halves" => echo_by_halves(ws).await,
        "/room" => echo_in_room(ws, room).await,
        _ => echo(ws).await,
    }
}

fn is_goodbye(message: &Message) -> bool {
    message.as_text() == Some(GOODBYE)
}

async fn echo<T: Transport>(mut ws: WebSocket<T, TokioTimer>) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        if is_goodbye(&message) {
            ws.close(CloseCode::NORMAL, "").await?;
        } else {
            ws.feed(message).await?;
        }
    }
    Ok(())
}

async fn echo_lent(mut ws: hybi_tokio::WebSocket) -> Result<(), Error> {
    loop {
        let goodbye = match ws.recv_to_answer().await? {
            None => return Ok(()),
            Some((MessageRef::Text(text), _)) if text == GOODBYE => true,
            Some((message, mut answering)) => {
                answering.feed(message).await?;
                false
            }
        };
        if goodbye {
            ws.close(CloseCode::NORMAL, "").await?;
        }
    }
}

/// A member of a room to which nobody else sends: its echoes wait in its queue, and are delivered while it receives.
async fn echo_in_room(ws: hybi_tokio::WebSocket, room: &Broadcast) -> Result<(), Error> {
    let mut member = room.join(ws);
    let direct = member.direct();
    while let Some(message) = member.recv().await? {
        if is_goodbye(&message) {
            member.flush().await?;
            member.close(CloseCode::NORMAL, "").await?;
        } else {
            direct.send(message).await;
        }
    }
    Ok(())
}

/// The receiving half on a task of its own.
async fn echo_by_halves(ws: hybi_tokio::WebSocket) -> Result<(), Error> {
    let (mut sender, mut receiver) = ws.split();
    let (hand_over, mut received) = tokio::sync::mpsc::channel(1);
    let receiving = tokio::spawn(async move {
        while let Some(message) = receiver.recv().await? {
            if hand_over.send(message).await.is_err() {
                break;
            }
        }
        Ok::<_, Error>(())
    });
    while let Some(message) = received.recv().await {
        let sent = if is_goodbye(&message) {
            sender.close(CloseCode::NORMAL, "").await.map(drop)
        } else {
            sender.send(message).await.map_err(Error::from)
        };
        if sent.is_err() {
            break;
        }
    }
    drop(received);
    receiving.await.expect("it does not panic")
}
