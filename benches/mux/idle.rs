//! What is allocated for an idle channel, and for an idle connection: both ends together, runtime and tasks included.

use hybi_benches::allocated::Counting;

use crate::ways::{Load, Running, Way};

pub(crate) fn print(allocator: &Counting, crowd: usize) {
    println!("{crowd} idle connections, or as many channels of one; bytes each, both ends");
    for (name, way) in [("connection", Way::Connections), ("channel", Way::Channels)] {
        let before = allocator.now();
        let mut running = Running::new(way, crowd);
        let quiet = Load { talking: crowd, depth: 1 };
        running.echo(quiet, 20, crowd);
        let each = allocator.now().saturating_sub(before) / crowd;
        println!("  {name:>12} {each:>6} allocated");
    }
}
