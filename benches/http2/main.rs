//! A hundred WebSockets over one connection of HTTP/2, beside a hundred over HTTP/1.1: echoes a second, and the processor
//! time of the server's thread for each, system calls included.
//!
//! The clients are in a process of their own, all on one thread; the two ways take turns, round by round.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod clients;

use std::time::Instant;

use hybi_benches::{
    ThreadClock, median,
    second_process::{SecondProcess, server_address},
};
use hybi_h2::WebSocket;
use hybi_tokio::{Config, Error, Server};
use tokio::{net::TcpListener, runtime::Builder};

const SOCKETS: usize = 100;
const WAYS: [&str; 2] = ["HTTP/1.1", "HTTP/2"];

/// Bytes a message, how many are in flight on each WebSocket, and how often a round has them echoed.
const SHAPES: [(usize, usize, usize); 6] = [
    (20, 1, 100),
    (20, 16, 20),
    (1024, 1, 100),
    (1024, 16, 20),
    (64 * 1024, 1, 10),
    (64 * 1024, 4, 5),
];

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    if let Some(address) = server_address() {
        return clients::run(&address);
    }
    println!("{SOCKETS} WebSockets over HTTP/1.1, beside as many over one connection of HTTP/2");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        // Clients answer no pings while nobody asks them for an echo.
        let server = Server::builder().config(Config::default().ping_interval(None)).build();
        drop(tokio::spawn(hybi_h2::serve(listener, server, echo)));
        let mut clients = SecondProcess::start(&address.to_string());
        for shape in SHAPES {
            compare(&mut clients, shape, if test { 1 } else { 11 }).await;
        }
    });
}

async fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}

async fn compare(
    clients: &mut SecondProcess,
    (len, in_flight, times): (usize, usize, usize),
    rounds: usize,
) {
    let clock = ThreadClock::of_this_thread();
    let messages = (SOCKETS * in_flight * times) as f64;
    let mut figures = [const { (Vec::new(), Vec::new()) }; 2];
    for round in 0..=rounds {
        for (way, (rates, costs)) in figures.iter_mut().enumerate() {
            let (begun, before) = (Instant::now(), clock.nanoseconds());
            let _ = clients.ask(&format!("{way} {len} {in_flight} {times}")).await;
            // The first is for caches.
            if round > 0 {
                rates.push(messages / begun.elapsed().as_secs_f64());
                costs.push((clock.nanoseconds() - before) / messages / 1e3);
            }
        }
    }
    let [one, two] = figures.map(|(rates, costs)| (median(rates), median(costs)));
    println!(
        "  {len:>5} B, {in_flight:>2} in flight | echoes a second: {} {:>7.0}, {} {:>7.0}, x{:.2} | \
         us of the server for each: {:>6.2}, {:>6.2}, x{:.2}",
        WAYS[0],
        one.0,
        WAYS[1],
        two.0,
        two.0 / one.0,
        one.1,
        two.1,
        two.1 / one.1,
    );
}
