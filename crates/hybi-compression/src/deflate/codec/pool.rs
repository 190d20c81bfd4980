//! DEFLATE states: a few are kept by each thread for whoever needs one next.
//!
//! Either takes longer to make than to use for a small message, and a compressor is large. Both come
//! back here when they are dropped. The one used last is taken first: it is in the cache still.
//! A thread that waits for one connection alone leaves them to all others before it does.

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering};
use core::{fmt, mem};
use std::sync::{Mutex, PoisonError};

use super::TAIL;
use super::library::{Compressor, Decompressor, End, Flush, Payload};

pub(crate) use super::library::Inflated;

/// A compressor, as if new when it is taken.
pub(crate) struct Deflater {
    kind: Kind,
    /// Absent when it gave up, and while it is dropped.
    state: Option<Compressor>,
}

/// A compressor that was not flushed, and keeps back some of what it made.
///
/// It does not come back here: zlib-rs (0.6.8) forgets, when it is reset, where in its buffer the rest
/// began, and panics later for want of room there.
pub(super) struct Unflushed(Compressor);

/// Compressors that do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) level: u8,
    pub(crate) window_bits: u8,
}

impl Kind {
    /// How many bytes are compressed at once, for which others wait: half a millisecond or less for
    /// most of them. Where nothing but a few letters comes in any order, the higher levels look at all
    /// that looks alike: 4 KiB of zeros and ones take 5 to 8 ms at level 9.
    pub(crate) fn slice_len(self) -> usize {
        match self.level {
            0..=5 => usize::MAX,
            6..=7 => 16 << 10,
            _ => 4 << 10,
        }
    }
}

impl Deflater {
    pub(crate) fn take(kind: Kind) -> Self {
        let kept = with_pool(|pool| pool.deflater(kind)).flatten();
        let state = match kept.or_else(|| shared(|pool| pool.deflater(kind))) {
            Some(mut state) => {
                state.reset();
                state
            }
            None => Compressor::new(kind),
        };
        Self { kind, state: Some(state) }
    }

    /// Goes on with one of this kind, which is to be flushed or fed next.
    pub(super) fn resume(kind: Kind, Unflushed(state): Unflushed) -> Self {
        Self { kind, state: Some(state) }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Appends the compressed payload, or the end of it, without its tail. `false`: the state is of
    /// no use any more, and what was appended neither.
    pub(super) fn message(&mut self, payload: &[u8], out: &mut Vec<u8>, most: usize) -> bool {
        let done = self.flush(payload, out, most);
        out.truncate(out.len() - if done { TAIL.len() } else { 0 });
        done
    }

    /// Appends the compressed bytes, tail and all, as long as `out` gets no longer than `most`.
    pub(crate) fn flush(&mut self, bytes: &[u8], out: &mut Vec<u8>, most: usize) -> bool {
        let state = self.state.as_mut();
        let done = state.is_some_and(|state| state.run(bytes, Flush::Yes, out, most));
        if !done {
            self.state = None;
        }
        done
    }

    /// The same without a flush: more is to follow. `None` where that says `false`.
    pub(super) fn feed(
        mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Option<Unflushed> {
        let mut state = self.state.take()?;
        state.run(bytes, Flush::No, out, most).then_some(Unflushed(state))
    }

    /// Makes what comes next refer back to these bytes, which the peer has.
    pub(super) fn remember(&mut self, bytes: &[u8]) -> bool {
        self.state.as_mut().is_some_and(|state| state.remember(bytes))
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            with_pool(|pool| {
                if pool.deflaters.len() >= KEPT {
                    pool.deflaters.remove(0);
                }
                pool.deflaters.push((self.kind, state));
            });
        }
    }
}

impl fmt::Debug for Unflushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unflushed")
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A decompressor, as if new when it is taken. Its window has 15 bits whatever was agreed on, which
/// costs little and asks nothing of the peer.
pub(crate) struct Inflater(Option<Decompressor>);

impl Inflater {
    pub(crate) fn take() -> Self {
        let state = with_pool(|pool| pool.inflaters.pop()).flatten();
        let state = state.or_else(|| shared(|pool| pool.inflaters.pop()));
        let mut inflater = Self(Some(state.unwrap_or_else(Decompressor::new)));
        inflater.reset();
        inflater
    }

    pub(crate) fn reset(&mut self) {
        if let Some(state) = &mut self.0 {
            state.reset();
        }
    }

    /// Decompresses as much as there is input, or room for what comes of it. `None`: it is not
    /// DEFLATE data.
    pub(crate) fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> Option<Inflated> {
        let (Inflated { taken, made, end }, valid) = self.0.as_mut()?.inflate(input, out);
        match valid {
            true => Some(Inflated { taken, made, end }),
            // What came before the error counts, however the payload was cut; a byte is left for
            // the call that finds the error alone.
            false if made > 0 => {
                Some(Inflated { taken: taken.min(input.len().saturating_sub(1)), made, end: false })
            }
            false => None,
        }
    }

    /// Makes sure that a payload ended with a block, and ends the one whose tail was taken off.
    pub(super) fn end(&mut self, payload: Payload) -> End {
        self.0.as_mut().map_or(End::Inside, |state| state.end(payload))
    }

    /// Lets what comes next refer back to these bytes, at most a window of them.
    pub(super) fn remember(&mut self, bytes: &[u8]) -> bool {
        self.0.as_mut().is_some_and(|state| state.remember(bytes))
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        if let Some(state) = self.0.take() {
            with_pool(|pool| {
                if pool.inflaters.len() >= KEPT {
                    pool.inflaters.remove(0);
                }
                pool.inflaters.push(state);
            });
        }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inflater")
    }
}

/// Where decompressed bytes lie until their receiver has taken them. Nothing is sized by what a peer
/// declares, and a bomb goes off here.
pub(super) struct Scratch(Box<[u8]>);

impl Scratch {
    pub(super) fn take() -> Self {
        let kept = with_pool(|pool| pool.scratches.pop()).flatten();
        let kept = kept.or_else(|| shared(|pool| pool.scratches.pop()));
        Self(kept.unwrap_or_else(|| vec![0; SCRATCH].into_boxed_slice()))
    }

    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let room = mem::take(&mut self.0);
        with_pool(|pool| {
            if pool.scratches.is_empty() {
                pool.scratches.push(room);
            }
        });
    }
}

/// What a thread keeps, or what threads left to others.
#[derive(Default)]
struct Pool {
    deflaters: Vec<(Kind, Compressor)>,
    inflaters: Vec<Decompressor>,
    scratches: Vec<Box<[u8]>>,
}

impl Pool {
    const fn new() -> Self {
        Self { deflaters: Vec::new(), inflaters: Vec::new(), scratches: Vec::new() }
    }

    fn deflater(&mut self, kind: Kind) -> Option<Compressor> {
        let at = self.deflaters.iter().rposition(|(other, _)| *other == kind)?;
        Some(self.deflaters.remove(at).1)
    }

    fn is_empty(&self) -> bool {
        self.deflaters.is_empty() && self.inflaters.is_empty() && self.scratches.is_empty()
    }
}

/// Leaves what this thread keeps to whichever thread needs it next.
pub(crate) fn share() {
    with_pool(|pool| {
        if pool.is_empty() {
            return;
        }
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = (
            leave(&mut pool.deflaters, &mut shared.deflaters),
            leave(&mut pool.inflaters, &mut shared.inflaters),
            leave(&mut pool.scratches, &mut shared.scratches),
        );
        IS_SHARED.store(true, Ordering::Relaxed);
        // Released without the lock.
        drop(shared);
        drop(gone);
    });
}

/// Moves them; what is too much, the oldest first, is given back to be released.
fn leave<T>(left: &mut Vec<T>, shared: &mut Vec<T>) -> Vec<T> {
    shared.append(left);
    match shared.len().saturating_sub(KEPT_SHARED) {
        0 => Vec::new(),
        surplus => shared.drain(..surplus).collect(),
    }
}

/// Takes something that was left. Threads of which none ever leaves anything pay a look for it.
fn shared<T>(take: impl FnOnce(&mut Pool) -> Option<T>) -> Option<T> {
    if !IS_SHARED.load(Ordering::Relaxed) {
        return None;
    }
    take(&mut SHARED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// `None` while the thread ends, when nothing is kept any more.
fn with_pool<T>(f: impl FnOnce(&mut Pool) -> T) -> Option<T> {
    POOL.try_with(|pool| f(&mut pool.borrow_mut())).ok()
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

static SHARED: Mutex<Pool> = Mutex::new(Pool::new());
static IS_SHARED: AtomicBool = AtomicBool::new(false);

/// Of each kind, by one thread.
const KEPT: usize = 2;

/// Of each kind, by all threads together.
const KEPT_SHARED: usize = 8;

/// As much as can be referred back to, so that a long message is copied to the window once.
const SCRATCH: usize = 64 * 1024;
