//! URIs: what is accepted has the parts that RFC 6455 section 3 names, says the same when it is printed, and
//! makes a request that a server reads as it was meant.

use hybi_handshake::{
    ClientHandshake, ClientRequest, HeadLimits, HostPolicy, ServerHandshake, ServerPolicy, WsUri,
};

pub(super) fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(uri) = text.parse::<WsUri>() else { return };
    let (scheme, rest) = text.split_once(':').expect("there is a scheme");
    let is = |name| scheme.eq_ignore_ascii_case(name);
    assert_eq!(is("wss"), uri.is_secure());
    assert_eq!(is("ws+unix"), uri.unix_socket().is_some());
    assert!(is("wss") || is("ws") || is("ws+unix"));
    assert!(uri.port() != 0 && !uri.host().is_empty());
    assert_eq!(uri.host(), uri.host().to_ascii_lowercase());
    // The path and the query as they stand there.
    let named = match uri.unix_socket() {
        Some(path) => {
            assert_eq!((uri.host(), uri.port()), ("localhost", 80));
            assert!(!path.contains(|c: char| c == ':' || c.is_control()));
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            let behind = rest.strip_prefix(path).expect("the path comes first");
            behind.strip_prefix(':').unwrap_or(behind)
        }
        None => {
            assert!(!text.contains('#'));
            let rest = rest.strip_prefix("//").expect("an authority");
            rest.find(['/', '?']).map_or("", |at| &rest[at..])
        }
    };
    let resource = if named.starts_with('/') { named.to_owned() } else { format!("/{named}") };
    assert_eq!(uri.resource(), resource);
    assert!(!resource.contains('#') && resource.bytes().all(|byte| byte.is_ascii_graphic()));

    let printed = uri.to_string();
    let again: WsUri = printed.parse().unwrap_or_else(|error| panic!("{printed}: {error}"));
    let parts = |uri: &WsUri| {
        let (host, unix_socket) = (uri.host().to_owned(), uri.unix_socket().map(str::to_owned));
        (uri.is_secure(), host, uri.port(), uri.resource().to_owned(), unix_socket)
    };
    assert_eq!(parts(&again), parts(&uri), "{printed}");
    let debug = format!("{uri:?}");
    assert_eq!(debug, format!("WsUri({printed})"), "nothing of the user-info is printed");

    let client = ClientRequest::new(uri.clone());
    let client = ClientHandshake::new(&client, *b"the sample nonce", HeadLimits::default());
    let bytes = client.request_bytes();
    if bytes.len() > HeadLimits::default().max_bytes() {
        return;
    }
    let mut server = ServerHandshake::new(HeadLimits::default());
    let (taken, request) =
        server.handle_input(bytes).unwrap_or_else(|error| panic!("{uri}: {error}"));
    assert_eq!(taken, bytes.len(), "{uri}");
    let request = request.expect("it is whole");
    let target = request.uri().path_and_query().expect("a target").as_str();
    assert_eq!(target, uri.resource(), "as the server reads it");
    assert_eq!(request.headers()["host"], uri.host_header());
    let policy = ServerPolicy::new().with_hosts(HostPolicy::Any).with_secure(uri.is_secure());
    let accepted = policy.check(&request);
    assert!(accepted.is_ok(), "{uri}: {:?}", accepted.err());
}
