//! Frames as a tap saw them (RFC 6455 §5.2), without their content: what a message cost and
//! whether it was compressed. Written for this alone, so that it shares no mistake with the library.

use core::iter;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) opcode: u8,
    pub(super) fin: bool,
    pub(super) rsv1: bool,
    /// Header and payload, in bytes.
    pub(super) size: usize,
}

/// One message: its frames in order.
pub(super) type Message = Vec<Frame>;

impl Frame {
    fn is_control(self) -> bool {
        self.opcode & 8 != 0
    }
}

/// The data messages in a direction. Reserved bits where they cannot be, a message without a
/// begin or an end, and half a frame are errors.
pub(super) fn messages(bytes: &[u8]) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    let mut message = Message::new();
    for frame in frames(bytes) {
        let frame = frame?;
        if frame.is_control() {
            if frame.rsv1 {
                return Err(format!("a control frame has RSV1: {frame:?}"));
            }
            continue;
        }
        if (frame.opcode == 0) == message.is_empty() {
            return Err(format!("out of place: {frame:?}"));
        }
        message.push(frame);
        if frame.fin {
            messages.push(core::mem::take(&mut message));
        }
    }
    if message.is_empty() { Ok(messages) } else { Err("a message has no end".to_owned()) }
}

fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Result<Frame, String>> {
    iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let Some(frame) = first(bytes).filter(|frame| frame.size <= bytes.len()) else {
            let short = format!("{} bytes are no whole frame", bytes.len());
            bytes = &[];
            return Some(Err(short));
        };
        bytes = &bytes[frame.size..];
        Some(Ok(frame))
    })
}

/// The header at the front; none if it is cut off.
fn first(bytes: &[u8]) -> Option<Frame> {
    let (&[head, second], rest) = bytes.split_first_chunk()?;
    let key = if second & 0x80 != 0 { 4 } else { 0 };
    let (length, payload) = match second & 0x7f {
        126 => (2, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
        short => (0, u64::from(short)),
    };
    Some(Frame {
        opcode: head & 0x0f,
        fin: head & 0x80 != 0,
        rsv1: head & 0x40 != 0,
        size: usize::try_from(payload).ok()?.checked_add(2 + length + key)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_put_together_around_control_frames() {
        let text = [0x41, 1, b'x', 0x89, 0, 0x80, 0x81, 0, 0, 0, 0, b'y'];
        let binary = [&[0x82, 126, 0, 200][..], &[7; 200], &[0x88, 0]].concat();
        let found = messages(&[&text[..], &binary].concat()).expect("whole");
        let frame = |opcode, fin, rsv1, size| Frame { opcode, fin, rsv1, size };
        assert_eq!(
            found,
            [
                vec![frame(1, false, true, 3), frame(0, true, false, 7)],
                vec![frame(2, true, false, 204)]
            ]
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for bytes in [
            &[0x81][..],         // half a header
            &[0x82, 126, 1],     // half a length
            &[0x82, 2, 0],       // half a payload
            &[0x80, 0],          // a continuation of nothing
            &[0x01, 0, 0x81, 0], // a message inside another
            &[0x01, 0],          // a message without an end
            &[0xc9, 0],          // RSV1 on a ping
            &[0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            assert!(messages(bytes).is_err(), "{bytes:x?}");
        }
    }
}
