//! Memory of an idle connection with permessage-deflate and context takeover both ways, after ten
//! messages of 1 KiB came and were echoed: bytes allocated per connection under tokio, server side
//! only, beside other servers in the same run. Also the most there was while all exchanged.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod clients;
mod servers;

use core::time::Duration;

use hybi_benches::{
    allocated::Counting,
    by_hand,
    second_process::{SecondProcess, server_address},
};
use servers::Server;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// Servers, and how many connections each gets: with what the others allocate, as many as ours
/// would take gigabytes. What a connection takes does not depend on how many there are.
const SERVERS: [(Server, &str, usize); 3] = [
    (Server::Hybi, "hybi", 10_000),
    (Server::SockudoWs, "sockudo-ws", 1000),
    (Server::Yawc, "yawc", 1000),
];

/// By now a connection knows that it is idle: ours parks what it has after a second or two.
const QUIET: Duration = Duration::from_secs(3);

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    if let Some(address) = server_address() {
        return clients::run(&address, test);
    }
    let quiet = if test { Duration::ZERO } else { QUIET };
    println!(
        "permessage-deflate with takeover, ten messages of 1 KiB each way, then idle; server side"
    );
    for (server, name, wanted) in SERVERS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let connections = by_hand::connections(if test { 50 } else { wanted });
        runtime.expect("a runtime").block_on(measure(server, name, connections, quiet));
    }
}

async fn measure(server: Server, name: &str, connections: usize, quiet: Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut clients =
        SecondProcess::start(&listener.local_addr().expect("its address").to_string());
    let before = ALLOCATOR.now();
    let per_connection = |bytes: usize| bytes.saturating_sub(before) / connections;
    let accept = async {
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.expect("a client");
            tokio::spawn(server.serve(stream));
        }
    };
    let open = format!("open {connections}");
    tokio::join!(accept, clients.ask(&open));
    let opened = per_connection(ALLOCATOR.now());
    let _ = ALLOCATOR.take_peak();
    let wire = clients.ask("exchange").await;
    let peak = per_connection(ALLOCATOR.take_peak());
    tokio::time::sleep(quiet).await;
    let idle = per_connection(ALLOCATOR.now());
    println!(
        "  {name:10} {connections:>5} open | {idle:>6} B a connection | {opened:>6} B when it was \
         opened | {peak:>6} B at the peak of the exchange | {wire}"
    );
}
