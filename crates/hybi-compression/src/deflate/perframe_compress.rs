//! perframe-compress: deflate-frame as one of several possible methods
//! (draft-ietf-hybi-websocket-perframe-compression-00 to -04, 2012).

use hybi_handshake::{ExtensionOffer, Version};

use crate::deflate::Deflate;
use crate::deflate::deflate_frame::{MAX_WINDOW_BITS, accept, confirm, demands};
use crate::deflate::methods;
use crate::extension::{Agreed, AnswerError, Extension};

/// perframe-compress, for peers of spring 2012.
///
/// It is [`DeflateFrame`](crate::DeflateFrame) with its parameters inside a list of methods, of which
/// `deflate` is the only one there ever was: `perframe-compress; method=deflate`. Other methods are
/// skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PerframeCompress {
    deflate: Deflate,
}

impl PerframeCompress {
    /// The extension with its method `deflate`.
    #[must_use]
    pub const fn new(deflate: Deflate) -> Self {
        Self { deflate }
    }
}

impl Extension for PerframeCompress {
    fn name(&self) -> &str {
        "perframe-compress"
    }

    fn is_for(&self, version: Version) -> bool {
        methods::version_has_methods(version)
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        let method = demands(methods::DEFLATE, &self.deflate, MAX_WINDOW_BITS);
        method.and_then(|method| methods::element(self.name(), &method)).into_iter().collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        let offered = methods::parse(offer)?;
        let mut known = offered.iter().filter(|method| method.name() == methods::DEFLATE);
        let (method, agreed) = known.find_map(|method| accept(&self.deflate, method))?;
        let answer = methods::element(self.name(), &method)?;
        Some(agreed.into_agreed(self.deflate, answer))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        let method = methods::chosen(answer, DOCUMENT)?;
        Ok(confirm(&self.deflate, &method)?.into_agreed(self.deflate, answer.clone()))
    }
}

const DOCUMENT: &str = "draft-ietf-hybi-websocket-perframe-compression-04";
