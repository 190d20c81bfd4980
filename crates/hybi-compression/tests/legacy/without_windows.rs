//! With an algorithm that has no choice of the window: what asks for a smaller one is declined as
//! server and fails as client; all else goes on.

use hybi_compression::{
    Deflate, DeflateFrame, Extensions, PerframeCompress, PermessageCompress, PermessageDeflateDraft,
};
use hybi_handshake::Version;

use crate::support::{answer, confirm, field};

/// All but permessage-deflate under its present names, with one deflate.
fn old(deflate: Deflate) -> Extensions {
    Extensions::from(PermessageDeflateDraft::new(deflate))
        .with(PermessageCompress::new(deflate))
        .with(PerframeCompress::new(deflate))
        .with(DeflateFrame::new(deflate))
}

#[test]
fn an_offer_that_asks_for_a_smaller_window_is_declined() {
    let server = old(Deflate::default().own_window_bits(9));
    for (offer, largest) in [
        ("permessage-deflate; s2c_max_window_bits=N", "permessage-deflate; s2c_max_window_bits=15"),
        (
            "permessage-compress; method=\"deflate; s2c_max_window_bits=N\"",
            "permessage-compress; method=\"deflate; s2c_max_window_bits=15\"",
        ),
        (
            "perframe-compress; method=\"deflate; max_window_bits=N\"",
            "perframe-compress; method=deflate",
        ),
        ("deflate-frame; max_window_bits=N", "deflate-frame"),
    ] {
        for bits in 8..=15 {
            let offer = offer.replace('N', &bits.to_string());
            let expected = if bits == 15 { largest } else { "" };
            assert_eq!(answer(&server, &offer, Version::RFC6455), expected, "{offer}");
        }
    }
}

#[test]
fn a_client_does_not_say_that_its_window_could_be_smaller() {
    let client = old(Deflate::default().own_window_bits(9).peer_window_bits(10));
    assert_eq!(
        field(&client.offers(Version::RFC6455)),
        "permessage-deflate; s2c_max_window_bits=10, \
         permessage-compress; method=\"deflate; s2c_max_window_bits=10\", \
         perframe-compress; method=\"deflate; max_window_bits=10\", \
         deflate-frame; max_window_bits=10"
    );
}

#[test]
fn an_answer_that_asks_for_a_smaller_window_fails() {
    let client = old(Deflate::default());
    for (answer, largest) in [
        ("permessage-deflate; c2s_max_window_bits=N", false),
        ("permessage-compress; method=\"deflate; c2s_max_window_bits=N\"", false),
        ("perframe-compress; method=\"deflate; max_window_bits=N\"", true),
        ("deflate-frame; max_window_bits=N", true),
    ] {
        for bits in 8..=15 {
            let answer = answer.replace('N', &bits.to_string());
            let result = confirm(&client, &answer, Version::RFC6455);
            assert_eq!(result.is_ok(), bits == 15 && largest, "{answer}: {result:?}");
        }
    }
    for answer in ["permessage-deflate; s2c_max_window_bits=9", "deflate-frame"] {
        assert!(confirm(&client, answer, Version::RFC6455).is_ok(), "it is about the server");
    }
}
