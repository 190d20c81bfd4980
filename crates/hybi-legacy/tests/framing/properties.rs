//! What holds for all messages: they come back as they were sent, in every version and however they are
//! cut into frames and chunks; and no stream of bytes does harm.

use hybi_frame::{CloseCode, CloseFrame, FrameHeader, Limits, MaskingKey, Opcode, Rsv};
use hybi_legacy::{FrameCodec, Role, Terms, Version};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use crate::receiver::{Told, VERSIONS, receive, terms};

fn events() -> impl Strategy<Value = Told> {
    let control = || vec(any::<u8>(), 0..=125);
    prop_oneof![
        "\\PC{0,80}".prop_map(Told::Text),
        vec(any::<u8>(), 0..400).prop_map(Told::Binary),
        control().prop_map(Told::Ping),
        control().prop_map(Told::Pong),
    ]
}

/// A close as the version has it.
fn close(version: Version, payload: Vec<u8>) -> Option<Told> {
    match version {
        Version::HIXIE_75 => None,
        Version::HIXIE_76 => Some(Told::Close(None, Vec::new())),
        Version::HYBI_06 => {
            let frame = CloseFrame::new(CloseCode::NORMAL, "done").expect("fits");
            let mut payload = Vec::new();
            frame.encode(&mut payload);
            Some(Told::Close(Some(frame), payload))
        }
        _ => Some(Told::Close(None, payload)),
    }
}

/// Appends an event, a message as fragments that end at `cuts`.
fn encode(codec: &mut FrameCodec, out: &mut Vec<u8>, event: &Told, cuts: &[usize], keys: &mut u32) {
    let mut frame = |fin, opcode, payload: &[u8]| {
        *keys = keys.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        let masking_key = codec.masks().then(|| MaskingKey::from_bytes(keys.to_be_bytes()));
        let payload_len = payload.len() as u64;
        let header = FrameHeader { fin, rsv: Rsv::NONE, opcode, masking_key, payload_len };
        codec.encode(out, &header, payload);
    };
    let mut opcode = event.opcode();
    let mut rest = event.payload();
    if opcode.is_data() {
        for cut in cuts {
            let (front, back) = rest.split_at(cut % (rest.len() + 1));
            frame(false, opcode, front);
            (opcode, rest) = (Opcode::Continuation, back);
        }
    }
    frame(true, opcode, rest);
}

proptest! {
    #[test]
    fn what_is_sent_is_received(
        sent in vec((events(), vec(any::<usize>(), 0..3)), 0..8),
        last in vec(any::<u8>(), 0..=125),
        keys in any::<u32>(),
        chunk in 1_usize..600,
        version in select(&VERSIONS[..]),
        role in select(&[Role::Client, Role::Server][..]),
    ) {
        let text_only = version <= Version::HIXIE_76;
        let mut keys = keys;
        let mut codec = FrameCodec::new(&terms(version), role, Limits::default());
        let mut wire = Vec::new();
        let mut expected = Vec::new();
        for (event, cuts) in sent {
            if text_only && !matches!(event, Told::Text(_)) {
                continue;
            }
            let cuts = if text_only { &[][..] } else { &cuts };
            encode(&mut codec, &mut wire, &event, cuts, &mut keys);
            expected.push(event);
        }
        if let Some(close) = close(version, last) {
            encode(&mut codec, &mut wire, &close, &[], &mut keys);
            expected.push(close);
        }
        let received =
            receive(&terms(version), role.peer(), Limits::default(), wire.chunks(chunk));
        prop_assert_eq!(received, (expected, Ok(())));
    }

    #[test]
    fn any_bytes_mean_the_same_in_any_chunks(
        bytes in vec(prop_oneof![
            any::<u8>(),
            0_u8..6,
            0x80_u8..0x86,
            select(&[0, 0xff, 0x7e, 0x7f, 0x80, 0x81][..]),
        ], 0..200),
        chunk in 1_usize..40,
        version in select(&VERSIONS[..]),
        role in select(&[Role::Client, Role::Server][..]),
        undecided in any::<bool>(),
        limit in select(&[10, 1 << 20][..]),
    ) {
        let mut terms = terms(version);
        if undecided {
            let other = if version == Version::HIXIE_76 { Version::HYBI_02 } else { Version::HIXIE_76 };
            terms = terms.or(other);
        }
        // Cut into frames with a key of zeros, so that garbage gets past the masks.
        let masked = role == Role::Server && version >= Version::HYBI_05;
        let bytes = if masked {
            bytes.chunks(7).flat_map(|frame| [&[0; 4], frame].concat()).collect()
        } else {
            bytes
        };
        assert_invariant(&terms, role, Limits::default().with_max_message(limit), &bytes, chunk)?;
    }
}

fn assert_invariant(
    terms: &Terms,
    role: Role,
    limits: Limits,
    bytes: &[u8],
    chunk: usize,
) -> Result<(), proptest::test_runner::TestCaseError> {
    let whole = receive(terms, role, limits, [bytes]);
    prop_assert_eq!(&receive(terms, role, limits, bytes.chunks(chunk)), &whole);
    prop_assert_eq!(&receive(terms, role, limits, bytes.chunks(1)), &whole);
    if let Err(error) = whole.1 {
        prop_assert!(error.offset() <= bytes.len() as u64);
    }
    Ok(())
}
