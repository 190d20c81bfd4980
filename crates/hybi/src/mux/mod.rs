//! Multiplexing: many logical connections over one, as pywebsocket speaks it.
//!
//! A channel is a [`WebSocket`](crate::WebSocket) like any other, over a [`Channel`] in the place of a transport: with
//! halves, limits, a closing handshake, subprotocol and extensions of its own. Its frames are cut to the quota that the
//! peer granted, and back-pressure reaches the peer in the same way, so a channel that is not read holds up no other.
//!
//! One future moves the messages of the physical connection, [`Driver::run`]; spawn it. The channels may be on any tasks.
//!
//! ```text
//!  WebSocket<Channel, C>   WebSocket<Channel, C>   ...     Opener / Requests
//!          |  octets of frames     |                           |
//!          +-----------------------+---------------------------+
//!                        hybi_mux::Endpoint
//!                                  |  binary messages
//!                              Driver::run
//!                                  |
//!                    WebSocket<T, C>, the physical connection
//! ```
//!
//! ```
//! use hybi::{Client, Error, Incoming, Server, io::{Timer, Transport}, mux::{self, Accepted, Config, Connected}};
//!
//! /// Whoever asks for channels gets them, and all others their one connection.
//! async fn serve<T: Transport, C: Timer + Default + 'static>(
//!     incoming: Incoming<T, C>,
//! ) -> Result<(), Error> {
//!     match mux::accept(incoming, &Config::default(), C::default).await? {
//!         Accepted::Single(ws) => echo(ws).await,
//!         Accepted::Multiplexed(mux) => {
//!             let (first, mut requests, driver) = (mux.first, mux.requests, mux.driver);
//!             let accepting = async {
//!                 while let Some(incoming) = requests.next().await {
//!                     // A task of its own, on most runtimes.
//!                     echo(incoming.accept().await?).await?;
//!                 }
//!                 Ok(())
//!             };
//!             futures_util::future::try_join3(driver.run(), echo(first), accepting).await?;
//!             Ok(())
//!         }
//!     }
//! }
//!
//! async fn echo<T: Transport, C: Timer>(mut ws: hybi::WebSocket<T, C>) -> Result<(), Error> {
//!     while let Some(message) = ws.recv().await? {
//!         ws.feed(message).await?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Old and rare
//!
//! The extension was never finished as a standard, and browsers never shipped it; [`Draft`] has the table of what is
//! known of each document. For new services HTTP/2 does what it was for. It is off unless asked for, here and in the
//! feature `mux`.

mod carrier;
mod channel;
mod client;
mod driver;
mod server;
mod shared;

use std::sync::Arc;

pub use hybi_mux::{
    ChannelId, Config, Draft, DropCode, Ended, HandshakeEncoding, HeadLimits, Known, Revision,
};

pub use self::{
    channel::Channel,
    client::{Connected, MultiplexedClient, Opener, connect, connect_on},
    driver::Driver,
    server::{Accepted, MultiplexedServer, Requests, accept, accept_as},
};

/// A channel, as a connection like any other.
///
/// ```
/// use hybi::{Error, io::Timer, mux};
///
/// /// The same on each channel, whatever the physical connection is made of.
/// async fn greet<C: Timer>(mut ws: mux::WebSocket<C>) -> Result<(), Error> {
///     ws.send(format!("this is channel {}", ws.transport().id())).await?;
///     Ok(())
/// }
/// ```
pub type WebSocket<C> = crate::WebSocket<Channel, C>;

/// Makes the timer of each channel.
type Timers<C> = Arc<dyn Fn() -> C + Send + Sync>;
