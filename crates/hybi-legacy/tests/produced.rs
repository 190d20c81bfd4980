//! Each error that the versions before hybi-07 alone have, as a peer's bytes or a caller's call produces it.

use hybi_frame::{Limits, Violation};
use hybi_handshake::{
    ClientRequest, FieldError, HandshakeError, HeadLimits, ServerHandshake, ServerPolicy,
};
use hybi_legacy::{ClientHandshake, FieldOrder, FrameCodec, Role, Terms, Version, check};
use hybi_suite::produced;

#[test]
fn by_peers() {
    let rsv4 = || {
        let terms = Terms::new(Version::HYBI_01).expect("no key");
        let mut codec = FrameCodec::new(&terms, Role::Server, Limits::default());
        codec.decode(&mut [0x04, 0x80]).expect_err("a reserved bit").violation()
    };
    let keys = || {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
            Origin: http://a\r\nSec-WebSocket-Key1: no digit\r\nSec-WebSocket-Key2: 1 0\r\n\r\n";
        let mut server = ServerHandshake::new(HeadLimits::default());
        let (_, request) = server.handle_input(request).expect("a head");
        let policy = ServerPolicy::new().with_versions([Version::HIXIE_76]);
        check(&policy, &request.expect("whole"), FieldOrder::Any).expect_err("a refusal")
    };
    produced! {
        Violation::Draft(_) => rsv4(),
        HandshakeError::Draft(_) => keys(),
    }
}

#[test]
fn by_callers() {
    let request = ClientRequest::new("ws://example.org/".parse().expect("a URI"));
    let asked = ClientHandshake::new(&request, &mut |_| {}, HeadLimits::default());
    produced! {
        FieldError::UnsupportedVersion { requested: Version::RFC6455 } => {
            asked.expect_err("the version of another crate")
        },
    }
}
