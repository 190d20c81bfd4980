//! What messages are made of: JSON, prose and code, records of a binary format, noise, and JSON
//! between noise.

use hybi_benches::records::Records;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Text,
    Protobuf,
    Random,
    /// JSON and noise by turns.
    Mixed,
}

impl Content {
    pub(crate) const ALL: [Self; 5] =
        [Self::Json, Self::Text, Self::Protobuf, Self::Random, Self::Mixed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Protobuf => "protobuf",
            Self::Random => "random",
            Self::Mixed => "mixed",
        }
    }

    /// So many messages of this length, no two alike.
    pub(crate) fn messages(self, len: usize, count: usize) -> Vec<Vec<u8>> {
        let mut records = Records::new(len as u64);
        let text = TEXTS.concat();
        let mut text = text.bytes().cycle();
        let messages = (0..count).map(|at| match self {
            Self::Mixed if at % 2 == 1 => records.noise(len),
            Self::Json | Self::Mixed => records.message(len).into_bytes(),
            Self::Text => text.by_ref().take(len).collect(),
            Self::Protobuf => records.binary_message(len),
            Self::Random => records.noise(len),
        });
        messages.collect()
    }
}

/// Prose and code that there is: many windows long, so that little of it is met again.
const TEXTS: [&str; 9] = [
    include_str!("../../README.md"),
    include_str!("../../crates/hybi/src/socket/websocket.rs"),
    include_str!("../../ARCHITECTURE.md"),
    include_str!("../../crates/hybi-handshake/src/policy.rs"),
    include_str!("../../CONTRIBUTING.md"),
    include_str!("../../crates/hybi/src/connection/config.rs"),
    include_str!("../../SECURITY.md"),
    include_str!("../../crates/hybi-compression/src/extension.rs"),
    include_str!("../../crates/hybi/src/opening/server/mod.rs"),
];
