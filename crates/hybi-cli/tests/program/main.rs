//! The program as its users meet it: spawned, spoken to over sockets, judged by what it prints,
//! what its peers see, and its exit code.

mod bind;
mod channels;
mod client_certificate;
mod connect;
mod drain;
mod extensions;
mod handler_bounds;
mod help;
mod http;
mod http2;
mod input;
mod key;
mod leaving;
mod limits;
mod own_limits;
mod prompt;
mod reaching;
mod reconnect;
mod refusals;
mod serve;
mod serve_options;
mod signals;
mod support;
mod times;
mod tls;
mod usage;
mod versions;
