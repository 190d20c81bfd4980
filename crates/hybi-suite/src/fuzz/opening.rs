//! The opening handshakes before hybi-07, as client and as server: a server of ours accepts what a client of ours asks for, and
//! the client accepts its answer. Whatever becomes of that answer, the client judges it as the documents say,
//! however it is cut.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hybi_handshake::{
    ClientRequest, ExtensionOffer, HandshakeError, HeadLimits, OriginPolicy, ServerHandshake,
    ServerPolicy, Version, WsUri, write_response,
};
use hybi_legacy::{ClientHandshake, FieldOrder, ServerAnswer, Terms, check, hybi_04_nonce};
use md5::Md5;
use sha1::{Digest as _, Sha1};

use super::input::{Cuts, Input};
use super::words::{self, Words};

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let attempt = Attempt::choose(&mut input);
    let cuts = input.cuts();
    let honest = attempt.answer();
    let whole = attempt.outcome(&honest, &Cuts::none());
    let taken = whole.as_ref().map(|accepted| accepted.taken);
    assert_eq!(taken, Ok(honest.len()), "{} to {attempt:?}", honest.escape_ascii());

    let answer =
        if input.byte() & 1 == 0 { edited(honest, &mut input) } else { input.rest().to_vec() };
    let whole = attempt.outcome(&answer, &Cuts::none());
    assert_eq!(attempt.outcome(&answer, &cuts), whole, "cut as the input says");
    assert_eq!(attempt.outcome(&answer, &Cuts::everywhere()), whole, "cut at every byte");
    let expected = attempt.expected(&answer);
    match (&whole, &expected) {
        (Ok(accepted), Some(expected)) => assert_eq!(accepted, expected, "{attempt:?}"),
        (Err(Refused::ForOther), _) | (Err(_), None) => {}
        _ => panic!("{whole:?}, not {expected:?}: {} to {attempt:?}", answer.escape_ascii()),
    }
}

/// What a client asks for.
#[derive(Debug)]
struct Attempt {
    request: ClientRequest,
    version: Version,
    /// What the random bytes of both ends come from.
    seed: u8,
}

/// What the client made of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Accepted {
    taken: usize,
    subprotocol: Option<String>,
    extensions: Vec<String>,
    terms: Terms,
}

/// Why it did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refused {
    /// For what an opening handshake is, or because it waits for more.
    ByTheRules(String),
    /// For a limit, or for an answer that is no 101.
    ForOther,
}

impl Attempt {
    fn choose(input: &mut Input<'_>) -> Self {
        let version = *input.choose(&[
            Version::HIXIE_75,
            Version::HIXIE_76,
            Version::HYBI_01,
            Version::HYBI_02,
            Version::HYBI_03,
            Version::HYBI_04,
            Version::HYBI_05,
            Version::HYBI_06,
        ]);
        let uri = input.choose(&[
            "ws://a.example/chat",
            "wss://a.example/",
            "ws://A.example:8080/chat?a=b",
            "wss://[::1]:80/a//b?",
        ]);
        let uri: WsUri = uri.parse().expect("a URI");
        let mut request = ClientRequest::new(uri).version(version);
        let choices = input.byte();
        for (at, name) in ["chat", "superchat"].into_iter().enumerate() {
            if choices >> at & 1 == 1 {
                request = request.subprotocol(name).expect("a token");
            }
        }
        if choices & 4 == 4 {
            request = request.origin("http://Other.example").expect("an origin");
        }
        if choices & 8 == 8 {
            request = request.extension(ExtensionOffer::new("deflate-stream").expect("a token"));
        }
        Self { request, version, seed: input.byte() }
    }

    fn client(&self) -> ClientHandshake {
        let limits = HeadLimits::default();
        ClientHandshake::new(&self.request, &mut random(self.seed), limits)
            .expect("a version of these")
    }

    /// What a server of ours answers.
    fn answer(&self) -> Vec<u8> {
        let client = self.client();
        let bytes = client.request_bytes();
        let mut server = ServerHandshake::new(HeadLimits::default());
        let (taken, request) = server.handle_input(bytes).expect("a request");
        let request = request.expect("it is whole");
        let policy = ServerPolicy::new()
            .with_versions(Version::ALL)
            .with_hosts(hybi_handshake::HostPolicy::Any)
            .with_origins(OriginPolicy::Any)
            .with_subprotocols(["superchat", "chat"])
            .with_secure(self.request.uri().is_secure());
        let accepted = check(&policy, &request, FieldOrder::Fixed);
        let accepted = accepted.unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii()));
        let mut out = Vec::new();
        if self.version < Version::HYBI_04 {
            let answer = ServerAnswer::new(&policy, &request, &accepted).expect("it was accepted");
            out.extend(answer.head());
            if answer.has_challenge() {
                let challenge = bytes[taken..].try_into().expect("eight bytes");
                out.extend(answer.answer(challenge));
            } else {
                assert_eq!(taken, bytes.len());
            }
            return out;
        }
        assert_eq!((taken, accepted.version), (bytes.len(), self.version));
        let mut nonce = [0; 16];
        random(!self.seed)(&mut nonce);
        let mut response = accepted.response();
        if self.version == Version::HYBI_04 {
            let (name, value, terms) = hybi_04_nonce(&accepted, nonce);
            assert_eq!(terms.version(), self.version);
            response.headers_mut().insert(name, value);
        }
        write_response(&response, b"", &mut out);
        out
    }

    fn outcome(&self, answer: &[u8], cuts: &Cuts) -> Result<Accepted, Refused> {
        let mut client = self.client();
        let mut taken = 0;
        let judge = |error: HandshakeError| match error {
            HandshakeError::Rejected(_)
            | HandshakeError::HeadTooLarge { .. }
            | HandshakeError::TooManyFields { .. } => Refused::ForOther,
            error => Refused::ByTheRules(error.to_string()),
        };
        for chunk in cuts.of(answer) {
            let (more, accepted) = match client.handle_input(chunk) {
                Ok(step) => step,
                Err(error) => {
                    let again = client.handle_input(b"x").expect_err("errors are sticky");
                    assert_eq!(again.to_string(), error.to_string());
                    return Err(judge(error));
                }
            };
            taken += more;
            if let Some((accepted, terms)) = accepted {
                assert_eq!(accepted.version, self.version);
                let extensions = accepted.extensions.iter().map(|one| one.name().to_owned());
                let (subprotocol, extensions) = (accepted.subprotocol, extensions.collect());
                return Ok(Accepted { taken, subprotocol, extensions, terms });
            }
            assert_eq!(more, chunk.len(), "what is not finished takes everything");
        }
        match client.handle_eof() {
            // Bytes behind an end are counted where they were seen.
            HandshakeError::UnexpectedEof { .. } => Err(Refused::ByTheRules("an early end".into())),
            error => Err(judge(error)),
        }
    }

    /// What the documents make of an answer: `None` where it is none, or not whole.
    fn expected(&self, answer: &[u8]) -> Option<Accepted> {
        let mut begin = 0;
        let (words, head) = loop {
            let words = words::head(&answer[begin..])?;
            let head = &answer[begin..begin + words.len];
            match words::status_line(&words.start_line)? {
                (b"HTTP/1.1", 101) => break (words, head),
                (b"HTTP/1.0" | b"HTTP/1.1", 100..200) => begin += words.len,
                _ => return None,
            }
        };
        begin += words.len;
        let client = self.client();
        let asked = Asked::new(client.request_bytes(), self.request.uri().is_secure());
        let subprotocol = match self.version {
            Version::HIXIE_75 => asked.hixie_75(head, &words)?,
            version if version < Version::HYBI_04 => {
                let challenged = answer[begin..].get(..16)?;
                begin += 16;
                asked.hixie_76(&words, challenged)?
            }
            _ => asked.keyed(&words)?,
        };
        let extensions = match self.version {
            version if version < Version::HYBI_04 => Vec::new(),
            version => asked.extensions(&words, version)?,
        };
        let terms = match self.version {
            Version::HYBI_04 => Terms::hybi_04(&asked.one("sec-websocket-key"), &nonce(&words)?),
            version => Terms::new(version)?,
        };
        Some(Accepted { taken: begin, subprotocol, extensions, terms })
    }
}

/// What stands in a request.
struct Asked {
    words: Words,
    body: Vec<u8>,
    secure: bool,
}

impl Asked {
    fn new(request: &[u8], secure: bool) -> Self {
        let words = words::head(request).expect("a head");
        let body = request[words.len..].to_vec();
        Self { words, body, secure }
    }

    fn one(&self, name: &str) -> String {
        let value = one(&self.words, name).expect("a field of the request");
        String::from_utf8(value.to_vec()).expect("text")
    }

    fn target(&self) -> &str {
        let line = words::request_line(&self.words.start_line).expect("a request line");
        core::str::from_utf8(line.1).expect("text")
    }

    /// hixie-75: the first three lines as they are, and what both drafts repeat.
    fn hixie_75(&self, head: &[u8], words: &Words) -> Option<Option<String>> {
        let lines = b"HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n";
        head.starts_with(lines).then(|| self.repeated(words, "websocket-"))?
    }

    /// hixie-76 to hybi-03: two fields without regard to case, what both drafts repeat, and the answer to the challenge.
    fn hixie_76(&self, words: &Words, answer: &[u8]) -> Option<Option<String>> {
        let is = |name, wanted: &str| {
            one(words, name).is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        let challenge = [
            &part(&self.one("sec-websocket-key1")).to_be_bytes()[..],
            &part(&self.one("sec-websocket-key2")).to_be_bytes(),
            &self.body,
        ];
        let answered = Md5::digest(challenge.concat())[..] == *answer;
        let fits = is("upgrade", "websocket") && is("connection", "upgrade") && answered;
        fits.then(|| self.repeated(words, "sec-websocket-"))?
    }

    /// The origin, the location, and the subprotocol: what was asked for or, as some servers do, one name of it.
    fn repeated(&self, words: &Words, prefix: &str) -> Option<Option<String>> {
        let field = |name: &str| format!("{prefix}{name}");
        let scheme = if self.secure { "wss" } else { "ws" };
        let location = format!("{scheme}://{}{}", self.one("host"), self.target());
        if one(words, &field("origin"))? != self.one("origin").as_bytes()
            || one(words, &field("location"))? != location.as_bytes()
        {
            return None;
        }
        let asked = one(&self.words, &field("protocol")).map(|asked| asked.to_vec());
        let chosen = at_most_one(words, &field("protocol"))?.filter(|chosen| !chosen.is_empty());
        match (asked, chosen) {
            (None, None) => Some(None),
            (Some(asked), Some(chosen)) => {
                let mut names = asked.split(|&byte| byte == b' ');
                let fits = asked == chosen || names.any(|name| name == chosen);
                fits.then(|| String::from_utf8(chosen.to_vec()).ok())
            }
            _ => None,
        }
    }

    /// hybi-04 to 06.
    fn keyed(&self, words: &Words) -> Option<Option<String>> {
        let upgrade = one(words, "upgrade")?;
        let connection = all(words, "connection").flat_map(|value| words::elements(value, b','));
        let mut connection = connection.filter(|token| token.eq_ignore_ascii_case(b"upgrade"));
        let key = self.one("sec-websocket-key");
        let accept = Sha1::digest([&key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat());
        let accept = BASE64_STANDARD.encode(accept);
        if !upgrade.eq_ignore_ascii_case(b"websocket")
            || connection.next().is_none()
            || one(words, "sec-websocket-accept")? != accept.as_bytes()
        {
            return None;
        }
        let chosen = at_most_one(words, "sec-websocket-protocol")?;
        let Some(chosen) = chosen.filter(|chosen| !chosen.is_empty()) else { return Some(None) };
        let asked = at_most_one(&self.words, "sec-websocket-protocol")?.unwrap_or_default();
        let fits = words::elements(asked, b',').any(|name| name == chosen);
        fits.then(|| String::from_utf8(chosen.to_vec()).ok())
    }

    /// The names of extensions, which all were offered.
    fn extensions(&self, words: &Words, version: Version) -> Option<Vec<String>> {
        let values: Vec<_> = all(words, "sec-websocket-extensions").collect();
        // What a list is like has a target of its own.
        let filled = values.iter().filter(|value| !value.is_empty());
        let parsed = ExtensionOffer::parse_list(filled, version).ok()?;
        let offered = at_most_one(&self.words, "sec-websocket-extensions")?.unwrap_or_default();
        let names = parsed.iter().map(|one| one.name().to_owned());
        let names: Vec<_> = names.collect();
        names.iter().all(|name| name.as_bytes() == offered).then_some(names)
    }
}

/// The number in a key divided by its spaces.
fn part(key: &str) -> u32 {
    let number: String = key.chars().filter(char::is_ascii_digit).collect();
    let spaces = key.chars().filter(|&character| character == ' ').count() as u64;
    let number: u64 = number.parse().expect("digits");
    assert_eq!(number % spaces, 0, "{key}");
    (number / spaces).try_into().expect("32 bits")
}

/// hybi-04: base64 of sixteen bytes, as text.
fn nonce(words: &Words) -> Option<String> {
    let value = one(words, "sec-websocket-nonce")?;
    let (digits, end) = value.split_at_checked(22)?;
    let fits = digits.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte));
    (fits && end == b"==").then(|| String::from_utf8(value.to_vec()).ok())?
}

fn all<'a>(words: &'a Words, name: &str) -> impl Iterator<Item = &'a [u8]> {
    words.fields.iter().filter(move |field| field.0 == name).map(|field| &field.1[..])
}

/// The value of a field that is there once.
fn one<'a>(words: &'a Words, name: &str) -> Option<&'a [u8]> {
    at_most_one(words, name).flatten()
}

fn at_most_one<'a>(words: &'a Words, name: &str) -> Option<Option<&'a [u8]>> {
    let mut values = all(words, name);
    let first = values.next();
    values.next().is_none().then_some(first)
}

/// An answer with a few places changed.
fn edited(mut answer: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        let at = usize::from(input.byte()) << 1 | usize::from(input.byte() & 1);
        let at = at.min(answer.len());
        let end = (at + usize::from(input.byte() % 64)).min(answer.len());
        let len = usize::from(input.byte());
        answer.splice(at..end, input.bytes(len).iter().copied());
    }
    answer
}

/// Bytes that differ from seed to seed, and are the same for one.
fn random(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut state = u32::from(seed).wrapping_mul(0x9e37_79b9) | 1;
    move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
            *byte = (state >> 24) as u8;
        }
    }
}
