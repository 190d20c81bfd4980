//! Multiplexing: two ends over a simulated link, and one end beside a peer that is written out.

mod alone;
mod conversations;
mod drops;
mod offers;
mod peer;
mod quota;
mod sessions;
mod support;
