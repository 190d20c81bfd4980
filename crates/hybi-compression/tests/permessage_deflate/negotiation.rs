//! Offers and answers in the header, RFC 7692 §7.1: the recorded ones, as server and as client.

use std::collections::BTreeSet;

use hybi_compression::{Deflate, Extensions};
use hybi_handshake::{ExtensionOffer, HandshakeError, Version};
use hybi_suite::vectors;
use serde_json::Value;

const V13: Version = Version::RFC6455;

#[test]
fn recorded_offers_are_answered() {
    let records = records("negotiate-server");
    assert_eq!(records.len(), if Deflate::HAS_WINDOW_BITS { 41 } else { 11 });
    for record in records {
        let lines = record["offer"].as_array().expect("lines").iter();
        let lines = lines.map(|line| line.as_str().expect("a line"));
        // A header that is no list of extensions is not for extensions to answer.
        let offers = ExtensionOffer::parse_list(lines, V13).unwrap_or_default();
        let server = Extensions::from(configured(&record["config"]));
        let answer = server.accept(&offers, V13);
        let answer = answer.first().map(|agreed| agreed.answer().to_string());

        let recorded = record["also_legal"].as_array().into_iter().flatten();
        let mut legal: Vec<_> = recorded.filter_map(Value::as_str).collect();
        legal.push(record["response"].as_str().unwrap_or("(decline)"));
        let answer = answer.as_deref().unwrap_or("(decline)");
        let same = |legal: &&str| parameters(legal) == parameters(answer);
        assert!(legal.iter().any(same), "{}: {answer}", record["id"]);
    }
}

/// The offers of clients that do not limit their window and do not say so. Ours always do.
const WITHOUT_THE_HINT: [(&str, &str); 4] = [
    ("cli-cmwb-unoffered", "the hint would make the answer lawful"),
    ("cli-smwb-unasked", "no client of ours makes the offer"),
    ("cli-snct-unasked", "no client of ours makes the offer"),
    ("cli-cnct-unasked", "no client of ours makes the offer"),
];

/// The records of this kind that are for this library: without a choice of the window, offers and
/// wishes about it are no vector's business.
fn records(kind: &str) -> Vec<Value> {
    let server = kind == "negotiate-server";
    let left_out = if server || !Deflate::HAS_WINDOW_BITS { &[][..] } else { &WITHOUT_THE_HINT };
    let name = "compression-permessage-deflate-negotiation";
    let mut records = vectors::records_but(name, left_out);
    records.retain(|record| record["kind"] == kind);
    if !Deflate::HAS_WINDOW_BITS {
        let narrow = |record: &Value| {
            let config = &record["config"];
            let bits = ["server_max_window_bits", "client_max_window_bits"];
            let of_the_client = record["offer"].to_string().contains("client_max_window_bits");
            let of_either = record["offer"].to_string().contains("max_window_bits");
            let wished = bits.iter().any(|name| config[*name].is_u64());
            if server { of_either || wished } else { of_the_client }
        };
        records.retain(|record| !narrow(record));
    }
    records
}

#[test]
fn recorded_answers_are_judged() {
    let records = records("negotiate-client");
    assert_eq!(records.len(), if Deflate::HAS_WINDOW_BITS { 17 } else { 8 });
    for record in records {
        let offer = record["offer"].as_str().expect("an offer");
        let client = client_that_offers(offer).unwrap_or_else(|| panic!("no client for {offer}"));
        let response = record["response"].as_str();
        let answers = ExtensionOffer::parse_list(response, V13).expect("a list");
        let confirmed = client.confirm(&answers, V13);
        assert_eq!(confirmed.is_ok(), record["accept"] == true, "{}: {confirmed:?}", record["id"]);
    }
}

/// The client that makes this very offer, if one can be configured to.
fn client_that_offers(offer: &str) -> Option<Extensions> {
    let deflate = Deflate::default();
    [
        deflate,
        deflate.own_window_bits(10),
        deflate.peer_window_bits(10),
        deflate.own_context_takeover(false),
        deflate.peer_context_takeover(false),
    ]
    .into_iter()
    .map(Extensions::from)
    .find(|client| {
        let offers = client.offers(V13);
        let made = parameters(&offers[0].to_string());
        let hint = BTreeSet::from(["client_max_window_bits".to_owned()]);
        // Permission to limit the client's window changes nothing for offers about other things.
        let same_but_for_it = &made - &hint == parameters(offer);
        made == parameters(offer) || same_but_for_it && offer.contains("; ")
    })
}

#[test]
fn offers_say_what_was_configured() {
    let offer = |deflate: Deflate| Extensions::from(deflate).offers(V13)[0].to_string();
    let deflate = Deflate::default();
    let demanding = deflate.own_context_takeover(false).peer_context_takeover(false);
    if Deflate::HAS_WINDOW_BITS {
        assert_eq!(offer(deflate), "permessage-deflate; client_max_window_bits");
        assert_eq!(
            offer(deflate.own_window_bits(9)),
            "permessage-deflate; client_max_window_bits=9"
        );
    } else {
        assert_eq!(offer(deflate), "permessage-deflate");
        assert_eq!(offer(deflate.own_window_bits(9)), "permessage-deflate");
    }
    assert!(
        offer(demanding).starts_with(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        )
    );
    assert!(offer(deflate.peer_window_bits(8)).contains("; server_max_window_bits=8"));
}

#[test]
fn a_broken_rule_is_named() {
    let client = Extensions::from(Deflate::default().peer_context_takeover(false));
    let answers = ExtensionOffer::parse_list(["permessage-deflate"], V13).expect("a list");
    let error = client.confirm(&answers, V13).expect_err("not as asked");
    let text = error.to_string();
    assert!(text.contains("permessage-deflate") && text.contains("afresh"), "{text}");

    let answers = ExtensionOffer::parse_list(["foo"], V13).expect("a list");
    let error = client.confirm(&answers, V13).expect_err("not offered");
    assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
}

/// The second of two offers serves where the first asks too much.
#[test]
fn alternatives_are_tried_in_order() {
    let both =
        Extensions::from(Deflate::default().peer_context_takeover(false)).with(Deflate::default());
    for (answer, accepted) in [
        ("permessage-deflate; server_no_context_takeover", true),
        ("permessage-deflate", true),
        ("permessage-deflate; foo", false),
        ("permessage-deflate, permessage-deflate", false),
    ] {
        let answers = ExtensionOffer::parse_list([answer], V13).expect("a list");
        assert_eq!(both.confirm(&answers, V13).is_ok(), accepted, "{answer}");
    }
}

fn configured(config: &Value) -> Deflate {
    let bits = |name: &str| config[name].as_u64().unwrap_or(15) as u8;
    Deflate::default()
        .own_context_takeover(config["server_no_context_takeover"] != true)
        .peer_context_takeover(config["client_no_context_takeover"] != true)
        .own_window_bits(bits("server_max_window_bits"))
        .peer_window_bits(bits("client_max_window_bits"))
}

/// Name and parameters of an element, whatever their order.
fn parameters(element: &str) -> BTreeSet<String> {
    element.split("; ").map(str::to_owned).collect()
}
