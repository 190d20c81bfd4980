//! How clients get to servers, in a network without wires and on a clock that stands still: addresses, proxies,
//! redirects, and the time that each step has.

mod addresses;
mod network;
mod proxies;
mod reconnect;
mod redirects;
mod stages;
mod steps;
