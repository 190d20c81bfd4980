//! A model of how connections end: two of them, or one and a stranger, and all that can happen in every
//! order, explored to the last state (RFC 6455 section 7).
//!
//! What is explored is the code itself: an [`explore::World`] has real connections, and its actions are what
//! their applications, their transports and their clocks may do. Whatever they do, the [`promises`] hold.
//! How many states there are is known, so that an exploration which does not come far does not pass.

mod end;
mod explore;
mod family;
mod pair;
mod promises;
mod stranger;
mod wire;

use core::time::Duration;
use std::{collections::BTreeSet, env, time::Instant};

use hybi_frame::{Closing, Role};

use self::{
    end::{Manners, With},
    explore::{Cell, Explored, explore},
    family::{Family, families},
    pair::Pair,
    stranger::Stranger,
};

/// Closes, and says nothing before.
const SILENT: Manners = Manners { messages: 0, close: Some(With::Code) };
/// Only answers.
const MUTE: Manners = Manners { messages: 0, close: None };
const TALKS: Manners = Manners { messages: 1, ..SILENT };
/// Closes without a code.
const CURT: Manners = Manners { close: Some(With::Nothing), ..TALKS };

/// States, steps and orders for each closing family, oldest first, where they are known.
type Counts = Option<[(usize, usize, u128); 7]>;

/// Both may say something, and close with a code and without.
const IN_ORDER: (pair::Bounds, Counts) = (
    pair::Bounds { client: TALKS, server: CURT, faults: 0, halves: false },
    Some([
        (4_258, 12_274, 172_202_970),
        (18_333, 55_400, 13_531_665_114),
        (16_789, 50_168, 11_175_630_961),
        (16_789, 50_168, 11_175_630_961),
        (16_789, 50_168, 11_175_630_961),
        (17_021, 50_608, 11_175_630_961),
        (17_021, 50_608, 11_175_630_961),
    ]),
);

/// The link breaks once, in any way.
const BROKEN: (pair::Bounds, Counts) = (
    pair::Bounds { client: SILENT, server: SILENT, faults: 1, halves: false },
    Some([
        (2_360, 7_476, 292_424),
        (24_721, 88_887, 190_620_520),
        (22_146, 78_438, 166_340_612),
        (22_146, 78_438, 166_340_612),
        (22_146, 78_438, 166_340_612),
        (22_412, 79_047, 166_444_624),
        (22_412, 79_047, 166_444_624),
    ]),
);

/// Bytes leave and arrive by halves as well, and the server only answers.
const IN_HALVES: (pair::Bounds, Counts) = (
    pair::Bounds { client: SILENT, server: MUTE, faults: 0, halves: true },
    Some([
        (73, 150, 192),
        (6_343, 20_358, 16_021_480),
        (5_419, 17_258, 15_467_440),
        (5_419, 17_258, 15_467_440),
        (6_213, 20_278, 62_843_784),
        (6_693, 22_296, 84_518_000),
        (6_693, 22_296, 84_518_000),
    ]),
);

const DEEP_PAIRS: [(pair::Bounds, Counts); 3] = [
    (pair::Bounds { client: TALKS, server: CURT, faults: 1, halves: false }, None),
    (pair::Bounds { client: SILENT, server: SILENT, faults: 0, halves: true }, None),
    (
        pair::Bounds {
            client: TALKS,
            server: Manners { messages: 2, ..CURT },
            faults: 0,
            halves: false,
        },
        None,
    ),
];

/// A stranger sends two frames before a client, and before a server.
const TWO_FRAMES: (stranger::Bounds, [Counts; 2]) = (
    stranger::Bounds { own: SILENT, frames: 2, faults: 0, halves: false },
    [
        Some([
            (183, 404, 2_242),
            (1_248, 3_165, 56_277),
            (7_276, 18_686, 393_455),
            (7_554, 19_395, 452_349),
            (7_276, 18_686, 393_455),
            (7_276, 18_686, 393_455),
            (7_276, 18_686, 393_455),
        ]),
        Some([
            (183, 404, 2_242),
            (1_248, 3_165, 56_277),
            (7_766, 19_972, 438_349),
            (7_989, 20_534, 487_046),
            (7_766, 19_972, 438_349),
            (7_766, 19_972, 438_349),
            (7_766, 19_972, 438_349),
        ]),
    ],
);

/// It sends one, and bytes leave and arrive by halves as well.
const ONE_IN_HALVES: (stranger::Bounds, [Counts; 2]) = (
    stranger::Bounds { own: SILENT, frames: 1, faults: 0, halves: true },
    [
        Some([
            (158, 331, 1_481),
            (1_124, 2_676, 85_667),
            (3_174, 7_528, 239_779),
            (3_318, 7_876, 273_907),
            (3_094, 7_376, 239_779),
            (3_218, 7_618, 239_779),
            (3_218, 7_618, 239_779),
        ]),
        Some([
            (158, 331, 1_481),
            (1_124, 2_676, 85_667),
            (3_334, 7_880, 252_055),
            (3_458, 8_184, 280_738),
            (3_208, 7_545, 249_832),
            (3_296, 7_725, 249_832),
            (3_378, 7_970, 252_055),
        ]),
    ],
);

/// It sends one, and turns away, resets the transport or leaves without a goodbye.
const ONE_FAULT: (stranger::Bounds, [Counts; 2]) = (
    stranger::Bounds { own: TALKS, frames: 1, faults: 1, halves: false },
    [
        Some([
            (1_428, 3_405, 113_063),
            (4_063, 10_069, 392_212),
            (10_520, 25_921, 1_005_292),
            (10_882, 26_663, 1_080_881),
            (10_520, 25_921, 1_005_292),
            (10_520, 25_921, 1_005_292),
            (10_520, 25_921, 1_005_292),
        ]),
        Some([
            (1_428, 3_405, 113_063),
            (4_063, 10_069, 392_212),
            (10_804, 26_653, 1_048_862),
            (11_130, 27_303, 1_112_040),
            (10_804, 26_653, 1_048_862),
            (10_804, 26_653, 1_048_862),
            (10_804, 26_653, 1_048_862),
        ]),
    ],
);

const DEEP_STRANGERS: [(stranger::Bounds, [Counts; 2]); 2] = [
    (stranger::Bounds { own: TALKS, frames: 2, faults: 1, halves: false }, [None; 2]),
    (stranger::Bounds { own: SILENT, frames: 2, faults: 0, halves: true }, [None; 2]),
];

#[test]
fn two_ends_close_in_order() {
    check_pairs(IN_ORDER);
}

#[test]
fn two_ends_close_by_halves() {
    check_pairs(IN_HALVES);
    if is_deep() {
        DEEP_PAIRS.into_iter().for_each(check_pairs);
    }
}

#[test]
fn two_ends_know_that_the_link_broke() {
    check_pairs(BROKEN);
}

#[test]
fn a_stranger_is_borne() {
    check_strangers(TWO_FRAMES);
}

#[test]
fn a_stranger_that_is_cut_off_is_borne() {
    check_strangers(ONE_IN_HALVES);
}

#[test]
fn a_stranger_that_leaves_is_borne() {
    check_strangers(ONE_FAULT);
    if is_deep() {
        DEEP_STRANGERS.into_iter().for_each(check_strangers);
    }
}

/// Whether more of everything is asked for, which takes minutes.
fn is_deep() -> bool {
    env::var_os("HYBI_MODELS_DEEP").is_some()
}

fn check_pairs((bounds, counts): (pair::Bounds, Counts)) {
    let now = Instant::now();
    check(counts, &format!("{bounds:?}"), |family| {
        let mut actions = vec!["Close", "Deadline", "End", "LetGo", "Shutdown"];
        actions.extend(leaving(bounds.halves));
        if bounds.client.messages > 0 {
            actions.push("Send");
        }
        if bounds.faults > 0 {
            actions.extend(["Break", "Cut", "Rude", "Fail"]);
        }
        let mut writes = Writes::Succeed;
        // Where nothing is said at all, nothing is on its way.
        if bounds.client.messages > 0 || family.closing() != Closing::Transport {
            actions.extend(["Block", "Fail"]);
            actions.extend(arriving(bounds.halves));
        }
        // Who only answers has nothing to send before the other is gone.
        if bounds.server.close.is_some() && actions.contains(&"Block") {
            writes = Writes::Fail;
        }
        let explored = explore(|| Pair::new(family, bounds, now));
        (explored, actions, cells(&rows(family), writes))
    });
}

fn check_strangers((bounds, counts): (stranger::Bounds, [Counts; 2])) {
    let now = Instant::now();
    for (role, counts) in [Role::Client, Role::Server].into_iter().zip(counts) {
        check(counts, &format!("{role:?} {bounds:?}"), |family| {
            let mut actions = vec!["Close", "Deadline", "End", "Ends(Shut)", "LetGo", "Shutdown"];
            actions.extend(leaving(bounds.halves));
            actions.extend(arriving(bounds.halves));
            if bounds.own.messages > 0 {
                actions.push("Send");
            }
            if bounds.own.messages > 0 || family.closing() != Closing::Transport {
                actions.push("Block");
            }
            let mut writes = Writes::Succeed;
            if bounds.faults > 0 {
                writes = Writes::Fail;
                actions.extend(["Ends(Rude)", "Fail", "Resets", "TurnsAway"]);
            }
            actions.extend(match family.closing() {
                Closing::Transport => &["Put(Text)"][..],
                Closing::Marker => &["Put(Text)", "Put(Close)"],
                _ => &["Put(Text)", "Put(Ping)", "Put(Close)", "Put(CloseWithPayload)", "Put(Bad)"],
            });
            let mut rows = rows(family);
            // Our own Close frames are all alike, and each passes for the answer to the other.
            if family.closing() == Closing::Echo {
                rows.push("Crossed");
            }
            let explored = explore(|| Stranger::new(family, role, bounds, now));
            (explored, actions, cells(&rows, writes))
        });
    }
}

fn leaving(halves: bool) -> &'static [&'static str] {
    if halves { &["Leave(All)", "Leave(Half)"] } else { &["Leave(All)"] }
}

fn arriving(halves: bool) -> &'static [&'static str] {
    if halves { &["Arrive(All)", "Arrive(Half)"] } else { &["Arrive(All)"] }
}

/// Everything that was to happen has happened, and no more than that.
fn check(
    counts: Counts,
    what: &str,
    explore: impl Fn(Family) -> (Explored, Vec<&'static str>, BTreeSet<Cell>),
) {
    // Without the feature `legacy`, the last alone.
    let first = counts.map_or(0, |counts| counts.len() - families().count());
    for (at, family) in families().enumerate() {
        let began = Instant::now();
        let (explored, actions, cells) = explore(family);
        let Explored { states, steps, orders, longest, .. } = explored;
        tell(
            &format!(
                "{:?} {what}: {states} states, {steps} steps, {orders} orders, the longest of {longest}",
                family.0
            ),
            began.elapsed(),
        );
        assert_eq!(
            explored.actions,
            actions.into_iter().map(str::to_owned).collect(),
            "{family:?}"
        );
        assert_eq!(explored.cells, cells, "{family:?}");
        if let Some(expected) = counts {
            assert_eq!((states, steps, orders), expected[first + at], "{family:?}");
        }
    }
}

/// For whoever wants to see how much there is.
fn tell(what: &str, took: Duration) {
    println!("{what}, {took:?}");
}

/// The rows of the table in `state.rs` that a connection with another of ours is in.
fn rows(family: Family) -> Vec<&'static str> {
    match family.closing() {
        // The end of the transport is all there is.
        Closing::Transport => vec![ALONE, "Ended"],
        _ => vec!["Open", "Draining", "Ended"],
    }
}

/// The row `Open` where the end of the transport is what a Close frame is elsewhere.
const ALONE: &str = "Open, if its end closes";

/// Whether writing may fail while something may still be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    Fail,
    Succeed,
}

/// The cells of the table in `state.rs` that are reached, of the rows that there are for this family and
/// this company.
fn cells(rows: &[&'static str], writes: Writes) -> BTreeSet<Cell> {
    let mut cells = BTreeSet::new();
    for &row in rows {
        let columns: &[_] = match row {
            ALONE => &["Open", "Closing", "Failed", "Shut"],
            "Open" => &["Open", "Closing", "Failed"],
            "Crossed" => &["Closing", "Failed"],
            _ => &["Open", "Closing", "Failed", "Shut"],
        };
        let row = row.split(',').next().unwrap_or(row);
        let is_reached = |column| column != "Failed" || row == "Ended" || writes == Writes::Fail;
        cells.extend(
            columns.iter().filter(|column| is_reached(**column)).map(|column| (row, *column)),
        );
    }
    cells
}
