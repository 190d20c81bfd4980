//! What the tests share: both ends driven with bytes, and heads taken apart.

use hybi_handshake::{
    ClientAccepted, ClientHandshake, HandshakeError, HeadLimits, ServerHandshake, ServerPolicy,
    Version, write_response,
};

/// The nonce whose key is the one of the RFC's examples.
pub(crate) const NONCE: [u8; 16] = *b"the sample nonce";

/// A request that breaks no rule.
pub(crate) const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: example.org\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// The response to it that breaks no rule.
pub(crate) const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    \r\n";

/// The versions whose framing is that of RFC 6455.
pub(crate) const VERSIONS: [Version; 3] = [Version::HYBI_07, Version::HYBI_08, Version::RFC6455];

/// `REQUEST` or `RESPONSE` with one line put in place of the one that begins with `start`; nothing
/// when `line` is empty, several when it holds line ends.
pub(crate) fn with_line(head: &str, start: &str, line: &str) -> String {
    let old = head.split_inclusive("\r\n").find(|old| old.starts_with(start));
    let new = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
    head.replacen(old.expect("a line of the head"), &new, 1)
}

/// A message as its receiver reads it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) start_line: String,
    /// Names in lower case, sorted.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let text = core::str::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a blank line");
        let mut lines = head.split("\r\n");
        let start_line = lines.next().expect("a start line").to_owned();
        let mut fields: Vec<_> = lines
            .map(|line| line.split_once(": ").expect("a field"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        fields.sort();
        Self { start_line, fields, body: body.to_owned() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.start_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }
}

/// What a client receives that sends `chunks` to a server of this policy, and the error behind it.
pub(crate) fn serve<'a>(
    policy: &ServerPolicy,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Option<(Seen, Option<HandshakeError>)> {
    let mut server = ServerHandshake::new(HeadLimits::default());
    for chunk in chunks {
        let verdict = match server.handle_input(chunk) {
            Ok((consumed, None)) => {
                assert_eq!(consumed, chunk.len(), "an unfinished head takes everything");
                continue;
            }
            Ok((_, Some(request))) => policy.check(&request),
            Err(error) => Err(error),
        };
        let mut out = Vec::new();
        let error = match verdict {
            Ok(accepted) => {
                write_response(&accepted.response(), b"", &mut out);
                None
            }
            Err(error) => {
                let response = error.response();
                write_response(&response, response.body().as_bytes(), &mut out);
                Some(error)
            }
        };
        return Some((Seen::new(&out), error));
    }
    None
}

/// The error and the answer to a request that a server with the default policy refuses.
pub(crate) fn refused(request: &str) -> (HandshakeError, Seen) {
    refused_by(&ServerPolicy::new(), request)
}

pub(crate) fn refused_by(policy: &ServerPolicy, request: &str) -> (HandshakeError, Seen) {
    let (seen, error) = serve(policy, [request.as_bytes()]).expect("a complete head");
    (error.expect("a refusal"), seen)
}

/// Feeds a client one chunk after another, then the end of the transport.
pub(crate) fn receive<'a>(
    client: &mut ClientHandshake,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<ClientAccepted, HandshakeError> {
    for chunk in chunks {
        if let (_, Some(accepted)) = client.handle_input(chunk)? {
            return Ok(accepted);
        }
    }
    Err(client.handle_eof())
}

/// All ways to cut the bytes in two, and the bytes one by one.
pub(crate) fn cuts(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let two = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
    two.chain([bytes.chunks(1).collect()])
}
