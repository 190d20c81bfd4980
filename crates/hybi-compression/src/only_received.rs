//! OnlyReceived: an extension that may come and is never sent.

use hybi_frame::Violation;

use crate::codec::{Compress, PayloadCodec, Progress};
use crate::extension::{Agreed, Start};

impl Agreed {
    /// The same, of which nothing is sent: what comes encoded is decoded. For peers that may or may not have understood
    /// that it was agreed on.
    ///
    /// Of an extension over the whole stream nothing can be left out, so that stays as it is.
    ///
    /// ```
    /// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
    /// use hybi_compression::{Deflate, ExtensionOffer, Extensions};
    /// use hybi_handshake::Version;
    ///
    /// let offers = ExtensionOffer::parse_list(["permessage-deflate"], Version::RFC6455).unwrap();
    /// let agreed = Extensions::from(Deflate::default()).accept(&offers, Version::RFC6455);
    /// let careful: Vec<_> = agreed.into_iter().map(|agreed| agreed.only_received()).collect();
    /// assert_eq!(careful[0].answer().name(), "permessage-deflate");
    /// # }
    /// ```
    #[must_use]
    pub fn only_received(mut self) -> Self {
        if let Start::Payload { make, .. } = &mut self.start {
            let inner = make.clone();
            *make = std::sync::Arc::new(move || Box::new(OnlyReceived(inner())));
        }
        self
    }
}

struct OnlyReceived(Box<dyn PayloadCodec>);

impl PayloadCodec for OnlyReceived {
    fn encode(&mut self, _: &[u8], _: Compress, _: &mut Vec<u8>) -> bool {
        false
    }

    fn encode_slice(
        &mut self,
        _: &[u8],
        _: core::ops::Range<usize>,
        _: Compress,
        _: &mut Vec<u8>,
    ) -> Progress {
        Progress::AsIs
    }

    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        self.0.decode(piece, end, out)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn park(&mut self) {
        self.0.park();
    }
}
