//! Keeping received text from steering a terminal: control characters shown as escapes.

use std::borrow::Cow;

/// Escapes C0, DEL, C1 and the marks that reorder a line, which a terminal would act upon.
pub(crate) fn controls(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_acts_and_nothing_else() {
        assert_eq!(controls("plain é ✓"), "plain é ✓");
        assert_eq!(controls("\x1b[2J\r\n"), "\\u{1b}[2J\\r\\n");
        assert_eq!(controls("a\u{9b}b\u{202e}c"), "a\\u{9b}b\\u{202e}c");
    }
}
