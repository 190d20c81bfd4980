//! The parameters of the deprecated extensions, lawful and not, as server and as client.

use hybi_compression::{
    Deflate, DeflateFrame, Extension, Extensions, PerframeCompress, PermessageCompress,
    PermessageDeflateDraft,
};
use hybi_handshake::Version;

use crate::support::{answer, confirm, field};

/// A server that wants every limit there is.
fn limited() -> Deflate {
    Deflate::default()
        .own_window_bits(11)
        .peer_window_bits(12)
        .own_context_takeover(false)
        .peer_context_takeover(false)
}

/// Checks the answers of one extension to a table of offers; an empty answer is a decline.
fn check_server(extension: impl Extension + 'static, offers: &[(&str, &str)]) {
    let server = Extensions::from(extension);
    for (offer, expected) in offers {
        assert_eq!(answer(&server, offer, Version::RFC6455), *expected, "{offer}");
    }
}

/// Checks what one extension makes of a table of answers: whether the connection goes on.
fn check_client(extension: impl Extension + 'static, answers: &[(&str, bool)]) {
    let client = Extensions::from(extension);
    for (answer, good) in answers {
        let result = confirm(&client, answer, Version::RFC6455);
        assert_eq!(result.is_ok(), *good, "{answer}: {result:?}");
    }
}

#[test]
fn deflate_frame_as_server() {
    check_server(
        DeflateFrame::new(Deflate::default()),
        &[
            ("deflate-frame", "deflate-frame"),
            ("deflate-frame; max_window_bits=8", "deflate-frame"),
            ("deflate-frame; window_bits=15; no_context_takeover", "deflate-frame"),
            ("deflate-frame; foo=1; no_context_takeover", "deflate-frame"),
            ("deflate-frame; max_window_bits=7", ""),
            ("deflate-frame; max_window_bits=16", ""),
            ("deflate-frame; max_window_bits=09", ""),
            ("deflate-frame; max_window_bits", ""),
            ("deflate-frame; window_bits=0", ""),
            ("deflate-frame; max_window_bits=9; window_bits=9", ""),
            ("deflate-frame; max_window_bits=9; max_window_bits=9", ""),
            ("deflate-frame; no_context_takeover=1", ""),
            ("deflate-frame; no_context_takeover; no_context_takeover", ""),
            ("deflate-frame; no_context_takeover=1, deflate-frame", "deflate-frame"),
            ("x-webkit-deflate-frame", ""),
        ],
    );
    check_server(
        DeflateFrame::webkit(limited()),
        &[
            (
                "x-webkit-deflate-frame",
                "x-webkit-deflate-frame; max_window_bits=12; no_context_takeover",
            ),
            // Whoever calls it so may not know the new name.
            (
                "x-webkit-deflate-frame; window_bits=9",
                "x-webkit-deflate-frame; window_bits=12; no_context_takeover",
            ),
            ("deflate-frame", ""),
        ],
    );
}

#[test]
fn deflate_frame_as_client() {
    let offers = DeflateFrame::new(limited()).offers();
    assert_eq!(field(&offers), "deflate-frame; max_window_bits=12; no_context_takeover");
    for extension in [DeflateFrame::new(Deflate::default()), DeflateFrame::new(limited())] {
        check_client(
            extension,
            &[
                ("deflate-frame", true),
                ("deflate-frame; max_window_bits=15", true),
                ("deflate-frame; max_window_bits=8; no_context_takeover", true),
                ("deflate-frame; window_bits=10", true),
                ("deflate-frame; window_bits=10; max_window_bits=10", false),
                ("deflate-frame; max_window_bits=16", false),
                ("deflate-frame; max_window_bits", false),
                ("deflate-frame; no_context_takeover=0", false),
                ("deflate-frame; foo", false),
                ("x-webkit-deflate-frame", false),
            ],
        );
    }
}

#[test]
fn perframe_compress_as_server() {
    check_server(
        PerframeCompress::new(Deflate::default()),
        &[
            ("perframe-compress; method=deflate", "perframe-compress; method=deflate"),
            ("perframe-compress; method=\"deflate\"", "perframe-compress; method=deflate"),
            (
                "perframe-compress; method=\"x; y=1, deflate; window_bits=9; z\"",
                "perframe-compress; method=deflate",
            ),
            // The first of its alternatives cannot be had.
            (
                "perframe-compress; method=\"deflate; max_window_bits=99, deflate\"",
                "perframe-compress; method=deflate",
            ),
            ("perframe-compress", ""),
            ("perframe-compress; method", ""),
            ("perframe-compress; method=lz4", ""),
            ("perframe-compress; method=\"deflate; max_window_bits=99\"", ""),
            ("perframe-compress; method=\"deflate; \"", ""),
            ("perframe-compress; method=\"deflate=1\"", ""),
            ("perframe-compress; method=\" , ,\"", ""),
            ("perframe-compress; method=deflate; method=deflate", ""),
            ("perframe-compress; method=deflate; max_window_bits=10", ""),
            ("perframe-compress; methods=deflate", ""),
        ],
    );
    check_server(
        PerframeCompress::new(limited()),
        &[(
            "perframe-compress; method=deflate",
            "perframe-compress; method=\"deflate; max_window_bits=12; no_context_takeover\"",
        )],
    );
}

#[test]
fn perframe_compress_as_client() {
    let offers = PerframeCompress::new(limited()).offers();
    assert_eq!(
        field(&offers),
        "perframe-compress; method=\"deflate; max_window_bits=12; no_context_takeover\""
    );
    check_client(
        PerframeCompress::new(Deflate::default()),
        &[
            ("perframe-compress; method=deflate", true),
            ("perframe-compress; method=\"deflate; max_window_bits=8\"", true),
            ("perframe-compress; method=\"deflate; max_window_bits=7\"", false),
            ("perframe-compress; method=\"deflate; foo\"", false),
            ("perframe-compress; method=\"deflate, deflate\"", false),
            ("perframe-compress; method=snappy", false),
            ("perframe-compress; method=deflate; foo", false),
            ("perframe-compress", false),
        ],
    );
}

#[test]
fn permessage_compress_as_server() {
    check_server(
        PermessageCompress::new(Deflate::default()),
        &[
            (
                "permessage-compress; method=\"deflate; server_no_context_takeover\"",
                "permessage-compress; method=\"deflate; server_no_context_takeover\"",
            ),
            (
                "permessage-compress; method=\"foo; x=10, deflate; s2c_no_context_takeover\"",
                "permessage-compress; method=\"deflate; s2c_no_context_takeover\"",
            ),
            // What is about the client says nothing in an offer.
            (
                "permessage-compress; method=\"deflate; c2s_max_window_bits=77; c2s_x\"",
                "permessage-compress; method=deflate",
            ),
            ("permessage-compress; method=\"deflate; s2c_max_window_bits\"", ""),
            ("permessage-compress; method=\"deflate; s2c_max_window_bits=7\"", ""),
            ("permessage-compress; method=\"deflate; s2c_no_context_takeover=1\"", ""),
            (
                "permessage-compress; method=\"deflate; s2c_max_window_bits=9; s2c_max_window_bits=9\"",
                "",
            ),
            (
                "permessage-compress; method=\"deflate; s2c_max_window_bits=9; server_no_context_takeover\"",
                "",
            ),
            (
                "permessage-compress; method=\"deflate; s2c_max_window_bits=9; client_max_window_bits\"",
                "",
            ),
            ("permessage-compress; method=\"foo, bar\"", ""),
            ("permessage-compress; method=foo", ""),
            ("permessage-compress; method=deflate; s2c_max_window_bits=9", ""),
            ("x-webkit-permessage-compress; method=deflate", ""),
        ],
    );
    check_server(
        PermessageCompress::webkit(limited()),
        &[
            (
                "x-webkit-permessage-compress; method=deflate",
                "x-webkit-permessage-compress; method=\"deflate; s2c_no_context_takeover; \
                 c2s_no_context_takeover; s2c_max_window_bits=11; c2s_max_window_bits=12\"",
            ),
            (
                "x-webkit-permessage-compress; method=\"deflate; server_max_window_bits=9\"",
                "x-webkit-permessage-compress; method=\"deflate; server_no_context_takeover; \
                 client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=12\"",
            ),
        ],
    );
}

#[test]
fn permessage_compress_as_client() {
    let offers = PermessageCompress::new(limited()).offers();
    assert_eq!(
        field(&offers),
        "permessage-compress; method=\"deflate; s2c_no_context_takeover; s2c_max_window_bits=12\""
    );
    check_client(
        PermessageCompress::new(Deflate::default().own_window_bits(9)),
        &[
            ("permessage-compress; method=deflate", true),
            ("permessage-compress; method=\"deflate; c2s_no_context_takeover\"", true),
            // It allows more than is wanted, or less: neither was told.
            ("permessage-compress; method=\"deflate; c2s_max_window_bits=12\"", true),
            ("permessage-compress; method=\"deflate; client_max_window_bits=8\"", true),
            ("permessage-compress; method=\"deflate; s2c_max_window_bits=12\"", true),
            ("permessage-compress; method=\"deflate; c2s_max_window_bits\"", false),
            ("permessage-compress; method=\"deflate; c2s_max_window_bits=16\"", false),
            (
                "permessage-compress; method=\"deflate; c2s_max_window_bits=9; server_max_window_bits=9\"",
                false,
            ),
            ("permessage-compress; method=\"deflate; foo\"", false),
            ("permessage-compress; method=foo", false),
            ("permessage-compress", false),
        ],
    );
    check_client(
        PermessageCompress::new(limited()),
        &[
            ("permessage-compress; method=deflate", false),
            ("permessage-compress; method=\"deflate; s2c_no_context_takeover\"", false),
            (
                "permessage-compress; method=\"deflate; s2c_no_context_takeover; s2c_max_window_bits=12\"",
                true,
            ),
            (
                "permessage-compress; method=\"deflate; s2c_no_context_takeover; s2c_max_window_bits=13\"",
                false,
            ),
        ],
    );
}

#[test]
fn the_old_names_of_permessage_deflate() {
    let draft = || PermessageDeflateDraft::new(Deflate::default());
    check_server(
        draft(),
        &[
            ("permessage-deflate", "permessage-deflate"),
            (
                "permessage-deflate; s2c_no_context_takeover; c2s_max_window_bits",
                "permessage-deflate; s2c_no_context_takeover",
            ),
            ("permessage-deflate; server_no_context_takeover", ""),
            ("permessage-deflate; s2c_no_context_takeover; client_max_window_bits", ""),
            ("permessage-deflate; s2c_max_window_bits=7", ""),
        ],
    );
    check_server(
        PermessageDeflateDraft::new(limited()),
        &[(
            "permessage-deflate; c2s_max_window_bits",
            "permessage-deflate; s2c_no_context_takeover; c2s_no_context_takeover; \
             s2c_max_window_bits=11; c2s_max_window_bits=12",
        )],
    );
    // Each spelling finds its own, and a name without parameters the first.
    let both = Extensions::from(limited()).with(PermessageDeflateDraft::new(limited()));
    for (offer, expected) in [
        ("permessage-deflate; s2c_max_window_bits=9", "s2c_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=9", "server_max_window_bits=9"),
        ("permessage-deflate", "server_max_window_bits=11"),
    ] {
        let answer = answer(&both, offer, Version::RFC6455);
        assert!(answer.contains(expected), "{offer}: {answer}");
    }
    assert_eq!(
        answer(
            &both,
            "permessage-deflate; s2c_max_window_bits=9; server_max_window_bits=9",
            Version::RFC6455
        ),
        ""
    );

    assert_eq!(field(&draft().offers()), "permessage-deflate; c2s_max_window_bits");
    assert_eq!(
        field(&PermessageDeflateDraft::new(limited()).offers()),
        "permessage-deflate; s2c_no_context_takeover; s2c_max_window_bits=12; c2s_max_window_bits"
    );
    check_client(
        PermessageDeflateDraft::new(Deflate::default().own_window_bits(9)),
        &[
            ("permessage-deflate", true),
            ("permessage-deflate; c2s_max_window_bits=12; c2s_no_context_takeover", true),
            ("permessage-deflate; c2s_max_window_bits", false),
            ("permessage-deflate; server_no_context_takeover", false),
        ],
    );
}
