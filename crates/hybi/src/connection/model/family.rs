//! One version for each way in which connections end and frames are laid out.

use hybi_frame::{Closing, Limits, Role};
use hybi_handshake::Version;

use crate::{
    connection::{Negotiated, framing::Framing},
    legacy::{OLDEST, Terms},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family(pub(super) Version);

/// The families that are compiled in.
pub(super) fn families() -> impl Iterator<Item = Family> {
    let versions = [
        Version::HIXIE_75,
        Version::HIXIE_76,
        Version::HYBI_01,
        Version::HYBI_03,
        Version::HYBI_05,
        Version::HYBI_06,
        Version::RFC6455,
    ];
    versions.into_iter().filter(|version| *version >= OLDEST).map(Family)
}

impl Family {
    pub(super) fn closing(self) -> Closing {
        Framing::new(&self.negotiated(), Role::Client, Limits::default()).rules().closing()
    }

    pub(super) fn negotiated(self) -> Negotiated {
        match Terms::new(self.0) {
            Some(terms) => Negotiated::default().under(terms),
            None => Negotiated::new(self.0, None, Vec::new()),
        }
    }
}
