//! Echo over loopback by threads that block: one connection, its server on a thread of its own.
//!
//! Beside a bare echo of std, tungstenite as its users have it, and tokio with one thread. Processor time of the
//! server's thread for a message, system calls included, and messages a second; medians of rounds that take turns.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod servers;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use hybi_benches::{by_hand, median};
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};

use self::servers::{Running, SERVERS, Server};

/// Bytes a message, and how many are in flight.
const SHAPES: [(usize, usize); 4] = [(20, 1), (20, 16), (16 * 1024, 1), (16 * 1024, 16)];

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let (rounds, messages) = if test { (1, 64) } else { (15, 6_400) };
    println!("echo over loopback, one connection; medians of {rounds} rounds, ratios to raw TCP");
    let mut running = SERVERS.map(|(server, name)| (Conversation::open(server), name));
    for (len, in_flight) in SHAPES {
        println!("  {len} B, {in_flight} in flight");
        let mut figures = running.each_ref().map(|_| (Vec::new(), Vec::new()));
        // The first round is for caches.
        for round in 0..=rounds {
            for ((conversation, _), (cost, rate)) in running.iter_mut().zip(&mut figures) {
                let (spent, elapsed) = conversation.talk(len, in_flight, messages);
                if round > 0 {
                    cost.push(spent / messages as f64);
                    rate.push(messages as f64 / elapsed);
                }
            }
        }
        let mut raw = None;
        for ((_, name), (cost, rate)) in running.iter().zip(figures) {
            let (cost, rate) = (median(cost), median(rate));
            let (raw_cost, raw_rate) = *raw.get_or_insert((cost, rate));
            println!(
                "    {name:30} | {cost:>7.0} ns of CPU, x{:.2} | {rate:>8.0}/s, x{:.2}",
                cost / raw_cost,
                rate / raw_rate
            );
        }
    }
}

/// A client, and the server that echoes what it says.
struct Conversation {
    running: Running,
    stream: TcpStream,
}

impl Conversation {
    fn open(server: Server) -> Self {
        let running = Running::start(server);
        let stream = if server == Server::Raw {
            TcpStream::connect(running.address).expect("a server")
        } else {
            by_hand::open(&running.address.to_string(), "").0
        };
        stream.set_nodelay(true).expect("an option of TCP");
        Self { running, stream }
    }

    /// Has so many messages echoed; nanoseconds of the server, and seconds.
    fn talk(&mut self, len: usize, in_flight: usize, messages: usize) -> (f64, f64) {
        let payload = vec![b'x'; len];
        let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
        let (mut request, mut answer) = (Vec::new(), Vec::new());
        encode_frame(&mut request, true, Rsv::NONE, Opcode::Binary, &payload, Some(key));
        encode_frame(&mut answer, true, Rsv::NONE, Opcode::Binary, &payload, None);
        if self.running.server == Server::Raw {
            answer.clone_from(&request);
        }
        let (requests, answers) = (request.repeat(in_flight), answer.repeat(in_flight));
        let mut received = vec![0; answers.len()];
        let (before, began) = (self.running.clock.nanoseconds(), Instant::now());
        for _ in 0..messages / in_flight {
            self.stream.write_all(&requests).expect("a server that reads");
            self.stream.read_exact(&mut received).expect("a server that answers");
        }
        let elapsed = began.elapsed().as_secs_f64();
        assert!(received == answers, "no echo");
        (self.running.clock.nanoseconds() - before, elapsed)
    }
}
