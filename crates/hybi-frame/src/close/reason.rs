//! The reason in a Close frame: UTF-8 for logs and people (RFC 6455 §5.5.1, §7.1.6).

use crate::rules::{FrameRules, InvalidUtf8};
use crate::utf8::{self, Utf8Bytes, Utf8Error};

/// The most bytes of a reason: a control frame has 125, of which the code takes two (§5.5).
pub(super) const MAX_LEN: usize = 123;

/// The reason of a received Close frame. Where invalid UTF-8 is replaced, one that grows past
/// [`MAX_LEN`] by it is cut at a character, so that it can be sent on.
///
/// # Errors
///
/// The position of the first byte that is not UTF-8, where that fails the connection.
pub(super) fn received(bytes: &[u8], rules: FrameRules) -> Result<Utf8Bytes, Utf8Error> {
    match (Utf8Bytes::try_from(bytes), rules.invalid_utf8()) {
        (Err(_), InvalidUtf8::Replace) => {
            let mut reason = utf8::replaced(bytes);
            let mut end = MAX_LEN.min(reason.len());
            while !reason.is_char_boundary(end) {
                end -= 1;
            }
            reason.truncate(end);
            Ok(reason.into())
        }
        (reason, _) => reason,
    }
}
