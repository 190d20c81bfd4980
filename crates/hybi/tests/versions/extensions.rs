//! Extensions of the old versions: deflate-stream over frames that are masked header and all, and nothing
//! where nothing can be negotiated (RFC 6455 section 9).
#![cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]

use futures_util::future::join;
use hybi::{
    Client, CloseCode, Deflate, Extensions, Message, Server, Version, extension::DeflateStream,
};

use crate::{
    support::{link::Manners, tasks::run},
    world::{BYTE_BY_BYTE, old, open},
};

#[test]
fn deflate_stream_carries_what_hybi_04_to_06_mask() {
    let deflate = || DeflateStream::new(Deflate::default());
    for version in [Version::HYBI_04, Version::HYBI_05, Version::HYBI_06] {
        for manners in [Manners::PLAIN, BYTE_BY_BYTE] {
            let client = Client::builder().version(version).extensions(deflate()).build();
            let server = Server::builder().versions([version]).extensions(deflate()).build();
            let (opened, accepted) = open(&client.expect("a client"), &server, manners);
            let (mut own, mut peer) = (opened.expect("opened"), accepted.expect("accepted"));
            for socket in [&own, &peer] {
                let names: Vec<_> = socket.extensions().map(|agreed| agreed.name()).collect();
                assert_eq!(names, ["deflate-stream"], "{version:?}");
            }
            let asking = async {
                for len in [0, 5, 70_000] {
                    let message = Message::text("κ".repeat(len));
                    own.send(message.clone()).await.expect("open");
                    assert_eq!(own.recv().await.expect("open"), Some(message), "{version:?}");
                }
                own.close(CloseCode::NORMAL, "").await.expect("an end")
            };
            let echoing = async {
                while let Some(message) = peer.recv().await.expect("an end in order") {
                    peer.feed(message).await.expect("open");
                }
            };
            let (status, ()) = run(join(asking, echoing), || {});
            assert!(status.is_clean(), "{version:?}: {status:?}");
        }
    }
}

/// Whoever joins the two by hand gets what the version can carry.
#[test]
fn a_connection_of_an_old_version_uses_nothing_that_its_frames_cannot_tell() {
    let offer = hybi::extension::ExtensionOffer::new("permessage-deflate").expect("a token");
    let agreed = Extensions::default().accept(&[offer], Version::RFC6455);
    assert_eq!(agreed.len(), 1);
    for version in old() {
        let negotiated = hybi::Negotiated::new(version, None, agreed.clone());
        let negotiated = negotiated.with_terms(crate::world::terms(version));
        let config = std::sync::Arc::new(hybi::Config::default());
        let mut own = hybi::Connection::new(hybi::Role::Server, negotiated, config);
        assert!(own.negotiated().extensions.is_empty(), "{version:?}");
        own.queue("x".repeat(1000)).expect("open");
        assert!(own.transmit_to_vec().len() > 1000, "{version:?}");
    }
}

#[test]
fn what_needs_reserved_bits_is_not_offered_before_hybi_07() {
    for version in old() {
        let client = Client::builder()
            .version(version)
            .extensions(Extensions::all(Deflate::default()))
            .build();
        let handshake =
            client.expect("a client").handshake(&"ws://example.org/".parse().expect("a URI"));
        let request = String::from_utf8_lossy(handshake.request_bytes()).into_owned();
        let offered =
            request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
        let expected = (version >= Version::HYBI_04).then_some("deflate-stream");
        assert_eq!(offered, expected, "{version:?}");
    }
}

/// A mark needs nothing of the frames.
#[test]
fn a_connection_of_an_old_version_keeps_marks_where_extensions_are_negotiated() {
    let offer = hybi::extension::ExtensionOffer::new("x-mark").expect("a token");
    for version in old() {
        let agreed = vec![hybi::extension::Agreed::mark(offer.clone())];
        let negotiated = hybi::Negotiated::new(version, None, agreed.clone());
        let negotiated = negotiated.with_terms(crate::world::terms(version));
        let config = std::sync::Arc::new(hybi::Config::default());
        let own = hybi::Connection::new(hybi::Role::Server, negotiated, config);
        let kept = if version >= Version::HYBI_04 { &agreed[..] } else { &[] };
        assert_eq!(own.negotiated().extensions, kept, "{version:?}");
    }
}
