//! Messages that are written and read as they come, in each version that has fragments (RFC 6455 section 5.4).

use futures_util::{AsyncReadExt, future::join};
use hybi::{Config, Error, Message, MessageKind, Role, Unsupported, Version, WebSocket};

use crate::{
    support::{clock::Clock, link::Manners, tasks::run},
    world::{BYTE_BY_BYTE, Socket, connection, open, server},
};

/// One message of either kind, each way, in frames of 7 bytes and as they come.
fn converse(mut asking: Socket, mut answering: Socket, what: &str) {
    let texts = ["κόσμε 漢字 \u{10ffff}".repeat(20), String::new(), "a".repeat(7)];
    let write = async |socket: &mut Socket, kind, text: &str| {
        let mut writer = socket.send_writer(kind).expect("it has fragments").frame_size(7);
        for piece in text.as_bytes().chunks(5) {
            writer.write_all(piece).await.expect("open");
            writer.flush().await.expect("open");
        }
        writer.finish().await.expect("open");
    };
    let read = async |socket: &mut Socket, kind, text: &str| {
        let mut reader = socket.recv_reader().await.expect("open").expect("a message");
        assert_eq!(reader.kind(), kind, "{what}");
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.expect("open");
        assert_eq!(String::from_utf8(all).as_deref(), Ok(text), "{what}");
    };
    let kinds = [MessageKind::Text, MessageKind::Binary];
    let one = async {
        for text in &texts {
            for kind in kinds {
                write(&mut asking, kind, text).await;
                read(&mut asking, kind, text).await;
            }
        }
        asking.send("whole").await.expect("open");
        asking.recv().await.expect("open")
    };
    let other = async {
        for text in &texts {
            for kind in kinds {
                read(&mut answering, kind, text).await;
                write(&mut answering, kind, text).await;
            }
        }
        answering.send("whole").await.expect("open");
        answering.recv().await.expect("open")
    };
    let (asked, answered) = run(join(one, other), || {});
    let whole = Some(Message::from("whole"));
    assert_eq!((asked, answered), (whole.clone(), whole), "{what}");
}

fn with_fragments() -> impl Iterator<Item = Version> {
    // Its clients say the same as those of hybi-03, which is preferred then.
    Version::ALL.into_iter().filter(|version| {
        !matches!(*version, Version::HIXIE_75 | Version::HIXIE_76 | Version::HYBI_02)
    })
}

#[test]
fn every_version_with_fragments_has_them() {
    for version in with_fragments() {
        for manners in [Manners::PLAIN, BYTE_BY_BYTE] {
            let server = server([version]);
            let (asking, answering) = open(&crate::world::client(version), &server, manners);
            converse(asking.expect("open"), answering.expect("open"), &format!("{version:?}"));
        }
    }
}

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn every_extension_passes_them_on() {
    use hybi::{
        Deflate, Extensions,
        extension::{DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress},
    };

    let deflate = || Deflate::default().min_size(0);
    let all: [(&str, Extensions); 6] = [
        ("permessage-deflate", deflate().into()),
        (
            "without takeover",
            deflate().own_context_takeover(false).peer_context_takeover(false).into(),
        ),
        ("deflate-frame", DeflateFrame::new(deflate()).into()),
        ("perframe-compress", PerframeCompress::new(deflate()).into()),
        ("permessage-compress", PermessageCompress::new(deflate()).into()),
        ("deflate-stream", DeflateStream::new(deflate()).into()),
    ];
    let mut agreed = 0;
    for version in with_fragments() {
        for (name, extensions) in &all {
            let client = hybi::Client::builder().version(version).extensions(extensions.clone());
            let server = hybi::Server::builder().versions([version]);
            let server = server.extensions(extensions.clone()).build();
            let (asking, answering) =
                open(&client.build().expect("a client"), &server, Manners::PLAIN);
            let asking = asking.expect("open");
            agreed += asking.extensions().count();
            converse(asking, answering.expect("open"), &format!("{version:?} {name}"));
        }
    }
    // All of them from hybi-07 on, and before only what is over the whole stream.
    assert!(agreed > 10, "{agreed}");
}

#[test]
fn hixie_says_what_it_lacks() {
    for version in [Version::HIXIE_75, Version::HIXIE_76] {
        for role in [Role::Client, Role::Server] {
            for kind in [MessageKind::Text, MessageKind::Binary] {
                let (end, _far) = crate::support::link::link(Manners::PLAIN);
                let own = connection(role, version, Config::default());
                let mut socket = WebSocket::new(own, end, Clock::new().timer());
                let lacks = socket.send_writer(kind).map(drop).expect_err("it has none");
                let Error::Unsupported { what, version: spoken } = lacks else { panic!("{lacks}") };
                assert_eq!((what, spoken), (Unsupported::Fragments, version));
                assert!(!socket.capabilities().fragments);
                socket.try_send("it goes on").expect("open");
            }
        }
    }
}
