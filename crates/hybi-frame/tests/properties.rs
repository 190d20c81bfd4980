//! What holds for all messages: they come back as they were sent, however they are cut into frames
//! and chunks; and no stream of bytes does harm (RFC 6455 §5).

mod common;

use common::{Told, receive};
use hybi_frame::{
    CloseCode, CloseFrame, FrameDecoder, FrameHeader, FrameRules, Limits, MaskingKey, Opcode, Role,
    Rsv, Utf8Bytes, apply_mask, encode_frame,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn events() -> impl Strategy<Value = Told> {
    let control = || vec(any::<u8>(), 0..=125);
    prop_oneof![
        "\\PC{0,80}".prop_map(Told::Text),
        vec(any::<u8>(), 0..400).prop_map(Told::Binary),
        control().prop_map(Told::Ping),
        control().prop_map(Told::Pong),
        "[a-zä]{0,60}".prop_map(|reason| {
            Told::close(Some(CloseFrame::new(CloseCode::from(4000), reason).expect("fits")))
        }),
    ]
}

/// The stream of an event, a message as fragments that end at `cuts`.
fn encode(
    out: &mut Vec<u8>,
    event: &Told,
    cuts: &[usize],
    mut key: impl FnMut() -> Option<MaskingKey>,
) {
    let (mut opcode, mut rest) = (event.opcode(), event.payload());
    if opcode.is_data() {
        for cut in cuts {
            let (front, back) = rest.split_at(cut % (rest.len() + 1));
            encode_frame(out, false, Rsv::NONE, opcode, front, key());
            (opcode, rest) = (Opcode::Continuation, back);
        }
    }
    encode_frame(out, true, Rsv::NONE, opcode, rest, key());
}

proptest! {
    #[test]
    fn what_is_sent_is_received(
        sent in vec((events(), vec(any::<usize>(), 0..3)), 0..8),
        keys in any::<u32>(),
        chunk in 1_usize..600,
        client in any::<bool>(),
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let mut keys = keys;
        let mut wire = Vec::new();
        for (event, cuts) in &sent {
            encode(&mut wire, event, cuts, || {
                keys = keys.wrapping_mul(0x9e37_79b1).wrapping_add(1);
                role.masks_outgoing().then(|| MaskingKey::from_bytes(keys.to_be_bytes()))
            });
        }
        let (received, result) = receive(role.peer(), FrameRules::RFC6455, wire.chunks(chunk));
        prop_assert_eq!(result, Ok(()));
        prop_assert!(received.iter().eq(sent.iter().map(|(event, _)| event)));
    }

    #[test]
    fn a_control_frame_is_told_at_each_of_its_bytes_and_no_other_frame_is(
        sent in vec((events(), vec(any::<usize>(), 0..3)), 0..8),
        key in any::<[u8; 4]>(),
        client in any::<bool>(),
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        for (event, cuts) in &sent {
            let key = role.masks_outgoing().then_some(MaskingKey::from_bytes(key));
            encode(&mut wire, event, cuts, || key);
            let is_control = !matches!(event, Told::Text(_) | Told::Binary(_));
            expected.resize(wire.len(), is_control);
        }
        let rules = FrameRules::RFC6455;
        let mut decoder = FrameDecoder::new(role.peer(), rules, Limits::default());
        for (at, expected) in expected.into_iter().enumerate() {
            prop_assert_eq!(decoder.next_is_control(&wire[at..]), Some(expected));
            prop_assert_eq!(decoder.next_is_control(&[wire[at]]), Some(expected));
            let knows = !decoder.at_frame_boundary();
            prop_assert_eq!(decoder.next_is_control(b""), knows.then_some(expected));
            decoder.decode(&mut [wire[at]])?;
        }
        prop_assert_eq!(decoder.next_is_control(b""), None);
    }

    #[test]
    fn any_bytes_mean_the_same_in_any_chunks(
        bytes in vec(prop_oneof![
            any::<u8>(), 0x80_u8..0x8b, 0_u8..3, 0x80_u8..0x88, 0x7e_u8..0x80, 0_u8..2,
        ], 0..200),
        chunk in 1_usize..40,
        client in any::<bool>(),
    ) {
        let role = if client { Role::Client } else { Role::Server };
        for rules in [FrameRules::RFC6455, FrameRules::HYBI_08, FrameRules::HYBI_07] {
            let whole = receive(role, rules, [&bytes[..]]);
            prop_assert_eq!(&receive(role, rules, bytes.chunks(chunk)), &whole);
            prop_assert_eq!(&receive(role, rules, bytes.chunks(1)), &whole);
            if let Err(error) = whole.1 {
                prop_assert!(error.offset() <= bytes.len() as u64);
            }
        }
    }

    #[test]
    fn bytes_are_text_where_the_standard_library_says_so(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..70),
            "\\PC{0,40}".prop_map(String::into_bytes),
            ("[ -~]{0,40}", any::<u8>(), any::<usize>()).prop_map(|(text, byte, at)| {
                let mut bytes = text.into_bytes();
                bytes.insert(at % (bytes.len() + 1), byte);
                bytes
            }),
        ],
    ) {
        let text = Utf8Bytes::try_from(&bytes[..]);
        prop_assert_eq!(text.as_deref().ok(), str::from_utf8(&bytes).ok());
    }

    #[test]
    fn headers_come_back(
        fin in any::<bool>(),
        rsv in any::<u8>(),
        opcode in prop_oneof![0_u8..3, 8_u8..11],
        key in any::<Option<[u8; 4]>>(),
        len in (any::<u64>(), 0_u32..64).prop_map(|(len, shift)| len >> 1 >> shift),
    ) {
        let opcode = Opcode::from_bits(opcode).expect("defined");
        let (fin, payload_len) =
            if opcode.is_control() { (true, len % 126) } else { (fin, len) };
        let masking_key = key.map(MaskingKey::from_bytes);
        let header = FrameHeader { fin, rsv: Rsv::from_bits(rsv), opcode, masking_key, payload_len };
        let mut wire = Vec::new();
        header.encode(&mut wire);
        prop_assert_eq!(wire.len(), header.encoded_len());
        prop_assert_eq!(FrameHeader::parse(&wire), Ok(Some((header, wire.len()))));
        for short in 0..wire.len() {
            prop_assert_eq!(FrameHeader::parse(&wire[..short]), Ok(None));
        }
    }

    #[test]
    fn masking_twice_in_any_pieces_is_nothing(
        payload in vec(any::<u8>(), 0..500),
        key in any::<[u8; 4]>(),
        cut in any::<usize>(),
        offset in 0_u64..1 << 40,
    ) {
        let key = MaskingKey::from_bytes(key);
        let cut = cut % (payload.len() + 1);
        let mut masked = payload.clone();
        apply_mask(&mut masked, key, offset);
        apply_mask(&mut masked[..cut], key, offset);
        apply_mask(&mut masked[cut..], key, offset + cut as u64);
        prop_assert_eq!(masked, payload);
    }
}
