//! Each error of this crate, as a peer's bytes or a caller's call produces it. The rules of old drafts, and
//! the answers that extensions judge, for both of which there are variants here, are those of `hybi-legacy`
//! and `hybi-compression`.

use hybi_handshake::{
    ClientHandshake, ClientRequest, ExtensionOffer, FieldError, HandshakeError, HeadLimits,
    HostPattern, HostPolicy, OriginPattern, Protocol, ServerHandshake, ServerPolicy, UriError,
    Version, WsUri,
    proxy::{Proxy, TunnelError, TunnelHandshake},
};
use hybi_suite::produced;

use crate::support::{NONCE, REQUEST, RESPONSE, receive, refused, refused_by, with_line};

/// What a server says to a request that has this line in place of one.
fn server(start: &str, line: &str) -> HandshakeError {
    refused(&with_line(REQUEST, start, line)).0
}

/// What a server says to a request that has this line as well.
fn also(line: &str) -> HandshakeError {
    server("Upgrade", &format!("Upgrade: websocket\r\n{line}"))
}

fn by(policy: ServerPolicy, line: &str) -> HandshakeError {
    let request = with_line(REQUEST, "Upgrade", &format!("Upgrade: websocket\r\n{line}"));
    refused_by(&policy, &request).0
}

/// What a server with these limits says to the request of all tests.
fn within(limits: HeadLimits) -> HandshakeError {
    ServerHandshake::new(limits).handle_input(REQUEST.as_bytes()).expect_err("a refusal")
}

/// What a client says to a response that has this line in place of one.
fn client(start: &str, line: &str) -> HandshakeError {
    let mut client = ClientHandshake::new(&request(), NONCE, HeadLimits::default());
    receive(&mut client, [with_line(RESPONSE, start, line).as_bytes()]).expect_err("a refusal")
}

fn client_also(line: &str) -> HandshakeError {
    client("Upgrade", &format!("Upgrade: websocket\r\n{line}"))
}

fn request() -> ClientRequest {
    ClientRequest::new("ws://example.org/chat".parse().expect("a URI"))
}

/// What a server says to such a request of HTTP/2.
fn over_http2(method: &str, protocol: &str, version: &str) -> HandshakeError {
    let request = http::Request::builder()
        .method(method)
        .uri("https://example.org/chat")
        .version(http::Version::HTTP_2)
        .extension(Protocol::new(protocol))
        .header("Sec-WebSocket-Version", version)
        .body(())
        .expect("a request");
    ServerPolicy::new().check(&request).expect_err("a refusal")
}

#[test]
fn by_clients() {
    let limits = HeadLimits::default();
    let names = vec!["x"; 101].join(", ");
    let local = ServerPolicy::new().with_hosts(HostPolicy::local([127, 0, 0, 1].into()));
    let chat = ServerPolicy::new().with_subprotocols(["chat"]).with_subprotocol_required(true);
    produced! {
        HandshakeError::NotHttp { byte: 0x16 } => refused("\x16\x03\x01\r\n\r\n").0,
        HandshakeError::HeadTooLarge { limit: 99 } => within(limits.with_max_bytes(99)),
        HandshakeError::TargetTooLong { limit: 9 } => within(limits.with_max_bytes(9)),
        HandshakeError::TooManyFields { limit: 4 } => within(limits.with_max_fields(4)),
        HandshakeError::TooManyNames { .. } => also(&format!("Sec-WebSocket-Extensions: {names}")),
        HandshakeError::BareLineEnd { .. } => also("X: y\n"),
        HandshakeError::ControlByte { byte: 0, .. } => also("X: \0"),
        HandshakeError::ObsoleteFold { .. } => also(" folded"),
        HandshakeError::MalformedStartLine => server("GET", "GET /"),
        HandshakeError::MalformedField { .. } => also("no colon"),
        HandshakeError::UnexpectedEof { received: 0 } => ServerHandshake::new(limits).handle_eof(),
        HandshakeError::DuplicateField { .. } => also("Host: example.org"),
        HandshakeError::MalformedSubprotocol => also("Sec-WebSocket-Protocol: a b"),
        HandshakeError::MalformedExtensions => also("Sec-WebSocket-Extensions: a b"),
        HandshakeError::HttpVersion => server("GET", "GET /chat HTTP/1.0"),
        HandshakeError::Method => server("GET", "POST /chat HTTP/1.1"),
        HandshakeError::NotConnect => over_http2("GET", "websocket", "13"),
        HandshakeError::UnknownProtocol => over_http2("CONNECT", "connect-udp", "13"),
        HandshakeError::ConnectVersion { .. } => over_http2("CONNECT", "websocket", "8"),
        HandshakeError::MalformedTarget => server("GET", "GET * HTTP/1.1"),
        HandshakeError::MissingHost => server("Host", ""),
        HandshakeError::MalformedHost => server("Host", "Host: a b"),
        HandshakeError::HostMismatch => server("GET", "GET http://other.example/ HTTP/1.1"),
        HandshakeError::HostNotServed { .. } => by(local, "X: y"),
        HandshakeError::Body => also("Content-Length: 1"),
        HandshakeError::NotWebSocket { .. } => refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n").0,
        HandshakeError::MissingUpgrade => server("Upgrade", ""),
        HandshakeError::MissingConnection => server("Connection", ""),
        HandshakeError::MissingVersion { .. } => server("Sec-WebSocket-Version", ""),
        HandshakeError::MalformedVersion { .. } => {
            server("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013")
        },
        HandshakeError::UnknownVersion { .. } => {
            server("Sec-WebSocket-Version", "Sec-WebSocket-Version: 256")
        },
        HandshakeError::UnsupportedVersion { requested: Version::HYBI_08, .. } => {
            server("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8")
        },
        HandshakeError::MissingKey => server("Sec-WebSocket-Key", ""),
        HandshakeError::MalformedKey => server("Sec-WebSocket-Key", "Sec-WebSocket-Key: short"),
        HandshakeError::Origin(_) => also("Origin: http://other.example"),
        HandshakeError::SubprotocolRequired => by(chat, "Sec-WebSocket-Protocol: other"),
    }
}

#[test]
fn by_servers() {
    produced! {
        HandshakeError::ResponseHttpVersion => client("HTTP", "HTTP/1.0 101 Switching Protocols"),
        HandshakeError::Rejected(_) => client("HTTP", "HTTP/1.1 204 No Content"),
        HandshakeError::ResponseUpgrade => client("Upgrade", ""),
        HandshakeError::ResponseConnection => client("Connection", ""),
        HandshakeError::MissingAccept => client("Sec-WebSocket-Accept", ""),
        HandshakeError::AcceptMismatch => {
            client("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: other")
        },
        HandshakeError::SubprotocolNotOffered => client_also("Sec-WebSocket-Protocol: chat"),
        HandshakeError::ExtensionNotOffered => client_also("Sec-WebSocket-Extensions: x"),
    }
}

#[test]
fn by_callers() {
    let header = |name: &str, value| request().header(name, value).expect_err("a mistake");
    let host = |name: &str| name.parse::<HostPattern>().expect_err("a mistake");
    let origin = |name: &str| name.parse::<OriginPattern>().expect_err("a mistake");
    let twice = request().subprotocol("a").expect("a token").subprotocol("a");
    let policy = ServerPolicy::new();
    let asked = http::Request::get("/")
        .header("Host", "example.org")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13")
        .body(())
        .expect("a request");
    let accepted = policy.check(&asked).expect("lawful").with_subprotocol(Some("chat"));
    produced! {
        FieldError::Reserved => header("Host", "a"),
        FieldError::InvalidName => header("a b", "a"),
        FieldError::InvalidValue => header("X", "a\r\nY: b"),
        FieldError::NotAToken => ExtensionOffer::new("a b").expect_err("a mistake"),
        FieldError::DuplicateSubprotocol => twice.expect_err("a mistake"),
        FieldError::SubprotocolNotOffered => accepted.expect_err("a mistake"),
        FieldError::InvalidHost => host("a b"),
        FieldError::InvalidOrigin => origin("example.org"),
    }
    let uri = |uri: &str| uri.parse::<WsUri>().expect_err("a mistake");
    produced! {
        UriError::HttpScheme => uri("http://example.org/"),
        UriError::Scheme => uri("ftp://example.org/"),
        UriError::Fragment => uri("ws://example.org/#top"),
        UriError::Host => uri("ws:///"),
        UriError::Port => uri("ws://example.org:0/"),
        UriError::UserInfo => uri("ws://%zz@example.org/"),
        UriError::Character { .. } => uri("ws://example.org/a b"),
        UriError::UnixSocket => uri("ws+unix:/run/chat.socket:chat"),
        UriError::ProxyScheme => "ftp://proxy".parse::<Proxy>().expect_err("a mistake"),
        UriError::ProxyPath => "http://proxy/path".parse::<Proxy>().expect_err("a mistake"),
    }
}

/// What comes of asking a proxy that says this.
fn proxy(url: &str, said: &[u8]) -> TunnelError {
    let proxy = url.parse().expect("a proxy");
    let mut tunnel = TunnelHandshake::new(&proxy, "example.org", 443, HeadLimits::default());
    tunnel.handle_input(said).map_or_else(|error| error, |_| tunnel.handle_eof())
}

#[test]
fn by_proxies() {
    let long = "a".repeat(256);
    let socks = "socks5h://proxy".parse().expect("a proxy");
    let mut too_long = TunnelHandshake::new(&socks, &long, 443, HeadLimits::default());
    produced! {
        TunnelError::Refused(_) => proxy("proxy", b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
        TunnelError::Http(_) => proxy("proxy", b"SSH-2.0\r\n"),
        TunnelError::UnexpectedEof { received: 4 } => proxy("proxy", b"HTTP"),
        TunnelError::NotSocks { byte: 4 } => proxy("socks5://proxy", &[4]),
        TunnelError::NoMethod { with_credentials: false } => proxy("socks5://proxy", &[5, 255]),
        TunnelError::MethodNotOffered { method: 1 } => proxy("socks5://proxy", &[5, 1]),
        TunnelError::WrongCredentials => proxy("socks5://u:p@proxy", &[5, 2, 1, 1]),
        TunnelError::Failed(_) => proxy("socks5://proxy", &[5, 0, 5, 1]),
        TunnelError::Malformed { offset: 2 } => proxy("socks5://proxy", &[5, 0, 4]),
        TunnelError::NameTooLong => too_long.handle_input(&[]).expect_err("too long"),
    }
}
