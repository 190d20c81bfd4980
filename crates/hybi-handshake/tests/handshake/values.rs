//! How values are shown: in logs, and in what users are told.

use hybi_handshake::{FieldError, UriError, Version, VersionSet};

#[test]
fn what_the_caller_got_wrong_is_told_in_words() {
    let told = [
        (FieldError::Reserved, "this field is written by the handshake itself"),
        (FieldError::NotGet, "an opening handshake is a GET request"),
        (FieldError::InvalidName, "the field name is not a token"),
        (FieldError::InvalidValue, "the field value holds a character that no field may hold"),
        (FieldError::NotAToken, "a name or value is not a token of HTTP"),
        (FieldError::DuplicateSubprotocol, "the subprotocol is already offered"),
        (FieldError::SubprotocolNotOffered, "the client did not offer this subprotocol"),
        (
            FieldError::UnsupportedVersion { requested: Version::RFC6455 },
            "rfc6455 is not spoken here",
        ),
        (FieldError::InvalidHost, "a host is written host[:port]"),
        (FieldError::InvalidOrigin, "an origin is written scheme://host[:port]"),
    ];
    for (error, words) in told {
        assert_eq!(error.to_string(), words);
    }
    let told = [
        (UriError::HttpScheme, "an http URI is not a WebSocket URI (write ws:// or wss://)"),
        (UriError::Scheme, "a WebSocket URI begins with ws:// or wss://"),
        (UriError::Fragment, "a WebSocket URI has no fragment (write %23 for #)"),
        (UriError::Host, "the host of the URI is missing or malformed"),
        (UriError::Port, "the port of the URI is not a number from 1 to 65535"),
        (UriError::UserInfo, "the user-info of the URI is malformed"),
        (UriError::UnixSocket, "the URI of a Unix socket is ws+unix:PATH:/TARGET"),
        (UriError::Character { offset: 7 }, "byte 7 of the URI has to be percent-encoded"),
    ];
    for (error, words) in told {
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn versions_have_a_number_for_the_wire_and_a_name_for_people() {
    let shown = [
        (Version::HIXIE_75, "hixie-75", "Version(hixie-75)"),
        (Version::HIXIE_76, "0", "Version(hixie-76)"),
        (Version::HYBI_01, "1", "Version(hybi-01)"),
        (Version::HYBI_04, "4", "Version(hybi-04)"),
        (Version::HYBI_08, "8", "Version(hybi-08)"),
        (Version::RFC6455, "13", "Version(rfc6455)"),
        (Version::new(99), "99", "Version(99)"),
    ];
    for (version, number, name) in shown {
        assert_eq!((version.to_string().as_str(), format!("{version:?}").as_str()), (number, name));
    }
    let set = VersionSet::from_iter([Version::RFC6455, Version::HYBI_04]);
    let names = format!("{set:?}");
    assert!(names == "{Version(rfc6455), Version(hybi-04)}", "{names}");
}
