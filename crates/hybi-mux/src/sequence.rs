//! The order of the frames of a channel, which is not that of RFC 6455: control frames may have fragments.

use hybi_frame::{Opcode, Rsv};

use crate::error::MuxViolation;
use crate::message::LogicalFrame;

/// The longest payload of a control frame, all of its fragments together (RFC 6455 section 5.5).
const CONTROL_LIMIT: usize = 125;

/// What a frame of a channel is to whoever reads its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is no third")]
pub enum Piece<'a> {
    /// A frame of a message, as it came.
    Data(LogicalFrame<'a>),
    /// A control frame, put together.
    Control {
        /// What it is.
        opcode: Opcode,
        /// The reserved bits of its first fragment.
        rsv: Rsv,
        /// Its payload, of 125 octets at most.
        payload: &'a [u8],
    },
}

/// Puts the frames of a channel in order: what comes out of it a receiver of RFC 6455 understands.
///
/// ```
/// use hybi_frame::Opcode;
/// use hybi_mux::{FrameSequence, MuxMessage, MuxViolation, Piece, Revision};
///
/// let mut sequence = FrameSequence::default();
/// let mut push = |message: &[u8]| {
///     let Ok(MuxMessage::Frame(frame)) = MuxMessage::parse(message, Revision::Ietf07) else { panic!() };
///     Ok::<_, MuxViolation>(match sequence.push(frame)? {
///         Some(Piece::Data(frame)) => Some((frame.opcode, frame.payload.to_vec())),
///         Some(Piece::Control { opcode, payload, .. }) => Some((opcode, payload.to_vec())),
///         None => None,
///     })
/// };
/// assert_eq!(push(b"\x02\x01He")?, Some((Opcode::Text, b"He".to_vec())));
/// // A Ping in two fragments comes between.
/// assert_eq!(push(b"\x02\x09p")?, None);
/// assert_eq!(push(b"\x02\x80ing")?, Some((Opcode::Ping, b"ping".to_vec())));
/// assert_eq!(push(b"\x02\x80llo")?, Some((Opcode::Continuation, b"llo".to_vec())));
/// assert_eq!(push(b"\x02\x80more"), Err(MuxViolation::Fragmentation(Opcode::Continuation)));
/// # Ok::<(), MuxViolation>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FrameSequence {
    /// Whether a message has begun and not ended.
    in_message: bool,
    control: Control,
}

/// The control frame whose fragments are coming.
#[derive(Clone, Debug, Default)]
enum Control {
    #[default]
    None,
    Gathering {
        opcode: Opcode,
        rsv: Rsv,
        payload: Vec<u8>,
    },
    /// It was handed out, and lies there until the next frame.
    Whole(Vec<u8>),
}

impl FrameSequence {
    /// Takes in a frame; `None` for a fragment of a control frame that is not the last.
    ///
    /// # Errors
    ///
    /// [`MuxViolation::Fragmentation`] for a frame that may not come here, and
    /// [`MuxViolation::ControlTooLong`] for a control frame of more than 125 octets, however many fragments it has.
    pub fn push<'a>(
        &'a mut self,
        frame: LogicalFrame<'a>,
    ) -> Result<Option<Piece<'a>>, MuxViolation> {
        let LogicalFrame { fin, rsv, opcode, payload, .. } = frame;
        let is_out_of_order = MuxViolation::Fragmentation(opcode);
        if let Control::Whole(_) = self.control {
            self.control = Control::None;
        }
        match (&mut self.control, opcode) {
            // It is the control frame's, which came in between.
            (Control::Gathering { payload: gathered, .. }, Opcode::Continuation) => {
                if gathered.len() + payload.len() > CONTROL_LIMIT {
                    return Err(MuxViolation::ControlTooLong);
                }
                gathered.extend_from_slice(payload);
                Ok(if fin { self.whole() } else { None })
            }
            (Control::Gathering { .. }, _) => Err(is_out_of_order),
            (_, opcode) if opcode.is_control() => {
                if payload.len() > CONTROL_LIMIT {
                    return Err(MuxViolation::ControlTooLong);
                }
                if fin {
                    return Ok(Some(Piece::Control { opcode, rsv, payload }));
                }
                self.control = Control::Gathering { opcode, rsv, payload: payload.to_vec() };
                Ok(None)
            }
            (_, opcode) if self.in_message != (opcode == Opcode::Continuation) => {
                Err(is_out_of_order)
            }
            _ => {
                self.in_message = !fin;
                Ok(Some(Piece::Data(frame)))
            }
        }
    }

    /// Hands out the control frame whose last fragment came.
    fn whole(&mut self) -> Option<Piece<'_>> {
        let Control::Gathering { opcode, rsv, payload } = core::mem::take(&mut self.control) else {
            return None;
        };
        self.control = Control::Whole(payload);
        let Control::Whole(payload) = &self.control else { return None };
        Some(Piece::Control { opcode, rsv, payload })
    }
}
