//! Extensions: what an endpoint is willing to use, and how two endpoints come to agree
//! (RFC 6455 §4.1, §4.2.2, §9.1).

use core::slice;
use std::sync::Arc;

use hybi_handshake::{ExtensionAnswer, ExtensionOffer, HandshakeError, Version};

use crate::extension::{Agreed, AnswerError, Extension};
use crate::of_messages::OfMessages;

/// The extensions that an endpoint is willing to use, most wanted first.
///
/// The default is permessage-deflate as it comes, and exists where a feature brings its algorithm: nothing
/// has another meaning for being compiled with more. Several elements of one name are alternatives: a
/// client that would like a smaller window than some servers have offers both forms.
///
/// ```
/// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
/// use hybi_compression::{Deflate, Extensions};
/// use hybi_handshake::Version;
///
/// # if !Deflate::HAS_WINDOW_BITS { return }
/// let extensions = Extensions::from(Deflate::default().peer_window_bits(10))
///     .with(Deflate::default());
/// let offers: Vec<_> = extensions.offers(Version::RFC6455).iter().map(ToString::to_string).collect();
/// assert_eq!(offers, [
///     "permessage-deflate; server_max_window_bits=10; client_max_window_bits",
///     "permessage-deflate; client_max_window_bits",
/// ]);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Extensions(Arc<[Arc<dyn Extension>]>);

impl Extensions {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new([]))
    }

    /// Adds others behind those already there.
    #[must_use]
    pub fn with(self, others: impl Into<Self>) -> Self {
        Self(self.0.iter().chain(others.into().0.iter()).cloned().collect())
    }

    /// The same, of which only what works on [whole messages](Agreed::is_message) is agreed on: for messages
    /// whose frames may be cut anew on the way
    /// ([RFC 6455 §5.4](https://www.rfc-editor.org/rfc/rfc6455#section-5.4)), and whose stream is not seen.
    ///
    /// A server declines what works on frames, on the stream, or on nothing. A client does not offer it, as
    /// far as its own judgement of the offer tells; an answer that comes to it all the same is an error.
    ///
    /// ```
    /// # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
    /// use hybi_compression::{Deflate, DeflateFrame, Extensions};
    /// use hybi_handshake::Version;
    ///
    /// let all = Extensions::from(Deflate::default()).with(DeflateFrame::new(Deflate::default()));
    /// let of_messages = all.of_messages();
    /// let offers = of_messages.offers(Version::RFC6455);
    /// assert!(offers.iter().all(|offer| offer.name() == "permessage-deflate"));
    /// let accepted = of_messages.accept(&all.offers(Version::RFC6455), Version::RFC6455);
    /// assert!(accepted.len() == 1 && accepted[0].is_message());
    /// # }
    /// ```
    #[must_use]
    pub fn of_messages(&self) -> Self {
        let of_messages =
            |one: &Arc<dyn Extension>| -> Arc<dyn Extension> { Arc::new(OfMessages(one.clone())) };
        Self(self.0.iter().map(of_messages).collect())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a client offers when it asks for this version.
    #[must_use]
    pub fn offers(&self, version: Version) -> Vec<ExtensionOffer> {
        self.known(version).flat_map(|extension| extension.offers()).collect()
    }

    /// Decides, as server, about a client's offers: in the client's order, each extension once, and
    /// none that excludes one chosen before.
    #[must_use]
    pub fn accept(&self, offers: &[ExtensionOffer], version: Version) -> Vec<Agreed> {
        let mut chosen: Vec<Agreed> = Vec::new();
        for offer in offers {
            if chosen.iter().any(|agreed| agreed.answer().name() == offer.name()) {
                continue;
            }
            let agreed = self.named(offer.name(), version).find_map(|extension| {
                let agreed = extension.accept(offer)?;
                (!chosen.iter().any(|other| other.excludes(&agreed))).then_some(agreed)
            });
            chosen.extend(agreed);
        }
        chosen
    }

    /// Judges, as client, a server's answers to [`offers`](Self::offers).
    ///
    /// # Errors
    ///
    /// [`HandshakeError::ExtensionNotOffered`], or [`HandshakeError::ExtensionAnswer`] for parameters
    /// that fit none of the offers, an extension chosen twice, or two that exclude each other.
    pub fn confirm(
        &self,
        answers: &[ExtensionOffer],
        version: Version,
    ) -> Result<Vec<Agreed>, HandshakeError> {
        let mut chosen: Vec<Agreed> = Vec::new();
        for answer in answers {
            let broken = |AnswerError { rule, document }: AnswerError| {
                let name = answer.name().to_owned();
                let answer = ExtensionAnswer { name, rule, document };
                HandshakeError::ExtensionAnswer(Box::new(answer))
            };
            if chosen.iter().any(|agreed| agreed.answer().name() == answer.name()) {
                return Err(broken(TWICE));
            }
            // The most wanted of several knows best what was offered.
            let mut refused = None;
            let mut offered =
                self.named(answer.name(), version).filter(|known| !known.offers().is_empty());
            let agreed = offered.find_map(|extension| {
                extension.confirm(answer).map_err(|error| refused.get_or_insert(error)).ok()
            });
            let agreed = agreed
                .ok_or_else(|| refused.map_or(HandshakeError::ExtensionNotOffered, broken))?;
            if chosen.iter().any(|other| other.excludes(&agreed)) {
                return Err(broken(EXCLUDED));
            }
            chosen.push(agreed);
        }
        Ok(chosen)
    }

    fn known(&self, version: Version) -> impl Iterator<Item = &Arc<dyn Extension>> {
        let all: slice::Iter<'_, _> = self.0.iter();
        all.filter(move |extension| version >= Version::HYBI_04 && extension.is_for(version))
    }

    fn named(&self, name: &str, version: Version) -> impl Iterator<Item = &Arc<dyn Extension>> {
        self.known(version).filter(move |extension| extension.name() == name)
    }
}

const TWICE: AnswerError = AnswerError::new("it was chosen twice", "RFC 6455 §9.1");
const EXCLUDED: AnswerError =
    AnswerError::new("another extension chosen claims the same bits", "RFC 6455 §9.1");

#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
impl Default for Extensions {
    fn default() -> Self {
        crate::Deflate::default().into()
    }
}

impl<E: Extension + 'static> From<E> for Extensions {
    fn from(extension: E) -> Self {
        Self(Arc::new([Arc::new(extension)]))
    }
}
