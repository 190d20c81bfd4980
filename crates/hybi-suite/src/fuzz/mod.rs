//! What a fuzzer runs: one function a target, over bytes that nobody chose.
//!
//! A target is a file here and a row in [`TARGETS`]. Its function reads everything that it does out of the
//! bytes, and panics when a property does not hold. Who makes the bytes is not its business: libFuzzer
//! (`fuzz/`), the [loop](mutate) for machines without it, or the test that replays what was saved.

mod connect;
mod differential;
mod fields;
mod frames;
mod heads;
mod inflate;
mod input;
pub mod mutate;
mod mux;
mod mux_endpoint;
mod opening;
mod pair;
mod reach;
mod slow;
mod streams;
mod uri;
mod words;

pub use differential::Differential;

/// One target.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Its name: that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Does what the bytes say; panics when a property does not hold.
    pub run: fn(&[u8]),
    /// What it holds ours beside, where that is another implementation.
    pub differential: Option<Differential>,
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, differential: None }
}

/// One that holds ours beside another implementation.
macro_rules! beside {
    ($name:literal, $differential:expr) => {{
        const DIFFERENTIAL: Differential = $differential;
        let run = |data: &[u8]| drop((DIFFERENTIAL.seen)(data));
        Target { name: $name, run, differential: Some(DIFFERENTIAL) }
    }};
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("frames", frames::run),
    target("request-head", heads::request),
    target("response-head", heads::response),
    target("extensions-field", fields::extensions),
    target("subprotocols-field", fields::subprotocols),
    target("single-fields", fields::single),
    target("uri", uri::run),
    target("tunnel", reach::tunnel),
    target("location", reach::location),
    target("connect", connect::run),
    target("legacy-opening", opening::run),
    target("inflate", inflate::run),
    target("pair", pair::run),
    target("mux-messages", mux::run),
    target("mux-endpoint", mux_endpoint::run),
    beside!("request-head-beside-httparse", differential::REQUEST_HEAD),
    beside!("frames-beside-tungstenite", differential::TUNGSTENITE),
    beside!("frames-beside-fastwebsockets", differential::FASTWEBSOCKETS),
    beside!("inflate-beside-rfc1951", differential::INFLATE),
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().find(|target| target.name == name).copied()
}
