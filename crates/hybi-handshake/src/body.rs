//! The body of a response that rejects the handshake (RFC 9112 §6, §7).

use http::{HeaderMap, Response, StatusCode, header};

use crate::head::fields;

/// Most bytes of a body that are kept. Stops a server that answers with an endless page.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Marks a response whose body is not complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyTruncated;

/// Where a body ends, and how far it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// At the end of the transport.
    Eof,
    /// Complete.
    End,
}

/// The position in a chunked body (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// In the digits of a chunk size; `digits` of them have come.
    Size { size: u64, digits: u8 },
    /// After them, up to LF.
    Extension { size: u64 },
    /// In the data.
    Data { left: u64 },
    /// In the line end that follows the data.
    DataEnd,
    /// In the trailer section; `empty` while the current line has nothing but CR.
    Trailer { empty: bool },
}

/// Reads the body of a rejection until it is complete or [`MAX_BODY`] is reached.
#[derive(Debug)]
pub(crate) struct BodyReader {
    response: Response<()>,
    body: Vec<u8>,
    framing: Framing,
    truncated: bool,
}

impl BodyReader {
    pub(crate) fn new(response: Response<()>) -> Self {
        let framing = framing(response.status(), response.headers());
        Self { response, body: Vec::new(), framing, truncated: false }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.framing == Framing::End
    }

    /// Takes bytes of the body; says how many.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> usize {
        let mut at = 0;
        while at < chunk.len() && self.framing != Framing::End {
            at += self.step(&chunk[at..]);
        }
        at
    }

    /// The response with what there is of the body; `eof` when the transport ended.
    pub(crate) fn finish(self, eof: bool) -> Response<Vec<u8>> {
        let ended = self.framing == Framing::End || (eof && self.framing == Framing::Eof);
        let (mut parts, ()) = self.response.into_parts();
        if self.truncated || !ended {
            parts.extensions.insert(BodyTruncated);
        }
        Response::from_parts(parts, self.body)
    }

    fn step(&mut self, chunk: &[u8]) -> usize {
        match self.framing {
            Framing::End => 0,
            Framing::Eof => self.keep(chunk, u64::MAX),
            Framing::Length(left) => {
                let taken = self.keep(chunk, left);
                if self.framing != Framing::End {
                    let left = left - taken as u64;
                    self.framing = if left == 0 { Framing::End } else { Framing::Length(left) };
                }
                taken
            }
            Framing::Chunked(Chunk::Data { left }) => {
                let taken = self.keep(chunk, left);
                if self.framing != Framing::End {
                    let left = left - taken as u64;
                    let next = if left == 0 { Chunk::DataEnd } else { Chunk::Data { left } };
                    self.framing = Framing::Chunked(next);
                }
                taken
            }
            Framing::Chunked(position) => {
                match position.next(chunk[0]) {
                    Ok(Some(next)) => self.framing = Framing::Chunked(next),
                    Ok(None) => self.framing = Framing::End,
                    Err(Malformed) => self.cut(),
                }
                1
            }
        }
    }

    /// Keeps bytes up to `left` and the bound; reaching the bound with more to come ends the body.
    fn keep(&mut self, chunk: &[u8], left: u64) -> usize {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        let taken = wanted.min(MAX_BODY - self.body.len());
        self.body.extend_from_slice(&chunk[..taken]);
        if taken < wanted {
            self.cut();
        }
        taken
    }

    fn cut(&mut self) {
        self.truncated = true;
        self.framing = Framing::End;
    }
}

/// A chunked body that does not follow its grammar; what came before is still worth showing.
struct Malformed;

impl Chunk {
    const START: Self = Self::Size { size: 0, digits: 0 };

    /// The position after one byte that is not data; `None` is the end of the body.
    fn next(self, byte: u8) -> Result<Option<Self>, Malformed> {
        Ok(Some(match (self, byte) {
            (Self::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                // Fifteen digits cannot overflow, and no honest chunk is longer than that.
                let digit = (byte as char).to_digit(16).filter(|_| digits < 15).ok_or(Malformed)?;
                Self::Size { size: size * 16 + u64::from(digit), digits: digits + 1 }
            }
            (Self::Size { digits: 0, .. }, _) => return Err(Malformed),
            (Self::Size { size, .. } | Self::Extension { size }, b'\n') => match size {
                0 => Self::Trailer { empty: true },
                left => Self::Data { left },
            },
            (Self::Size { size, .. }, b';' | b' ' | b'\t' | b'\r') => Self::Extension { size },
            (Self::Size { .. }, _) => return Err(Malformed),
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::START,
            (Self::DataEnd, _) => return Err(Malformed),
            (Self::Trailer { empty: true }, b'\n') => return Ok(None),
            (Self::Trailer { .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty: true }, b'\r') => self,
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
            (Self::Extension { .. } | Self::Data { .. }, _) => self,
        }))
    }
}

/// How the length of a response's body is told.
///
/// [RFC 9112 §6.3](https://www.rfc-editor.org/rfc/rfc9112#section-6.3)
fn framing(status: StatusCode, headers: &HeaderMap) -> Framing {
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Framing::End;
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        let last = fields::list_elements(headers, &header::TRANSFER_ENCODING).last();
        return match last {
            Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => {
                Framing::Chunked(Chunk::START)
            }
            _ => Framing::Eof,
        };
    }
    let mut lengths = fields::list_elements(headers, &header::CONTENT_LENGTH).map(|length| {
        let digits = length.iter().all(u8::is_ascii_digit);
        core::str::from_utf8(length).ok().filter(|_| digits)?.parse::<u64>().ok()
    });
    match lengths.next() {
        Some(Some(length)) if lengths.all(|other| other == Some(length)) => match length {
            0 => Framing::End,
            _ => Framing::Length(length),
        },
        // No length, or none that can be believed: until the server ends the transport.
        _ => Framing::Eof,
    }
}
