//! Compressors held in the middle of long messages, beside the budget (`Deflate::set_budget`), which
//! all connections of a process share: so these have a process of their own, and take turns.
#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use hybi_compression::{Chain, Compress, Deflate, Encoding, Rsv, Step};
use hybi_testkit::allocator::{Counting, Meter};

use support::endpoint::{Endpoint, pair};
use support::text::record;

#[global_allocator]
static COUNTING: Counting = Counting;

const MIB: usize = 1 << 20;

/// The budget while a test runs alone.
fn budget(bytes: usize) -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Deflate::set_budget(bytes);
    alone
}

fn say(from: &mut Endpoint, to: &mut Endpoint, message: &[u8]) {
    let wire = from.send(message, Compress::Always, usize::MAX);
    assert!(to.receive_one(&wire) == message);
}

/// The next step of a long message, of which there is more.
fn more(chain: &mut Chain, encoding: Encoding<Vec<u8>>) -> Encoding<Vec<u8>> {
    let Step::More(more) = chain.advance(encoding, SLICE) else { panic!("there is more") };
    more
}

fn finish(chain: &mut Chain, mut encoding: Encoding<Vec<u8>>) -> Vec<u8> {
    for _ in 0..100 {
        match chain.advance(encoding, SLICE) {
            Step::More(more) => encoding = more,
            Step::Done(encoded) => {
                assert_eq!(encoded.rsv(), Rsv::RSV1);
                return encoded.as_ref().to_vec();
            }
        }
    }
    panic!("there is no end to it")
}

const SLICE: usize = 10 << 10;

/// In the middle of a long message its compressor is its connection's own: nobody can push it out, and
/// it pushes out nobody. When the message is done, or is given up, it is counted again or gone.
#[test]
fn messages_in_progress_are_not_in_the_budget() {
    let _alone = budget(MIB);
    let (mut client, mut server) = pair(Deflate::default(), Deflate::default());
    say(&mut client, &mut server, &record(1000, 1));
    let idle = Deflate::budget_used();
    let (mut to, mut from) = pair(Deflate::default(), Deflate::default());
    say(&mut from, &mut to, &record(1000, 1));
    let (used, deflater) = (Deflate::budget_used(), Deflate::budget_used() - idle - 48 * 1024);
    for turn in 0..5 {
        let message = record(5 * SLICE, turn);
        let encoding = from.chain.start_message(message.clone(), Compress::Auto);
        let encoding = more(&mut from.chain, encoding);
        assert_eq!(Deflate::budget_used(), used - deflater);
        if turn % 2 == 0 {
            say(&mut client, &mut server, &record(1000, turn));
            from.chain.park();
            assert_eq!(Deflate::budget_used(), used - deflater);
        }
        let payload = finish(&mut from.chain, encoding);
        let wire = from.frames(Some(Rsv::RSV1), &payload, usize::MAX);
        assert!(to.receive_one(&wire) == message);
        assert_eq!(Deflate::budget_used(), used);
    }
    let encoding = from.chain.start_message(record(5 * SLICE, 9), Compress::Auto);
    let _encoding = more(&mut from.chain, encoding);
    drop((from, to));
    assert_eq!(Deflate::budget_used(), idle);
}

/// A crowd that sends long messages in turns holds no more compressors than would be kept between
/// messages. Those that hold none are understood as well, and hardly longer.
#[test]
fn a_crowd_in_the_middle_of_messages_holds_few_compressors() {
    for bytes in [0, 2 * MIB] {
        let _alone = budget(bytes);
        for level in [1, 6] {
            let deflate = Deflate::default().level(level);
            let mut pairs: Vec<_> = (0..60).map(|_| pair(deflate, deflate)).collect();
            let messages: Vec<_> = (0..60).map(|seed| record(5 * SLICE, seed)).collect();
            for (client, server) in &mut pairs {
                say(server, client, &record(1000, 1));
            }
            let meter = Meter::start();
            let mut all: Vec<_> = pairs
                .iter_mut()
                .zip(&messages)
                .map(|((_, server), message)| {
                    server.chain.start_message(message.clone(), Compress::Auto)
                })
                .collect();
            for _ in 0..4 {
                let next = pairs.iter_mut().zip(all);
                all = next.map(|((_, server), one)| more(&mut server.chain, one)).collect();
                // Each has its message and what came of it, and the thread keeps two compressors.
                let most = bytes + 60 * 2 * 5 * SLICE + MIB;
                assert!(meter.held() < most, "{} of {most}", meter.held());
            }
            let lens: Vec<_> = pairs
                .iter_mut()
                .zip(all)
                .zip(&messages)
                .map(|(((client, server), one), message)| {
                    let payload = finish(&mut server.chain, one);
                    let wire = server.frames(Some(Rsv::RSV1), &payload, usize::MAX);
                    assert!(client.receive_one(&wire) == *message);
                    say(server, client, &record(1000, 3));
                    payload.len()
                })
                .collect();
            // The first hold one, the last do not.
            let (held, not) = (lens[..5].iter().sum::<usize>(), lens[55..].iter().sum::<usize>());
            assert!(not < held + held / 5, "{not}, {held}");
            drop(pairs);
            assert_eq!(Deflate::budget_used(), 0);
        }
    }
}
