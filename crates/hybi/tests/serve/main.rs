//! A server that is looked after, on a clock that stands still: limits, accepts that fail, and the end.

mod accepting;
#[cfg(feature = "mux")]
mod channels;
mod draining;
mod guests;
mod handlers;
mod last_words;
mod limits;
mod listeners;
mod produced;
mod seeds;
mod world;
