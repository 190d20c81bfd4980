//! hybi-04: the nonce of the server, and the key that masks frames.

use sha1::{Digest as _, Sha1};

const GUID: &[u8] = b"61AC5F19-FBBA-4540-B96F-6561F1AB40A8";

/// The key of a connection, which each frame's mask is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionKey(pub(crate) [u8; 20]);

impl ConnectionKey {
    pub(crate) fn new(key: &str, nonce: &str) -> Self {
        Self(Sha1::new().chain_update(key).chain_update(nonce).chain_update(GUID).finalize().into())
    }
}
