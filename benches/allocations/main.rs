//! How often the rows of `counts` allocate, exactly: the number for each, and the number of messages.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

#[path = "../counts/rows.rs"]
mod rows;

use hybi_benches::allocated::Counting;
use rows::ROWS;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

fn main() {
    for row in &ROWS {
        let mut work = row.warmed_up();
        let before = ALLOCATOR.count();
        work(row.messages);
        let count = ALLOCATOR.count() - before;
        println!("{} | {count} allocations in {} messages", row.name, row.messages);
    }
}
