//! What two endpoints may send each other: whatever they do, no quota is passed, and none is lost.

use hybi_frame::{Opcode, Rsv};
use hybi_mux::{
    ChannelId, FrameSequence, LogicalFrame, Piece, ReceiveQuota, Revision, SendQuota, Slots,
};
use proptest::prelude::*;

proptest! {
    /// One endpoint sends messages in fragments, the other consumes now and then: all of them arrive, and nothing is
    /// held beyond the window.
    #[test]
    fn everything_is_sent_within_the_quota(
        window in 2_u64..200,
        messages in proptest::collection::vec(0_u64..500, 1..10),
        consumes in proptest::collection::vec(0_u64..100, 1..20),
        ietf_07 in any::<bool>(),
    ) {
        let revision = if ietf_07 { Revision::Ietf07 } else { Revision::Ietf05 };
        let mut sender = SendQuota::new(revision, window);
        let mut receiver = ReceiveQuota::new(window);
        let (mut held, mut turns) = (0, 0);
        let mut consumes = consumes.into_iter().cycle();
        for len in messages {
            let (mut rest, mut begins) = (len, true);
            loop {
                turns += 1;
                prop_assert!(turns < 1_000_000, "it goes on");
                if let Some(part) = sender.room(begins, rest) {
                    prop_assert!(part > 0 || rest == 0, "no frame is empty for nothing");
                    sender.spend(begins, part);
                    let cost = revision.cost(begins, part);
                    receiver.take(cost).expect("within what was granted");
                    held += cost;
                    rest -= part;
                    begins = false;
                    if rest == 0 {
                        break;
                    }
                } else {
                    // The application takes some, and in the end all that there is.
                    let some = consumes.next().unwrap_or(0).max(u64::from(turns % 3 == 0)).min(held);
                    receiver.consume(some);
                    held -= some;
                    if let Some(grant) = receiver.to_grant() {
                        sender.grant(grant).expect("no more than the window");
                    }
                }
                prop_assert!(held <= window);
                prop_assert_eq!(sender.left(), receiver.left());
            }
        }
    }

    #[test]
    fn slots_come_in_the_order_in_which_they_were_granted(
        grants in proptest::collection::vec((0_u64..4, 0_u64..3), 0..30),
    ) {
        let mut slots = Slots::default();
        let mut expected = Vec::new();
        for (count, quota) in grants {
            slots.grant(count, quota).expect("few");
            expected.extend((0..count).map(|_| quota));
        }
        prop_assert_eq!(slots.left(), expected.len() as u64);
        let taken: Vec<_> = core::iter::from_fn(|| slots.take()).collect();
        prop_assert_eq!(taken, expected);
        prop_assert_eq!(slots.left(), 0);
    }

    /// Messages in fragments, with control frames in fragments between: what comes out is as lawful as RFC 6455 wants.
    #[test]
    fn control_frames_are_put_together(
        fragments in proptest::collection::vec((0_usize..4, 0_usize..40), 1..6),
        controls in proptest::collection::vec(proptest::collection::vec(0_usize..40, 1..4), 6),
    ) {
        let mut sequence = FrameSequence::default();
        let frame = |opcode, fin, payload| {
            let channel = ChannelId::FIRST;
            LogicalFrame { channel, fin, rsv: Rsv::NONE, opcode, payload }
        };
        let octets = [7; 40];
        let last = fragments.len() - 1;
        for (at, (between, len)) in fragments.into_iter().enumerate() {
            let opcode = if at == 0 { Opcode::Binary } else { Opcode::Continuation };
            let sent = frame(opcode, at == last, &octets[..len]);
            prop_assert_eq!(sequence.push(sent), Ok(Some(Piece::Data(sent))));
            for parts in &controls[..between] {
                let whole: usize = parts.iter().sum();
                for (part, len) in parts.iter().enumerate() {
                    let opcode = if part == 0 { Opcode::Ping } else { Opcode::Continuation };
                    let fin = part + 1 == parts.len();
                    let got = sequence.push(frame(opcode, fin, &octets[..*len]));
                    let payload = vec![7; whole];
                    let rsv = Rsv::NONE;
                    let ping = Piece::Control { opcode: Opcode::Ping, rsv, payload: &payload };
                    prop_assert_eq!(got, Ok(fin.then_some(ping)));
                }
            }
        }
    }
}

/// What is granted of a window of 10 when so much came and so much of it was consumed.
fn granted(came: u64, consumed: u64) -> Option<u64> {
    let mut quota = ReceiveQuota::new(10);
    quota.take(came).expect("within the window");
    quota.consume(consumed);
    quota.to_grant()
}

#[test]
fn half_a_window_is_worth_a_grant_or_all_there_is_where_nothing_is_left() {
    assert_eq!([granted(0, 0), granted(1, 0), granted(10, 0)], [None; 3]);
    assert_eq!([granted(4, 4), granted(9, 4), granted(9, 1)], [None; 3]);
    assert_eq!([granted(5, 5), granted(6, 6), granted(9, 5)], [Some(5), Some(6), Some(5)]);
    assert_eq!([granted(10, 1), granted(10, 4), granted(10, 10)], [Some(1), Some(4), Some(10)]);
    // It counts as granted.
    let mut quota = ReceiveQuota::new(10);
    quota.take(7).expect("within the window");
    quota.consume(6);
    assert_eq!((quota.to_grant(), quota.left(), quota.to_grant()), (Some(6), 9, None));
}
