//! Subprotocols: the client's offers and the server's choice (RFC 6455 §1.9, §4.2.2, §11.3.4).

use std::collections::HashSet;

use crate::error::HandshakeError;
use crate::head::fields::{self, NameCount};

/// Whose order decides when both ends know several subprotocols.
///
/// ```
/// use hybi_handshake::{ServerPolicy, SubprotocolPreference};
///
/// let policy = ServerPolicy::new()
///     .with_subprotocols(["chat.v2", "chat.v1"])
///     .with_subprotocol_preference(SubprotocolPreference::Client);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum SubprotocolPreference {
    /// The first of the server's list that the client offered.
    #[default]
    Server,
    /// The first of the client's offers that the server knows.
    Client,
}

/// Reads the `Sec-WebSocket-Protocol` fields of a request, in order: the client's offers, most
/// wanted first. No field at all gives no offers.
///
/// ```
/// use hybi_handshake::parse_subprotocols;
///
/// assert_eq!(parse_subprotocols(["chat, superchat", "v3"])?, ["chat", "superchat", "v3"]);
/// # Ok::<(), hybi_handshake::HandshakeError>(())
/// ```
///
/// # Errors
///
/// [`HandshakeError::MalformedSubprotocol`] unless the fields together are a list of at least one
/// token, each named once; [`HandshakeError::TooManyNames`] for a list of more than
/// [`HeadLimits::MAX_NAMES`](crate::HeadLimits::MAX_NAMES).
///
/// [RFC 6455 §4.3](https://www.rfc-editor.org/rfc/rfc6455#section-4.3)
pub fn parse_subprotocols<V: AsRef<[u8]>>(
    values: impl IntoIterator<Item = V>,
) -> Result<Vec<String>, HandshakeError> {
    let mut offers: Vec<String> = Vec::new();
    let mut count = NameCount::new("Sec-WebSocket-Protocol");
    let mut present = false;
    for value in values {
        present = true;
        count.add(value.as_ref())?;
        for element in fields::elements(value.as_ref()) {
            let name = fields::token(element).ok_or(HandshakeError::MalformedSubprotocol)?;
            offers.push(name.to_owned());
        }
    }
    let distinct: HashSet<&String> = offers.iter().collect();
    if distinct.len() < offers.len() || (present && offers.is_empty()) {
        return Err(HandshakeError::MalformedSubprotocol);
    }
    Ok(offers)
}

/// The subprotocol that a server which knows `known` answers to `offers`.
pub(crate) fn choose<'a>(
    offers: &'a [String],
    known: &'a [String],
    preference: SubprotocolPreference,
) -> Option<&'a String> {
    let (wanted, others) = match preference {
        SubprotocolPreference::Server => (known, offers),
        SubprotocolPreference::Client => (offers, known),
    };
    let others: HashSet<_> = others.iter().collect();
    wanted.iter().find(|name| others.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn offers_may_be_split_over_fields_but_not_repeated() {
        assert_eq!(parse_subprotocols(["a", "b,c"]).unwrap(), ["a", "b", "c"]);
        assert_eq!(parse_subprotocols([",", "a"]).unwrap(), ["a"]);
        assert!(parse_subprotocols(["a", "b, a"]).is_err());
        assert!(parse_subprotocols([","]).is_err());
        assert!(parse_subprotocols::<&str>([]).unwrap().is_empty());
    }

    #[test]
    fn the_preferred_order_decides() {
        let (offers, known) = (names(["a", "b", "c"]), names(["x", "c", "b"]));
        let chosen = |preference| choose(&offers, &known, preference).map(String::as_str);
        assert_eq!(chosen(SubprotocolPreference::Server), Some("c"));
        assert_eq!(chosen(SubprotocolPreference::Client), Some("b"));
        assert_eq!(choose(&offers, &names(["A"]), SubprotocolPreference::Server), None);
    }
}
