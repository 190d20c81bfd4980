//! `handshake.json`, `subprotocol_header.json` and `extension_header.json`: every record of the
//! handshakes here, as server and as client, cut at every byte.

use hybi_handshake::{HandshakeError, ServerPolicy, Version};
use hybi_legacy::{Draft, FieldOrder, SubprotocolSyntax, Terms, check};
use hybi_suite::vectors::{hex, records};
use serde_json::Value;

use crate::support::{Seen, client, cuts, policy, receive, serve};

/// The records of these families and this kind; `expected` guards against a filter that finds
/// nothing.
fn of_kind(kind: &str, expected: usize) -> Vec<Value> {
    let mut found = records("handshake");
    found.retain(|record| record["family"] != "H05" && record["kind"] == kind);
    assert_eq!(found.len(), expected, "number of vectors of kind {kind}");
    found
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_else(|| panic!("{}: {name}", record["id"]))
}

/// The version of the newest draft that the record is for.
fn version(record: &Value) -> Version {
    let names = record["versions"].as_array().expect("versions");
    let drafts = names.iter().filter_map(|name| name.as_str()?.parse::<Draft>().ok());
    drafts.max().expect("a draft").version()
}

/// A server that knows the version and the subprotocol of the record.
fn server(record: &Value) -> ServerPolicy {
    let inputs = &record["inputs"];
    let names = match version(record) < Version::HYBI_04 {
        true => inputs["subprotocols"].as_array().into_iter().flatten().collect(),
        false => vec![&inputs["server_subprotocol"]],
    };
    policy([version(record)])
        .with_subprotocols(names.into_iter().filter_map(Value::as_str))
        .with_secure(record["secure"] == true)
}

#[test]
fn a_server_opens_every_exchange_with_the_expected_answer() {
    for record in of_kind("exchange", 23) {
        let expected = hex(text(&record, "response_hex"));
        let request = hex(text(&record, "request_hex"));
        for cut in cuts(&request) {
            let (out, terms) = serve(&server(&record), cut).expect("a complete request");
            let terms = terms.unwrap_or_else(|error| panic!("{}: {error}", record["id"]));
            assert_eq!(terms.version(), version(&record));
            assert_eq!(Seen::new(&out).status(), 101);
            match text(&record, "family") {
                "H75" => {
                    assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string())
                }
                "H76" => assert_eq!(Seen::new(&out), Seen::new(&expected), "{}", record["id"]),
                _ => {
                    let derived = &record["derived"];
                    assert_eq!(Seen::new(&out).fields, Seen::new(&expected).fields);
                    let key = text(&record["inputs"], "key");
                    assert_eq!(terms, Terms::hybi_04(key, text(derived, "nonce")));
                }
            }
        }
    }
}

#[test]
fn a_client_sends_every_exchange_and_accepts_the_answer() {
    for record in of_kind("exchange", 23) {
        if record["id"] == "hixie76-spec-example-2" {
            // Its keys hold 13 and 14 characters besides digits and spaces, one and two more than
            // the draft lets a client choose.
            continue;
        }
        let request = Seen::new(&hex(text(&record, "request_hex")));
        let mut response = hex(text(&record, "response_hex"));
        response.extend(b"\x00frames\xff");
        for cut in cuts(&response) {
            let mut client = client(&request, version(&record), record["secure"] == true);
            let sent = client.request_bytes();
            assert_eq!(Seen::new(sent), request, "{}", record["id"]);
            if record["family"] == "H75" {
                assert_eq!(sent, hex(text(&record, "request_hex")), "field for field");
            }
            let (accepted, terms, rest) = receive(&mut client, cut)
                .unwrap_or_else(|error| panic!("{}: {error}", record["id"]));
            assert_eq!(rest, b"\x00frames\xff", "{}", record["id"]);
            assert_eq!((accepted.version, terms.version()), (version(&record), version(&record)));
            let inputs = &record["inputs"];
            let chosen = match version(&record) < Version::HYBI_04 {
                true => &inputs["subprotocols"][0],
                false => &inputs["server_subprotocol"],
            };
            assert_eq!(accepted.subprotocol.as_deref(), chosen.as_str(), "{}", record["id"]);
            if record["family"] == "H04" {
                let nonce = text(&record["derived"], "nonce");
                assert_eq!(terms, Terms::hybi_04(text(inputs, "key"), nonce));
            }
        }
    }
}

#[test]
fn a_server_refuses_every_bad_request_and_waits_for_the_end_of_others() {
    for record in of_kind("server_check", 8) {
        let request = hex(text(&record, "request_hex"));
        // The drafts define no answers; 400 is the choice of the notes, but for what HTTP itself
        // knows.
        let status = if text(&record, "id") == "hixie76-reject-post" { 405 } else { 400 };
        for cut in cuts(&request) {
            let result = serve(&policy(Version::ALL), cut);
            if record["expect"] == "incomplete" {
                assert!(result.is_none(), "{}", record["id"]);
                continue;
            }
            let (out, _) = result.expect("a complete head");
            let seen = Seen::new(&out);
            assert_eq!(seen.status(), status, "{}: {seen:?}", record["id"]);
            assert_eq!(seen.field("connection"), Some("close"), "{}", record["id"]);
        }
    }
}

#[test]
fn a_client_judges_every_check_as_the_vector_says() {
    for record in of_kind("client_check", 13) {
        let request = Seen::new(&hex(text(&record, "request_hex")));
        let response = hex(text(&record, "response_hex"));
        for cut in cuts(&response) {
            let mut client = client(&request, version(&record), record["secure"] == true);
            match (text(&record, "expect"), receive(&mut client, cut)) {
                ("open", Ok(_)) => {}
                ("fail", Err(error)) => assert!(
                    !matches!(error, HandshakeError::UnexpectedEof { .. }),
                    "{}: fails of the rule, not for want of bytes",
                    record["id"]
                ),
                (expected, result) => panic!("{}: {expected}, {result:?}", record["id"]),
            }
        }
    }
}

/// What a request comes to whose list has this value: what the vector says of the list, but that an
/// empty one, which is none of the grammar, is as none.
fn expected(record: &Value) -> &Value {
    const NONE: &Value = &Value::Array(Vec::new());
    if text(record, "header").trim().is_empty() { NONE } else { &record["expect"] }
}

/// A request of hybi-04 or later with one more field.
fn keyed_request(version: Version, name: &str, value: &str) -> http::Request<()> {
    let value = http::HeaderValue::from_bytes(value.as_bytes()).expect("a value");
    http::Request::get("/demo")
        .header("Host", "example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", version.to_string())
        .header(name, value)
        .body(())
        .expect("a request")
}

#[test]
fn subprotocols_are_listed_with_commas_from_hybi_04_on() {
    let listing = |draft: &Draft| {
        matches!(draft.subprotocols(), SubprotocolSyntax::Commas | SubprotocolSyntax::Tokens)
    };
    let drafts: Vec<_> = Draft::ALL.into_iter().filter(listing).collect();
    assert_eq!(drafts.first(), Some(&Draft::Hybi04));
    let records = records("subprotocol_header");
    assert_eq!(records.len(), 11);
    for draft in drafts {
        for record in &records {
            let header = text(record, "header");
            let request = keyed_request(draft.version(), "Sec-WebSocket-Protocol", header);
            let result = check(&policy([draft.version()]), &request, FieldOrder::Any);
            match result {
                Ok(accepted) => {
                    assert_eq!(serde_json::json!(accepted.subprotocols), *expected(record));
                }
                Err(HandshakeError::MalformedSubprotocol) => {
                    assert_eq!(expected(record), "error", "{header:?} in {draft}");
                }
                Err(error) => panic!("{header:?} in {draft}: {error}"),
            }
        }
    }
}

#[test]
fn extensions_are_listed_from_hybi_04_on() {
    let versions = Version::ALL.into_iter().filter(|version| version.is_in_field());
    let records = records("extension_header");
    assert_eq!(records.len(), 24);
    for version in versions {
        for record in &records {
            let header = text(record, "header");
            // hybi-13 shares its number with drafts that quote, so that only version 8 and below do
            // not.
            let known = record["since"].is_null() || version == Version::RFC6455;
            let request = keyed_request(version, "Sec-WebSocket-Extensions", header);
            let result = check(&policy([version]), &request, FieldOrder::Any);
            match result {
                Ok(accepted) => {
                    let offers = accepted.offers.iter().map(|offer| {
                        let params = offer.params().iter();
                        let params = params.map(|param| (param.name(), param.value()));
                        serde_json::json!([offer.name(), params.collect::<Vec<_>>()])
                    });
                    let offers = Value::Array(offers.collect());
                    assert!(known, "{header:?} in version {version}");
                    assert_eq!(offers, *expected(record), "{header:?} in version {version}");
                }
                Err(HandshakeError::MalformedExtensions) => {
                    assert!(expected(record) == "error" || !known, "{header:?} in {version}");
                }
                Err(error) => panic!("{header:?} in version {version}: {error}"),
            }
        }
    }
}
