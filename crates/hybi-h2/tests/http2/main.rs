//! WebSocket over HTTP/2 as its peers see it: in messages, in frames, and in what hostile ones can do (RFC 8441).

#[cfg(feature = "rustls")]
mod alpn;
mod answers;
mod both_roles;
mod client;
mod drain;
mod ends;
mod floods;
mod hostile;
mod hostile_server;
mod limits;
mod peer;
mod raw;

#[global_allocator]
static ALLOCATOR: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;
