//! Connections whose packets are dropped, so that nobody tells anybody anything: which error ends them and when, and
//! what is left of them. As client and as server, on tokio and on async-std, plain and through TLS, in silence, in the
//! middle of a message, and while messages go to and fro.
//!
//! Two processes, each in a network namespace of its own, joined by a pair of virtual interfaces; the one that is
//! looked at is the near one. What drops the packets is an address on the link that nobody has. This needs the right
//! to make namespaces.

#![expect(clippy::print_stdout, reason = "figures are what this is for")]

mod far;
mod judge;
mod link;
mod near;

use std::process::ExitCode;

use core::time::Duration;

use hybi_suite::allocator::Total;
use hybi_tokio::Config;

#[global_allocator]
static ALLOCATOR: Total = Total::new();

/// For how long a connection is silent before it asks, and how long it waits for the answer.
const PING_INTERVAL: Duration = Duration::from_millis(500);
const PING_TIMEOUT: Duration = Duration::from_millis(700);

/// How long a connection may take to end that failed, for a Close frame that nobody takes.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the far end does on a connection before nothing comes through any more, by the path of the request.
const SITUATIONS: [&str; 3] = ["/silence", "/half-a-message", "/traffic"];

fn config() -> Config {
    Config::default()
        .ping_interval(Some(PING_INTERVAL))
        .ping_timeout(PING_TIMEOUT)
        .close_timeout(LAST_WORDS)
}

fn main() -> ExitCode {
    let role = std::env::args().nth(1);
    match role.as_deref() {
        None => return judge::run(),
        Some("near") => near::run(),
        Some("far") => far::run(),
        Some(other) => {
            println!("{other}: `half_open` takes no arguments");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
