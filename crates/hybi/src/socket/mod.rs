//! A connection on a transport: the handles, and the async loop behind them, on any runtime.

mod access;
mod byte_stream;
mod closer;
mod delivering;
mod driver;
mod halves;
pub mod io;
#[cfg(test)]
mod model;
mod permit;
mod pool;
mod reader;
mod received;
mod sending;
mod sinks;
mod wakers;
mod websocket;
mod writer;

pub use byte_stream::ByteStream;
pub use closer::Closer;
pub(crate) use closer::{Outcome, Progress};
pub use halves::{Receiver, ReuniteError, Sender};
pub use permit::{Answering, Permit};
pub(crate) use pool::ThreadChunk as Chunk;
pub use reader::MessageReader;
pub use websocket::WebSocket;
pub use writer::MessageWriter;
