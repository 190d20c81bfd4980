//! Conversations by seed, as many as take a few seconds; `cargo xtask simulate` runs more of them.

use hybi_suite::simulation::{explore, rows};

/// Of each row.
const SEEDS: u64 = 60;

#[test]
fn what_holds_of_every_conversation_holds() {
    for row in rows() {
        if let Err(why) = explore(&row, 0..SEEDS) {
            panic!("{why}");
        }
    }
}
