//! Echo over loopback beside a bare TCP echo of the same shape, and beside peers as they are used.
//!
//! Each server has one thread, pinned to one core; the clients have another. Rounds alternate between
//! the servers, and medians are shown: messages a second, the processor time of the server's
//! thread for each, and how much of the time it was busy. Where that is not nearly all, the clients
//! or the kernel were waited for, and only the processor time tells something. Where the machine has
//! other load, `chrt -f 1` before the command gives the cores to this alone.
//!
//! Names of shapes on the command line choose among them: `-- "1 KiB" "one at a time"`.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

#[cfg(target_os = "linux")]
mod generator;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod three_sends;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the clients need Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use core::time::Duration;

    use hybi_benches::median;

    use crate::{
        generator::{Clients, Load, pin_to_last_core},
        servers::{Running, SERVERS, Server},
        three_sends,
    };

    /// Connections, bytes a message, messages in flight on each connection.
    const SHAPES: [(&str, usize, usize, usize); 6] = [
        ("64 connections x 20 B, 16 in flight", 64, 20, 16),
        ("64 connections x 1 KiB, 16 in flight", 64, 1 << 10, 16),
        ("64 connections x 16 KiB, 16 in flight", 64, 16 << 10, 16),
        ("16 connections x 64 KiB, 4 in flight", 16, 64 << 10, 4),
        ("64 connections x 20 B, one at a time", 64, 20, 1),
        ("1 connection x 20 B, one at a time", 1, 20, 1),
    ];

    pub(crate) fn main() {
        // `--test` only wants to know that the answers are right.
        let test = std::env::args().any(|argument| argument == "--test");
        let (rounds, time) =
            if test { (1, Duration::from_millis(5)) } else { (9, Duration::from_millis(100)) };
        let named: Vec<String> =
            std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
        let wanted =
            |shape: &str| named.is_empty() || named.iter().any(|name| shape.contains(name));
        println!("echo over loopback; medians of {rounds} rounds; ratios to raw TCP");
        let servers = SERVERS.map(|(server, name)| (Running::start(server), name));
        // After the servers, which may run where the thread may that starts them.
        pin_to_last_core();
        for (shape, connections, len, in_flight) in SHAPES {
            if wanted(shape) {
                println!("{shape}");
                measure(&servers, connections, len, in_flight, rounds, time);
            }
        }
        if wanted(three_sends::SHAPE) {
            three_sends::run(test);
        }
    }

    fn measure(
        servers: &[(Running, &str)],
        connections: usize,
        len: usize,
        in_flight: usize,
        rounds: usize,
        time: Duration,
    ) {
        // What keep-alive costs is seen where each message has its own way through the runtime.
        let servers = servers
            .iter()
            .filter(|(running, _)| in_flight == 1 || running.server != Server::RecvNoKeepAlive);
        let servers: Vec<_> = servers.map(|server| (server, Figures::default())).collect();
        let mut servers = servers;
        for _ in 0..rounds {
            for ((running, _), figures) in &mut servers {
                let load = Load::new(running.server == Server::Raw, len, in_flight);
                let mut clients = Clients::open(running.address, connections, &load);
                let before = running.clock.nanoseconds();
                let turn = clients.turn(time);
                let spent = running.clock.nanoseconds() - before;
                figures.rate.push(turn.messages as f64 / turn.elapsed.as_secs_f64());
                figures.cost.push(spent / turn.messages as f64);
                figures.busy.push(spent / turn.elapsed.as_nanos() as f64);
            }
        }
        let mut raw = None;
        for ((_, name), figures) in servers {
            let [rate, cost, busy] = [figures.rate, figures.cost, figures.busy].map(median);
            let (raw_rate, raw_cost) = *raw.get_or_insert((rate, cost));
            println!(
                "  {name:31} {rate:>9.0}/s {:>5.2} of raw | {cost:>6.0} ns of CPU, {:>5.2} of raw \
                 | {:>3.0} % busy",
                rate / raw_rate,
                cost / raw_cost,
                busy * 100.0,
            );
        }
    }

    /// One value a round.
    #[derive(Default)]
    struct Figures {
        /// Messages a second.
        rate: Vec<f64>,
        /// Nanoseconds of the server's processor time for each.
        cost: Vec<f64>,
        /// Its part of the time that passed.
        busy: Vec<f64>,
    }
}
