//! How long an honest peer waits for its echo while sixteen others attack a server of one thread: on tokio and on smol,
//! without attackers, beside as many honest peers that send all the time, and beside each kind of attacker.
//!
//! Three processes: the server, the honest peer, and the others. A ratio to the echo beside busy honest peers
//! says what an attack costs the rest: as many peers that do nothing wrong take their part of a thread as well.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod attackers;
mod honest;
mod servers;

use std::thread;

use hybi_benches::second_process::{SecondProcess, part_of, server_address};

/// How many attackers there are at a time.
const ATTACKERS: usize = 16;

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    if let Some(told) = server_address() {
        return match told.split_once(' ') {
            Some(("honest", address)) => honest::run(address, if test { 5 } else { 4000 }),
            Some((_, address)) => attackers::run(address),
            None => panic!("{told} says nothing of a role"),
        };
    }
    let title = "an honest echo of 20 bytes beside sixteen attackers, one thread; microseconds";
    let Some(part) = part_of(servers::ALL.len(), title) else { return };
    let (name, serve) = servers::ALL[part];
    let (listener, address) = servers::listen();
    thread::spawn(move || serve(listener));
    println!("{name:<10} {:>32} | p50 | p99 | p99 beside busy honest peers", "");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut honest = SecondProcess::start(&format!("honest {address}"));
        let mut attackers = SecondProcess::start(&format!("attackers {address}"));
        let mut busy = f64::NAN;
        for attack in attackers::ALL {
            assert_eq!(attackers.ask(attack).await, "begun");
            let times = honest.ask("echo").await;
            let at_work = attackers.ask("stop").await;
            let (p50, p99) = times.split_once(' ').expect("two times");
            let p99: f64 = p99.parse().expect("a time");
            if attack == attackers::BUSY {
                busy = p99;
            }
            println!("{attack:>43} | {p50:>6} | {p99:>7} | x{:<6.2} {at_work}", p99 / busy);
        }
    });
}
