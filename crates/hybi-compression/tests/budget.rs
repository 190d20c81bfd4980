//! The budget of states (`Deflate::set_budget`), which all connections of a process share: so these
//! have a process of their own, and take turns.
#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use hybi_compression::{Compress, Deflate};
use hybi_suite::allocator::{Counting, Meter};
use proptest::prelude::*;

use support::endpoint::{Endpoint, pair};
use support::text::{noise, record};

#[global_allocator]
static COUNTING: Counting = Counting;

const MIB: usize = 1 << 20;

/// The budget while a test runs alone.
fn budget(bytes: usize) -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(Deflate::budget_used(), 0, "nobody is connected");
    Deflate::set_budget(bytes);
    assert_eq!(Deflate::budget(), bytes);
    alone
}

fn say(from: &mut Endpoint, to: &mut Endpoint, message: &[u8]) -> usize {
    let wire = from.send(message, Compress::Always, usize::MAX);
    assert!(to.receive_one(&wire) == message);
    wire.len()
}

/// What is said to be in use is what the allocator gave.
#[test]
fn states_are_counted_by_their_size() {
    let _alone = budget(usize::MAX);
    let windows = if Deflate::HAS_WINDOW_BITS { 8..=15 } else { 15..=15 };
    for bits in windows {
        for level in [1, 3, 6, 9] {
            const PAIRS: usize = 20;
            let deflate = Deflate::default().own_window_bits(bits).level(level);
            let connect = |_| pair(deflate, deflate);
            // What the thread keeps is there before.
            drop(
                (0..PAIRS)
                    .map(connect)
                    .map(|(mut a, mut b)| {
                        say(&mut a, &mut b, &record(1000, 1));
                        (a, b)
                    })
                    .collect::<Vec<_>>(),
            );
            let mut pairs: Vec<_> = (0..PAIRS).map(connect).collect();
            let meter = Meter::start();
            for (client, server) in &mut pairs {
                say(client, server, &record(1000, 1));
            }
            let (held, used) = (meter.held(), Deflate::budget_used());
            // A few states were the thread's, and histories are beside it. With a C library in its
            // place, what miniz_oxide takes is counted, which is more.
            let least = if Deflate::HAS_WINDOW_BITS { used - used / 7 } else { used / 2 };
            let counted = least..used + PAIRS * 4096 + used / 16;
            assert!(counted.contains(&held), "{bits} {level}: {held} is not {used}");
            drop(pairs);
            assert_eq!(Deflate::budget_used(), 0, "given back with the connection");
        }
    }
}

/// However many connections there are, and whether they take turns or not.
#[test]
fn the_budget_is_never_exceeded() {
    let _alone = budget(8 * MIB);
    let meter = Meter::start();
    let mut pairs: Vec<_> =
        (0..200).map(|_| pair(Deflate::default(), Deflate::default())).collect();
    for turn in 0..4 {
        for (client, server) in &mut pairs {
            say(client, server, &record(1000, turn));
            say(server, client, &record(1000, turn));
            assert!(Deflate::budget_used() <= 8 * MIB);
        }
    }
    assert!(Deflate::budget_used() > 7 * MIB, "it is used: {}", Deflate::budget_used());
    // And so many histories, and what the thread keeps.
    assert!(meter.peak() < 8 * MIB + 400 * 16 * 1024 + 3 * MIB, "{}", meter.peak());
    Deflate::set_budget(MIB);
    assert!(Deflate::budget_used() <= MIB, "less holds at once");
    for (client, server) in &mut pairs {
        say(client, server, &record(1000, 5));
    }
    drop(pairs);
    assert_eq!(Deflate::budget_used(), 0);
}

/// A peer that never ends its message holds a state that is not in the budget, so that it takes
/// nobody else's.
#[test]
fn messages_that_never_end_push_out_nobody() {
    let _alone = budget(MIB);
    let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
    say(&mut client, &mut server, &record(1000, 1));
    let used = Deflate::budget_used();
    let mut held: Vec<_> = (0..100).map(|_| pair(Deflate::default(), Deflate::default())).collect();
    for (_, server) in &mut held {
        server.receive(b"\x42\x81\0\0\0\0\xf2").expect("a beginning");
    }
    assert_eq!(Deflate::budget_used(), used);
    drop(held);
    assert_eq!(Deflate::budget_used(), used);
}

/// Without takeover there is nothing to keep.
#[test]
fn without_takeover_the_budget_is_not_used() {
    let _alone = budget(MIB);
    let deflate = Deflate::default().own_context_takeover(false).peer_context_takeover(false);
    let (mut client, mut server) = pair(deflate, deflate);
    for seed in 0..3 {
        say(&mut client, &mut server, &record(3000, seed));
        assert_eq!(Deflate::budget_used(), 0);
    }
}

/// What was pushed out is made again with what the next message is most like.
#[test]
fn messages_stay_small_beyond_the_budget() {
    let sizes = [usize::MAX, 0].map(|bytes| {
        let _alone = budget(bytes);
        let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
        let sizes = (0..40).map(|seed| say(&mut client, &mut server, &record(1000, seed)));
        sizes.skip(10).sum::<usize>()
    });
    let [kept, made_again] = sizes;
    assert!(made_again < kept * 6 / 5, "{made_again} for {kept}");
}

/// Connections move from thread to thread, and take their states from wherever they left them.
#[test]
fn states_follow_their_connection_to_other_threads() {
    let _alone = budget(4 * MIB);
    let mut pairs: Vec<_> = (0..40).map(|_| pair(Deflate::default(), Deflate::default())).collect();
    for turn in 0..6 {
        let (one, other) = pairs.split_at_mut(10 + turn * 5);
        thread::scope(|scope| {
            for pairs in [one, other] {
                scope.spawn(move || {
                    for (client, server) in pairs {
                        say(client, server, &record(1000, turn as u64));
                        say(server, client, &record(1500, turn as u64));
                    }
                });
            }
        });
        assert!(Deflate::budget_used() <= 4 * MIB);
    }
    drop(pairs);
    assert_eq!(Deflate::budget_used(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Say { pair: usize, to_client: bool, len: usize, seed: u64 },
    Park(usize),
    Reconnect(usize),
    Budget(usize),
}

const PAIRS: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..PAIRS, any::<bool>(), 0_usize..6000, any::<u64>())
            .prop_map(|(pair, to_client, len, seed)| Step::Say { pair, to_client, len, seed }),
        1 => (0..PAIRS).prop_map(Step::Park),
        1 => (0..PAIRS).prop_map(Step::Reconnect),
        1 => (0_usize..3).prop_map(Step::Budget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Some connections of different windows, with room for the states of one or two.
    #[test]
    fn being_pushed_out_at_any_time_is_invisible(steps in prop::collection::vec(step(), 1..80)) {
        let _alone = budget(MIB);
        let deflate = |at: usize| {
            Deflate::default().own_window_bits(8 + at as u8 * 7 / 5).level(1 + at as u8)
        };
        let connect = |at| pair(deflate(at), deflate(PAIRS - 1 - at));
        let mut pairs: Vec<_> = (0..PAIRS).map(connect).collect();
        for step in steps {
            match step {
                Step::Say { pair, to_client, len, seed } => {
                    let (client, server) = &mut pairs[pair];
                    let (from, to) = if to_client { (server, client) } else { (client, server) };
                    let message =
                        if seed % 4 == 0 { noise(len, seed) } else { record(len, seed % 7) };
                    say(from, to, &message);
                }
                Step::Park(at) => {
                    pairs[at].0.chain.park();
                    pairs[at].1.chain.park();
                }
                Step::Reconnect(at) => pairs[at] = connect(at),
                Step::Budget(size) => Deflate::set_budget([0, MIB / 2, 2 * MIB][size]),
            }
            prop_assert!(Deflate::budget_used() <= Deflate::budget());
        }
        drop(pairs);
        prop_assert_eq!(Deflate::budget_used(), 0);
    }
}
