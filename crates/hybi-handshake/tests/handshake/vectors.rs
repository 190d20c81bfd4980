//! `handshake.json`: every exchange and every check that concerns this handshake, cut at every byte.

use hybi_handshake::{
    ClientHandshake, ClientRequest, HandshakeError, HeadLimits, OriginPolicy, ServerPolicy,
    Version, accept_key,
};
use hybi_suite::vectors::{hex, records};
use serde_json::Value;

use crate::support::{Seen, cuts, receive, serve};

/// The records of family H05 and this kind; `expected` guards against a filter that finds nothing.
fn of_kind(kind: &str, expected: usize) -> Vec<Value> {
    let mut found = records("handshake");
    found.retain(|record| record["family"] == "H05" && record["kind"] == kind);
    assert_eq!(found.len(), expected, "number of vectors of kind {kind}");
    found
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_else(|| panic!("{}: {name}", record["id"]))
}

/// A server for any origin that knows the versions and the subprotocol of the vectors.
fn policy(record: &Value) -> ServerPolicy {
    let number = record["inputs"]["version"].as_u64();
    let old = number.filter(|number| *number < 7).map(|number| Version::new(number as u8));
    ServerPolicy::new()
        .with_versions([13, 8, 7].map(Version::new).into_iter().chain(old))
        .with_origins(OriginPolicy::Any)
        .with_subprotocols(record["inputs"]["server_subprotocol"].as_str())
}

#[test]
fn a_server_opens_every_exchange_with_the_expected_answer() {
    for record in of_kind("exchange", EXCHANGES) {
        let expected = Seen::new(&hex(text(&record, "response_hex")));
        let request = hex(text(&record, "request_hex"));
        for cut in cuts(&request) {
            let (seen, error) = serve(&policy(&record), cut).expect("a complete head");
            assert!(error.is_none(), "{}: {error:?}", record["id"]);
            assert_eq!((seen.status(), &seen.fields), (101, &expected.fields), "{}", record["id"]);
        }
    }
}

#[test]
fn a_server_answers_every_check_with_the_status_of_the_vector() {
    for record in of_kind("server_check", SERVER_CHECKS) {
        let request = hex(text(&record, "request_hex"));
        if record["expect"] == "incomplete" {
            assert!(serve(&policy(&record), [&*request]).is_none(), "{}", record["id"]);
            continue;
        }
        // The vectors leave 505 and 400 open for HTTP/1.0; RFC 9110 §15.6.6 names the former.
        let status = match text(&record, "id") {
            "rfc6455-reject-http10" => 505,
            _ => record["suggested_status"].as_u64().expect("a status"),
        };
        for cut in cuts(&request) {
            let (seen, _) = serve(&policy(&record), cut).expect("a complete head");
            assert_eq!(u64::from(seen.status()), status, "{}: {seen:?}", record["id"]);
            for (name, value) in record["response_headers"].as_object().into_iter().flatten() {
                let field = seen.field(&name.to_ascii_lowercase());
                assert_eq!(field, value.as_str(), "{}: {name}", record["id"]);
            }
        }
    }
}

#[test]
fn a_client_sends_every_exchange_and_accepts_the_answer() {
    let mut sent_as_recorded = 0;
    for record in of_kind("exchange", EXCHANGES) {
        let request = hex(text(&record, "request_hex"));
        let response = hex(text(&record, "response_hex"));
        let expected = Seen::new(&request);
        // A client of ours has no nonce for a key with loose bits and sends no absolute target; the
        // version-8 drafts with the other origin field are checked as a server.
        let sendable = !["rfc6455-key-padding-bits", "rfc6455-absolute-uri"]
            .contains(&text(&record, "id"))
            && (expected.field("origin").is_none()
                || expected.field("sec-websocket-version") == Some("13"))
            && expected.field("connection") == Some("Upgrade");
        sent_as_recorded += usize::from(sendable);
        for cut in cuts(&response) {
            let Some(mut client) = client(&expected) else {
                assert_eq!(record["id"], "rfc6455-key-padding-bits");
                continue;
            };
            if sendable {
                let sent = Seen::new(client.request_bytes());
                assert_eq!(sent, expected, "{}", record["id"]);
            }
            let accepted = receive(&mut client, cut);
            let accepted = accepted.unwrap_or_else(|error| panic!("{}: {error}", record["id"]));
            assert_eq!(
                accepted.subprotocol.as_deref(),
                record["inputs"]["server_subprotocol"].as_str(),
                "{}",
                record["id"]
            );
            assert_eq!(
                accepted.version.number().map(u64::from),
                record["inputs"]["version"].as_u64()
            );
        }
    }
    assert_eq!(sent_as_recorded, 13, "of {EXCHANGES}");
}

#[test]
fn a_client_judges_every_check_as_the_vector_says() {
    for record in of_kind("client_check", CLIENT_CHECKS) {
        let request = Seen::new(&hex(text(&record, "request_hex")));
        let response = hex(text(&record, "response_hex"));
        for cut in cuts(&response) {
            let mut client = client(&request).expect("a key that comes from a nonce");
            let result = receive(&mut client, cut);
            match (text(&record, "expect"), result) {
                ("open", Ok(_)) => {}
                ("fail", Err(error)) => {
                    assert!(
                        !matches!(error, HandshakeError::UnexpectedEof { .. }),
                        "{}: fails of the rule, not for want of bytes",
                        record["id"]
                    );
                }
                ("fail_with_versions", Err(error)) => {
                    let offered: Vec<_> =
                        error.versions_offered().into_iter().map(Version::number).collect();
                    assert_eq!(serde_json::json!(offered), record["versions_offered"]);
                }
                (expected, result) => panic!("{}: {expected}, {result:?}", record["id"]),
            }
        }
    }
}

#[test]
fn the_accept_value_of_every_exchange_follows_from_its_key() {
    for record in of_kind("exchange", EXCHANGES) {
        let key = record["inputs"]["key"].as_str().expect("a key");
        assert_eq!(Some(accept_key(key).as_str()), record["derived"]["accept"].as_str());
    }
}

const EXCHANGES: usize = 19;
const SERVER_CHECKS: usize = 14;
const CLIENT_CHECKS: usize = 13;

/// A client that sends the same request, if its key is one that a nonce gives.
fn client(request: &Seen) -> Option<ClientHandshake> {
    let field = |name| request.field(name);
    let target = request.start_line.split(' ').nth(1).expect("a target");
    let path = target.strip_prefix("http://server.example.com").unwrap_or(target);
    let uri = format!("ws://{}{path}", field("host").expect("Host"));
    let version = field("sec-websocket-version").and_then(Version::parse).expect("a version");
    let mut built = ClientRequest::new(uri.parse().expect("a URI")).version(version);
    if let Some(origin) = field("origin").or_else(|| field("sec-websocket-origin")) {
        built = built.origin(origin).expect("an origin");
    }
    for name in field("sec-websocket-protocol").into_iter().flat_map(|list| list.split(", ")) {
        built = built.subprotocol(name).expect("a token");
    }
    let key = field("sec-websocket-key").expect("a key");
    let nonce = decode(key);
    let client = ClientHandshake::new(&built, nonce, HeadLimits::default());
    let sends_key = Seen::new(client.request_bytes()).field("sec-websocket-key") == Some(key);
    sends_key.then_some(client)
}

/// The 16 bytes of a key, without regard to its loose bits.
fn decode(key: &str) -> [u8; 16] {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0u128;
    for byte in key.bytes().take(21) {
        bits =
            bits << 6 | ALPHABET.iter().position(|&letter| letter == byte).expect("base64") as u128;
    }
    let last = ALPHABET.iter().position(|&letter| letter == key.as_bytes()[21]).expect("base64");
    (bits << 2 | last as u128 >> 4).to_be_bytes()
}
