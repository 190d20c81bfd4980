//! The server, on each adapter: an echo, in a thread of its own.

use core::{net::SocketAddr, time::Duration};
use std::{
    net::TcpListener,
    sync::mpsc::{Sender, channel},
    thread::{JoinHandle, spawn},
};

use hybi_tokio::{
    Config, Error, Server as Rules,
    serve::{Drained, Handle},
};

/// A server at work.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) running: JoinHandle<Drained>,
}

type Serve = fn(TcpListener, &Sender<Handle>) -> Drained;

pub(crate) const ALL: [(&str, Serve); 4] =
    [("tokio", on_tokio), ("async-std", on_async_std), ("smol", on_smol), ("blocking", on_threads)];

pub(crate) fn start(serve: Serve) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("TCP");
    let (tell, told) = channel();
    let running = spawn(move || serve(listener, &tell));
    Server { address, handle: told.recv().expect("a server"), running }
}

/// Who does not answer is waited for until the server ends.
fn rules() -> Rules {
    let config = Config::default().close_timeout(Duration::from_secs(60));
    Rules::builder().config(config).build()
}

fn on_tokio(listener: TcpListener, tell: &Sender<Handle>) -> Drained {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        let serving = hybi_tokio::serve(listener, rules(), |mut ws| async move {
            while let Some(message) = ws.recv().await? {
                ws.feed(message).await?;
            }
            Ok::<_, Error>(())
        });
        tell.send(serving.handle()).expect("somebody waits");
        serving.await
    })
}

fn on_async_std(listener: TcpListener, tell: &Sender<Handle>) -> Drained {
    async_std::task::block_on(async {
        let listener = async_std::net::TcpListener::from(listener);
        let serving = hybi_async_std::serve(listener, rules(), |mut ws| async move {
            while let Some(message) = ws.recv().await? {
                ws.feed(message).await?;
            }
            Ok::<_, Error>(())
        });
        tell.send(serving.handle()).expect("somebody waits");
        serving.await
    })
}

fn on_smol(listener: TcpListener, tell: &Sender<Handle>) -> Drained {
    smol::block_on(async {
        let listener = smol::net::TcpListener::try_from(listener).expect("a socket");
        let serving = hybi_smol::serve(listener, rules(), |mut ws| async move {
            while let Some(message) = ws.recv().await? {
                ws.feed(message).await?;
            }
            Ok::<_, Error>(())
        });
        tell.send(serving.handle()).expect("somebody waits");
        serving.await
    })
}

fn on_threads(listener: TcpListener, tell: &Sender<Handle>) -> Drained {
    let serving = hybi_blocking::serve(listener, rules(), |mut ws| {
        while let Some(message) = ws.recv()? {
            ws.feed(message)?;
        }
        Ok::<_, Error>(())
    });
    tell.send(serving.handle()).expect("somebody waits");
    serving.run()
}
