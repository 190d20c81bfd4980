//! Where a reference leads: all of RFC 3986 section 5.4, and what it has no example for.

use hybi_handshake::{UriError, WsUri};

fn joined(base: &str, reference: &str) -> Result<String, UriError> {
    let base: WsUri = base.parse().expect("a URI");
    base.join(reference).map(|uri| uri.to_string())
}

/// A server may lead to another path on its own socket, and to the network; to a socket of this machine, nobody.
#[test]
fn none_leads_to_a_unix_socket() {
    let unix = "ws+unix:/run/a.socket:/b/c?d";
    for (reference, leads_to) in [
        ("x", "ws+unix:/run/a.socket:/b/x"),
        ("/x?y#z", "ws+unix:/run/a.socket:/x?y"),
        ("?y", "ws+unix:/run/a.socket:/b/c?y"),
        ("//host/x", "ws://host/x"),
        ("http://localhost/x", "ws://localhost/x"),
    ] {
        assert_eq!(joined(unix, reference), Ok(leads_to.to_owned()), "{reference}");
    }
    for base in [unix, "ws://a/", "wss://a/"] {
        for reference in ["ws+unix:/run/b.socket:/", "WS+UNIX:/run/a.socket:/", "ws+unix:///run/b"]
        {
            assert_eq!(joined(base, reference), Err(UriError::Scheme), "{base} {reference}");
        }
    }
    let [one, other, local]: [WsUri; 3] =
        ["ws+unix:/run/a.socket:/x", "ws+unix:/run/b.socket:/x", "ws://localhost/x"]
            .map(|text| text.parse().expect("a URI"));
    assert!(one.is_same_origin(&unix.parse().expect("a URI")));
    assert!(!one.is_same_origin(&other) && !one.is_same_origin(&local));
}

#[test]
fn the_examples_of_the_rfc() {
    for (reference, leads_to) in [
        ("g", "ws://a/b/c/g"),
        ("./g", "ws://a/b/c/g"),
        ("g/", "ws://a/b/c/g/"),
        ("/g", "ws://a/g"),
        ("//g", "ws://g/"),
        ("?y", "ws://a/b/c/d;p?y"),
        ("g?y", "ws://a/b/c/g?y"),
        ("#s", "ws://a/b/c/d;p?q"),
        ("g#s", "ws://a/b/c/g"),
        ("g?y#s", "ws://a/b/c/g?y"),
        (";x", "ws://a/b/c/;x"),
        ("g;x", "ws://a/b/c/g;x"),
        ("g;x?y#s", "ws://a/b/c/g;x?y"),
        ("", "ws://a/b/c/d;p?q"),
        (".", "ws://a/b/c/"),
        ("./", "ws://a/b/c/"),
        ("..", "ws://a/b/"),
        ("../", "ws://a/b/"),
        ("../g", "ws://a/b/g"),
        ("../..", "ws://a/"),
        ("../../", "ws://a/"),
        ("../../g", "ws://a/g"),
        ("../../../g", "ws://a/g"),
        ("../../../../g", "ws://a/g"),
        ("/./g", "ws://a/g"),
        ("/../g", "ws://a/g"),
        ("g.", "ws://a/b/c/g."),
        (".g", "ws://a/b/c/.g"),
        ("g..", "ws://a/b/c/g.."),
        ("..g", "ws://a/b/c/..g"),
        ("./../g", "ws://a/b/g"),
        ("./g/.", "ws://a/b/c/g/"),
        ("g/./h", "ws://a/b/c/g/h"),
        ("g/../h", "ws://a/b/c/h"),
        ("g;x=1/./y", "ws://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "ws://a/b/c/y"),
        ("g?y/./x", "ws://a/b/c/g?y/./x"),
        ("g?y/../x", "ws://a/b/c/g?y/../x"),
        ("g#s/./x", "ws://a/b/c/g"),
        ("g#s/../x", "ws://a/b/c/g"),
    ] {
        assert_eq!(joined("ws://a/b/c/d;p?q", reference), Ok(leads_to.to_owned()), "{reference:?}");
    }
    // Strictly, these have a scheme and no host.
    for reference in ["g:h", "http:g", "ws:g"] {
        assert_eq!(joined("ws://a/b/c/d;p?q", reference), Err(UriError::Scheme), "{reference}");
    }
}

/// RFC 3986 section 5.2.2: in whichever form a reference has a path, it is one without dots then.
#[test]
fn a_path_of_a_whole_uri_has_no_dots_either() {
    for (reference, leads_to) in [
        ("http://g/x/../y", "ws://g/y"),
        ("HTTPS://g/../y/.?z/../z", "wss://g/y/?z/../z"),
        ("wss://g/./y", "wss://g/y"),
        ("//g/x/..", "ws://g/"),
        ("//g?/../x", "ws://g/?/../x"),
        ("/..//g", "ws://a//g"),
    ] {
        assert_eq!(joined("ws://a/b", reference), Ok(leads_to.to_owned()), "{reference}");
    }
}
