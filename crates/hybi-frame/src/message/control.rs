//! Control frames, which may stand between the frames of a message (RFC 6455 §5.5).

use alloc::boxed::Box;

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::error::FrameError;
use crate::opcode::Opcode;
use crate::part::FramePart;
use crate::payload::{Event, Payload};
use crate::rules::FrameRules;

/// What is kept of control frames: at most 125 bytes.
#[derive(Debug, Default)]
pub(super) struct ControlFrames {
    /// What came of one that arrives in pieces, or the payload of the last Close frame.
    payload: Box<[u8]>,
}

impl ControlFrames {
    /// Takes a part of a control frame; returns the frame when it is complete, lent where it was
    /// whole.
    ///
    /// # Errors
    ///
    /// The rule that the payload of a Close frame breaks.
    pub(super) fn push<'a>(
        &mut self,
        part: FramePart<'a>,
        rules: FrameRules,
    ) -> Result<Option<Event<'a>>, FrameError> {
        let FramePart { header, start, end, offset, .. } = part;
        let (payload, _) = part.into_payload();
        if !(start && end) {
            if start {
                self.payload = Box::default();
            }
            // Made anew for each piece: these are few bytes, and every connection would have room for a length.
            self.payload = [&*self.payload, payload].concat().into();
            if !end {
                return Ok(None);
            }
        }
        let payload_offset = offset + payload.len() as u64 - header.payload_len;
        let payload = if start {
            Payload::Borrowed(payload)
        } else {
            Payload::Owned(Bytes::from(core::mem::take(&mut self.payload)))
        };
        Ok(Some(match header.opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Pong => Event::Pong(payload),
            _ => {
                let close = CloseFrame::parse_at(&payload, rules).map_err(|(violation, at)| {
                    FrameError::new(violation, payload_offset + at as u64, rules)
                })?;
                self.payload = payload.to_vec().into();
                Event::Close(close)
            }
        }))
    }

    /// The payload of the Close frame that was handed out last, as it came.
    #[inline]
    pub(super) fn close_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Bytes allocated.
    #[inline]
    pub(super) const fn memory(&self) -> usize {
        self.payload.len()
    }
}
