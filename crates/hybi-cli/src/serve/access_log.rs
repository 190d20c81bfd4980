//! The access log: one line for each answered request and each ended connection.

use core::fmt::Write as _;
use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use http::{Request, Version};
use tokio::sync::Notify;

use super::statistics::Flow;
use crate::args::serve::LogFormat;
use crate::exit::Failure;
use crate::json::Object;
use crate::values::http_name;

/// Where the lines go.
pub(crate) struct AccessLog {
    /// `None` is stdout.
    path: Option<PathBuf>,
    format: LogFormat,
    out: Mutex<Box<dyn Write + Send>>,
    reader_left: Notify,
}

/// One line. Header values other than these never reach it, so no credentials do.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) peer: String,
    /// This and the target are unknown where the head could not be read.
    pub(crate) method: Option<String>,
    pub(crate) target: Option<String>,
    /// The version of HTTP that it came in.
    pub(crate) http: Option<&'static str>,
    /// 0 until it is known.
    pub(crate) status: u16,
    pub(crate) origin: Option<String>,
    /// Which one it was for, if connections may have several.
    pub(crate) channel: Option<u32>,
    /// From the accepted transport, or the request of a channel, to the answer.
    pub(crate) handshake: Duration,
    pub(crate) connection: Option<Ended>,
}

/// What only an ended WebSocket connection has.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) version: String,
    /// With their parameters, as in the header.
    pub(crate) extensions: Vec<String>,
    pub(crate) subprotocol: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) received: Flow,
    pub(crate) sent: Flow,
    /// The code of the peer's Close frame, 1005 or 1006 without one; of ours if we failed it.
    pub(crate) code: u16,
    /// `peer`, `local` or `nobody`.
    pub(crate) by: &'static str,
    pub(crate) clean: bool,
}

impl Record {
    /// Says what was asked for.
    pub(crate) fn asks_for<B>(&mut self, request: &Request<B>) {
        let origin = ["origin", "sec-websocket-origin"];
        let origin = origin.iter().find_map(|name| request.headers().get(*name));
        self.method = Some(request.method().to_string());
        // Over HTTP/2, what is of the authority has a place of its own.
        let path = request.uri().path_and_query().filter(|_| request.version() == Version::HTTP_2);
        self.target = Some(path.map_or_else(|| request.uri().to_string(), ToString::to_string));
        self.http = Some(http_name(request.version()));
        self.origin = origin.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
}

impl Record {
    /// Whether frames may follow: 101, or success for CONNECT (RFC 9110 sections 15.2.2 and 9.3.6).
    pub(crate) fn is_accepted(&self) -> bool {
        match self.status {
            101 => true,
            200..=299 => self.method.as_deref() == Some("CONNECT"),
            _ => false,
        }
    }
}

impl core::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AccessLog").field("format", &self.format).finish_non_exhaustive()
    }
}

impl AccessLog {
    /// Opens the file for appending; `-` is stdout.
    pub(crate) fn open(path: &Path, format: LogFormat) -> Result<Self, Failure> {
        let path = (path != Path::new("-")).then(|| path.to_owned());
        let out: Box<dyn Write + Send> = match &path {
            None => Box::new(io::stdout()),
            Some(path) => Box::new(append(path)?),
        };
        Ok(Self { path, format, out: Mutex::new(out), reader_left: Notify::new() })
    }

    /// Opens the file again, which somebody may have moved away; false if there is none. If that fails,
    /// lines go on where they went.
    pub(crate) fn reopen(&self) -> Result<bool, Failure> {
        let Some(path) = &self.path else { return Ok(false) };
        let out = Box::new(append(path)?);
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = out;
        Ok(true)
    }

    /// Waits until nobody reads the log any more: it goes into a pipe whose other end was closed.
    pub(crate) async fn reader_left(&self) {
        self.reader_left.notified().await;
    }

    /// Writes one line, whole.
    pub(crate) fn write(&self, record: &Record) {
        let mut line = match self.format {
            LogFormat::Text => text(record),
            LogFormat::Json => json(record),
        };
        line.push('\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_left.notify_one();
            }
            Err(error) => crate::log::error(format_args!("cannot write the access log: {error}")),
        }
    }
}

fn append(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|error| Failure::usage(format!("cannot write {}", path.display()), error))
}

/// `key=value` pairs after the fixed first fields, so that the line can be read back.
fn text(record: &Record) -> String {
    let mut line = format!(
        "{} {} {} {} {} origin={} http={} handshake={:.6}",
        crate::clock::now(),
        record.peer,
        word(record.method.as_deref()),
        word(record.target.as_deref()),
        record.status,
        word(record.origin.as_deref()),
        word(record.http),
        record.handshake.as_secs_f64(),
    );
    if let Some(channel) = record.channel {
        let _ = write!(line, " channel={channel}");
    }
    if let Some(ended) = &record.connection {
        let extensions = (!ended.extensions.is_empty()).then(|| ended.extensions.join(", "));
        let _ = write!(
            line,
            " version={} extensions={} subprotocol={} duration={:.6} in={} out={} \
             close={} by={} clean={}",
            ended.version,
            word(extensions.as_deref()),
            word(ended.subprotocol.as_deref()),
            ended.duration.as_secs_f64(),
            ended.received,
            ended.sent,
            ended.code,
            ended.by,
            ended.clean,
        );
    }
    line
}

fn json(record: &Record) -> String {
    let mut object = Object::event("access")
        .string("peer", &record.peer)
        .maybe("method", record.method.as_deref())
        .maybe("target", record.target.as_deref())
        .number("status", record.status)
        .maybe("origin", record.origin.as_deref())
        .maybe("http", record.http)
        .seconds("handshake", record.handshake);
    if let Some(channel) = record.channel {
        object = object.number("channel", channel);
    }
    if let Some(ended) = &record.connection {
        object = object
            .string("version", &ended.version)
            .strings("extensions", &ended.extensions)
            .maybe("subprotocol", ended.subprotocol.as_deref())
            .seconds("duration", ended.duration)
            .number("messages_in", ended.received.messages)
            .number("bytes_in", ended.received.bytes)
            .number("messages_out", ended.sent.messages)
            .number("bytes_out", ended.sent.bytes)
            .number("code", ended.code)
            .string("by", ended.by)
            .boolean("clean", ended.clean);
    }
    object.finish()
}

/// A value without white space: `-` for none, quoted where needed, control characters escaped.
fn word(value: Option<&str>) -> String {
    match value {
        None => "-".into(),
        Some(value) if !value.is_empty() && value != "-" && value.bytes().all(plain) => {
            value.into()
        }
        Some(value) => format!("\"{}\"", value.escape_default()),
    }
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_field_or_a_line() {
        assert_eq!(word(None), "-");
        assert_eq!(word(Some("/chat?room=1")), "/chat?room=1");
        assert_eq!(word(Some("-")), "\"-\"");
        assert_eq!(word(Some("")), "\"\"");
        assert_eq!(word(Some("a b")), "\"a b\"");
        assert_eq!(word(Some("a\"\n\x1b")), "\"a\\\"\\n\\u{1b}\"");
    }
}
