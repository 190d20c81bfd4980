//! Sockets of clients: made, prepared as the caller chose, bound, and then connected without blocking.
//!
//! Programs depend on an adapter, which is written with this if its runtime has no socket that is not connected yet.
//!
//! ```
//! use std::{io, net::{SocketAddr, TcpStream}, thread};
//! use hybi::opening::Network;
//!
//! /// What an adapter does, with a wait for the system in place of the loop.
//! fn connect(network: &Network<TcpStream>, address: SocketAddr) -> io::Result<TcpStream> {
//!     let socket = hybi_net::connecting(network, address)?;
//!     loop {
//!         match hybi_net::outcome(&socket) {
//!             Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
//!             outcome => return outcome.map(|()| socket),
//!         }
//!     }
//! }
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! // The whole network 127.0.0.0/8 is this machine on Linux.
//! # #[cfg(target_os = "linux")] {
//! let network = Network::default().bind(([127, 0, 0, 2], 0));
//! let socket = connect(&network, listener.local_addr()?)?;
//! assert_eq!(socket.local_addr()?.ip().to_string(), "127.0.0.2");
//! # }
//! # Ok::<(), io::Error>(())
//! ```

#![forbid(unsafe_code)]

mod tcp;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use tcp::connect;
pub use tcp::{connecting, outcome, socket};
#[cfg(unix)]
pub use unix::unix;
