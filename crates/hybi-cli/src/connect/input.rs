//! Input: what becomes a message, from options, files and stdin.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hybi::Message;
use tokio::sync::mpsc;

use crate::args::connect::{ConnectArgs, LONGEST, SendArgs};
use crate::values::decode_hex;

/// Messages that may wait before stdin is read on: as many lines, or as many chunks of the default size.
const AHEAD: usize = 16;

/// The most bytes of a read of stdin that become one message, unless `--chunk` says otherwise.
const CHUNK: usize = 64 * 1024;

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

/// How stdin is cut into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// At each of these bytes, which are left out.
    Delimiter(u8),
    /// Not at all: a message is what one read gives, and no more bytes than this.
    Reads(usize),
}

impl Cut {
    /// How stdin is cut: a person, and whoever says how messages end, writes line by line.
    pub(crate) fn of(args: &ConnectArgs) -> Self {
        match Notation::of(&args.sending) {
            _ if args.sending.null => Self::Delimiter(0),
            Notation::Binary if !args.is_interactive() => {
                Self::Reads(args.sending.chunk.unwrap_or(CHUNK))
            }
            _ => Self::Delimiter(b'\n'),
        }
    }

    /// How many messages may wait before stdin is read on.
    fn ahead(self) -> usize {
        match self {
            Self::Delimiter(_) => AHEAD,
            Self::Reads(most) => (AHEAD * CHUNK / most).clamp(1, AHEAD),
        }
    }

    /// Reads the next message; `None` at the end of input.
    fn next(self, input: &mut impl BufRead, longest: usize) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Delimiter(delimiter) => {
                let mut line = Vec::new();
                let most = longest as u64 + 1;
                if input.by_ref().take(most).read_until(delimiter, &mut line)? == 0 {
                    return Ok(None);
                }
                if line.last() == Some(&delimiter) {
                    line.pop();
                }
                bounded(line, longest).map(Some)
            }
            Self::Reads(most) => {
                let mut piece = vec![0; most];
                let read = loop {
                    match input.read(&mut piece) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        read => break read?,
                    }
                };
                piece.truncate(read);
                piece.shrink_to_fit();
                Ok((read > 0).then_some(piece))
            }
        }
    }
}

/// Reads a file, or stdin if it is called `-`, to be one message.
pub(crate) fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") { read_message(io::stdin().lock()) } else { read_file(path) }
}

/// Reads a file to be one message.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    read_message(File::open(path)?)
}

fn read_message(input: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    input.take(LONGEST as u64 + 1).read_to_end(&mut content)?;
    bounded(content, LONGEST)
}

fn bounded(message: Vec<u8>, longest: usize) -> io::Result<Vec<u8>> {
    if message.len() > longest {
        let why =
            format!("a message of more than {longest} bytes; -b cuts stdin into smaller ones");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(message)
}

/// The messages of stdin, as they come.
pub(crate) type Stdin = mpsc::Receiver<io::Result<Vec<u8>>>;

/// Reads stdin on a thread of its own, which a blocked read may outlive the connection on. Each of so many
/// readers gets all of it, and none is far ahead of another.
pub(crate) fn read_stdin(cut: Cut, readers: usize) -> Vec<Stdin> {
    let (mut messages, receivers): (Vec<_>, _) =
        (0..readers).map(|_| mpsc::channel(cut.ahead())).unzip();
    if readers == 0 {
        return receivers;
    }
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        while let Some(message) = cut.next(&mut stdin, LONGEST).transpose() {
            let failed = message.is_err();
            messages.retain(|reader| reader.blocking_send(copy(&message)).is_ok());
            if messages.is_empty() || failed {
                return;
            }
        }
    });
    receivers
}

fn copy(message: &io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match message {
        Ok(message) => Ok(message.clone()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
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

    fn cut(cut: Cut, mut input: &[u8], longest: usize) -> io::Result<Vec<Vec<u8>>> {
        core::iter::from_fn(|| cut.next(&mut input, longest).transpose()).collect()
    }

    #[test]
    fn lines_end_at_their_delimiter_and_reads_where_they_end() {
        let lines = |text: &[u8]| cut(Cut::Delimiter(b'\n'), text, 4).unwrap();
        assert_eq!(lines(b""), [b""; 0]);
        assert_eq!(lines(b"ab\r\n\ncd"), [&b"ab\r"[..], b"", b"cd"]);
        assert_eq!(lines(b"four\n"), [b"four"]);
        assert_eq!(cut(Cut::Delimiter(0), b"a\nb\0\0", 4).unwrap(), [&b"a\nb"[..], b""]);
        let reads = |text: &[u8]| cut(Cut::Reads(3), text, 4).unwrap();
        assert_eq!(reads(b""), [b""; 0]);
        assert_eq!(reads(b"a\n\n"), [b"a\n\n"]);
        assert_eq!(reads(b"\n\0\xffd"), [&b"\n\0\xff"[..], b"d"]);
    }

    #[test]
    fn a_line_without_end_is_given_up_and_not_held() {
        let error = cut(Cut::Delimiter(b'\n'), b"fives\n", 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
