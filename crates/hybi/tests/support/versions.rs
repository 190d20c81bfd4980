//! Connections of each version, past their opening handshake.

use std::sync::Arc;

use hybi::{
    Config, Connection, Message, Negotiated, Role, Version, frame::MaskingKey, legacy::Terms,
};

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];

/// What the handshake of the vectors settles for hybi-04.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const NONCE: &str = "H+cNj5elaybfGIQv1esl2w==";

/// What the handshake of a version before hybi-07 leaves behind.
pub(crate) fn terms(version: Version) -> Terms {
    Terms::new(version).unwrap_or_else(|| Terms::hybi_04(KEY, NONCE))
}

/// A connection past its handshake, with a masking key that changes nothing.
pub(crate) fn connection(role: Role, version: Version, config: Config) -> Connection {
    let negotiated = if version < Version::HYBI_07 {
        Negotiated::default().with_terms(terms(version))
    } else {
        Negotiated::new(version, None, Vec::new())
    };
    Connection::new(role, negotiated, Arc::new(config))
        .with_masking_keys(|| MaskingKey::from_bytes([0; 4]))
}

/// No pings but those that a test asks for.
pub(crate) fn quiet() -> Config {
    Config::default().ping_interval(None)
}

/// Both roles in each version.
pub(crate) fn everyone() -> impl Iterator<Item = (Role, Version)> {
    Version::ALL.into_iter().flat_map(|version| BOTH.map(|role| (role, version)))
}

/// Both roles in each version that has pings.
pub(crate) fn who_pings() -> impl Iterator<Item = (Role, Version)> {
    everyone().filter(|(_, version)| *version > Version::HIXIE_76)
}

/// Hands over all of the bytes; gives the events.
pub(crate) fn input(connection: &mut Connection, bytes: &[u8]) -> Vec<Message> {
    let mut chunk = bytes.to_vec();
    let mut at = 0;
    let mut events = Vec::new();
    while at < chunk.len() {
        let (consumed, event) = connection.handle_input(&mut chunk[at..]);
        // Several messages may come of the last bytes that a filter took.
        assert!(consumed > 0 || event.is_some(), "bytes are left and none is consumed");
        events.extend(event.map(Message::from));
        at += consumed;
    }
    events
}
