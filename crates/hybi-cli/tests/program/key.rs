//! `hybi key`: keys and what answers them.

use serde_json::Value;

use crate::support::{events, hybi};

/// The challenge that hixie-76 prints as its example.
const CHALLENGE: [&str; 7] = [
    "key",
    "--key1",
    "4 @1  46546xW%0l 1 5",
    "--key2",
    "12998 5 Y3 1  .P00",
    "--key3-hex",
    "5e 6e 3a 64 73 5b 34 55",
];

fn json(args: &[&str]) -> Value {
    let line = hybi(&[args, &["--json"]].concat()).expect(0, "").stdout;
    events(&line, &["key", "challenge"]).remove(0)
}

#[test]
fn a_key_is_answered_as_the_rfc_has_it() {
    hybi(&["key", "dGhlIHNhbXBsZSBub25jZQ=="]).expect_stdout("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n");
    // Not quite base64, but what the RFC prints in section 4.1.
    hybi(&["key", "AQIDBAUGBwgJCgsMDQ4PEC=="]).expect(0, "");
    hybi(&["key", "short"]).expect(2, "\"short\" is no key");
    hybi(&["key", "a\nb"]).expect(2, "line breaks");
}

#[test]
fn a_key_is_made_and_differs_each_time() {
    let keys = [0, 1].map(|_| json(&["key"]));
    assert_ne!(keys[0]["key"], keys[1]["key"]);
    for made in keys {
        let key = made["key"].as_str().expect("a key");
        assert!(key.len() == 24 && key.ends_with("=="), "{key}");
        let accept = made["accept"].as_str().expect("an answer");
        hybi(&["key", key]).expect_stdout(&format!("{accept}\n"));
    }
    assert_eq!(hybi(&["key"]).expect(0, "").stdout.trim_end().len(), 24);
}

#[test]
fn a_challenge_of_hixie_76_is_answered_as_the_draft_has_it() {
    hybi(&CHALLENGE).expect_stdout("386a4b5327793a472a436f2c5778612d 8jKS'y:G*Co,Wxa-\n");
    let event = json(&CHALLENGE);
    assert_eq!((&event["part1"], &event["part2"]), (&829_309_203.into(), &259_970_620.into()));
    assert_eq!(event["text"], "8jKS'y:G*Co,Wxa-");
    // Another last byte, and an answer that is no text.
    let mut other = CHALLENGE;
    other[6] = "5e6e3a64735b3456";
    assert_eq!(json(&other)["text"], Value::Null);
    assert_eq!(hybi(&other).expect(0, "").stdout.len(), 33);
}

#[test]
fn a_challenge_that_breaks_a_rule_is_refused() {
    for (at, value, part) in [
        (2, "no digits", "--key1 \"no digits\""),
        (4, "12345", "--key2 \"12345\""),
        (2, "1 2 5", "--key1"),
        (4, "99999999999999999999 9", "--key2"),
        (6, "5e6e3a64735b34", "eight bytes, not 7"),
        (6, "xyz", "--key3-hex"),
    ] {
        let mut args = CHALLENGE;
        args[at] = value;
        hybi(&args).expect(2, part);
    }
    hybi(&CHALLENGE[..3]).expect(2, "--key2");
    hybi(&[&CHALLENGE[..], &["dGhlIHNhbXBsZSBub25jZQ=="]].concat()).expect(2, "cannot be used");
}
