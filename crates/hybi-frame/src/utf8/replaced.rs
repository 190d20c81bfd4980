//! U+FFFD in the place of what is not UTF-8, as drafts before hybi-08 have it; RFC 6455 §8.1 fails
//! the connection instead.

use alloc::string::String;

/// The text with U+FFFD in the place of each sequence that is not UTF-8.
pub(crate) fn replaced(bytes: &[u8]) -> String {
    const REPLACEMENT: &str = "\u{fffd}";
    let mark = |invalid: &[u8]| if invalid.is_empty() { "" } else { REPLACEMENT };
    // Counted first: a text that grew while it is made would need twice its room for a moment.
    let len = bytes.utf8_chunks().map(|chunk| chunk.valid().len() + mark(chunk.invalid()).len());
    let mut text = String::with_capacity(len.sum());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(mark(chunk.invalid()));
    }
    text
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::replaced;

    #[test]
    fn it_is_what_the_standard_library_makes_of_it() {
        for bytes in [&b""[..], b"Hello", b"\xff", b"a\xc3", b"a\xf0\x9f\x98b\xed\xa0\x80\xc3\xa9"]
        {
            assert_eq!(replaced(bytes), String::from_utf8_lossy(bytes), "{bytes:x?}");
        }
    }
}
