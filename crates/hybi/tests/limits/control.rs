//! Control frames have at most 125 bytes, and so a close reason 123, in both directions (RFC 6455 sections
//! 5.5 and 5.5.1).

use hybi::{
    CloseCode, CloseFrame, Error, Message, Role, State, Version,
    frame::{CloseFrameError, MaskingKey, Rsv, Violation},
    legacy::FrameCodec,
};
use hybi_frame::{FrameHeader, Limits, Opcode, encode_frame};

use crate::support::versions::{connection, input, quiet, terms, who_pings};

const CONTROL: usize = 125;
const REASON: usize = 123;

/// A frame as the peer of an endpoint in `role` sends it, lawful or not.
fn frame(role: Role, version: Version, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let sender = role.peer();
    let masking_key = sender.masks_outgoing().then(|| MaskingKey::from_bytes([1, 2, 3, 4]));
    let mut wire = Vec::new();
    if version >= Version::HYBI_07 {
        encode_frame(&mut wire, true, Rsv::NONE, opcode, payload, masking_key);
    } else {
        let (fin, rsv, payload_len) = (true, Rsv::NONE, payload.len() as u64);
        let header = FrameHeader { fin, rsv, opcode, masking_key, payload_len };
        FrameCodec::new(&terms(version), sender, Limits::default())
            .encode(&mut wire, &header, payload);
    }
    wire
}

#[test]
fn a_ping_or_pong_that_comes_has_125_bytes_at_most() {
    for (role, version) in who_pings() {
        for opcode in [Opcode::Ping, Opcode::Pong] {
            let event = if opcode == Opcode::Ping { Message::Ping } else { Message::Pong };
            for step in [usize::MAX, 1, 7] {
                let what = format!("{role:?} {version:?} {opcode} in pieces of {step}");
                // However small the limits of messages are.
                let mut own = connection(role, version, quiet().max_message(1).max_frame(1));
                let payload = vec![b'p'; CONTROL];
                let wire = frame(role, version, opcode, &payload);
                let pieces = wire.chunks(step.min(wire.len()));
                let events: Vec<_> = pieces.flat_map(|chunk| input(&mut own, chunk)).collect();
                assert_eq!(events, [event(payload.into())], "{what}: {:?}", own.error());

                let wire = frame(role, version, opcode, &[b'p'; CONTROL + 1]);
                let pieces = wire.chunks(step.min(wire.len()));
                let events: Vec<_> = pieces.flat_map(|chunk| input(&mut own, chunk)).collect();
                assert_eq!(events, [], "{what}");
                let Some(Error::Protocol(error)) = own.error() else {
                    panic!("{what}: {:?}", own.error());
                };
                assert_eq!(error.violation(), Violation::ControlTooLong(opcode), "{what}");
                assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR, "{what}");
            }
        }
    }
}

#[test]
fn a_close_frame_that_comes_has_125_bytes_at_most() {
    for (role, version) in who_pings() {
        let mut payload = 1000_u16.to_be_bytes().to_vec();
        payload.resize(CONTROL, b'r');
        let mut own = connection(role, version, quiet());
        let events = input(&mut own, &frame(role, version, Opcode::Close, &payload));
        let [Message::Close(told)] = &events[..] else { panic!("{role:?} {version:?} {events:?}") };
        // hybi-06 is the first with a code and a reason.
        let reason = told.as_ref().map(|close| close.reason().len());
        assert_eq!(reason, (version >= Version::HYBI_06).then_some(REASON), "{version:?}");
        assert!(own.error().is_none(), "{role:?} {version:?}");

        payload.push(b'r');
        let mut own = connection(role, version, quiet());
        let events = input(&mut own, &frame(role, version, Opcode::Close, &payload));
        assert_eq!(events, [], "{role:?} {version:?}");
        let Some(Error::Protocol(error)) = own.error() else { panic!("{role:?} {version:?}") };
        assert_eq!(error.violation(), Violation::ControlTooLong(Opcode::Close));
    }
}

#[test]
fn a_ping_or_pong_that_is_sent_has_125_bytes_at_most() {
    for (role, version) in who_pings() {
        for event in [Message::Ping, Message::Pong] {
            let mut own = connection(role, version, quiet());
            let mut peer = connection(role.peer(), version, quiet());
            let longest = event(vec![b'p'; CONTROL].into());
            own.queue(longest.clone()).expect("it fits");
            assert_eq!(input(&mut peer, &own.transmit_to_vec()), [longest], "{role:?} {version:?}");

            let longer = event(vec![b'p'; CONTROL + 1].into());
            let refused = own.queue(longer.clone()).expect_err("one byte too many");
            assert!(matches!(refused.error(), Error::ControlTooLong { len: 126 }), "{refused}");
            assert_eq!(refused.into_message(), Some(longer), "{role:?} {version:?}");
            assert_eq!((own.queued_bytes(), own.state()), (0, State::Open));
        }
    }
}

#[test]
fn a_close_reason_that_is_sent_has_123_bytes_at_most() {
    for (role, version) in who_pings().filter(|(_, version)| *version >= Version::HYBI_06) {
        let mut own = connection(role, version, quiet());
        let close = |len: usize| {
            CloseFrame::for_version(own.rules(), role, CloseCode::NORMAL, "r".repeat(len))
        };
        assert_eq!(close(REASON + 1), Err(CloseFrameError::Reason { len: REASON + 1 }));
        let longest = Message::Close(Some(close(REASON).expect("it fits")));
        own.queue(longest.clone()).expect("open");
        let mut peer = connection(role.peer(), version, quiet());
        assert_eq!(input(&mut peer, &own.transmit_to_vec()), [longest], "{role:?} {version:?}");
    }
}
