//! How clients get to servers, in a network without wires and on a clock that stands still: addresses, proxies,
//! redirects, the time that each step has, and whatever goes wrong at one of their calls.

mod addresses;
mod breaking;
mod faults;
mod network;
mod proxies;
mod reconnect;
mod redirects;
mod stages;
mod steps;
