//! How large messages and frames may be, and how many frames a message may have (RFC 6455 section 10.4).

use hybi::{Config, Connection, Error, Message, Role, State, Version, frame::Violation};

use crate::support::versions::{connection, everyone, input, quiet};

const MESSAGE: usize = 1000;
const FRAME: usize = 300;
const FRAGMENTS: u32 = 10;

/// What a peer sends: so many bytes, in frames of so many at most.
#[derive(Clone, Copy, Debug)]
struct Sent {
    len: usize,
    frames_of: Option<usize>,
}

const fn whole(len: usize) -> Sent {
    Sent { len, frames_of: None }
}

const fn fragments(len: usize, frames_of: usize) -> Sent {
    Sent { len, frames_of: Some(frames_of) }
}

/// A limit, what is just within it, what is just beyond it, and the rule that this breaks.
struct Row {
    config: Config,
    within: Sent,
    beyond: Sent,
    broken: Violation,
}

const TOO_LARGE: Violation =
    Violation::MessageTooLarge { size: MESSAGE as u64 + 1, limit: MESSAGE };

fn frame_too_large(size: usize, limit: usize) -> Violation {
    Violation::FrameTooLarge { size: size as u64, limit: limit as u64 }
}

fn rows(version: Version) -> Vec<Row> {
    let message = || quiet().max_message(MESSAGE);
    let frame = || quiet().max_frame(FRAME as u64);
    let has_fragments = version > Version::HIXIE_76;
    let mut rows = vec![
        Row {
            config: message().max_frame(u64::MAX),
            within: whole(MESSAGE),
            beyond: whole(MESSAGE + 1),
            broken: TOO_LARGE,
        },
        // A frame may be as long as a message; that of hixie says how long it is when it ends.
        Row {
            config: message(),
            within: whole(MESSAGE),
            beyond: whole(MESSAGE + 1),
            broken: if has_fragments { frame_too_large(MESSAGE + 1, MESSAGE) } else { TOO_LARGE },
        },
        Row {
            config: frame(),
            within: whole(FRAME),
            beyond: whole(FRAME + 1),
            broken: frame_too_large(FRAME + 1, FRAME),
        },
    ];
    if has_fragments {
        rows.extend([
            Row {
                config: message(),
                within: fragments(MESSAGE, 250),
                beyond: fragments(MESSAGE + 1, 250),
                broken: TOO_LARGE,
            },
            Row {
                config: frame(),
                within: fragments(5 * FRAME, FRAME),
                beyond: fragments(5 * FRAME, FRAME + 1),
                broken: frame_too_large(FRAME + 1, FRAME),
            },
            // The first frame, and so many that go on.
            Row {
                config: quiet().max_fragments(FRAGMENTS),
                within: fragments(FRAGMENTS as usize + 1, 1),
                beyond: fragments(FRAGMENTS as usize + 2, 1),
                broken: Violation::TooManyFragments { limit: FRAGMENTS },
            },
        ]);
    }
    rows
}

/// The messages that a peer may send, as its version allows.
fn messages(version: Version, len: usize) -> Vec<Message> {
    let text = Message::text("x".repeat(len));
    if version < Version::HYBI_01 { vec![text] } else { vec![text, Message::from(vec![0xff; len])] }
}

/// The frames of a message, as the peer of an endpoint in `role` sends them.
fn wire(role: Role, version: Version, message: &Message, frames_of: Option<usize>) -> Vec<u8> {
    let mut peer = connection(role.peer(), version, quiet().fragment_size(frames_of));
    peer.queue(message.clone()).expect("open");
    peer.transmit_to_vec()
}

/// The number that a version has for what is too large; `None` where Close frames have no codes.
fn code(version: Version) -> Option<u16> {
    match version {
        Version::RFC6455 => Some(1009),
        Version::HYBI_06 | Version::HYBI_07 | Version::HYBI_08 => Some(1004),
        _ => None,
    }
}

/// What the peer of a connection that failed is told: the code of its version and the limit in words.
fn check_told(own: &mut Connection, role: Role, version: Version, broken: Violation) {
    let last = own.transmit_to_vec();
    if version == Version::HIXIE_75 {
        assert!(
            last.is_empty() && own.wants_shutdown(),
            "the end of the transport is all there is"
        );
        return;
    }
    let mut peer = connection(role.peer(), version, quiet());
    let [Message::Close(frame)] = &input(&mut peer, &last)[..] else { panic!("{last:x?}") };
    let told = frame.as_ref().map(|frame| (frame.code().as_u16(), frame.reason().to_string()));
    assert_eq!(told, code(version).map(|code| (code, broken.to_string())));
}

#[test]
fn what_is_received_is_limited_in_frames_and_messages() {
    for (role, version) in everyone() {
        for (at, Row { config, within, beyond, broken }) in rows(version).into_iter().enumerate() {
            let row = format!("{role:?} {version:?}, row {at}");
            for message in messages(version, within.len) {
                let wire = wire(role, version, &message, within.frames_of);
                for step in [wire.len(), 1, 7] {
                    let mut own = connection(role, version, config.clone());
                    // Each message has the limit for itself.
                    for _ in 0..2 {
                        let cut = wire.chunks(step).flat_map(|chunk| input(&mut own, chunk));
                        let events: Vec<_> = cut.collect();
                        assert_eq!(
                            events,
                            core::slice::from_ref(&message),
                            "{row}: {:?}",
                            own.error()
                        );
                    }
                }
            }
            for message in messages(version, beyond.len) {
                let wire = wire(role, version, &message, beyond.frames_of);
                for step in [wire.len(), 1, 7] {
                    let mut own = connection(role, version, config.clone());
                    let mut cut = wire.chunks(step).flat_map(|chunk| input(&mut own, chunk));
                    assert_eq!(cut.next(), None, "{row}");
                    drop(cut);
                    let Some(Error::Protocol(error)) = own.error() else {
                        panic!("{row}: {:?}", own.error());
                    };
                    assert_eq!(error.violation(), broken, "{row} in pieces of {step}");
                    assert_eq!(own.state(), State::Closing, "{row}");
                    check_told(&mut own, role, version, broken);
                }
            }
        }
    }
}

#[test]
fn every_limit_is_on_by_default() {
    let limits = Config::default().limits();
    let mebibytes = 16 * 1024 * 1024;
    assert_eq!((limits.max_message(), limits.max_frame()), (mebibytes, mebibytes as u64));
    assert_eq!(limits.max_fragments(), 65_536);
}

/// A header tells that a frame is too large: nothing of its payload is waited for.
#[test]
fn a_frame_beyond_the_limit_fails_at_its_header() {
    for (role, version) in everyone().filter(|(_, version)| *version > Version::HIXIE_76) {
        for message in messages(version, FRAME + 1) {
            let wire = wire(role, version, &message, None);
            let mut own = connection(role, version, quiet().max_frame(FRAME as u64));
            let header = wire.len() - (FRAME + 1);
            assert_eq!(input(&mut own, &wire[..header - 1]), []);
            // The key of a frame of RFC 6455 stands behind the length and says nothing about it.
            let masks_behind = role == Role::Server && version >= Version::HYBI_07;
            assert_eq!(own.error().is_some(), masks_behind, "{role:?} {version:?}");
            assert_eq!(input(&mut own, &wire[header - 1..header]), []);
            assert!(own.error().is_some(), "{role:?} {version:?}");
        }
    }
}
