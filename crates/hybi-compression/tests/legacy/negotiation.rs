//! Offers and answers of the deprecated extensions, against what their servers answered.

use hybi_compression::{
    AcceptOnly, Deflate, DeflateFrame, DeflateStream, Extensions, PerframeCompress,
    PermessageCompress, PermessageDeflateDraft,
};
use hybi_handshake::{HandshakeError, Version};
use hybi_suite::vectors::records;

use crate::support::shared::endpoint::elements;
use crate::support::{answer, confirm, field};

const DEFLATE_STREAM: Version = Version::HYBI_08;

/// A server that has everything, with the old spelling of permessage-deflate behind the new.
fn server(record: &str) -> Extensions {
    let all = Extensions::all(Deflate::default());
    // The servers of these records had the old spelling alone.
    if record.starts_with("old-s2c-") {
        Extensions::from(PermessageDeflateDraft::new(Deflate::default()))
            .with(PermessageCompress::new(Deflate::default()))
    } else {
        all
    }
}

/// Where a server answers otherwise than the one of the record did, and why.
fn differs(id: &str) -> Option<&'static str> {
    Some(match id {
        // That server knew only the names of RFC 7692 and ignored all others. We know both: an
        // answer that leaves a limit out would not say that it is kept.
        "old-02" => "permessage-compress; method=\"deflate; s2c_max_window_bits=10\"",
        // RFC 7692 made these lawful in an offer; the server was older.
        "old-06" => "permessage-deflate",
        "old-07" => "permessage-deflate",
        _ => return None,
    })
}

/// The words of a field in an order of their own: parameters are a set.
fn words(field: &str) -> Vec<&str> {
    let mut words: Vec<_> = field.split([';', ' ', '"']).collect();
    words.sort_unstable();
    words
}

#[test]
fn as_server_answers_are_those_of_the_old_servers() {
    let vectors = records("compression-legacy-negotiation");
    assert_eq!(vectors.len(), 21);
    for record in vectors {
        let id = record["id"].as_str().expect("id");
        let version = if id.starts_with("old-ds-") { DEFLATE_STREAM } else { Version::RFC6455 };
        let offer = record["offer"].as_str().expect("offer");
        let recorded = record["response"].as_str().unwrap_or("");
        let expected = differs(id).unwrap_or(recorded);
        let answer = answer(&server(id), offer, version);
        assert_eq!(words(&answer), words(expected), "{id}: {offer}");
    }
}

/// The client whose offer is that of the record, if there is one: what our clients have no use for,
/// they do not offer.
fn client(offer: &str) -> Option<Extensions> {
    let plain = Deflate::default();
    let ten = plain.peer_window_bits(10);
    let fresh = ten.peer_context_takeover(false);
    let extensions: Extensions = match offer {
        "permessage-compress; method=deflate" => PermessageCompress::new(plain).into(),
        "permessage-compress; method=\"deflate; s2c_max_window_bits=10\"" => {
            PermessageCompress::new(ten).into()
        }
        "permessage-compress; method=\"deflate; s2c_max_window_bits=10; s2c_no_context_takeover\"" => {
            PermessageCompress::new(fresh).into()
        }
        "deflate-frame; max_window_bits=9" => DeflateFrame::new(plain.peer_window_bits(9)).into(),
        "x-webkit-deflate-frame" => DeflateFrame::webkit(plain).into(),
        "permessage-deflate; s2c_max_window_bits=10; s2c_no_context_takeover; c2s_max_window_bits" => {
            PermessageDeflateDraft::new(fresh).into()
        }
        "perframe-compress; method=deflate" => PerframeCompress::new(plain).into(),
        "perframe-compress; method=\"deflate; max_window_bits=10; no_context_takeover\"" => {
            PerframeCompress::new(fresh).into()
        }
        "deflate-stream" => DeflateStream::new(plain).into(),
        "deflate-stream, deflate-frame" => {
            Extensions::from(DeflateStream::new(plain)).with(DeflateFrame::new(plain))
        }
        _ => return None,
    };
    Some(extensions)
}

#[test]
fn as_client_the_answers_of_the_old_servers_are_confirmed() {
    let mut confirmed = 0;
    for record in records("compression-legacy-negotiation") {
        let id = record["id"].as_str().expect("id");
        let version = if id.starts_with("old-ds-") { DEFLATE_STREAM } else { Version::RFC6455 };
        let offer = record["offer"].as_str().expect("offer");
        let Some(client) = client(offer) else { continue };
        assert_eq!(words(&field(&client.offers(version))), words(offer), "{id}");
        let answer = record["response"].as_str().expect("response");
        let result = confirm(&client, answer, version);
        if id == "old-02" {
            // The server ignored the demand: nothing says that it will be met.
            let error = result.expect_err("a demand that was not confirmed");
            assert!(matches!(error, HandshakeError::ExtensionAnswer { .. }), "{error}");
            continue;
        }
        let agreed = result.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(field(agreed.iter().map(|agreed| agreed.answer())), answer, "{id}");
        confirmed += 1;
    }
    assert_eq!(confirmed, 9);
}

#[test]
fn each_belongs_to_the_versions_of_its_time() {
    let all = Extensions::all(Deflate::default());
    for version in [4, 5, 6, 7, 8, 13].map(Version::new) {
        let offers = field(&all.offers(version));
        assert_eq!(
            offers.contains("deflate-stream"),
            version <= Version::HYBI_08,
            "{version}: {offers}"
        );
        assert_eq!(offers.contains("method"), version == Version::RFC6455, "{version}: {offers}");
        let accepted = answer(&all, "deflate-stream", version);
        assert_eq!(accepted, if version <= Version::HYBI_08 { "deflate-stream" } else { "" });
        let client = Extensions::from(DeflateStream::new(Deflate::default()));
        let result = confirm(&client, "deflate-stream", version);
        assert_eq!(result.is_ok(), version <= Version::HYBI_08);
    }
}

#[test]
fn of_all_that_is_offered_the_first_one_known_is_taken() {
    let all = Extensions::all(Deflate::default());
    let offers = field(&all.offers(Version::RFC6455));
    assert_eq!(
        offers,
        "permessage-deflate; client_max_window_bits, \
         permessage-compress; method=deflate, x-webkit-permessage-compress; method=deflate, \
         perframe-compress; method=deflate, deflate-frame, x-webkit-deflate-frame"
    );
    // They all claim the same bit, so whichever comes first is the only one.
    let elements = elements(&offers);
    for first in 0..elements.len() {
        let agreed = all.accept(&elements[first..], Version::RFC6455);
        assert_eq!(agreed.len(), 1);
        assert_eq!(agreed[0].answer().name(), elements[first].name());
    }
}

/// A server that is strict about RFC 7692 refuses the handshake for parameters that it does not know.
#[test]
fn the_old_names_of_permessage_deflate_are_offered_only_when_asked_for() {
    let all = Extensions::all(Deflate::default());
    let old = "permessage-deflate; s2c_no_context_takeover";
    assert!(!field(&all.offers(Version::RFC6455)).contains("c2s"));
    assert_eq!(answer(&all, old, Version::RFC6455), old);
    let error = confirm(&all, old, Version::RFC6455).expect_err("not offered");
    assert!(matches!(error, HandshakeError::ExtensionAnswer(_)), "{error}");

    let named = Extensions::from(PermessageDeflateDraft::new(Deflate::default()));
    let offers = field(&named.offers(Version::RFC6455));
    assert_eq!(offers, "permessage-deflate; c2s_max_window_bits");
    assert!(confirm(&named, old, Version::RFC6455).is_ok());
    let unoffered = Extensions::from(AcceptOnly(PermessageDeflateDraft::new(Deflate::default())));
    let error = confirm(&unoffered, old, Version::RFC6455).expect_err("not offered");
    assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
}

#[test]
fn nothing_but_permessage_deflate_is_on_by_default() {
    let default = Extensions::default();
    let offers = field(&default.offers(Version::RFC6455));
    assert_eq!(offers, "permessage-deflate; client_max_window_bits");
    let old = "x-webkit-deflate-frame, deflate-frame, perframe-compress; method=deflate, \
               permessage-compress; method=deflate, permessage-deflate; s2c_no_context_takeover";
    assert_eq!(answer(&default, old, Version::RFC6455), "");
    assert_eq!(answer(&default, "deflate-stream", Version::HYBI_08), "");
}

#[test]
fn other_algorithms_are_declined() {
    let vectors = records("compression-other-algorithms");
    assert_eq!(vectors.len(), 6);
    let all = Extensions::all(Deflate::default());
    for record in vectors {
        let name = record["extension"].as_str().expect("extension");
        assert_eq!(answer(&all, name, Version::RFC6455), "", "{name}");
        let error = confirm(&all, name, Version::RFC6455).expect_err(name);
        assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
        // What comes behind it still counts.
        let offer = format!("{name}; server_no_context_takeover, permessage-deflate");
        assert_eq!(answer(&all, &offer, Version::RFC6455), "permessage-deflate");
    }
}
