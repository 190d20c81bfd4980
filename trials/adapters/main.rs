//! The adapters side by side, each beside a bare TCP echo of its runtime: messages a second and the processor time of
//! the server for each, how many of them leave in one write, and what an idle connection holds.
//!
//! One process. The clients are one thread, which writes to all connections what may be in flight, and then reads the
//! answers of all; servers take turns, and medians of rounds are shown. Processor time is that of all threads but the
//! clients', system calls included.

#![expect(clippy::print_stdout, reason = "figures are what this is for")]

mod counted;
mod servers;

use core::{net::SocketAddr, time::Duration};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Instant,
};

use hybi_suite::{allocator::Total, peer::REQUEST};
use hybi_testkit::wire::{self, Side};

use counted::writes;
use rustix::time::{ClockId, clock_gettime};
use servers::{SERVERS, Speaks};

#[global_allocator]
static ALLOCATOR: Total = Total::new();

/// Connections, bytes a message, messages in flight on each, batches a round. What is in flight on one is less than the
/// kernel holds, or a bare echo would wait for a client that waits for it.
const SHAPES: [(usize, usize, usize, usize); 4] =
    [(64, 20, 16, 20), (64, 1024, 16, 20), (16, 65_536, 1, 40), (1, 20, 1, 2_000)];

const ROUNDS: usize = 9;

/// How many connections are open when it is asked what they hold.
const IDLE: usize = 1_000;

fn main() {
    let running: Vec<_> = SERVERS.iter().map(|server| (server, (server.start)())).collect();
    for (connections, len, in_flight, batches) in SHAPES {
        println!("{connections} connections x {len} B, {in_flight} in flight");
        let mut figures = vec![[(); 3].map(|()| Vec::new()); running.len()];
        for round in 0..=ROUNDS {
            for ((server, address), [rates, costs, in_one]) in running.iter().zip(&mut figures) {
                let mut clients =
                    Clients::open(*address, server.speaks, connections, len, in_flight);
                let (before, written) = (others_nanoseconds(), writes());
                let begun = Instant::now();
                (0..batches).for_each(|_| clients.batch());
                let messages = (batches * connections * in_flight) as f64;
                // The first round is for caches.
                if round > 0 {
                    rates.push(messages / begun.elapsed().as_secs_f64());
                    costs.push((others_nanoseconds() - before) / messages);
                    in_one.push(messages / (writes() - written) as f64);
                }
            }
        }
        let mut raw = (0.0, 0.0);
        for ((server, _), figures) in running.iter().zip(figures) {
            let [rate, cost, in_one] = figures.map(median);
            if server.speaks == Speaks::Bytes {
                raw = (rate, cost);
            }
            println!(
                "  {:14} {rate:>9.0}/s, x{:.2} of raw | {cost:>6.0} ns of CPU, x{:.2} of raw | \
                 {in_one:>5.2} in a write",
                server.name,
                rate / raw.0,
                cost / raw.1
            );
        }
    }
    println!("{IDLE} idle connections: bytes allocated for each, task and registration included");
    for (server, address) in &running {
        let before = settled();
        let mut clients = Clients::open(*address, server.speaks, IDLE, 20, 1);
        // All of them were answered, and wait.
        clients.batch();
        clients.forget();
        let held = ALLOCATOR.now().saturating_sub(before);
        println!("  {:14} {:>6}", server.name, held / IDLE);
    }
}

/// What is allocated once those that left before are gone.
fn settled() -> usize {
    let mut before = usize::MAX;
    loop {
        thread::sleep(Duration::from_millis(100));
        let now = ALLOCATOR.now();
        if now >= before {
            return now;
        }
        before = now;
    }
}

/// Open connections to one server, and what each of them sends and gets at a time.
struct Clients {
    streams: Vec<TcpStream>,
    requests: Vec<u8>,
    answers: Vec<u8>,
    came: Vec<u8>,
}

impl Clients {
    fn open(
        address: SocketAddr,
        speaks: Speaks,
        connections: usize,
        len: usize,
        in_flight: usize,
    ) -> Self {
        let payload: Vec<u8> = (0..len).map(|at| b'a' + (at % 26) as u8).collect();
        let frame = |side| wire::frame(side, wire::BINARY, &payload).repeat(in_flight);
        let requests = frame(Side::Client);
        let answers = match speaks {
            Speaks::Bytes => requests.clone(),
            Speaks::WebSocket => frame(Side::Server),
        };
        let streams = (0..connections).map(|_| connect(address, speaks)).collect();
        let came = vec![0; answers.len()];
        Self { streams, requests, answers, came }
    }

    /// Sends to all what may be in flight, and waits for the answers of all.
    fn batch(&mut self) {
        for stream in &mut self.streams {
            stream.write_all(&self.requests).expect("a server that reads");
        }
        for stream in &mut self.streams {
            stream.read_exact(&mut self.came).expect("a server that answers");
            assert!(self.came == self.answers, "an answer that differs from what was sent");
        }
    }
}

impl Clients {
    /// Lets go of what they send and get, which is no server's.
    fn forget(&mut self) {
        (self.requests, self.answers, self.came) = (Vec::new(), Vec::new(), Vec::new());
    }
}

fn connect(address: SocketAddr, speaks: Speaks) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the server");
    stream.set_nodelay(true).expect("an option of TCP");
    if speaks == Speaks::WebSocket {
        stream.write_all(REQUEST.as_bytes()).expect("a server that reads");
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    }
    stream
}

/// The processor time of all threads but this one, also of those that have ended, in nanoseconds.
fn others_nanoseconds() -> f64 {
    let time = |clock| {
        let time = clock_gettime(clock);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    time(ClockId::ProcessCPUTime) - time(ClockId::ThreadCPUTime)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
