//! Ended: why nothing more comes on a channel.

use core::error::Error;
use core::fmt;

use crate::error::DropCode;

/// How a channel ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Close frames went both ways.
    InOrder,
    /// The request for it was refused, or given up.
    Refused,
    /// The peer dropped it.
    DroppedByPeer {
        /// Its code, if it gave one.
        code: Option<DropCode>,
        /// Its reason, which may be empty.
        reason: String,
    },
    /// It was dropped here, and the peer was told.
    Dropped {
        /// The code that was sent.
        code: DropCode,
        /// The reason that was sent.
        reason: String,
    },
    /// The peer said that the physical connection failed, and all channels with it.
    PhysicalFailedByPeer {
        /// Its code, if it gave one.
        code: Option<DropCode>,
        /// Its reason, which may be empty.
        reason: String,
    },
    /// The physical connection failed here, and all channels with it; the peer was told.
    PhysicalFailed {
        /// The code that was sent.
        code: DropCode,
        /// The reason that was sent.
        reason: String,
    },
    /// The physical connection ended.
    PhysicalEnded,
}

impl Error for Ended {}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, code, reason) = match self {
            Self::InOrder => return f.write_str("the channel was closed"),
            Self::Refused => return f.write_str("the channel was refused"),
            Self::PhysicalEnded => return f.write_str("the physical connection ended"),
            Self::DroppedByPeer { code, reason } => ("the peer dropped the channel", *code, reason),
            Self::Dropped { code, reason } => ("the channel was dropped", Some(*code), reason),
            Self::PhysicalFailedByPeer { code, reason } => {
                ("the peer failed the physical connection", *code, reason)
            }
            Self::PhysicalFailed { code, reason } => {
                ("the physical connection was failed", Some(*code), reason)
            }
        };
        f.write_str(what)?;
        if let Some(code) = code {
            write!(f, ": {code}")?;
        }
        if !reason.is_empty() {
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}
