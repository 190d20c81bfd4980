//! What a proxy forwards: how one connection ended, told on another one of any version.

use hybi::{CloseCode, CloseFrame, CloseStatus, Config, Connection, Message, Role, Version};

use crate::world::{connection, input};

fn of(version: Version, role: Role) -> Connection {
    connection(role, version, Config::default())
}

fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// How a connection ended on which an endpoint in `role` received this; `None` if its version cannot
/// send it.
fn ended(version: Version, role: Role, close: Option<(u16, &str)>) -> Option<CloseStatus> {
    let (mut own, mut peer) = (of(version, role), of(version, other(role)));
    let frame = match close {
        Some((code, reason)) => {
            let rules = peer.rules();
            Some(CloseFrame::for_version(rules, other(role), code.into(), reason).ok()?)
        }
        None => None,
    };
    peer.queue(Message::Close(frame)).ok()?;
    input(&mut own, &peer.transmit_to_vec());
    if peer.wants_shutdown() {
        own.handle_eof();
    }
    own.close_status()
}

/// What the peer of an endpoint in `role` learns when that forwards `status`.
fn learns(version: Version, role: Role, status: &CloseStatus) -> (u16, String) {
    let (mut own, mut peer) = (of(version, role), of(version, other(role)));
    own.forward_close(status);
    input(&mut peer, &own.transmit_to_vec());
    if own.wants_shutdown() {
        peer.handle_eof();
    }
    let learnt = peer.close_status().expect("a Close frame, or the end that stands for it");
    assert!(peer.error().is_none(), "{version:?} {role:?} {status:?}: {peer:?}");
    (learnt.code().as_u16(), learnt.reason().to_owned())
}

const LOST: &str = "the connection behind this one was lost";

/// What is learnt in version 13, in hybi-08, and in hybi-06 and 07.
const FORWARDED: [(u16, [u16; 3]); 12] = [
    (1000, [1000, 1000, 1000]),
    (1001, [1001, 1001, 1001]),
    (1002, [1002, 1002, 1002]),
    (1003, [1003, 1003, 1003]),
    (1004, [1009, 1004, 1004]),
    (1007, [1007, 1007, 1001]),
    (1008, [1008, 1001, 1001]),
    (1009, [1009, 1004, 1004]),
    (1011, [1011, 1001, 1001]),
    (1013, [1013, 1001, 1001]),
    (3000, [3000, 3000, 3000]),
    (4999, [4999, 4999, 4999]),
];

fn column(version: Version) -> usize {
    match version {
        Version::RFC6455 => 0,
        Version::HYBI_08 => 1,
        _ => 2,
    }
}

#[test]
fn each_code_is_forwarded_to_each_version_as_the_nearest_it_has() {
    let mut forwarded = 0;
    for from in Version::ALL {
        for (code, there) in FORWARDED {
            for role in [Role::Client, Role::Server] {
                let Some(status) = ended(from, role, Some((code, "a reason"))) else { continue };
                for to in Version::ALL {
                    forwarded += 1;
                    let expected = if to < Version::HYBI_06 || from < Version::HYBI_06 {
                        (CloseCode::NO_STATUS.as_u16(), "")
                    } else {
                        (there[column(to)], "a reason")
                    };
                    let (code, reason) = learns(to, other(role), &status);
                    assert_eq!((code, &*reason), expected, "{from:?} to {to:?}, {status:?}");
                }
            }
        }
    }
    // To each of eleven, what each of them can end with in each role.
    assert_eq!(forwarded, 11 * 66);
}

#[test]
fn a_close_without_a_code_and_a_lost_connection_are_forwarded_to_each_version() {
    for from in Version::ALL {
        for role in [Role::Client, Role::Server] {
            let empty = ended(from, role, None).expect("each version can");
            let mut own = of(from, role);
            own.handle_transport_error(std::io::ErrorKind::ConnectionReset.into());
            let lost = own.close_status().expect("it is over").clone();
            assert_eq!(lost.code(), CloseCode::ABNORMAL);
            for to in Version::ALL {
                let what = format!("{from:?} to {to:?}, {role:?}");
                assert_eq!(learns(to, other(role), &empty), (1005, String::new()), "{what}");
                let learnt = learns(to, other(role), &lost);
                let expected = match to {
                    to if to < Version::HYBI_06 => (1005, ""),
                    Version::RFC6455 => (1011, LOST),
                    _ => (1001, LOST),
                };
                assert_eq!((learnt.0, &*learnt.1), expected, "{what}");
            }
        }
    }
}

/// 1010 is a client's code: a proxy, server to its other side, has to say something else.
#[test]
fn a_code_of_the_other_role_is_forwarded_as_the_nearest() {
    let status = ended(Version::RFC6455, Role::Server, Some((1010, "mux"))).expect("a client's");
    assert_eq!(learns(Version::RFC6455, Role::Client, &status).0, 1010);
    assert_eq!(learns(Version::RFC6455, Role::Server, &status), (1011, "mux".into()));
}

#[test]
fn what_has_begun_to_close_is_not_closed_again() {
    let status = ended(Version::RFC6455, Role::Client, Some((4000, ""))).expect("a code");
    let mut own = of(Version::RFC6455, Role::Server);
    own.queue(Message::Close(None)).expect("open");
    own.forward_close(&status);
    assert_eq!(own.transmit_to_vec(), b"\x88\0");
}
