//! The frames of hixie-75 and hixie-76: text between 00 and FF, and frames that are to be skipped.

use hybi_frame::{Closing, DraftViolation, Violation};

use super::messages::Messages;
use super::{Source, Stop};
use crate::told::Told;

/// A type, then up to FF (types 00 to 7F), or a length and as many bytes (80 to FF).
pub(super) fn frame(source: &mut Source<'_>, messages: &mut Messages) -> Result<(), Stop> {
    let begin = source.at;
    let limits = messages.limits;
    let frame_too_large =
        |size| Stop::Broken(Violation::FrameTooLarge { size, limit: limits.max_frame() }, begin);
    let kind = source.byte()?;
    if kind < 0x80 {
        let mut payload = Vec::new();
        loop {
            let byte = source.byte()?;
            if byte == 0xff {
                break;
            }
            payload.push(byte);
            // A text is a frame and a message; where both limits are the same, the one on messages is named.
            let size = payload.len() as u64;
            let limit = limits.max_message();
            if kind == 0 && size > limit as u64 && limit as u64 <= limits.max_frame() {
                return Err(Stop::Broken(Violation::MessageTooLarge { size, limit }, begin));
            }
            if size > limits.max_frame() {
                return Err(frame_too_large(size));
            }
        }
        if kind == 0 {
            messages.told.push(Told::Text(String::from_utf8_lossy(&payload).into_owned()));
        }
        return Ok(());
    }
    // Seven bits a byte, the highest first; all but the last byte have the high bit set.
    let mut length = 0;
    for count in 1.. {
        let at = source.at;
        let byte = source.byte()?;
        length = length << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
        // Ours: nine bytes are a length below 2^63.
        if count == 9 {
            return Err(Stop::Broken(Violation::Draft(ENDLESS_LENGTH), at));
        }
    }
    if length > limits.max_frame() {
        return Err(frame_too_large(length));
    }
    for _ in 0..length {
        source.byte()?;
    }
    if kind == 0xff && length == 0 && messages.rules.closing() == Closing::Marker {
        messages.told.push(Told::Close(None, Vec::new()));
    }
    Ok(())
}

const ENDLESS_LENGTH: &DraftViolation = &DraftViolation {
    rule: "length of a frame to be skipped has more than nine bytes",
    document: "drafts hixie-75 and hixie-76",
};
