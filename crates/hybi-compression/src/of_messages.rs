//! OfMessages: an extension of which only what works on whole messages is agreed on (RFC 6455 §5.4, §9.1).

use std::sync::Arc;

use hybi_handshake::{ExtensionOffer, Version};

use crate::extension::{Agreed, AnswerError, Extension};

/// One of [`Extensions::of_messages`](crate::Extensions::of_messages).
#[derive(Debug)]
pub(crate) struct OfMessages(pub(crate) Arc<dyn Extension>);

impl Extension for OfMessages {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn is_for(&self, version: Version) -> bool {
        self.0.is_for(version)
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        // What an offer can lead to is told by what this end would make of it as server, or, if it only asks
        // for the extension, by the offer's own words as an answer.
        let leads_to_messages = |offer: &ExtensionOffer| {
            let agreed = self.0.accept(offer).or_else(|| self.0.confirm(offer).ok());
            agreed.is_none_or(|agreed| agreed.is_message())
        };
        self.0.offers().into_iter().filter(leads_to_messages).collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        self.0.accept(offer).filter(Agreed::is_message)
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        let agreed = self.0.confirm(answer)?;
        if agreed.is_message() { Ok(agreed) } else { Err(NOT_OF_MESSAGES) }
    }
}

const NOT_OF_MESSAGES: AnswerError = AnswerError::new(
    "it is not about whole messages, whose frames may be cut anew",
    "RFC 6455 §5.4",
);
