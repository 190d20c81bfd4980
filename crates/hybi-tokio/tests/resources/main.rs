//! What a connection may cost: memory, counted exactly, and time, on tokio's paused clock
//! (RFC 6455 section 10.4).

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
mod compressed;
mod deadlines;
mod memory;
mod opening;
mod served;
mod writes;

#[global_allocator]
static COUNTING: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;
