//! Memory of an idle connection with permessage-deflate and context takeover both ways, under tokio,
//! server side only, beside other servers in the same run: after ten messages of 1 KiB came and were
//! echoed, and after ten were sent to all.
//!
//! Two figures: what is resident, as the system tells it, and what the program has allocated.
//! Allocators keep much of what is released, in holes between what is not; so what counts for the
//! first is how much there was at any time. Each server has a process of its own.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod clients;
mod servers;

use core::time::Duration;
use std::process::Command;

use hybi_benches::{
    allocated::Counting,
    by_hand,
    second_process::{SecondProcess, server_address},
};
use hybi_tokio::{Outgoing, Prepared};
use servers::Server;
use tokio::{net::TcpListener, sync::broadcast};

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// Servers, and how many connections each gets: with what the others allocate, as many as ours
/// would take gigabytes. What a connection takes does not depend on how many there are.
const SERVERS: [(Server, &str, usize); 5] = [
    (Server::Hybi, "hybi, echo", 10_000),
    (Server::HybiNews, "hybi, sent to all", 10_000),
    (Server::HybiPrepared, "hybi, sent to all, Prepared", 10_000),
    (Server::SockudoWs, "sockudo-ws, echo", 1000),
    (Server::Yawc, "yawc, echo", 1000),
];

/// By now a connection knows that it is idle: ours parks what it has after a second or two.
const QUIET: Duration = Duration::from_secs(3);

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    if let Some(address) = server_address() {
        return clients::run(&address, test);
    }
    let Ok(only) = std::env::var(ONLY) else {
        println!(
            "permessage-deflate with takeover, ten messages of 1 KiB, then idle; bytes a connection"
        );
        return (0..SERVERS.len()).for_each(start_alone);
    };
    let (server, name, wanted) = SERVERS[only.parse::<usize>().expect("a number")];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let connections = by_hand::connections(if test { 50 } else { wanted });
    let quiet = if test { Duration::ZERO } else { QUIET };
    runtime.expect("a runtime").block_on(measure(server, name, connections, quiet));
}

/// This program again, for one of the servers: what those before it released would serve it.
fn start_alone(number: usize) {
    let mut alone = Command::new(std::env::current_exe().expect("this program"));
    let status = alone.args(std::env::args().skip(1)).env(ONLY, number.to_string()).status();
    assert!(status.expect("a process").success());
}

const ONLY: &str = "HYBI_BENCH_SERVER";

async fn measure(server: Server, name: &str, connections: usize, quiet: Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut clients =
        SecondProcess::start(&listener.local_addr().expect("its address").to_string());
    let (sender, _) = broadcast::channel(16);
    let before = (resident(), ALLOCATOR.now());
    let each = |now: usize, before: usize| now.saturating_sub(before) / connections;
    let accept = async {
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.expect("a client");
            tokio::spawn(server.serve(stream, sender.subscribe()));
        }
    };
    let open = format!("open {connections}");
    tokio::join!(accept, clients.ask(&open));
    let opened = each(resident(), before.0);
    let _ = ALLOCATOR.take_peak();
    let wire = match server {
        Server::HybiNews | Server::HybiPrepared => {
            for message in clients::messages().take(clients::MESSAGES) {
                let news = match server {
                    Server::HybiPrepared => (&Prepared::new(message)).into(),
                    _ => Outgoing::from(message),
                };
                assert_eq!(sender.send(news).ok(), Some(connections));
                tokio::task::yield_now().await;
            }
            clients.ask("listen").await
        }
        _ => clients.ask("exchange").await,
    };
    let peak = each(ALLOCATOR.take_peak(), before.1);
    tokio::time::sleep(quiet).await;
    println!(
        "  {name:28} {connections:>5} open | resident {:>6}, {opened:>5} when opened | allocated \
         {:>6}, {peak:>6} at the peak | {wire}",
        each(resident(), before.0),
        each(ALLOCATOR.now(), before.1),
    );
}

/// The memory of this process that is not elsewhere, in bytes; 0 where the system does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}
