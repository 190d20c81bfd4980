//! Input: what becomes a message, from options, files and stdin.

use std::io::{self, BufRead as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hybi::Message;
use tokio::sync::mpsc;

use crate::args::connect::SendArgs;
use crate::values::decode_hex;

/// Lines that may wait before stdin is read on.
const AHEAD: usize = 16;

/// What the bytes of a message are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Text,
    Binary,
    Hex,
    Base64,
}

impl Notation {
    pub(crate) fn of(args: &SendArgs) -> Self {
        match (args.hex, args.base64, args.binary) {
            (true, ..) => Self::Hex,
            (_, true, _) => Self::Base64,
            (_, _, true) => Self::Binary,
            _ => Self::Text,
        }
    }

    /// Makes a message of one piece of input.
    pub(crate) fn message(self, bytes: Vec<u8>) -> Result<Message, String> {
        match self {
            Self::Text => String::from_utf8(bytes)
                .map(Message::text)
                .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to())),
            notation => notation.payload(bytes).map(Message::binary),
        }
    }

    /// The bytes that a piece of input stands for.
    pub(crate) fn payload(self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        match self {
            Self::Text | Self::Binary => Ok(bytes),
            Self::Hex => decode_hex(&String::from_utf8_lossy(&bytes)),
            Self::Base64 => BASE64_STANDARD
                .decode(bytes.trim_ascii())
                .map_err(|error| format!("not base64: {error}")),
        }
    }
}

/// Reads stdin on a thread of its own, which a blocked read may outlive the connection on.
pub(crate) fn read_stdin(delimiter: u8) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (lines, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = stdin.read_until(delimiter, &mut line);
            if matches!(read, Ok(0)) {
                return;
            }
            let failed = read.is_err();
            if line.last() == Some(&delimiter) {
                line.pop();
            }
            if lines.blocking_send(read.map(|_| line)).is_err() || failed {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        let message = |notation: Notation, text: &str| notation.message(text.into());
        assert_eq!(message(Notation::Text, "é"), Ok(Message::text("é")));
        assert_eq!(message(Notation::Binary, "é"), Ok(Message::binary(vec![0xc3, 0xa9])));
        assert_eq!(message(Notation::Hex, "00 ff"), Ok(Message::binary(vec![0, 255])));
        assert_eq!(message(Notation::Base64, "AP8= "), Ok(Message::binary(vec![0, 255])));
        assert_eq!(Notation::Text.message(vec![b'a', 0xff]), Err("not UTF-8 at byte 1".to_owned()));
        assert!(message(Notation::Hex, "0").is_err());
        assert!(message(Notation::Base64, "A").is_err());
    }
}
