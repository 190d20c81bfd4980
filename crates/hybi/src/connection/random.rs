//! Random bytes for masking keys and nonces (RFC 6455 sections 4.1 and 5.3): the operating system's,
//! which nobody can foresee, fetched for many frames at once.

use core::cell::RefCell;

/// How many bytes a thread holds in store: a call of the system for 256 masking keys.
const STORE: usize = 1024;

thread_local! {
    static RANDOM: RefCell<Store> = const { RefCell::new(Store { bytes: [0; STORE], used: STORE }) };
}

struct Store {
    bytes: [u8; STORE],
    /// Those in front of this were given out.
    used: usize,
}

/// `N` random bytes, which are given out once. A process that forks has two of each store: it should
/// not use connections on both sides, which share their transports as well.
///
/// # Panics
///
/// When the operating system has none to give. Keys that can be guessed would let a page plant
/// requests of its choice in what a proxy reads (section 10.3), so there is no going on without.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    RANDOM.with_borrow_mut(|store| {
        let mut taken = store.take();
        if taken.is_none() {
            getrandom::fill(&mut store.bytes).expect("random bytes of the operating system");
            store.used = 0;
            taken = store.take();
        }
        taken.expect("no more than the store holds")
    })
}

impl Store {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        const { assert!(N <= STORE) };
        let bytes = *self.bytes[self.used..].first_chunk()?;
        self.used += N;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_bytes_are_given_out_twice() {
        let mut seen = HashSet::new();
        for _ in 0..10 * STORE / 16 {
            assert!(seen.insert(random::<16>()));
            random::<4>();
        }
    }

    #[test]
    fn every_bit_comes_up_in_both_values() {
        let (mut ones, mut zeros) = (0, 0);
        for _ in 0..10 * STORE / 4 {
            let key = u32::from_ne_bytes(random());
            ones |= key;
            zeros |= !key;
        }
        assert_eq!((ones, zeros), (u32::MAX, u32::MAX));
    }
}
