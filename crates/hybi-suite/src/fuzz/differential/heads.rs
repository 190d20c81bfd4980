//! Request heads beside httparse: we take nothing that it refuses and read nothing otherwise.

use httparse::{EMPTY_HEADER, Status};
use hybi_handshake::{HandshakeError, HeadLimits, ServerHandshake};

use super::{Difference, difference, explained};
use crate::fuzz::words;

/// Two readings of one head that are not the same.
#[derive(Debug)]
pub(super) struct Case {
    /// What we refuse it for; `None` where we wait for more.
    ours: Option<HandshakeError>,
    /// What httparse does: it takes the head, waits for more, or refuses it.
    theirs: Result<Status<usize>, httparse::Error>,
    /// An empty line stands behind the first lines.
    is_whole: bool,
}

impl Case {
    /// What is refused here alone.
    fn refused(&self) -> Option<&HandshakeError> {
        self.ours.as_ref().filter(|_| self.theirs.is_ok())
    }
}

pub(super) const LISTED: &[Difference<Case>] = &[
    // What a line breaks is told here when the head is whole.
    difference("a broken line is told before the head is whole", |case| {
        case.ours.is_none() && case.theirs.is_err() && !case.is_whole
    }),
    // A line end of LF alone is where a proxy and a server come to read different requests.
    difference("a line may end in LF alone", |case| {
        matches!(case.refused(), Some(HandshakeError::BareLineEnd { .. }))
    }),
    // It skips what stands before a request, and we a line end of CR and LF.
    difference("what stands before a request is skipped", |case| {
        matches!(case.refused(), Some(HandshakeError::NotHttp { .. }))
    }),
    // It has one limit, on fields.
    difference("a head may be long", |case| {
        matches!(
            case.refused(),
            Some(
                HandshakeError::HeadTooLarge { .. }
                    | HandshakeError::TargetTooLong { .. }
                    | HandshakeError::TooManyFields { .. }
            )
        )
    }),
    // It takes a target for a run of bytes.
    difference("a target is any run of bytes", |case| {
        matches!(case.refused(), Some(HandshakeError::MalformedTarget))
    }),
    // It knows of no field.
    difference("Host is a field like others", |case| {
        matches!(
            case.refused(),
            Some(
                HandshakeError::MissingHost
                    | HandshakeError::MalformedHost
                    | HandshakeError::HostMismatch
                    | HandshakeError::DuplicateField { name: "Host" }
            )
        )
    }),
];

pub(super) fn seen(stream: &[u8]) -> Vec<&'static str> {
    let mut table = [EMPTY_HEADER; 101];
    let mut theirs = httparse::Request::new(&mut table);
    let parsed = theirs.parse(stream);
    let mut server = ServerHandshake::new(HeadLimits::default());
    let ours = match (server.handle_input(stream), parsed) {
        (Ok((taken, Some(ours))), Ok(Status::Complete(len))) => {
            assert_eq!(taken, len, "where the head ends");
            assert_eq!(theirs.method, Some(ours.method().as_str()));
            assert_eq!(theirs.version, Some(u8::from(ours.version() == http::Version::HTTP_11)));
            assert_eq!(theirs.headers.len(), ours.headers().len());
            for field in theirs.headers.iter() {
                let mut values = ours.headers().get_all(field.name).iter();
                let value = words::trimmed(field.value);
                assert!(
                    values.any(|ours| words::trimmed(ours.as_bytes()) == value),
                    "{} has another value",
                    field.name
                );
            }
            return Vec::new();
        }
        (Err(_), Err(_)) | (Ok((_, None)), Ok(Status::Partial)) => return Vec::new(),
        (Ok((_, Some(ours))), parsed) => panic!("{ours:?} here, and there {parsed:?}"),
        (Ok((_, None)), _) => None,
        (Err(error), _) => Some(error),
    };
    let lines = stream.trim_ascii_start();
    let is_whole = [&b"\n\r\n"[..], b"\n\n"]
        .iter()
        .any(|end| lines.windows(end.len()).any(|bytes| bytes == *end));
    vec![explained(&Case { ours, theirs: parsed, is_whole }, LISTED)]
}
