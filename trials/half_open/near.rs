//! The end that is looked at: echoes on each of its connections, as server and as client, on either runtime.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use futures_rustls::{TlsAcceptor as FuturesAcceptor, TlsConnector as FuturesConnector};
use hybi_suite::suite::{Outcome, echo};
use hybi_tokio::{
    Client, Connector, Deadline, Error, Server, rustls::pki_types::ServerName,
    tokio_rustls::TlsAcceptor,
};
use hybi_trials::{certificate, part::obey};
use tokio::runtime;

use crate::{
    ALLOCATOR, SITUATIONS, config,
    link::{FAR, NEAR},
};

/// The connections of both runtimes.
#[derive(Debug, Default)]
struct Seen {
    open: AtomicUsize,
    ended: Mutex<Vec<Ended>>,
}

#[derive(Debug)]
struct Ended {
    name: String,
    error: Option<Error>,
    at: Instant,
}

impl Seen {
    fn ended(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Echoes until the end, which is noted.
    async fn watch(&self, name: String, echoing: impl Future<Output = Outcome>) {
        self.open.fetch_add(1, Ordering::SeqCst);
        let error = echoing.await.error;
        self.ended().push(Ended { name, error, at: Instant::now() });
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

fn name(runtime: &str, role: &str, tls: bool, path: &str) -> String {
    let tls = if tls { "TLS" } else { "plain" };
    format!("{runtime} {role} {tls} {}", &path[1..])
}

pub(crate) fn run() {
    let tokio = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let tokio = tokio.expect("a runtime");
    let seen = Arc::new(Seen::default());
    let mut cut = Instant::now();
    obey(|command| {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["serve"] => {
                let (tls, certificate) = certificate::server(&[NEAR]);
                let [plain, secure] = [None, Some(TlsAcceptor::from(Arc::clone(&tls)))]
                    .map(|tls| tokio.block_on(serve_on_tokio(tls, Arc::clone(&seen))));
                let [plain_too, secure_too] = [None, Some(FuturesAcceptor::from(tls))].map(|tls| {
                    async_std::task::block_on(serve_on_async_std(tls, Arc::clone(&seen)))
                });
                let certificate = certificate::hex(&certificate);
                format!("{certificate} {plain} {secure} {plain_too} {secure_too}")
            }
            ["connect", certificate, plain, secure] => {
                let certificate = certificate::unhex(certificate);
                for (tls, port) in [(false, plain), (true, secure)] {
                    for path in SITUATIONS {
                        let seen = [Arc::clone(&seen), Arc::clone(&seen)];
                        let uri = format!("ws://{FAR}:{port}{path}");
                        let certificate = tls.then(|| certificate.clone());
                        let [for_tokio, for_async_std] = seen;
                        tokio.spawn(connect_on_tokio(
                            certificate.clone(),
                            uri.clone(),
                            path,
                            for_tokio,
                        ));
                        async_std::task::spawn(connect_on_async_std(
                            certificate,
                            uri,
                            path,
                            for_async_std,
                        ));
                    }
                }
                "connecting".into()
            }
            ["open"] => format!("{} {}", seen.open.load(Ordering::SeqCst), seen.ended().len()),
            ["cut"] => {
                cut = Instant::now();
                "cut".into()
            }
            // What it holds when nobody is there.
            ["held"] => {
                let tasks = tokio.metrics().num_alive_tasks();
                format!("{} {tasks}", ALLOCATOR.now())
            }
            ["ends"] => {
                while seen.open.load(Ordering::SeqCst) > 0 {
                    thread::sleep(Duration::from_millis(20));
                }
                let ended = core::mem::take(&mut *seen.ended());
                let told = ended.into_iter().map(|ended| told(&ended, cut));
                told.collect::<Vec<_>>().join(";")
            }
            _ => panic!("{command} is no command"),
        }
    });
}

/// Whether it ended with the right error, how long after the cut in milliseconds, and what it said.
fn told(ended: &Ended, cut: Instant) -> String {
    let right = matches!(ended.error, Some(Error::Timeout(Deadline::Pong)));
    let after = ended.at.saturating_duration_since(cut).as_millis();
    let error = ended.error.as_ref().map_or_else(|| "no error".into(), ToString::to_string);
    format!("{right},{after},{}: {error}", ended.name)
}

fn server() -> Server {
    Server::builder().config(config()).build()
}

fn client() -> Client {
    Client::builder().config(config()).build().expect("a client")
}

/// Listens, and says where.
async fn serve_on_tokio(tls: Option<TlsAcceptor>, seen: Arc<Seen>) -> u16 {
    let listener = tokio::net::TcpListener::bind((NEAR, 0)).await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let (tls, seen) = (tls.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                let incoming = match &tls {
                    Some(tls) => hybi_tokio::incoming_tls(&server(), tls, stream).await,
                    None => hybi_tokio::incoming(&server(), stream).await,
                };
                let incoming = incoming.expect("a request");
                let name = name("tokio", "server", tls.is_some(), incoming.request().uri().path());
                let ws = incoming.accept().await.expect("a request for a WebSocket");
                seen.watch(name, echo(ws)).await;
            });
        }
    });
    port
}

async fn serve_on_async_std(tls: Option<FuturesAcceptor>, seen: Arc<Seen>) -> u16 {
    let listener = async_std::net::TcpListener::bind((NEAR, 0)).await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    async_std::task::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let (tls, seen) = (tls.clone(), Arc::clone(&seen));
            async_std::task::spawn(async move {
                let name = |path: &str| name("async-std", "server", tls.is_some(), path);
                if let Some(tls) = &tls {
                    let stream = tls.accept(stream).await.expect("TLS");
                    let incoming = hybi_async_std::incoming_on(&server(), stream).await;
                    let incoming = incoming.expect("a request");
                    let name = name(incoming.request().uri().path());
                    let ws = incoming.accept().await.expect("a request for a WebSocket");
                    seen.watch(name, echo(ws)).await;
                } else {
                    let incoming = hybi_async_std::incoming(&server(), stream).await;
                    let incoming = incoming.expect("a request");
                    let name = name(incoming.request().uri().path());
                    let ws = incoming.accept().await.expect("a request for a WebSocket");
                    seen.watch(name, echo(ws)).await;
                }
            });
        }
    });
    port
}

async fn connect_on_tokio(
    certificate: Option<Vec<u8>>,
    uri: String,
    path: &'static str,
    seen: Arc<Seen>,
) {
    let tls = certificate.is_some();
    let (connector, uri) = match certificate {
        Some(certificate) => {
            let connector = Connector::new().rustls(certificate::client(certificate));
            (connector, uri.replace("ws:", "wss:"))
        }
        None => (Connector::new(), uri),
    };
    let (ws, _) = connector.connect(&client(), &uri).await.expect("a server");
    seen.watch(name("tokio", "client", tls, path), echo(ws)).await;
}

async fn connect_on_async_std(
    certificate: Option<Vec<u8>>,
    uri: String,
    path: &'static str,
    seen: Arc<Seen>,
) {
    let name = name("async-std", "client", certificate.is_some(), path);
    let Some(certificate) = certificate else {
        let connected = hybi_async_std::connect_with(&client(), &uri).await;
        return seen.watch(name, echo(connected.expect("a server").0)).await;
    };
    let place = uri.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
    let stream = async_std::net::TcpStream::connect(place.expect("a URI")).await;
    let connector = FuturesConnector::from(certificate::client(certificate));
    let far = ServerName::try_from(FAR).expect("an address");
    let stream = connector.connect(far, stream.expect("a server")).await.expect("TLS");
    let connected = hybi_async_std::connect_on(&client(), &uri, stream).await;
    seen.watch(name, echo(connected.expect("a server").0)).await;
}
