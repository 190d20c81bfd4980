//! The server, on either runtime: one thread, every connection a task. What comes is sent back, unless the request
//! says that it is to be received and no more.

use core::net::SocketAddr;
use std::net::TcpListener;

use hybi::WebSocket;
use hybi_tokio::{
    Error, Incoming, Server,
    io::{Timer, Transport},
};

pub(crate) type Serve = fn(TcpListener);

/// The runtimes by name, each with its server.
pub(crate) const ALL: [(&str, Serve); 2] = [("tokio", on_tokio), ("smol", on_smol)];

pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

fn on_tokio(listener: TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let server = Server::compressing();
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let server = server.clone();
            tokio::spawn(async move {
                let incoming: Incoming = hybi_tokio::incoming(&server, stream).await?;
                let echoes = !incoming.request().headers().contains_key("X-Discard");
                serve(incoming.accept().await?, echoes).await
            });
        }
    });
}

fn on_smol(listener: TcpListener) {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let listener = smol::net::TcpListener::try_from(listener).expect("a listener");
        let server = Server::compressing();
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let server = server.clone();
            let serving = async move {
                let incoming = hybi_smol::incoming(&server, stream).await?;
                let echoes = !incoming.request().headers().contains_key("X-Discard");
                serve(incoming.accept().await?, echoes).await
            };
            executor.spawn(serving).detach();
        }
    }));
}

async fn serve<T: Transport, C: Timer>(mut ws: WebSocket<T, C>, echoes: bool) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        if echoes {
            ws.feed(message).await?;
        }
    }
    Ok(())
}
