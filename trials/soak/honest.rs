//! Honest clients: of every version and extension, plain and through TLS, and on each way to a server, each echo of which is checked byte by byte
//! and timed. Most connections are short; one of each kind stays.

use core::{
    fmt::{Debug, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use hybi::{WebSocket, io::Transport};
use hybi_h2::Session;
use hybi_tokio::{
    Client, CloseCode, Connector, Deflate, Extensions, Message, TokioTimer, Version,
    extension::{DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress},
};
use hybi_trials::{figures::percentile, part::obey};
use tokio::{net::TcpListener, runtime, sync::watch, task::JoinHandle, time};

use crate::{
    proxy,
    server::{GOODBYE, MOVED},
    sockets::Target,
};

/// A kind of connection.
#[derive(Clone, Debug)]
struct Kind {
    name: String,
    version: Version,
    extensions: Extensions,
    tls: bool,
    /// The way in which the server echoes.
    way: &'static str,
    reach: Reach,
}

/// How a client gets to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Directly,
    ByProxy,
    ByRedirect,
    /// On a stream of HTTP/2.
    OverHttp2,
}

/// Every version without an extension, and every extension in each version that has it; each of them plain and
/// through TLS. Today's through a proxy, behind a redirect and over HTTP/2 as well.
fn kinds() -> Vec<Kind> {
    let deflate = Deflate::default();
    let extensions = [
        ("no extension", Extensions::none()),
        ("permessage-deflate", deflate.into()),
        (
            "permessage-deflate without takeover",
            deflate.own_context_takeover(false).peer_context_takeover(false).into(),
        ),
        ("permessage-compress", PermessageCompress::new(deflate).into()),
        ("x-webkit-permessage-compress", PermessageCompress::webkit(deflate).into()),
        ("perframe-compress", PerframeCompress::new(deflate).into()),
        ("deflate-frame", DeflateFrame::new(deflate).into()),
        ("x-webkit-deflate-frame", DeflateFrame::webkit(deflate).into()),
        ("deflate-stream", DeflateStream::new(deflate).into()),
    ];
    let mut kinds = Vec::new();
    for version in Version::ALL {
        for (name, extensions) in &extensions {
            let nothing = extensions.is_empty();
            if !nothing && extensions.offers(version).is_empty() {
                continue;
            }
            for tls in [false, true] {
                let way = ["/", "/lent", "/halves", "/room"][kinds.len() / 2 % 4];
                let name = format!("{version} {name} tls {tls}");
                let (extensions, reach) = (extensions.clone(), Reach::Directly);
                kinds.push(Kind { name, version, extensions, tls, way, reach });
            }
        }
    }
    for reach in [Reach::ByProxy, Reach::ByRedirect, Reach::OverHttp2] {
        for (name, extensions) in &extensions[..2] {
            // There is one port for HTTP/2, by prior knowledge.
            for tls in [false, true].into_iter().filter(|tls| !tls || reach != Reach::OverHttp2) {
                let name = format!("{reach:?} {name} tls {tls}");
                let way = if reach == Reach::ByRedirect { MOVED } else { "/" };
                let (version, extensions) = (Version::RFC6455, extensions.clone());
                kinds.push(Kind { name, version, extensions, tls, way, reach });
            }
        }
    }
    kinds
}

/// What they saw.
#[derive(Debug, Default)]
struct Seen {
    connections: Vec<AtomicUsize>,
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// Microseconds from the sending of a message to its echo.
    took: Mutex<Vec<u32>>,
    errors: Mutex<Vec<String>>,
}

impl Seen {
    fn took(&self) -> MutexGuard<'_, Vec<u32>> {
        self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn errors(&self) -> MutexGuard<'_, Vec<String>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> String {
        let counts: Vec<_> =
            self.connections.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let messages = self.messages.load(Ordering::Relaxed);
        let bytes = self.bytes.load(Ordering::Relaxed) / (1024 * 1024);
        let mut took = self.took();
        let [half, p99, most] =
            [50, 99, 100].map(|percent| f64::from(percentile(&mut took, percent)) / 1000.0);
        format!(
            "{} kinds, at least {} connections of each, {} in all, {messages} messages, {bytes} MiB; \
             echo p50 {half:.2} ms, p99 {p99:.1} ms, most {most:.0} ms",
            counts.len(),
            counts.iter().min().unwrap_or(&0),
            counts.iter().sum::<usize>(),
        )
    }
}

pub(crate) fn run(target: &Target) {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let kinds = kinds();
    let proxy = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = proxy.local_addr().expect("its address");
    runtime.spawn(proxy::serve(proxy));
    let connections = kinds.iter().map(|_| AtomicUsize::new(0)).collect();
    let seen = Arc::new(Seen { connections, ..Seen::default() });
    let (go, going) = watch::channel(false);
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    obey(|command| match command {
        "go" => {
            go.send_replace(true);
            for (at, kind) in kinds.iter().enumerate() {
                for stays in [false, true] {
                    let worker = Worker {
                        at,
                        kind: kind.clone(),
                        stays,
                        target: target.clone(),
                        proxy: format!("http://{address}"),
                        seen: Arc::clone(&seen),
                        going: going.clone(),
                    };
                    tasks.push(runtime.spawn(worker.work()));
                }
            }
            "gone".into()
        }
        // After the warm-up, whose figures are not those of the rest.
        "forget" => {
            seen.took().clear();
            "forgotten".into()
        }
        "stop" => {
            go.send_replace(false);
            for task in tasks.drain(..) {
                runtime.block_on(task).expect("no panic");
            }
            "stopped".into()
        }
        "kinds" => {
            let done = |count: &&AtomicUsize| count.load(Ordering::Relaxed) > 0;
            let done = seen.connections.iter().filter(done).count();
            format!("{done} {}", kinds.len())
        }
        "errors" => {
            let errors = seen.errors();
            let mut report = errors.len().to_string();
            for error in errors.iter().take(5) {
                let _ = write!(report, "; {error}");
            }
            report
        }
        "report" => seen.report(),
        other => panic!("{other} is no command"),
    });
}

struct Worker {
    at: usize,
    kind: Kind,
    /// Whether one connection is for all the time.
    stays: bool,
    target: Target,
    /// The URI of the proxy.
    proxy: String,
    seen: Arc<Seen>,
    going: watch::Receiver<bool>,
}

/// The longest that anything may take: far beyond what is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two exchanges of a connection, so that they are spread over the time.
const PAUSE: Duration = Duration::from_millis(30);
/// The same of one that stays.
const LONG_PAUSE: Duration = Duration::from_millis(500);

impl Worker {
    async fn work(self) {
        let mut number = self.at;
        while *self.going.borrow() {
            number += 1;
            let result = match self.kind.reach {
                Reach::OverHttp2 => self.hold(self.open_stream(), number).await,
                _ => self.hold(self.open(), number).await,
            };
            match result {
                Ok(()) => drop(self.seen.connections[self.at].fetch_add(1, Ordering::Relaxed)),
                Err(error) => {
                    self.seen.errors().push(format!("{}: {error}", self.kind.name));
                    time::sleep(LONG_PAUSE).await;
                }
            }
        }
    }

    async fn hold<T: Transport + Debug>(
        &self,
        opening: impl Future<Output = Result<WebSocket<T, TokioTimer>, String>>,
        number: usize,
    ) -> Result<(), String> {
        let opened = time::timeout(PATIENCE, opening).await;
        let ws = opened.map_err(|_| "opening takes for ever".to_owned())??;
        let wanted = usize::from(!self.kind.extensions.is_empty());
        if (ws.version(), ws.extensions().count()) != (self.kind.version, wanted) {
            return Err(format!("another connection than was asked for: {ws:?}"));
        }
        self.talk(ws, number).await
    }

    fn client(&self) -> Result<Client, String> {
        let client =
            Client::builder().version(self.kind.version).extensions(self.kind.extensions.clone());
        let client = match self.kind.reach {
            Reach::Directly | Reach::OverHttp2 => client,
            Reach::ByProxy => client.proxy(&self.proxy),
            Reach::ByRedirect => client.follow_redirects(1),
        };
        client.build().map_err(|error| error.to_string())
    }

    async fn open(&self) -> Result<hybi_tokio::WebSocket, String> {
        let (scheme, port) =
            if self.kind.tls { ("wss", self.target.tls) } else { ("ws", self.target.plain) };
        let uri = format!("{scheme}://127.0.0.1:{port}{}", self.kind.way);
        let connector = Connector::new().rustls(Arc::clone(&self.target.trust));
        let connected = connector.connect(&self.client()?, &uri).await;
        connected.map(|(ws, _)| ws).map_err(|error| format!("opening: {error}"))
    }

    /// A stream of a connection of its own.
    async fn open_stream(&self) -> Result<hybi_h2::WebSocket, String> {
        let client = self.client()?;
        let stream = self.target.connect_http2().await.map_err(|error| error.to_string())?;
        let failed = |error| format!("opening: {error}");
        let session = Session::on(&client, stream).await.map_err(failed)?;
        let session = session.ok_or("the server takes no WebSockets over HTTP/2")?;
        session.open(&client, "ws://127.0.0.1/").await.map(|(ws, _)| ws).map_err(failed)
    }

    async fn talk<T: Transport>(
        &self,
        mut ws: WebSocket<T, TokioTimer>,
        number: usize,
    ) -> Result<(), String> {
        let pause = if self.stays { LONG_PAUSE } else { PAUSE };
        for round in 0.. {
            let over = if self.stays { !*self.going.borrow() } else { round == 12 };
            if over {
                break;
            }
            time::timeout(PATIENCE, self.exchange(&mut ws, number + round))
                .await
                .map_err(|_| "an echo takes for ever".to_owned())??;
            // What comes meanwhile, such as a ping, is answered.
            if let Ok(early) = time::timeout(pause, ws.recv()).await {
                return Err(format!("{early:?} and nothing was sent"));
            }
        }
        time::timeout(PATIENCE, end(ws, number))
            .await
            .map_err(|_| "the end takes for ever".to_owned())?
    }

    /// One message that is timed, or several at once.
    async fn exchange<T: Transport>(
        &self,
        ws: &mut WebSocket<T, TokioTimer>,
        number: usize,
    ) -> Result<(), String> {
        let count = if number % 4 == 3 { 4 } else { 1 };
        let binary = ws.capabilities().binary;
        let messages: Vec<_> = (0..count).map(|at| message(number + at, binary)).collect();
        let began = Instant::now();
        for message in &messages {
            self.seen.bytes.fetch_add(message.len(), Ordering::Relaxed);
            ws.feed(message.clone()).await.map_err(|error| format!("sending: {error}"))?;
        }
        for message in &messages {
            match ws.recv().await {
                Ok(Some(echo)) if echo == *message => {}
                Ok(Some(echo)) => {
                    return Err(format!("{} bytes for {}, or others", echo.len(), message.len()));
                }
                Ok(None) => return Err("the end for an echo".to_owned()),
                Err(error) => return Err(format!("an error for an echo: {error}")),
            }
        }
        if count == 1 {
            let took = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
            self.seen.took().push(took);
        }
        self.seen.messages.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }
}

/// In order, by either end, or without a word.
async fn end<T: Transport>(mut ws: WebSocket<T, TokioTimer>, number: usize) -> Result<(), String> {
    let status = match number % 4 {
        0 => return Ok(()),
        1 => {
            ws.send(GOODBYE).await.map_err(|error| format!("saying goodbye: {error}"))?;
            let end = ws.recv().await.map_err(|error| format!("after goodbye: {error}"))?;
            if end.is_some() {
                return Err("a message after goodbye".to_owned());
            }
            ws.close_status().ok_or("an end without a status")?
        }
        _ => ws.close(CloseCode::NORMAL, "").await.map_err(|error| format!("closing: {error}"))?,
    };
    if status.is_clean() { Ok(()) } else { Err(format!("an end that is not clean: {status:?}")) }
}

/// Of any length up to 200 KB, most of them short; text that compresses, or noise.
fn message(number: usize, binary: bool) -> Message {
    const LENGTHS: [usize; 8] = [0, 20, 125, 126, 1_000, 4_096, 70_000, 200_000];
    let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let len = LENGTHS[(seed % 11).min(seed % 8)];
    if binary && seed & 0x100 == 0 {
        let mut state = seed as u64 | 1;
        let noise = (0..len).map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (state >> 56) as u8
        });
        return Message::binary(noise.collect::<Vec<_>>());
    }
    let mut text = String::with_capacity(len + 40);
    while text.len() < len {
        let _ = write!(text, "{{\"number\":{},\"name\":\"κόσμε\"}},", number + text.len());
    }
    Message::text(text)
}
