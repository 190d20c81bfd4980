//! What is offered can be kept, with every library: no server has an answer to it that is lawful and
//! that the client must refuse.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

use hybi_compression::{Deflate, DeflateFrame, Extensions};
use hybi_handshake::{ExtensionOffer, Version};

/// By extension, the answer that limits the window of the client, and what an offer must have in it
/// for that answer to be lawful.
const ANSWERS: [(&str, &str, &str); 6] = [
    ("permessage-deflate", "client_max_window_bits", "client_max_window_bits=N"),
    ("permessage-compress", "", "method=\"deflate; c2s_max_window_bits=N\""),
    ("x-webkit-permessage-compress", "", "method=\"deflate; c2s_max_window_bits=N\""),
    ("perframe-compress", "", "method=\"deflate; max_window_bits=N\""),
    ("deflate-frame", "", "max_window_bits=N"),
    ("x-webkit-deflate-frame", "", "max_window_bits=N"),
];

#[test]
fn what_is_offered_can_be_kept() {
    for extensions in [Extensions::default(), Extensions::all(Deflate::default())] {
        let offers = extensions.offers(Version::RFC6455);
        assert!(!offers.is_empty());
        for offer in &offers {
            let known = ANSWERS.iter().find(|(name, ..)| *name == offer.name());
            let (name, permission, params) = known.unwrap_or_else(|| panic!("{offer} is new"));
            if !offer.to_string().contains(permission) {
                continue;
            }
            for bits in 8..=15 {
                let answer = format!("{name}; {}", params.replace('N', &bits.to_string()));
                let answer = elements(&answer);
                let agreed = extensions.confirm(&answer, Version::RFC6455);
                assert!(agreed.is_ok(), "{answer:?} to {offer}: {agreed:?}");
            }
        }
    }
}

/// What is not offered is accepted all the same, unless it asks for what cannot be kept.
#[test]
fn a_server_accepts_every_extension_with_every_library() {
    let all = Extensions::all(Deflate::default());
    for offer in [
        "permessage-deflate",
        "permessage-compress; method=deflate",
        "x-webkit-permessage-compress; method=deflate",
        "perframe-compress; method=deflate",
        "deflate-frame",
        "x-webkit-deflate-frame",
    ] {
        let accepted = all.accept(&elements(offer), Version::RFC6455);
        assert_eq!(accepted.len(), 1, "{offer}");
    }
}

/// Whoever knows the server can still offer it.
#[test]
fn what_is_named_is_offered_with_every_library() {
    let named = Extensions::from(DeflateFrame::new(Deflate::default()));
    assert_eq!(named.offers(Version::RFC6455), elements("deflate-frame"));
}

fn elements(header: &str) -> Vec<ExtensionOffer> {
    ExtensionOffer::parse_list([header], Version::RFC6455).expect("a list")
}
