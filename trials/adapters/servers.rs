//! The servers: a bare echo of each runtime, and one through the adapter. Runtimes have one thread, or as many as they
//! make by themselves.

use core::net::SocketAddr;
use std::{
    io::{self, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
};

use hybi_tokio::Server as Rules;
use smol::LocalExecutor;

use crate::counted::Counted;

/// What a server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Bytes,
    WebSocket,
}

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) speaks: Speaks,
    /// Starts it on a thread of its own; says where it listens.
    pub(crate) start: fn() -> SocketAddr,
}

/// Each bare echo, and behind it what is held against it.
pub(crate) const SERVERS: [Server; 8] = [
    Server { name: "tokio, raw", speaks: Speaks::Bytes, start: || on_tokio(Speaks::Bytes) },
    Server { name: "tokio", speaks: Speaks::WebSocket, start: || on_tokio(Speaks::WebSocket) },
    Server { name: "smol, raw", speaks: Speaks::Bytes, start: || on_smol(Speaks::Bytes) },
    Server { name: "smol", speaks: Speaks::WebSocket, start: || on_smol(Speaks::WebSocket) },
    Server { name: "async-std, raw", speaks: Speaks::Bytes, start: || on_async_std(Speaks::Bytes) },
    Server {
        name: "async-std",
        speaks: Speaks::WebSocket,
        start: || on_async_std(Speaks::WebSocket),
    },
    Server { name: "threads, raw", speaks: Speaks::Bytes, start: || on_threads(Speaks::Bytes) },
    Server { name: "blocking", speaks: Speaks::WebSocket, start: || on_threads(Speaks::WebSocket) },
];

/// Room for one read of a bare echo.
const CHUNK: usize = 64 * 1024;

/// Runs this on a thread of its own, with a listener; says where that listens.
fn on_a_thread(serve: impl FnOnce(TcpListener) + Send + 'static) -> SocketAddr {
    let (told, address) = mpsc::channel();
    thread::spawn(move || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        told.send(listener.local_addr().expect("its address")).expect("a receiver");
        serve(listener);
    });
    address.recv().expect("a server")
}

fn on_tokio(speaks: Speaks) -> SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn raw(mut stream: Counted<tokio::net::TcpStream>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let len = stream.read(&mut chunk).await?;
            if len == 0 {
                return Ok(());
            }
            stream.write_all(&chunk[..len]).await?;
        }
    }

    async fn echo(stream: Counted<tokio::net::TcpStream>) -> Result<(), hybi_tokio::Error> {
        let mut ws = hybi_tokio::accept_on(&Rules::default(), stream).await?;
        while let Some(message) = ws.recv().await? {
            ws.feed(message).await?;
        }
        Ok(())
    }

    on_a_thread(move |listener| {
        listener.set_nonblocking(true).expect("a mode of sockets");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("an option of TCP");
                let stream = Counted(stream);
                // The clients leave in the middle.
                match speaks {
                    Speaks::Bytes => drop(tokio::spawn(raw(stream))),
                    Speaks::WebSocket => drop(tokio::spawn(echo(stream))),
                }
            }
        });
    })
}

/// A bare echo over the traits of the futures crates, as smol and async-std have them.
async fn raw<S: smol::io::AsyncRead + smol::io::AsyncWrite + Unpin>(
    mut stream: S,
) -> io::Result<()> {
    use smol::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut chunk = vec![0; CHUNK];
    loop {
        let len = stream.read(&mut chunk).await?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&chunk[..len]).await?;
    }
}

fn on_smol(speaks: Speaks) -> SocketAddr {
    async fn echo(stream: Counted<smol::net::TcpStream>) -> Result<(), hybi_smol::Error> {
        let mut ws = hybi_smol::accept_on(&Rules::default(), stream).await?;
        while let Some(message) = ws.recv().await? {
            ws.feed(message).await?;
        }
        Ok(())
    }

    on_a_thread(move |listener| {
        let executor = LocalExecutor::new();
        smol::block_on(executor.run(async {
            let listener = smol::net::TcpListener::try_from(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("an option of TCP");
                let stream = Counted(stream);
                match speaks {
                    Speaks::Bytes => executor.spawn(raw(stream)).detach(),
                    Speaks::WebSocket => executor.spawn(echo(stream)).detach(),
                }
            }
        }));
    })
}

fn on_async_std(speaks: Speaks) -> SocketAddr {
    async fn echo(stream: Counted<async_std::net::TcpStream>) -> Result<(), hybi_async_std::Error> {
        let mut ws = hybi_async_std::accept_on(&Rules::default(), stream).await?;
        while let Some(message) = ws.recv().await? {
            ws.feed(message).await?;
        }
        Ok(())
    }

    on_a_thread(move |listener| {
        async_std::task::block_on(async {
            let listener = async_std::net::TcpListener::from(listener);
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("an option of TCP");
                let stream = Counted(stream);
                match speaks {
                    Speaks::Bytes => drop(async_std::task::spawn(raw(stream))),
                    Speaks::WebSocket => drop(async_std::task::spawn(echo(stream))),
                }
            }
        });
    })
}

/// A thread for each connection.
fn on_threads(speaks: Speaks) -> SocketAddr {
    fn raw(stream: Counted<std::net::TcpStream>) -> io::Result<()> {
        let mut stream = &stream;
        let mut chunk = vec![0; CHUNK];
        loop {
            let len = stream.read(&mut chunk)?;
            if len == 0 {
                return Ok(());
            }
            stream.write_all(&chunk[..len])?;
        }
    }

    fn echo(stream: Counted<std::net::TcpStream>) -> Result<(), hybi_blocking::Error> {
        let mut ws = hybi_blocking::accept_on(&Rules::default(), stream)?;
        while let Some(message) = ws.recv()? {
            ws.feed(message)?;
        }
        Ok(())
    }

    on_a_thread(move |listener| {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nodelay(true).expect("an option of TCP");
            let stream = Counted(stream);
            match speaks {
                Speaks::Bytes => drop(thread::spawn(|| raw(stream))),
                Speaks::WebSocket => drop(thread::spawn(|| echo(stream))),
            }
        }
    })
}
