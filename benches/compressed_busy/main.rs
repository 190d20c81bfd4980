//! Time of messages of 1 KiB on many connections with permessage-deflate and context takeover both
//! ways: sent to all of 500, and echoed on many connections that take turns; within the budget of
//! states and beyond it, beside other servers in the same run.
//!
//! The figure is the processor time of the server's thread for a message, system calls included; the
//! clients are in a process of their own. The level is the same for all. Ours beyond its budget has
//! the default one, 16 MiB.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

#[path = "../compressed_idle/clients.rs"]
mod clients;
mod servers;

use hybi_benches::{
    ThreadClock, by_hand,
    second_process::{SecondProcess, server_address},
};
use hybi_tokio::{Deflate, Utf8Bytes};
use servers::{Open, Server};
use tokio::net::TcpListener;

const WITHIN: usize = 8 << 30;
const BEYOND: usize = 16 << 20;

/// With the connections that each gets for its echo: as many as ours would take gigabytes with what
/// the others keep.
const SERVERS: [(Server, &str, usize); 4] = [
    (Server::Hybi(WITHIN), "hybi, within its budget", 2000),
    (Server::Hybi(BEYOND), "hybi, beyond it", 10_000),
    (Server::SockudoWs, "sockudo-ws", 2000),
    (Server::Yawc, "yawc", 2000),
];
const FANNED_OUT: usize = 500;
const LEVELS: [u8; 2] = [1, 6];

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    if let Some(address) = server_address() {
        return clients::run(&address, test);
    }
    println!(
        "messages of 1 KiB with permessage-deflate and takeover; us of the server's CPU for each"
    );
    for level in LEVELS {
        for (server, name, connections) in SERVERS {
            if let Server::Hybi(budget) = server {
                Deflate::set_budget(budget);
            }
            let few = |wanted| by_hand::connections(if test { 20 } else { wanted });
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
            let (first, next) =
                runtime().expect("a runtime").block_on(fan_out(server, level, few(FANNED_OUT)));
            let connections = few(connections);
            let turn = runtime().expect("a runtime").block_on(echo(server, level, connections));
            println!(
                "  level {level} {name:24} | fan-out to {}: {first:>5.1} for the first ten, \
                 {next:>5.1} for the next | echo, {connections} taking turns: {turn:>5.1}",
                few(FANNED_OUT),
            );
        }
    }
}

/// Ten messages, each to all connections, and another ten.
async fn fan_out(server: Server, level: u8, connections: usize) -> (f64, f64) {
    let (mut clients, streams) = open(server, level, connections).await;
    let mut streams = streams;
    let mut messages = clients::messages().map(Utf8Bytes::from);
    let mut figures = [0.0; 2];
    for figure in &mut figures {
        let clock = ThreadClock::of_this_thread();
        let before = clock.nanoseconds();
        for message in messages.by_ref().take(clients::MESSAGES) {
            for ws in &mut streams {
                ws.send(&message).await;
            }
        }
        let spent = clock.nanoseconds() - before;
        *figure = spent / (clients::MESSAGES * connections) as f64 / 1000.0;
        clients.ask("listen").await;
    }
    (figures[0], figures[1])
}

/// Rounds in which each client sends a message when the one before has its echo.
async fn echo(server: Server, level: u8, connections: usize) -> f64 {
    let (mut clients, streams) = open(server, level, connections).await;
    for ws in streams {
        tokio::spawn(ws.echo());
    }
    // The first makes the states.
    clients.ask("turns 1").await;
    let clock = ThreadClock::of_this_thread();
    let before = clock.nanoseconds();
    clients.ask("turns 5").await;
    (clock.nanoseconds() - before) / (5 * connections) as f64 / 1000.0
}

async fn open(server: Server, level: u8, connections: usize) -> (SecondProcess, Vec<Open>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut clients =
        SecondProcess::start(&listener.local_addr().expect("its address").to_string());
    let accept = async {
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.expect("a client");
            streams.push(server.accept(stream, level).await);
        }
        streams
    };
    let command = format!("open {connections}");
    let (streams, _) = tokio::join!(accept, clients.ask(&command));
    (clients, streams)
}
