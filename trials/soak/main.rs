//! A server under mixed load for as long as it is told: every version and extension, plain and through TLS, through a
//! proxy, behind a redirect and over HTTP/2, by connections that come and go in order and otherwise, beside attackers. Prints what it saw, and fails when the
//! server grows, keeps a descriptor, or makes one honest connection fail.
//!
//! Three processes: the server, so that what it holds is its own; honest clients, so that what they measure is
//! what a client sees; attackers. This one tells them what to do, and judges.

#![expect(clippy::print_stdout, reason = "figures are what this is for")]

mod attackers;
mod attacks;
mod honest;
mod judge;
mod proxy;
mod server;
mod sockets;

use std::process::ExitCode;

use core::time::Duration;

use hybi_suite::allocator::Total;

#[global_allocator]
static ALLOCATOR: Total = Total::new();

/// For how long it runs unless it is told.
const TIME: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["server"] => server::run(),
        ["honest", plain, tls, http2, certificate] => {
            honest::run(&sockets::Target::new([plain, tls, http2, certificate]));
        }
        ["attackers", plain, tls, http2, certificate] => {
            attackers::run(&sockets::Target::new([plain, tls, http2, certificate]));
        }
        [] => return judge::run(TIME),
        [seconds] if seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0) => {
            return judge::run(Duration::from_secs(seconds.parse().unwrap_or_default()));
        }
        _ => {
            println!("soak [SECONDS]");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
