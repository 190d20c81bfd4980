//! A connection on a transport: the handle, and the async loop behind it, on any runtime.

mod driver;
pub mod io;
mod pool;
mod wakers;
mod websocket;

pub(crate) use pool::Chunk;
pub use websocket::WebSocket;
