//! What is written is read as it was, and what is read has no other form.

use hybi_frame::{Opcode, Rsv};
use hybi_mux::{
    CannotEncode, ChannelId, ControlBlock, DropCode, DropReason, HandshakeEncoding, LogicalFrame,
    MuxMessage, Revision,
    fragments::{google, ietf_01},
};
use proptest::prelude::*;

const REVISIONS: [Revision; 3] = [Revision::Ietf03, Revision::Ietf05, Revision::Ietf07];

/// A block without what it borrows.
type Made = (u8, ChannelId, bool, u64, u64, Vec<u8>, Option<(u16, String)>);

fn channels() -> impl Strategy<Value = ChannelId> {
    (0_u32..29, any::<u32>()).prop_map(|(bits, number)| {
        ChannelId::new(number & ((1 << (bits + 1)) - 1)).expect("29 bits at most")
    })
}

fn numbers() -> impl Strategy<Value = u64> {
    (0_u32..63, any::<u64>()).prop_map(|(bits, number)| number >> (63 - bits))
}

fn made() -> impl Strategy<Value = Made> {
    let handshake = proptest::collection::vec(any::<u8>(), 0..300);
    let reason = proptest::option::of((any::<u16>(), ".{0,40}"));
    (0_u8..5, channels(), any::<bool>(), numbers(), numbers(), handshake, reason)
}

fn block(made: &Made, revision: Revision) -> ControlBlock<'_> {
    let (kind, channel, flag, slots, quota, handshake, reason) = made;
    let (channel, quota) = (*channel, *quota);
    let encoding = if *flag { HandshakeEncoding::Delta } else { HandshakeEncoding::Identity };
    match kind {
        0 => ControlBlock::AddChannelRequest { channel, encoding, handshake },
        1 => {
            let is_rejected = *slots % 2 == 0;
            ControlBlock::AddChannelResponse { channel, is_rejected, encoding, handshake }
        }
        2 => ControlBlock::FlowControl { channel, quota },
        3 => {
            let reason = match reason {
                None => DropReason::None,
                Some((_, text)) if revision == Revision::Ietf03 => DropReason::MuxError(text),
                Some((code, text)) => DropReason::Code(DropCode::new(*code), text),
            };
            ControlBlock::DropChannel { channel, reason }
        }
        _ => ControlBlock::NewChannelSlot { slots: *slots, quota, is_fallback: false },
    }
}

proptest! {
    #[test]
    fn blocks_are_read_as_they_were_written(all in proptest::collection::vec(made(), 0..5)) {
        for revision in REVISIONS {
            let mut message = vec![0];
            let mut written = Vec::new();
            for made in &all {
                let block = block(made, revision);
                let before = message.len();
                match block.encode(revision, &mut message) {
                    Ok(()) => written.push(Ok(block)),
                    Err(CannotEncode::Number(number)) => {
                        prop_assert!(revision == Revision::Ietf03 && number > u32::MAX.into());
                        prop_assert_eq!(message.len(), before);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            let MuxMessage::Control(blocks) = MuxMessage::parse(&message, revision)? else { panic!() };
            prop_assert_eq!(blocks.collect::<Vec<_>>(), written);
        }
    }

    #[test]
    fn whatever_is_read_has_no_other_form(message in proptest::collection::vec(any::<u8>(), 0..40)) {
        for revision in REVISIONS {
            match MuxMessage::parse(&message, revision) {
                Err(error) => prop_assert!(error.offset() <= message.len()),
                Ok(MuxMessage::Frame(frame)) => {
                    let mut again = Vec::new();
                    frame.encode(&mut again);
                    prop_assert_eq!(&again, &message);
                }
                Ok(MuxMessage::Control(blocks)) => {
                    let mut again = vec![0];
                    for block in blocks {
                        match block {
                            Ok(block) => block.encode(revision, &mut again)?,
                            Err(error) => {
                                prop_assert!(error.offset() <= message.len());
                                break;
                            }
                        }
                    }
                    if revision != Revision::Ietf03 {
                        prop_assert!(message.starts_with(&again));
                    }
                }
            }
        }
        // What is known in part breaks nothing either.
        let _ = ietf_01::data(&message);
        if let Ok((block, len)) = ietf_01::Block::decode(&message) {
            prop_assert!(len <= message.len());
            let mut again = Vec::new();
            prop_assert!(block.encode(&mut again));
            prop_assert_eq!(ietf_01::Block::decode(&again).map(|(block, _)| block), Ok(block));
        }
        if let Ok((block, len)) = google::Block::decode(&message) {
            prop_assert!(len <= message.len());
            let mut again = Vec::new();
            prop_assert!(block.encode(&mut again));
            prop_assert_eq!(google::Block::decode(&again).map(|(block, _)| block), Ok(block));
        }
    }

    #[test]
    fn frames_are_read_as_they_were_written(
        number in 1_u32..1 << 29,
        first in any::<u8>(),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let channel = ChannelId::new(number).expect("29 bits");
        let opcodes = [0, 1, 2, 8, 9, 10].map(|bits| Opcode::from_bits(bits).expect("an opcode"));
        let opcode = opcodes[usize::from(first) % opcodes.len()];
        let (fin, rsv) = (first & 0x80 != 0, Rsv::from_bits(first));
        let frame = LogicalFrame { channel, fin, rsv, opcode, payload: &payload };
        let mut message = Vec::new();
        frame.encode(&mut message);
        let MuxMessage::Frame(found) = MuxMessage::parse(&message, Revision::Ietf07)? else { panic!() };
        prop_assert_eq!(found, frame);
        let begins = u64::from(opcode != Opcode::Continuation);
        prop_assert_eq!(frame.cost(Revision::Ietf07), payload.len() as u64 + begins);
        prop_assert_eq!(frame.cost(Revision::Ietf05), payload.len() as u64);
    }
}
