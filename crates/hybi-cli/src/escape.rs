//! Keeping text of others from steering a terminal or the line that it stands in: one rule for
//! every output, and the escapes of text. JSON has its own escapes for the same characters.

use std::borrow::Cow;

/// Escapes what [`steers`].
pub(crate) fn controls(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Whether a character acts upon what stands around it: C0, DEL and C1 upon the terminal, the line
/// and paragraph separators of Unicode upon whatever splits lines, and the marks that reorder a line
/// (UAX #9 section 2) upon what a reader takes the rest of it for. None of them is beyond U+FFFF.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{206f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_acts_and_nothing_else() {
        assert_eq!(controls("plain é ✓ \u{200d} שלום"), "plain é ✓ \u{200d} שלום");
        assert_eq!(controls("\x1b[2J\r\n"), "\\u{1b}[2J\\r\\n");
        assert_eq!(controls("a\u{9b}b\u{202e}c"), "a\\u{9b}b\\u{202e}c");
        assert_eq!(controls("\u{61c}\u{2028}\u{2069}"), "\\u{61c}\\u{2028}\\u{2069}");
    }
}
