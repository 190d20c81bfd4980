//! Which version a request speaks, among those that a server accepts: the fields that tell, the
//! doubt that the first byte may settle, and what a refusal lists.

use hybi_handshake::{HandshakeError, Version};
use hybi_legacy::Terms;

use crate::support::{REQUEST_75, REQUEST_76, answer, judged, policy, with_line};

const H75: Version = Version::HIXIE_75;
const H76: Version = Version::HIXIE_76;
const V1: Version = Version::HYBI_01;
const V2: Version = Version::HYBI_02;
const V3: Version = Version::HYBI_03;
const RFC: Version = Version::RFC6455;

/// What a request with two keys comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Heard {
    /// This version.
    Only(Version),
    /// The first, unless the first byte says the second.
    Or(Version, Version),
    /// 426, and it was this version that was asked for.
    Refused(Version),
    /// 426, for a version that does not exist.
    Unknown,
    /// 400.
    Bad,
}

use Heard::{Bad, Only, Or, Refused, Unknown};

fn heard(request: &str, accepted: &[Version]) -> Heard {
    match judged(&policy(accepted.iter().copied()), request) {
        Ok(terms) => {
            let version = terms.version();
            let only = Terms::new(version).expect("a version before hybi-07");
            let or = |other: &Version| terms == only.clone().or(*other);
            match [H76, V1, V2, V3].iter().find(|other| **other != version && or(other)) {
                Some(other) if terms != only => Or(version, *other),
                _ => {
                    assert_eq!(terms, only);
                    Only(version)
                }
            }
        }
        Err(HandshakeError::UnsupportedVersion { requested, .. }) => Refused(requested),
        Err(error @ HandshakeError::UnknownVersion { .. }) => {
            assert_eq!(error.response().status(), 426);
            Unknown
        }
        Err(error) => {
            assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
            Bad
        }
    }
}

#[test]
fn two_keys_and_the_draft_that_is_named_tell_among_four_versions() {
    for (draft, accepted, expected) in [
        ("", &[H76][..], Only(H76)),
        ("", &[V1], Only(V1)),
        ("", &[H76, V1], Or(H76, V1)),
        ("", &[H76, V1, V2, V3, RFC, H75], Or(H76, V1)),
        ("", &[H76, V2, V3], Only(H76)),
        ("", &[V2, V3], Refused(H76)),
        ("", &[RFC], Refused(H76)),
        ("", &[], Refused(H76)),
        ("0", &[H76], Only(H76)),
        ("0", &[H76, V1, V2, V3], Only(H76)),
        ("0", &[V1, V2, V3], Refused(H76)),
        ("1", &[V1], Only(V1)),
        ("1", &[H76, V1, V2, V3], Or(V1, H76)),
        ("1", &[H76, V2, V3], Refused(V1)),
        ("2", &[V2], Only(V2)),
        ("2", &[V3], Only(V3)),
        ("2", &[V2, V3], Only(V3)),
        ("2", &[H76, V2], Or(V2, H76)),
        ("2", &[H76, V2, V3], Or(V3, H76)),
        ("2", &[H76, V1], Refused(V2)),
        ("3", &[V3], Only(V3)),
        ("3", &[H76, V1, V2, V3], Or(V3, H76)),
        ("3", &[H76, V1, V2], Refused(V3)),
        ("4", &Version::ALL, Unknown),
        ("00", &Version::ALL, Bad),
        ("02", &Version::ALL, Bad),
        ("-1", &Version::ALL, Bad),
        ("2, 3", &Version::ALL, Bad),
        ("two", &Version::ALL, Bad),
        ("256", &Version::ALL, Unknown),
        ("9999", &Version::ALL, Unknown),
        ("", &[RFC], Refused(H76)),
    ] {
        let line = format!("Host: example.com\r\nSec-WebSocket-Draft: {draft}");
        let line = if draft.is_empty() { "Host: example.com" } else { &line };
        let request = with_line(REQUEST_76, "Host", line);
        assert_eq!(heard(&request, accepted), expected, "draft {draft:?} among {accepted:?}");
    }
}

#[test]
fn a_request_without_keys_is_one_of_hixie_75_only_where_that_is_accepted() {
    assert_eq!(heard(REQUEST_75, &[H75]), Only(H75));
    assert_eq!(heard(REQUEST_75, &Version::ALL), Only(H75));
    let all_but = Version::ALL.into_iter().filter(|version| *version != H75);
    let refusal = judged(&policy(all_but), REQUEST_75).unwrap_err();
    assert!(matches!(refusal, HandshakeError::MissingVersion { .. }), "{refusal}");

    // The fields of a later version make it one, however bad: nothing falls back to fewer checks.
    for line in [
        "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5",
        "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: chat",
        "Sec-WebSocket-Draft: 0",
        "Sec-WebSocket-Extensions: foo",
    ] {
        let request = with_line(REQUEST_75, "Host", &format!("Host: example.com\r\n{line}"));
        assert_eq!(heard(&request, &Version::ALL), Bad, "{line}");
    }
    let request = with_line(REQUEST_75, "Upgrade", "Upgrade: h2c");
    let refusal = judged(&policy(Version::ALL), &request).unwrap_err();
    assert!(matches!(refusal, HandshakeError::NotWebSocket { .. }), "{refusal}");
}

#[test]
fn a_version_in_its_field_outweighs_keys_of_older_drafts() {
    let line = "Host: example.com\r\nSec-WebSocket-Version: 6\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let request = with_line(REQUEST_76, "Host", line);
    assert_eq!(heard(&request, &Version::ALL), Only(Version::HYBI_06));
    assert_eq!(heard(&request, &[H76, RFC]), Refused(Version::HYBI_06));
    let unversioned = request.replace("Sec-WebSocket-Version: 6\r\n", "");
    let refusal = judged(&policy(Version::ALL), &unversioned).unwrap_err();
    assert!(matches!(refusal, HandshakeError::MissingVersion { .. }), "{refusal}");
    let request = request.replace("Version: 6", "Version: 0");
    assert_eq!(heard(&request, &Version::ALL), Refused(H76), "the number is not for that field");
}

#[test]
fn one_key_alone_is_refused_by_name() {
    for (missing, other) in [("Sec-WebSocket-Key1", "Key2"), ("Sec-WebSocket-Key2", "Key1")] {
        let request = with_line(REQUEST_76, missing, "");
        assert!(request.contains(other));
        let refusal = judged(&policy(Version::ALL), &request).unwrap_err();
        assert_eq!(refusal.to_string(), format!("{missing} is missing"));
        assert_eq!(refusal.section(), "hixie-76");
    }
}

#[test]
fn refusals_list_the_accepted_versions_that_a_field_can_name() {
    for (accepted, list) in [
        (&[RFC][..], Some("13")),
        (&[RFC, Version::HYBI_08, Version::HYBI_04], Some("13, 8, 4")),
        (&[RFC, H75, V1, V2], Some("13")),
        (&[V1, H75], None),
        (&[], None),
    ] {
        let policy = policy(accepted.iter().copied());
        let draft = with_line(REQUEST_76, "Host", "Host: example.com\r\nSec-WebSocket-Draft: 3");
        let page = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
        for request in [&draft, page] {
            let seen = answer(&policy, request);
            assert_eq!(seen.status(), 426, "{seen:?}");
            assert_eq!(seen.field("sec-websocket-version"), list, "{accepted:?}");
            assert_eq!(seen.field("upgrade"), Some("websocket"));
        }
    }
}
