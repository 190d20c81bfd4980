//! WebSockets in hyper's server, as their peers and the application see them.

mod client;
mod http1;
mod http2;
mod serving;
mod world;
