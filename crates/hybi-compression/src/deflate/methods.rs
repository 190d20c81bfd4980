//! Methods: the parameter by which the compression drafts of 2012 named an algorithm, as a list of
//! alternatives that could have parameters of their own
//! (draft-ietf-hybi-websocket-perframe-compression, draft-ietf-hybi-permessage-compression-00 to -04).

use hybi_handshake::{ExtensionOffer, Version};

use crate::extension::AnswerError;

/// The only method that any implementation ever had.
pub(crate) const DEFLATE: &str = "deflate";

/// The version that was current when there were methods, and whose grammar has the quotes that a
/// method with parameters needs.
pub(crate) fn version_has_methods(version: Version) -> bool {
    version >= Version::RFC6455
}

/// The methods of an offer or answer, most wanted first. A method has the grammar of an element of
/// `Sec-WebSocket-Extensions`, so that is what each becomes. `None`: they are not given as the one
/// parameter, or break the grammar.
pub(crate) fn parse(element: &ExtensionOffer) -> Option<Vec<ExtensionOffer>> {
    let [method] = element.params() else { return None };
    if method.name() != "method" {
        return None;
    }
    ExtensionOffer::parse_list([method.value()?], Version::RFC6455).ok()
}

/// The method that a server chose.
pub(crate) fn chosen(
    answer: &ExtensionOffer,
    document: &'static str,
) -> Result<ExtensionOffer, AnswerError> {
    match parse(answer).map(<[_; 1]>::try_from) {
        Some(Ok([method])) if method.name() == DEFLATE => Ok(method),
        Some(Ok(_)) => Err(AnswerError::new("the answer has a method not offered", document)),
        _ => Err(AnswerError::new("the answer does not have one method", document)),
    }
}

/// The element of the extension `name` that has one method; `None` only if the name is no token.
pub(crate) fn element(name: &str, method: &ExtensionOffer) -> Option<ExtensionOffer> {
    ExtensionOffer::new(name).ok()?.with_methods(&method.to_string()).ok()
}
