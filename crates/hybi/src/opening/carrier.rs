//! Carrier: what a transport goes over, which says whether frames are masked.

use crate::connection::Negotiated;

/// What connections go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Whatever may lie between two hosts.
    Network,
    /// Another connection, whose frames are masked already.
    #[cfg(feature = "mux")]
    Connection,
}

impl Carrier {
    /// What a handshake settled, and whether frames are masked.
    pub(crate) fn settle(self, negotiated: Negotiated) -> Negotiated {
        match self {
            Self::Network => negotiated,
            #[cfg(feature = "mux")]
            Self::Connection => negotiated.unmasked(),
        }
    }
}
