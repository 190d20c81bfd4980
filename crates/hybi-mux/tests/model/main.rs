//! A model of quota, slots and states: two endpoints with everything between them, in any order of steps, beside a
//! reference that only counts.

mod pair;
mod reference;

use hybi_mux::Revision;
use proptest::{collection::vec, prelude::*, sample::select};

use self::pair::{Pair, Step};

fn lens() -> impl Strategy<Value = usize> {
    select(vec![0, 1, 2, 50, 125, 126, 200, 256, 300, 1000, 9000])
}

fn steps() -> impl Strategy<Value = Step> {
    let end = || 0_usize..2;
    let at = || 0_usize..6;
    prop_oneof![
        4 => (0_u32..3).prop_map(|skip| Step::Open { skip: skip / 2 }),
        4 => at().prop_map(Step::Ask),
        4 => Just(Step::NextRequest),
        4 => at().prop_map(Step::Accept),
        1 => at().prop_map(Step::Refuse),
        16 => (end(), at(), lens(), any::<bool>(), any::<bool>())
            .prop_map(|(end, at, len, fin, rsv)| Step::Data { end, at, len, fin, rsv }),
        3 => (end(), at(), lens()).prop_map(|(end, at, len)| Step::Ping { end, at, len }),
        2 => (end(), at(), lens()).prop_map(|(end, at, len)| Step::Close { end, at, len }),
        12 => (end(), at(), lens()).prop_map(|(end, at, most)| Step::Read { end, at, most: most + 1 }),
        4 => (end(), at()).prop_map(|(end, at)| Step::IsFlushed { end, at }),
        1 => (end(), at()).prop_map(|(end, at)| Step::Drop { end, at }),
        2 => (end(), at()).prop_map(|(end, at)| Step::Release { end, at }),
        16 => end().prop_map(|end| Step::Send { end }),
        16 => end().prop_map(|end| Step::Deliver { end }),
        2 => (0_u64..300).prop_map(|millis| Step::Clock { millis }),
        6 => Just(Step::Pump),
    ]
}

/// What ends it all, rarely.
fn ends() -> impl Strategy<Value = Option<Step>> {
    let end = || 0_usize..2;
    prop_oneof![
        8 => Just(None),
        1 => Just(Some(Step::StopSlots)),
        1 => end().prop_map(|end| Some(Step::Fail { end })),
        1 => end().prop_map(|end| Some(Step::End { end })),
    ]
}

proptest! {
    #[test]
    fn two_ends_do_as_the_numbers_say(
        revision in select(vec![Revision::Ietf03, Revision::Ietf05, Revision::Ietf07]),
        window in select(vec![256_u64, 300, 1000, 65_536]),
        queue in select(vec![64_usize, 300, 65_536]),
        channels in 0_u32..5,
        before in vec(steps(), 0..150),
        end in ends(),
        behind in vec(steps(), 0..50),
    ) {
        let mut pair = Pair::new(revision, window, queue, channels);
        for step in before.into_iter().chain(end).chain(behind) {
            pair.take(step);
        }
        pair.come_to_an_end();
    }
}
