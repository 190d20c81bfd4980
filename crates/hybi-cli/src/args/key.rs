//! `hybi key`: its options.

use clap::Args;

use crate::values::header_text;

/// A key, or a challenge in three parts, to be answered.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// A Sec-WebSocket-Key
    #[arg(value_parser = header_text)]
    pub(crate) key: Option<String>,
    /// The value of Sec-WebSocket-Key1
    #[arg(
        long, value_name = "K", requires_all = ["key2", "key3_hex"], conflicts_with = "key",
        value_parser = header_text, allow_hyphen_values = true,
    )]
    pub(crate) key1: Option<String>,
    /// The value of Sec-WebSocket-Key2
    #[arg(
        long, value_name = "K", requires = "key1", value_parser = header_text,
        allow_hyphen_values = true,
    )]
    pub(crate) key2: Option<String>,
    /// The eight bytes behind the request
    #[arg(long, value_name = "HEX", requires = "key1", value_parser = eight_bytes)]
    pub(crate) key3_hex: Option<[u8; 8]>,
}

fn eight_bytes(text: &str) -> Result<[u8; 8], String> {
    let bytes = crate::values::decode_hex(text)?;
    bytes.try_into().map_err(|bytes: Vec<u8>| format!("eight bytes, not {}", bytes.len()))
}
