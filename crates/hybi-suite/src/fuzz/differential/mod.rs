//! Other implementations on the same bytes. Where one reads them otherwise than we do, the difference stands in its
//! file here with the reason; one that does not fails. Each of the list occurs in what is saved, or the tests fail.

mod fastwebsockets;
mod frames;
mod heads;
mod inflate;
mod tungstenite;

use core::fmt::Debug;

/// A target that holds ours beside another implementation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Differential {
    /// The names of the differences that are listed.
    pub listed: fn() -> Vec<&'static str>,
    /// Those of them by which the two read an input otherwise; panics when they do so by none.
    pub seen: fn(&[u8]) -> Vec<&'static str>,
}

pub(super) const REQUEST_HEAD: Differential =
    Differential { listed: || names(heads::LISTED), seen: heads::seen };
pub(super) const TUNGSTENITE: Differential = Differential {
    listed: || names(tungstenite::LISTED),
    seen: |data| frames::seen(data, tungstenite::receive, tungstenite::LISTED),
};
pub(super) const FASTWEBSOCKETS: Differential = Differential {
    listed: || names(fastwebsockets::LISTED),
    seen: |data| frames::seen(data, fastwebsockets::receive, fastwebsockets::LISTED),
};
pub(super) const INFLATE: Differential =
    Differential { listed: || names(inflate::LISTED), seen: inflate::seen };

/// A way in which another implementation is known to read otherwise.
struct Difference<Case> {
    name: &'static str,
    /// Whether two readings differ by this; it says exactly when they may.
    fits: fn(&Case) -> bool,
}

const fn difference<Case>(name: &'static str, fits: fn(&Case) -> bool) -> Difference<Case> {
    Difference { name, fits }
}

fn names<Case>(listed: &[Difference<Case>]) -> Vec<&'static str> {
    listed.iter().map(|one| one.name).collect()
}

/// The listed difference by which two readings differ.
fn explained<Case: Debug>(case: &Case, listed: &[Difference<Case>]) -> &'static str {
    let fitting = listed.iter().find(|one| (one.fits)(case));
    fitting.unwrap_or_else(|| panic!("no listed difference: {case:#02x?}")).name
}
