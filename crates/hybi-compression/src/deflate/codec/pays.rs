//! Pays: whether to compress a payload, told from a little of it before the whole is paid for.
//!
//! Noise takes longer to compress than anything else, ten times as long as text, for nothing. It is
//! told by its look, which takes some 25 ns for each place that is looked at. What looks like noise
//! may still have something to save, so now and then one is tried.

use super::pool::{Deflater, Kind};

/// What the payloads of one direction have shown so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pays {
    /// How many more that look like noise are left as they are.
    skip: u8,
    /// How many those were when one was last tried in vain.
    distance: u8,
    /// Of how many long ones that do not look like noise a sample comes first, since one got no
    /// smaller.
    doubt: u8,
    /// The current one looks like noise.
    noise: bool,
}

impl Pays {
    /// Whether to compress this payload.
    pub(super) fn expects(&mut self, payload: &[u8], kind: Kind) -> bool {
        self.noise = is_noise(payload);
        if self.noise && self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let sure = !self.noise && self.doubt == 0;
        let expects = sure || payload.len() < SAMPLED_MIN || sample_pays(payload, kind);
        if !expects {
            self.learns(payload.len(), payload.len());
        }
        expects
    }

    /// Notes what became of a payload of this length.
    pub(super) fn learns(&mut self, len: usize, compressed: usize) {
        let pays = is_less(compressed, len);
        match (self.noise, pays) {
            (true, true) => (self.skip, self.distance) = (0, 0),
            (true, false) => {
                self.distance = self.distance.saturating_mul(4).saturating_add(3).min(MAX_DISTANCE);
                self.skip = self.distance;
            }
            (false, _) if len < SAMPLED_MIN => {}
            (false, true) => self.doubt = self.doubt.saturating_sub(1),
            (false, false) => self.doubt = DOUBT,
        }
    }
}

/// Whether nothing speaks for compressing: bytes are as different from each other as those of noise
/// are, at every place looked at. These are spread over the payload, since half of one may be worth
/// it.
pub(crate) fn is_noise(payload: &[u8]) -> bool {
    let places = (payload.len() / STRIDE).clamp((payload.len() / PLACE).min(2), MAX_PLACES);
    let Some(stride) = payload.len().checked_div(places) else { return false };
    // From the middle of each stride: what is in front of all is often of another kind.
    payload.chunks_exact(stride).all(|stride| {
        let place = stride[(stride.len() - PLACE) / 2..].first_chunk();
        place.is_some_and(|place| distinct(place) > DISTINCT)
    })
}

/// How many values there are among these bytes.
fn distinct(bytes: &[u8; PLACE]) -> usize {
    let mut seen = [0_u8; 256];
    for &byte in bytes {
        seen[usize::from(byte)] = 1;
    }
    // In pieces whose sums are bytes as well.
    seen.chunks_exact(128).map(|half| usize::from(half.iter().sum::<u8>())).sum()
}

/// Whether pieces of a long payload get smaller together.
fn sample_pays(payload: &[u8], kind: Kind) -> bool {
    let piece = (payload.len() / 128).clamp(256, 1024);
    let mut sample = Vec::with_capacity(4 * piece);
    for quarter in payload.chunks_exact(payload.len() / 4) {
        sample.extend_from_slice(&quarter[(quarter.len() - piece) / 2..][..piece]);
    }
    let mut out = Vec::with_capacity(5 * piece);
    Deflater::take(kind).message(&sample, &mut out, usize::MAX) && is_less(out.len(), sample.len())
}

/// Whether this is less by enough to be worth the time of either side.
fn is_less(compressed: usize, len: usize) -> bool {
    compressed < len - len / 64
}

/// What is looked at in one place. That many bytes of noise have 101 values among them, give or
/// take 4, and those of messages in a binary format 77, give or take 5.
const PLACE: usize = 128;

/// The most values among the bytes of a place that is not of noise: noise has as few once in 300,000
/// places.
const DISTINCT: usize = 84;

/// How far the places are from each other in a payload of some length.
const STRIDE: usize = 2048;

/// In a longer one they are spread, and what lies between two is less than a hundredth of it.
const MAX_PLACES: usize = 128;

/// From this length on, a sample is compressed before the whole is; of a shorter payload, the whole
/// is the sample.
const SAMPLED_MIN: usize = 4096;

/// The most that are left alone between two that are tried.
const MAX_DISTANCE: u8 = 127;

/// What one long payload in vain is worth.
const DOUBT: u8 = 16;
