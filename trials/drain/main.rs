//! The end of a server with a thousand connections, in real time and over loopback, on each adapter: half of the peers are
//! busy, and some never answer. Nobody is reset, the rate is kept, and those who are silent are cut at the deadline and
//! named.
//!
//! It prints a line for each adapter; what does not hold is a panic that says so.

#![expect(clippy::print_stdout, reason = "figures are what this is for")]

mod peers;
mod servers;

use core::{num::NonZero, time::Duration};
use std::{thread, time::Instant};

use hybi_tokio::{
    CloseCode,
    serve::{Drain, Stage},
};
use tokio::runtime::Builder;

use self::{
    peers::{Peers, Seen},
    servers::Server,
};

/// How many peers answer, and how many never do.
const HONEST: usize = 1000;
const SILENT: usize = 20;

const PER_SECOND: u32 = 200;
const DEADLINE: Duration = Duration::from_secs(8);

/// How far the rate may be from what was asked for, in hundredths.
const PERCENT: f64 = 10.0;

fn main() {
    println!(
        "{HONEST} connections, half of them busy, and {SILENT} silent ones; {PER_SECOND} a second, {} s until the \
         deadline",
        DEADLINE.as_secs()
    );
    for (name, serve) in servers::ALL {
        println!("{name:<9} | {}", drain(servers::start(serve)));
    }
}

fn drain(server: Server) -> String {
    let Server { address, handle, running } = server;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut peers = runtime.block_on(Peers::connect(address, HONEST, SILENT));
    while handle.connections() < HONEST + SILENT {
        thread::yield_now();
    }
    let how = Drain::default()
        .close_with(CloseCode::SERVICE_RESTART, "new version")
        .expect("a code for servers")
        .per_second(NonZero::new(PER_SECOND).expect("not zero"))
        .deadline(DEADLINE);
    let began = Instant::now();
    let report = runtime.block_on(handle.drain(how));
    let took = began.elapsed();
    let seen = runtime.block_on(peers.seen());
    assert_eq!(report, running.join().expect("no panic"));

    assert_eq!((report.closed, report.lost), (HONEST, 0), "{report}");
    let cut: Vec<_> = report.cut.iter().filter_map(|cut| cut.peer).collect();
    assert_eq!(cut, peers.silent(), "who was cut");
    assert!(report.cut.iter().all(|cut| cut.stage == Stage::Closing), "{report:?}");
    assert!(took >= DEADLINE && took < DEADLINE + Duration::from_secs(2), "it took {took:?}");
    format!("{report} | {} | cut after {:.2} s", judge(began, &seen), took.as_secs_f64())
}

/// The rate, in all and in each second: connections are told in the order in which they came.
fn judge(began: Instant, seen: &[Seen]) -> String {
    let errors: Vec<_> = seen.iter().filter_map(|seen| seen.error.as_ref()).collect();
    assert!(errors.is_empty(), "{} were not closed in order, as {:?}", errors.len(), errors[0]);
    let (asked, since) = (f64::from(PER_SECOND), |seen: &Seen| (seen.when - began).as_secs_f64());
    let off = |rate: f64| ((rate / asked - 1.0) * 100.0).abs();
    let (first, last) = (&seen[0], &seen[seen.len() - 1]);
    let rate = (last.number - first.number) as f64 / (since(last) - since(first));
    assert!(off(rate) <= PERCENT, "{rate:.1} a second");
    // All but the last, which is not whole.
    let seconds = since(last) as usize;
    let mut worst: f64 = 0.0;
    for second in 0..seconds {
        let honest = seen.iter().filter(|seen| since(seen) as usize == second).count();
        let all = (honest * (HONEST + SILENT)) as f64 / HONEST as f64;
        assert!(off(all) <= PERCENT, "{all:.1} in second {second}");
        worst = worst.max(off(all));
    }
    let late = seen.iter().map(|seen| since(seen) - seen.number as f64 / asked);
    format!(
        "{rate:.1} a second, {worst:.1} % off in the worst one, {:.1} ms late at the most | no reset",
        late.fold(0.0, f64::max) * 1000.0
    )
}
