//! The judge: makes the link, cuts it, and says what holds.

use core::time::Duration;
use std::{process::ExitCode, thread, time::Instant};

use hybi_trials::{part::Part, process};

use crate::{
    LAST_WORDS, PING_INTERVAL, PING_TIMEOUT, SITUATIONS,
    link::{Link, part_alone},
};

/// Two runtimes, two roles, plain and TLS.
const CONNECTIONS: usize = 8 * SITUATIONS.len();

/// The peer may have answered a ping right before it fell silent. That is noticed when the time-out of the answer is
/// over; an interval later it is asked again, has the time-out to answer, and [`LAST_WORDS`] for its end.
const PROMISED: Duration = Duration::from_millis(
    (PING_INTERVAL.as_millis() + 2 * PING_TIMEOUT.as_millis() + LAST_WORDS.as_millis()) as u64,
);

/// What a machine that is busy with other things may add to it.
const SLACK: Duration = Duration::from_secs(5);

/// The longest that all connections may take to be open.
const PATIENCE: Duration = Duration::from_secs(30);

/// What may stay allocated that is of no connection: queues and tables that grew.
const GROWN: usize = 64 * 1024;

/// What the near end holds when nobody is there.
#[derive(Clone, Copy, Debug)]
struct Held {
    descriptors: usize,
    allocated: usize,
    tasks: usize,
}

struct World {
    near: Part,
    far: Part,
    link: Link,
}

impl World {
    fn held(&mut self) -> Held {
        let numbers = self.near.ask("held");
        let mut numbers = numbers.split(' ').map(|number| number.parse().expect("a number"));
        Held {
            descriptors: process::descriptors(self.near.id()).expect("/proc/PID/fd"),
            allocated: numbers.next().expect("bytes"),
            tasks: numbers.next().expect("tasks"),
        }
    }

    /// How many connections are open, and how many ended.
    fn open(&mut self) -> (usize, usize) {
        let numbers = self.near.ask("open");
        let (open, ended) = numbers.split_once(' ').expect("two numbers");
        (open.parse().expect("a number"), ended.parse().expect("a number"))
    }

    /// Opens all connections, keeps them for longer than a silent peer would be, cuts them, and takes in how each
    /// of them ended.
    fn round(&mut self, places: &[String; 2]) -> Result<Vec<String>, String> {
        for (part, place) in [(&mut self.near, &places[0]), (&mut self.far, &places[1])] {
            assert_eq!(part.ask(&format!("connect {place}")), "connecting");
        }
        let patience = Instant::now() + PATIENCE;
        while self.open() != (CONNECTIONS, 0) {
            if Instant::now() > patience {
                return Err(format!("open and ended: {:?}, not {CONNECTIONS}", self.open()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(2 * PROMISED);
        if self.open() != (CONNECTIONS, 0) {
            return Err(format!("with the link in order, {:?} are open and ended", self.open()));
        }
        assert_eq!(self.near.ask("cut"), "cut");
        self.link.cut();
        let ends = self.near.ask("ends");
        self.link.restore();
        assert_eq!(self.far.ask("forget"), "forgotten");
        Ok(ends.split(';').map(str::to_owned).collect())
    }
}

pub(crate) fn run() -> ExitCode {
    let [mut near, mut far] = ["near", "far"].map(part_alone);
    // Each is in its namespace as soon as it answers.
    let _ = near.ask("open");
    assert_eq!(far.ask("forget"), "forgotten");
    let link = Link::make(near.id(), far.id());
    let places = [far.ask("serve"), near.ask("serve")];
    let mut world = World { near, far, link };

    // Once, so that whatever is made once is there.
    let mut failures = Vec::new();
    let mut ends = Vec::new();
    let mut held = Vec::new();
    for _ in 0..2 {
        match world.round(&places) {
            Ok(more) => ends = more,
            Err(why) => failures.push(why),
        }
        held.push(world.held());
    }

    let mut longest = 0;
    for end in &ends {
        let mut parts = end.splitn(3, ',');
        let (right, after, what) = (parts.next(), parts.next(), parts.next().unwrap_or(end));
        let after: u64 = after.and_then(|after| after.parse().ok()).unwrap_or(u64::MAX);
        println!("{after:>5} ms: {what}");
        longest = longest.max(after);
        if right != Some("true") {
            failures.push(format!("not as a peer that does not answer: {what}"));
        }
        if u128::from(after) > (PROMISED + SLACK).as_millis() {
            failures.push(format!("too late: {what}"));
        }
    }
    println!(
        "{} connections; the last ended {longest} ms after the cut, {} ms are promised",
        ends.len(),
        PROMISED.as_millis()
    );
    if ends.len() != CONNECTIONS {
        failures.push(format!("{} ends, not {CONNECTIONS}", ends.len()));
    }
    if let [first, second] = held[..] {
        println!("held after each round: {first:?}, {second:?}");
        let kept = second.allocated.saturating_sub(first.allocated);
        if (first.descriptors, first.tasks) != (second.descriptors, second.tasks) || kept > GROWN {
            failures.push("something is left of the connections".to_owned());
        }
    }
    for failure in &failures {
        println!("FAILED: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
