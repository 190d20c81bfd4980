//! Two connections without I/O, joined by a simulated link: every promise of `Connection`
//! (RFC 6455 sections 5 to 8).

mod closing;
mod failing;
mod faults;
mod keep_alive;
mod marks;
mod masking;
mod messages;
mod outbox;
mod scripts;
mod unmasked;
mod world;
