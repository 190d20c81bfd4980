//! What a Close frame says (RFC 6455 §5.5.1, §7.4): a code, and a reason.

mod code;
mod frame;
mod reason;

pub use code::CloseCode;
pub use frame::{CloseFrame, CloseFrameError};
