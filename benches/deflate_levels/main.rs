//! permessage-deflate by level: time and size of messages of several kinds and lengths, and an echo
//! over loopback beside other servers. The default level was chosen by this.
//!
//! First, messages queued on a connection and taken as frames, at each level, with context takeover
//! and without. Then echoes: one client has messages echoed one after the other; shown are the time
//! that an echo takes, the processor time of the server's thread in it, and the bytes of the answer.
//! Servers take turns, and medians are shown. Every answer is checked.
//!
//! `levels` or `echo` as argument runs one of the two.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

mod client;
mod content;
mod levels;
mod servers;

use content::Content;
use servers::Server;

const SIZES: [(&str, usize); 5] = [
    ("256 B", 256),
    ("1 KiB", 1 << 10),
    ("4 KiB", 4 << 10),
    ("64 KiB", 64 << 10),
    ("1 MiB", 1 << 20),
];

fn main() {
    let has = |wanted| std::env::args().any(|argument| argument == wanted);
    // `--test` only wants to know that the answers are right.
    let test = has("--test");
    if !has("echo") {
        levels(test);
    }
    if !has("levels") {
        echo(test);
    }
}

fn levels(test: bool) {
    println!("sending, by level: microseconds a message and bytes of payload");
    for content in Content::ALL {
        for (label, size) in SIZES {
            let messages = content.messages(size, if test { 4 } else { levels::count(size) });
            for takeover in [true, false] {
                let with = if takeover { "with takeover" } else { "without" };
                print!("{:8} {label:>7} {with:13}", content.name());
                for level in 1..=9 {
                    let (nanoseconds, bytes) = levels::measure(&messages, level, takeover, test);
                    print!(" | {level}: {:>8.1} {bytes:>7.0}", nanoseconds / 1000.0);
                }
                println!();
            }
        }
    }
}

fn echo(test: bool) {
    println!("an echo: microseconds, of these the server's, and bytes of the answer's payload");
    let sizes = SIZES.into_iter().map(|(_, size)| size).chain([16 << 20]);
    for (content, size) in
        Content::ALL.into_iter().flat_map(|content| sizes.clone().map(move |size| (content, size)))
    {
        // What others do with long noise takes its time, and with the longest it is the same again.
        let longest = size > 1 << 20;
        if longest && (content != Content::Random || test) {
            continue;
        }
        let count = if test { 3 } else { client::count(size) };
        let messages = content.messages(size, count);
        let frames = client::frames(&messages, content);
        let servers: Vec<_> = Server::ALL
            .into_iter()
            .filter(|server| content == Content::Random || server.compresses())
            .filter(|server| !longest || server.is_quick())
            .collect();
        let addresses: Vec<_> = servers.iter().map(|server| server.start()).collect();
        let mut figures = vec![Vec::new(); servers.len()];
        for _ in 0..if test { 1 } else { client::ROUNDS } {
            for ((server, address), figures) in servers.iter().zip(&addresses).zip(&mut figures) {
                figures.push(client::run(*server, address, &messages, &frames));
            }
        }
        println!("{} of {size} B", content.name());
        for (server, figures) in servers.iter().zip(&figures) {
            let [wall, spent, bytes] = client::medians(figures);
            let (wall, spent) = (wall / 1000.0, spent / 1000.0);
            println!("  {:24} {wall:>9.1} | {spent:>9.1} | {bytes:>9.0}", server.name());
        }
    }
}
