//! What a channel costs beside a connection of its own: processor time a message, and memory while idle.
//!
//! Echo over loopback, each end on a thread of its own. The ratio is that of the processor time of both ends together, since
//! multiplexing moves work from the system to the program.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod idle;
mod ways;

use hybi_benches::{allocated::Counting, median};

use self::ways::{Load, Running, Way};

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// How many connections there are, or channels.
const CROWD: usize = 100;

const LOADS: [(&str, Load); 3] = [
    ("one talks", Load { talking: 1, depth: 1 }),
    ("all talk", Load { talking: CROWD, depth: 1 }),
    ("all talk, 8 deep", Load { talking: CROWD, depth: 8 }),
];

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let (rounds, messages) = if test { (1, 200) } else { (15, 20_000) };
    println!(
        "{CROWD} connections, or as many channels of one; ns of processor time an echo, both ends"
    );
    for (name, load) in LOADS {
        for size in [20, 1024, 16 * 1024] {
            let mut running = [Way::Connections, Way::Channels].map(|way| Running::new(way, CROWD));
            let mut times = [const { Vec::new() }; 2];
            for round in 0..=rounds {
                for (running, times) in running.iter_mut().zip(&mut times) {
                    let spent = running.echo(load, size, messages);
                    // The first round is for caches.
                    if round > 0 {
                        times.push(spent);
                    }
                }
            }
            let [connections, channels] = times.map(median);
            println!(
                "  {name:>16}, {size:>5} bytes | connection {connections:>7.0} | channel {channels:>7.0} \
                 | x{:.2}",
                channels / connections
            );
        }
    }
    idle::print(&ALLOCATOR, if test { 50 } else { 1000 });
}
