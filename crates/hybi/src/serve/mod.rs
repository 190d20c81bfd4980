//! Serving: connections accepted, counted, handed to a handler each, and brought to an end in order; written once for
//! all runtimes.
//!
//! Programs use it by the `serve` of their adapter:
//!
//! ```text
//!  accept --> place in the registry --> TLS, opening handshake --> handler
//!                 ^       |                                          |
//!              limits     +--- drain: 503, Close frames, cut --------+
//! ```

mod accept;
mod carried;
mod carrier;
mod connection;
mod drain;
mod guest;
mod handle;
mod incident;
mod registry;
mod serving;

pub use accept::{Accept, Arrival, Cutter};
pub use carrier::{Carrier, Opened};
pub use drain::{Cut, Drain, Drained, Stage};
pub use guest::Guest;
pub use handle::{Draining, Handle};
pub use incident::Incident;
pub use serving::Serving;

/// What a handler may give: nothing, or a result whose error is [told](Incident::Failed).
///
/// ```
/// use hybi::{Error, WebSocket, io::{Timer, Transport}};
///
/// /// An error ends the handler, and so its connection.
/// async fn strict<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Result<(), Error> {
///     while ws.recv().await?.is_some() {}
///     Ok(())
/// }
///
/// /// Nobody is told of any.
/// async fn lenient<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) {
///     while let Ok(Some(_)) = ws.recv().await {}
/// }
/// ```
pub trait Outcome: Send {
    /// As a result.
    ///
    /// # Errors
    ///
    /// The handler's.
    fn into_result(self) -> Result<(), Box<dyn core::error::Error + Send + Sync>>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Box<dyn core::error::Error + Send + Sync>> {
        Ok(self)
    }
}

impl<E: Into<Box<dyn core::error::Error + Send + Sync>> + Send> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), Box<dyn core::error::Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}
