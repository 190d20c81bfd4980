//! AcceptOnly: an extension that servers accept and clients do not offer (RFC 6455 §9.1).

use hybi_handshake::{ExtensionOffer, Version};

use crate::extension::{Agreed, AnswerError, Extension};

/// An extension for servers alone: a client does not offer it, so that no server can choose it.
///
/// For what a server may meet in offers, while some servers would not take it well if it were
/// offered to them.
///
/// ```
/// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
/// use hybi_compression::{AcceptOnly, Deflate, DeflateFrame, Extensions};
/// use hybi_handshake::Version;
///
/// let old = AcceptOnly(DeflateFrame::new(Deflate::default()));
/// let either_role = Extensions::from(Deflate::default()).with(old);
/// assert_eq!(either_role.offers(Version::RFC6455).len(), 1);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a wrapper")]
pub struct AcceptOnly<E>(pub E);

impl<E: Extension> Extension for AcceptOnly<E> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn is_for(&self, version: Version) -> bool {
        self.0.is_for(version)
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        Vec::new()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        self.0.accept(offer)
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        self.0.confirm(answer)
    }
}
