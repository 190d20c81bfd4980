//! What the tests share: both ends driven with bytes, heads taken apart, and scripted randomness.

use hybi_handshake::{
    ClientAccepted, ClientRequest, HandshakeError, HeadLimits, OriginPolicy, ServerHandshake,
    ServerPolicy, Version, write_response,
};
use hybi_legacy::{ClientHandshake, FieldOrder, ServerAnswer, Terms, check, hybi_04_nonce};

/// The versions whose handshake begins with two keys.
pub(crate) const WITH_TWO_KEYS: [Version; 4] =
    [Version::HIXIE_76, Version::HYBI_01, Version::HYBI_02, Version::HYBI_03];

/// The versions with a handshake of hixie.
pub(crate) const HIXIE: [Version; 5] =
    [Version::HIXIE_75, Version::HIXIE_76, Version::HYBI_01, Version::HYBI_02, Version::HYBI_03];

/// The example of hixie-76.
pub(crate) const REQUEST_76: &str = "GET /demo HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\
    Upgrade: WebSocket\r\n\
    Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\
    Origin: http://example.com\r\n\
    \r\n\
    ^n:ds[4U";

/// The answer to it.
pub(crate) const RESPONSE_76: &str = "HTTP/1.1 101 WebSocket Protocol Handshake\r\n\
    Upgrade: WebSocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Location: ws://example.com/demo\r\n\
    Sec-WebSocket-Origin: http://example.com\r\n\
    \r\n\
    8jKS'y:G*Co,Wxa-";

/// The example of hixie-75.
pub(crate) const REQUEST_75: &str = "GET /demo HTTP/1.1\r\n\
    Upgrade: WebSocket\r\n\
    Connection: Upgrade\r\n\
    Host: example.com\r\n\
    Origin: http://example.com\r\n\
    \r\n";

/// The answer to it.
pub(crate) const RESPONSE_75: &str = "HTTP/1.1 101 Web Socket Protocol Handshake\r\n\
    Upgrade: WebSocket\r\n\
    Connection: Upgrade\r\n\
    WebSocket-Origin: http://example.com\r\n\
    WebSocket-Location: ws://example.com/demo\r\n\
    \r\n";

/// The head with the line that begins with `start` replaced; it goes when `line` is empty, and
/// becomes several when it holds line ends.
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
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("a blank line");
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let start_line = lines.next().expect("a start line").to_owned();
        let mut fields: Vec<_> = lines
            .map(|line| line.split_once(": ").expect("a field"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        fields.sort();
        Self { start_line, fields, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.start_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }
}

/// A server for any origin that accepts these versions.
pub(crate) fn policy(versions: impl IntoIterator<Item = Version>) -> ServerPolicy {
    ServerPolicy::new().with_versions(versions).with_origins(OriginPolicy::Any)
}

/// What a client that sends `chunks` has received in the end, and what the server made of it.
/// Nothing, if the server waits for more.
pub(crate) fn serve<'a>(
    policy: &ServerPolicy,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Option<(Vec<u8>, Result<Terms, HandshakeError>)> {
    let mut server = ServerHandshake::new(HeadLimits::default());
    let mut chunks = chunks.into_iter();
    let (request, mut behind) = loop {
        let chunk = chunks.next()?;
        match server.handle_input(chunk) {
            Ok((consumed, None)) => assert_eq!(consumed, chunk.len()),
            Ok((consumed, Some(request))) => break (request, chunk[consumed..].to_vec()),
            Err(error) => return Some(refusal(error)),
        }
    };
    let accepted = match check(policy, &request, FieldOrder::Any) {
        Ok(accepted) => accepted,
        Err(error) => return Some(refusal(error)),
    };
    // An application that knows one extension of old.
    let known = accepted.offers.iter().filter(|offer| offer.name() == "deflate-stream");
    let known: Vec<_> = known.cloned().collect();
    let accepted = accepted.with_extensions(known);
    let mut out = Vec::new();
    if accepted.version >= Version::HYBI_04 {
        let mut response = accepted.response();
        let mut terms = Terms::new(accepted.version);
        if accepted.version == Version::HYBI_04 {
            let (name, value, keyed) = hybi_04_nonce(&accepted, NONCE);
            response.headers_mut().insert(name, value);
            terms = Some(keyed);
        }
        write_response(&response, b"", &mut out);
        return Some((out, Ok(terms.expect("a version before hybi-07"))));
    }
    let answer = ServerAnswer::new(policy, &request, &accepted).expect("accepted before");
    out.extend(answer.head());
    if answer.has_challenge() {
        while behind.len() < ServerAnswer::CHALLENGE_LEN {
            behind.extend(chunks.next()?);
        }
        let challenge = behind[..ServerAnswer::CHALLENGE_LEN].try_into().expect("eight bytes");
        out.extend(answer.answer(challenge));
    }
    Some((out, Ok(answer.terms().clone())))
}

/// The nonce of the vectors of hybi-04.
const NONCE: [u8; 16] = [
    0x1f, 0xe7, 0x0d, 0x8f, 0x97, 0xa5, 0x6b, 0x26, 0xdf, 0x18, 0x84, 0x2f, 0xd5, 0xeb, 0x25, 0xdb,
];

fn refusal(error: HandshakeError) -> (Vec<u8>, Result<Terms, HandshakeError>) {
    let mut out = Vec::new();
    let response = error.response();
    write_response(&response, response.body().as_bytes(), &mut out);
    (out, Err(error))
}

/// The answer to a request sent in one piece.
pub(crate) fn answer(policy: &ServerPolicy, request: &str) -> Seen {
    Seen::new(&serve(policy, [request.as_bytes()]).expect("a complete request").0)
}

/// The terms that a server goes on by, or its refusal.
pub(crate) fn judged(policy: &ServerPolicy, request: &str) -> Result<Terms, HandshakeError> {
    serve(policy, [request.as_bytes()]).expect("a complete request").1
}

/// A client that sends what this request says, keys included.
pub(crate) fn client(request: &Seen, version: Version, secure: bool) -> ClientHandshake {
    let target = request.start_line.split(' ').nth(1).expect("a target");
    let scheme = if secure { "wss" } else { "ws" };
    let uri = format!("{scheme}://{}{target}", request.field("host").expect("Host"));
    let mut built = ClientRequest::new(uri.parse().expect("a URI")).version(version);
    let origin = request.field("origin").or_else(|| request.field("sec-websocket-origin"));
    built = built.origin(origin.expect("an origin")).expect("a value");
    let names =
        request.field("sec-websocket-protocol").or_else(|| request.field("websocket-protocol"));
    for name in names.into_iter().flat_map(|names| names.split([',', ' '])) {
        if !name.is_empty() {
            built = built.subprotocol(name).expect("a token");
        }
    }
    let offers = request.field("sec-websocket-extensions").into_iter();
    for name in offers.flat_map(|offers| offers.split(", ")) {
        built = built.extension(hybi_handshake::ExtensionOffer::new(name).expect("a token"));
    }
    if let Some(cookie) = request.field("cookie") {
        built = built.header("Cookie", cookie).expect("a value");
    }
    if let Some(draft) = request.field("sec-websocket-draft") {
        built = built.version_header(draft).expect("a value");
    }
    let mut script = Script::default();
    for name in ["sec-websocket-key1", "sec-websocket-key2"] {
        script.key(request.field(name).unwrap_or("0 a"));
    }
    script.bytes.extend(&request.body);
    if let Some(key) = request.field("sec-websocket-key") {
        assert_eq!(key, "dGhlIHNhbXBsZSBub25jZQ==", "the one of the vectors");
        script.bytes = b"the sample nonce".to_vec();
    }
    ClientHandshake::new(&built, &mut script.generator(), HeadLimits::default())
        .expect("an old version")
}

/// A generator that makes a client choose certain keys.
#[derive(Default)]
struct Script {
    bytes: Vec<u8>,
}

impl Script {
    /// The choices that lead to this key: its spaces, its number, other characters and their
    /// places, the places of the spaces.
    fn key(&mut self, key: &str) {
        let count = |wanted: fn(&char) -> bool| key.chars().filter(wanted).count() as u64;
        let spaces = count(|&c| c == ' ');
        let others = count(|&c| c != ' ' && !c.is_ascii_digit());
        let digits: String = key.chars().filter(char::is_ascii_digit).collect();
        let number = digits.parse::<u64>().expect("digits") / spaces;
        self.choose(spaces - 1, 12);
        self.choose(number, u64::from(u32::MAX) / spaces + 1);
        self.choose(others - 1, 12);
        let mut len = digits.len() as u64;
        for (at, c) in key.chars().filter(|&c| c != ' ').enumerate() {
            if !c.is_ascii_digit() {
                self.choose(at as u64, len + 1);
                let characters = ('!'..='~').filter(|c| !c.is_ascii_digit());
                let character = characters.clone().position(|other| other == c);
                self.choose(character.expect("a character") as u64, characters.count() as u64);
                len += 1;
            }
        }
        for (at, _) in key.chars().enumerate().filter(|&(_, c)| c == ' ') {
            self.choose(at as u64 - 1, len - 1);
            len += 1;
        }
    }

    /// The smallest 64 bits from which `value` of `bound` numbers comes.
    fn choose(&mut self, value: u64, bound: u64) {
        let bits = (u128::from(value) << 64).div_ceil(u128::from(bound));
        self.bytes.extend(u64::try_from(bits).expect("a value below the bound").to_le_bytes());
    }

    /// Zeros come behind the script, which leave the order of the fields to the client.
    fn generator(self) -> impl FnMut(&mut [u8]) {
        let mut bytes = self.bytes.into_iter().chain(core::iter::repeat(0));
        move |out| out.iter_mut().zip(&mut bytes).for_each(|(out, byte)| *out = byte)
    }
}

/// A generator that differs with its seed (splitmix64).
pub(crate) fn generator(mut seed: u64) -> impl FnMut(&mut [u8]) {
    move |out| {
        for chunk in out.chunks_mut(8) {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = seed;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (mixed ^ mixed >> 31).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// Feeds a client one chunk after another, then the end of the transport; gives what it did not
/// take.
pub(crate) fn receive<'a>(
    client: &mut ClientHandshake,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(ClientAccepted, Terms, Vec<u8>), HandshakeError> {
    let mut chunks = chunks.into_iter();
    while let Some(chunk) = chunks.next() {
        let (consumed, accepted) = client.handle_input(chunk)?;
        if let Some((accepted, terms)) = accepted {
            let rest = core::iter::once(&chunk[consumed..]).chain(chunks);
            return Ok((accepted, terms, rest.flatten().copied().collect()));
        }
        assert_eq!(consumed, chunk.len(), "an unfinished handshake takes everything");
    }
    Err(client.handle_eof())
}

/// All ways to cut the bytes in two, and the bytes one by one.
pub(crate) fn cuts(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let two = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
    two.chain([bytes.chunks(1).collect()])
}
