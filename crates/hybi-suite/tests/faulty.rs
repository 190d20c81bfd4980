//! Whichever call of a transport or a timer goes wrong, and in which way: both ends come to an end, and each knows
//! why.

use core::{sync::atomic::Ordering, time::Duration};

use hybi::{
    Client, Config, Error, Server, Version, WebSocket,
    io::{Timer, Transport},
    opening::{accept_on, connect_on},
};
use hybi_suite::suite::faults::{
    Handles, Run, Who, answer, ask, both, each_call, faulty_link, whats,
};
use hybi_testkit::{
    faulty::{Fault, FaultyTimer, Wait},
    world::World,
};

const HANDLES: [Handles; 3] = Handles::ALL;

/// Every version, and one that compresses.
fn everything() -> impl Iterator<Item = Option<Version>> {
    Version::ALL.into_iter().map(Some).chain([None])
}

/// Where there are no Pings, silence ends nothing but by this.
fn config() -> Config {
    Config::default().fragment_size(Some(5)).idle_timeout(Some(Duration::from_secs(60)))
}

fn ends(version: Option<Version>) -> (Client, Server) {
    match version {
        None => (Client::compressing(), Server::compressing()),
        Some(version) => (
            Client::builder().version(version).config(config()).build().expect("it is spoken"),
            Server::builder().versions([version]).config(config()).build(),
        ),
    }
}

async fn connect<T: Transport, C: Timer>(
    client: Client,
    transport: T,
    timer: C,
) -> Result<WebSocket<T, C>, Error> {
    let deadline = client.config().handshake_deadline(timer.now());
    let connecting = connect_on(&client, "ws://example.org/", transport, timer, deadline);
    connecting.await.map(|(ws, _)| ws)
}

async fn accept<T: Transport, C: Timer>(
    server: Server,
    transport: T,
    timer: C,
) -> Result<WebSocket<T, C>, Error> {
    let deadline = server.config().handshake_deadline(timer.now());
    accept_on(&server, transport, timer, deadline).await
}

/// A conversation in which this goes wrong at one end: a call of its transport, a wait of its timer. With it, how
/// often that end waited.
fn run(
    version: Option<Version>,
    handles: Handles,
    who: Who,
    fault: Option<Fault>,
    wait: Option<(usize, Wait)>,
) -> (Run, usize) {
    let mut world = World::new();
    let (near, far, calls) = faulty_link(world.clock(), who, fault);
    let at = |end| wait.filter(|_| who == end);
    let (near_timer, near_waits) = FaultyTimer::new(world.clock().timer(), at(Who::Client));
    let (far_timer, far_waits) = FaultyTimer::new(world.clock().timer(), at(Who::Server));
    let (client, server) = ends(version);
    let asking = ask(handles, connect(client, near, near_timer));
    let answering = answer(handles, accept(server, far, far_timer));
    let (client, server) = world.block_on(both(asking, answering));
    let waits = if who == Who::Client { near_waits } else { far_waits };
    let run = Run::of(who, client, server, calls).that_writes_nothing_behind_a_failure();
    (run, waits.load(Ordering::Relaxed))
}

#[test]
fn whichever_call_goes_wrong_both_ends_know_why() {
    for handles in HANDLES {
        for version in everything() {
            let what = format!("{version:?} {handles:?}");
            let counted =
                each_call(&what, &whats(), |who, fault| run(version, handles, who, fault, None).0);
            let mut expected = match version {
                Some(Version::HIXIE_75) => [16, 6, 6, 2],
                Some(Version::HIXIE_76) => [19, 8, 8, 2],
                _ => [19, 12, 12, 2],
            };
            // Both halves of the client read while it closes.
            expected[0] += usize::from(handles == Handles::Halves);
            assert_eq!(counted, expected, "{what}");
        }
    }
}

/// None is for a deadline that passes.
#[test]
fn whichever_wait_goes_wrong_nobody_notices() {
    for handles in HANDLES {
        for (version, who) in
            everything().flat_map(|version| [(version, Who::Client), (version, Who::Server)])
        {
            let (good, waits) = run(version, handles, who, None, None);
            for n in 1..=waits {
                for wait in [Wait::PendingOnce, Wait::Pending] {
                    let what = format!("{version:?} {handles:?} {who:?}: wait {n} is {wait:?}");
                    let (run, waited) = run(version, handles, who, None, Some((n, wait)));
                    assert!(waited >= n, "{what}: it was never made");
                    for (end, good) in [(&run.faulty, &good.faulty), (&run.other, &good.other)] {
                        assert_eq!(end.received, good.received, "{what}");
                        assert!(end.is_clean && end.error.is_none(), "{what}: {end:?}");
                    }
                }
            }
            assert!(waits > 0, "{version:?} {handles:?} {who:?}");
        }
    }
}
