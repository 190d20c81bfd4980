//! Other implementations on the same bytes. Where they differ from ours, the difference stands in a list here
//! with its reason; one that does not fails.

use httparse::{EMPTY_HEADER, Status};
use hybi_handshake::{HandshakeError, HeadLimits, ServerHandshake};

use super::words;

/// What httparse takes for a request and we refuse, and why.
fn is_stricter(error: &HandshakeError) -> bool {
    match error {
        // A line end of LF alone is where a proxy and a server come to read different requests.
        HandshakeError::BareLineEnd { .. } => true,
        // It skips what stands before a request, and we a line end of CR and LF.
        HandshakeError::NotHttp { .. } => true,
        // Limits, of which it has one on fields.
        HandshakeError::HeadTooLarge { .. }
        | HandshakeError::TargetTooLong { .. }
        | HandshakeError::TooManyFields { .. } => true,
        // It takes a target for a run of bytes, and knows of no field.
        HandshakeError::MalformedTarget
        | HandshakeError::MissingHost
        | HandshakeError::MalformedHost
        | HandshakeError::HostMismatch
        | HandshakeError::DuplicateField { name: "Host" } => true,
        _ => false,
    }
}

/// Request heads beside httparse: we take nothing that it refuses and read nothing otherwise.
pub(super) fn request_head(stream: &[u8]) {
    let mut table = [EMPTY_HEADER; 101];
    let mut theirs = httparse::Request::new(&mut table);
    let parsed = theirs.parse(stream);
    let mut server = ServerHandshake::new(HeadLimits::default());
    match (server.handle_input(stream), parsed) {
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
        }
        (Err(error), Ok(_)) => assert!(is_stricter(&error), "refused here alone: {error}"),
        (Err(_), Err(_)) | (Ok((_, None)), Ok(Status::Partial)) => {}
        // What a line breaks is told when the head is whole.
        (Ok((_, None)), Err(_)) => {}
        (Ok((_, ours)), parsed) => panic!("{ours:?} here, and there {parsed:?}"),
    }
}
