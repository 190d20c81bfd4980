//! Request and response heads: the same however they are cut; what is accepted is what the
//! [words](super::words) of RFC 9112 say, and comes back the same when it is written and read again.

use http::{HeaderMap, Request, Response};
use hybi_handshake::{
    HandshakeError, HeadLimits, ResponseReader, ServerHandshake, ServerPolicy, Version,
    write_fields, write_response, write_response_head,
};
use hybi_legacy::{FieldOrder, ServerAnswer, check};

use super::input::{Cuts, Input};
use super::words::{self, Words};

fn limits(input: &mut Input<'_>) -> HeadLimits {
    let limits = HeadLimits::default();
    *input.choose(&[limits, limits.with_max_bytes(100).with_max_fields(3)])
}

/// Bytes taken in all, and what came of them: nothing yet, a head, or an error.
type Outcome<T> = (usize, Result<Option<T>, HandshakeError>);

/// Feeds a reader one chunk after the other, until it has something to say.
fn feed<T>(
    stream: &[u8],
    cuts: &Cuts,
    mut reader: impl FnMut(&[u8]) -> Result<(usize, Option<T>), HandshakeError>,
) -> Outcome<T> {
    let mut taken = 0;
    for chunk in cuts.of(stream) {
        match reader(chunk) {
            Ok((more, None)) => {
                assert_eq!(more, chunk.len(), "what is not finished takes everything");
                taken += more;
            }
            Ok((more, head)) => return (taken + more, Ok(head)),
            Err(error) => {
                let again = reader(b"x").map(|_| ()).expect_err("errors are sticky");
                assert_eq!(again.to_string(), error.to_string());
                // How much was taken before an error is the caller's no more.
                return (0, Err(error));
            }
        }
    }
    (taken, Ok(None))
}

pub(super) fn request(data: &[u8]) {
    let mut input = Input::new(data);
    let (limits, cuts) = (limits(&mut input), input.cuts());
    let stream = input.rest();
    let read = |cuts: &Cuts| {
        let mut server = ServerHandshake::new(limits);
        feed(stream, cuts, |chunk| server.handle_input(chunk))
    };
    let shown = |(taken, head): &Outcome<Request<()>>| {
        let head = head.as_ref().map(|head| head.as_ref().map(written));
        (*taken, head.map_err(ToString::to_string))
    };
    let whole = read(&Cuts::none());
    assert_eq!(shown(&read(&cuts)), shown(&whole), "cut as the input says");
    assert_eq!(shown(&read(&Cuts::everywhere())), shown(&whole), "cut at every byte");
    let (taken, request) = match whole {
        (taken, Ok(Some(request))) => (taken, request),
        (_, Ok(None)) => return,
        (_, Err(error)) => return assert_refused(stream, &error),
    };
    let bytes = written(&request);
    assert!(taken <= limits.max_bytes() && request.headers().len() <= limits.max_fields());

    let words = words::request_head(stream).unwrap_or_else(|| panic!("not in order, and accepted"));
    assert_eq!(words.len, taken, "where the head ends");
    let (method, target, version) =
        words::request_line(&words.start_line).unwrap_or_else(|| panic!("no request line"));
    assert_eq!(method, request.method().as_str());
    assert!(target.is_ascii() && !target.contains(&b'#'), "{}", target.escape_ascii());
    assert_eq!(version == b"HTTP/1.1", request.version() == http::Version::HTTP_11);
    assert!(version == b"HTTP/1.1" || version == b"HTTP/1.0");
    assert_fields(&words, request.headers());

    let mut again = ServerHandshake::new(HeadLimits::default().with_max_bytes(1 << 20));
    let (_, again) = again.handle_input(&bytes).expect("what was accepted is again");
    assert_eq!(written(&again.expect("it is whole")), bytes, "read again");
    judged(&request);
}

/// What is in order is refused for no other reason than these.
fn assert_refused(stream: &[u8], error: &HandshakeError) {
    let Some(words) = words::request_head(stream) else { return };
    let lawful = match words::request_line(&words.start_line) {
        Some((_, target, version)) => {
            target.iter().all(u8::is_ascii_graphic)
                && (version == b"HTTP/1.1" || version == b"HTTP/1.0")
        }
        None => false,
    };
    let reason = matches!(
        error,
        // Limits.
        HandshakeError::HeadTooLarge { .. }
            | HandshakeError::TargetTooLong { .. }
            | HandshakeError::TooManyFields { .. }
            // What a request is for: that is not for the head to say.
            | HandshakeError::MalformedTarget
            | HandshakeError::MissingHost
            | HandshakeError::MalformedHost
            | HandshakeError::HostMismatch
            | HandshakeError::DuplicateField { name: "Host" }
    );
    assert!(reason || !lawful, "in order, and refused: {error}");
}

/// Whatever a server of all versions says to a request, HTTP has it, and a client can read it.
fn judged(request: &Request<()>) {
    let policy = ServerPolicy::new().with_versions(Version::ALL).with_subprotocols(["chat"]);
    let mut answer = Vec::new();
    match check(&policy, request, FieldOrder::Any) {
        Ok(accepted) if accepted.version < Version::HYBI_04 => {
            let Ok(legacy) = ServerAnswer::new(&policy, request, &accepted) else { return };
            answer.extend(legacy.head());
        }
        Ok(accepted) => write_response(&accepted.response(), b"", &mut answer),
        Err(error) => {
            let response = error.response();
            let status = response.status();
            assert!(status.is_client_error() || status == 505, "{error}: {status}");
            write_response(&response, response.body().as_bytes(), &mut answer);
        }
    }
    let words = words::head(&answer)
        .unwrap_or_else(|| panic!("an answer that is none: {}", answer.escape_ascii()));
    assert!(words::status_line(&words.start_line).is_some(), "{}", answer.escape_ascii());
}

fn written(request: &Request<()>) -> Vec<u8> {
    let version = if request.version() == http::Version::HTTP_11 { "1.1" } else { "1.0" };
    let mut bytes =
        format!("{} {} HTTP/{version}\r\n", request.method(), request.uri()).into_bytes();
    write_fields(request.headers(), &mut bytes);
    bytes.extend(b"\r\n");
    bytes
}

/// Each field is there, with its value; those of one name are in their order.
fn assert_fields(words: &Words, headers: &HeaderMap) {
    assert_eq!(words.fields.len(), headers.len());
    for name in headers.keys() {
        let said = words.fields.iter().filter(|field| field.0 == name.as_str());
        let read = headers.get_all(name).iter().map(|value| words::trimmed(value.as_bytes()));
        assert!(said.map(|field| &field.1[..]).eq(read), "the values of {name}");
    }
}

pub(super) fn response(data: &[u8]) {
    let mut input = Input::new(data);
    let (limits, cuts) = (limits(&mut input), input.cuts());
    let stream = input.rest();
    let read = |cuts: &Cuts| {
        let mut reader = Reader { inner: ResponseReader::new(limits), error: None };
        let (taken, head) = feed(stream, cuts, |chunk| reader.handle_input(chunk));
        let end = (!matches!(head, Ok(Some(_)))).then(|| shown(&reader.handle_eof()));
        (taken, head.map_err(|error| error.to_string()), end)
    };
    let whole = read(&Cuts::none());
    assert_eq!(read(&cuts), whole, "cut as the input says");
    assert_eq!(read(&Cuts::everywhere()), whole, "cut at every byte");
    let (taken, Ok(Some(bytes)), _) = whole else { return };

    // Interim responses may stand before it.
    let mut begin = 0;
    let words = loop {
        let words =
            words::head(&stream[begin..]).unwrap_or_else(|| panic!("not in order, and accepted"));
        begin += words.len;
        match words::status_line(&words.start_line) {
            Some((b"HTTP/1.1", 101)) => break words,
            Some((b"HTTP/1.0" | b"HTTP/1.1", 100..200)) => {}
            other => panic!("accepted as 101: {other:?}"),
        }
    };
    assert_eq!(begin, taken, "where the head ends");
    let mut again = ResponseReader::new(HeadLimits::default().with_max_bytes(1 << 20));
    let (_, again) = again.handle_input(&bytes).expect("what was accepted is again");
    let again = again.expect("it is whole").response;
    assert_fields(&words, again.headers());
    assert_eq!(rewritten(&again), bytes, "read again");
}

fn rewritten(response: &Response<()>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_response_head(response, 0, &mut bytes);
    bytes
}

/// A reader of responses whose errors are said again, as whoever uses it does.
struct Reader {
    inner: ResponseReader,
    error: Option<HandshakeError>,
}

impl Reader {
    fn handle_input(&mut self, chunk: &[u8]) -> Result<(usize, Option<Vec<u8>>), HandshakeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let result = self.inner.handle_input(chunk);
        self.error = result.as_ref().err().cloned();
        result.map(|(taken, head)| (taken, head.map(|head| rewritten(&head.response))))
    }

    fn handle_eof(&mut self) -> HandshakeError {
        self.error.take().unwrap_or_else(|| self.inner.handle_eof())
    }
}

/// An error with the body that came with it.
fn shown(error: &HandshakeError) -> String {
    match error {
        HandshakeError::Rejected(response) => {
            format!("{error}: {:?} {}", response.headers(), response.body().escape_ascii())
        }
        // Bytes behind an end are counted where they were seen.
        HandshakeError::UnexpectedEof { .. } => "an early end".to_owned(),
        error => error.to_string(),
    }
}
