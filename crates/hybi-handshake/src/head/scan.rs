//! Finding the end of a head as its bytes arrive (RFC 9112 §2.2, §5.2).

use core::mem;

use bytes::Bytes;

use super::{HeadLimits, fields};
use crate::error::HandshakeError;

/// Which kind of head is expected, and so what its first bytes must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadKind {
    Request,
    Response,
}

/// A complete head, blank line included.
///
/// The values of its fields will share these bytes, so that a head costs one allocation and not one
/// for each field.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) bytes: Bytes,
    /// The number of field lines.
    pub(crate) fields: usize,
}

/// Collects a head.
///
/// Each byte is looked at once, when it arrives: the position in the current line is all that is
/// kept between chunks, so a peer that sends one byte at a time costs no more than another.
///
/// Invariant: `bytes` holds the unfinished head, at most `limits.max_bytes()` of it.
#[derive(Debug)]
pub(crate) struct HeadScanner {
    kind: HeadKind,
    limits: HeadLimits,
    bytes: Vec<u8>,
    /// Bytes seen since the beginning of the handshake, interim responses included.
    seen: usize,
    /// Lines that are complete, without empty ones before the first.
    lines: usize,
    /// Bytes of the current line, without its CR.
    line_len: usize,
    after_cr: bool,
}

impl HeadScanner {
    pub(crate) const fn new(kind: HeadKind, limits: HeadLimits) -> Self {
        Self { kind, limits, bytes: Vec::new(), seen: 0, lines: 0, line_len: 0, after_cr: false }
    }

    /// How many bytes of heads have been seen.
    pub(crate) const fn seen(&self) -> usize {
        self.seen
    }

    /// Begins another head, within the limit of bytes of the first.
    pub(crate) fn restart(&mut self) {
        (self.lines, self.line_len, self.after_cr) = (0, 0, false);
    }

    /// Takes bytes up to the end of the head; says how many, and gives the head when it is complete.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<(usize, Option<Head>), HandshakeError> {
        let Some(end) = self.scan(chunk)? else {
            self.bytes.extend_from_slice(chunk);
            return Ok((chunk.len(), None));
        };
        let bytes = if self.bytes.is_empty() {
            Bytes::copy_from_slice(&chunk[..end])
        } else {
            self.bytes.extend_from_slice(&chunk[..end]);
            Bytes::from(mem::take(&mut self.bytes))
        };
        Ok((end, Some(Head { bytes, fields: self.lines - 1 })))
    }

    /// The length of the part of `chunk` that completes the head, if it does.
    fn scan(&mut self, chunk: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let allowed = &chunk[..chunk.len().min(self.limits.max_bytes().saturating_sub(self.seen))];
        let mut at = 0;
        while at < allowed.len() {
            if !self.after_cr {
                let plain = &allowed[at..at + plain_len(&allowed[at..])];
                self.text(plain)?;
                at += plain.len();
            }
            let Some(&byte) = allowed.get(at) else { break };
            at += 1;
            self.seen += 1;
            if self.control(byte)? {
                return Ok(Some(at));
            }
        }
        if allowed.len() == chunk.len() {
            return Ok(None);
        }
        let limit = self.limits.max_bytes();
        Err(if self.lines == 0 && self.kind == HeadKind::Request {
            HandshakeError::TargetTooLong { limit }
        } else {
            HandshakeError::HeadTooLarge { limit }
        })
    }

    /// Takes bytes of the current line that are not controls.
    fn text(&mut self, text: &[u8]) -> Result<(), HandshakeError> {
        if self.lines == 0 {
            self.check_start(text)?;
        } else if self.line_len == 0 && matches!(text.first(), Some(b' ' | b'\t')) {
            return Err(HandshakeError::ObsoleteFold { offset: self.seen });
        }
        self.line_len += text.len();
        self.seen += text.len();
        Ok(())
    }

    /// Refuses at once what cannot be HTTP, such as TLS sent to a port without it.
    fn check_start(&self, text: &[u8]) -> Result<(), HandshakeError> {
        const RESPONSE: &[u8] = b"HTTP/1.";
        let wrong = match self.kind {
            HeadKind::Request if self.line_len == 0 => {
                text.first().filter(|&&byte| !fields::is_token_byte(byte))
            }
            HeadKind::Request => None,
            HeadKind::Response => {
                let expected = RESPONSE.iter().skip(self.line_len);
                text.iter().zip(expected).find(|(byte, expected)| byte != expected).map(|(b, _)| b)
            }
        };
        wrong.map_or(Ok(()), |&byte| Err(HandshakeError::NotHttp { byte }))
    }

    /// Takes one byte that is a control or follows CR; says whether it ends the head.
    fn control(&mut self, byte: u8) -> Result<bool, HandshakeError> {
        let offset = self.seen - 1;
        match (self.after_cr, byte) {
            (false, b'\r') if self.kind == HeadKind::Request || self.line_len + self.lines > 0 => {
                self.after_cr = true;
            }
            (true, b'\n') => {
                self.after_cr = false;
                if self.line_len > 0 {
                    self.lines += 1;
                    self.line_len = 0;
                    if self.lines - 1 > self.limits.max_fields() {
                        let limit = self.limits.max_fields();
                        return Err(HandshakeError::TooManyFields { limit });
                    }
                } else if self.lines > 0 {
                    return Ok(true);
                }
                // An empty line before a request is skipped (RFC 9112 §2.2).
            }
            (true, _) => return Err(HandshakeError::BareLineEnd { offset: offset - 1 }),
            _ if self.lines == 0 && self.line_len == 0 => {
                return Err(HandshakeError::NotHttp { byte });
            }
            (false, b'\n') => return Err(HandshakeError::BareLineEnd { offset }),
            (false, _) => return Err(HandshakeError::ControlByte { offset, byte }),
        }
        Ok(false)
    }
}

/// How many bytes come before the first control.
fn plain_len(bytes: &[u8]) -> usize {
    // Without an early exit inside a block the compiler tests all of it at once.
    const BLOCK: usize = 16;
    let any_control = |block: &[u8; BLOCK]| block.iter().fold(false, |any, &b| any | is_control(b));
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let plain = blocks.iter().take_while(|block| !any_control(block)).count() * BLOCK;
    let rest = &bytes[plain..];
    plain + rest.iter().position(|&byte| is_control(byte)).unwrap_or(rest.len())
}

const fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";

    #[test]
    fn a_head_in_one_chunk_is_not_collected_first() {
        let mut scanner = HeadScanner::new(HeadKind::Request, HeadLimits::default());
        let stream = [HEAD, b"frames"].concat();
        let (taken, head) = scanner.feed(&stream).unwrap();
        let head = head.unwrap();
        assert_eq!((taken, head.fields, &*head.bytes), (HEAD.len(), 2, HEAD));
        assert_eq!(scanner.bytes.capacity(), 0);
    }

    #[test]
    fn controls_are_found_at_every_place() {
        for len in 0..70 {
            for at in 0..len {
                for (byte, found) in
                    [(0, true), (b'\r', true), (0x7f, true), (b'\t', false), (0xff, false)]
                {
                    let mut bytes = vec![b'x'; len];
                    bytes[at] = byte;
                    assert_eq!(
                        plain_len(&bytes),
                        if found { at } else { len },
                        "{byte:#x} at {at}"
                    );
                }
            }
        }
    }

    /// The bytes kept are overwritten behind the scanner's back: had it any need to read them again,
    /// it would stumble over them.
    #[test]
    fn no_byte_is_scanned_twice() {
        for cut in 1..HEAD.len() {
            let mut scanner = HeadScanner::new(HeadKind::Request, HeadLimits::default());
            for byte in &HEAD[..cut] {
                assert!(scanner.feed(&[*byte]).unwrap().1.is_none());
                scanner.bytes.fill(0);
            }
            let (taken, head) = scanner.feed(&HEAD[cut..]).unwrap();
            assert_eq!(
                (taken, head.map(|head| head.bytes.len())),
                (HEAD.len() - cut, Some(HEAD.len()))
            );
        }
    }

    #[test]
    fn only_what_arrived_is_kept() {
        let limits = HeadLimits::default().with_max_bytes(usize::MAX);
        let mut scanner = HeadScanner::new(HeadKind::Request, limits);
        assert!(scanner.feed(&HEAD[..20]).unwrap().1.is_none());
        assert!(scanner.bytes.capacity() < 64);
    }
}
