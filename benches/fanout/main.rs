//! One message for many connections: what a delivery costs, what members that never read cost the others, and what
//! compression costs when a message is compressed once for all.
//!
//! The figures are the processor time of the server's thread for a delivery, system calls included, and the time
//! until all have read it; the clients are in a process of their own. What is compared takes turns, round by round.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod clients;
mod crowd;

use hybi_benches::{by_hand, median, second_process::server_address};
use tokio::runtime::Builder;

use self::crowd::{Crowd, Way};

/// A table: its title, the two crowds that take turns, and what is sent to them: bytes, and how many at a time.
struct Table {
    title: &'static str,
    members: usize,
    rounds: usize,
    one: (&'static str, Way),
    other: (&'static str, Way),
    sent: &'static [(usize, usize)],
}

const SIZES: &[(usize, usize)] = &[(100, 1), (100, 16), (1024, 1), (1024, 16), (16 * 1024, 1)];

const TABLES: [Table; 3] = [
    Table {
        title: "a room, beside a channel of the runtime in each task and a send for each message",
        members: 1000,
        rounds: 40,
        one: ("channel", Way::Channel),
        other: ("room", Way::Room { stuck: 0, compressed: false }),
        sent: SIZES,
    },
    Table {
        title: "a room, beside the same with ten members that never read",
        members: 990,
        rounds: 40,
        one: ("all read", Way::Room { stuck: 0, compressed: false }),
        other: ("ten more never do", Way::Room { stuck: 10, compressed: false }),
        sent: SIZES,
    },
    Table {
        title: "a room without compression, beside the same with permessage-deflate",
        members: 5000,
        rounds: 15,
        one: ("plain", Way::Room { stuck: 0, compressed: false }),
        other: ("compressed", Way::Room { stuck: 0, compressed: true }),
        sent: &[(1024, 1), (16 * 1024, 1)],
    },
];

fn main() {
    // `--test` only wants to know that the answers are right.
    let test = std::env::args().any(|argument| argument == "--test");
    if let Some(address) = server_address() {
        return clients::run(&address, test);
    }
    for table in &TABLES {
        let members = by_hand::connections(if test { 20 } else { 2 * table.members }) / 2;
        let members = members.min(table.members);
        let rounds = if test { 1 } else { table.rounds };
        println!("{}; {members} members", table.title);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(compare(table, members, rounds));
    }
}

async fn compare(table: &Table, members: usize, rounds: usize) {
    let mut crowds =
        [Crowd::open(table.one.1, members).await, Crowd::open(table.other.1, members).await];
    for &(len, depth) in table.sent {
        let mut figures = [const { (Vec::new(), Vec::new()) }; 2];
        for round in 0..=rounds {
            for (crowd, (work, time)) in crowds.iter_mut().zip(&mut figures) {
                let spent = crowd.send(len, depth).await;
                // The first is for caches.
                if round > 0 || rounds == 1 {
                    work.push(spent.work);
                    time.push(spent.time);
                }
            }
        }
        let [one, other] = figures.map(|(work, time)| (median(work), median(time)));
        println!(
            "  {len:>5} B, {depth:>2} at a time | us a delivery: {} {:>5.2}, {} {:>5.2}, x{:.2} | \
             ms until all have it: {:>6.2}, {:>6.2}, x{:.2}",
            table.one.0,
            one.0,
            table.other.0,
            other.0,
            other.0 / one.0,
            one.1,
            other.1,
            other.1 / one.1,
        );
    }
}
