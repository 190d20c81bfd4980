//! A message of 4 GiB, written by one process as it comes and read by another as it comes: how much memory either takes
//! for it, and how long its pings wait meanwhile. Each way, plain, compressed, through TLS and both.
//!
//! `streams [MIB]` prints a line for each way that kept its promises; the first that does not ends it.

#![expect(clippy::print_stdout, reason = "figures are what this is for")]

mod content;
mod ends;

use core::{fmt, net::SocketAddr, str::FromStr, time::Duration};
use std::{env, process::ExitCode, sync::Arc, thread, time::Instant};

use hybi_tokio::{
    Client, Config, Connector, Deflate, Extensions, Server, WebSocket, rustls::ServerConfig,
    tokio_rustls::TlsAcceptor,
};
use hybi_trials::{
    certificate,
    part::{Part, obey},
};
use tokio::{net::TcpListener, runtime};

use ends::{Figures, read, write};

/// How long a message is unless told otherwise, in MiB.
const LEN: u64 = 4096;

/// What the memory of a process may grow by while it sends or receives one.
const MOST_GROWTH: usize = 1 << 20;

/// The longest that a ping may wait: two frames of 64 KiB and what the machine does meanwhile.
const MOST_WAIT: Duration = Duration::from_secs(1);

/// How a connection carries its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    tls: bool,
    compressed: bool,
}

const WAYS: [Way; 4] = [
    Way { tls: false, compressed: false },
    Way { tls: false, compressed: true },
    Way { tls: true, compressed: false },
    Way { tls: true, compressed: true },
];

impl Way {
    fn extensions(self) -> Extensions {
        if self.compressed { Deflate::default().into() } else { Extensions::none() }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let carrier = if self.tls { "TLS" } else { "TCP" };
        write!(f, "{carrier}{}", if self.compressed { ", compressed" } else { "" })
    }
}

/// Which end sends the long message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    Client,
    Server,
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("server"), None) => serve(),
        (len, None) => return judge(len.map_or(Ok(LEN), u64::from_str)),
        _ => return judge("two".parse()),
    }
    ExitCode::SUCCESS
}

fn judge(len: Result<u64, <u64 as FromStr>::Err>) -> ExitCode {
    let Ok(mib) = len else {
        println!("streams [MIB]");
        return ExitCode::FAILURE;
    };
    for way in WAYS {
        for writes in [Writes::Client, Writes::Server] {
            let began = Instant::now();
            let (written, taken) = one(way, writes, mib << 20);
            let rate = (mib << 20) as f64 / began.elapsed().as_secs_f64() / 1e6;
            println!("{way}, the {writes:?} writes {mib} MiB ({rate:.0} MB/s):");
            println!("  written: {written}");
            println!("  read:    {taken}");
            let worst = written.growth.max(taken.growth);
            let wait = written.wait.max(taken.wait);
            if worst >= MOST_GROWTH || wait >= MOST_WAIT {
                println!("failed: memory grew by {worst} bytes, a ping waited for {wait:?}");
                return ExitCode::FAILURE;
            }
            println!("ok: {way}, the {writes:?} writes");
        }
    }
    ExitCode::SUCCESS
}

/// Has one message sent; what it cost whoever wrote it and whoever read it.
fn one(way: Way, writes: Writes, len: u64) -> (Figures, Figures) {
    let mut server = Part::start(&["server"]);
    let listens = server.ask(&format!("listen {} {}", u8::from(way.tls), u8::from(way.compressed)));
    let (address, certificate) = listens.split_once(' ').expect("an address and a certificate");
    let address: SocketAddr = address.parse().expect("an address");
    let verb = if writes == Writes::Server { "write" } else { "read" };
    let command = format!("{verb} {len}");
    let theirs = thread::spawn(move || server.ask(&command));
    let ours = current_thread().block_on(async {
        let ws = connect(way, address, certificate).await;
        match writes {
            Writes::Client => write(ws, len).await,
            Writes::Server => read(ws, len).await,
        }
    });
    let theirs = theirs.join().expect("an answer").parse().expect("figures");
    if writes == Writes::Client { (ours, theirs) } else { (theirs, ours) }
}

async fn connect(way: Way, address: SocketAddr, certificate: &str) -> WebSocket {
    let client = Client::builder().config(config()).extensions(way.extensions());
    let client = client.build().expect("a client");
    let (scheme, connector) = if way.tls {
        let tls = certificate::client(certificate::unhex(certificate));
        ("wss", Connector::new().rustls(tls))
    } else {
        ("ws", Connector::new())
    };
    let (ws, _) = connector.connect(&client, format!("{scheme}://{address}/")).await.expect("open");
    ws
}

/// Whoever writes is shown the pings that come, which it has answered by then.
fn config() -> Config {
    Config::default().show_control_frames(true)
}

/// The server, in a process of its own.
fn serve() {
    let runtime = current_thread();
    let mut listening: Option<(TcpListener, Way, Arc<ServerConfig>)> = None;
    obey(|line| {
        let words: Vec<_> = line.split(' ').collect();
        match (&words[..], &listening) {
            (["listen", tls, compressed], _) => {
                let way = Way { tls: *tls == "1", compressed: *compressed == "1" };
                let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
                let address = listener.local_addr().expect("an address");
                let (config, certificate) = certificate::server(&["127.0.0.1"]);
                listening = Some((listener, way, config));
                format!("{address} {}", certificate::hex(&certificate))
            }
            ([verb, len], Some((listener, way, tls))) => {
                let len = len.parse().expect("a length");
                let figures = runtime.block_on(async {
                    let ws = accept(listener, *way, tls.clone()).await;
                    if *verb == "write" { write(ws, len).await } else { read(ws, len).await }
                });
                figures.to_line()
            }
            _ => panic!("{line}: no such command"),
        }
    });
}

async fn accept(listener: &TcpListener, way: Way, tls: Arc<ServerConfig>) -> WebSocket {
    let server = Server::builder().config(config()).extensions(way.extensions()).build();
    let (stream, _) = listener.accept().await.expect("a connection");
    if way.tls {
        hybi_tokio::accept_tls(&server, &TlsAcceptor::from(tls), stream).await.expect("open")
    } else {
        hybi_tokio::accept_with(&server, stream).await.expect("open")
    }
}

fn current_thread() -> runtime::Runtime {
    runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
