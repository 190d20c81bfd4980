//! The fields with a grammar of their own, against the vectors (RFC 6455 §4.3, §9.1).

use hybi_handshake::{ExtensionOffer, FieldError, Version, parse_subprotocols};
use hybi_suite::vectors::records;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parsed(header: &str, version: Version) -> Value {
    match ExtensionOffer::parse_list([header], version) {
        Ok(list) => list
            .iter()
            .map(|offer| {
                let params =
                    offer.params().iter().map(|param| json!([param.name(), param.value()]));
                json!([offer.name(), params.collect::<Vec<_>>()])
            })
            .collect(),
        Err(_) => json!("error"),
    }
}

#[test]
fn extension_lists_parse_as_the_vectors_say() {
    let vectors = records("extension_header");
    assert_eq!(vectors.len(), 24);
    for record in vectors {
        let header = record["header"].as_str().expect("header");
        assert_eq!(parsed(header, Version::RFC6455), record["expect"], "{header}");
        // Before hybi-14 a value is a token.
        let quoted = header.contains('"');
        let expected = if quoted { &json!("error") } else { &record["expect"] };
        assert_eq!(&parsed(header, Version::HYBI_08), expected, "{header}");
    }
}

#[test]
fn extension_lists_may_be_split_over_fields() {
    let list = ExtensionOffer::parse_list(["a; x=1, b", "", "c"], Version::RFC6455).unwrap();
    let names: Vec<_> = list.iter().map(ExtensionOffer::name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(ExtensionOffer::parse_list(["", ","], Version::RFC6455).is_err());
    assert!(ExtensionOffer::parse_list::<&str>([], Version::RFC6455).unwrap().is_empty());
}

#[test]
fn a_comma_or_semicolon_inside_quotes_does_not_separate() {
    for header in ["a; b=\"c,d\"", "a; b=\"c;d\"", "a; b=\"c\\\"\""] {
        assert!(ExtensionOffer::parse_list([header], Version::RFC6455).is_err(), "{header}");
    }
    let list = ExtensionOffer::parse_list(["a; b=\"\\c\\d\" , e"], Version::RFC6455).unwrap();
    assert_eq!(list[0].params()[0].value(), Some("cd"));
    assert_eq!(list.len(), 2);
}

#[test]
fn an_extension_cannot_be_built_of_anything_but_tokens() {
    let offer = ExtensionOffer::new("foo").unwrap();
    assert_eq!(ExtensionOffer::new("").unwrap_err(), FieldError::NotAToken);
    assert_eq!(ExtensionOffer::new("a, b").unwrap_err(), FieldError::NotAToken);
    assert_eq!(offer.clone().with_param("a b", None).unwrap_err(), FieldError::NotAToken);
    assert_eq!(offer.with_param("a", Some("\r\n")).unwrap_err(), FieldError::NotAToken);
}

#[test]
fn the_three_extensions_of_2012_have_lists_of_methods() {
    for name in ["permessage-compress", "x-webkit-permessage-compress", "perframe-compress"] {
        for methods in [
            "deflate",
            "deflate; s2c_max_window_bits=10",
            "foo; x=10, deflate",
            "foo, bar",
            "foo; use_x, foo",
            " ,;= ",
        ] {
            let offer = ExtensionOffer::new(name).unwrap().with_methods(methods).unwrap();
            let quoted = methods != "deflate";
            let mark = if quoted { "\"" } else { "" };
            let text = format!("{name}; method={mark}{methods}{mark}");
            assert_eq!(offer.to_string(), text);
            // Others may stand beside it.
            let header = format!("a; b=c, {text} ; d, e");
            let list = ExtensionOffer::parse_list([&header], Version::RFC6455).unwrap();
            assert_eq!(list.len(), 3, "{header}");
            assert_eq!(list[1].params()[0].value(), Some(methods));
            assert_eq!(list[1].params()[1].name(), "d");
            let before = ExtensionOffer::parse_list([&header], Version::HYBI_08);
            assert_eq!(before.is_err(), quoted, "version 8 has no quotes: {header}");
        }
    }
}

#[test]
fn no_other_value_is_a_list() {
    for header in [
        "perframe-compress; methods=\"a, b\"",
        "perframe-compress; Method=\"a, b\"",
        "Perframe-compress; method=\"a, b\"",
        "permessage-deflate; method=\"a, b\"",
        "perframe-compress; method=\"\"",
        "perframe-compress; method=\"a",
        "perframe-compress; method=\"a\\\"b\"",
        "perframe-compress; method=\"a\\\\b\"",
        "perframe-compress; method=\"a\tb\"",
        "perframe-compress; method=\"a, \u{e4}\"",
        "perframe-compress; method=a, b=c",
    ] {
        let list = ExtensionOffer::parse_list([header], Version::RFC6455);
        assert!(list.is_err(), "{header}: {list:?}");
    }
    let offer = ExtensionOffer::new("perframe-compress").unwrap();
    for methods in ["", "a\"b", "a\\b", "a\tb", "a\r\nb", "\u{e4}"] {
        let result = offer.clone().with_methods(methods);
        assert_eq!(result.unwrap_err(), FieldError::NotAToken, "{methods:?}");
    }
}

#[test]
fn subprotocol_lists_parse_as_the_vectors_say() {
    let vectors = records("subprotocol_header");
    assert_eq!(vectors.len(), 11);
    for record in vectors {
        let header = record["header"].as_str().expect("header");
        let parsed =
            parse_subprotocols([header]).map_or_else(|_| json!("error"), |names| json!(names));
        assert_eq!(parsed, record["expect"], "{header}");
    }
}

#[test]
fn origin_fields_and_numbers_are_those_of_the_version_table() {
    let mut seen = 0;
    for record in records("versions") {
        if record["handshake"] != "H05" {
            continue;
        }
        seen += 1;
        let number = record["version_value"][0].as_u64().expect("a number");
        let version = Version::parse(&number.to_string()).expect("a version");
        assert_eq!(version.number().map(u64::from), Some(number));
        // hybi-11 and hybi-12 renamed the field under the number 8; a client keeps to the older name.
        let renamed = ["hybi-11", "hybi-12"].contains(&record["draft"].as_str().expect("draft"));
        let expected = if renamed {
            "Sec-WebSocket-Origin"
        } else {
            record["origin_header"].as_str().unwrap()
        };
        assert!(
            version.origin_field().as_str().eq_ignore_ascii_case(expected),
            "{}",
            record["draft"]
        );
    }
    assert_eq!(seen, 14);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        list in prop::collection::vec(
            (TOKEN, prop::collection::vec((TOKEN, prop::option::of(TOKEN)), 0..4)), 1..4),
    ) {
        let list: Vec<_> = list.into_iter().map(|(name, params)| {
            params.iter().fold(ExtensionOffer::new(&name).unwrap(), |offer, (name, value)| {
                offer.with_param(name, value.as_deref()).unwrap()
            })
        }).collect();
        let text = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        prop_assert_eq!(ExtensionOffer::parse_list([text], Version::HYBI_08).unwrap(), list);
    }

    #[test]
    fn any_bytes_parse_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(list) = ExtensionOffer::parse_list([&bytes], Version::RFC6455) {
            let text = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(ExtensionOffer::parse_list([text], Version::RFC6455).unwrap(), list);
        }
    }
}

const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}";
