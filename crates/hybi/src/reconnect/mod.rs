//! Reconnecting: a client that comes back, never at once and never together with all others (RFC 6455 section 7.2.3).
//!
//! ```text
//!  connect --> attempt --open--> WebSocket --its end--> ended
//!     ^           |                                       |
//!     +-- pause --+ failed        gave up <--- what will not change
//!     +-------------------------- pause ------------------+
//! ```

mod backoff;
mod reconnecting;

pub use backoff::{Backoff, Ended, Pause};
pub use reconnecting::{Attempt, GaveUp, Reconnecting};
