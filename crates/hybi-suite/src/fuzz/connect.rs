//! An extended CONNECT and its answer, on the types that a library of HTTP/2 gives: a server of ours accepts what a client of
//! ours asks for, and each judges whatever comes instead as RFC 8441 section 5 says.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use hybi_handshake::{
    ClientRequest, ConnectHandshake, ExtensionOffer, HandshakeError, HostPolicy, OriginPolicy,
    Protocol, ServerPolicy, WsUri,
};

use super::input::{Cuts, Input};
use super::words;

const OFFERED: [&str; 2] = ["chat", "superchat"];
const EXTENSION: &str = "permessage-deflate";

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let choices = input.byte();
    let asked = asked(choices);
    agree(&asked, choices);
    if input.byte() & 1 == 0 {
        a_server_judges(&mut input);
    } else {
        a_client_judges(&asked, &mut input);
    }
}

fn policy() -> ServerPolicy {
    ServerPolicy::new()
        .with_hosts(HostPolicy::Any)
        .with_origins(OriginPolicy::Any)
        .with_subprotocols(["superchat", "chat"])
}

/// What a client asks for.
fn asked(choices: u8) -> ClientRequest {
    let uris = ["ws://a.example/", "wss://a.example:8443/chat?a=b", "wss://[::1]/a//b?"];
    let uri: WsUri = uris[usize::from(choices >> 4) % uris.len()].parse().expect("a URI");
    let mut request = ClientRequest::new(uri);
    for (at, name) in OFFERED.into_iter().enumerate() {
        if choices >> at & 1 == 1 {
            request = request.subprotocol(name).expect("a token");
        }
    }
    if choices & 4 == 4 {
        request = request.extension(ExtensionOffer::new(EXTENSION).expect("a token"));
    }
    request
}

/// Both ends are of one mind.
fn agree(asked: &ClientRequest, choices: u8) {
    let mut client = ConnectHandshake::new(asked);
    let accepted = policy().with_secure(asked.uri().is_secure()).check(client.request());
    let accepted = accepted.unwrap_or_else(|error| panic!("{error}: {:?}", client.request()));
    assert_eq!(accepted.key, "");
    assert_eq!(accepted.offers.len(), usize::from(choices >> 2 & 1));
    let chosen = accepted.subprotocol.clone();
    let opened = client.handle_response(accepted.response()).expect("an answer of ours");
    assert_eq!(opened.expect("200").subprotocol, chosen);
}

/// Fields as HTTP/2 can bring them, one in each line.
fn fields(input: &mut Input<'_>) -> Option<HeaderMap> {
    let mut fields = HeaderMap::new();
    for line in input.rest().split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let at = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        fields.append(name, HeaderValue::from_bytes(words::trimmed(&line[at + 1..])).ok()?);
    }
    Some(fields)
}

fn all<'f>(fields: &'f HeaderMap, name: &HeaderName) -> Vec<&'f [u8]> {
    fields.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

fn a_server_judges(input: &mut Input<'_>) {
    let version =
        *input.choose(&[http::Version::HTTP_2, http::Version::HTTP_3, http::Version::HTTP_11]);
    let method = input.choose(&[Method::CONNECT, Method::CONNECT, Method::GET]).clone();
    let protocol = *input.choose(&["websocket", "WebSocket", "webtransport", ""]);
    let target = *input.choose(&["https://a.example/chat", "a.example:443", "/chat", "http://b"]);
    let Some(headers) = fields(input) else { return };
    let mut request = Request::new(());
    *request.version_mut() = version;
    *request.method_mut() = method.clone();
    *request.uri_mut() = target.parse().expect("a target");
    *request.headers_mut() = headers.clone();
    request.extensions_mut().insert(Protocol::new(protocol));
    let accepted = match policy().check(&request) {
        Ok(accepted) => accepted,
        Err(error) => return refused(&request, protocol, &error),
    };
    // What is accepted keeps each of the rules, and what it is told is what HTTP/2 may carry.
    assert_eq!((&method, version >= http::Version::HTTP_2), (&Method::CONNECT, true));
    assert!(protocol.eq_ignore_ascii_case("websocket") && target.starts_with("http"));
    assert!(matches!(all(&headers, &header::SEC_WEBSOCKET_VERSION)[..], [] | [b"13"]));
    assert!(all(&headers, &header::ORIGIN).len() <= 1);
    assert!(all(&headers, &header::CONTENT_LENGTH).iter().all(|len| len.trim_ascii() == b"0"));
    let response = accepted.response();
    assert_eq!(response.status(), 200);
    let keys = all(&headers, &header::SEC_WEBSOCKET_KEY);
    assert!(keys.len() <= 1);
    let is_answered = response.headers().contains_key(header::SEC_WEBSOCKET_ACCEPT);
    assert_eq!(is_answered, !keys.is_empty(), "a key is answered if one came");
    fits_http_2(response.headers());
}

fn refused(request: &Request<()>, protocol: &str, error: &HandshakeError) {
    let response = error.response();
    let status = response.status().as_u16();
    assert!((400..600).contains(&status), "{error}");
    if request.method() == Method::CONNECT && request.version() >= http::Version::HTTP_2 {
        let is_websocket = protocol.eq_ignore_ascii_case("websocket");
        assert_eq!(status == 501, !is_websocket, "{error}");
        assert_ne!(status, 426, "nothing is upgraded here");
        fits_http_2(response.headers());
    }
}

/// Fields of a connection are none of HTTP/2 (RFC 9113 section 8.2.2).
fn fits_http_2(headers: &HeaderMap) {
    for name in [header::CONNECTION, header::UPGRADE, header::TRANSFER_ENCODING] {
        assert!(!headers.contains_key(&name), "{name}");
    }
}

fn a_client_judges(asked: &ClientRequest, input: &mut Input<'_>) {
    let status = *input.choose(&[200, 200, 204, 299, 101, 300, 403, 503]);
    let cuts = input.cuts();
    let body = input.byte();
    let body = input.bytes(usize::from(body)).to_vec();
    let Some(headers) = fields(input) else { return };
    let answer = || {
        let mut response = Response::new(());
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        *response.headers_mut() = headers.clone();
        response
    };
    let judged = ConnectHandshake::new(asked).handle_response(answer());
    if (200..300).contains(&status) {
        let chosen = all(&headers, &header::SEC_WEBSOCKET_PROTOCOL);
        let named = |name: &[u8]| asked.subprotocols().iter().any(|offer| offer.as_bytes() == name);
        match judged {
            Ok(None) => panic!("{status} is no refusal"),
            Ok(Some(accepted)) => {
                let chosen = chosen.first().copied().filter(|chosen| !chosen.is_empty());
                assert!(chosen.is_none_or(named), "{chosen:?}");
                assert_eq!(accepted.subprotocol.as_deref().map(str::as_bytes), chosen);
                let asked = ConnectHandshake::new(asked);
                let offered = all(asked.request().headers(), &header::SEC_WEBSOCKET_EXTENSIONS);
                let is_offered = |one: &ExtensionOffer| offered.contains(&one.name().as_bytes());
                assert!(accepted.extensions.iter().all(is_offered));
            }
            Err(_) => {
                let has_extensions = headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS);
                let is_wrong = chosen.len() > 1 || chosen.iter().any(|name| !named(name));
                assert!(has_extensions || is_wrong, "there is nothing wrong in {headers:?}");
            }
        }
        return;
    }
    assert!(matches!(judged, Ok(None)), "{status} refuses");
    // However its body is cut, the refusal is the same.
    let told = |cuts: &Cuts| {
        let mut handshake = ConnectHandshake::new(asked);
        assert!(matches!(handshake.handle_response(answer()), Ok(None)));
        let done = cuts.of(&body).find_map(|chunk| handshake.handle_data(chunk));
        match done.unwrap_or_else(|| handshake.handle_eof()) {
            HandshakeError::Rejected(response) => response.into_body(),
            other => panic!("{other}"),
        }
    };
    let whole = told(&Cuts::none());
    assert!(body.starts_with(&whole));
    assert_eq!(told(&cuts), whole, "cut as the input says");
    assert_eq!(told(&Cuts::everywhere()), whole, "cut at every byte");
}
