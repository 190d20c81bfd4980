//! The other end: does on each connection what its path says, and has no deadlines.

use core::{future::poll_fn, time::Duration};
use std::{
    io::IoSlice,
    sync::{Arc, Mutex, PoisonError},
};

use hybi_testkit::wire::{self, BINARY, Side};
use hybi_tokio::{
    Client, Config, Connector, Error, Server, WebSocket, io::Transport, tokio_rustls::TlsAcceptor,
};
use hybi_trials::{certificate, part::obey};
use tokio::{net::TcpListener, runtime, task::AbortHandle, time};

use crate::{
    SITUATIONS,
    link::{FAR, NEAR},
};

/// The tasks, to be ended in the end.
type Tasks = Arc<Mutex<Vec<AbortHandle>>>;

pub(crate) fn run() {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let tasks = Tasks::default();
    let keep = |task: AbortHandle| tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    obey(|command| {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["serve"] => {
                let (tls, certificate) = certificate::server(&[FAR]);
                let [plain, secure] = [None, Some(TlsAcceptor::from(tls))]
                    .map(|tls| runtime.block_on(serve(tls, Arc::clone(&tasks))));
                format!("{} {plain} {secure}", certificate::hex(&certificate))
            }
            // Plain and TLS, in turns.
            ["connect", certificate, ref ports @ ..] => {
                let trust = certificate::client(certificate::unhex(certificate));
                let connector = Connector::new().rustls(trust);
                for (at, port) in ports.iter().enumerate() {
                    let scheme = ["ws", "wss"][at % 2];
                    for path in SITUATIONS {
                        let uri = format!("{scheme}://{NEAR}:{port}{path}");
                        let connector = connector.clone();
                        keep(
                            runtime
                                .spawn(async move {
                                    let client = Client::builder().config(quiet()).build()?;
                                    let (ws, _) = connector.connect(&client, &uri).await?;
                                    act(ws, path, Side::Client).await
                                })
                                .abort_handle(),
                        );
                    }
                }
                "connecting".into()
            }
            ["forget"] => {
                let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
                tasks.drain(..).for_each(|task| task.abort());
                "forgotten".into()
            }
            _ => panic!("{command} is no command"),
        }
    });
}

fn quiet() -> Config {
    Config::default().ping_interval(None)
}

async fn serve(tls: Option<TlsAcceptor>, tasks: Tasks) -> u16 {
    let listener = TcpListener::bind((FAR, 0)).await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        let server = Server::builder().config(quiet()).build();
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let (server, tls) = (server.clone(), tls.clone());
            let task = tokio::spawn(async move {
                let incoming = match &tls {
                    Some(tls) => hybi_tokio::incoming_tls(&server, tls, stream).await?,
                    None => hybi_tokio::incoming(&server, stream).await?,
                };
                let path = incoming.request().uri().path().to_owned();
                act(incoming.accept().await?, &path, Side::Server).await
            });
            tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task.abort_handle());
        }
    });
    port
}

async fn act(mut ws: WebSocket, path: &str, side: Side) -> Result<(), Error> {
    if path == "/half-a-message" {
        // Behind it come Pongs, which are taken for more of it: a sign of life all the same.
        let frame = wire::frame(side, BINARY, &[7; 100_000]);
        write(ws.get_mut(), &frame[..50_000]).await?;
    }
    let mut clock = time::interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            message = ws.recv() => {
                if message?.is_none() {
                    return Ok(());
                }
            }
            _ = clock.tick(), if path == "/traffic" => ws.send("to and fro").await?,
        }
    }
}

/// Writes past the connection.
async fn write(transport: &mut impl Transport, mut bytes: &[u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        let slices = [IoSlice::new(bytes)];
        let written = poll_fn(|cx| transport.poll_write(cx, &slices)).await;
        bytes = &bytes[written.map_err(|_| Error::Lost)?..];
    }
    poll_fn(|cx| transport.poll_flush(cx)).await.map_err(|_| Error::Lost)
}
