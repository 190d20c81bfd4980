//! WebSockets in hyper's server, as their peers and the application see them.

mod http1;
mod world;
