//! The judge: starts the others, looks at the server from outside, and says what holds.

use core::time::Duration;
use std::{process::ExitCode, thread, time::Instant};

use hybi_trials::{
    figures::{scatter, slope},
    part::Part,
    process,
};

/// Between two looks at the server.
const LOOK: Duration = Duration::from_secs(5);

/// How long everything runs before the first figures count, at most: until what fills once is full.
const WARM_UP: Duration = Duration::from_secs(60);

/// The longest that a kind of attack or connection may take until it was done once.
const ONCE: Duration = Duration::from_secs(120);

/// What a connection may leave behind, in bytes, and still count as nothing: half of the least that an allocator gives.
/// Whatever is kept of each connection, or of each of a kind that is a few of a hundred, is more.
const NOTHING: usize = 16;

/// What a process may allocate once, whoever comes: blocks of input of its threads, sessions of TLS.
const ONCE_FOR_ALL: usize = 256 * 1024;

/// Shorter, and resident memory only shows how everything begins.
const JUDGED_FROM: Duration = Duration::from_secs(60);

/// The three processes.
struct World {
    server: Part,
    honest: Part,
    attackers: Part,
}

/// The server, looked at from outside.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Seconds since the beginning.
    at: f64,
    resident: usize,
    descriptors: usize,
    allocated: usize,
    /// Connections so far.
    served: usize,
}

impl World {
    fn start() -> Self {
        let mut server = Part::start(&["server"]);
        let place = server.ask("where");
        let place: Vec<_> = place.split(' ').collect();
        let client = |name| Part::start(&[&[name], &place[..]].concat());
        let (honest, attackers) = (client("honest"), client("attackers"));
        Self { server, honest, attackers }
    }

    fn look(&mut self, began: Instant) -> Look {
        let id = self.server.id();
        let mut ask = |what| self.server.ask(what).parse().expect("a number");
        Look {
            at: began.elapsed().as_secs_f64(),
            allocated: ask("allocated"),
            served: ask("served"),
            resident: process::resident(id).expect("/proc/PID/status"),
            descriptors: process::descriptors(id).expect("/proc/PID/fd"),
        }
    }

    fn go(&mut self) {
        for part in [&mut self.honest, &mut self.attackers] {
            assert_eq!(part.ask("go"), "gone");
        }
    }

    /// Lets everything come to its end; how many connections of the server did not.
    fn stop(&mut self) -> usize {
        for part in [&mut self.honest, &mut self.attackers] {
            assert_eq!(part.ask("stop"), "stopped");
        }
        self.server.ask("drain").parse().expect("a number")
    }

    /// How many kinds of connections and attacks were done at least once, and how many there are.
    fn kinds(&mut self) -> [(usize, usize); 2] {
        [&mut self.honest, &mut self.attackers].map(|part| {
            let kinds = part.ask("kinds");
            let (done, all) = kinds.split_once(' ').expect("two numbers");
            (done.parse().expect("a number"), all.parse().expect("a number"))
        })
    }
}

/// What is judged, each printed with what was seen.
struct Verdict {
    failed: usize,
    passed: usize,
}

impl Verdict {
    fn judge(&mut self, holds: bool, what: &str) {
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
        println!("{}: {what}", if holds { "ok" } else { "FAILED" });
    }
}

pub(crate) fn run(time: Duration) -> ExitCode {
    let began = Instant::now();
    let mut world = World::start();
    let start = world.look(began);
    let warm_up = WARM_UP.min(time / 6);
    println!(
        "{} s, and {} s before it; memory in KiB, descriptors, connections so far",
        time.as_secs(),
        warm_up.as_secs()
    );

    world.go();
    thread::sleep(warm_up);
    let patience = Instant::now() + ONCE;
    while world.kinds().iter().any(|(done, all)| done < all) && Instant::now() < patience {
        thread::sleep(Duration::from_millis(200));
    }
    let left = world.stop();
    let warm = world.look(began);
    assert_eq!(world.honest.ask("forget"), "forgotten");

    world.go();
    let looks = watch(&mut world, began, time);
    let left = left + world.stop();
    let end = world.look(began);

    println!("honest: {}", world.honest.ask("report"));
    println!("attacks: {}", world.attackers.ask("report"));
    println!("server: {}", world.server.ask("report"));
    let mut verdict = Verdict { failed: 0, passed: 0 };
    judge_allocated(&mut verdict, warm, end);
    if time >= JUDGED_FROM {
        judge_resident(&mut verdict, &looks[looks.len() / 6..]);
    } else {
        println!("resident memory is judged from {} s on", JUDGED_FROM.as_secs());
    }
    let fds = [start, warm, end].map(|look| look.descriptors);
    verdict.judge(
        fds[0] == fds[1] && fds[0] == fds[2],
        &format!(
            "{} descriptors at the start, {} after the warm-up, {} at the end",
            fds[0], fds[1], fds[2]
        ),
    );
    verdict.judge(left == 0, &format!("{left} connections left when nobody is there"));
    for (name, part) in [("honest clients", &mut world.honest), ("attackers", &mut world.attackers)]
    {
        let errors = part.ask("errors");
        verdict.judge(errors == "0", &format!("errors of {name}: {errors}"));
    }
    let [honest, attacks] = world.kinds();
    verdict
        .judge(honest.0 == honest.1, &format!("{} of {} kinds of connections", honest.0, honest.1));
    verdict
        .judge(attacks.0 == attacks.1, &format!("{} of {} kinds of attacks", attacks.0, attacks.1));
    println!("{} of {} checks passed", verdict.passed, verdict.passed + verdict.failed);
    if verdict.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Looks at the server now and then, for so long.
fn watch(world: &mut World, began: Instant, time: Duration) -> Vec<Look> {
    let mut looks = Vec::new();
    let end = Instant::now() + time;
    let every = LOOK.min(time / 24);
    while Instant::now() < end {
        thread::sleep(every);
        let look = world.look(began);
        // A dozen lines, however long it takes.
        if looks.len() % (time.as_secs_f64() / every.as_secs_f64() / 12.0).ceil() as usize == 0 {
            println!(
                "{:>6.0} s: {:>7} resident, {:>7} allocated, {:>5} descriptors, {:>8} connections",
                look.at,
                look.resident / 1024,
                look.allocated / 1024,
                look.descriptors,
                look.served,
            );
        }
        looks.push(look);
    }
    looks
}

/// What is allocated when nobody is there tells exactly whether anything is kept of connections.
fn judge_allocated(verdict: &mut Verdict, warm: Look, end: Look) {
    let served = end.served - warm.served;
    let kept = end.allocated as f64 - warm.allocated as f64;
    verdict.judge(
        kept <= (NOTHING * served).max(ONCE_FOR_ALL) as f64,
        &format!(
            "{} KiB allocated after the warm-up, {} at the end: {:.2} bytes for each of {served} connections",
            warm.allocated / 1024,
            end.allocated / 1024,
            kept / served as f64,
        ),
    );
}

/// Resident memory goes up and down with who is there, and with the holes of the allocator. It grows if the line
/// through the looks rises by more than what single looks differ from it, which is twice their standard deviation.
fn judge_resident(verdict: &mut Verdict, looks: &[Look]) {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return };
    let minutes = (last.at - first.at) / 60.0;
    let kib = |look: &Look| (look.at / 60.0, look.resident as f64 / 1024.0);
    let points: Vec<_> = looks.iter().map(kib).collect();
    let (slope, allowed) = (slope(&points), 2.0 * scatter(&points) / minutes);
    let served = (last.served - first.served) as f64;
    verdict.judge(
        slope <= allowed,
        &format!(
            "resident memory grows by {slope:.1} KiB a minute, where {allowed:.1} would be seen; {:.1} bytes for each \
             of {served} connections",
            slope * minutes * 1024.0 / served,
        ),
    );
}
