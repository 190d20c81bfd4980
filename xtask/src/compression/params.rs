//! The four parameters of permessage-deflate (RFC 7692 §7.1), as a header and as JSON.

use core::fmt::{self, Display};

use serde_json::{Map, Value, json};

pub(super) const NAME: &str = "permessage-deflate";

/// What an endpoint asks for, or what was agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<u8>,
    pub(super) client_max_window_bits: Option<u8>,
}

impl Params {
    /// What comes of two endpoints' wishes: each can only take away.
    pub(super) fn and(self, other: Self) -> Self {
        let least = |one: Option<u8>, other: Option<u8>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            server_no_context_takeover: self.server_no_context_takeover
                || other.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || other.client_no_context_takeover,
            server_max_window_bits: least(
                self.server_max_window_bits,
                other.server_max_window_bits,
            ),
            client_max_window_bits: least(
                self.client_max_window_bits,
                other.client_max_window_bits,
            ),
        }
    }

    /// An offer; without a wish for the client's window it leaves that one to the server.
    pub(super) fn offer(self) -> String {
        let free = self.client_max_window_bits.is_none();
        format!("{self}{}", if free { "; client_max_window_bits" } else { "" })
    }

    /// Reads the header of a response.
    pub(super) fn parse(header: &str) -> Result<Self, String> {
        let mut words = header.split(';').map(str::trim);
        if words.next() != Some(NAME) {
            return Err(format!("agreed on `{header}`, not on {NAME}"));
        }
        let mut params = Self::default();
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let bits = || value.parse().map(Some).map_err(|error| format!("`{word}`: {error}"));
            match (name, value) {
                ("server_no_context_takeover", "") => params.server_no_context_takeover = true,
                ("client_no_context_takeover", "") => params.client_no_context_takeover = true,
                ("server_max_window_bits", _) => params.server_max_window_bits = bits()?,
                ("client_max_window_bits", _) => params.client_max_window_bits = bits()?,
                _ => return Err(format!("a response cannot have `{word}`")),
            }
        }
        Ok(params)
    }

    /// What a script passes to its library.
    pub(super) fn json(self) -> Value {
        let mut json = Map::new();
        for (name, set) in self.flags() {
            if set {
                json.insert(name.to_owned(), json!(true));
            }
        }
        for (name, bits) in self.windows() {
            if let Some(bits) = bits {
                json.insert(name.to_owned(), json!(bits));
            }
        }
        Value::Object(json)
    }

    fn flags(self) -> [(&'static str, bool); 2] {
        [
            ("server_no_context_takeover", self.server_no_context_takeover),
            ("client_no_context_takeover", self.client_no_context_takeover),
        ]
    }

    fn windows(self) -> [(&'static str, Option<u8>); 2] {
        [
            ("server_max_window_bits", self.server_max_window_bits),
            ("client_max_window_bits", self.client_max_window_bits),
        ]
    }
}

/// As a header element.
impl Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        for (name, set) in self.flags() {
            if set {
                write!(f, "; {name}")?;
            }
        }
        for (name, bits) in self.windows() {
            if let Some(bits) = bits {
                write!(f, "; {name}={bits}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Params = Params {
        server_no_context_takeover: true,
        client_no_context_takeover: false,
        server_max_window_bits: Some(10),
        client_max_window_bits: None,
    };

    #[test]
    fn a_header_is_written_and_read() {
        let header = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
        assert_eq!(BOTH.to_string(), header);
        assert_eq!(Params::parse(header), Ok(BOTH));
        assert_eq!(BOTH.offer(), format!("{header}; client_max_window_bits"));
        let json = json!({ "server_no_context_takeover": true, "server_max_window_bits": 10 });
        assert_eq!(BOTH.json(), json);
    }

    #[test]
    fn only_responses_are_read() {
        for header in [
            "",
            "deflate-frame",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; other",
        ] {
            assert!(Params::parse(header).is_err(), "{header}");
        }
    }

    #[test]
    fn the_smaller_wish_wins() {
        let other = Params { server_max_window_bits: Some(9), ..Params::default() };
        let agreed = Params { server_max_window_bits: Some(9), ..BOTH };
        assert_eq!(BOTH.and(other), agreed);
        assert_eq!(other.and(BOTH), agreed);
    }
}
