//! Extensions that cannot be used together, that are unknown, or named twice (RFC 6455 §9.1).

use hybi_compression::{Agreed, Chain, Compress, Deflate, DeflateFrame, DeflateStream, Extensions};
use hybi_frame::Rsv;
use hybi_handshake::{HandshakeError, Version};

use crate::support::{accept, answer, confirm, field};
use crate::user_extension::{Place, Sum, sum};

fn deflate() -> Deflate {
    Deflate::default()
}

#[track_caller]
fn refused(extensions: &Extensions, answer: &str, expected: &str) {
    match confirm(extensions, answer, Version::RFC6455) {
        Err(HandshakeError::ExtensionAnswer(broken)) => {
            assert!(broken.rule.contains(expected), "{broken:?}");
        }
        other => panic!("{answer}: {other:?}"),
    }
}

#[test]
fn one_bit_has_one_owner() {
    let all = Extensions::from(deflate())
        .with(DeflateFrame::new(deflate()))
        .with(sum(Place::Message))
        .with(Sum { name: "x-three", rsv: Rsv::RSV3, ..sum(Place::Frame) })
        .with(Sum { name: "x-two-three", rsv: Rsv::RSV2 | Rsv::RSV3, ..sum(Place::Message) })
        .with(Sum { name: "x-none", rsv: Rsv::NONE, ..sum(Place::Message) });
    for (offer, expected) in [
        ("permessage-deflate, deflate-frame", "permessage-deflate"),
        ("deflate-frame, permessage-deflate", "deflate-frame"),
        // The first that cannot be had frees its bit for the next.
        ("permessage-deflate; foo, deflate-frame", "deflate-frame"),
        (
            "permessage-deflate, x-sum; start=1, deflate-frame, x-three; start=2, x-none; start=3",
            "permessage-deflate, x-sum; start=1, x-three; start=2, x-none; start=3",
        ),
        ("x-sum; start=1, x-two-three; start=1", "x-sum; start=1"),
        ("x-two-three; start=1, x-three; start=1, x-sum; start=1", "x-two-three; start=1"),
        ("x-two-three; start=1, deflate-frame", "x-two-three; start=1, deflate-frame"),
    ] {
        assert_eq!(answer(&all, offer, Version::RFC6455), expected, "{offer}");
    }

    assert!(confirm(&all, "permessage-deflate, x-sum; start=7", Version::RFC6455).is_ok());
    refused(&all, "permessage-deflate, deflate-frame", "bits");
    refused(&all, "x-sum; start=7, x-two-three; start=7", "bits");
}

#[test]
fn deflate_stream_has_no_parameters() {
    let stream = Extensions::from(DeflateStream::new(deflate()));
    let version = Version::HYBI_08;
    assert_eq!(answer(&stream, "deflate-stream; x", version), "");
    assert!(confirm(&stream, "deflate-stream", version).is_ok());
    let error = confirm(&stream, "deflate-stream; x", version).unwrap_err();
    let HandshakeError::ExtensionAnswer(broken) = error else { panic!("{error}") };
    assert_eq!((&*broken.name, broken.rule), ("deflate-stream", "the answer has a parameter"));
}

#[test]
fn one_extension_has_the_stream() {
    let other = || Sum { name: "x-shift", ..sum(Place::Stream) };
    let both = Extensions::from(DeflateStream::new(deflate())).with(other());
    let version = Version::HYBI_08;
    for (offer, expected) in [
        ("deflate-stream, x-shift; start=1", "deflate-stream"),
        ("x-shift; start=1, deflate-stream", "x-shift; start=1"),
    ] {
        assert_eq!(answer(&both, offer, version), expected);
    }
    assert!(confirm(&both, "deflate-stream, x-shift; start=7", version).is_err());

    // A chain that is made of both all the same uses the first.
    let one = |extensions: Extensions| -> Agreed {
        extensions.accept(&extensions.offers(version), version).remove(0)
    };
    let mut chain = Chain::new(&[one(other().into()), one(DeflateStream::new(deflate()).into())]);
    let mut out = Vec::new();
    chain.stream().unwrap().encode(b"Hello", &mut out);
    assert_eq!(out, b"Olssv");
}

#[test]
fn of_two_owners_a_chain_uses_the_first() {
    let one = |extensions: Extensions| -> Agreed {
        let version = Version::RFC6455;
        extensions.accept(&extensions.offers(version), version).remove(0)
    };
    let agreed = [
        one(sum(Place::Message).into()),
        one(Sum { name: "x-other", start: 50, ..sum(Place::Message) }.into()),
    ];
    let mut out = Vec::new();
    let bits = Chain::new(&agreed).encode_message(b"aj", Compress::Auto, &mut out);
    assert_eq!((bits, out), (Some(Rsv::RSV2), b"aj\xd2".to_vec()));
}

#[test]
fn what_is_not_known_is_declined_or_fails() {
    let extensions = Extensions::from(deflate()).with(sum(Place::Message));
    let offer = "foo; bar=1, x-sum; start=3, permessage-brotli, permessage-deflate";
    let expected = "x-sum; start=3, permessage-deflate";
    assert_eq!(answer(&extensions, offer, Version::RFC6455), expected);
    assert_eq!(answer(&extensions, "X-Sum; start=3, Permessage-Deflate", Version::RFC6455), "");

    for unknown in ["foo", "Permessage-Deflate", "deflate-frame"] {
        let error = confirm(&extensions, unknown, Version::RFC6455).unwrap_err();
        assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
    }
    // Known, but of another version.
    let stream = extensions.with(DeflateStream::new(deflate()));
    assert!(!field(&stream.offers(Version::RFC6455)).contains("deflate-stream"));
    assert_eq!(answer(&stream, "deflate-stream", Version::RFC6455), "");
    let error = confirm(&stream, "deflate-stream", Version::RFC6455).unwrap_err();
    assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
}

#[cfg(feature = "zlib-rs")]
#[test]
fn elements_of_one_name_are_alternatives() {
    let small = Extensions::from(deflate().peer_window_bits(9)).with(deflate());
    assert_eq!(
        field(&small.offers(Version::RFC6455)),
        "permessage-deflate; server_max_window_bits=9; client_max_window_bits, \
         permessage-deflate; client_max_window_bits"
    );
    let server = Extensions::from(deflate());
    let offer = "x, permessage-deflate; foo, permessage-deflate; server_max_window_bits=9, permessage-deflate";
    let expected = "permessage-deflate; server_max_window_bits=9";
    assert_eq!(answer(&server, offer, Version::RFC6455), expected);

    // A client takes the answer that fits any of them, and only one.
    for good in ["permessage-deflate", "permessage-deflate; server_max_window_bits=9"] {
        assert!(confirm(&small, good, Version::RFC6455).is_ok(), "{good}");
    }
    refused(&small, "permessage-deflate, permessage-deflate", "twice");
    refused(&small, "permessage-deflate; foo", "does not know");
    assert!(confirm(&small, "x", Version::RFC6455).is_err());
}

#[test]
fn nothing_offered_is_nothing_agreed() {
    for extensions in [Extensions::none(), Extensions::default()] {
        assert!(extensions.accept(&[], Version::RFC6455).is_empty());
        assert!(extensions.confirm(&[], Version::RFC6455).unwrap().is_empty());
    }
    assert!(Extensions::none().is_empty() && !Extensions::default().is_empty());
    assert!(Extensions::none().offers(Version::RFC6455).is_empty());
    let mut chain = Chain::new(&[]);
    assert!(chain.stream().is_none() && !chain.is_per_frame());
    assert_eq!(chain.encode_message(b"a", Compress::Always, &mut Vec::new()), None);
}

/// Whatever else there is, and whichever comes first.
#[test]
fn a_mark_excludes_nothing_and_changes_nothing() {
    let mark = |name| Sum { name, ..sum(Place::Mark) };
    let alone = Extensions::from(sum(Place::Message)).with(DeflateFrame::new(deflate()));
    let marked = alone.clone().with(mark("x-mark")).with(mark("x-other"));
    for (offer, without) in [
        ("x-mark; start=1, x-sum; start=7, x-other; start=2", "x-sum; start=7"),
        ("x-sum; start=7, x-mark; start=1, deflate-frame", "x-sum; start=7, deflate-frame"),
    ] {
        assert_eq!(answer(&marked, offer, Version::RFC6455), offer);
        let encoded = |extensions: &Extensions, offer: &str| {
            let mut chain = Chain::new(&accept(extensions, offer, Version::RFC6455));
            let (mut message, mut frame) = (Vec::new(), Vec::new());
            let rsv = chain.encode_message(b"aj", Compress::Always, &mut message);
            (rsv, message, chain.encode_frame(b"aj", Compress::Always, &mut frame), frame)
        };
        assert_eq!(encoded(&marked, offer), encoded(&alone, without), "{offer}");
    }
    let stream = Extensions::from(DeflateStream::new(deflate())).with(mark("x-mark"));
    let offer = "x-mark; start=1, deflate-stream";
    assert_eq!(answer(&stream, offer, Version::HYBI_08), offer);
    assert!(Chain::new(&accept(&stream, offer, Version::HYBI_08)).has_stream());
}
