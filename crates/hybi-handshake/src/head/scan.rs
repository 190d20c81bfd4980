//! Finding the end of a head as its bytes arrive (RFC 9112 §2.2, §5.2).

use super::{HeadLimits, fields};
use crate::error::HandshakeError;

/// Which kind of head is expected, and so what its first bytes must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadKind {
    Request,
    Response,
}

/// A complete head, blank line included.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) bytes: &'a [u8],
    /// The number of field lines.
    pub(crate) fields: usize,
}

/// Collects a head.
///
/// Each byte is looked at once, when it arrives: the position in the current line is all that is
/// kept between chunks, so a peer that sends one byte at a time costs no more than another. A head
/// that lies in one chunk whole is not copied.
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
        self.bytes.clear();
        (self.lines, self.line_len, self.after_cr) = (0, 0, false);
    }

    /// Takes bytes up to the end of the head; says how many, and gives the head when it is complete.
    pub(crate) fn feed<'a>(
        &'a mut self,
        chunk: &'a [u8],
    ) -> Result<(usize, Option<Head<'a>>), HandshakeError> {
        let Some(end) = self.scan(chunk)? else {
            self.bytes.extend_from_slice(chunk);
            return Ok((chunk.len(), None));
        };
        let fields = self.lines - 1;
        if self.bytes.is_empty() {
            return Ok((end, Some(Head { bytes: &chunk[..end], fields })));
        }
        self.bytes.extend_from_slice(&chunk[..end]);
        Ok((end, Some(Head { bytes: &self.bytes, fields })))
    }

    /// The length of the part of `chunk` that completes the head, if it does.
    fn scan(&mut self, chunk: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let allowed = &chunk[..chunk.len().min(self.limits.max_bytes().saturating_sub(self.seen))];
        let mut at = 0;
        while at < allowed.len() {
            if !self.after_cr {
                let plain = allowed[at..].iter().position(|&byte| is_control(byte));
                let plain = &allowed[at..at + plain.unwrap_or(allowed.len() - at)];
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

const fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}
