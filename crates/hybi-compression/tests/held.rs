//! Compressors held in the middle of long messages, beside the budget (`Deflate::set_budget`), which
//! all connections of a process share: so these have a process of their own, and take turns.
#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use hybi_compression::{Chain, Compress, Deflate, Encoded, Encoding, Rsv, Step};
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

#[derive(Clone, Debug)]
enum Act {
    Start { at: usize, len: usize, seed: u64 },
    Advance { at: usize, slice: usize },
    Finish { at: usize, slice: usize },
    Say { at: usize, len: usize, seed: u64 },
    Park(usize),
    Reconnect(usize),
    Budget(usize),
}

const PAIRS: usize = 5;

fn act() -> impl Strategy<Value = Act> {
    let (at, len, slice, seed) = (0..PAIRS, 1_usize..40_000, 1000_usize..9000, any::<u64>());
    prop_oneof![
        4 => (at.clone(), len.clone(), seed)
            .prop_map(|(at, len, seed)| Act::Start { at, len, seed }),
        8 => (at.clone(), slice.clone()).prop_map(|(at, slice)| Act::Advance { at, slice }),
        4 => (at.clone(), slice).prop_map(|(at, slice)| Act::Finish { at, slice }),
        2 => (at.clone(), len, seed).prop_map(|(at, len, seed)| Act::Say { at, len, seed }),
        1 => at.clone().prop_map(Act::Park),
        1 => at.prop_map(Act::Reconnect),
        1 => (0_usize..3).prop_map(Act::Budget),
    ]
}

/// A connection that sends, and what it is sending.
struct Sender {
    from: Endpoint,
    to: Endpoint,
    sending: Option<(Encoding<Vec<u8>>, Vec<u8>)>,
}

impl Sender {
    fn new(at: usize) -> Self {
        let deflate = Deflate::default()
            .level([1, 2, 6, 9, 1][at])
            .own_window_bits([15, 9, 15, 12, 15][at])
            .own_context_takeover(at != 4);
        let (to, from) = pair(Deflate::default(), deflate);
        Self { from, to, sending: None }
    }

    fn advance(&mut self, slice: usize) -> bool {
        let Some((encoding, message)) = self.sending.take() else { return false };
        match self.from.chain.advance(encoding, slice) {
            Step::More(more) => {
                self.sending = Some((more, message));
                true
            }
            Step::Done(encoded) => {
                let rsv = Some(encoded.rsv()).filter(|_| !matches!(encoded, Encoded::AsIs(_)));
                let wire = self.from.frames(rsv, encoded.as_ref(), usize::MAX);
                assert!(self.to.receive_one(&wire) == message);
                false
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Messages in slices, given up, pushed aside by others, and with room for one or two compressors.
    #[test]
    fn slices_at_any_time_are_invisible(acts in prop::collection::vec(act(), 1..80)) {
        let _alone = budget(MIB);
        let mut senders: Vec<_> = (0..PAIRS).map(Sender::new).collect();
        let text = |len, seed: u64| {
            if seed.is_multiple_of(4) { noise(len, seed) } else { record(len, seed % 7) }
        };
        for act in acts {
            match act {
                Act::Start { at, len, seed } => {
                    let (message, sender) = (text(len, seed), &mut senders[at]);
                    let compress = [Compress::Auto, Compress::Always][seed as usize % 2];
                    let encoding = sender.from.chain.start_message(message.clone(), compress);
                    sender.sending = Some((encoding, message));
                }
                Act::Advance { at, slice } => {
                    senders[at].advance(slice);
                }
                Act::Finish { at, slice } => while senders[at].advance(slice) {},
                Act::Say { at, len, seed } => {
                    let Sender { from, to, .. } = &mut senders[at];
                    say(from, to, &text(len, seed));
                }
                Act::Park(at) => {
                    senders[at].from.chain.park();
                    senders[at].to.chain.park();
                }
                Act::Reconnect(at) => senders[at] = Sender::new(at),
                Act::Budget(size) => Deflate::set_budget([0, MIB / 2, 2 * MIB][size]),
            }
            prop_assert!(Deflate::budget_used() <= Deflate::budget());
        }
        drop(senders);
        prop_assert_eq!(Deflate::budget_used(), 0);
    }
}
