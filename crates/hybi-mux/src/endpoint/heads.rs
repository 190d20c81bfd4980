//! Heads: the handshakes of channels, which leave out what is the same for all of them.
//!
//! A request for a channel says nothing of the upgrade, the nonce and the version, and its response nothing of the proof.
//! Beyond this border each has them, so that the handshake of a channel is that of a connection, rules and all.

use http::Request;
use hybi_handshake::{HandshakeError, HeadLimits, ServerHandshake, accept_key};

use crate::block::HandshakeEncoding;
use crate::revision::Revision;

/// What a request for a channel leaves out.
const NOT_IN_REQUESTS: [&str; 3] = ["upgrade", "sec-websocket-key", "sec-websocket-version"];

/// What its response leaves out.
const NOT_IN_RESPONSES: [&str; 2] = ["upgrade", "sec-websocket-accept"];

/// A nonce for requests that have none. Nobody guesses it and nobody has to: what it protects from, a server that is none
/// of WebSocket, the physical handshake ruled out.
const KEY: &str = "aHliaSBsZWF2ZXMgaXQuLg==";

const END: &[u8] = b"\r\n\r\n";

/// The fields of a request, in their order: what a delta is relative to.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<Field>);

#[derive(Clone, Debug)]
struct Field {
    /// In lower case; empty for a line that has none.
    name: String,
    /// The whole line, without its end.
    line: Vec<u8>,
}

impl Field {
    fn of(line: &[u8]) -> Self {
        let name = line.split(|&byte| byte == b':').next().filter(|name| name.len() < line.len());
        let name = String::from_utf8_lossy(name.unwrap_or_default()).to_ascii_lowercase();
        Self { name, line: line.to_vec() }
    }

    fn value(&self) -> &[u8] {
        self.line.get(self.name.len() + 1..).unwrap_or_default().trim_ascii()
    }
}

impl Fields {
    /// Those of lines that all end.
    pub(super) fn of(lines: &[u8]) -> Self {
        Self(lines_of(lines).map(Field::of).collect())
    }

    fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|field| !names.contains(&field.name.as_str()));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.name == name)
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |field| field.name == name).map(Field::value)
    }

    /// These, with those of a delta in the place of others of the same name. One without a value takes its name away.
    fn with(mut self, delta: Self) -> Self {
        self.0.retain(|field| !delta.has(&field.name));
        self.0.extend(delta.0.into_iter().filter(|field| !field.value().is_empty()));
        self
    }

    /// What differs from `base`, so that `base.with` it is these.
    fn relative_to(mut self, base: &Self) -> Self {
        let mut gone: Vec<&str> = base.0.iter().map(|field| field.name.as_str()).collect();
        gone.retain(|name| !self.has(name));
        gone.dedup();
        let gone: Vec<Field> =
            gone.iter().map(|name| Field::of(format!("{name}:").as_bytes())).collect();
        let same: Vec<bool> = (self.0.iter())
            .map(|field| self.values(&field.name).eq(base.values(&field.name)))
            .collect();
        let mut same = same.into_iter();
        self.0.retain(|_| same.next() == Some(false));
        self.0.extend(gone);
        self
    }

    fn head(&self, start_line: &[u8], more: &[(&str, &str)]) -> Vec<u8> {
        let mut head = start_line.to_vec();
        for Field { line, .. } in &self.0 {
            head.extend_from_slice(b"\r\n");
            head.extend_from_slice(line);
        }
        for (name, value) in more {
            head.extend_from_slice(format!("\r\n{name}: {value}").as_bytes());
        }
        head.extend_from_slice(END);
        head
    }
}

/// Lines without their ends.
fn lines_of(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = head;
    core::iter::from_fn(move || {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 2..).unwrap_or_default();
        (!line.is_empty()).then_some(line)
    })
}

/// A head's start line and its fields.
fn parts(head: &[u8]) -> (&[u8], Fields) {
    let start_line = lines_of(head).next().unwrap_or_default();
    (start_line, Fields(lines_of(head).skip(1).map(Field::of).collect()))
}

/// How many octets the head has that `octets` begin with; `None` as long as it is not whole.
pub(super) fn head_len(octets: &[u8]) -> Option<usize> {
    let at = octets.windows(END.len()).position(|window| window == END)?;
    Some(at + END.len())
}

/// Whether a head is that of a response which opens a connection.
pub(super) fn opens(response: &[u8]) -> bool {
    response.starts_with(b"HTTP/1.1 101 ")
}

/// A request that a client's handshake wrote, as its AddChannelRequest has it.
pub(super) fn request_out(
    head: &[u8],
    revision: Revision,
    encoding: HandshakeEncoding,
    base: &Fields,
) -> Vec<u8> {
    let (start_line, fields) = parts(head);
    let omitted: &[&str] = if revision.is_ietf_05() { &NOT_IN_REQUESTS } else { &[] };
    let fields = fields.without(omitted);
    match encoding {
        HandshakeEncoding::Identity => fields.head(start_line, &[]),
        HandshakeEncoding::Delta => {
            fields.relative_to(&base.clone().without(omitted)).head(start_line, &[])
        }
    }
}

/// The proof that a request asks for.
pub(super) fn proof(request: &[u8]) -> String {
    let (_, fields) = parts(request);
    let key = fields.values("sec-websocket-key").next().unwrap_or_default();
    accept_key(&String::from_utf8_lossy(key))
}

/// A request for a channel that came, and what it leaves to relate others to.
pub(super) struct RequestIn {
    pub(super) request: Request<()>,
    pub(super) fields: Fields,
}

/// A request of an AddChannelRequest, as a server's handshake reads it.
pub(super) fn request_in(
    handshake: &[u8],
    revision: Revision,
    encoding: HandshakeEncoding,
    base: &Fields,
    limits: HeadLimits,
) -> Result<RequestIn, HandshakeError> {
    // What is no head, or not one alone, or too large, is judged as it is: nothing is added to what nobody understands.
    let is_small = handshake.len() <= limits.max_bytes();
    let (start_line, mut fields) = if is_small { parts(handshake) } else { Default::default() };
    let is_head = is_small
        && fields.0.len() <= limits.max_fields()
        && head_len(handshake) == Some(handshake.len());
    if is_head && encoding == HandshakeEncoding::Delta {
        fields = base.clone().with(fields);
    }
    let mut omitted: Vec<(&str, &str)> = Vec::new();
    let mut asked = fields.clone();
    if revision.is_ietf_05() {
        asked = asked.without(&NOT_IN_REQUESTS);
        omitted = vec![
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Key", KEY),
            ("Sec-WebSocket-Version", "13"),
        ];
        // ietf-06 left this out as well.
        if !asked.has("connection") {
            omitted.push(("Connection", "Upgrade"));
        }
    }
    let head = if is_head { asked.head(start_line, &omitted) } else { handshake.to_vec() };
    let mut reader = ServerHandshake::new(limits);
    match reader.handle_input(&head)? {
        (read, Some(request)) if read == head.len() => Ok(RequestIn { request, fields }),
        _ => Err(reader.handle_eof()),
    }
}

/// A response that a server's handshake wrote, as its AddChannelResponse has it.
pub(super) fn response_out(response: &[u8], revision: Revision) -> Vec<u8> {
    if !revision.is_ietf_05() || !opens(response) {
        return response.to_vec();
    }
    let (start_line, fields) = parts(response);
    fields.without(&NOT_IN_RESPONSES).head(start_line, &[])
}

/// The response of an AddChannelResponse that opens the channel, as a client's handshake reads it; `None` if it is none.
pub(super) fn response_in(handshake: &[u8], revision: Revision, proof: &str) -> Option<Vec<u8>> {
    if !opens(handshake) || head_len(handshake) != Some(handshake.len()) {
        return None;
    }
    if !revision.is_ietf_05() {
        return Some(handshake.to_vec());
    }
    let (start_line, fields) = parts(handshake);
    let mut omitted = vec![("Upgrade", "websocket"), ("Sec-WebSocket-Accept", proof)];
    if !fields.has("connection") {
        omitted.push(("Connection", "Upgrade"));
    }
    Some(fields.without(&NOT_IN_RESPONSES).head(start_line, &omitted))
}
