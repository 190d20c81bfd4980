//! Example programs, one a file: `cargo run -p hybi-examples --bin NAME`.
//!
//! | name | shows |
//! |---|---|
//! | `echo_server`, `echo_server_smol`, `echo_server_blocking`, `echo_server_async_std` | a server in ten lines, on each runtime and on none |
//! | `echo_client` | a client: connect, send, receive, close |
//! | `chat` | a room: what one client says, all others hear, whoever reads slowly |
//! | `rooms` | chat rooms by path, which are gone when the last guest is |
//! | `prepared` | what is typed is compressed once and sent to all who listen |
//! | `graceful_shutdown`, `graceful_shutdown_blocking` | a server that ends in order: limits, everybody sent away at a rate, a report of who did not go |
//! | `multiplexed` | many connections over one, for clients that ask for them |
//! | `halves` | one connection in two tasks: what is typed is sent, what comes is printed |
//! | `select_loop` | one loop that waits for what comes, what is typed, and the time |
//! | `reconnect` | a client that comes back after an end that was not meant |
//! | `long_message` | a file of any length in one message, sent as it is read and taken in as it comes |
//! | `tunnel` | a connection as a stream of bytes: each WebSocket leads to a TCP port |
//! | `tls_own_ca` | TLS with an authority of your own |
//! | `through_proxy` | a client behind a proxy that wants to know who asks, with TLS and compression |
//! | `proxy` | messages passed on both ways, each end told how the other ended |
//! | `upgrade` | plain HTTP and WebSocket on one port, deciding on the request |
//! | `upgrade_tower` | the same in a service of tower, by the types of `http` alone |
//! | `upgrade_poem` | the same in a framework of its own request types, poem |
//! | `custom_extension` | an extension of your own, beside permessage-deflate |
//! | `every_version` | one port that answers every version ever published, and what old clients lack |
//! | `sans_io` | `Connection` driven by hand over blocking sockets |
//! | `frames_only` | the framing codec alone |

/// The examples of the first page.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
