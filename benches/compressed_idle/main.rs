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

use hybi_benches::{
    allocated::{Counting, resident},
    by_hand,
    second_process::{SecondProcess, part_of, server_address},
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
    let title =
        "permessage-deflate with takeover, ten messages of 1 KiB, then idle; bytes a connection";
    let Some(part) = part_of(SERVERS.len(), title) else { return };
    let (server, name, wanted) = SERVERS[part];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let connections = by_hand::connections(if test { 50 } else { wanted });
    let quiet = if test { Duration::ZERO } else { QUIET };
    runtime.expect("a runtime").block_on(measure(server, name, connections, quiet));
}

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
