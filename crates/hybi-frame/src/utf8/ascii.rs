//! Short texts that are ASCII, which most are, told without a call (RFC 6455 §8.1).

/// The longest text that is looked at here.
const SHORT: usize = 32;
const PAST_SHORT: usize = SHORT + 1;

/// Whether this is ASCII and at most 32 bytes long.
///
/// N to 2N bytes are covered by two words of N bytes, one at the front and one at the end.
#[inline(always)]
pub(super) fn is_short_ascii(text: &[u8]) -> bool {
    match text.len() {
        PAST_SHORT.. => false,
        16.. => ends_are_ascii::<16>(text),
        8.. => ends_are_ascii::<8>(text),
        4.. => ends_are_ascii::<4>(text),
        2.. => ends_are_ascii::<2>(text),
        _ => text.first().is_none_or(u8::is_ascii),
    }
}

#[inline(always)]
fn ends_are_ascii<const N: usize>(text: &[u8]) -> bool {
    let ends = text.first_chunk::<N>().zip(text.last_chunk::<N>());
    ends.is_some_and(|(first, last)| first.is_ascii() & last.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::{SHORT, is_short_ascii};

    #[test]
    fn each_byte_of_each_length_counts() {
        for len in 0..=SHORT {
            let mut text = [b'a'; SHORT + 1];
            text[len..].fill(0xff);
            assert!(is_short_ascii(&text[..len]), "{len}");
            for at in 0..len {
                text[at] = 0x80;
                assert!(!is_short_ascii(&text[..len]), "{len} {at}");
                text[at] = b'a';
            }
        }
        assert!(!is_short_ascii(&[b'a'; SHORT + 1]), "that is for others to say");
    }
}
